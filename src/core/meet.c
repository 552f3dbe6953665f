/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meet.c - which session a segment belongs to, and where in it
 *
 * The table is a cache. A segment that is exactly the next one of its entry needs no more; for any
 * other conntrack is asked. An entry there without any of our bits (trust.h) is a session of which
 * nothing has passed: it begins with its first data, and nobody is logged in. So does one that the
 * rules have marked at its SYN, if we have seen that. One with the bit `seen` that the table does
 * not have goes on as its mark says, and its lines are read from the next line end on. So are those
 * of one of which something passed that nobody read, as the rules note in the mark, or may have.
 *
 * Bytes may go past us at any time: what a predecessor saw and what it did not, or while a firewall
 * is reloaded. TCP does not send them again once their receiver has them, so what is read goes on
 * after them: with what the receiver acknowledges, when the sender repeats only what comes after
 * them, or when a server goes on after a predecessor has seen more than what came again. What the
 * receiver has is refused should it come, so that nobody can have it pass unread; what a
 * predecessor of ours may have seen of a server passes.
 */
#include "meet.h"

#include "pasvd/ondemand.h"
#include "pasvd/seqadj.h"

#include "clear.h"
#include "evict.h"
#include "offer.h"

/* Whether a record says that the connection is TLS, if that is not known: on a port for that, or
 * from the server where nothing was heard of it before. What a client alone says may be a web
 * page's (see ftp_is_command()). */
static bool proves_tls(const struct step *s)
{
	return s->dir == DIR_REPLY ||
	       policy_is_implicit(s->h->policy, s->conn->view.tuple[DIR_ORIGINAL].dst.port);
}

static void meet_forget(struct step *s)
{
	if (s->conn->tls)
		ondemand_del(s->h, &s->conn->view);
	offer_name_end(s->h, s->conn, false);
	conntab_del(&s->h->tab, s->conn);
	s->conn = NULL;
}

/* As the kernel has it. */
static const struct seqadj *meet_shift(const struct conn *c, enum dir dir)
{
	const struct edits *es = c->stream[dir].edits;

	return es ? &es->kernel : &c->view.seqadj[dir];
}

/* Where the next byte of `dir` is, in its sender's numbers: its receiver waits for it. */
static uint32_t meet_awaited(const struct conn *c, enum dir dir, uint32_t ack)
{
	const struct seqadj *a = meet_shift(c, dir);
	bool is_after = seq_after(ack - (uint32_t)a->before, a->pos);

	return ack - (uint32_t)(is_after ? a->after : a->before);
}

/* A session that some predecessor of this entry has seen: nothing is known of it but what the mark
 * says. Lines are read from the next line end on. Whoever could choose where a line begins could
 * have a part of a quoted name taken for a reply; and what conntrack says of that is the client's
 * choice, since what it has acknowledged it need not have got. */
static void meet_resume(struct step *s, unsigned trust)
{
	struct conn *c = s->conn;

	session_start(&c->session, trust & TRUST_LOGGED_IN, trust & TRUST_DISTRUSTED);
	for (int i = 0; i < 2; i++)
		line_join(&c->stream[i].line);
	c->spoke = trust & TRUST_SEEN;
	c->shifted = trust & TRUST_SHIFTED;
	c->session.begins_tls = trust & TRUST_AGREED;
	c->tls = trust & TRUST_TLS;
	if (c->tls)
		ondemand_add(s->h, &c->view);
}

/* What the client said unread may have been a web page's form, unless the server is ours: with the
 * client's next packet that is known. */
static void meet_settle_unread(const struct step *s)
{
	struct conn *c = s->conn;

	if (!c->unread || s->dir != DIR_ORIGINAL)
		return;
	c->unread = false;
	c->session.distrusted = !step_is_of_own_server(s);
}

/* A session of which nothing has passed: its first data begins a line, and the other direction's
 * does where its receiver waits for it; the client's in any case at `first`, where its SYN said,
 * unless NULL. */
static void meet_begin(struct step *s, const struct seg *seg, const uint32_t *first)
{
	struct conn *c = s->conn;
	enum dir other = dir_opposite(s->dir);
	const struct seqadj *adjusted = &c->view.seqadj[other];
	bool is_anchored = seg->flags & SEG_ACK && !adjusted->before && !adjusted->after;

	/* no predecessor of ours has done anything */
	c->inherited = c->stream[DIR_ORIGINAL].compared = c->stream[DIR_REPLY].compared = true;
	c->session = (struct session){0};
	if (s->h->assumes_login)
		session_start(&c->session, true, false);
	line_init(&c->stream[s->dir].line, false, 0);
	line_init(&c->stream[other].line, is_anchored, seg->ack);
	if (first)
		line_init(&c->stream[DIR_ORIGINAL].line, true, *first);
	/* if no SYNs come by, a client that waits for the greeting is anchored by that */
	c->unanchored =
		!first && !s->h->assumes_login && (s->h->syns.any || s->dir == DIR_ORIGINAL);
}

/* `seq` is far from what came last in that direction, as numbers of another connection are. */
static bool is_elsewhere(const struct conn *c, enum dir dir, uint32_t seq)
{
	const struct line *l = &c->stream[dir].line;

	return line_has_begun(l) && line_is_far(seq, l->next);
}

/* Whether the segment is the next one of the entry's session, as those of another with the same
 * tuple hardly ever are. */
static bool is_next(const struct step *s, const struct seg *seg)
{
	const struct line *l = &s->conn->stream[s->dir].line;

	return (line_has_begun(l) || l->sync == LINE_AWAITED) && seg->seq == l->next &&
	       !is_elsewhere(s->conn, dir_opposite(s->dir), seg->ack);
}

/* The entry is of the connection that conntrack has. Its id hashes an address, which the next
 * connection may get again; but that has not been seen. If this has not either, as its client has
 * not spoken, the next one has a SYN of its own; or if pasvd may see none, other numbers. */
static bool is_same(const struct step *s, const struct ct_view *view, const struct seg *seg)
{
	const struct conn *c = s->conn;
	uint32_t mask = s->h->policy->connmark;
	unsigned trust = trust_of_mark(mask, view->mark);

	if (view->id != c->view.id)
		return false;
	if (!mask || trust & TRUST_SEEN)
		return true;
	return trust == c->trust && !syns_have(&s->h->syns, &view->tuple[DIR_ORIGINAL]) &&
	       !(c->unread && (is_elsewhere(c, s->dir, seg->seq) ||
				      is_elsewhere(c, dir_opposite(s->dir), seg->ack)));
}

/* Whether something of the session may have passed before that nobody has seen. */
static bool may_be_unread(unsigned trust, bool is_syn_known)
{
	if (trust & TRUST_SEEN)
		return false;
	return trust & TRUST_BEGUN ? !is_syn_known : trust != 0;
}

/* Where the client's stream begins, as its SYN said. One that is far from what comes was that of an
 * earlier connection of the tuple. */
static bool meet_take_syn(
	struct engine *h, const struct ct_view *view, const struct seg *seg, uint32_t *ret_first)
{
	const struct tuple *original = &view->tuple[DIR_ORIGINAL];
	uint32_t at = tuple_eq(original, &seg->tuple) ? seg->seq : seg->ack;

	return syns_take(&h->syns, original, ret_first) && !line_is_far(at, *ret_first);
}

static void meet_add(struct step *s, const struct seg *seg, const struct ct_view *view)
{
	struct engine *h = s->h;
	uint32_t first;
	bool is_syn_known = meet_take_syn(h, view, seg, &first);

	evict_make_room(h);
	s->conn = conntab_add(&h->tab, view, s->now);
	s->conn->trust = (uint8_t)trust_of_mark(h->policy->connmark, view->mark);
	if (s->conn->trust & TRUST_LOGGED_IN)
		conntab_log_in(&h->tab, s->conn);
	s->dir = tuple_eq(&view->tuple[DIR_ORIGINAL], &seg->tuple) ? DIR_ORIGINAL : DIR_REPLY;
	s->conn->indev[DIR_ORIGINAL] = is_syn_known ? h->syns.indev : 0;
	s->conn->unread = may_be_unread(s->conn->trust, is_syn_known);
	if (s->conn->trust & TRUST_SEEN)
		meet_resume(s, s->conn->trust);
	else if (s->conn->unread)
		meet_resume(s, 0);
	else
		meet_begin(s, seg, is_syn_known ? &first : NULL);
}

/* The connection of the segment. Conntrack is asked unless the segment is the next one of a session
 * that is known. */
static enum ct_result meet_conn(struct step *s, const struct seg *seg)
{
	const struct ct_ops *ct = &s->h->ct;
	struct ct_view view;
	enum ct_result result;

	s->conn = conntab_find(&s->h->tab, &seg->tuple, s->now, &s->dir);
	if (s->conn && is_next(s, seg))
		return CT_OK;
	result = ct->get(ct->ctx, &seg->tuple, &view);
	if (s->conn && (result == CT_FAIL || (result == CT_OK && is_same(s, &view, seg))))
		return CT_OK;
	if (s->conn)
		meet_forget(s);
	if (result == CT_OK)
		meet_add(s, seg, &view);
	return result;
}

/* A client in the LAN stays there: what comes in its name elsewhere somebody else has sent. */
static void meet_note_indev(const struct step *s)
{
	uint32_t *indev = &s->conn->indev[s->dir], lan = s->h->syns.indev;

	if (s->dir == DIR_REPLY || !lan || *indev != lan)
		*indev = s->indev;
}

/* Bytes of `dir` before `seq` went past us. Those with which a client behind us began may have been
 * a web page's form, of which the page's server says that it has them. That those of a server did,
 * the client may say when it likes. */
static void meet_pass(const struct step *s, enum dir dir, uint32_t seq)
{
	line_pass(&s->conn->stream[dir].line, seq);
	if (dir == DIR_REPLY)
		session_missed_reply(&s->conn->session);
	else if (!s->conn->spoke)
		s->conn->session.distrusted |= !step_is_of_own_server(s);
}

/* Whether the sender, which waits for `awaited`, has bytes of the other side that went past us. */
static bool meet_lacks(const struct step *s, uint32_t awaited)
{
	const struct conn *c = s->conn;

	return !c->tls && !c->aborted && !s->h->assumes_login &&
	       line_lacks(&c->stream[dir_opposite(s->dir)].line, awaited);
}

/* Where lines are refused, a client could have one put together that nobody has read. */
static bool meet_believes_sender(const struct step *s)
{
	return s->dir == DIR_REPLY ||
	       (!strict_refuses(&s->h->policy->strict) && !step_refuses_tls(s));
}

/* The receiver has what comes before a segment: the sender goes on with an answer to it, which went
 * past, too; or repeats what comes after it, and has read about as much as has come by: nobody who
 * only guesses knows how much. */
static bool meet_receiver_has(const struct step *s, const struct seg *seg, uint32_t seq)
{
	enum dir other = dir_opposite(s->dir);
	uint32_t awaited = meet_awaited(s->conn, other, seg->ack);
	struct engine *h = s->h;

	if (!(seg->flags & SEG_ACK) || s->conn->aborted)
		return false;
	if (meet_lacks(s, awaited))
		return true;
	return meet_believes_sender(s) && !is_elsewhere(s->conn, other, awaited) &&
	       gaps_went_past(&h->gaps, h->tab.key, &seg->tuple, s->stream->line.next, seq, s->now);
}

/* What comes before a segment went past us and does not come any more: in a capture; or the server
 * goes on after what a predecessor saw; or the receiver has it. Then lines are read from the next
 * line end on. */
static bool meet_skip_gap(const struct step *s, const struct seg *seg, uint32_t seq)
{
	struct line *l = &s->stream->line;
	bool is_resumed = s->dir == DIR_REPLY && l->sync == LINE_RESUMED;

	if (s->h->lossy || is_resumed)
		line_skip(l, seq, false);
	else if (meet_receiver_has(s, seg, seq))
		meet_pass(s, s->dir, seq);
	else
		return false;
	return true;
}

/* What was read before the beginning of its stream came is next: the session goes on behind it. */
static void meet_rejoin(struct conn *c)
{
	for (int dir = 0; dir < 2; dir++) {
		if (!line_rejoin(&c->stream[dir].line))
			continue;
		session_lost(&c->session);
		c->session.greeted |= dir == DIR_REPLY; /* in part at least */
	}
}

/* Whether a segment may be the beginning, though what follows it was read before. Not if something
 * of that was rewritten. */
static bool meet_may_restart(const struct step *s)
{
	return !s->stream->edits->n && meet_believes_sender(s);
}

/* Bytes that lie right before those which were the first after a restart: a sender may repeat what
 * it sent last before the rest (RFC 8985 section 7). A predecessor may have made an offer in them,
 * of which the receiver has nothing. */
static bool meet_repeats(const struct step *s, uint32_t seq, size_t len)
{
	const struct line *l = &s->stream->line;
	const struct seqadj *a = meet_shift(s->conn, s->dir);

	return l->sync == LINE_RESUMED && seq_after(l->first, seq) &&
	       !seq_after(l->first, seq + (uint32_t)len) && !s->stream->compared &&
	       !s->stream->edits->n && a->before != a->after && !s->conn->aborted;
}

/* The place of a segment in lines. What comes before the first byte that was read, before its
 * receiver can have that, is the beginning; the session begins anew with it. */
static enum line_place meet_locate_line(
	struct step *s, const struct seg *seg, size_t skip, size_t *ret_skip)
{
	uint32_t seq = seg->seq + (uint32_t)skip;
	size_t len = seg->payload_len - skip;
	struct line *l = &s->stream->line;
	enum line_place where = line_place(l, seq, len, ret_skip);

	if (where == LINE_BEFORE && meet_may_restart(s) && line_restart(l, seq)) {
		session_start(&s->conn->session, false, s->conn->session.distrusted);
		where = line_place(l, seq, len, ret_skip);
	} else if ((where == LINE_GAP && meet_skip_gap(s, seg, seq)) ||
		   (meet_repeats(s, seq, len) && line_restart(l, seq))) {
		where = line_place(l, seq, len, ret_skip);
	}
	return where;
}

/* The segment's place in what is read. Behind TLS that has ended a record is a repeated one. */
static enum line_place meet_locate(
	struct step *s, const struct seg *seg, const uint8_t *payload, size_t *ret_skip)
{
	struct line *l = &s->stream->line;
	size_t skip = 0;
	enum line_place where;

	s->content = TLS_CLEAR;
	if (s->conn->tls)
		return clear_locate(s, seg, payload, ret_skip);
	if (!line_has_begun(l) && !s->conn->aborted)
		s->content = tls_content(s->dir, payload, seg->payload_len, &skip);
	if (s->content == TLS_ALERT ||
		(s->content == TLS_RECORD && (s->conn->cleared || proves_tls(s))))
		where = LINE_OLD;
	else
		where = meet_locate_line(s, seg, skip, ret_skip);
	*ret_skip += where == LINE_NEW ? skip : 0;
	return where;
}

enum ct_result meet_segment(struct step *s, const struct seg *seg, const struct packet *packet,
	enum line_place *ret_place, size_t *ret_skip)
{
	enum ct_result result = meet_conn(s, seg);

	if (result != CT_OK)
		return result;
	meet_note_indev(s);
	meet_settle_unread(s);
	meet_rejoin(s->conn);
	offer_name_end(s->h, s->conn, true);
	s->stream = &s->conn->stream[s->dir];
	evict_lend(s->h, s->conn, s->dir);
	*ret_place = meet_locate(s, seg, packet->p + seg->payload, ret_skip);
	return CT_OK;
}

/* The receiver has what was made longer or shorter. Of what a predecessor did only the kernel's
 * shift is known. */
static bool is_shift_acked(const struct conn *c, enum dir dir, uint32_t ack)
{
	const struct edits *es = c->stream[dir].edits;
	const struct seqadj *a = meet_shift(c, dir);

	if (es && es->n)
		return edits_are_settled(es);
	return a->before == a->after || seq_after(ack, a->pos + (uint32_t)a->before);
}

void meet_note_ack(const struct step *s, uint32_t ack)
{
	struct conn *c = s->conn;
	enum dir dir = dir_opposite(s->dir);
	struct stream *other = &c->stream[dir];
	uint32_t awaited = meet_awaited(c, dir, ack);

	if (meet_lacks(s, awaited))
		meet_pass(s, dir, awaited);
	line_acked(&other->line, awaited);
	if (other->edits)
		edits_acked(other->edits, ack);
	else
		other->settled |= is_shift_acked(c, dir, ack);
	if (c->shifted && s->dir == DIR_REPLY)
		c->shifted = !is_shift_acked(c, dir, ack);
}

/* The mark goes on saying that something may have passed unread until it is known of whom; and that
 * the connection has begun until its client has said what no web page can have a browser say. Else
 * a successor could take the rest of a form for FTP. If its beginning did not pass, as no daemon
 * ran, the page's server can acknowledge that all the same. */
static bool meet_knows_trust(const struct step *s)
{
	const struct conn *c = s->conn;
	bool has_spoken = c->spoke || c->tls || c->session.distrusted;

	return c->view.has_helper && !c->unread && (has_spoken || !(c->trust & TRUST_BEGUN));
}

/* What the connection's mark is to say. A session whose server is within a reply counts as one that
 * has to log in again: its rest may quote names. So does one that is about to become TLS. One that
 * only may be clear text again counts as TLS. */
static unsigned meet_trust(const struct step *s)
{
	const struct conn *c = s->conn;
	bool may_be_tls = c->tls || c->guessed;
	bool may_offer = c->session.logged_in && !c->session.distrusted && !may_be_tls;

	if (c->session.begins_tls && !c->session.distrusted && !c->tls && !c->shifted)
		return TRUST_SEEN | TRUST_AGREED;
	return TRUST_SEEN | (may_be_tls ? TRUST_TLS : 0) |
	       (c->session.distrusted ? TRUST_DISTRUSTED : 0) |
	       (may_offer && !c->session.multi ? TRUST_LOGGED_IN : 0) |
	       (may_offer && c->shifted ? TRUST_SHIFTED : 0);
}

void meet_note_trust(const struct step *s)
{
	struct conn *c = s->conn;
	unsigned trust = meet_trust(s);

	if (trust == c->trust || !meet_knows_trust(s))
		return;
	c->trust = (uint8_t)trust;
	if (trust & TRUST_LOGGED_IN)
		conntab_log_in(&s->h->tab, c);
	s->verdict->mark_mask = s->h->policy->connmark;
	s->verdict->mark = trust_to_mark(s->verdict->mark_mask, trust);
}
