/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_ct.c - a conntrack in memory, made of the connections of a capture
 *
 * It answers as the kernel does with the ct helper `sane`: one expectation for each connection, a
 * new one takes the place of the last; one whose tuple another connection's has is refused as busy;
 * one that nobody used goes when its time is over. That one was used is not looked up in the
 * capture, which may not have data connections: a 125, 150 or 226 of the server says so.
 */
#include "flow_ct.h"

#include <search.h>

enum { US_PER_S = 1000000 };

static int flow_ct_expect_order(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	return flow_tuple_order(&x->expect.tuple, &y->expect.tuple);
}

void flow_ct_used(struct flows *f, struct flow *flow)
{
	if (flow->expecting)
		tdelete(flow, &f->expected, flow_ct_expect_order);
	flow->expecting = false;
}

/* By its reply tuple only the connection is asked for whose packet it is. */
static enum ct_result flow_ct_get(void *ctx, const struct tuple *t, struct ct_view *ret_view)
{
	const struct flows *f = ctx;
	const struct flow *flow = f->current;

	if (!flow || !tuple_eq(&flow->view.tuple[DIR_REPLY], t))
		flow = flows_find(f, t);
	if (!flow)
		return CT_NONE;
	*ret_view = flow->view;
	return CT_OK;
}

/* Whoever has that tuple, and his time is not over. */
static bool is_busy(struct flows *f, const struct expect *e)
{
	const struct flow key = {.expect = *e};
	struct flow *const *node = tfind(&key, &f->expected, flow_ct_expect_order);
	struct flow *other = node ? *node : NULL;

	if (other && other->until <= f->now) {
		flow_ct_used(f, other);
		return false;
	}
	return other;
}

static enum ct_result flow_ct_expect_add(struct flows *f, struct flow *flow, const struct expect *e)
{
	if (is_busy(f, e))
		return CT_BUSY;
	flow_ct_used(f, flow);
	flow->expect = *e;
	if (!tsearch(flow, &f->expected, flow_ct_expect_order))
		return CT_FAIL;
	flow->expecting = true;
	flow->until = f->now + (uint64_t)e->seconds * US_PER_S;
	flow_event(f, flow,
		(struct event){
			.kind = EVENT_OPEN,
			.dir = dir_opposite(e->nat_dir),
			.from = e->tuple.src,
			.to = e->tuple.dst,
			.listener = e->nat,
			.announced = e->tuple.dst,
			.on_demand = !f->current,
		});
	return CT_OK;
}

static enum ct_result flow_ct_commit(void *ctx, const struct tuple *master, enum dir dir,
	const struct expect *e, const struct seqadj *a)
{
	struct flows *f = ctx;
	struct flow *flow = flows_find(f, master);

	if (!flow)
		return CT_NONE;
	if (a)
		flow->view.seqadj[dir] = *a;
	return e ? flow_ct_expect_add(f, flow, e) : CT_OK;
}

/* A capture is followed from its beginning by one process, which knows its own expectations. */
static enum ct_result flow_ct_expect_get(
	void *ctx, const struct tuple *master, struct expect *ret_expect)
{
	(void)ctx, (void)master, (void)ret_expect;
	return CT_NONE;
}

static enum ct_result flow_ct_expect_master(
	void *ctx, const struct expect *e, struct tuple *ret_master)
{
	struct flows *f = ctx;
	const struct flow key = {.expect = *e};
	struct flow *const *node = tfind(&key, &f->expected, flow_ct_expect_order);

	if (!node)
		return CT_NONE;
	*ret_master = (*node)->expect.master;
	return CT_OK;
}

static bool flow_ct_expect_del(void *ctx, const struct expect *e)
{
	struct flows *f = ctx;
	struct flow *flow = flows_find(f, &e->master);

	if (!flow || !flow->expecting || !tuple_eq(&flow->expect.tuple, &e->tuple) ||
		flow->until <= f->now)
		return false;
	flow_ct_used(f, flow);
	flow_event(f, flow,
		(struct event){.kind = EVENT_SHUT,
			.from = e->tuple.src,
			.to = e->tuple.dst,
			.listener = e->nat});
	return true;
}

static void flow_ct_set_mark(void *ctx, const struct tuple *master, uint32_t value, uint32_t mask)
{
	struct flow *flow = flows_find(ctx, master);

	if (flow)
		flow->view.mark = (flow->view.mark & ~mask) | (value & mask);
}

struct ct_ops flow_ct_ops(struct flows *f)
{
	return (struct ct_ops){.get = flow_ct_get,
		.commit = flow_ct_commit,
		.expect_master = flow_ct_expect_master,
		.expect_get = flow_ct_expect_get,
		.expect_del = flow_ct_expect_del,
		.mark = flow_ct_set_mark,
		.ctx = f};
}
