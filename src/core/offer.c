/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offer.c - an offer gets its port, until that is shut again
 *
 * Reserve comes before rewrite: the expectation is installed and the sequence adjustment set,
 * then the edit is remembered, then the packet changes. What fails before that changes nothing.
 *
 * If we are killed in between, or the packet is lost, its sender repeats it to our successor, who
 * does not know what we promised. The kernel does: the session's expectation has both endpoints,
 * and the adjustment has the edit's place and by how much it changed the length. So the offers of
 * either side are compared with them, up to the first that is one of those, or that we make.
 */
#include "offer.h"

#include <string.h>

#include "pasvd/ftp_fit.h"

#include "budget.h"

/* A port is shut so long before the kernel would: as long as the kernel has it, it was not used.
 * Later it may be either, for kernels since June 2026 do not report at once that an expectation's
 * time was up (tests/platform/expect_events.c). */
enum { EARLY_MS = 200 };

/* A port that has ended was used, or its control connection is gone. The next packet of that says
 * which; conntrack is asked only if none comes for so long. */
enum { NEXT_PACKET_MS = 1000 };

/* so that a packet full of offers does not hold up those after it */
enum { SEGMENT_TRIES_MAX = 16 };

/* The edit that puts the text in place of the offer's, whatever becomes of the line's length. */
static struct edit offer_rewrite_shifting(
	const struct step *s, const struct ftp_offer *offer, const uint8_t *text, size_t len)
{
	const struct line *l = &s->stream->line;
	size_t end = (size_t)offer->at + offer->len;
	struct edit e = step_cover(s, offer->at, end);
	size_t from = e.seq - l->start, to = from + e.old_len, lead = offer->at - from;

	memcpy(e.text + lead, text, len);
	memcpy(e.text + lead + len, l->buf + end, to - end);
	e.new_len = (uint16_t)(lead + len + (to - end));
	return e;
}

/* The edit that makes `line` of the line at hand, which is as long. False: it is longer than one
 * can be. */
static bool offer_rewrite_line(const struct step *s, const uint8_t *line, struct edit *ret_edit)
{
	const struct edit *held = edits_held(s->stream->edits);
	const struct line *l = &s->stream->line;
	size_t from = 0, to = l->len;

	while (from < to && line[from] == l->buf[from])
		from++;
	while (to > from && line[to - 1] == l->buf[to - 1])
		to--;
	if (from == to || to - (held ? held->seq - l->start : from) > EDIT_TEXT_MAX)
		return false;
	*ret_edit = step_cover(s, from, to);
	memcpy(ret_edit->text, line + (ret_edit->seq - l->start), ret_edit->old_len);
	return true;
}

/* What the line is to say. Six numbers have no place for an address of IPv6: it goes on saying what
 * it says. */
static struct endpoint offer_announced(const struct ftp_offer *offer, const struct plan *plan)
{
	struct endpoint e = plan->announce;

	if (e.addr.family != offer->listen.addr.family)
		e.addr = offer->listen.addr;
	return e;
}

/* The edit that puts the planned endpoint into the line: into a reply so that it keeps its length,
 * if it can. */
static struct edit offer_rewrite(
	const struct step *s, const struct ftp_offer *offer, const struct plan *plan)
{
	const struct line *l = &s->stream->line;
	uint32_t open = step_first_open(s);
	uint8_t text[FTP_OFFER_MAX], line[LINE_MAX_LEN];
	const struct endpoint to = offer_announced(offer, plan);
	size_t len = ftp_offer_text(offer, &to, text);
	struct edit e;

	memcpy(line, l->buf, l->len);
	if (s->dir == DIR_REPLY &&
		ftp_fit(line, l->len, seq_after(open, l->start) ? open - l->start : 0, offer, text,
			len) &&
		offer_rewrite_line(s, line, &e))
		return e;
	return offer_rewrite_shifting(s, offer, text, len);
}

static enum port_mode offer_mode(const struct plan *plan)
{
	return plan->expect.nat_dir == DIR_REPLY ? PORT_ACTIVE : PORT_PASSIVE;
}

/* The connection's port has ended. */
static void offer_end_expectation(struct engine *h, struct conn *c, enum ending how)
{
	const struct ended ended = {how, &c->view, &c->opened->plan};

	h->ports[offer_mode(&c->opened->plan)].ended[how]++;
	if (h->on_ended)
		h->on_ended(&ended);
	conntab_close(&h->tab, c);
}

static bool offer_has_ended(const struct engine *h, const struct conn *c)
{
	if (c->opened && !c->opened->ended)
		ct_report_ends(&h->ct);
	return c->opened && c->opened->ended;
}

uint64_t engine_count_ended(const struct engine *h, enum ending how)
{
	uint64_t n = 0;

	for (int m = 0; m < PORT_MODE_COUNT; m++)
		n += h->ports[m].ended[how];
	return n;
}

void offer_name_end(struct engine *h, struct conn *c, bool is_there)
{
	if (offer_has_ended(h, c))
		offer_end_expectation(h, c, is_there ? ENDING_USED : ENDING_ORPHANED);
}

void offer_ask_end(struct engine *h, struct conn *c)
{
	struct ct_view view;

	if (offer_has_ended(h, c))
		offer_name_end(
			h, c, h->ct.get(h->ct.ctx, &c->view.tuple[DIR_ORIGINAL], &view) != CT_NONE);
}

/* Shuts the connection's port. False: the kernel does not know it. */
static bool offer_cancel_expectation(struct engine *h, struct conn *c, enum ending why)
{
	bool there = h->ct.expect_del(h->ct.ctx, &c->opened->plan.expect);

	if (there)
		offer_end_expectation(h, c, why);
	return there;
}

static void offer_remember(struct step *s, const struct plan *plan)
{
	conntab_open(&s->h->tab, s->conn, plan, s->now + (uint64_t)plan->expect.seconds * 1000);
}

/* What a predecessor opened for this session is ours from now on. */
static void offer_inherit(struct step *s)
{
	const struct ct_ops *ct = &s->h->ct;
	struct plan old = {0};

	if (s->conn->inherited)
		return;
	s->conn->inherited = true;
	if (s->conn->opened ||
		ct->expect_get(ct->ctx, &s->conn->view.tuple[DIR_ORIGINAL], &old.expect) != CT_OK)
		return;
	old.announce = old.expect.tuple.dst;
	offer_remember(s, &old);
}

/* If the port is not there any more, then how it ended is not known, since the kernel has not
 * reported it. */
void offer_take_back(struct step *s, enum ending why)
{
	offer_inherit(s);
	if (s->conn->opened)
		offer_cancel_expectation(s->h, s->conn, why);
	conntab_close(&s->h->tab, s->conn);
}

uint64_t engine_expires_at(struct engine *h)
{
	uint64_t until;

	return conntab_due(&h->tab, &until) ? until - EARLY_MS : UINT64_MAX;
}

void engine_expire(struct engine *h, uint64_t now)
{
	uint64_t until;
	struct conn *c;

	while ((c = conntab_due(&h->tab, &until)) && until - EARLY_MS <= now) {
		if (c->opened->ended)
			offer_ask_end(h, c);
		else if (!offer_cancel_expectation(h, c, ENDING_EXPIRED))
			conntab_overdue(&h->tab, c);
	}
}

/* The offer says already what is planned. */
static bool offer_says(const struct ftp_offer *offer, const struct plan *plan)
{
	const struct endpoint to = offer_announced(offer, plan);

	return endpoint_eq(&offer->listen, &to);
}

/* Tries to get the planned port and, with it, the shift that its text needs. An offer that says
 * what is said already is left as it stands: an address may be written in more than one way. Once a
 * try has shifted, the shift is always set: that of the refused try may be in force, since the
 * kernel treats the two for themselves. */
static enum ct_result offer_reserve(
	struct step *s, const struct ftp_offer *offer, const struct plan *plan, bool *shifted)
{
	struct edits next = *s->stream->edits;
	struct edit e = offer_rewrite(s, offer, plan);
	bool shifts = *shifted;
	enum ct_result result;

	if (!offer_says(offer, plan))
		shifts |= edits_put(&next, &e);
	*shifted = shifts;
	s->tries++;
	result = step_commit(s, &plan->expect, shifts ? &next.kernel : NULL);
	if (result == CT_OK)
		*s->stream->edits = next;
	return result;
}

/* The server's answer to a PORT or EPRT may shut its port. */
static void offer_await_reply(const struct step *s)
{
	if (s->dir == DIR_ORIGINAL)
		session_opened(&s->conn->session);
}

static void offer_installed(struct step *s, const struct plan *plan)
{
	offer_remember(s, plan);
	offer_await_reply(s);
	s->h->ports[offer_mode(plan)].opened++;
	s->verdict->opened = true;
	s->verdict->announce = plan->announce;
	s->verdict->listener = plan->expect.nat;
}

/* Whether the offer can be rewritten. What is held goes, if it lies too far in front for an edit of
 * both. */
static enum reason offer_make_room(struct step *s, const struct ftp_offer *offer)
{
	const struct edit *held = edits_held(s->stream->edits);
	uint32_t begin = s->stream->line.start + offer->at;

	if (seq_after(step_first_open(s), begin))
		return REASON_TOO_LATE;
	if (held && begin + FTP_OFFER_MAX - held->seq > EDIT_TEXT_MAX &&
		step_release(s) != REASON_PASSED)
		return REASON_CT_FAILED;
	return edits_full(s->stream->edits) ? REASON_TOO_MANY : REASON_PASSED;
}

/* Where TLS may have gone on, what looks like a reply opens no more than TLS does. */
static enum reason offer_make_plan(
	const struct step *s, const struct ftp_offer *offer, struct plan *ret_plan)
{
	const struct addr *server = &s->conn->view.tuple[DIR_REPLY].src.addr;
	uint32_t indev = s->conn->indev[dir_opposite(s->dir)];

	if (s->conn->guessed && s->dir == DIR_REPLY &&
		!policy_tls_opens(s->h->policy, server, offer->listen.port))
		return REASON_NO_RANGE;
	return policy_plan(s->h->policy, offer, s->dir, &s->conn->view, indev, ret_plan);
}

/* The connection's port is the one that the offer leads to; had it ended, the packet would have
 * shown how. The plan becomes what was announced for it. */
static bool offer_has_port(const struct step *s, struct plan *plan)
{
	const struct opened *o = s->conn->opened;

	if (!o || o->plan.expect.nat_dir != plan->expect.nat_dir ||
		!endpoint_eq(&o->plan.expect.nat, &plan->expect.nat))
		return false;
	plan->announce.port = o->plan.announce.port;
	return true;
}

static bool offer_redo_planned(
	struct step *s, const struct ftp_offer *offer, const struct plan *plan)
{
	const struct edit e = offer_rewrite(s, offer, plan);

	return edits_redo(s->stream->edits, &e);
}

/* The port is not there any more, as it was used, or it was another session's and we were killed
 * before the next one was tried. Only the adjustment says how long the line became: any port is
 * right that is as long, but for one at which another session waits, if it can be helped. */
static bool offer_redo_ended(struct step *s, const struct ftp_offer *offer, struct plan *plan)
{
	const struct ct_ops *ct = &s->h->ct;
	struct edits found, next;
	bool is_found = false, is_free = false;
	struct tuple other;
	struct edit e;

	for (int i = 0; i < POLICY_PORT_TRIES && !is_free; i++) {
		if (i && !policy_next_port(s->h->policy, plan))
			break;
		next = *s->stream->edits;
		e = offer_rewrite(s, offer, plan);
		if (e.new_len == e.old_len || !edits_redo(&next, &e))
			continue;
		is_free = ct->expect_master(ct->ctx, &plan->expect, &other) != CT_OK;
		is_found = true;
		found = next;
	}
	if (is_found)
		*s->stream->edits = found;
	return is_found;
}

/* Only the last offer of either side that was made before us is known. None of those that come
 * after it can be one, nor after one of ours. */
bool offer_redo(struct step *s, const struct ftp_offer *offer)
{
	struct stream *stream = s->stream;
	struct plan plan;
	bool has_port;

	if (stream->compared || offer_make_plan(s, offer, &plan) != REASON_OPENED)
		return false;
	offer_inherit(s);
	has_port = offer_has_port(s, &plan);
	if (has_port && offer_says(offer, &plan))
		stream->compared = true;
	else if (offer_make_room(s, offer) == REASON_PASSED)
		stream->compared = has_port ? offer_redo_planned(s, offer, &plan)
					    : offer_redo_ended(s, offer, &plan);
	if (stream->compared)
		offer_await_reply(s);
	return stream->compared;
}

/* Ends the expectation that stands in the way, if its session is over. */
static bool offer_take_over(struct step *s, const struct expect *e)
{
	const struct ct_ops *ct = &s->h->ct;
	struct expect other = *e;
	enum ct_result result;
	struct ct_view view;
	struct conn *c;
	enum dir dir;

	if (ct->expect_master(ct->ctx, e, &other.master) != CT_OK)
		return true;
	result = ct->get(ct->ctx, &other.master, &view);
	if (result == CT_FAIL || (result == CT_OK && view.established))
		return false;
	c = conntab_find(&s->h->tab, &other.master, s->now, &dir);
	if (c && c->opened && tuple_eq(&c->opened->plan.expect.tuple, &e->tuple))
		return offer_cancel_expectation(s->h, c, ENDING_ORPHANED);
	return ct->expect_del(ct->ctx, &other);
}

/* Without NAT nothing can be shifted: what does not fit into the line is not announced. */
static enum reason offer_fit(const struct step *s, const struct ftp_offer *offer, struct plan *plan)
{
	struct edit e;

	if (plan->expect.translated || offer_says(offer, plan))
		return REASON_OPENED;
	e = offer_rewrite(s, offer, plan);
	if (e.new_len == e.old_len)
		return REASON_OPENED;
	plan->announce = offer->listen;
	return REASON_NO_SLACK;
}

bool offer_is_contested(const struct engine *h, const struct expect *e, uint64_t now)
{
	return now < h->contested_until || conntab_is_taken(&h->tab, e);
}

/* Gets the planned port, or the next one that nobody waits for, which becomes the plan. */
static enum ct_result offer_reserve_any(
	struct step *s, const struct ftp_offer *offer, struct plan *plan)
{
	enum ct_result result = CT_BUSY;
	bool shifted = false;

	for (int i = 0; i < POLICY_PORT_TRIES && result == CT_BUSY; i++) {
		if (i && !offer_take_over(s, &plan->expect) &&
			!policy_next_port(s->h->policy, plan))
			break;
		plan->expect.contested = i || offer_is_contested(s->h, &plan->expect, s->now);
		result = offer_reserve(s, offer, plan, &shifted);
	}
	if (shifted && result != CT_OK)
		step_commit(s, NULL, &s->stream->edits->kernel);
	return result;
}

/* The port before it is shut first: the ct helper's limit of one would do that too, but then its
 * end would look like its use. */
enum reason offer_make(struct step *s, const struct ftp_offer *offer)
{
	enum ct_result result;
	struct plan plan;
	enum reason fit, reason = offer_make_plan(s, offer, &plan);

	if (reason == REASON_OPENED && offer_redo(s, offer))
		return REASON_REPEATED;
	if (reason == REASON_OPENED)
		reason = budget_ask(s->h, s->conn, s->now);
	if (reason != REASON_OPENED)
		return reason;
	reason = offer_make_room(s, offer);
	if (reason != REASON_PASSED)
		return reason;
	if (s->tries >= SEGMENT_TRIES_MAX)
		return REASON_TOO_MANY;
	budget_take(s->h, s->conn, s->now);
	s->stream->compared = true;
	offer_take_back(s, ENDING_REPLACED);
	fit = offer_fit(s, offer, &plan);
	result = offer_reserve_any(s, offer, &plan);
	if (result == CT_OK) {
		offer_installed(s, &plan);
		return fit;
	}
	return result == CT_BUSY ? REASON_NO_FREE_PORT : REASON_CT_FAILED;
}

enum reason offer_deny(struct step *s)
{
	if (!s->conn->opened || s->conn->opened->plan.expect.nat_dir != DIR_REPLY)
		return REASON_PASSED;
	offer_take_back(s, ENDING_CANCELLED);
	return REASON_DENIED;
}

/* The zone is not looked at: the kernel does not report it with an expectation. */
static bool expects_same(const struct expect *a, const struct expect *b)
{
	return endpoint_eq(&a->tuple.src, &b->tuple.src) &&
	       endpoint_eq(&a->tuple.dst, &b->tuple.dst) && endpoint_eq(&a->nat, &b->nat);
}

void engine_expect_ended(struct engine *h, const struct expect *e, bool requested, uint64_t now)
{
	struct tuple master = e->master;
	struct conn *c;
	enum ending how;
	enum dir dir;

	master.zone = h->policy->zone;
	c = conntab_find(&h->tab, &master, now, &dir);
	if (!c || !c->opened || c->opened->ended || !expects_same(e, &c->opened->plan.expect))
		return;
	how = ending_of(e->seconds, now >= c->opened->until, requested);
	if (how == ENDING_USED)
		conntab_end(&h->tab, c, now + NEXT_PACKET_MS + EARLY_MS);
	else
		offer_end_expectation(h, c, how);
}
