/* SPDX-License-Identifier: GPL-2.0-or-later */
/* budget.c - what is left of the limits for a control connection */
#include "budget.h"

static struct quota_party budget_party_of(struct quota_bucket *session, const struct ct_view *view)
{
	return (struct quota_party){
		.session = session,
		.client = view->tuple[DIR_ORIGINAL].src.addr,
		.server = view->tuple[DIR_REPLY].src.addr,
	};
}

static bool budget_is_spent(const struct engine *h, const struct conn *c)
{
	uint32_t most = h->policy->open_ports;
	const struct addr *client = &c->view.tuple[DIR_ORIGINAL].src.addr;

	return most && crowd_count(&h->tab.openers, client) >= most;
}

/* The session's own port makes room for the next one. Some of the others may have been used. */
static bool budget_has_open_ports(const struct engine *h, const struct conn *c)
{
	if (c->opened || !budget_is_spent(h, c))
		return false;
	ct_report_ends(&h->ct);
	return budget_is_spent(h, c);
}

enum reason budget_ask_for(
	struct engine *h, struct quota_bucket *session, const struct ct_view *view, uint64_t now)
{
	static const enum reason reason[] = {
		[QUOTA_SESSION] = REASON_SESSION_LIMIT,
		[QUOTA_CLIENT] = REASON_CLIENT_LIMIT,
		[QUOTA_SERVER] = REASON_SERVER_LIMIT,
		[QUOTA_NONE] = REASON_OPENED,
	};
	struct quota_party party = budget_party_of(session, view);

	return reason[quota_ask(&h->quota, &h->policy->limits, &party, now)];
}

enum reason budget_ask(struct engine *h, struct conn *c, uint64_t now)
{
	if (budget_has_open_ports(h, c))
		return REASON_OPEN_PORTS_LIMIT;
	return budget_ask_for(h, &c->quota, &c->view, now);
}

void budget_take_for(
	struct engine *h, struct quota_bucket *session, const struct ct_view *view, uint64_t now)
{
	struct quota_party party = budget_party_of(session, view);

	quota_take(&h->quota, &h->policy->limits, &party, now);
}

void budget_take(struct engine *h, struct conn *c, uint64_t now)
{
	budget_take_for(h, &c->quota, &c->view, now);
}
