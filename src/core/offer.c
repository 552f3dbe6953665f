/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offer.c - an offer gets its port, until that is shut again
 *
 * Reserve comes before rewrite: the expectation is installed and the kernel told how far to shift,
 * then the edit is remembered, then the packet changes. What fails before that changes nothing.
 */
#include "offer.h"

#include <string.h>

#include "budget.h"

/* A port is shut so long before the kernel would: as long as the kernel has it, it was not used.
 * Later it may be either, for kernels since June 2026 do not tell at once that an expectation's
 * time was up (tests/platform/expect_events.c). */
enum { EARLY_MS = 200, AT_ONCE_MS = 100 };

/* The edit that puts the planned endpoint into the line. */
static struct edit offer_rewrite(
	const struct step *s, const struct ftp_offer *offer, const struct plan *plan)
{
	const struct line *l = &s->stream->line;
	size_t end = (size_t)offer->at + offer->len;
	struct edit e = step_cover(s, offer->at, end);
	size_t from = e.seq - l->start, to = from + e.old_len, lead = offer->at - from, len;

	len = lead + ftp_offer_text(offer, &plan->announce, e.text + lead);
	memcpy(e.text + len, l->buf + end, to - end);
	e.new_len = (uint16_t)(len + (to - end));
	return e;
}

static bool is_open(const struct conn *c)
{
	return c->last.announce.port;
}

/* The connection's port has ended. */
static void offer_end_expectation(struct engine *h, struct conn *c, enum ending how)
{
	const struct ended ended = {how, &c->view, &c->last};

	h->ended[how]++;
	if (h->on_ended)
		h->on_ended(&ended);
	c->last = (struct plan){0};
}

/* Shuts the connection's port. False: the kernel does not know it. */
static bool offer_cancel_expectation(struct engine *h, struct conn *c, enum ending why)
{
	bool there = h->ct.expect_del(h->ct.ctx, &c->last.expect);

	if (there)
		offer_end_expectation(h, c, why);
	return there;
}

/* Shuts the connection's port, if it has one. If that is not there any more, then how it ended is
 * not known, since the kernel has not told. */
void offer_take_back(struct step *s, enum ending why)
{
	if (is_open(s->conn))
		offer_cancel_expectation(s->h, s->conn, why);
	s->conn->last = (struct plan){0};
}

static uint64_t offer_expires_at(const struct conn *c)
{
	return is_open(c) && !c->overdue ? c->until - EARLY_MS : UINT64_MAX;
}

static uint64_t min_time(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void engine_expire(struct engine *h, uint64_t now)
{
	h->expires_at = UINT64_MAX;
	for (uint32_t i = 0; i < h->tab.used; i++) {
		struct conn *c = &h->tab.conn[i];

		if (!is_open(c) || !c->live)
			continue;
		if (offer_expires_at(c) <= now + AT_ONCE_MS)
			c->overdue = !offer_cancel_expectation(h, c, ENDING_EXPIRED);
		h->expires_at = min_time(h->expires_at, offer_expires_at(c));
	}
}

/* Tries to get the planned port and, with it, the shift that its text needs. An offer that says
 * what is said already is left as it stands: an address may be written in more than one way. After
 * a clash the shift is always set: that of the refused try is in force, since the kernel treats the
 * two for themselves. */
static enum ct_result offer_reserve(
	struct step *s, const struct ftp_offer *offer, const struct plan *plan, bool again)
{
	struct edits next = s->stream->edits;
	bool same =
		offer->listen.port == plan->announce.port &&
		(!offer->listen.addr.family || addr_eq(&offer->listen.addr, &plan->announce.addr));
	struct edit e = offer_rewrite(s, offer, plan);
	bool shifts = again;
	enum ct_result result;

	if (!same)
		shifts |= edits_put(&next, &e);
	result = step_commit(s, &plan->expect, shifts ? &next.kernel : NULL);
	if (result == CT_OK)
		s->stream->edits = next;
	return result;
}

static enum reason is_installed(struct step *s, const struct plan *plan)
{
	budget_take(s->h, s->conn, s->now);
	s->conn->last = *plan;
	s->conn->until = s->now + (uint64_t)plan->expect.seconds * 1000;
	s->conn->overdue = false;
	s->h->expires_at = min_time(s->h->expires_at, offer_expires_at(s->conn));
	s->verdict->opened = true;
	s->verdict->announce = plan->announce;
	s->verdict->listener = plan->expect.nat;
	return REASON_OPENED;
}

/* Whether the offer can be rewritten. What is held in front of it turned out to be none, and
 * goes. */
static enum reason offer_make_room(struct step *s, const struct ftp_offer *offer)
{
	const struct edit *held = edits_held(&s->stream->edits);
	uint32_t begin = s->stream->line.start + offer->at;

	if (seq_after(step_first_open(s), begin))
		return REASON_TOO_LATE;
	if (held && !seq_after(held->seq + held->old_len, begin) &&
		step_release(s) != REASON_PASSED)
		return REASON_CT_FAILED;
	return edits_full(&s->stream->edits) ? REASON_TOO_MANY : REASON_PASSED;
}

/* An offer that may be made: gets its port, or the next one that nobody waits for. The port before
 * it is shut first: the ct helper's limit of one would do that too, but then its end could not be
 * told from its use. */
enum reason offer_make(struct step *s, const struct ftp_offer *offer)
{
	enum ct_result result = CT_BUSY;
	struct plan plan;
	uint32_t indev = s->conn->indev[dir_opposite(s->dir)];
	enum reason reason = policy_plan(s->h->policy, offer, s->dir, &s->conn->view, indev, &plan);

	if (reason == REASON_OPENED)
		reason = budget_ask(s->h, s->conn, s->now);
	if (reason != REASON_OPENED)
		return reason;
	reason = offer_make_room(s, offer);
	if (reason != REASON_PASSED)
		return reason;
	offer_take_back(s, ENDING_REPLACED);
	for (int i = 0; i < POLICY_PORT_TRIES && result == CT_BUSY; i++) {
		if (i)
			policy_next_port(s->h->policy, &plan);
		result = offer_reserve(s, offer, &plan, i > 0);
	}
	if (result == CT_OK)
		return is_installed(s, &plan);
	step_commit(s, NULL, &s->stream->edits.kernel);
	return result == CT_BUSY ? REASON_NO_FREE_PORT : REASON_CT_FAILED;
}

/* The server refused the client's port. */
enum reason offer_deny(struct step *s)
{
	if (s->conn->last.expect.nat_dir != DIR_REPLY)
		return REASON_PASSED;
	offer_take_back(s, ENDING_CANCELLED);
	return REASON_DENIED;
}

/* The zone is not looked at: the kernel does not tell it with an expectation. */
static bool expects_same(const struct expect *a, const struct expect *b)
{
	return endpoint_eq(&a->tuple.src, &b->tuple.src) &&
	       endpoint_eq(&a->tuple.dst, &b->tuple.dst) && endpoint_eq(&a->nat, &b->nat);
}

void engine_expect_ended(struct engine *h, const struct expect *e, bool requested, uint64_t now)
{
	struct tuple master = e->master;
	struct conn *c;
	enum dir dir;

	master.zone = h->policy->zone;
	c = conntab_find(&h->tab, &master, now, &dir);
	if (c && is_open(c) && expects_same(e, &c->last.expect))
		offer_end_expectation(h, c,
			ending_of(&h->ct, &c->last.expect, e->seconds, now >= c->until, requested));
}
