/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntab.c - what is remembered of each control connection
 *
 * Each entry stands in two buckets, one for the tuple of each direction, and once in the order of
 * idleness. Links are numbers: an entry's index, and in buckets that index times two plus the
 * direction, so that the table can be copied and has no pointers to go wrong.
 */
#include "pasvd/conntab.h"

#include <string.h>

#include "siphash.h"

static const uint32_t NIL = UINT32_MAX;

enum { TUPLE_BYTES = 2 * (ADDR_IP6_LEN + 2) + 2 };

static void conntab_put_be16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static uint32_t *conntab_bucket_of(struct conntab *t, const struct tuple *tuple)
{
	uint8_t bytes[TUPLE_BYTES] = {0}, *p = bytes;

	memcpy(p, tuple->src.addr.byte, addr_len(&tuple->src.addr));
	memcpy(p + ADDR_IP6_LEN, tuple->dst.addr.byte, addr_len(&tuple->dst.addr));
	p += 2 * ADDR_IP6_LEN;
	conntab_put_be16(p, tuple->src.port);
	conntab_put_be16(p + 2, tuple->dst.port);
	conntab_put_be16(p + 4, tuple->zone);
	return &t->bucket[siphash(t->key, bytes, sizeof(bytes)) & (CONNTAB_BUCKETS - 1)];
}

static uint32_t conntab_index(const struct conntab *t, const struct conn *c)
{
	return (uint32_t)(c - t->conn);
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

static void conntab_leave_order(struct conntab *t, struct conn *c)
{
	*(c->older == NIL ? &t->oldest : &t->conn[c->older].newer) = c->newer;
	*(c->newer == NIL ? &t->newest : &t->conn[c->newer].older) = c->older;
}

static void conntab_enter_newest(struct conntab *t, struct conn *c)
{
	c->newer = NIL;
	c->older = t->newest;
	*(c->older == NIL ? &t->oldest : &t->conn[c->older].newer) = conntab_index(t, c);
	t->newest = conntab_index(t, c);
}

static void conntab_enter_oldest(struct conntab *t, struct conn *c)
{
	c->older = NIL;
	c->newer = t->oldest;
	*(c->newer == NIL ? &t->newest : &t->conn[c->newer].older) = conntab_index(t, c);
	t->oldest = conntab_index(t, c);
}

static void conntab_touch(struct conntab *t, struct conn *c, uint64_t now)
{
	conntab_leave_order(t, c);
	conntab_enter_newest(t, c);
	c->seen = now;
}

void conntab_init(struct conntab *t, const uint8_t *key)
{
	memcpy(t->key, key, sizeof(t->key));
	for (size_t i = 0; i < CONNTAB_BUCKETS; i++)
		t->bucket[i] = NIL;
	t->max = CONNTAB_SIZE;
	t->live = t->used = 0;
	t->oldest = t->newest = NIL;
}

static struct conn *conntab_lookup(struct conntab *t, const struct tuple *tuple, enum dir *ret_dir)
{
	for (uint32_t node = *conntab_bucket_of(t, tuple); node != NIL;) {
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
	return i < t->used && t->conn[i].live ? &t->conn[i] : NULL;
}

void conntab_del(struct conntab *t, struct conn *c)
{
	conntab_bucket_leave(t, c, DIR_ORIGINAL);
	conntab_bucket_leave(t, c, DIR_REPLY);
	conntab_leave_order(t, c);
	conntab_enter_oldest(t, c);
	c->live = false;
	t->live--;
}

/* Looks at the idlest few only, so that a flood costs no more than that. */
struct conn *conntab_victim(struct conntab *t)
{
	enum { LOOKS = 32 };
	uint32_t at = t->oldest;

	if (t->live < t->max)
		return NULL;
	for (int i = 0; i < LOOKS && at != NIL; i++, at = t->conn[at].newer) {
		if (!(t->conn[at].trust & TRUST_LOGGED_IN))
			return &t->conn[at];
	}
	return &t->conn[t->oldest];
}

/* An entry that nobody uses, in the order of idleness. */
static struct conn *conntab_take(struct conntab *t)
{
	struct conn *c;

	if (t->oldest != NIL && (!t->conn[t->oldest].live || t->used == t->max)) {
		c = &t->conn[t->oldest];
		if (c->live)
			conntab_del(t, c);
		return c;
	}
	c = &t->conn[t->used++];
	conntab_enter_newest(t, c);
	return c;
}

struct conn *conntab_add(struct conntab *t, const struct ct_view *view, uint64_t now)
{
	struct conn *c;
	enum dir dir;

	for (int i = 0; i < 2; i++) {
		c = conntab_lookup(t, &view->tuple[i], &dir);
		if (c)
			conntab_del(t, c);
	}
	c = conntab_take(t);
	conntab_touch(t, c, now);
	c->live = true;
	t->live++;
	c->trust = 0;
	c->client_first = false;
	c->aborted = false;
	c->told = false;
	c->inherited = false;
	c->tls = c->cleared = c->hides = false;
	c->view = *view;
	memset(&c->session, 0, sizeof(c->session));
	memset(&c->last, 0, sizeof(c->last));
	memset(&c->quota, 0, sizeof(c->quota));
	memset(c->stream, 0, sizeof(c->stream));
	memset(c->indev, 0, sizeof(c->indev));
	for (int i = 0; i < 2; i++) {
		edits_init(&c->stream[i].edits, &view->seqadj[i]);
		conntab_bucket_enter(t, c, (enum dir)i);
	}
	return c;
}
