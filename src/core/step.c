/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step.c - what a step does to the bytes under way
 *
 * A new state of the edits is made in a copy and takes the place of the old one only when the
 * kernel has agreed to its shift.
 */
#include "step.h"

#include <string.h>

/* If nobody translates it and it is not configured, then where its client's packets come in says
 * so: not where those of clients do whose SYNs come by. The server's own say nothing: it may be on
 * a third side. */
bool step_is_of_own_server(const struct step *s)
{
	const uint32_t lan = s->h->syns.indev;
	const uint32_t client = s->conn->indev[DIR_ORIGINAL];

	return policy_is_own_server(s->h->policy, &s->conn->view) ||
	       (lan && client && client != lan);
}

bool step_refuses_tls(const struct step *s)
{
	const struct addr *server = &s->conn->view.tuple[DIR_REPLY].src.addr;

	return policy_tls_mode(s->h->policy, server) == TLS_REFUSE;
}

/* Before the shift, so that whenever we are killed the rules know of it. */
static void step_mark_shift(const struct step *s)
{
	const struct ct_ops *ct = &s->h->ct;
	uint32_t mask = s->h->policy->connmark;
	struct conn *c = s->conn;

	if (s->dir != DIR_ORIGINAL || s->h->sees_all || !mask)
		return;
	c->shifted = true;
	if (c->trust & TRUST_SHIFTED)
		return;
	c->trust |= TRUST_SHIFTED;
	ct->mark(ct->ctx, &c->view.tuple[DIR_ORIGINAL], trust_to_mark(mask, c->trust), mask);
}

enum ct_result step_commit(const struct step *s, const struct expect *e, const struct seqadj *a)
{
	const struct ct_ops *ct = &s->h->ct;

	if (a)
		step_mark_shift(s);
	return ct->commit(ct->ctx, &s->conn->view.tuple[DIR_ORIGINAL], s->dir, e, a);
}

/* Makes `next` the state of the edits, if the kernel agrees to the shift. */
static bool step_adopt(struct step *s, const struct edits *next, bool shifts)
{
	if (shifts && step_commit(s, NULL, &next->kernel) != CT_OK)
		return false;
	*s->stream->edits = *next;
	return true;
}

uint32_t step_first_open(const struct step *s)
{
	const struct edit *held = edits_held(s->stream->edits);

	return held ? held->seq : s->fresh;
}

/* The bytes [from, to) of the line at hand as an edit that leaves them as they are. */
static struct edit step_verbatim(const struct line *l, size_t from, size_t to)
{
	struct edit e = {
		.seq = l->start + (uint32_t)from,
		.old_len = (uint16_t)(to - from),
		.new_len = (uint16_t)(to - from),
		.prev = from ? l->buf[from - 1] : '\n', /* that of the line before */
	};

	memcpy(e.text, l->buf + from, to - from);
	return e;
}

enum reason step_release(struct step *s)
{
	struct edits next = *s->stream->edits;
	const struct edit *held = edits_held(&next);
	struct edit e;

	if (!held)
		return REASON_PASSED;
	e = *held;
	e.held = false;
	e.new_len = e.old_len;
	if (step_adopt(s, &next, edits_put(&next, &e)))
		return REASON_PASSED;
	edits_abandon(s->stream->edits);
	return REASON_CT_FAILED;
}

/* From where on the line that is still coming has to wait. */
static size_t step_line_hold(const struct step *s)
{
	const struct session *session = &s->conn->session;
	const struct line *l = &s->stream->line;

	if (l->overlong || l->partial || s->last)
		return l->len;
	return s->dir == DIR_REPLY ? session_reply_hold(session, l->buf, l->len)
				   : session_command_hold(session, l->buf, l->len);
}

/* The bytes [from, to) of the line at hand as an edit that holds them. */
static struct edit step_holding(const struct line *l, size_t from, size_t to)
{
	struct edit e = step_verbatim(l, from, to);

	e.held = true;
	e.new_len = 0;
	return e;
}

/* Too much to be held: of the bytes from `from` on, which are held or not, only the last stay, in
 * which an offer may have begun. True: the kernel's shift has changed. */
static bool step_hold_last(const struct line *l, struct edits *next, size_t from)
{
	const struct edit *held = edits_held(next);
	size_t last = l->len - FTP_OFFER_MAX;
	bool shifts = false;
	struct edit e;

	if (held) {
		e = step_verbatim(
			l, from, from + held->old_len < last ? from + held->old_len : last);
		shifts = edits_put(next, &e);
	}
	e = step_holding(l, last, l->len);
	return edits_put(next, &e) || shifts;
}

enum reason step_hold(struct step *s)
{
	struct edits next = *s->stream->edits;
	const struct edit *held = edits_held(&next);
	const struct line *l = &s->stream->line;
	size_t from = step_line_hold(s), open = step_first_open(s) - l->start;
	bool shifts;
	struct edit e;

	if (from == l->len || edits_full(&next))
		return step_release(s);
	if (held || seq_after(step_first_open(s), l->start + (uint32_t)from))
		from = open;
	if (l->len - from > EDIT_HELD_MAX) {
		shifts = step_hold_last(l, &next, from);
	} else {
		e = step_holding(l, from, l->len);
		shifts = edits_put(&next, &e);
	}
	if (step_adopt(s, &next, shifts))
		return REASON_HELD;
	edits_abandon(s->stream->edits);
	return REASON_CT_FAILED;
}

struct edit step_cover(const struct step *s, size_t at, size_t end)
{
	const struct edit *held = edits_held(s->stream->edits);
	const struct line *l = &s->stream->line;

	if (held) {
		at = held->seq - l->start;
		end = at + held->old_len > end ? at + held->old_len : end;
	}
	return step_verbatim(l, at, end);
}

bool step_mask(struct step *s, size_t from, size_t to)
{
	struct edits next = *s->stream->edits;
	struct line *l = &s->stream->line;
	uint32_t begin = l->start + (uint32_t)from, end = l->start + (uint32_t)to;
	bool shifts;

	if (seq_after(step_first_open(s), begin))
		begin = step_first_open(s);
	if (!seq_after(end, begin))
		return false;
	if (!edits_mask(&next, begin, end, &shifts) || !step_adopt(s, &next, shifts))
		return false;
	if (from < l->len)
		edit_mask(l->buf + from, (to < l->len ? to : l->len) - from);
	return true;
}
