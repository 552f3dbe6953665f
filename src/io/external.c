/* SPDX-License-Identifier: GPL-2.0-or-later */
/* external.c - external addresses that stand in files
 *
 * The file's first line is the address, blanks around it do not count. Whether a file has changed is found out by
 * reading it: the time of its last change may be the same for two changes in a row, and a line is read as fast as that
 * time. A file that is being written may be read half: a second later it is read again.
 */
#include "external.h"

#include <string.h>

#include "log.h"
#include "regular.h"

enum { LINE_SIZE = 128, LOOK_MS = 1000 };

static const struct network unusable[] = {
	{{ADDR_IP4, {0}}, 8},
	{{ADDR_IP4, {127}}, 8},
	{{ADDR_IP4, {169, 254}}, 16},
	{{ADDR_IP4, {224}}, 3},
	{{ADDR_IP6, {0}}, 64}, /* with :: and ::1 all that has an IPv4 address in it */
	{{ADDR_IP6, {0xfe, 0x80}}, 10},
	{{ADDR_IP6, {0xff}}, 8},
};

bool external_usable(const struct addr *a)
{
	for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
		if (network_has(&unusable[i], a))
			return false;
	}
	return true;
}

bool external_fits(const struct external *entry, const struct addr *a)
{
	uint8_t peer = entry->peer.addr.family, known = entry->known.family;

	return (peer == ADDR_NONE || peer == a->family) && (known == ADDR_NONE || known == a->family);
}

static const char *parse_line(const char *line, const struct external *entry, struct addr *ret_addr)
{
	static const char blank[] = " \t\r\n";
	struct addr addr;
	size_t n;

	line += strspn(line, blank);
	n = strcspn(line, blank);
	if (!n)
		return "its first line is empty";
	if (line[n + strspn(line + n, blank)] || addr_parse((const uint8_t *)line, n, &addr) < 0)
		return "its first line is no address";
	if (!external_usable(&addr))
		return "this address cannot be an external one";
	if (!external_fits(entry, &addr))
		return "IPv4 and IPv6 do not mix in an entry";
	*ret_addr = addr;
	return NULL;
}

/* NULL, or what is wrong with the file. */
static const char *read_file(const char *path, const struct external *entry, struct addr *ret_addr)
{
	char line[LINE_SIZE] = "";
	FILE *file;
	int err = regular_open(path, &file);

	if (err)
		return regular_error(err);
	if (!fgets(line, sizeof line, file))
		line[0] = '\0';
	fclose(file);
	return parse_line(line, entry, ret_addr);
}

static void say_new(const struct external_file *file)
{
	char text[ADDR_TEXT_MAX + 1];

	text[addr_text(&file->addr, (uint8_t *)text)] = '\0';
	log_at(REASON_LEVEL_INFO, "external-address file=%s address=%s", file->path, text);
}

static void say_bad(const struct external_file *file, const char *why)
{
	log_at(REASON_LEVEL_WARNING, "external-address file=%s: %s; %s", file->path, why,
		file->addr.family == ADDR_NONE ? "there is no address yet" : "the last address stays");
}

void external_read(struct external_files *files, struct policy *policy)
{
	for (size_t i = 0; i < files->n; i++) {
		struct external_file *file = &files->file[i];
		struct external *entry = &policy->external[file->entry];
		const char *why = read_file(file->path, entry, &entry->addr);

		if (why && !file->bad)
			say_bad(file, why);
		file->bad = why;
		if (addr_eq(&file->addr, &entry->addr))
			continue;
		file->addr = entry->addr;
		say_new(file);
	}
}

void external_look(struct external_files *files, struct policy *policy, uint64_t now)
{
	if (!files->n || (files->looked && now - files->looked < LOOK_MS))
		return;
	files->looked = now;
	external_read(files, policy);
}

/* The last good address of a file that was named before, or NULL. */
static const struct addr *last_good(const struct external_files *old, const char *path)
{
	for (size_t i = 0; i < old->n; i++) {
		if (strcmp(old->file[i].path, path) == 0 && old->file[i].addr.family != ADDR_NONE)
			return &old->file[i].addr;
	}
	return NULL;
}

void external_carry(struct external_files *files, struct policy *policy, const struct external_files *old)
{
	for (size_t i = 0; i < files->n; i++) {
		struct external_file *file = &files->file[i];
		struct external *entry = &policy->external[file->entry];
		const struct addr *addr = last_good(old, file->path);

		if (addr && external_fits(entry, addr))
			file->addr = entry->addr = *addr;
	}
}
