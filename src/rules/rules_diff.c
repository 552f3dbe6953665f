/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_diff.c - how the rules that are loaded differ from those that load would load */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "options.h"
#include "rules_listing.h"
#include "rules_load.h"
#include "scratch.h"

#define DIFF_DORMANT "flags dormant"

enum { DIFF_PLACE_MAX = 32 };

/* Lines of a text, which is cut into them. */
struct diff_lines {
	size_t n;
	char **line;
};

static struct diff_lines diff_split(char *text)
{
	struct diff_lines lines = {0};
	size_t n = 1;

	for (const char *p = text; *p; p++)
		n += *p == '\n';
	lines.line = calloc(n, sizeof(*lines.line));
	for (char *line; lines.line && (line = strsep(&text, "\n"));) {
		if (*line)
			lines.line[lines.n++] = line;
	}
	return lines;
}

/* length[i][j]: of the longest common subsequence of wanted[i...] and loaded[j...]. */
static void diff_measure(
	const struct diff_lines *wanted, const struct diff_lines *loaded, uint32_t *length)
{
	size_t width = loaded->n + 1;

	for (size_t i = wanted->n; i-- > 0;) {
		for (size_t j = loaded->n; j-- > 0;) {
			uint32_t down = length[(i + 1) * width + j],
				 right = length[i * width + j + 1];

			if (strcmp(wanted->line[i], loaded->line[j]) == 0)
				length[i * width + j] = length[(i + 1) * width + j + 1] + 1;
			else
				length[i * width + j] = down > right ? down : right;
		}
	}
}

/* Returns how many lines differ. */
static size_t print_differences(
	const struct diff_lines *wanted, const struct diff_lines *loaded, const uint32_t *length)
{
	size_t width = loaded->n + 1, i = 0, j = 0, differences = 0;

	while (i < wanted->n || j < loaded->n) {
		if (i < wanted->n && j < loaded->n &&
			strcmp(wanted->line[i], loaded->line[j]) == 0) {
			i++;
			j++;
			continue;
		}
		differences++;
		if (j == loaded->n ||
			(i < wanted->n && length[(i + 1) * width + j] >= length[i * width + j + 1]))
			printf("missing: %s\n", wanted->line[i++]);
		else
			printf("unexpected: %s\n", loaded->line[j++]);
	}
	return differences;
}

/* Compares two texts. EXIT_FAILURE if they differ, or after a line on stderr. */
static int diff_compare(char *wanted_text, char *loaded_text)
{
	struct diff_lines wanted = diff_split(wanted_text), loaded = diff_split(loaded_text);
	uint32_t *length = calloc((wanted.n + 1) * (loaded.n + 1), sizeof(*length));
	int status = EXIT_FAILURE;

	if (!wanted.line || !loaded.line || !length) {
		options_wrong("not enough memory");
	} else {
		diff_measure(&wanted, &loaded, length);
		status = print_differences(&wanted, &loaded, length) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	free(length);
	free(wanted.line);
	free(loaded.line);
	return status;
}

/* "PLACE: RULE" for each line of nft's listing; PLACE is what stands before the brace. */
static void print_table(char *listing, FILE *out)
{
	const char *place = "";
	char *line;

	while ((line = strsep(&listing, "\n"))) {
		size_t n = strlen(line += strspn(line, "\t "));

		if (!n || strcmp(line, "}") == 0 || strncmp(line, "table ", 6) == 0)
			continue;
		if (n > 2 && strcmp(line + n - 2, " {") == 0) {
			line[n - 2] = '\0';
			place = line;
		} else {
			fprintf(out, "%s: %s\n", place, line);
		}
	}
}

static void list_nft(FILE *out)
{
	struct output o;

	if (run((const char *const[]){"nft", "-s", "list", "table", "inet", "pasvd", NULL}, NULL,
		    &o) == 0 &&
		o.text) {
		if (strstr(o.text, DIFF_DORMANT))
			fprintf(out, "%s\n", DIFF_DORMANT); /* no rule of it is in force */
		else
			print_table(o.text, out);
	}
	free(o.text);
}

/* In place of what is seen of tables that cannot be seen as a whole: their lines of the text. */
static void list_unseen(
	const struct rules_listing *l, const char *prefix, const char *text, FILE *out)
{
	char place[DIFF_PLACE_MAX];

	for (size_t i = 0; i < RULES_TABLES; i++) {
		const char *line = text, *end;

		if (!l->unseen[i])
			continue;
		l->table[i][0] = '\0';
		snprintf(place, sizeof(place), "%s%s: ", prefix, rules_tables[i]);
		for (; (end = strchr(line, '\n')); line = end + 1) {
			if (strncmp(line, place, strlen(place)) == 0)
				fwrite(line, 1, (size_t)(end + 1 - line), out);
		}
	}
}

/* 0, or -errno after a line on stderr. */
static int list_iptables(int family, const char *prefix, const char *assumed, FILE *out)
{
	struct rules_command command;
	struct rules_listing listing;
	char complaint[RUN_COMPLAINT_MAX];
	int err;

	if (rules_command_of(family, &command))
		return 0;
	err = rules_listing_read(&command, &listing, complaint);
	if (err == -ENOTSUP && assumed) {
		list_unseen(&listing, prefix, assumed, out);
		err = 0;
	}
	if (err)
		options_wrong("%s", complaint);
	else
		rules_listing_print(&listing, prefix, out);
	rules_listing_free(&listing);
	return err;
}

/* What is loaded of the families of the rules, a line each; free() it. Tables that iptables cannot
 * show are assumed to have the lines that `assumed` has for them; NULL: such a table is an error.
 * 0 or -errno. */
static int list_loaded(const struct rules *r, const char *assumed, char **ret_text)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int err = 0;

	if (!out)
		return -ENOMEM;
	if (r->nft)
		list_nft(out);
	for (int family = 0; !err && !r->nft && family < RULES_FAMILIES; family++) {
		if (r->families & 1U << family)
			err = list_iptables(family,
				family == RULES_IP6 && r->families == RULES_BOTH ? "IPv6 " : "",
				assumed, out);
	}
	if (fclose(out) != 0 && !err)
		err = -ENOMEM;
	if (err)
		free(text);
	else
		*ret_text = text;
	return err;
}

char *rules_list_wanted(const struct rules *r)
{
	int home = scratch_enter();
	char *text = NULL;

	if (home < 0) {
		options_wrong(
			"no network namespace can be made to try the rules: %s", strerror(-home));
		return NULL;
	}
	if (rules_load(r) == EXIT_SUCCESS && list_loaded(r, NULL, &text))
		text = NULL;
	scratch_leave(home);
	return text;
}

int rules_diff(const struct rules *r)
{
	char *wanted = rules_list_wanted(r), *loaded = NULL;
	int status = wanted && list_loaded(r, NULL, &loaded) == 0 ? diff_compare(wanted, loaded)
								  : EXIT_FAILURE;

	free(wanted);
	free(loaded);
	return options_flush() ? EXIT_FAILURE : status;
}

/* Takes the line from those that are left. */
static bool diff_take_line(struct diff_lines *lines, const char *line)
{
	for (size_t i = 0; i < lines->n; i++) {
		if (strcmp(lines->line[i], line) == 0) {
			lines->line[i] = lines->line[--lines->n];
			return true;
		}
	}
	return false;
}

/* Both texts are cut into lines. */
static int diff_count_missing(char *wanted_text, char *loaded_text, char ret_first[RULES_LINE_MAX])
{
	struct diff_lines wanted = diff_split(wanted_text), loaded = diff_split(loaded_text);
	int missing = wanted.line && loaded.line ? 0 : -ENOMEM;

	for (size_t i = 0; missing >= 0 && i < wanted.n; i++) {
		if (diff_take_line(&loaded, wanted.line[i]))
			continue;
		if (!missing++)
			snprintf(ret_first, RULES_LINE_MAX, "%s", wanted.line[i]);
	}
	free(wanted.line);
	free(loaded.line);
	return missing;
}

int rules_missing(const struct rules *r, const char *wanted, char ret_first[RULES_LINE_MAX])
{
	char *copy = strdup(wanted), *loaded = NULL;
	int missing = copy ? list_loaded(r, wanted, &loaded) : -ENOMEM;

	if (!missing)
		missing = diff_count_missing(copy, loaded, ret_first);
	free(copy);
	free(loaded);
	return missing;
}
