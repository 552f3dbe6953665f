/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clear.c - where clear text begins again after TLS
 *
 * After CCC (RFC 4217 section 12.3) both sides close TLS with an alert, the client's first or the
 * server's. What the client sends is its own choice, and a reply may quote what it likes; so
 * nothing is read before the server has closed TLS, the server's text only right after its alert,
 * and the client's from a line end on unless it follows its own alert. An alert that went by while
 * no daemon ran is not known of: such a session stays what it was.
 */
#include "clear.h"

#include "pasvd/ondemand.h"

/* Whether clear text is read again after TLS. From a client behind us it may be what a web page had
 * its browser send to a server of the page's author, within TLS ("TLS poison"). */
static bool may_clear(const struct step *s)
{
	return step_is_of_own_server(s);
}

/* TLS has ended. A client that went on with something like TLS after the server had ended it may
 * have hidden a command. */
static void clear_begin(struct step *s, uint32_t seq)
{
	struct conn *c = s->conn;
	struct stream *other = &c->stream[dir_opposite(s->dir)];
	bool is_known = s->stream->closes && seq == s->stream->line.next;

	ondemand_del(s->h, &c->view);
	c->tls = false;
	c->cleared = true;
	session_start(&c->session, true, c->hides);
	if (line_has_begun(&other->line))
		line_skip(&other->line, other->line.next, other->closes);
	line_skip(&s->stream->line, seq, is_known);
}

/* Whether what stands at `seq` is clear text again. The client does not say where: the server's
 * closing alert does, and its first clear byte follows that at once. */
static bool is_clear(const struct step *s, uint32_t seq, uint8_t first)
{
	const struct stream *server = &s->conn->stream[DIR_REPLY];

	if (!server->closes || !may_clear(s) || s->content == TLS_ALERT)
		return false;
	if (s->dir == DIR_ORIGINAL)
		return s->content != TLS_RECORD;
	return seq == server->line.next && first >= '1' && first <= '5';
}

enum line_place clear_locate(struct step *s, const struct seg *seg, const uint8_t *payload,
	size_t skip, size_t *ret_skip)
{
	struct stream *stream = s->stream;
	uint32_t seq = seg->seq + (uint32_t)skip, end = seg->seq + seg->payload_len;

	if (line_has_begun(&stream->line) && !seq_after(end, stream->line.next))
		return LINE_OLD;
	if (skip) {
		stream->closes = true;
		stream->line.next = seq;
	}
	if (is_clear(s, seq, payload[skip])) {
		clear_begin(s, seq);
		return line_place(&stream->line, seq, seg->payload_len - skip, ret_skip);
	}
	if (s->dir == DIR_REPLY)
		s->conn->hides = false;
	else
		s->conn->hides |= s->conn->stream[DIR_REPLY].closes && s->content != TLS_ALERT;
	stream->closes = s->content == TLS_ALERT;
	line_skip(&stream->line, end, false);
	return LINE_OLD;
}
