/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_helper.c - a packet and the time go in, a verdict comes out
 *
 * What sessions look like from outside is in dialogue/. Here is what a dialogue cannot say: packets that are
 * none, several connections, look-ups, counters, buffers.
 */
#include "fake_ct.h"
#include "guard.h"
#include "packet.h"
#include "pasvd/helper.h"
#include "unit.h"

#include <string.h>

enum { CAP = 2048, ROOM = 64 };

static const uint8_t key[CONNTAB_KEY_LEN] = {42};

static struct helper helper;
static struct fake_ct ct;
static struct verdict verdict;
static uint8_t buf[CAP];
static size_t len; /* of the packet in buf after the last verdict */
static uint64_t now;

static void start(void)
{
	struct ct_port port;

	fake_ct_init(&ct);
	port = fake_ct_port(&ct);
	helper_init(&helper, &port, &policy_default, key);
	now = 1;
}

/* A connection and where its two streams are. */
struct talk {
	struct fake_conn *conn;
	uint32_t seq[2];
};

static struct talk talk_as(const char *client, const char *dialled, const char *real, const char *seen)
{
	struct endpoint c = packet_endpoint(client), d = packet_endpoint(dialled), r = packet_endpoint(real),
			s = packet_endpoint(seen);

	return (struct talk){fake_ct_connect(&ct, &c, &d, &r, &s), {1000, 2000}};
}

static struct talk talk_to(const char *client, const char *dialled, const char *real)
{
	return talk_as(client, dialled, real, client);
}

/* A client behind a masquerading router. */
static struct talk masqueraded(const char *client, const char *seen)
{
	return talk_as(client, "192.0.2.10:21", "192.0.2.10:21", seen);
}

static struct talk talk(void)
{
	return talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
}

/* Hands the packet in buf to the helper, in memory that ends where its room ends. */
static enum reason hand_over(size_t n, size_t cap)
{
	uint8_t *p = guard_copy(NULL, cap);
	struct packet packet = {.p = p, .len = n, .cap = cap};

	memcpy(p, buf, n);
	unit_mark(&verdict, sizeof(verdict));
	helper_packet(&helper, &packet, now++, &verdict);
	ck_assert_uint_le(packet.len, cap);
	len = verdict.action == ACTION_REPLACE ? packet.len : n;
	if (verdict.action == ACTION_REPLACE) {
		memcpy(buf, p, len);
		ck_assert(packet_is_sound(buf, len));
	}
	guard_free(p, cap);
	return verdict.reason;
}

static size_t build(const struct talk *t, enum dir dir, uint8_t flags, const void *payload, size_t n)
{
	struct packet_spec spec = {
		.tuple = t->conn->view.tuple[dir],
		.seq = t->seq[dir],
		.ack = 7,
		.flags = flags,
		.payload = payload,
		.len = n,
	};

	return packet_build(&spec, buf);
}

static enum reason say_bytes(struct talk *t, enum dir dir, const void *payload, size_t n)
{
	enum reason reason = hand_over(
		build(t, dir, SEG_ACK, payload, n), PACKET_IP_HEADER + PACKET_TCP_HEADER + n + ROOM);

	t->seq[dir] += (uint32_t)n;
	return reason;
}

static enum reason client(struct talk *t, const char *text)
{
	return say_bytes(t, DIR_ORIGINAL, text, strlen(text));
}

static enum reason server(struct talk *t, const char *text)
{
	return say_bytes(t, DIR_REPLY, text, strlen(text));
}

static void payload_is(const char *text)
{
	size_t header = packet_header_len(buf);

	ck_assert_uint_eq(len - header, strlen(text));
	ck_assert_mem_eq(buf + header, text, len - header);
}

START_TEST(a_packet_that_is_none_passes)
{
	struct talk t;

	start();
	t = talk();
	for (size_t n = build(&t, DIR_ORIGINAL, SEG_ACK, "PASV\r\n", 6) - 1; n > 0; n--) {
		ck_assert_int_eq(hand_over(n, n), REASON_BAD_PACKET);
		ck_assert_int_eq(verdict.action, ACTION_PASS);
		ck_assert(!verdict.known);
	}
	ck_assert_uint_eq(ct.gets, 0);
}
END_TEST

START_TEST(a_packet_without_payload_passes_without_a_look_up)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(hand_over(build(&t, DIR_ORIGINAL, SEG_SYN, "", 0), 40), REASON_PASSED);
	ck_assert_int_eq(hand_over(build(&t, DIR_REPLY, SEG_ACK, "", 0), 40), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert_uint_eq(ct.gets, 0);
}
END_TEST

START_TEST(a_connection_is_looked_up_once)
{
	struct talk t;

	start();
	t = talk();
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
		ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_PASSED);
		ck_assert(verdict.known);
		ck_assert(tuple_eq(&verdict.view.tuple[DIR_REPLY], &t.conn->view.tuple[DIR_REPLY]));
	}
	ck_assert_uint_eq(ct.gets, 1);
	ck_assert_uint_eq(ct.commits, 0);
}
END_TEST

START_TEST(a_connection_may_begin_with_either_side)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_PASSED);
	ck_assert_int_eq(client(&t, "PASV\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(the_verdict_names_both_endpoints)
{
	struct endpoint announce = packet_endpoint("203.0.113.1:50000"),
			real = packet_endpoint("10.0.0.2:50000");
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	payload_is("227 ok (203,0,113,1,195,80)\r\n");
	ck_assert(endpoint_eq(&verdict.announce, &announce));
	ck_assert(endpoint_eq(&verdict.real, &real));
}
END_TEST

START_TEST(opening_takes_one_commit)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	server(&t, "227 ok (10,0,0,2,195,80)\r\n");
	ck_assert_uint_eq(ct.commits, 1);
}
END_TEST

START_TEST(a_text_that_stays_is_not_replaced)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "EPSV\r\n");
	ck_assert_int_eq(server(&t, "229 ok (|||50000|)\r\n"), REASON_OPENED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(two_servers_may_announce_the_same_port)
{
	struct talk a, b;

	start();
	a = talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
	b = talk_to("198.51.100.2:40001", "203.0.113.1:2121", "10.0.0.3:21");
	client(&a, "PASV\r\n");
	client(&b, "PASV\r\n");
	ck_assert_int_eq(server(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	payload_is("227 ok (203,0,113,1,195,80)\r\n");
	ck_assert_int_eq(server(&b, "227 ok (10,0,0,3,195,80)\r\n"), REASON_OPENED);
	payload_is("227 ok (203,0,113,1,195,81)\r\n");
	ck_assert_uint_eq(b.conn->expect.nat.port, 50000);
	ck_assert_uint_eq(a.conn->expect.tuple.dst.port, 50000);
	ck_assert(a.conn->expecting);
}
END_TEST

START_TEST(two_clients_may_have_the_same_port)
{
	struct talk a, b;

	start();
	a = talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
	b = talk_to("198.51.100.3:40000", "203.0.113.1:21", "10.0.0.2:21");
	client(&a, "PASV\r\n");
	client(&b, "PASV\r\n");
	server(&a, "227 ok (10,0,0,2,195,80)\r\n");
	payload_is("227 ok (203,0,113,1,195,80)\r\n");
	server(&b, "227 ok (10,0,0,2,195,80)\r\n");
	payload_is("227 ok (203,0,113,1,195,80)\r\n");
}
END_TEST

START_TEST(sessions_do_not_answer_for_each_other)
{
	struct talk a, b;

	start();
	a = talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
	b = talk_to("198.51.100.2:40001", "203.0.113.1:21", "10.0.0.2:21");
	client(&a, "PASV\r\n");
	client(&b, "NOOP\r\n");
	ck_assert_int_eq(server(&b, "227 ok (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
	ck_assert_int_eq(server(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(a_new_connection_with_the_same_tuple_is_looked_up)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	t.seq[DIR_ORIGINAL] += 0x40000000;
	t.seq[DIR_REPLY] += 0x40000000;
	ck_assert_int_eq(server(&t, "220 hello\r\n"), REASON_PASSED);
	ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
	ck_assert_uint_eq(ct.gets, 2);
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
}
END_TEST

START_TEST(strangers_pass)
{
	struct talk t;

	start();
	t = talk();
	t.conn->view.ours = false;
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_NOT_OURS);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ct.conns = 0;
	start();
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_NOT_TRACKED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert(!verdict.known);
}
END_TEST

START_TEST(a_connection_without_nat_passes)
{
	struct talk t;

	start();
	t = talk_to("198.51.100.2:40000", "10.0.0.2:21", "10.0.0.2:21");
	ck_assert_int_eq(client(&t, "PASV\r\n"), REASON_NOT_TRANSLATED);
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_NOT_TRANSLATED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert_uint_eq(ct.addeds, 0);
}
END_TEST

START_TEST(a_gap_is_dropped_a_few_times_and_then_passes)
{
	struct talk t;
	uint32_t seq;

	start();
	t = talk();
	server(&t, "220 hello\r\n");
	seq = t.seq[DIR_REPLY] += 10;
	for (int i = 0; i < LINE_GAPS_MAX; i++) {
		ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_REORDERED);
		ck_assert_int_eq(verdict.action, ACTION_DROP);
		t.seq[DIR_REPLY] = seq;
	}
	ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(a_carrier_request_is_disarmed)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcd", 8), REASON_CARRIER_REQUEST);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	ck_assert_uint_eq(len, 48);
	ck_assert_mem_ne(buf + 40, "\0\0\0\7", 4);
}
END_TEST

START_TEST(a_carrier_request_is_disarmed_again_when_repeated)
{
	struct talk t;

	start();
	t = talk();
	for (int i = 0; i < 3; i++) {
		t.seq[DIR_ORIGINAL] = 1000;
		ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcd", 8), REASON_CARRIER_REQUEST);
		ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	}
}
END_TEST

START_TEST(a_carrier_request_is_disarmed_without_nat)
{
	struct talk t;

	start();
	t = talk_to("198.51.100.2:40000", "10.0.0.2:21", "10.0.0.2:21");
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcd", 8), REASON_CARRIER_REQUEST);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
}
END_TEST

START_TEST(what_only_resembles_a_carrier_request_passes)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abc", 7), REASON_PASSED);
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcde", 9), REASON_PASSED);
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\6abcd", 8), REASON_PASSED);
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\7\0\0\0abcd", 8), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(the_carrier_listens_to_clients_only)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(say_bytes(&t, DIR_REPLY, "\0\0\0\7abcd", 8), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

/* One byte is held and given up; around its place a "retransmission" of nine bytes would leave as eight. */
START_TEST(a_carrier_request_that_comes_of_a_rewrite_is_disarmed)
{
	struct talk t;

	start();
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	ck_assert_int_eq(client(&t, "PORT 1"), REASON_HELD);
	for (int i = 0; i <= LINE_GAPS_MAX; i++) {
		t.seq[DIR_ORIGINAL] = 1100;
		client(&t, "x\r\n");
	}
	t.seq[DIR_ORIGINAL] = 1001;
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7X\1\2\3\4", 9), REASON_CARRIER_REQUEST);
	ck_assert_uint_eq(len, 48);
	ck_assert_mem_ne(buf + 40, "\0\0\0\7", 4);
}
END_TEST

/* --- what is opened, and for whom --- */

START_TEST(an_opening_is_told_whatever_else_is_found)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(
		server(&t, "227 ok (10,0,0,2,195,80)\r\n227 x (10,0,0,2,0,22)\r\n"), REASON_UNPAIRED);
	ck_assert(verdict.opened);
	ck_assert_uint_eq(verdict.announce.port, 50000);
	ck_assert_uint_eq(helper.count[REASON_OPENED], 1);
	ck_assert_uint_eq(helper.count[REASON_UNPAIRED], 1);
}
END_TEST

START_TEST(the_verdict_names_both_endpoints_of_a_client)
{
	struct endpoint announce = packet_endpoint("198.51.100.2:50000"),
			real = packet_endpoint("192.168.1.5:50000");
	struct talk t;

	start();
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:61000");
	ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_OPENED);
	payload_is("PORT 198,51,100,2,195,80\r\n");
	ck_assert(verdict.opened);
	ck_assert(endpoint_eq(&verdict.announce, &announce));
	ck_assert(endpoint_eq(&verdict.real, &real));
}
END_TEST

START_TEST(two_clients_behind_one_address_may_offer_the_same_port)
{
	struct talk a, b;

	start();
	a = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	b = masqueraded("192.168.1.6:40000", "198.51.100.2:40001");
	ck_assert_int_eq(client(&a, "PORT 192,168,1,5,195,80\r\n"), REASON_OPENED);
	payload_is("PORT 198,51,100,2,195,80\r\n");
	ck_assert_int_eq(client(&b, "PORT 192,168,1,6,195,80\r\n"), REASON_OPENED);
	payload_is("PORT 198,51,100,2,195,81\r\n");
	server(&b, "500 no\r\n");
	ck_assert_int_eq(verdict.reason, REASON_DENIED);
	ck_assert(!b.conn->expecting);
	ck_assert(a.conn->expecting);
}
END_TEST

/* What a session gave up may belong to somebody else by now. */
START_TEST(a_refusal_takes_away_ones_own_expectation_only)
{
	struct talk a, b;

	start();
	a = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	b = masqueraded("192.168.1.6:40000", "198.51.100.2:40001");
	client(&a, "PORT 192,168,1,5,195,80\r\n");
	a.conn->expecting = false; /* somebody connected */
	client(&b, "PORT 192,168,1,6,195,80\r\n");
	ck_assert_int_eq(server(&a, "500 no\r\n"), REASON_DENIED);
	ck_assert(b.conn->expecting);
}
END_TEST

START_TEST(another_policy_holds_from_the_next_packet_on)
{
	static const struct policy strict = {.n_deny = 1, .deny = {{1024, 65535}}};
	struct talk t;

	start();
	t = talk();
	client(&t, "EPSV\r\n");
	ck_assert_int_eq(server(&t, "229 ok (|||50000|)\r\n"), REASON_OPENED);
	helper.policy = &strict;
	client(&t, "EPSV\r\n");
	ck_assert_int_eq(server(&t, "229 ok (|||50000|)\r\n"), REASON_DENIED_PORT);
}
END_TEST

static enum reason passive(struct talk *t, const char *reply)
{
	ck_assert_int_eq(client(t, "PASV\r\n"), REASON_PASSED);
	return server(t, reply);
}

START_TEST(a_limit_of_a_client_is_for_all_its_sessions_and_servers)
{
	struct policy policy = policy_default;
	struct talk a, b, c;

	start();
	policy.limits.a_minute[QUOTA_CLIENT] = 2;
	helper.policy = &policy;
	a = talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
	b = talk_to("198.51.100.2:40001", "203.0.113.2:21", "10.0.0.3:21");
	c = talk_to("198.51.100.3:40000", "203.0.113.1:21", "10.0.0.2:21");
	ck_assert_int_eq(passive(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(passive(&b, "227 ok (10,0,0,3,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(passive(&b, "227 ok (10,0,0,3,195,80)\r\n"), REASON_CLIENT_LIMIT);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert_int_eq(passive(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_CLIENT_LIMIT);
	ck_assert_int_eq(passive(&c, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_uint_eq(helper.count[REASON_CLIENT_LIMIT], 2);
}
END_TEST

START_TEST(a_limit_of_a_server_is_for_all_its_clients)
{
	struct policy policy = policy_default;
	struct talk a, b, c;

	start();
	policy.limits.a_minute[QUOTA_SERVER] = 1;
	helper.policy = &policy;
	a = talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
	b = talk_to("198.51.100.3:40000", "203.0.113.2:21", "10.0.0.2:21");
	c = talk_to("198.51.100.2:40001", "203.0.113.1:2121", "10.0.0.3:21");
	ck_assert_int_eq(passive(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(passive(&b, "227 ok (10,0,0,2,195,80)\r\n"), REASON_SERVER_LIMIT);
	ck_assert_int_eq(passive(&c, "227 ok (10,0,0,3,195,90)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(a_session_over_its_limit_uses_up_nothing_of_its_clients)
{
	struct policy policy = policy_default;
	struct talk a, b;

	start();
	policy.limits = (struct quota_limits){{1, 2, 2}};
	helper.policy = &policy;
	a = talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
	b = talk_to("198.51.100.2:40001", "203.0.113.1:21", "10.0.0.2:21");
	ck_assert_int_eq(passive(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(passive(&a, "227 ok (10,0,0,2,195,81)\r\n"), REASON_SESSION_LIMIT);
	ck_assert_int_eq(passive(&b, "227 ok (10,0,0,2,195,82)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(a_retransmission_costs_nothing)
{
	static const char reply[] = "227 ok (10,0,0,2,195,80)\r\n";
	struct policy policy = policy_default;
	struct talk t;

	start();
	policy.limits = (struct quota_limits){{2, 2, 2}};
	helper.policy = &policy;
	t = talk();
	ck_assert_int_eq(passive(&t, reply), REASON_OPENED);
	for (int i = 0; i < 10; i++) {
		t.seq[DIR_REPLY] -= (uint32_t)strlen(reply);
		ck_assert_int_eq(server(&t, reply), REASON_REPEATED);
		payload_is("227 ok (203,0,113,1,195,80)\r\n");
	}
	ck_assert_int_eq(passive(&t, reply), REASON_OPENED);
	ck_assert_int_eq(passive(&t, reply), REASON_SESSION_LIMIT);
}
END_TEST

START_TEST(another_policy_finds_what_was_used)
{
	struct policy strict = policy_default, wide = policy_default;
	struct talk t;

	start();
	strict.limits.a_minute[QUOTA_CLIENT] = 1;
	wide.limits.a_minute[QUOTA_CLIENT] = 60000;
	t = talk();
	helper.policy = &strict;
	ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	helper.policy = &policy_default;
	ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,81)\r\n"), REASON_OPENED);
	helper.policy = &wide;
	now += 100; /* ms: room for 100 of these */
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,82)\r\n"), REASON_OPENED);
	helper.policy = &strict;
	ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,83)\r\n"), REASON_CLIENT_LIMIT);
}
END_TEST

START_TEST(connections_are_looked_up_in_the_zone_of_the_policy)
{
	static const struct policy zoned = {.zone = 5};
	struct talk t;

	start();
	t = talk();
	t.conn->view.tuple[DIR_ORIGINAL].zone = t.conn->view.tuple[DIR_REPLY].zone = 5;
	ck_assert_int_eq(client(&t, "EPSV\r\n"), REASON_NOT_TRACKED);
	helper.policy = &zoned;
	ck_assert_int_eq(client(&t, "EPSV\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "229 ok (|||50000|)\r\n"), REASON_OPENED);
	ck_assert_uint_eq(t.conn->expect.tuple.zone, 5);
}
END_TEST

/* --- strict mode --- */

/* A client that has opened a port, and has said what resets the connection. */
static struct talk reset_by(const char *text)
{
	static const struct policy policy = {
		.expect_seconds = 60, .strict.outcome = {[STRICT_SPOOFED_REPLY] = STRICT_RESET}};
	struct talk t;

	start();
	helper.policy = &policy;
	t = talk();
	server(&t, "200 ok\r\n");
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(client(&t, text), REASON_SPOOFED_REPLY);
	ck_assert_int_eq(verdict.strict, STRICT_RESET);
	return t;
}

/* The packet in buf, after the kernel's adjustment, is an empty one with these flags, `place` bytes on in the stream that
 * began with `isn`. */
static void empty_is(struct talk *t, enum dir dir, uint8_t flags, uint32_t place)
{
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	ck_assert_uint_eq(packet_header_len(buf), len);
	ck_assert_uint_eq(packet_flags(buf), flags);
	ck_assert_uint_eq(packet_ack(buf), 7);
	fake_ct_adjust(t->conn, dir, buf, len);
	ck_assert_uint_eq(packet_seq(buf), place);
}

enum { CLIENT_SAID = 1000 + 6, SERVER_SAID = 2000 + 8 + 29 }; /* "PASV", and the rewritten reply */

START_TEST(a_reset_takes_the_expectation_back)
{
	struct talk t = reset_by("227 x\r\n");

	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, CLIENT_SAID);
	ck_assert(!t.conn->expecting && !verdict.opened);
	ck_assert_uint_eq(helper.count[REASON_SPOOFED_REPLY], 1);
}
END_TEST

/* Either may have been lost: a RST for who has it not, an empty segment for who is gone and says so. */
START_TEST(what_is_repeated_after_a_reset_is_a_rst_or_empty_by_turns)
{
	struct talk t = reset_by("227 x\r\n");

	for (int i = 0; i < 10; i++) {
		t.seq[DIR_ORIGINAL] = CLIENT_SAID;
		ck_assert_int_eq(client(&t, "227 x\r\n"), REASON_RESET);
		empty_is(&t, DIR_ORIGINAL, i % 2 ? SEG_RST | SEG_ACK : SEG_ACK, CLIENT_SAID);
	}
	ck_assert_uint_eq(helper.count[REASON_SPOOFED_REPLY], 1);
}
END_TEST

/* A tail loss probe sends the last segment; however often it comes, what is in front of it does not pass either. */
START_TEST(what_comes_behind_a_reset_is_no_gap)
{
	struct talk t = reset_by("227 x\r\n");

	for (int i = 0; i < 4 * LINE_GAPS_MAX; i++) {
		t.seq[DIR_ORIGINAL] = CLIENT_SAID + 50;
		ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_RESET);
		empty_is(&t, DIR_ORIGINAL, i % 2 ? SEG_RST | SEG_ACK : SEG_ACK, CLIENT_SAID);
	}
	t.seq[DIR_ORIGINAL] = CLIENT_SAID;
	ck_assert_int_eq(client(&t, "227 x\r\n"), REASON_RESET);
	empty_is(&t, DIR_ORIGINAL, SEG_ACK, CLIENT_SAID);
}
END_TEST

/* What has passed before passes again: it may have been lost behind the router. */
START_TEST(old_bytes_pass_after_a_reset)
{
	struct talk t = reset_by("227 x\r\n");

	t.seq[DIR_ORIGINAL] = CLIENT_SAID - 6;
	ck_assert_int_eq(client(&t, "PASV\r\n"), REASON_REPEATED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t.seq[DIR_ORIGINAL] = CLIENT_SAID - 6;
	ck_assert_int_eq(client(&t, "PASV\r\n227 x\r\n"), REASON_RESET);
	payload_is("PASV\r\n");
	ck_assert_uint_eq(packet_flags(buf), SEG_ACK);
	t.seq[DIR_ORIGINAL] = CLIENT_SAID - 6;
	ck_assert_int_eq(client(&t, "PASV\r\n227 x\r\n"), REASON_RESET);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, CLIENT_SAID);
	t.seq[DIR_REPLY] = 2000 + 8;
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_REPEATED);
	payload_is("227 ok (203,0,113,1,195,80)\r\n");
}
END_TEST

START_TEST(a_reset_holds_for_the_other_side_too)
{
	struct talk t = reset_by("227 x\r\n");

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,81)\r\n"), REASON_RESET);
		empty_is(&t, DIR_REPLY, i % 2 ? SEG_ACK : SEG_RST | SEG_ACK, SERVER_SAID);
	}
	ck_assert_uint_eq(ct.addeds, 1);
}
END_TEST

START_TEST(a_new_connection_with_the_tuple_of_a_reset_one_is_another)
{
	struct talk t = reset_by("227 x\r\n");

	t.seq[DIR_ORIGINAL] = 0x40000000;
	ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

/* What is opened in front of the line, and behind it in the segment, counts for nothing. */
START_TEST(nothing_is_read_behind_what_resets)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_UNPRINTABLE] = STRICT_RESET}};
	struct talk t;

	start();
	helper.policy = &policy;
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	server(&t, "200 ok\r\n");
	ck_assert_int_eq(client(&t, "\1\r\nPORT 192,168,1,5,195,80\r\n"), REASON_UNPRINTABLE);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, 1000);
	ck_assert_uint_eq(ct.addeds, 0);
}
END_TEST

START_TEST(a_reset_over_ip6_is_sound)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_BARE_LF] = STRICT_RESET}};
	struct packet_spec spec = {.flags = SEG_ACK | SEG_PSH | SEG_URG | SEG_FIN,
		.urgent = 5,
		.extensions = 2,
		.tcp_options = PACKET_TIMESTAMPS,
		.payload = "NOOP\n",
		.len = 5,
		.seq = 5,
		.ack = 7};
	struct talk t;

	start();
	helper.policy = &policy;
	t = talk_to("[2001:db8::2]:40000", "[2001:db8::1]:21", "[fd00::2]:21");
	server(&t, "200 ok\r\n");
	spec.tuple = t.conn->view.tuple[DIR_ORIGINAL];
	ck_assert_int_eq(hand_over(packet_build(&spec, buf), CAP), REASON_BARE_LF);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, 5);
}
END_TEST

START_TEST(a_refusal_that_cannot_be_remembered_is_a_reset)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_BARE_LF] = STRICT_REFUSE}};
	struct talk t;

	start();
	helper.policy = &policy;
	t = talk();
	server(&t, "200 ok\r\n");
	for (int i = 0; i < EDITS_MAX; i++) {
		ck_assert_int_eq(client(&t, "NOOP\n"), REASON_BARE_LF);
		ck_assert_int_eq(verdict.strict, STRICT_REFUSE);
		payload_is("XXXX\n");
	}
	ck_assert_int_eq(client(&t, "NOOP\n"), REASON_BARE_LF);
	ck_assert_int_eq(verdict.strict, STRICT_RESET);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, 1000 + 5 * EDITS_MAX);
}
END_TEST

/* Of a session met in its middle it may be TLS. */
START_TEST(a_client_is_judged_once_the_server_was_heard)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_UNPRINTABLE] = STRICT_RESET}};
	struct talk t;

	start();
	helper.policy = &policy;
	t = talk();
	client(&t, "\x17\3\3\1\1\n\1\2\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	server(&t, "\x17\3\3\1\1\n\1\2\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	client(&t, "\x17\3\3\1\1\n\1\2\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t = talk_to("198.51.100.2:40001", "203.0.113.1:21", "10.0.0.2:21");
	client(&t, "\1\r\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	server(&t, "500 what\r\n");
	ck_assert_int_eq(client(&t, "\1\r\n"), REASON_UNPRINTABLE);
}
END_TEST

/* The server answers it with 500, whatever it was. */
START_TEST(a_refused_command_is_none)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_BARE_LF] = STRICT_REFUSE}};
	struct talk t;

	start();
	helper.policy = &policy;
	t = talk();
	server(&t, "200 ok\r\n");
	client(&t, "PASV\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
}
END_TEST

/* --- segments that are odd --- */

START_TEST(a_line_whose_beginning_went_past_says_nothing)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "STAT x\r\n");
	client(&t, "PASV\r\n");
	server(&t, "213-status\r\n-rw-r--r-- ");
	for (int i = 0; i < LINE_GAPS_MAX; i++) {
		t.seq[DIR_REPLY] = 3000;
		ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_REORDERED);
	}
	t.seq[DIR_REPLY] = 3000;
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
	ck_assert_uint_eq(ct.addeds, 0);
}
END_TEST

START_TEST(what_was_asked_before_a_gap_is_not_answered_behind_it)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	server(&t, "150 x\r\n");
	for (int i = 0; i <= LINE_GAPS_MAX; i++) {
		t.seq[DIR_REPLY] = 3000;
		server(&t, "x\r\n");
	}
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(nothing_is_held_of_a_last_segment)
{
	static const char text[] = "227 ok (10,0";
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(
		hand_over(build(&t, DIR_REPLY, SEG_ACK | SEG_FIN, text, strlen(text)), CAP), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(what_is_held_goes_with_the_last_segment)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0"), REASON_HELD);
	hand_over(build(&t, DIR_REPLY, SEG_ACK | SEG_FIN, ",0", 2), CAP);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	payload_is("10,0,0");
}
END_TEST

START_TEST(a_syn_with_data_is_not_read)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(
		hand_over(build(&t, DIR_REPLY, SEG_SYN | SEG_ACK, "220 hi\r\n", 8), CAP), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t.seq[DIR_REPLY] += 1 + 8;
	ck_assert_int_eq(server(&t, "331 password\r\n"), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(extension_headers_stay_as_they_are)
{
	static const char text[] = "EPRT |2|fd00::5|50000|\r\n", want[] = "EPRT |2|2001:db8:1::2|50000|\r\n";
	struct talk t;
	struct packet_spec spec;
	uint8_t headers[CAP];

	start();
	t = talk_as("[fd00::5]:40000", "[2001:db8::1]:21", "[2001:db8::1]:21", "[2001:db8:1::2]:40000");
	spec = (struct packet_spec){.tuple = t.conn->view.tuple[DIR_ORIGINAL],
		.seq = 1000,
		.flags = SEG_ACK,
		.extensions = 3,
		.payload = text,
		.len = strlen(text)};
	ck_assert_int_eq(hand_over(packet_build(&spec, buf), CAP), REASON_OPENED);
	payload_is(want);
	spec.payload = want;
	spec.len = strlen(want);
	ck_assert_uint_eq(packet_build(&spec, headers), len);
	ck_assert_mem_eq(buf, headers, len);
}
END_TEST

/* --- the rest --- */

START_TEST(verdicts_are_counted_by_reason)
{
	uint64_t sum = 0;
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	server(&t, "227 ok (10,0,0,2,195,80)\r\n");
	server(&t, "227 ok (10,0,0,2,195,80)\r\n");
	hand_over(3, 3);
	ck_assert_uint_eq(helper.count[REASON_PASSED], 1);
	ck_assert_uint_eq(helper.count[REASON_OPENED], 1);
	ck_assert_uint_eq(helper.count[REASON_UNPAIRED], 1);
	ck_assert_uint_eq(helper.count[REASON_BAD_PACKET], 1);
	for (unsigned i = 0; i < REASON_COUNT; i++)
		sum += helper.count[i];
	ck_assert_uint_eq(sum, 4);
}
END_TEST

/* Whatever the room, no byte beyond it is written, and with enough of it the reply is rewritten. */
START_TEST(a_rewrite_keeps_to_its_buffer)
{
	static const char text[] = "227 ok (10,0,0,2,195,80)\r\n";

	for (size_t room = 0; room < 8; room++) {
		struct talk t;
		enum reason reason;

		start();
		t = talk();
		client(&t, "PASV\r\n");
		reason = hand_over(
			build(&t, DIR_REPLY, SEG_ACK, text, strlen(text)), 40 + strlen(text) + room);
		if (room < 3)
			ck_assert_int_eq(reason, REASON_NO_ROOM);
		else
			ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	}
}
END_TEST

START_TEST(a_full_table_forgets_nobody_who_talks)
{
	struct talk busy, other;
	struct endpoint dialled, real;

	start();
	busy = talk();
	other = talk_to("198.51.100.9:1", "203.0.113.1:21", "10.0.0.2:21");
	dialled = other.conn->view.tuple[DIR_ORIGINAL].dst;
	real = other.conn->view.tuple[DIR_REPLY].src;
	for (unsigned i = 1; i < 2 * CONNTAB_SIZE; i++) {
		struct endpoint from = packet_endpoint("198.51.100.9:0");

		from.port = (uint16_t)i;
		other.conn->view.tuple[DIR_ORIGINAL] = (struct tuple){from, dialled, 0};
		other.conn->view.tuple[DIR_REPLY] = (struct tuple){real, from, 0};
		ck_assert_int_eq(client(&other, "PASV\r\n"), REASON_PASSED);
		ck_assert_int_eq(client(&busy, "NOOP\r\n"), REASON_PASSED);
	}
	ck_assert_uint_eq(ct.gets, 2 * CONNTAB_SIZE);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_packet_that_is_none_passes,
		a_packet_without_payload_passes_without_a_look_up,
		a_connection_is_looked_up_once,
		a_connection_may_begin_with_either_side,
		the_verdict_names_both_endpoints,
		opening_takes_one_commit,
		a_text_that_stays_is_not_replaced,
		two_servers_may_announce_the_same_port,
		two_clients_may_have_the_same_port,
		sessions_do_not_answer_for_each_other,
		a_new_connection_with_the_same_tuple_is_looked_up,
		strangers_pass,
		a_connection_without_nat_passes,
		a_gap_is_dropped_a_few_times_and_then_passes,
		a_carrier_request_is_disarmed,
		a_carrier_request_is_disarmed_again_when_repeated,
		a_carrier_request_is_disarmed_without_nat,
		what_only_resembles_a_carrier_request_passes,
		the_carrier_listens_to_clients_only,
		a_carrier_request_that_comes_of_a_rewrite_is_disarmed,
		an_opening_is_told_whatever_else_is_found,
		the_verdict_names_both_endpoints_of_a_client,
		two_clients_behind_one_address_may_offer_the_same_port,
		a_refusal_takes_away_ones_own_expectation_only,
		another_policy_holds_from_the_next_packet_on,
		a_limit_of_a_client_is_for_all_its_sessions_and_servers,
		a_limit_of_a_server_is_for_all_its_clients,
		a_session_over_its_limit_uses_up_nothing_of_its_clients,
		a_retransmission_costs_nothing,
		another_policy_finds_what_was_used,
		connections_are_looked_up_in_the_zone_of_the_policy,
		a_reset_takes_the_expectation_back,
		what_is_repeated_after_a_reset_is_a_rst_or_empty_by_turns,
		what_comes_behind_a_reset_is_no_gap,
		old_bytes_pass_after_a_reset,
		a_reset_holds_for_the_other_side_too,
		a_new_connection_with_the_tuple_of_a_reset_one_is_another,
		nothing_is_read_behind_what_resets,
		a_reset_over_ip6_is_sound,
		a_refusal_that_cannot_be_remembered_is_a_reset,
		a_client_is_judged_once_the_server_was_heard,
		a_refused_command_is_none,
		a_line_whose_beginning_went_past_says_nothing,
		what_was_asked_before_a_gap_is_not_answered_behind_it,
		nothing_is_held_of_a_last_segment,
		what_is_held_goes_with_the_last_segment,
		a_syn_with_data_is_not_read,
		extension_headers_stay_as_they_are,
		verdicts_are_counted_by_reason,
		a_rewrite_keeps_to_its_buffer,
		a_full_table_forgets_nobody_who_talks,
	};

	return unit_run("helper", test, ARRAY_SIZE(test));
}
