/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ending.c - how a port that was opened ended
 *
 * By what a session says, and by what the kernel reports; what the kernel does report is in
 * platform/expect_events.c.
 */
#include "fake_ct.h"
#include "login.h"
#include "packet.h"
#include "pasvd/engine.h"
#include "unit.h"

#include <string.h>

enum { OPENED_MS = 1000, LIFE_MS = POLICY_EXPECT_SECONDS * 1000 };

static struct engine engine;
static struct fake_ct ct;
static struct fake_conn *conn;
static uint32_t seq[2];
static uint64_t now;

/* The last ending that was reported, and how many were. */
static struct {
	unsigned times;
	enum ending how;
	struct plan plan;
	struct ct_view view;
} told;

static void on_ended(const struct ended *e)
{
	told.times++;
	told.how = e->how;
	told.plan = *e->plan;
	told.view = *e->view;
}

static enum reason say(enum dir dir, const char *text)
{
	return say_on(&engine, conn, seq, dir, text, now).reason;
}

static void pasv(const char *reply)
{
	say(DIR_ORIGINAL, "PASV\r\n");
	ck_assert_int_eq(say(DIR_REPLY, reply), REASON_OPENED);
}

static void start(void)
{
	static const uint8_t key[CONNTAB_KEY_LEN] = {42};
	struct endpoint client = packet_endpoint("198.51.100.2:40000"),
			dialled = packet_endpoint("203.0.113.1:21"),
			listener = packet_endpoint("10.0.0.2:21");
	struct ct_ops ops;

	fake_ct_init(&ct);
	ops = fake_ct_ops(&ct);
	engine_init(&engine, &ops, &policy_default, key);
	engine.on_ended = on_ended;
	conn = fake_ct_connect(&ct, &client, &dialled, &listener, &client);
	seq[DIR_ORIGINAL] = 1000;
	seq[DIR_REPLY] = 2000;
	now = OPENED_MS;
	login(&engine, conn, seq, now);
	memset(&told, 0, sizeof(told));
}

/* A session with port 50000 open; the kernel's words about its expectation are returned. */
static struct expect opened(void)
{
	struct expect e;

	start();
	pasv("227 ok (10,0,0,2,195,80)\r\n");
	ck_assert(conn->expecting);
	e = conn->expect;
	e.seconds = 30;
	return e;
}

/* The kernel ended it. */
static void end(const struct expect *e, bool requested)
{
	conn->expecting = false;
	engine_expect_ended(&engine, e, requested, now);
}

/* Nothing comes on the control connection. */
static void wait_for_nothing(void)
{
	now = engine_expires_at(&engine);
	engine_expire(&engine, now);
}

static void assert_ended(enum ending how)
{
	ck_assert_uint_eq(told.times, 1);
	ck_assert_str_eq(ending_name(told.how), ending_name(how));
	ck_assert_uint_eq(told.plan.announce.port, 50000);
	ck_assert_uint_eq(told.plan.expect.nat.port, 50000);
	ck_assert(tuple_eq(&told.view.tuple[DIR_ORIGINAL], &conn->view.tuple[DIR_ORIGINAL]));
	for (int i = 0; i < ENDING_COUNT; i++)
		ck_assert_uint_eq(
			engine_count_ended(&engine, (enum ending)i), (enum ending)i == how);
}

START_TEST(a_port_that_the_kernel_ended_early_was_used)
{
	struct expect e = opened();

	end(&e, false);
	ck_assert_uint_eq(told.times, 0);
	say(DIR_REPLY, "150 here it comes\r\n");
	assert_ended(ENDING_USED);
}
END_TEST

START_TEST(conntrack_is_asked_how_a_port_ended_only_if_nothing_comes)
{
	struct expect e = opened();
	unsigned gets = ct.gets;

	end(&e, false);
	say(DIR_REPLY, "150 here it comes\r\n");
	assert_ended(ENDING_USED);
	ck_assert_uint_eq(ct.gets, gets);
	ck_assert_uint_eq(engine_expires_at(&engine), UINT64_MAX);

	e = opened();
	gets = ct.gets;
	end(&e, false);
	engine_expire(&engine, now);
	ck_assert_uint_eq(told.times, 0);
	ck_assert_uint_lt(engine_expires_at(&engine), now + 2000);
	wait_for_nothing();
	assert_ended(ENDING_USED);
	ck_assert_uint_eq(ct.gets, gets + 1);
}
END_TEST

static struct expect unreported;

static void report(void)
{
	engine_expect_ended(&engine, &unreported, false, now);
}

/* The port is gone, and nobody has read the kernel's word. */
static void opened_and_ended(void)
{
	unreported = opened();
	conn->expecting = false;
	ct.on_report = report;
}

START_TEST(a_session_with_a_port_has_the_ends_reported_that_came_before_its_packet)
{
	opened_and_ended();
	pasv("227 ok (10,0,0,2,195,81)\r\n");
	assert_ended(ENDING_USED);
	ck_assert_uint_eq(ct.dels, 0);
}
END_TEST

START_TEST(a_session_without_a_port_has_no_ends_reported)
{
	unsigned reports;

	opened_and_ended();
	say(DIR_ORIGINAL, "NOOP\r\n");
	reports = ct.reports;
	say(DIR_REPLY, "200 ok\r\n");
	say(DIR_ORIGINAL, "NOOP\r\n");
	ck_assert_uint_eq(ct.reports, reports);
}
END_TEST

START_TEST(an_end_that_another_connections_packet_brings_up_is_not_a_use)
{
	opened_and_ended();
	conn->view.id++;
	conn->mark = 0;
	seq[DIR_ORIGINAL] += 5000;
	say(DIR_ORIGINAL, "USER u\r\n");
	assert_ended(ENDING_ORPHANED);
}
END_TEST

START_TEST(a_port_goes_with_a_control_connection_that_another_one_has_replaced)
{
	struct expect e = opened();

	end(&e, false);
	conn->view.id++;
	conn->mark = 0;
	seq[DIR_ORIGINAL] += 5000;
	say(DIR_ORIGINAL, "USER u\r\n");
	assert_ended(ENDING_ORPHANED);
}
END_TEST

START_TEST(a_port_whose_time_was_up_expired)
{
	struct expect e = opened();

	e.seconds = 0;
	now += LIFE_MS;
	end(&e, false);
	assert_ended(ENDING_EXPIRED);
}
END_TEST

START_TEST(a_port_is_shut_when_its_time_is_up)
{
	opened();
	ck_assert_uint_gt(engine_expires_at(&engine), now + LIFE_MS - 1000);
	ck_assert_uint_lt(engine_expires_at(&engine), now + LIFE_MS);
	engine_expire(&engine, now);
	ck_assert_uint_eq(told.times, 0);
	now = engine_expires_at(&engine);
	engine_expire(&engine, now);
	assert_ended(ENDING_EXPIRED);
	ck_assert(!conn->expecting);
	ck_assert_uint_eq(engine_expires_at(&engine), UINT64_MAX);
}
END_TEST

/* Word of its end is to come, or lost. */
START_TEST(a_port_that_the_kernel_has_no_more_is_not_shut)
{
	struct expect e = opened();

	conn->expecting = false;
	now = engine_expires_at(&engine);
	engine_expire(&engine, now);
	engine_expire(&engine, now);
	ck_assert_uint_eq(told.times, 0);
	ck_assert_uint_eq(ct.dels, 1);
	ck_assert_uint_eq(engine_expires_at(&engine), UINT64_MAX);
	e.seconds = 0;
	now += 38000;
	end(&e, false);
	assert_ended(ENDING_EXPIRED);
	pasv("227 ok (10,0,0,2,195,81)\r\n");
	ck_assert_uint_lt(engine_expires_at(&engine), now + LIFE_MS);
}
END_TEST

/* Each at its own time. */
START_TEST(ports_of_several_sessions_are_shut_in_turn)
{
	struct endpoint other = packet_endpoint("198.51.100.3:40000"),
			dialled = packet_endpoint("203.0.113.1:21"),
			listener = packet_endpoint("10.0.0.2:21");
	struct fake_conn *first;
	uint64_t expires_at;

	opened();
	first = conn;
	expires_at = engine_expires_at(&engine);
	now += LIFE_MS / 2;
	conn = fake_ct_connect(&ct, &other, &dialled, &listener, &other);
	login(&engine, conn, seq, now);
	pasv("227 ok (10,0,0,2,195,82)\r\n");
	ck_assert_uint_eq(engine_expires_at(&engine), expires_at);
	engine_expire(&engine, expires_at);
	ck_assert(!first->expecting && conn->expecting);
	ck_assert_uint_eq(engine_expires_at(&engine), expires_at + LIFE_MS / 2);
	engine_expire(&engine, engine_expires_at(&engine));
	ck_assert(!conn->expecting);
	ck_assert_uint_eq(engine_count_ended(&engine, ENDING_EXPIRED), 2);
}
END_TEST

START_TEST(a_port_that_has_ended_is_not_shut)
{
	struct expect e = opened();

	end(&e, false);
	engine_expire(&engine, engine_expires_at(&engine));
	assert_ended(ENDING_USED);
	ck_assert_uint_eq(ct.dels, 0);
	ck_assert_uint_eq(engine_expires_at(&engine), UINT64_MAX);
}
END_TEST

/* The kernel counts whole seconds: 0 are left for a whole one. */
START_TEST(a_port_can_be_used_in_its_last_second)
{
	struct expect e = opened();

	e.seconds = 0;
	now += LIFE_MS - 1;
	end(&e, false);
	wait_for_nothing();
	assert_ended(ENDING_USED);
}
END_TEST

/* The event may be read late. */
START_TEST(what_had_time_left_did_not_expire)
{
	struct expect e = opened();

	e.seconds = 1;
	now += LIFE_MS + 1000;
	end(&e, false);
	wait_for_nothing();
	assert_ended(ENDING_USED);
}
END_TEST

START_TEST(a_port_goes_with_its_control_connection)
{
	struct expect e = opened();

	ct.conns = 0;
	engine_expect_ended(&engine, &e, false, now);
	wait_for_nothing();
	ct.conns = 1;
	assert_ended(ENDING_ORPHANED);
}
END_TEST

START_TEST(a_control_connection_that_cannot_be_asked_for_is_taken_to_be_there)
{
	struct expect e = opened();

	ct.refuse_get = true;
	end(&e, false);
	wait_for_nothing();
	assert_ended(ENDING_USED);
}
END_TEST

START_TEST(what_another_program_deleted_was_removed)
{
	struct expect e = opened();

	e.seconds = 0;
	now += LIFE_MS;
	end(&e, true);
	assert_ended(ENDING_DELETED);
}
END_TEST

START_TEST(the_next_offer_replaces_the_port)
{
	opened();
	pasv("227 ok (10,0,0,2,195,81)\r\n");
	assert_ended(ENDING_REPLACED);
	ck_assert_uint_eq(ct.dels, 1);
	ck_assert_uint_eq(conn->expect.tuple.dst.port, 50001);
}
END_TEST

START_TEST(an_offer_that_opens_nothing_replaces_nothing)
{
	opened();
	say(DIR_ORIGINAL, "PASV\r\n");
	ck_assert_int_eq(say(DIR_REPLY, "227 ok (10,0,0,2,0,22)\r\n"), REASON_LOW_PORT);
	ck_assert(conn->expecting);
	ck_assert_uint_eq(told.times, 0);
}
END_TEST

START_TEST(a_used_port_is_not_replaced)
{
	struct expect e = opened();

	end(&e, false);
	pasv("227 ok (10,0,0,2,195,81)\r\n");
	assert_ended(ENDING_USED);
	ck_assert_uint_eq(ct.dels, 0);
}
END_TEST

/* Nothing was reported, and the kernel does not know it any more. */
START_TEST(a_port_whose_end_is_not_known_is_not_replaced)
{
	opened();
	conn->expecting = false;
	pasv("227 ok (10,0,0,2,195,81)\r\n");
	ck_assert_uint_eq(told.times, 0);
}
END_TEST

START_TEST(a_good_bye_closes_the_port)
{
	opened();
	say(DIR_ORIGINAL, "QUIT\r\n");
	say(DIR_REPLY, "221 bye\r\n");
	assert_ended(ENDING_CANCELLED);
	ck_assert(!conn->expecting);
}
END_TEST

START_TEST(tls_closes_the_port)
{
	opened();
	say(DIR_ORIGINAL, "AUTH TLS\r\n");
	ck_assert_int_eq(say(DIR_REPLY, "234 go\r\n"), REASON_SECURED);
	assert_ended(ENDING_CANCELLED);
	ck_assert(!conn->expecting);
}
END_TEST

START_TEST(a_refusal_closes_the_port)
{
	start();
	ck_assert_int_eq(say(DIR_ORIGINAL, "PORT 198,51,100,2,195,80\r\n"), REASON_OPENED);
	ck_assert_int_eq(say(DIR_REPLY, "500 no\r\n"), REASON_DENIED);
	assert_ended(ENDING_CANCELLED);
}
END_TEST

START_TEST(a_port_ends_once)
{
	struct expect e = opened();

	end(&e, false);
	end(&e, false);
	say(DIR_ORIGINAL, "QUIT\r\n");
	say(DIR_REPLY, "221 bye\r\n");
	assert_ended(ENDING_USED);
}
END_TEST

START_TEST(expectations_of_others_are_not_looked_at)
{
	struct expect e = opened(), others[5] = {e, e, e, e, e};

	others[0].master.src.port++;
	others[1].tuple.src.addr.byte[3]++;
	others[2].tuple.dst.port++;
	others[3].nat.port++;
	others[4].nat.addr.byte[3]++;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		engine_expect_ended(&engine, &others[i], false, now);
	ck_assert_uint_eq(told.times, 0);
	end(&e, false);
	wait_for_nothing();
	assert_ended(ENDING_USED);
}
END_TEST

START_TEST(an_earlier_port_of_the_session_is_not_looked_at)
{
	struct expect first = opened(), second;

	pasv("227 ok (10,0,0,2,195,81)\r\n");
	end(&first, false);
	assert_ended(ENDING_REPLACED);
	second = conn->expect;
	end(&second, false);
	wait_for_nothing();
	ck_assert_uint_eq(told.plan.announce.port, 50001);
	ck_assert_int_eq(told.how, ENDING_USED);
}
END_TEST

/* The kernel does not report it. */
START_TEST(the_zone_is_that_of_the_policy)
{
	static const struct policy zoned = {
		.zone = 5, .expect_seconds = POLICY_EXPECT_SECONDS, .connmark = POLICY_CONNMARK};
	struct expect e;

	start();
	engine.policy = &zoned;
	conn->view.tuple[DIR_ORIGINAL].zone = conn->view.tuple[DIR_REPLY].zone = 5;
	login(&engine, conn, seq, now);
	pasv("227 ok (10,0,0,2,195,80)\r\n");
	e = conn->expect;
	e.master.zone = e.tuple.zone = 0;
	end(&e, false);
	wait_for_nothing();
	assert_ended(ENDING_USED);
}
END_TEST

START_TEST(nobody_needs_to_be_told)
{
	struct expect e = opened();

	engine.on_ended = NULL;
	end(&e, false);
	wait_for_nothing();
	ck_assert_uint_eq(engine_count_ended(&engine, ENDING_USED), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_port_that_the_kernel_ended_early_was_used,
		conntrack_is_asked_how_a_port_ended_only_if_nothing_comes,
		a_session_with_a_port_has_the_ends_reported_that_came_before_its_packet,
		a_session_without_a_port_has_no_ends_reported,
		an_end_that_another_connections_packet_brings_up_is_not_a_use,
		a_port_goes_with_a_control_connection_that_another_one_has_replaced,
		a_port_whose_time_was_up_expired,
		a_port_is_shut_when_its_time_is_up,
		a_port_that_the_kernel_has_no_more_is_not_shut,
		ports_of_several_sessions_are_shut_in_turn,
		a_port_that_has_ended_is_not_shut,
		a_port_can_be_used_in_its_last_second,
		what_had_time_left_did_not_expire,
		a_port_goes_with_its_control_connection,
		a_control_connection_that_cannot_be_asked_for_is_taken_to_be_there,
		what_another_program_deleted_was_removed,
		the_next_offer_replaces_the_port,
		an_offer_that_opens_nothing_replaces_nothing,
		a_used_port_is_not_replaced,
		a_port_whose_end_is_not_known_is_not_replaced,
		a_good_bye_closes_the_port,
		tls_closes_the_port,
		a_refusal_closes_the_port,
		a_port_ends_once,
		expectations_of_others_are_not_looked_at,
		an_earlier_port_of_the_session_is_not_looked_at,
		the_zone_is_that_of_the_policy,
		nobody_needs_to_be_told,
	};

	return unit_run("ending", tests, ARRAY_SIZE(tests));
}
