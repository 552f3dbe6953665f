/* SPDX-License-Identifier: GPL-2.0-or-later */
/* talk.h - connections that talk through the helper, for the tests of engine_packet()
 *
 * Each program that includes it has one helper and one conntrack. A talk is one connection; what
 * either side says goes through the helper at once, and the packet that comes out is in `buf`.
 */
#ifndef PASVD_TESTS_TALK_H
#define PASVD_TESTS_TALK_H

#include "fake_ct.h"
#include "guard.h"
#include "login.h"
#include "packet.h"
#include "pasvd/engine.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

enum { CAP = 2048, ROOM = 64 };

static const uint8_t key[CONNTAB_KEY_LEN] = {42};

static struct engine engine;
static struct fake_ct ct;
static struct verdict verdict;
static uint8_t buf[CAP];
static size_t len; /* of the packet in buf after the last verdict */
static uint64_t now;
static uint32_t indev[2]; /* by enum dir: where packets come in; 0: not known */
static uint32_t came_in;  /* where the packet in buf did */
static bool logs_in;      /* somebody does on each connection before it talks */

static inline void start(void)
{
	struct ct_ops ops;

	fake_ct_init(&ct);
	ops = fake_ct_ops(&ct);
	engine_init(&engine, &ops, &policy_default, key);
	now = 1;
	indev[0] = indev[1] = came_in = 0;
	logs_in = true;
}

/* A connection and where its two streams are. */
struct talk {
	struct fake_conn *conn;
	uint32_t seq[2];
};

static inline struct talk talk_as(
	const char *client, const char *dialled, const char *listener, const char *seen)
{
	struct endpoint c = packet_endpoint(client), d = packet_endpoint(dialled),
			r = packet_endpoint(listener), s = packet_endpoint(seen);

	struct talk t = {fake_ct_connect(&ct, &c, &d, &r, &s), {1000, 2000}};

	if (logs_in)
		login(&engine, t.conn, t.seq, now);
	ct.gets = 0;
	return t;
}

static inline struct talk talk_to(const char *client, const char *dialled, const char *listener)
{
	return talk_as(client, dialled, listener, client);
}

/* A client behind a masquerading router. */
static inline struct talk masqueraded(const char *client, const char *seen)
{
	return talk_as(client, "192.0.2.10:21", "192.0.2.10:21", seen);
}

static inline struct talk talk(void)
{
	return talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
}

/* Hands the packet in buf to the helper, in memory that ends where its room ends. */
static inline enum reason hand_over(size_t n, size_t cap)
{
	uint8_t *p = guard_copy(NULL, cap);
	struct packet packet = {.p = p, .len = n, .cap = cap, .indev = came_in};

	memcpy(p, buf, n);
	unit_mark(&verdict, sizeof(verdict));
	engine_packet(&engine, &packet, now++, &verdict);
	take_mark(&engine, &verdict);
	ck_assert_uint_le(packet.len, cap);
	len = verdict.action == ACTION_REPLACE ? packet.len : n;
	if (verdict.action == ACTION_REPLACE) {
		memcpy(buf, p, len);
		ck_assert(packet_is_sound(buf, len));
	}
	guard_free(p, cap);
	return verdict.reason;
}

static inline size_t build(
	const struct talk *t, enum dir dir, uint8_t flags, const void *payload, size_t n)
{
	struct packet_spec spec = {
		.tuple = t->conn->view.tuple[dir],
		.seq = t->seq[dir],
		.ack = t->seq[!dir],
		.flags = flags,
		.payload = payload,
		.len = n,
	};

	came_in = indev[dir];
	return packet_build(&spec, buf);
}

static inline enum reason say_bytes(struct talk *t, enum dir dir, const void *payload, size_t n)
{
	enum reason reason = hand_over(build(t, dir, SEG_ACK, payload, n),
		PACKET_IP_HEADER + PACKET_TCP_HEADER + n + ROOM);

	t->seq[dir] += (uint32_t)n;
	return reason;
}

static inline enum reason client(struct talk *t, const char *text)
{
	return say_bytes(t, DIR_ORIGINAL, text, strlen(text));
}

static inline enum reason server(struct talk *t, const char *text)
{
	return say_bytes(t, DIR_REPLY, text, strlen(text));
}

/* A session of client number `i`, from its port number `n`. */
static inline struct talk visit(unsigned i, unsigned n)
{
	char from[32];

	snprintf(from, sizeof(from), "198.51.100.%u:%u", i, 40000 + n);
	return talk_to(from, "203.0.113.1:21", "10.0.0.2:21");
}

/* What becomes of the reply to its PASV. */
static inline enum reason ask_for_port(struct talk *t, unsigned port)
{
	char reply[64];

	snprintf(reply, sizeof(reply), "227 x (10,0,0,2,%u,%u)\r\n", port / 256, port % 256);
	client(t, "PASV\r\n");
	return server(t, reply);
}

static inline void payload_is(const char *text)
{
	size_t header = packet_header_len(buf);

	ck_assert_uint_eq(len - header, strlen(text));
	ck_assert_mem_eq(buf + header, text, len - header);
}

#endif
