/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syns.c - where the streams of clients begin whose SYN was seen */
#include "pasvd/syns.h"

#include <string.h>

#include "addr_hash.h"

void syns_init(struct syns *s, const uint8_t *key)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->key, key, sizeof(s->key));
}

static struct syn *syns_place(struct syns *s, uint64_t who)
{
	return &s->syn[who & (SYNS_SIZE - 1)];
}

void syns_add(struct syns *s, const struct tuple *t, uint32_t first, uint32_t indev)
{
	uint64_t who = tuple_hash(s->key, t);

	*syns_place(s, who) = (struct syn){who, first};
	s->any = true;
	s->indev = indev;
}

bool syns_have(const struct syns *s, const struct tuple *t)
{
	uint64_t who = tuple_hash(s->key, t);

	return who && s->syn[who & (SYNS_SIZE - 1)].who == who;
}

bool syns_take(struct syns *s, const struct tuple *t, uint32_t *ret_first)
{
	uint64_t who = tuple_hash(s->key, t);
	struct syn *syn = syns_place(s, who);

	if (!who || syn->who != who)
		return false;
	*ret_first = syn->first;
	syn->who = 0;
	return true;
}
