/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.c - a run of a dialogue: the two ends, the router between them, and segments on their way
 *
 * A segment is built, handed to engine_packet(), adjusted as the kernel does, and put into the
 * receiver's stream; the receiver's ACK goes back through the kernel. A byte that the receiver has
 * already must be the same when it comes again, and every ACK must reach the sender as one for all
 * that it sent.
 */
#include "wire.h"

#include "packet.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const char *title, const uint8_t *p, size_t n)
{
	fprintf(stderr, "  %s \"", title);
	for (size_t i = 0; i < n; i++) {
		if (isprint(p[i]))
			fputc(p[i], stderr);
		else
			fprintf(stderr, "\\x%02x", p[i]);
	}
	fputs("\"\n", stderr);
}

__attribute__((format(printf, 2, 3), noreturn)) void fail(
	const struct run *r, const char *format, ...)
{
	const struct side *side = &r->side[r->step->dir];
	va_list ap;

	fprintf(stderr, "%s:%u: %s", r->d->name, r->step->line, r->how->name);
	if (r->cut_step)
		fprintf(stderr, " (line %u at %zu, %zu)", r->cut_step->line, r->cut[0], r->cut[1]);
	fputs(": ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	print_text("got ", side->byte, side->got);
	print_text("want", side->wanted, side->want);
	exit(1);
}

enum reason grade(enum reason r)
{
	return r == REASON_REPEATED || r == REASON_HELD || r == REASON_REORDERED ||
			       r == REASON_RESET
		       ? REASON_PASSED
		       : r;
}

/* --- the kernel and the two ends --- */

/* The place in front of the first byte is the SYN's. */
static void take_byte(struct run *r, struct side *side, int32_t pos, uint8_t byte)
{
	if (pos == -1)
		return;
	if (pos < 0 || pos >= STREAM_MAX)
		fail(r, "the receiver gets a byte at place %d of its stream", pos);
	if (side->have[pos] && side->byte[pos] != byte)
		fail(r, "byte %d was 0x%02x and is 0x%02x now", pos, side->byte[pos], byte);
	side->have[pos] = true;
	side->byte[pos] = byte;
}

/* Bytes that the sender has sent and does not find acknowledged. */
static int32_t unacked(const struct run *r, enum dir dir)
{
	const struct side *side = &r->side[dir];
	uint32_t ack = side->isn + (uint32_t)side->got;

	if (!r->d->untracked)
		ack = fake_ct_ack(r->conn, dir, ack);
	return (int32_t)(side->isn + (uint32_t)side->sent - ack);
}

void check_ack(const struct run *r, enum dir dir)
{
	if (unacked(r, dir) != 0)
		fail(r, "the sender has sent %zu bytes, and finds %d missing", r->side[dir].sent,
			unacked(r, dir));
}

/* A packet grows up to this length or not at all. */
static size_t grown_max(const struct run *r)
{
	return r->d->client.addr.family == ADDR_IP6 ? EDIT_GROWN_IP6 : EDIT_GROWN_IP4;
}

/* True if a packet of a reset connection was dealt with here: a RST, one that is empty, or one to a
 * receiver that is gone, whose stack answers with a RST (RFC 9293 section 3.10.7.1). A RST in
 * another place than that of the next byte has no effect (RFC 5961). */
static bool deliver_reset(struct run *r, struct side *side, const uint8_t *p, size_t n)
{
	bool is_reset = packet_flags(p) & SEG_RST;

	if (is_reset && packet_header_len(p) < n)
		fail(r, "a RST with payload");
	if (is_reset && packet_seq(p) == side->isn + (uint32_t)side->got)
		side->ended = true;
	else if (!is_reset && side->ended)
		r->told = true;
	return r->reset && (side->ended || packet_header_len(p) == n);
}

static void deliver(struct run *r, enum dir dir, uint8_t *p, size_t n)
{
	struct side *side = &r->side[dir];
	size_t header = packet_header_len(p);
	int32_t pos;

	if (!r->d->untracked)
		fake_ct_adjust(r->conn, dir, p, n);
	if (deliver_reset(r, side, p, n))
		return;
	if (header == n)
		fail(r, "the receiver gets a segment without payload, to which it will not answer");
	pos = (int32_t)(packet_seq(p) - side->isn);
	for (size_t i = header; i < n; i++)
		take_byte(r, side, pos++, p[i]);
	while (side->got < STREAM_MAX && side->have[side->got])
		side->got++;
	/* A packet that would have grown too long leaves off its end. */
	r->left_off = n >= grown_max(r) && unacked(r, dir) > 0;
	if (!r->disorder && !r->left_off && !r->reset)
		check_ack(r, dir);
}

/* --- one segment --- */

/* The sender acknowledges all that it received, and its packet carries the addresses that it has
 * before NAT.
 */
static struct packet_spec describe(
	const struct run *r, const struct step *s, size_t from, size_t to)
{
	const struct side *side = &r->side[s->dir], *other = &r->side[!s->dir];
	const struct dialogue *d = r->d;

	return (struct packet_spec){
		.tuple = s->dir == DIR_ORIGINAL
				 ? (struct tuple){.src = d->client, .dst = d->dialled}
				 : (struct tuple){.src = d->listener, .dst = d->seen},
		.seq = side->isn + (uint32_t)(r->offset[s - d->step] + from),
		.ack = other->isn + (uint32_t)other->got,
		.flags = SEG_ACK | SEG_PSH,
		.tcp_options = PACKET_TIMESTAMPS,
		.payload = s->sent.byte + from,
		.len = to - from,
	};
}

/* But for sequence number, payload and what follows from them the packet must be as it was. */
static void check_replaced(struct run *r, struct packet_spec *spec, const uint8_t *p, size_t n)
{
	static uint8_t again[PACKET_MAX];

	if (n > BUFFER || !packet_is_sound(p, n))
		fail(r, "the packet that replaces it is broken");
	if (r->step->resets)
		spec->flags = packet_flags(p);
	spec->seq = packet_seq(p);
	spec->payload = p + packet_header_len(p);
	spec->len = n - packet_header_len(p);
	if (packet_build(spec, again) != n || memcmp(again, p, n) != 0)
		fail(r, "the packet that replaces it differs in more than its payload");
}

static void check_verdict(struct run *r, const struct verdict *v)
{
	const struct expect *e = &r->ct.added[r->ct.addeds ? r->ct.addeds - 1 : 0];

	if (v->reason >= REASON_COUNT)
		fail(r, "reason %d", (int)v->reason);
	if (v->known && !tuple_eq(&v->view.tuple[DIR_ORIGINAL], &r->conn->view.tuple[DIR_ORIGINAL]))
		fail(r, "the verdict names another connection");
	if (v->reason == REASON_OPENED && !v->opened)
		fail(r, "opened, without saying so");
	if (!v->opened)
		return;
	if (!v->known || !r->ct.addeds)
		fail(r, "opened, without an expectation or a connection");
	if (v->announce.port != e->tuple.dst.port || !endpoint_eq(&v->listener, &e->nat) ||
		(!r->d->policy.n_external && !addr_eq(&v->announce.addr, &e->tuple.dst.addr)))
		fail(r, "the verdict says something else than the expectation");
}

enum action put_packet(struct run *r, const struct step *s, size_t from, size_t to, bool lost)
{
	struct packet_spec spec = describe(r, s, from, to);
	struct packet packet = {.p = r->buf,
		.len = packet_build(&spec, r->buf),
		.cap = BUFFER,
		.indev = r->indev[s->dir]};
	size_t end = r->offset[s - r->d->step] + to;
	struct verdict v;

	r->packets++;
	memcpy(r->orig, r->buf, packet.len);
	engine_packet(&r->engine, &packet, r->now++, &v);
	take_mark(&r->engine, &v);
	check_verdict(r, &v);
	r->last = v.reason;
	r->reset |= v.strict == STRICT_RESET;
	if (grade(v.reason) > r->greatest)
		r->greatest = grade(v.reason);
	if (v.action == ACTION_DROP)
		return v.action;
	if (end > r->side[s->dir].sent)
		r->side[s->dir].sent = end;
	if (v.action == ACTION_REPLACE)
		check_replaced(r, &spec, packet.p, packet.len);
	if (!lost)
		deliver(r, s->dir, v.action == ACTION_REPLACE ? packet.p : r->orig, packet.len);
	return v.action;
}

void put(struct run *r, const struct step *s, size_t from, size_t to)
{
	if (put_packet(r, s, from, to, false) == ACTION_DROP)
		fail(r, "bytes %zu to %zu of the segment are dropped", from, to);
	if (r->left_off) {
		size_t missing = (size_t)unacked(r, s->dir);

		if (missing >= to - from)
			fail(r, "the sender gets nowhere");
		put_packet(r, s, to - missing, to, false);
		check_ack(r, s->dir);
	}
}

void play_reset(struct run *r, const struct step *s)
{
	enum { TRIES = 5 };
	struct side *side = &r->side[s->dir];
	size_t before = side->want, missing;

	for (int i = 0; i < TRIES && !r->told; i++) {
		missing = (size_t)unacked(r, s->dir);
		put_packet(r, s, s->sent.len - missing, s->sent.len, false);
	}
	if (!side->ended || !r->told)
		fail(r, "the %s does not find that it is over",
			side->ended ? "sender" : "receiver");
	if (side->got >= before + s->received.len)
		fail(r, "all of the segment arrives");
	if (memcmp(side->byte + before, s->received.byte, side->got - before) != 0)
		fail(r, "the receiver has another text");
}

void put_again(struct run *r, const struct step *s, size_t from, size_t to)
{
	unsigned commits = r->ct.commits;

	put(r, s, from, to);
	if (r->ct.commits != commits)
		fail(r, "a retransmission was set in conntrack once more");
}
