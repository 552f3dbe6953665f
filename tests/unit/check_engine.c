/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_engine.c - a packet and the time go in, a verdict comes out
 *
 * What sessions look like from outside is in dialogue/. Here is what a dialogue cannot say of
 * connections: several of them, look-ups, policies, limits. check_engine_packet.c looks at the
 * packets, check_engine_strict.c at what strict mode makes of them.
 */
#include "talk.h"

START_TEST(a_packet_that_cannot_be_read_is_dropped)
{
	struct talk t;

	start();
	t = talk();
	for (size_t n = build(&t, DIR_ORIGINAL, SEG_ACK, "PASV\r\n", 6) - 1; n > 0; n--) {
		ck_assert_int_eq(hand_over(n, n), REASON_BAD_PACKET);
		ck_assert_int_eq(verdict.action, ACTION_DROP);
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
	logs_in = false;
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
			listener = packet_endpoint("10.0.0.2:50000");
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	payload_is("227 ok (203,0,113,1,195,80)\r\n");
	ck_assert(endpoint_eq(&verdict.announce, &announce));
	ck_assert(endpoint_eq(&verdict.listener, &listener));
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
	t.conn->mark = 0;
	ck_assert_int_eq(server(&t, "220 hello\r\n"), REASON_PASSED);
	ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
	ck_assert_uint_eq(ct.gets, 1);
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
}
END_TEST

START_TEST(strangers_pass)
{
	struct talk t;

	start();
	logs_in = false;
	t = talk();
	t.conn->view.has_helper = false;
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_NO_CT_HELPER);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ct.conns = 0;
	start();
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_NOT_TRACKED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert(!verdict.known);
}
END_TEST

START_TEST(without_nat_the_expectation_has_none_and_the_text_stays)
{
	struct talk t;

	start();
	t = talk_to("198.51.100.2:40000", "10.0.0.2:21", "10.0.0.2:21");
	ck_assert_int_eq(client(&t, "PASV\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert_uint_eq(ct.addeds, 1);
	ck_assert(!ct.added[0].translated);
}
END_TEST

START_TEST(a_gap_is_dropped_until_it_is_filled)
{
	struct talk t;
	uint32_t seq;

	start();
	t = talk();
	server(&t, "220 hello\r\n");
	seq = t.seq[DIR_REPLY] += 10;
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_REORDERED);
		ck_assert_int_eq(verdict.action, ACTION_DROP);
		t.seq[DIR_REPLY] = seq;
	}
	t.seq[DIR_REPLY] -= 10;
	ck_assert_int_eq(server(&t, "200 more.\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

/* --- what is opened, and for whom --- */

START_TEST(an_opening_is_told_whatever_else_is_found)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n227 x (10,0,0,2,0,22)\r\n"),
		REASON_UNPAIRED);
	ck_assert(verdict.opened);
	ck_assert_uint_eq(verdict.announce.port, 50000);
	ck_assert_uint_eq(engine.count[REASON_OPENED], 1);
	ck_assert_uint_eq(engine.count[REASON_UNPAIRED], 1);
}
END_TEST

START_TEST(the_verdict_names_both_endpoints_of_a_client)
{
	struct endpoint announce = packet_endpoint("198.51.100.2:50000"),
			listener = packet_endpoint("192.168.1.5:50000");
	struct talk t;

	start();
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:61000");
	ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_OPENED);
	payload_is("PORT 198,51,100,2,195,80\r\n");
	ck_assert(verdict.opened);
	ck_assert(endpoint_eq(&verdict.announce, &announce));
	ck_assert(endpoint_eq(&verdict.listener, &listener));
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
	engine.policy = &strict;
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
	engine.policy = &policy;
	a = talk_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21");
	b = talk_to("198.51.100.2:40001", "203.0.113.2:21", "10.0.0.3:21");
	c = talk_to("198.51.100.3:40000", "203.0.113.1:21", "10.0.0.2:21");
	ck_assert_int_eq(passive(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(passive(&b, "227 ok (10,0,0,3,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(passive(&b, "227 ok (10,0,0,3,195,80)\r\n"), REASON_CLIENT_LIMIT);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert_int_eq(passive(&a, "227 ok (10,0,0,2,195,80)\r\n"), REASON_CLIENT_LIMIT);
	ck_assert_int_eq(passive(&c, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_uint_eq(engine.count[REASON_CLIENT_LIMIT], 2);
}
END_TEST

START_TEST(a_limit_of_a_server_is_for_all_its_clients)
{
	struct policy policy = policy_default;
	struct talk a, b, c;

	start();
	policy.limits.a_minute[QUOTA_SERVER] = 1;
	engine.policy = &policy;
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
	engine.policy = &policy;
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
	engine.policy = &policy;
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
	engine.policy = &strict;
	ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	engine.policy = &policy_default;
	ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,81)\r\n"), REASON_OPENED);
	engine.policy = &wide;
	now += 100; /* ms: room for 100 of these */
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,82)\r\n"), REASON_OPENED);
	engine.policy = &strict;
	ck_assert_int_eq(passive(&t, "227 ok (10,0,0,2,195,83)\r\n"), REASON_CLIENT_LIMIT);
}
END_TEST

START_TEST(connections_are_looked_up_in_the_zone_of_the_policy)
{
	static const struct policy zoned = {.zone = 5, .connmark = POLICY_CONNMARK};
	struct talk t;

	start();
	logs_in = false;
	t = talk();
	t.conn->view.tuple[DIR_ORIGINAL].zone = t.conn->view.tuple[DIR_REPLY].zone = 5;
	ck_assert_int_eq(client(&t, "EPSV\r\n"), REASON_NOT_TRACKED);
	engine.policy = &zoned;
	login(&engine, t.conn, t.seq, now);
	ck_assert_int_eq(client(&t, "EPSV\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "229 ok (|||50000|)\r\n"), REASON_OPENED);
	ck_assert_uint_eq(t.conn->expect.tuple.zone, 5);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_packet_that_cannot_be_read_is_dropped,
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
		without_nat_the_expectation_has_none_and_the_text_stays,
		a_gap_is_dropped_until_it_is_filled,
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
	};

	return unit_run("helper", test, ARRAY_SIZE(test));
}
