/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_ct.c - connection tracking in memory
 *
 * Modelled on net/netfilter/nf_conntrack_expect.c (__nf_ct_expect_check) and nf_conntrack_seqadj.c.
 * The differences are limits of this file: one class, one zone, masks that leave the source port
 * alone free; how long an expectation may live is remembered, and nobody's time is ever over.
 */
#include "fake_ct.h"

#include "packet.h"

#include <assert.h>
#include <string.h>

bool expect_eq(const struct expect *a, const struct expect *b)
{
	return tuple_eq(&a->master, &b->master) && tuple_eq(&a->tuple, &b->tuple) &&
	       a->translated == b->translated && a->nat_dir == b->nat_dir &&
	       endpoint_eq(&a->nat, &b->nat) && a->seconds == b->seconds;
}

static struct fake_conn *find(struct fake_ct *f, const struct tuple *t)
{
	for (unsigned i = 0; i < f->conns; i++)
		for (int dir = 0; dir < 2; dir++)
			if (tuple_eq(&f->conn[i].view.tuple[dir], t))
				return &f->conn[i];
	return NULL;
}

/* Two expectations meet if one packet can match both; the source port is free in all of them. */
static bool clash(const struct expect *a, const struct expect *b)
{
	return addr_eq(&a->tuple.src.addr, &b->tuple.src.addr) &&
	       endpoint_eq(&a->tuple.dst, &b->tuple.dst);
}

static bool busy(const struct fake_ct *f, const struct expect *e)
{
	for (unsigned i = 0; i < f->takens; i++)
		if (clash(&f->taken[i], e))
			return true;
	for (unsigned i = 0; i < f->conns; i++)
		if (f->conn[i].expecting && clash(&f->conn[i].expect, e))
			return true;
	return false;
}

static enum ct_result fake_get(void *ctx, const struct tuple *t, struct ct_view *ret_view)
{
	struct fake_ct *f = ctx;
	struct fake_conn *c = find(f, t);

	f->gets++;
	if (f->refuse_get)
		return CT_FAIL;
	if (!t->src.addr.family) { /* the masters of fake_ct_take() */
		*ret_view = (struct ct_view){.established = true};
		return CT_OK;
	}
	if (!c)
		return CT_NONE;
	*ret_view = c->view;
	ret_view->mark = c->mark;
	return CT_OK;
}

static enum ct_result may_expect(
	const struct fake_ct *f, const struct fake_conn *c, const struct expect *e)
{
	if (f->refuse_expect || !c->view.has_helper ||
		!tuple_eq(&e->master, &c->view.tuple[DIR_ORIGINAL]))
		return CT_FAIL;
	return busy(f, e) ? CT_BUSY : CT_OK;
}

static void install(struct fake_ct *f, struct fake_conn *c, const struct expect *e)
{
	assert(f->addeds < FAKE_CT_ADDED);
	c->expecting = true;
	c->expect = *e;
	f->added[f->addeds++] = *e;
}

static void changed(struct fake_ct *f)
{
	if (f->on_change)
		f->on_change(f);
}

static enum ct_result fake_commit(void *ctx, const struct tuple *master, enum dir dir,
	const struct expect *e, const struct seqadj *a)
{
	struct fake_ct *f = ctx;
	struct fake_conn *c = find(f, master);
	enum ct_result may = CT_OK;

	f->commits++;
	if (!c)
		return CT_NONE;
	if (a && f->refuse_adjust)
		return CT_FAIL;
	if (e)
		may = may_expect(f, c, e);
	if (may == CT_BUSY && e->contested)
		return may;
	if (a) /* also if the expectation is refused: the kernel treats the two for themselves */
		c->view.seqadj[dir] = *a;
	if (may != CT_OK)
		return may;
	if (e)
		install(f, c, e);
	changed(f);
	return CT_OK;
}

static enum ct_result fake_expect_master(
	void *ctx, const struct expect *e, struct tuple *ret_master)
{
	const struct fake_ct *f = ctx;

	for (unsigned i = 0; i < f->takens; i++) {
		if (clash(&f->taken[i], e)) {
			*ret_master = f->taken[i].master;
			return CT_OK;
		}
	}
	for (unsigned i = 0; i < f->conns; i++) {
		if (f->conn[i].expecting && clash(&f->conn[i].expect, e)) {
			*ret_master = f->conn[i].view.tuple[DIR_ORIGINAL];
			return CT_OK;
		}
	}
	return CT_NONE;
}

static enum ct_result fake_expect_get(
	void *ctx, const struct tuple *master, struct expect *ret_expect)
{
	const struct fake_conn *c = find(ctx, master);

	if (!c || !c->expecting)
		return CT_NONE;
	*ret_expect = c->expect;
	return CT_OK;
}

static bool fake_expect_del(void *ctx, const struct expect *e)
{
	struct fake_ct *f = ctx;
	struct fake_conn *c = find(f, &e->master);

	f->dels++;
	if (!c || !c->expecting || !tuple_eq(&c->expect.tuple, &e->tuple))
		return false;
	c->expecting = false;
	changed(f);
	return true;
}

static void fake_mark(void *ctx, const struct tuple *master, uint32_t value, uint32_t mask)
{
	struct fake_conn *c = find(ctx, master);

	if (!c)
		return;
	c->mark = (c->mark & ~mask) | (value & mask);
	changed(ctx);
}

static void fake_report_ends(void *ctx)
{
	struct fake_ct *f = ctx;

	f->reports++;
	if (f->on_report)
		f->on_report();
}

void fake_ct_init(struct fake_ct *f)
{
	memset(f, 0, offsetof(struct fake_ct, taken));
}

struct ct_ops fake_ct_ops(struct fake_ct *f)
{
	return (struct ct_ops){.get = fake_get,
		.commit = fake_commit,
		.expect_master = fake_expect_master,
		.expect_get = fake_expect_get,
		.expect_del = fake_expect_del,
		.mark = fake_mark,
		.report_ends = fake_report_ends,
		.ctx = f};
}

struct fake_conn *fake_ct_connect(struct fake_ct *f, const struct endpoint *client,
	const struct endpoint *dialled, const struct endpoint *listener,
	const struct endpoint *seen)
{
	struct fake_conn *c = &f->conn[f->conns];

	assert(f->conns < FAKE_CT_CONNS);
	f->conns++;
	c->view.tuple[DIR_ORIGINAL] = (struct tuple){.src = *client, .dst = *dialled};
	c->view.tuple[DIR_REPLY] = (struct tuple){.src = *listener, .dst = *seen};
	c->view.has_helper = c->view.established = true;
	return c;
}

void fake_ct_take(struct fake_ct *f, const struct addr *src, const struct endpoint *dst)
{
	assert(f->takens < FAKE_CT_TAKEN);
	f->taken[f->takens++] = (struct expect){.tuple = {.src.addr = *src, .dst = *dst}};
}

void fake_ct_give_back(struct fake_ct *f)
{
	f->takens = 0;
}

uint32_t fake_ct_ack(const struct fake_conn *c, enum dir dir, uint32_t ack)
{
	const struct seqadj *a = &c->view.seqadj[dir];
	bool later = seq_after(ack - (uint32_t)a->before, a->pos);

	return ack - (uint32_t)(later ? a->after : a->before);
}

static uint32_t adjusted_seq(const struct fake_conn *c, enum dir dir, uint32_t seq)
{
	const struct seqadj *a = &c->view.seqadj[dir];

	return seq + (uint32_t)(seq_after(seq, a->pos) ? a->after : a->before);
}

void fake_ct_adjust(const struct fake_conn *c, enum dir dir, uint8_t *p, size_t n)
{
	enum dir other = dir == DIR_ORIGINAL ? DIR_REPLY : DIR_ORIGINAL;

	packet_set_seq_ack(
		p, n, adjusted_seq(c, dir, packet_seq(p)), fake_ct_ack(c, other, packet_ack(p)));
}
