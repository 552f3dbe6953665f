/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.c - a packet's way from its bytes to its verdict
 *
 * The only file that knows the order of the steps:
 *
 *   packet_parse          bytes -> segment; what cannot be read is dropped
 *   meet_segment          segment -> session and its place there; conntrack is asked unless it is
 *                         the next one; what comes too early or too far is dropped, TCP repeats it
 *   engine_read_bytes     new bytes -> lines -> engine_on_line(): session, policy, quota; offer.c
 *                         installs the expectation and rewrites the line
 *   step_hold             the beginning of an offer is held until its line ends
 *   engine_apply_edits    segment -> what the receiver gets, now and in each retransmission
 *   engine_abort_segment  segment -> a RST, or one with nothing new, once a line was such that the
 *                         connection has to end
 *
 * A connection is reset by a RST towards the receiver alone: a packet can be replaced, not made. It
 * is in the place of the first byte that has not passed, which is the one the receiver waits for
 * (RFC 5961 section 3). The sender hears of it from the receiver's stack, which answers whatever
 * comes later with a RST of its own. Either may be lost, so every other later segment is made a
 * RST, and the ones between lose what is new in them: no new byte passes any more.
 */
#include "pasvd/engine.h"

#include <assert.h>
#include <string.h>

#include "pasvd/ondemand.h"

#include "meet.h"
#include "offer.h"
#include "sane.h"
#include "step.h"

enum { CODE_AND_SPACE = 4 };

static_assert((int)QUOTA_KEY_LEN == (int)CONNTAB_KEY_LEN, "both tables have the same key");

void engine_init(
	struct engine *h, const struct ct_ops *ct, const struct policy *policy, const uint8_t *key)
{
	h->ct = *ct;
	h->policy = policy;
	memset(h->count, 0, sizeof(h->count));
	memset(h->ports, 0, sizeof(h->ports));
	h->on_ended = NULL;
	h->on_evicted = NULL;
	h->on_adopted = NULL;
	memset(h->recent, 0, sizeof(h->recent));
	memset(&h->gaps, 0, sizeof(h->gaps));
	h->evicted = h->contested_until = 0;
	h->lossy = h->assumes_login = h->sees_all = false;
	conntab_init(&h->tab, key);
	quota_init(&h->quota, key);
	masters_init(&h->masters, key);
	syns_init(&h->syns, key);
}

void engine_forget(struct engine *h)
{
	conntab_forget(&h->tab);
	masters_init(&h->masters, h->tab.key);
}

/* Makes a command one that no server knows, so that it is refused where its user sees it: what has
 * not gone yet of its word becomes X, or if all of it has, its argument. */
static enum reason engine_mask_line(struct step *s, size_t at, enum reason why)
{
	const struct line *l = &s->stream->line;
	size_t end = at + FTP_VERB_LEN;

	if (!seq_after(l->start + (uint32_t)end, step_first_open(s)))
		end = strict_span(s->dir, l, false).to;
	if (!seq_after(l->start + (uint32_t)end, step_first_open(s)) ||
		edits_full(s->stream->edits))
		return REASON_TOO_LATE;
	return step_mask(s, at, end) ? why : REASON_CT_FAILED;
}

/* Masks the line at hand. What is held of an offer has not gone. */
static bool engine_mask(struct step *s, bool offers)
{
	const struct line *l = &s->stream->line;
	struct strict_span span = strict_span(s->dir, l, offers);
	bool is_late = seq_after(step_first_open(s), l->start + (uint32_t)span.last);

	if (span.from >= span.to)
		return true;
	return (!is_late || (offers && edits_held(s->stream->edits))) &&
	       step_mask(s, span.from, span.to);
}

/* From here on no new byte passes, this segment's included. */
static void engine_abort(struct step *s)
{
	offer_take_back(s, ENDING_CANCELLED);
	s->verdict->opened = false;
	s->stream->line.next = s->fresh;
	s->conn->aborted = true;
}

static enum reason engine_carry_out(struct step *s, struct strict_ruling ruling)
{
	enum strict_outcome outcome = ruling.outcome;

	if (outcome == STRICT_MASK && !engine_mask(s, ruling.offers))
		outcome = STRICT_RESET;
	if (outcome == STRICT_RESET)
		engine_abort(s);
	if (outcome > s->verdict->strict)
		s->verdict->strict = outcome;
	s->masked |= outcome == STRICT_MASK;
	return ruling.reason;
}

/* The client asks for TLS. */
static enum reason engine_on_auth(struct step *s, size_t at)
{
	return step_refuses_tls(s) ? engine_mask_line(s, at, REASON_TLS_REFUSED) : REASON_PASSED;
}

/* The connection is TLS from here on. */
static enum reason engine_on_secured(struct step *s)
{
	struct conn *c = s->conn;

	offer_take_back(s, ENDING_CANCELLED); /* when it is to be shut cannot be read any more */
	c->tls = true;
	c->guessed = false;
	c->hides = c->stream[DIR_ORIGINAL].closes = c->stream[DIR_REPLY].closes = false;
	ondemand_add(s->h, &c->view);
	return REASON_SECURED;
}

/* The server agrees to TLS; that is not `certain` if the AUTH, or the beginning of the reply, went
 * past. A server elsewhere may be a web page's own, and AUTH the method of a request that the page
 * had its visitor's browser send. Then, too, TLS is only what the client begins. */
static enum reason engine_on_agreed(struct step *s, bool certain)
{
	bool own = step_is_of_own_server(s);

	if (own && certain) {
		s->conn->records = (struct tls_place){.known = true};
		return engine_on_secured(s);
	}
	s->conn->session.begins_tls |= own || certain;
	return REASON_PASSED;
}

/* TLS that no AUTH came before, unless a predecessor saw it. On a port that is not for that, a web
 * page may have had its visitor's browser dial the page's own server. */
static enum reason engine_on_tls_found(struct step *s)
{
	const struct ct_view *view = &s->conn->view;

	if (!policy_is_implicit(s->h->policy, view->tuple[DIR_ORIGINAL].dst.port) &&
		!s->conn->session.begins_tls && !step_is_of_own_server(s))
		s->conn->session.distrusted = true;
	return engine_on_secured(s);
}

/* An offer that opens nothing, as `why` says. But it may repeat what opened the port that its
 * session has: then the receiver gets the same bytes again. */
static enum reason engine_redo(struct step *s, const struct ftp_offer *offer, enum reason why)
{
	return offer->len && offer_redo(s, offer) ? REASON_REPEATED : why;
}

/* A PORT that stands in the middle of what is no FTP, such as a web page's form, would be a line if
 * the bytes before it were lost. What comes first after a restart may be there already, as a
 * predecessor left it. */
static bool may_read_offer(const struct step *s)
{
	const struct line *l = &s->stream->line;

	if (s->dir == DIR_REPLY)
		return true;
	if (l->sync == LINE_RESUMED && s->fresh == l->first)
		return false;
	if (s->conn->unanchored && !step_is_of_own_server(s))
		return false;
	return !l->partial;
}

static enum reason engine_on_news(struct step *s, const struct session_news *news)
{
	if (news->overflow)
		offer_take_back(s, ENDING_CANCELLED);
	switch (news->event) {
	case SESSION_OFFER:
		if (may_read_offer(s))
			return offer_make(s, &news->offer);
		return engine_redo(s, &news->offer, REASON_NOT_FTP);
	case SESSION_DENIED:
		return offer_deny(s);
	case SESSION_CLOSED:
		offer_take_back(s, ENDING_CANCELLED);
		return REASON_PASSED;
	case SESSION_MASKED:
		return engine_mask_line(s, news->offer.at, REASON_LONG_FORM);
	case SESSION_AUTH:
		return engine_on_auth(s, news->offer.at);
	case SESSION_SECURED:
		return engine_on_agreed(s, true);
	case SESSION_AGREED:
		return engine_on_agreed(s, false);
	case SESSION_REFUSED:
		return engine_redo(s, &news->offer, news->reason);
	case SESSION_NOTHING:
		break;
	}
	return REASON_PASSED;
}

/* A command's word, and the space after it. */
static size_t engine_word_len(const struct line *l)
{
	const uint8_t *space = memchr(l->buf, ' ', l->len);

	return space ? (size_t)(space - l->buf) + 1 : l->len;
}

/* A whole line. Of one that is too long only the reply code, or the command's word, is read. What
 * is held and was not rewritten goes on. */
static enum reason engine_on_whole_line(struct step *s)
{
	struct session *session = &s->conn->session;
	const struct line *l = &s->stream->line;
	bool was_distrusted = session->distrusted;
	struct session_news news =
		s->dir == DIR_REPLY
			? session_reply(session, l->buf, l->overlong ? CODE_AND_SPACE : l->len)
			: session_command(
				  session, l->buf, l->overlong ? engine_word_len(l) : l->len);
	enum reason reason = engine_on_news(s, &news);

	if (l->partial) /* its beginning may have made it a command */
		session->distrusted = was_distrusted;
	else if (s->dir == DIR_ORIGINAL && !l->overlong) {
		/* who begins as a browser does is one */
		session->distrusted |= !s->conn->spoke && ftp_is_request_line(l->buf, l->len);
		s->conn->spoke = true;
	}
	if (!s->masked)
		reason = engine_carry_out(s, strict_offer(&s->h->policy->strict, reason));
	return s->conn->aborted ? reason : reason_worse(reason, step_release(s));
}

/* What is said first in a session met in its middle may be TLS, a client's until the server is
 * heard. */
static bool may_be_tls(const struct step *s)
{
	return s->dir == DIR_REPLY ? s->content != TLS_CLEAR
				   : !line_has_begun(&s->conn->stream[DIR_REPLY].line);
}

/* A line that is whole, or is too long by now; `judged` if it was before. */
static enum reason engine_on_line(struct step *s, bool judged)
{
	const struct strict *strict = &s->h->policy->strict;
	const struct line *l = &s->stream->line;
	enum reason reason = REASON_PASSED;

	s->masked = false;
	if (!judged && !l->partial && !may_be_tls(s))
		reason = engine_carry_out(s, strict_line(strict, &s->conn->session, s->dir, l));
	return l->whole && !s->conn->aborted ? reason_worse(reason, engine_on_whole_line(s))
					     : reason;
}

/* The server took AUTH in a way that means TLS if the client begins it, and it does. */
static bool begins_tls(const struct step *s)
{
	const struct line *l = &s->stream->line;

	return s->dir == DIR_ORIGINAL && s->conn->session.begins_tls && tls_begins(l->buf, l->len);
}

/* A reply whose beginning may have gone past. */
static enum reason engine_redo_reply(struct step *s)
{
	const struct line *l = &s->stream->line;
	struct session_news news =
		session_partial_reply(&s->conn->session, l->buf, l->overlong ? 0 : l->len);

	if (news.event == SESSION_SECURED || news.event == SESSION_AGREED)
		return engine_on_agreed(s, false);
	return engine_redo(s, &news.offer, REASON_PASSED);
}

/* A line that is still coming: if the daemon ends now, a successor sees the rest alone. */
static void engine_on_beginning(const struct step *s)
{
	const struct line *l = &s->stream->line;

	if (s->dir == DIR_ORIGINAL && l->len && !l->partial)
		session_command_begins(&s->conn->session, l->buf[0]);
}

static enum reason engine_read_bytes(struct step *s, const uint8_t *p, size_t n)
{
	struct line *l = &s->stream->line;
	enum reason reason = REASON_PASSED;

	while (n > 0) {
		bool judged = l->overlong;
		size_t used = line_feed(l, p, n);

		p += used;
		n -= used;
		if (begins_tls(s))
			return engine_on_secured(s);
		if ((!l->partial || s->dir == DIR_ORIGINAL) && (l->whole || l->overlong))
			reason = reason_worse(reason, engine_on_line(s, judged));
		else if (l->whole)
			reason = reason_worse(reason, engine_redo_reply(s));
		if (s->conn->tls || s->conn->aborted)
			return reason;
		if (!l->whole)
			break;
		line_next(l);
	}
	engine_on_beginning(s);
	return l->len ? reason_worse(reason, step_hold(s)) : reason;
}

/* What the receiver gets in place of the segment. */
static enum reason engine_apply_edits(
	const struct step *s, const struct seg *seg, struct packet *packet)
{
	long len = edits_apply(s->stream->edits, seg, packet->p, packet->cap);

	if (len < 0) {
		s->verdict->action = ACTION_DROP;
		return REASON_NO_ROOM;
	}
	if (len > 0) {
		s->verdict->action = ACTION_REPLACE;
		packet->len = (size_t)len;
	}
	return REASON_PASSED;
}

/* A segment of a connection that was reset, with bytes that may not pass; `skip` before them
 * have passed before. */
static enum reason engine_abort_segment(
	struct step *s, const struct seg *seg, struct packet *packet, size_t skip)
{
	struct stream *stream = s->stream;
	struct seg old = *seg;
	bool resets = !stream->was_reset;

	stream->was_reset = resets;
	s->verdict->action = ACTION_REPLACE;
	if (resets || !skip) {
		packet->len = edits_empty(stream->edits, seg, stream->line.next,
			resets ? SEG_RST | SEG_ACK : SEG_ACK, packet->p);
		return REASON_RESET;
	}
	old.payload_len = (uint16_t)skip;
	old.flags = SEG_ACK;
	packet->len = seg_seal(&old, packet->p);
	return reason_worse(REASON_RESET, engine_apply_edits(s, &old, packet));
}

/* The segment's bytes, as far as they are new. */
static enum reason engine_read_segment(
	struct step *s, const struct seg *seg, const struct packet *packet, size_t skip)
{
	s->fresh = seg->seq + (uint32_t)skip;
	s->last = seg->flags & SEG_FIN;
	if (s->stream->line.partial && !s->stream->line.len) { /* bytes went past us */
		edits_abandon(s->stream->edits);
		session_lost(&s->conn->session);
	}
	return engine_read_bytes(s, packet->p + seg->payload + skip, seg->payload_len - skip);
}

/* TCP repeats what is right. */
static bool is_refused(enum line_place where)
{
	return where == LINE_GAP || where == LINE_BEFORE || where == LINE_FAR;
}

/* A segment of a connection that we look after. */
static enum reason engine_pass_on(struct step *s, const struct seg *seg, struct packet *packet,
	enum line_place where, size_t skip)
{
	enum reason reason = REASON_REPEATED;

	if (is_refused(where) && !s->conn->aborted) {
		s->verdict->action = ACTION_DROP;
		return REASON_REORDERED;
	}
	if (seg->flags & SEG_ACK)
		meet_note_ack(s, seg->ack);
	if (where == LINE_NEW && !s->conn->aborted)
		reason = engine_read_segment(s, seg, packet, skip);
	else if (s->content == TLS_RECORD && !s->conn->tls && !s->conn->cleared)
		reason = engine_on_tls_found(s);
	else if (s->conn->tls || s->content != TLS_CLEAR)
		reason = REASON_ENCRYPTED;
	if (where != LINE_OLD && s->conn->aborted)
		return reason_worse(reason, engine_abort_segment(s, seg, packet, skip));
	return reason_worse(reason, engine_apply_edits(s, seg, packet));
}

/* The connection carries no ct helper. */
static enum reason engine_leave_alone(struct step *s, const struct seg *seg)
{
	/* so that conntrack need not be asked for the next one */
	line_begin(&s->stream->line, seg->seq + seg->payload_len);
	s->verdict->again = s->conn->reported;
	s->conn->reported = true;
	return REASON_NO_CT_HELPER;
}

static enum reason engine_read_packet(struct step *s, const struct seg *seg, struct packet *packet)
{
	enum line_place where;
	size_t skip = 0;
	enum ct_result result = meet_segment(s, seg, packet, &where, &skip);

	if (result != CT_OK)
		return result == CT_NONE ? REASON_NOT_TRACKED : REASON_CT_FAILED;
	s->verdict->known = true;
	s->verdict->view = s->conn->view;
	if (!s->conn->view.has_helper)
		return engine_leave_alone(s, seg);
	return engine_pass_on(s, seg, packet, where, skip);
}

/* Takes the request on which the ct helper would act out of what leaves here. */
static enum reason engine_remove_ct_helper_request(const struct step *s, struct packet *packet)
{
	bool foreign = s->conn && (s->dir != DIR_ORIGINAL || !s->conn->view.has_helper);

	if (foreign || s->verdict->action == ACTION_DROP || !sane_disarm(packet->p, &packet->len))
		return REASON_PASSED;
	s->verdict->action = ACTION_REPLACE;
	return REASON_CT_HELPER_REQUEST;
}

/* The packet is over. */
static void engine_leave_conn(const struct step *s)
{
	meet_note_trust(s);
	conntab_settle(&s->h->tab, s->conn);
}

int packet_parse(const struct packet *packet, uint16_t zone, struct seg *ret_seg)
{
	if (seg_parse(packet->p, packet->len, ret_seg) < 0)
		return -1;
	ret_seg->tuple.zone = zone;
	return packet->unverified && !seg_is_sound(ret_seg, packet->p) ? -1 : 0;
}

/* The rules queue SYNs of clients in the LAN; of anybody else only what has extension headers:
 * iptables has no way to look behind those for data. */
static bool is_syn_of_client(const struct seg *seg)
{
	return (seg->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN && !seg_has_extensions(seg);
}

/* Data in a SYN (RFC 7413) would pass before there is a session that it could be read in. TCP sends
 * it again without. */
void engine_packet(
	struct engine *h, struct packet *packet, uint64_t now, struct verdict *ret_verdict)
{
	struct step step = {.h = h, .now = now, .indev = packet->indev, .verdict = ret_verdict};
	enum reason reason = REASON_PASSED;
	struct seg seg;

	*ret_verdict = (struct verdict){.action = ACTION_PASS};
	if (packet_parse(packet, h->policy->zone, &seg) < 0) {
		reason = REASON_BAD_PACKET;
		ret_verdict->action = ACTION_DROP;
	} else if (seg.payload_len && seg.flags & SEG_SYN) {
		ret_verdict->action = ACTION_DROP;
		reason = REASON_REORDERED;
	} else if (is_syn_of_client(&seg)) {
		syns_add(&h->syns, &seg.tuple, seg.seq + 1, packet->indev);
	} else if (seg.payload_len) {
		reason = engine_read_packet(&step, &seg, packet);
		if (step.conn)
			engine_leave_conn(&step);
	}
	/* the ct helper reads the data of a SYN within a connection, too */
	if (reason != REASON_BAD_PACKET)
		reason = reason_worse(reason, engine_remove_ct_helper_request(&step, packet));
	ret_verdict->reason = reason;
	h->count[reason]++;
	if (ret_verdict->opened && reason != REASON_OPENED)
		h->count[REASON_OPENED]++;
}
