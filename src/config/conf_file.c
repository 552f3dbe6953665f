/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_file.c - the configuration file and its drop-ins, pasvd.conf(5)
 *
 * inih knows what sections, keys and comments look like. It reads by way of conf_file_next_line(),
 * which knows the number of the line, and refuses what inih would cut off, join or ignore without a
 * word: lines that are too long, bytes that are no text, something after a section's name.
 * Everything is put into settings of its own: the first mistake ends it, and the caller's settings
 * stay as they were.
 *
 * All files fill the same settings, one behind the other: of a key that has one value the last
 * file's counts, and lists go on.
 */
#include "conf_file.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "drop_in.h"
#include "near.h"
#include "regular.h"

enum {
	LINES_MAX = 1000,
	LINE_END = 3, /* CR, LF and NUL */
	NAMES_MAX = 160,
};

struct conf_reading {
	const char *path;
	FILE *file;
	int line;
	int wrong; /* the line of the first mistake that was found here, or 0 */
	char *error;
	/* A bit for each key that this file has, and that any file has; those of servers on their
	 * own. */
	uint64_t seen[1 + SERVERS_MAX], begun[1 + SERVERS_MAX];
	struct settings settings;
};

static void conf_file_error(struct conf_reading *r, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void conf_file_error(struct conf_reading *r, int line, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(r->error, CONF_FILE_ERROR_MAX, "%s:%d: ", r->path, line);

	r->wrong = line;
	if (n < 0 || n >= CONF_FILE_ERROR_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(r->error + n, (size_t)(CONF_FILE_ERROR_MAX - n), fmt, ap);
	va_end(ap);
}

/* "server" of [server NAME]. */
static const char *conf_file_kind(const char *section)
{
	size_t n = strlen(SETTINGS_SERVER);

	return strncmp(section, SETTINGS_SERVER, n) == 0 &&
			       (section[n] == ' ' || section[n] == '\t')
		       ? SETTINGS_SERVER
		       : section;
}

static void conf_file_set_key(
	struct conf_reading *r, size_t i, const char *section, const char *text)
{
	const struct settings_key *key = settings_key(i);
	struct text value = {text, strlen(text)};
	size_t whose = settings_is_of_server(key) ? 1 + r->settings.servers.now : 0;
	uint64_t before = key->list == LIST_NONE ? r->seen[whose] : r->begun[whose];
	char from[SETTINGS_FROM_MAX];
	const char *why;

	snprintf(from, sizeof(from), "%s:%d", r->path, r->line);
	why = settings_set(&r->settings, key, before >> i & 1, &value, from);
	r->seen[whose] |= UINT64_C(1) << i;
	r->begun[whose] |= r->seen[whose];
	if (why)
		conf_file_error(r, r->line, "[%s] %s = %.*s: %s%s", section, key->name,
			(int)value.n, value.p, why == conf_value_wrong ? "must be " : why,
			why == conf_value_wrong ? key->allowed : "");
}

/* The sections that there are, or the keys of one. */
static const char *names_of(const char *section, char names[NAMES_MAX])
{
	const struct settings_key *key;
	const char *last = "";
	size_t n = 0;

	names[0] = '\0';
	for (size_t i = 0; (key = settings_key(i)) && n < NAMES_MAX; i++) {
		const char *name = section ? key->name : key->section;

		if (strcmp(section ? section : name, key->section) != 0 || strcmp(name, last) == 0)
			continue;
		n += (size_t)snprintf(names + n, NAMES_MAX - n, section ? "%s%s" : "%s[%s%s]",
			n ? ", " : "", name, settings_is_of_server(key) ? " NAME" : "");
		last = name;
	}
	return names;
}

/* The sections that have the key, "" if none has. */
static const char *conf_file_owners_of(const char *name, char names[NAMES_MAX])
{
	const struct settings_key *key;
	size_t n = 0;

	names[0] = '\0';
	for (size_t i = 0; (key = settings_key(i)) && n < NAMES_MAX; i++) {
		if (strcmp(key->name, name) == 0)
			n += (size_t)snprintf(names + n, NAMES_MAX - n, "%s[%s%s]", n ? " or " : "",
				key->section, settings_is_of_server(key) ? " NAME" : "");
	}
	return names;
}

/* " (KEY?)": what may have been meant, a key of the section rather than of another; "" if nothing
 * is near. */
static const char *conf_file_guess_key(const char *section, const char *name, char guess[NAMES_MAX])
{
	const struct settings_key *key, *nearest = NULL;
	unsigned least = 2 * NEAR_MAX + 2;

	guess[0] = '\0';
	for (size_t i = 0; (key = settings_key(i)); i++) {
		bool other = strcmp(key->section, section) != 0;
		unsigned distance = 2 * near_distance(name, key->name) + other;

		if (distance < least) {
			least = distance;
			nearest = key;
		}
	}
	if (nearest && least % 2)
		snprintf(guess, NAMES_MAX, " ([%s%s] %s?)", nearest->section,
			settings_is_of_server(nearest) ? " NAME" : "", nearest->name);
	else if (nearest)
		snprintf(guess, NAMES_MAX, " (%s?)", nearest->name);
	return guess;
}

static const char *conf_file_guess_section(const char *section, char guess[NAMES_MAX])
{
	const struct settings_key *key;
	unsigned least = NEAR_MAX + 1;

	guess[0] = '\0';
	for (size_t i = 0; (key = settings_key(i)); i++) {
		unsigned distance = near_distance(section, key->section);

		if (distance < least)
			snprintf(guess, NAMES_MAX, " ([%s%s]?)", key->section,
				settings_is_of_server(key) ? " NAME" : "");
		least = distance < least ? distance : least;
	}
	return guess;
}

static void conf_file_say_unknown(
	struct conf_reading *r, const char *section, const char *name, const char *value)
{
	char names[NAMES_MAX], guess[NAMES_MAX];

	if (conf_file_owners_of(name, names)[0])
		conf_file_error(
			r, r->line, "[%s] %s = %s: belongs to %s", section, name, value, names);
	else if (names_of(conf_file_kind(section), names)[0])
		conf_file_error(r, r->line, "[%s] %s = %s: no such key%s, there are %s", section,
			name, value, conf_file_guess_key(conf_file_kind(section), name, guess),
			names);
	else
		conf_file_error(r, r->line, "[%s] %s = %s: no such section%s, there are %s",
			section, name, value, conf_file_guess_section(section, guess),
			names_of(NULL, names));
}

/* inih's handler: 0 is a mistake. */
static int conf_file_on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct conf_reading *r = user;
	const struct settings_key *key;

	if (r->wrong)
		return 0;
	for (size_t i = 0; (key = settings_key(i)); i++) {
		if (strcmp(key->section, conf_file_kind(section)) == 0 &&
			strcmp(key->name, name) == 0) {
			conf_file_set_key(r, i, section, value);
			return !r->wrong;
		}
	}
	conf_file_say_unknown(r, section, name, value);
	return 0;
}

static bool is_text(int c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t' || c == '\r';
}

/* Bytes of a line as far as they fit. Returns how many the line has, up to max + 1; -1 at the
 * file's end, -2 if some are no text. */
static int conf_file_get_bytes(FILE *file, char *line, int max)
{
	bool text = true;
	int len = 0, c = getc(file);

	if (c == EOF)
		return -1;
	for (; c != EOF && c != '\n' && len <= max; c = getc(file)) {
		text = text && is_text(c);
		line[len++] = (char)c;
	}
	line[len] = '\0';
	return text ? len : -2;
}

/* The same without the mark of UTF-8 that may begin a file, the blanks in front, which would have
 * inih join the line with the one above, and the CR of a line's end. */
static int conf_file_get_line(FILE *file, bool first, char *line, int max)
{
	static const char mark[] = "\xef\xbb\xbf";
	int len = conf_file_get_bytes(file, line, max);
	size_t blanks, n;

	if (len < 0)
		return len;
	blanks = first && strncmp(line, mark, strlen(mark)) == 0 ? strlen(mark) : 0;
	blanks += strspn(line + blanks, " \t");
	n = strlen(line) - blanks;
	memmove(line, line + blanks, n + 1);
	if (n && line[n - 1] == '\r')
		line[n - 1] = '\0';
	return strchr(line, '\r') || strncmp(line, mark, strlen(mark)) == 0 ? -2 : len;
}

/* inih knows such comments after a semicolon only. */
static void conf_file_cut_comment(char *line)
{
	for (char *p = line; *p; p++) {
		if (*p == '#' && p > line && (p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
	}
}

/* inih ignores what stands after the bracket. */
static bool has_only_comment_behind(const char *line)
{
	const char *end = line[0] == '[' ? strchr(line, ']') : NULL;

	if (end)
		end += 1 + strspn(end + 1, " \t");
	return !end || strchr(";#", *end);
}

/* inih does not say where a section begins, nor that there is one without keys. */
static void conf_file_begin_server(struct conf_reading *r, const char *line)
{
	const size_t n = strlen(SETTINGS_SERVER);
	const char *end = line[0] == '[' ? strchr(line, ']') : NULL, *why;
	char from[SERVER_FROM_MAX];
	struct text name;

	if (!end || strncmp(line + 1, SETTINGS_SERVER, n) != 0 || !strchr("] \t", line[1 + n]))
		return;
	name = (struct text){line + 1 + n, (size_t)(end - line) - 1 - n};
	name = text_cut(&name, ']');
	snprintf(from, sizeof(from), "%s:%d", r->path, r->line);
	why = servers_begin(&r->settings.servers, name, from);
	if (why)
		conf_file_error(r, r->line, "%.*s: %s", (int)(end + 1 - line), line, why);
}

/* inih's reader: NULL ends the file. */
static char *conf_file_next_line(char *line, int size, void *stream)
{
	struct conf_reading *r = stream;
	int max = size - LINE_END, len;

	if (r->wrong)
		return NULL;
	len = conf_file_get_line(r->file, r->line == 0, line, max);
	if (len == -1)
		return NULL;
	r->line++;
	if (len == -2)
		conf_file_error(r, r->line, "bytes that are no text");
	else if (len > max)
		conf_file_error(r, r->line,
			"a line has at most %d characters; lists may be continued by the same key "
			"again",
			max);
	else if (r->line > LINES_MAX)
		conf_file_error(r, r->line, "a file has at most %d lines", LINES_MAX);
	else if (!has_only_comment_behind(line))
		conf_file_error(r, r->line, "only a comment may stand behind a [section]");
	else
		conf_file_begin_server(r, line);
	conf_file_cut_comment(line);
	return r->wrong ? NULL : line;
}

/* `line` of inih is the first that it, or a handler, did not take. */
static int conf_file_check(struct conf_reading *r, int line)
{
	if (line > 0 && (!r->wrong || line < r->wrong))
		conf_file_error(r, line, "neither [section] nor key = value");
	if (r->wrong)
		return -EINVAL;
	if (line == 0 && !ferror(r->file))
		return 0;
	snprintf(r->error, CONF_FILE_ERROR_MAX, "%s: cannot be read to its end", r->path);
	return -EIO;
}

static int conf_file_read_one(void *data, const char *path)
{
	struct conf_reading *r = data;
	int err = regular_open(path, &r->file);

	if (err) {
		snprintf(r->error, CONF_FILE_ERROR_MAX, "%s: %s", path, regular_error(err));
		return err;
	}
	r->path = path;
	r->line = 0;
	memset(r->seen, 0, sizeof(r->seen));
	err = conf_file_check(r, ini_parse_stream(conf_file_next_line, r, conf_file_on_pair, r));
	fclose(r->file);
	return err;
}

/* A key of [clients] that is of no use without their interface, or NULL. */
static const char *conf_file_key_without_lan(const struct settings *s)
{
	if (s->servers.lan[0])
		return NULL;
	if (s->servers.n_lan_ports)
		return "ports";
	if (s->policy.n_lan_ports)
		return "passive-ports";
	return s->policy.n_active_ports ? "active-ports" : NULL;
}

/* What no key alone can be wrong about. */
static bool conf_file_check_servers(struct conf_reading *r)
{
	struct settings *s = &r->settings;
	const char *key = conf_file_key_without_lan(s);
	const struct server *last;

	if (!servers_check(&s->servers, s->nft, s->families, r->error, CONF_FILE_ERROR_MAX))
		return false;
	if (key) {
		const struct settings_source *source = settings_source_of(s, "clients", key);

		snprintf(r->error, CONF_FILE_ERROR_MAX, "%s: [clients] %s = %s: needs lan",
			source->from, key, source->value);
		return false;
	}
	if (s->policy.n_lan_ports)
		memcpy(s->watch.lan, s->servers.lan, sizeof(s->watch.lan));
	servers_add_own(&s->servers, &s->policy);
	last = servers_add_ranges(&s->servers, &s->policy);
	if (last)
		snprintf(r->error, CONF_FILE_ERROR_MAX,
			"%s: [server %s]: passive-ports: one too many, with those of [tls] there "
			"is room for 32",
			last->from, last->name);
	return !last;
}

int conf_file_read(const char *path, bool needed, struct settings *ret_settings, char *error)
{
	struct conf_reading r = {.error = error, .settings = settings_default()};
	int err = conf_file_read_one(&r, path);

	if (err == -ENOENT && !needed && is_missing(path))
		err = 0;
	if (!err)
		err = drop_in_each(path, conf_file_read_one, &r, error, CONF_FILE_ERROR_MAX);
	if (!err && !conf_file_check_servers(&r))
		err = -EINVAL;
	if (!err)
		*ret_settings = r.settings;
	return err;
}
