/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ondemand.c - data ports of control connections that are TLS
 *
 *   packet_parse   bytes → the SYN's tuple
 *   masters_find   client, dialled address → its control connections; of a server's SYN to a client
 *                  behind this router, whose own ports say which one, the same the other way round
 *   ct.get         is one of them ESTABLISHED, now? One that has begun to end opens nothing any
 *                  more, though conntrack remembers it for minutes; what is over is forgotten here.
 *   policy         whose range is the port in?
 *   ct.get         is it a SYN that is repeated? Its connection is there, and needs nothing
 *   budget         is a port left for its session, its client, its server?
 *   ct.commit      the expectation. The SYN goes on, and conntrack finds it.
 */
#include "pasvd/ondemand.h"

#include "budget.h"
#include "evict.h"
#include "offer.h"

static bool is_alive(const struct engine *h, const struct tuple *original, struct ct_view *ret_view)
{
	return h->ct.get(h->ct.ctx, original, ret_view) == CT_OK && ret_view->has_helper &&
	       ret_view->established && tuple_eq(&ret_view->tuple[DIR_ORIGINAL], original);
}

/* Makes room where `original` belongs: what is over goes. */
static void ondemand_clean(struct engine *h, const struct tuple *original)
{
	const struct masters_set set = *masters_set_of(&h->masters, original);
	struct ct_view view;

	if (!set.entry[MASTERS_WAYS - 1].src.port)
		return;
	for (size_t i = 0; i < MASTERS_WAYS; i++) {
		if (!is_alive(h, &set.entry[i], &view))
			masters_del(&h->masters, &set.entry[i]);
	}
}

void ondemand_add(struct engine *h, const struct ct_view *view)
{
	const struct tuple *original = &view->tuple[DIR_ORIGINAL];

	ondemand_clean(h, original);
	masters_add(&h->masters, original);
}

/* The connection's entry, or one for what began before us. */
static struct conn *ondemand_entry_of(struct engine *h, const struct ct_view *view, uint64_t now)
{
	enum dir dir;
	struct conn *c = conntab_find(&h->tab, &view->tuple[DIR_ORIGINAL], now, &dir);

	if (!c) {
		evict_make_room(h);
		c = conntab_add(&h->tab, view, now);
		c->tls = true;
		c->trust = (uint8_t)trust_of_mark(h->policy->connmark, view->mark);
	}
	return c;
}

void ondemand_restore(struct engine *h, const struct ct_view *view, uint64_t now)
{
	ondemand_entry_of(h, view, now);
	masters_add(&h->masters, &view->tuple[DIR_ORIGINAL]);
}

void ondemand_del(struct engine *h, const struct ct_view *view)
{
	masters_del(&h->masters, &view->tuple[DIR_ORIGINAL]);
}

/* The plan for the SYN, by the newest of its client's control connections whose server it can be
 * for. */
static enum reason ondemand_find_plan(struct engine *h, const struct tuple *syn, uint32_t indev,
	struct ct_view *ret_view, struct plan *ret_plan)
{
	struct tuple master[MASTERS_WAYS];
	size_t n = masters_find(&h->masters, syn, master);
	enum reason reason = REASON_NO_MASTER;

	for (size_t i = 0; i < n && reason != REASON_OPENED; i++) {
		if (is_alive(h, &master[i], ret_view))
			reason = policy_plan_on_demand(
				h->policy, ret_view, indev, syn->dst.port, ret_plan);
		else
			masters_del(&h->masters, &master[i]);
	}
	return reason;
}

/* The plan for a server's SYN to `client`, which the server sees at the address that it is for, by
 * the newest of its control connections that may have a port. */
static enum reason ondemand_plan_for_client(struct engine *h, const struct tuple *syn,
	const struct addr *client, struct ct_view *ret_view, struct plan *ret_plan)
{
	const struct tuple asked = {{*client, 0}, syn->src, syn->zone};
	struct tuple master[MASTERS_WAYS];
	size_t n = masters_find(&h->masters, &asked, master);
	enum reason reason = REASON_NO_MASTER;
	struct ct_view view;

	for (size_t i = 0; i < n && reason != REASON_OPENED; i++) {
		if (!is_alive(h, &master[i], &view)) {
			masters_del(&h->masters, &master[i]);
		} else if (addr_eq(&view.tuple[DIR_REPLY].dst.addr, &syn->dst.addr)) {
			*ret_view = view;
			reason = policy_plan_on_demand_active(
				h->policy, &view, syn->dst.port, ret_plan);
		}
	}
	return reason;
}

/* The client that an entry of the policy means: the one that it names, or if nobody translates, the
 * one that the SYN does. */
static const struct addr *ondemand_client_of(const struct active_ports *a, const struct tuple *syn)
{
	bool is_one = a->client.addr.family && a->client.bits == 8 * addr_len(&a->client.addr);

	return is_one ? &a->client.addr : &syn->dst.addr;
}

/* Two clients that the server sees at one address may not wait on one port: which one is meant
 * cannot be known, also if one of them may have no port. */
static enum reason ondemand_find_active_plan(
	struct engine *h, const struct tuple *syn, struct ct_view *ret_view, struct plan *ret_plan)
{
	enum reason reason = REASON_NO_MASTER;

	for (size_t i = 0; i < h->policy->n_active_ports; i++) {
		const struct active_ports *a = &h->policy->active_ports[i];
		struct ct_view view;
		struct plan plan;
		enum reason of_one;

		if (!policy_range_has(&a->ports, syn->dst.port))
			continue;
		of_one = ondemand_plan_for_client(h, syn, ondemand_client_of(a, syn), &view, &plan);
		if (of_one == REASON_NO_MASTER)
			continue;
		*ret_view = view;
		if (of_one != REASON_OPENED)
			return of_one;
		if (reason == REASON_OPENED &&
			!addr_eq(&plan.expect.nat.addr, &ret_plan->expect.nat.addr))
			return REASON_AMBIGUOUS;
		*ret_plan = plan;
		reason = REASON_OPENED;
	}
	return reason;
}

/* CT_BUSY: the expectation is there already, as this client can only have it from us. */
static enum reason ondemand_expect(const struct engine *h, struct plan *plan, uint64_t now)
{
	plan->expect.contested = offer_is_contested(h, &plan->expect, now);
	switch (h->ct.commit(h->ct.ctx, &plan->expect.master, DIR_REPLY, &plan->expect, NULL)) {
	case CT_OK:
		return REASON_OPENED;
	case CT_BUSY:
		return REASON_REPEATED;
	case CT_NONE:
	case CT_FAIL:
		break;
	}
	return REASON_CT_FAILED;
}

/* The connection that the SYN begins is known already, and not an older one that is over. */
static bool is_repeated(const struct engine *h, const struct tuple *syn)
{
	struct ct_view view;

	return h->ct.get(h->ct.ctx, syn, &view) == CT_OK && !view.over;
}

static enum reason ondemand_open_port(struct engine *h, const struct tuple *syn, uint32_t indev,
	uint64_t now, struct verdict *verdict)
{
	struct conn *c;
	struct plan plan;
	enum reason reason = ondemand_find_plan(h, syn, indev, &verdict->view, &plan);

	if (reason == REASON_NO_MASTER)
		reason = ondemand_find_active_plan(h, syn, &verdict->view, &plan);
	verdict->known = reason != REASON_NO_MASTER;
	if (reason != REASON_OPENED)
		return reason;
	if (is_repeated(h, syn))
		return REASON_REPEATED;
	c = ondemand_entry_of(h, &verdict->view, now);
	reason = budget_ask(h, c, now);
	if (reason == REASON_OPENED)
		reason = ondemand_expect(h, &plan, now);
	if (reason != REASON_OPENED)
		return reason;
	budget_take(h, c, now);
	h->ports[PORT_ON_DEMAND].opened++;
	verdict->opened = true;
	verdict->on_demand = true;
	verdict->announce = plan.announce;
	verdict->listener = plan.expect.nat;
	return REASON_OPENED;
}

void ondemand_syn(
	struct engine *h, struct packet *packet, uint64_t now, struct verdict *ret_verdict)
{
	struct seg seg;

	*ret_verdict = (struct verdict){.action = ACTION_DROP, .reason = REASON_BAD_PACKET};
	if (packet_parse(packet, h->policy->zone, &seg) == 0) {
		ret_verdict->action = ACTION_PASS;
		ret_verdict->reason =
			ondemand_open_port(h, &seg.tuple, packet->indev, now, ret_verdict);
	}
	h->count[ret_verdict->reason]++;
}
