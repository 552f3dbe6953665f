/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntab.c - what is remembered of each control connection
 *
 * Each entry stands in two buckets, one for the tuple of each direction; in the order of idleness,
 * which is the pool's; and in that of signs of life. Links are numbers: an entry's index, and in
 * buckets that index times two plus the direction.
 */
#include "pasvd/conntab.h"

#include <string.h>

#include "addr_hash.h"
#include "conntab_lend.h"

static uint32_t *conntab_bucket_of(struct conntab *t, const struct tuple *tuple)
{
	return &t->bucket[tuple_hash(t->key, tuple) & (CONNTAB_BUCKETS - 1)];
}

static void conntab_bucket_enter(struct conntab *t, struct conn *c, enum dir dir)
{
	uint32_t *bucket = conntab_bucket_of(t, &c->view.tuple[dir]);

	c->chain[dir] = *bucket;
	*bucket = conntab_index(t, c) * 2 + dir;
}

static void conntab_bucket_leave(struct conntab *t, struct conn *c, enum dir dir)
{
	uint32_t *link = conntab_bucket_of(t, &c->view.tuple[dir]);
	uint32_t node = conntab_index(t, c) * 2 + dir;

	while (*link != node)
		link = &t->conn[*link / 2].chain[*link & 1];
	*link = c->chain[dir];
}

static void conntab_touch(struct conntab *t, struct conn *c, uint64_t now)
{
	uint32_t i = conntab_index(t, c);

	list_renew(&t->pool.in_use, t->link, i);
	list_renew(&t->living, t->living_link, i);
	crowd_touch(&t->crowd, i);
	c->seen = now;
}

void conntab_init(struct conntab *t, const uint8_t *key)
{
	conntab_forget(t);
	memcpy(t->key, key, sizeof(t->key));
	pool_init(&t->pool, t->link, CONNTAB_SIZE);
	crowd_init(&t->crowd, key);
	crowd_init(&t->openers, key);
	pool_init(&t->lines.pool, t->lines.link, CONNTAB_SIZE);
	pool_init(&t->edits.pool, t->edits.link, CONNTAB_EDITS);
	pool_init(&t->ports.pool, t->ports.link, CONNTAB_SIZE);
	deadlines_init(&t->ports.due, t->ports.heap, t->ports.heap_place);
}

void conntab_set_max(struct conntab *t, uint32_t max)
{
	t->pool.max = max < CONNTAB_SIZE ? max : CONNTAB_SIZE;
}

static struct conn *conntab_lookup(struct conntab *t, const struct tuple *tuple, enum dir *ret_dir)
{
	for (uint32_t node = *conntab_bucket_of(t, tuple); node != LIST_END;) {
		struct conn *c = &t->conn[node / 2];
		enum dir dir = node & 1 ? DIR_REPLY : DIR_ORIGINAL;

		if (tuple_eq(&c->view.tuple[dir], tuple)) {
			*ret_dir = dir;
			return c;
		}
		node = c->chain[dir];
	}
	return NULL;
}

struct conn *conntab_find(
	struct conntab *t, const struct tuple *tuple, uint64_t now, enum dir *ret_dir)
{
	enum dir dir;
	struct conn *c = conntab_lookup(t, tuple, &dir);

	if (!c)
		return NULL;
	conntab_touch(t, c, now);
	*ret_dir = dir;
	return c;
}

const struct conn *conntab_at(const struct conntab *t, uint32_t i)
{
	return i <= t->pool.used && t->conn[i].live ? &t->conn[i] : NULL;
}

bool conntab_is_full(const struct conntab *t)
{
	return t->pool.taken == t->pool.max;
}

struct conn *conntab_doubtful(struct conntab *t)
{
	return &t->conn[t->living.first];
}

void conntab_confirm(struct conntab *t, struct conn *c)
{
	list_renew(&t->living, t->living_link, conntab_index(t, c));
}

struct conn *conntab_victim(struct conntab *t)
{
	uint32_t i = crowd_victim(&t->crowd);

	return &t->conn[i == LIST_END ? t->pool.in_use.first : i];
}

void conntab_log_in(struct conntab *t, const struct conn *c)
{
	crowd_leave(&t->crowd, conntab_index(t, c));
}

/* What is lent to it, and where it stands. */
static void conntab_unlink(struct conntab *t, struct conn *c, uint32_t i)
{
	conntab_close(t, c);
	for (int dir = 0; dir < 2; dir++) {
		conntab_take_buffer(t, &c->stream[dir]);
		conntab_take_edits(t, &c->stream[dir]);
		conntab_bucket_leave(t, c, (enum dir)dir);
	}
	crowd_leave(&t->crowd, i);
	list_remove(&t->living, t->living_link, i);
}

void conntab_del(struct conntab *t, struct conn *c)
{
	uint32_t i = conntab_index(t, c);

	conntab_unlink(t, c, i);
	pool_give(&t->pool, i);
	c->live = false;
}

void conntab_forget(struct conntab *t)
{
	while (t->pool.taken)
		conntab_del(t, &t->conn[t->pool.in_use.first]);
}

struct conn *conntab_add(struct conntab *t, const struct ct_view *view, uint64_t now)
{
	const struct addr *client = &view->tuple[DIR_ORIGINAL].src.addr;
	struct conn *c;
	uint32_t i;
	enum dir dir;

	for (int n = 0; n < 2; n++) {
		c = conntab_lookup(t, &view->tuple[n], &dir);
		if (c)
			conntab_del(t, c);
	}
	i = pool_take(&t->pool);
	c = &t->conn[i];
	*c = (struct conn){.live = true, .view = *view, .seen = now};
	list_append(&t->living, t->living_link, i);
	crowd_join(&t->crowd, i, client);
	t->openers.client_of[i] = LIST_END;
	conntab_bucket_enter(t, c, DIR_ORIGINAL);
	conntab_bucket_enter(t, c, DIR_REPLY);
	return c;
}
