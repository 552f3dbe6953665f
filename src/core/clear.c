/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clear.c - where clear text begins again after TLS
 *
 * After CCC (RFC 4217 section 12.3) both sides close TLS with an alert, the client's first or the
 * server's. What the client sends is its own choice, and a reply may quote what it likes; so
 * nothing is read before the server has closed TLS, the server's text only right after its alert,
 * and the client's from a line end on unless it follows its own alert. An alert that went by while
 * no daemon ran is not known of: such a session stays what it was.
 *
 * A client knows the keys, so it can have anything stand within a record of the server, where a
 * segment may begin. So the server's records are followed from the first one on. Where that fails,
 * as the rules let most of them pass by if there are ports on demand, the end of TLS is guessed,
 * and no ports are opened but those.
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
	c->guessed = !c->records.known;
	session_start(&c->session, true, c->hides);
	if (line_has_begun(&other->line))
		line_skip(&other->line, other->line.next, other->closes);
	line_skip(&s->stream->line, seq, is_known);
}

/* What the `n` new bytes at `seq` are. The server's are alerts only where a record begins. */
static void clear_look(struct step *s, uint32_t seq, const uint8_t *p, size_t n, size_t *ret_skip)
{
	struct tls_place *records = &s->conn->records;

	s->content = tls_content(s->dir, p, n, ret_skip);
	if (s->dir == DIR_ORIGINAL)
		return;
	records->known = records->known && seq == s->stream->line.next;
	if (records->known && records->header) {
		s->content = TLS_UNCLEAR;
		*ret_skip = 0;
	}
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

/* The sequence number of the first byte that is new. */
static uint32_t clear_first_new(const struct line *l, uint32_t seq)
{
	return line_has_begun(l) && seq_after(l->next, seq) ? l->next : seq;
}

enum line_place clear_locate(
	struct step *s, const struct seg *seg, const uint8_t *payload, size_t *ret_skip)
{
	struct stream *stream = s->stream;
	uint32_t end = seg->seq + seg->payload_len, seq = clear_first_new(&stream->line, seg->seq);
	const uint8_t *p = payload + (seq - seg->seq);
	size_t alerts = 0;

	if (!seq_after(end, seq))
		return LINE_OLD;
	clear_look(s, seq, p, end - seq, &alerts);
	if (alerts) {
		stream->closes = true;
		stream->line.next = seq + (uint32_t)alerts;
	}
	if (is_clear(s, seq + (uint32_t)alerts, p[alerts])) {
		clear_begin(s, seq + (uint32_t)alerts);
		*ret_skip = seq - seg->seq + alerts;
		return LINE_NEW;
	}
	if (s->dir == DIR_REPLY) {
		s->conn->hides = false;
		tls_follow(&s->conn->records, p, end - seq);
	} else {
		s->conn->hides |= s->conn->stream[DIR_REPLY].closes && s->content != TLS_ALERT;
	}
	stream->closes = s->content == TLS_ALERT;
	line_skip(&stream->line, end, false);
	return LINE_OLD;
}
