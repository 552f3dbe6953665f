/* SPDX-License-Identifier: GPL-2.0-or-later */
/* external.c - what of external addresses changes while we run
 *
 * The file's first line is the address, blanks around it do not count; a NUL byte in it is not one.
 * Whether a file has changed is found out by reading it: the time of its last change may be the
 * same for two changes in a row, and a line is read as fast as that time. A file that is being
 * written may be read half: a second later it is read again. Interfaces are asked for by name as
 * often; to hear of changes would take a socket and its buffer, for what is one system call.
 */
#include "external.h"
#include "pasvd/array.h"

#include <string.h>

#include "log.h"
#include "regular.h"

enum { LINE_SIZE = 128 };

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
	for (size_t i = 0; i < ARRAY_SIZE(unusable); i++) {
		if (network_has(&unusable[i], a))
			return false;
	}
	return true;
}

bool external_fits(const struct external *entry, const struct addr *a)
{
	uint8_t peer = entry->peer.addr.family, known = entry->known.family;

	return (peer == ADDR_NONE || peer == a->family) &&
	       (known == ADDR_NONE || known == a->family);
}

static const char *external_parse_line(
	const char *line, const struct external *entry, struct addr *ret_addr)
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
static const char *external_read_file(
	const char *path, const struct external *entry, struct addr *ret_addr)
{
	char line[LINE_SIZE + 1];
	const char *end;
	size_t n;
	FILE *file;
	int err = regular_open(path, &file);

	if (err)
		return regular_error(err);
	n = fread(line, 1, LINE_SIZE, file);
	fclose(file);
	end = memchr(line, '\n', n);
	if (!end && n == LINE_SIZE)
		return "its first line is too long";
	n = end ? (size_t)(end - line) : n;
	line[n] = '\0';
	return strlen(line) < n ? "its first line has a NUL byte"
				: external_parse_line(line, entry, ret_addr);
}

static void external_log_new(const struct external_file *file)
{
	char text[ADDR_TEXT_MAX + 1];

	text[addr_text(&file->addr, (uint8_t *)text)] = '\0';
	log_at(REASON_LEVEL_INFO, "external-address", "file %s: address %s", file->path, text);
}

static void external_log_bad(const struct external_file *file, const char *why)
{
	log_reload(REASON_LEVEL_WARNING, "external-address", "file %s: %s; %s", file->path, why,
		file->addr.family == ADDR_NONE ? "there is no address yet"
					       : "the last address stays");
}

static void external_check_file(struct external_file *file, struct external *entry)
{
	const char *why = external_read_file(file->path, entry, &entry->addr);

	if (why && !file->bad)
		external_log_bad(file, why);
	file->bad = why;
	if (addr_eq(&file->addr, &entry->addr))
		return;
	file->addr = entry->addr;
	external_log_new(file);
}

static void external_check_interface(struct external_interface *it, struct external *entry)
{
	uint32_t index = if_nametoindex(it->name);

	if (!index && !it->missing)
		log_reload(REASON_LEVEL_WARNING, "external-address",
			"interface %s: not there; its entry does not count", it->name);
	if (index && index != it->index)
		log_fields(REASON_LEVEL_INFO, "external-address", "interface=%s index=%u", it->name,
			index);
	it->missing = !index;
	it->index = index;
	entry->indev = index ? index : POLICY_NO_INTERFACE;
}

void external_read(struct external_watch *watch, struct policy *policy)
{
	for (size_t i = 0; i < watch->n_files; i++)
		external_check_file(&watch->file[i], &policy->external[watch->file[i].entry]);
	for (size_t i = 0; i < watch->n_interfaces; i++)
		external_check_interface(
			&watch->interface[i], &policy->external[watch->interface[i].entry]);
	policy->lan = watch->lan[0] ? if_nametoindex(watch->lan) : 0;
}

bool external_any(const struct external_watch *watch)
{
	return watch->n_files || watch->n_interfaces || watch->lan[0];
}

/* The last good address of a file that was named before, or NULL. */
static const struct addr *external_last_good(const struct external_watch *old, const char *path)
{
	for (size_t i = 0; i < old->n_files; i++) {
		if (strcmp(old->file[i].path, path) == 0 && old->file[i].addr.family != ADDR_NONE)
			return &old->file[i].addr;
	}
	return NULL;
}

/* The last index of an interface that was named before, or 0. */
static uint32_t external_last_index(const struct external_watch *old, const char *name)
{
	for (size_t i = 0; i < old->n_interfaces; i++) {
		if (strcmp(old->interface[i].name, name) == 0)
			return old->interface[i].index;
	}
	return 0;
}

void external_carry(
	struct external_watch *watch, struct policy *policy, const struct external_watch *old)
{
	for (size_t i = 0; i < watch->n_interfaces; i++)
		watch->interface[i].index = external_last_index(old, watch->interface[i].name);
	for (size_t i = 0; i < watch->n_files; i++) {
		struct external_file *file = &watch->file[i];
		struct external *entry = &policy->external[file->entry];
		const struct addr *addr = external_last_good(old, file->path);

		if (addr && external_fits(entry, addr))
			file->addr = entry->addr = *addr;
	}
}
