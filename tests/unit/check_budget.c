/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_budget.c - how many ports that nobody uses a client has open */
#include "talk.h"

enum { MOST = 3 };

static struct policy policy;

static void begin(void)
{
	start();
	policy = policy_default;
	policy.open_ports = MOST;
	engine.policy = &policy;
}

START_TEST(a_client_with_as_many_unused_ports_as_it_may_gets_no_more)
{
	struct talk one, other;

	begin();
	for (unsigned n = 0; n < MOST; n++) {
		one = visit(1, n);
		ck_assert_int_eq(ask_for_port(&one, 50000 + n), REASON_OPENED);
	}
	other = visit(2, 0);
	one = visit(1, MOST);
	ck_assert_int_eq(ask_for_port(&one, 50100), REASON_OPEN_PORTS_LIMIT);
	ck_assert_int_eq(ask_for_port(&other, 50100), REASON_OPENED);
}
END_TEST

START_TEST(a_session_may_open_another_port_in_place_of_its_own)
{
	struct talk one;

	begin();
	for (unsigned n = 0; n < MOST; n++) {
		one = visit(1, n);
		ck_assert_int_eq(ask_for_port(&one, 50000 + n), REASON_OPENED);
	}
	ck_assert_int_eq(ask_for_port(&one, 50100), REASON_OPENED);
}
END_TEST

START_TEST(a_port_that_was_used_counts_no_more)
{
	struct talk one[MOST + 1];
	struct expect e;

	begin();
	for (unsigned n = 0; n < MOST; n++) {
		one[n] = visit(1, n);
		ck_assert_int_eq(ask_for_port(&one[n], 50000 + n), REASON_OPENED);
	}
	one[MOST] = visit(1, MOST);
	e = one[0].conn->expect;
	e.seconds = 30;
	one[0].conn->expecting = false;
	engine_expect_ended(&engine, &e, false, now);
	ck_assert_int_eq(ask_for_port(&one[MOST], 50100), REASON_OPENED);
}
END_TEST

static bool is_contested(unsigned session, uint16_t port)
{
	struct talk one = visit(1, session);

	ck_assert_int_eq(ask_for_port(&one, port), REASON_OPENED);
	return ct.added[ct.addeds - 1].contested;
}

START_TEST(conntrack_is_asked_for_another_sessions_port_only_if_there_may_be_one)
{
	struct expect e;

	start();
	ck_assert(!is_contested(0, 50000));
	e = ct.added[ct.addeds - 1];
	ck_assert(!is_contested(1, 50001));
	ck_assert(is_contested(2, 50000));
	ct.conn[0].expecting = false;
	engine_expect_ended(&engine, &e, false, now);
	ck_assert(!is_contested(3, 50000));
}
END_TEST

/* Those of its predecessor are not in the table. */
START_TEST(a_daemon_that_has_just_started_asks_for_each_port)
{
	start();
	engine.contested_until = now + 1000;
	ck_assert(is_contested(0, 50000));
	now = engine.contested_until;
	ck_assert(!is_contested(1, 50001));
}
END_TEST

static struct expect used;

static void report_use(void)
{
	engine_expect_ended(&engine, &used, false, now);
}

START_TEST(the_kernel_is_asked_for_uses_before_a_client_is_refused)
{
	struct talk one[MOST + 1];

	begin();
	for (unsigned n = 0; n < MOST; n++) {
		one[n] = visit(1, n);
		ck_assert_int_eq(ask_for_port(&one[n], 50000 + n), REASON_OPENED);
	}
	one[MOST] = visit(1, MOST);
	used = one[0].conn->expect;
	one[0].conn->expecting = false;
	ct.on_report = report_use;
	ck_assert_int_eq(ask_for_port(&one[MOST], 50100), REASON_OPENED);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_client_with_as_many_unused_ports_as_it_may_gets_no_more,
		a_session_may_open_another_port_in_place_of_its_own,
		a_port_that_was_used_counts_no_more,
		conntrack_is_asked_for_another_sessions_port_only_if_there_may_be_one,
		a_daemon_that_has_just_started_asks_for_each_port,
		the_kernel_is_asked_for_uses_before_a_client_is_refused,
	};

	return unit_run("budget", test, ARRAY_SIZE(test));
}
