/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_evict.c - who goes when there is no room */
#include "talk.h"

START_TEST(what_conntrack_does_not_have_any_more_goes_first)
{
	struct talk first, over, last;

	start();
	conntab_set_max(&engine.tab, 3);
	first = visit(1, 0);
	over = visit(2, 0);
	last = visit(3, 0);
	over.conn->view.tuple[DIR_ORIGINAL].src.port = 1;
	over.conn->view.tuple[DIR_REPLY].dst.port = 1;
	visit(4, 0);
	ck_assert_uint_eq(engine.evicted, 0);
	ck_assert_int_eq(ask_for_port(&first, 50000), REASON_OPENED);
	ck_assert_int_eq(ask_for_port(&last, 50000), REASON_OPENED);
}
END_TEST

START_TEST(what_is_over_in_conntrack_goes_first)
{
	struct talk first, over;

	start();
	conntab_set_max(&engine.tab, 2);
	first = visit(1, 0);
	over = visit(2, 0);
	over.conn->view.over = true;
	visit(3, 0);
	ck_assert_uint_eq(engine.evicted, 0);
	ck_assert_int_eq(ask_for_port(&first, 50000), REASON_OPENED);
}
END_TEST

START_TEST(somebody_outside_pushes_out_himself)
{
	enum { OTHERS = 6, MOST = 10, FLOOD = 40 };
	struct talk other[OTHERS], one;

	start();
	conntab_set_max(&engine.tab, MOST);
	for (unsigned i = 0; i < OTHERS; i++) {
		logs_in = i % 2;
		other[i] = visit(i, 0);
		client(&other[i], "NOOP\r\n");
	}
	logs_in = false;
	for (unsigned n = 0; n < FLOOD; n++) {
		one = visit(200, n);
		client(&one, "USER x\r\n");
	}
	ck_assert_uint_eq(engine.evicted, 0);
	for (unsigned i = 0; i < OTHERS; i++) {
		ct.gets = 0;
		server(&other[i], "200 x\r\n");
		ck_assert_uint_eq(ct.gets, 0); /* it is known */
		if (i % 2)
			ck_assert_int_eq(ask_for_port(&other[i], 50000), REASON_OPENED);
	}
}
END_TEST

START_TEST(a_session_that_logs_in_is_one_of_the_crowd_no_more)
{
	struct talk one;

	start();
	conntab_set_max(&engine.tab, 2);
	logs_in = false;
	one = visit(1, 0);
	server(&one, "220 x\r\n");
	ck_assert_uint_eq(engine.tab.crowd.most, 1);
	client(&one, "PASS x\r\n");
	server(&one, "230 x\r\n");
	ck_assert_uint_eq(engine.tab.crowd.most, 0);
}
END_TEST

/* Rewrites that somebody may still have to be told again are in a place that others want, too. */
START_TEST(whose_rewrites_have_not_arrived_for_longest_goes)
{
	struct talk first, second;

	start();
	first = visit(1, 0);
	second = visit(2, 0);
	engine.tab.edits.pool.max = 2;
	ck_assert_int_eq(ask_for_port(&first, 50000), REASON_OPENED);
	ck_assert_int_eq(server(&second, "200 x\r\n"), REASON_PASSED);
	ck_assert_uint_eq(engine.evicted, 0);
	ck_assert_int_eq(ask_for_port(&second, 50000), REASON_OPENED);
	ck_assert_uint_eq(engine.evicted, 0);
	ck_assert_int_eq(server(&first, "200 x\r\n"), REASON_PASSED);
	client(&second, "NOOP\r\n");
	ck_assert_uint_eq(engine.evicted, 1);
	ck_assert_int_eq(ask_for_port(&second, 50000), REASON_OPENED);
}
END_TEST

/* Nobody has to log in to have the beginning of a line held: it may become AUTH. */
START_TEST(somebody_outside_has_no_rewrites_of_others_forgotten)
{
	enum { PLACES = 4 };
	struct talk first, one;

	start();
	first = visit(1, 0);
	engine.tab.edits.pool.max = PLACES;
	ck_assert_int_eq(ask_for_port(&first, 50000), REASON_OPENED);
	logs_in = false;
	for (unsigned n = 0; n < 2 * PLACES; n++) {
		one = visit(200, n);
		server(&one, "220 x\r\n");
		ck_assert_int_eq(client(&one, "A"), REASON_HELD);
	}
	ck_assert_uint_eq(engine.evicted, 0);
	ck_assert_int_eq(ask_for_port(&first, 50000), REASON_OPENED);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		what_conntrack_does_not_have_any_more_goes_first,
		what_is_over_in_conntrack_goes_first,
		somebody_outside_pushes_out_himself,
		a_session_that_logs_in_is_one_of_the_crowd_no_more,
		whose_rewrites_have_not_arrived_for_longest_goes,
		somebody_outside_has_no_rewrites_of_others_forgotten,
	};

	return unit_run("evict", test, ARRAY_SIZE(test));
}
