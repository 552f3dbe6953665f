/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evict.c - who goes when there is no room
 *
 * First a session that conntrack does not have any more: the ones without a sign of life for
 * longest are asked for, a few at a time, so that a flood costs no more than that. Then one in
 * which nobody has logged in, of the client that has most of those. Then the idlest.
 *
 * One that goes and was logged in has to log in again: a successor that knows nothing else of it
 * must not take it for more than it is.
 */
#include "evict.h"
#include "offer.h"

enum { EVICT_QUESTIONS = 4 };

/* Conntrack does not have it, or has something else in its place. */
static bool evict_is_over(const struct engine *h, const struct conn *c)
{
	struct ct_view view;
	enum ct_result result = h->ct.get(h->ct.ctx, &c->view.tuple[DIR_ORIGINAL], &view);

	return result == CT_NONE || (result == CT_OK && (view.over || view.id != c->view.id));
}

static struct conn *evict_find_over(struct engine *h)
{
	for (int i = 0; i < EVICT_QUESTIONS; i++) {
		struct conn *c = conntab_doubtful(&h->tab);

		if (evict_is_over(h, c))
			return c;
		conntab_confirm(&h->tab, c);
	}
	return NULL;
}

static void evict_conn(struct engine *h, struct conn *c)
{
	uint32_t mask = h->policy->connmark;
	unsigned rest = c->trust & ~(unsigned)(TRUST_LOGGED_IN | TRUST_SHIFTED);

	if (c->trust & TRUST_LOGGED_IN) {
		h->ct.mark(
			h->ct.ctx, &c->view.tuple[DIR_ORIGINAL], trust_to_mark(mask, rest), mask);
		h->evicted++;
		if (h->on_evicted)
			h->on_evicted(&c->view);
	}
	offer_ask_end(h, c);
	conntab_del(&h->tab, c);
}

void evict_make_room(struct engine *h)
{
	struct conn *over;

	if (!conntab_is_full(&h->tab))
		return;
	over = evict_find_over(h);
	if (over) {
		offer_name_end(h, over, false);
		conntab_del(&h->tab, over);
	} else {
		evict_conn(h, conntab_victim(&h->tab));
	}
}

void evict_lend(struct engine *h, struct conn *c, enum dir dir)
{
	while (!conntab_lend(&h->tab, c, dir))
		evict_conn(h, conntab_borrower(&h->tab, c));
}
