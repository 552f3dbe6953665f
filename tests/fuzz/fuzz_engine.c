/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_engine.c - packets into engine_packet()
 *
 * The input is a list of packets: what it is, where in its stream, how long, and its bytes. They
 * belong to two connections of one client, so that ports clash: over IPv4, or over IPv6 if the
 * input begins with '6'. With an 's', the outcomes of strict mode follow. The router translates
 * both the server and the client. Some are given to the helper as they are, as packet bytes.
 */
#include "fake_ct.h"
#include "fuzz.h"
#include "guard.h"
#include "login.h"
#include "packet.h"
#include "pasvd/engine.h"

#include <string.h>

enum { CAP = 1024, CONNECTIONS = 2, PAYLOAD_MAX = 255, IDLE_MS = 3600000 };

enum {
	IS_REPLY = 1,
	IS_SECOND = 2,
	IS_RAW = 4,
	IS_LATE = 8,
	HAS_FIN = 16,
	FAILS = 32,
	IS_TIGHT = 64
};

static struct engine engine;

struct world {
	struct fake_ct ct;
	uint32_t next[CONNECTIONS][2];
	uint64_t now;
	struct policy policy;
	uint8_t *room; /* CAP bytes at the end of readable memory */
};

static void start(struct world *w, bool is_ip6)
{
	static const uint8_t key[CONNTAB_KEY_LEN] = {3};
	static const struct ends {
		const char *client, *dialled, *real, *seen;
	} ends[2][CONNECTIONS] = {
		{{"192.168.1.5:1", "203.0.113.1:21", "10.0.0.2:21", "198.51.100.2:1"},
			{"192.168.1.5:2", "203.0.113.1:21", "10.0.0.3:21", "198.51.100.2:2"}},
		{{"[fd00::5]:1", "[2001:db8::1]:21", "[fd01::2]:21", "[2001:db8:1::2]:1"},
			{"[fd00::5]:2", "[2001:db8::1]:21", "[fd01::3]:21", "[2001:db8:1::2]:2"}},
	};
	struct ct_ops ops;

	fake_ct_init(&w->ct);
	for (int i = 0; i < CONNECTIONS; i++) {
		const struct ends *e = &ends[is_ip6][i];
		struct endpoint client = packet_endpoint(e->client),
				dialled = packet_endpoint(e->dialled),
				real = packet_endpoint(e->real), seen = packet_endpoint(e->seen);

		fake_ct_connect(&w->ct, &client, &dialled, &real, &seen);
	}
	ops = fake_ct_ops(&w->ct);
	engine_init(&engine, &ops, &w->policy, key);
	for (int i = 0; i < CONNECTIONS; i++)
		login(&engine, &w->ct.conn[i], w->next[i], w->now);
}

/* No port may be opened but a high one, at one end, for the other. */
static void check_expect(const struct expect *e, const struct ct_view *v)
{
	const struct tuple *theirs = &v->tuple[e->nat_dir], *ours = &v->tuple[!e->nat_dir];

	REQUIRE(addr_eq(&e->tuple.src.addr, &theirs->src.addr));
	REQUIRE(e->tuple.src.port == 0 || e->tuple.src.port == e->nat.port);
	REQUIRE(addr_eq(&e->tuple.dst.addr, &theirs->dst.addr));
	REQUIRE(addr_eq(&e->nat.addr, &ours->src.addr));
	REQUIRE(e->tuple.dst.port >= POLICY_LOWEST_PORT && e->nat.port >= POLICY_LOWEST_PORT);
}

static void check_expects(struct world *w)
{
	for (; w->ct.addeds > 0; w->ct.addeds--) {
		const struct expect *e = &w->ct.added[w->ct.addeds - 1];

		check_expect(e, &w->ct.conn[e->master.src.port - 1].view);
	}
}

static void check_verdict(const struct verdict *v, const struct packet *packet)
{
	REQUIRE(v->reason < REASON_COUNT);
	REQUIRE(v->action == ACTION_PASS || v->action == ACTION_REPLACE ||
		v->action == ACTION_DROP);
	REQUIRE(v->action != ACTION_DROP || v->reason == REASON_BAD_PACKET ||
		v->reason >= REASON_REORDERED);
	REQUIRE(v->reason != REASON_OPENED || v->opened);
	REQUIRE(!v->opened || v->known);
	if (v->action == ACTION_REPLACE) {
		REQUIRE(packet->len <= packet->cap && packet_is_sound(packet->p, packet->len));
		REQUIRE(packet->len > packet_header_len(packet->p) || v->reason == REASON_RESET ||
			v->strict == STRICT_RESET);
	}
}

/* Nothing new passes on a connection that was reset. `was` is the packet as it came. */
static void check_cut(const struct world *w, const struct verdict *v, const struct packet *packet,
	const uint8_t *was, size_t n)
{
	struct conn *conn;
	struct seg seg;
	uint32_t next;
	enum dir dir;

	if (!v->known || seg_parse(was, n, &seg) < 0)
		return;
	conn = conntab_find(&engine.tab, &seg.tuple, w->now, &dir);
	REQUIRE(conn != NULL);
	next = conn->stream[dir].line.next;
	if (!conn->aborted || v->action == ACTION_DROP ||
		!seq_after(seg.seq + seg.payload_len, next))
		return;
	REQUIRE(v->action == ACTION_REPLACE);
	if (!seq_after(next, seg.seq))
		REQUIRE(packet->len == packet_header_len(packet->p));
}

static void hand_over(struct world *w, const uint8_t *bytes, size_t n, size_t cap)
{
	uint8_t *p = w->room + CAP - cap;
	struct packet packet = {.p = p, .len = n, .cap = cap};
	struct verdict v;

	memcpy(p, bytes, n);
	engine_packet(&engine, &packet, w->now, &v);
	take_mark(&engine, &v);
	check_verdict(&v, &packet);
	check_cut(w, &v, &packet, bytes, n);
	check_expects(w);
}

static size_t build(struct world *w, unsigned what, struct input *in, uint8_t *buf)
{
	int which = what & IS_SECOND ? 1 : 0, dir = what & IS_REPLY ? DIR_REPLY : DIR_ORIGINAL;
	uint32_t *next = &w->next[which][dir];
	uint32_t seq = *next + take_distance(in);
	size_t n, wanted = take_byte(in);
	struct packet_spec spec = {
		.tuple = w->ct.conn[which].view.tuple[dir],
		.seq = seq,
		.ack = w->next[which][!dir],
		.flags = what & HAS_FIN ? SEG_ACK | SEG_FIN : SEG_ACK,
		.payload = take_bytes(in, wanted, &n),
	};

	spec.len = n;
	if (seq_after(seq + (uint32_t)n, *next))
		*next = seq + (uint32_t)n;
	return packet_build(&spec, buf);
}

static void one_packet(struct world *w, struct input *in)
{
	unsigned what = take_byte(in);
	uint8_t buf[CAP];
	size_t n;

	w->now += what & IS_LATE ? IDLE_MS : 1;
	w->ct.refuse_expect = w->ct.refuse_adjust = what & FAILS;
	if (what & IS_RAW) {
		size_t wanted = take_byte(in);
		const uint8_t *p = take_bytes(in, wanted, &n);

		memcpy(buf, p, n);
	} else {
		n = build(w, what, in, buf);
	}
	hand_over(w, buf, n, what & IS_TIGHT ? n : CAP);
}

static bool begins_with(struct input *in, uint8_t byte)
{
	bool does = in->n && in->p[0] == byte;

	if (does)
		take_byte(in);
	return does;
}

static void take_strict(struct strict *strict, struct input *in)
{
	for (size_t i = 0; i < STRICT_CHECKS; i++)
		strict->outcome[i] =
			(enum strict_outcome)take_number(in, STRICT_PASS, STRICT_RESET);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct input in = {data, size};
	bool is_ip6 = begins_with(&in, '6');

	memset(&w, 0, sizeof(w));
	w.policy = policy_default;
	if (begins_with(&in, 's'))
		take_strict(&w.policy.strict, &in);
	start(&w, is_ip6);
	w.room = guard_copy(NULL, CAP);
	while (in.n)
		one_packet(&w, &in);
	guard_free(w.room, CAP);
	return 0;
}
