/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adopt.c - expectations of another router's pasvd, which came here without their NAT
 *
 * Theory of operation. Of an expectation conntrackd carries both tuples, the mask and the timeout,
 * and its library leaves out the NAT when it is installed at the other router. All of the NAT but
 * one number follows from the master, which is translated there as it is here: the number is the
 * listener's port, which the announced one need not be. policy.c writes it where the kernel and
 * conntrackd keep it and nobody looks at it: into the source port of the expectation's tuple, which
 * its mask leaves free. It is 0 there if the NAT's address does not follow from the master.
 *
 * What a line would have had to pass, an expectation has to pass as well: the policy plans it from
 * the listener's port, and the plan must lead to the very expectation that is there.
 *
 * A conntrackd that takes the sessions of its partner for its own sends back what is installed
 * here, again without NAT; then it is adopted there, and so on. So events of one expectation are
 * followed ADOPT_TIMES_MAX times within ADOPT_WINDOW_MS at most; the router at which it began stops
 * first. What is left without NAT gets it at the take-over.
 */
#include "pasvd/adopt.h"

#include <string.h>

#include "addr_hash.h"
#include "budget.h"

enum { ADOPT_TIMES_MAX = 8, ADOPT_WINDOW_MS = 10000 };

/* An expectation of conntrack's, with the plan that there must have been for it. */
struct adoption {
	struct expect found;
	struct ct_view view;
	struct conn *conn; /* NULL: the session has not been seen here */
	struct plan plan;
};

/* Its master is a control connection of ours that is translated, and it is not. */
static bool adopt_is_due(struct engine *h, struct adoption *a, uint64_t now)
{
	const struct tuple *master = &a->found.master;
	enum dir dir;

	if (a->found.translated || h->ct.get(h->ct.ctx, master, &a->view) != CT_OK)
		return false;
	a->conn = conntab_find(&h->tab, master, now, &dir);
	return a->view.has_helper && a->view.established && policy_is_translated(&a->view) &&
	       tuple_eq(master, &a->view.tuple[DIR_ORIGINAL]);
}

/* Counts an event. True: there were too many lately. */
static bool adopt_count_event(struct engine *h, const struct adoption *a, uint64_t now)
{
	uint64_t who = tuple_hash(h->tab.key, &a->found.tuple);
	struct adopt_recent *r = &h->recent[who % ADOPT_RECENT];

	if (r->who != who || now - r->since >= ADOPT_WINDOW_MS)
		*r = (struct adopt_recent){.who = who, .since = now};
	return ++r->times > ADOPT_TIMES_MAX;
}

/* The plan for a listener at `addr`, ADDR_NONE for the speaker's own. */
static enum reason adopt_plan_listener(
	const struct engine *h, struct adoption *a, enum dir speaker, const struct addr *addr)
{
	const struct ftp_offer offer = {
		.form = FTP_FORM_PORT, .listen = {*addr, a->found.tuple.src.port}};

	return policy_plan(h->policy, &offer, speaker, &a->view, 0, &a->plan);
}

/* The SYN is not seen here: it has come in where it was to. */
static enum reason adopt_plan_on_demand(
	const struct engine *h, struct adoption *a, enum dir speaker)
{
	uint16_t port = a->found.tuple.src.port;

	if (speaker == DIR_ORIGINAL)
		return policy_plan_on_demand_active(h->policy, &a->view, port, &a->plan);
	return policy_plan_on_demand(h->policy, &a->view, h->policy->lan, port, &a->plan);
}

static enum reason adopt_plan(const struct engine *h, struct adoption *a)
{
	const struct tuple *t = &a->found.tuple;
	const struct addr *client = &a->view.tuple[DIR_ORIGINAL].src.addr;
	enum dir speaker = addr_eq(&t->src.addr, client) ? DIR_REPLY : DIR_ORIGINAL;
	enum reason reason;

	if (trust_of_mark(h->policy->connmark, a->view.mark) & TRUST_TLS)
		return adopt_plan_on_demand(h, a, speaker);
	reason = adopt_plan_listener(h, a, speaker, &(struct addr){.family = ADDR_NONE});
	if (reason == REASON_OPENED && !addr_eq(&a->plan.expect.tuple.dst.addr, &t->dst.addr))
		reason = adopt_plan_listener(h, a, speaker, &t->dst.addr);
	return reason;
}

/* The plan is that of the expectation, whatever port was announced after a clash. */
static bool adopt_leads_here(struct adoption *a)
{
	const struct tuple *t = &a->found.tuple;
	struct expect *e = &a->plan.expect;

	a->plan.announce.port = e->tuple.dst.port = t->dst.port;
	if (a->found.seconds < e->seconds)
		e->seconds = a->found.seconds;
	return endpoint_eq(&e->tuple.src, &t->src) && endpoint_eq(&e->tuple.dst, &t->dst);
}

static enum adopt_result adopt_check(struct engine *h, struct adoption *a, enum reason *ret_reason)
{
	if (!a->found.tuple.src.port)
		return ADOPT_UNKNOWN;
	*ret_reason = adopt_plan(h, a);
	if (*ret_reason != REASON_OPENED)
		return ADOPT_REFUSED;
	return adopt_leads_here(a) ? ADOPT_DONE : ADOPT_UNKNOWN;
}

/* In place of the one that is there. */
static enum reason adopt_install(struct engine *h, struct adoption *a, uint64_t now)
{
	struct quota_bucket unknown = {0};
	struct quota_bucket *bucket = a->conn ? &a->conn->quota : &unknown;
	struct expect *e = &a->plan.expect;
	enum reason reason = budget_ask_for(h, bucket, &a->view, now);
	uint64_t until = now + (uint64_t)e->seconds * 1000;

	if (reason != REASON_OPENED)
		return reason;
	e->contested = true;
	if (h->ct.commit(h->ct.ctx, &e->master, e->nat_dir, e, NULL) != CT_OK)
		return REASON_CT_FAILED;
	budget_take_for(h, bucket, &a->view, now);
	if (a->conn)
		conntab_open(&h->tab, a->conn, &a->plan, until);
	else if (h->contested_until < until)
		h->contested_until = until;
	return REASON_OPENED;
}

void adopt_expect(struct engine *h, const struct expect *found, bool is_event, uint64_t now)
{
	struct adoption a = {.found = *found};
	struct adopted done = {.reason = REASON_OPENED, .view = &a.view, .expect = &a.found};

	a.found.master.zone = a.found.tuple.zone = h->policy->zone;
	if (!adopt_is_due(h, &a, now))
		return;
	done.result = adopt_check(h, &a, &done.reason);
	if (done.result == ADOPT_DONE && is_event && adopt_count_event(h, &a, now))
		done.result = ADOPT_TOO_OFTEN;
	else if (!h->ct.expect_del(h->ct.ctx, &a.found))
		return; /* it was used, or replaced */
	if (done.result == ADOPT_DONE) {
		done.reason = adopt_install(h, &a, now);
		done.result = done.reason == REASON_OPENED ? ADOPT_DONE : ADOPT_REFUSED;
		done.expect = &a.plan.expect;
	}
	if (h->on_adopted)
		h->on_adopted(&done);
}
