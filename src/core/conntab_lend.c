/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntab_lend.c - what a session needs while something of it is under way */
#include "pasvd/conntab.h"

#include "addr_hash.h"
#include "conntab_lend.h"

/* --- buffers and edits --- */

static bool conntab_lend_buffer(struct conntab *t, struct conn *c, struct stream *stream)
{
	uint32_t i;

	if (stream->line.buf)
		return true;
	i = pool_take(&t->lines.pool);
	if (i == LIST_END)
		return false;
	t->lines.owner[i] = conntab_index(t, c);
	stream->line.buf = t->lines.buf[i];
	return true;
}

/* What was rewritten before has arrived, if there was something: all bytes that may come have its
 * shift. */
static void conntab_begin_edits(struct stream *stream, const struct seqadj *kernel)
{
	edits_init(stream->edits, kernel);
	if (stream->settled)
		stream->edits->base.before = kernel->after;
}

static uint32_t conntab_edits_number(const struct conntab *t, const struct stream *stream)
{
	return (uint32_t)(stream->edits - t->edits.edits);
}

/* Its edits are among those that are kept, or not. */
static void conntab_keep(struct conntab *t, struct stream *stream, bool kept)
{
	uint32_t i = conntab_edits_number(t, stream);

	if (stream->kept == kept)
		return;
	list_remove(kept ? &t->edits.pool.in_use : &t->edits.kept, t->edits.link, i);
	list_append(kept ? &t->edits.kept : &t->edits.pool.in_use, t->edits.link, i);
	stream->kept = kept;
}

void conntab_take_edits(struct conntab *t, struct stream *stream)
{
	if (!stream->edits)
		return;
	conntab_keep(t, stream, false);
	pool_give(&t->edits.pool, conntab_edits_number(t, stream));
	stream->edits = NULL;
}

/* Takes back edits that are kept, if there are any. */
static void conntab_forget_kept(struct conntab *t)
{
	uint32_t i = t->edits.kept.first, owner;
	struct stream *stream;
	struct conn *c;

	if (i == LIST_END)
		return;
	owner = t->edits.owner[i];
	c = &t->conn[owner / 2];
	stream = &c->stream[owner & 1];
	c->view.seqadj[owner & 1] = stream->edits->kernel;
	stream->settled = true;
	conntab_take_edits(t, stream);
}

static bool conntab_lend_edits(struct conntab *t, struct conn *c, enum dir dir)
{
	struct stream *stream = &c->stream[dir];
	uint32_t i;

	if (stream->edits) {
		conntab_keep(t, stream, false);
		return true;
	}
	if (t->edits.pool.taken == t->edits.pool.max)
		conntab_forget_kept(t);
	i = pool_take(&t->edits.pool);
	if (i == LIST_END)
		return false;
	t->edits.owner[i] = conntab_index(t, c) * 2 + dir;
	stream->edits = &t->edits.edits[i];
	conntab_begin_edits(stream, &c->view.seqadj[dir]);
	return true;
}

bool conntab_lend(struct conntab *t, struct conn *c, enum dir dir)
{
	return conntab_lend_buffer(t, c, &c->stream[dir]) && conntab_lend_edits(t, c, dir);
}

void conntab_take_buffer(struct conntab *t, struct stream *stream)
{
	if (!stream->line.buf)
		return;
	pool_give(&t->lines.pool, (uint32_t)((stream->line.buf - t->lines.buf[0]) / LINE_MAX_LEN));
	stream->line.buf = NULL;
}

/* The first owner in the pool's order that is not `c`, and in which nobody has logged in if one of
 * the first is such; there is one. `each`: numbers for one. */
static struct conn *conntab_owner(struct conntab *t, const struct pool *pool, const uint32_t *owner,
	uint32_t each, const struct conn *c)
{
	enum { LOOKED_AT = 256 };
	struct conn *first = NULL;
	uint32_t i = pool->in_use.first;

	for (int n = 0; i != LIST_END && (n < LOOKED_AT || !first); i = pool->link[i].next, n++) {
		uint32_t number = owner[i] / each;

		if (&t->conn[number] == c)
			continue;
		if (t->crowd.client_of[number] != LIST_END)
			return &t->conn[number];
		if (!first)
			first = &t->conn[number];
	}
	return first;
}

struct conn *conntab_borrower(struct conntab *t, const struct conn *c)
{
	if (t->edits.pool.taken == t->edits.pool.max && t->edits.kept.first == LIST_END)
		return conntab_owner(t, &t->edits.pool, t->edits.owner, 2, c);
	return conntab_owner(t, &t->lines.pool, t->lines.owner, 1, c);
}

/* `is_over`: no line of it is read any more. */
static void conntab_settle_line(struct conntab *t, struct stream *stream, bool is_over)
{
	if (is_over && stream->line.len)
		line_next(&stream->line);
	if (!stream->line.len)
		conntab_take_buffer(t, stream);
}

static void conntab_settle_edits(struct conntab *t, struct stream *stream)
{
	if (!stream->edits || !edits_are_settled(stream->edits))
		return;
	if (stream->edits->n)
		conntab_keep(t, stream, true);
	else
		conntab_take_edits(t, stream);
}

void conntab_settle(struct conntab *t, struct conn *c)
{
	for (int dir = 0; dir < 2; dir++) {
		conntab_settle_line(t, &c->stream[dir], c->tls || c->aborted);
		conntab_settle_edits(t, &c->stream[dir]);
	}
}

/* --- ports --- */

static uint32_t conntab_port(const struct conntab *t, const struct conn *c)
{
	return (uint32_t)(c->opened - t->ports.opened);
}

static size_t conntab_taken_place(const struct conntab *t, const struct expect *e)
{
	struct tuple takes = e->tuple;

	takes.src.port = 0;
	return tuple_hash(t->key, &takes) % CONNTAB_TAKEN;
}

bool conntab_is_taken(const struct conntab *t, const struct expect *e)
{
	return t->taken[conntab_taken_place(t, e)];
}

/* Nobody waits for its port any more. */
static void conntab_free_port(struct conntab *t, const struct conn *c)
{
	if (c->opened->ended)
		return;
	crowd_leave(&t->openers, conntab_index(t, c));
	t->taken[conntab_taken_place(t, &c->opened->plan.expect)]--;
}

void conntab_open(struct conntab *t, struct conn *c, const struct plan *plan, uint64_t until)
{
	uint32_t i;

	conntab_close(t, c);
	i = pool_take(&t->ports.pool);
	crowd_join(&t->openers, conntab_index(t, c), &c->view.tuple[DIR_ORIGINAL].src.addr);
	c->opened = &t->ports.opened[i];
	*c->opened = (struct opened){.plan = *plan, .until = until};
	t->taken[conntab_taken_place(t, &plan->expect)]++;
	t->ports.owner[i] = conntab_index(t, c);
	deadlines_set(&t->ports.due, i, until);
}

void conntab_end(struct conntab *t, struct conn *c, uint64_t until)
{
	conntab_free_port(t, c);
	c->opened->ended = true;
	deadlines_set(&t->ports.due, conntab_port(t, c), until);
}

void conntab_close(struct conntab *t, struct conn *c)
{
	if (!c->opened)
		return;
	conntab_free_port(t, c);
	deadlines_clear(&t->ports.due, conntab_port(t, c));
	pool_give(&t->ports.pool, conntab_port(t, c));
	c->opened = NULL;
}

struct conn *conntab_due(struct conntab *t, uint64_t *ret_until)
{
	uint32_t i;

	*ret_until = deadlines_first(&t->ports.due, &i);
	return *ret_until == DEADLINES_NONE ? NULL : &t->conn[t->ports.owner[i]];
}

void conntab_overdue(struct conntab *t, struct conn *c)
{
	deadlines_clear(&t->ports.due, conntab_port(t, c));
}
