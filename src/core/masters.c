/* SPDX-License-Identifier: GPL-2.0-or-later */
/* masters.c - control connections that are TLS, whose data connections cannot be foretold */
#include "pasvd/masters.h"

#include <string.h>

#include "siphash.h"

void masters_init(struct masters *m, const uint8_t *key)
{
	if (m->any)
		memset(m->set, 0, sizeof(m->set));
	m->any = false;
	memcpy(m->key, key, sizeof(m->key));
}

static size_t masters_index_of_set(const struct masters *m, const struct tuple *t)
{
	uint8_t bytes[2 * ADDR_IP6_LEN + sizeof(t->zone)] = {0};

	memcpy(bytes, t->src.addr.byte, addr_len(&t->src.addr));
	memcpy(bytes + ADDR_IP6_LEN, t->dst.addr.byte, addr_len(&t->dst.addr));
	memcpy(bytes + 2 * ADDR_IP6_LEN, &t->zone, sizeof(t->zone));
	return siphash(m->key, bytes, sizeof(bytes)) & (MASTERS_SETS - 1);
}

const struct masters_set *masters_set_of(const struct masters *m, const struct tuple *t)
{
	return &m->set[masters_index_of_set(m, t)];
}

/* Where it stands, or MASTERS_WAYS. */
static size_t masters_index_of(const struct masters_set *set, const struct tuple *original)
{
	size_t i = 0;

	while (i < MASTERS_WAYS && !tuple_eq(&set->entry[i], original))
		i++;
	return i;
}

void masters_del(struct masters *m, const struct tuple *original)
{
	struct masters_set *set = &m->set[masters_index_of_set(m, original)];
	size_t i = masters_index_of(set, original);

	if (i == MASTERS_WAYS)
		return;
	memmove(&set->entry[i], &set->entry[i + 1], (MASTERS_WAYS - 1 - i) * sizeof(set->entry[0]));
	set->entry[MASTERS_WAYS - 1] = (struct tuple){0};
}

void masters_add(struct masters *m, const struct tuple *original)
{
	struct masters_set *set = &m->set[masters_index_of_set(m, original)];

	masters_del(m, original);
	memmove(&set->entry[1], &set->entry[0], (MASTERS_WAYS - 1) * sizeof(set->entry[0]));
	set->entry[0] = *original;
	m->any = true;
}

size_t masters_find(
	const struct masters *m, const struct tuple *t, struct tuple ret_original[MASTERS_WAYS])
{
	const struct masters_set *set = masters_set_of(m, t);
	size_t n = 0;

	for (size_t i = 0; i < MASTERS_WAYS && set->entry[i].src.port; i++) {
		const struct tuple *entry = &set->entry[i];

		if (addr_eq(&entry->src.addr, &t->src.addr) &&
			addr_eq(&entry->dst.addr, &t->dst.addr) && entry->zone == t->zone)
			ret_original[n++] = *entry;
	}
	return n;
}
