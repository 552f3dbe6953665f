/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_rate.c - so many a second, and a count of what was too much */
#include "rate.h"
#include "unit.h"

enum { MOST = 3 };

static struct rate rate;
static uint64_t left_out; /* as returned with the last one */

static bool take(uint64_t second)
{
	unit_mark(&left_out, sizeof(left_out));
	return rate_take(&rate, second, MOST, &left_out);
}

static void take_times(uint64_t second, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		take(second);
}

START_TEST(a_second_has_so_many_and_no_more)
{
	rate = (struct rate){0};
	for (int i = 0; i < MOST; i++)
		ck_assert(take(7));
	ck_assert(!take(7));
	ck_assert(!take(7));
}
END_TEST

START_TEST(the_next_second_has_as_many_again)
{
	rate = (struct rate){0};
	take_times(7, MOST + 1);
	for (int i = 0; i < MOST; i++)
		ck_assert(take(8));
	ck_assert(!take(8));
}
END_TEST

START_TEST(what_a_second_left_over_is_lost)
{
	rate = (struct rate){0};
	take_times(7, 1);
	take_times(8, MOST);
	ck_assert(!take(8));
}
END_TEST

START_TEST(what_was_too_much_is_told_once)
{
	rate = (struct rate){0};
	take_times(7, MOST + 5);
	ck_assert_uint_eq(left_out, 0);
	ck_assert(take(20)); /* however much later */
	ck_assert_uint_eq(left_out, 5);
	ck_assert(take(20));
	ck_assert_uint_eq(left_out, 0);
	take(21);
	ck_assert_uint_eq(left_out, 0);
}
END_TEST

START_TEST(nothing_too_much_is_0)
{
	rate = (struct rate){0};
	for (uint64_t second = 0; second < 4; second++) {
		take_times(second, MOST);
		ck_assert_uint_eq(left_out, 0);
	}
}
END_TEST

START_TEST(a_clock_that_goes_back_begins_another_second)
{
	rate = (struct rate){0};
	take_times(7, MOST + 2);
	ck_assert(take(6));
	ck_assert_uint_eq(left_out, 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_second_has_so_many_and_no_more,
		the_next_second_has_as_many_again,
		what_a_second_left_over_is_lost,
		what_was_too_much_is_told_once,
		nothing_too_much_is_0,
		a_clock_that_goes_back_begins_another_second,
	};

	return unit_run("rate", tests, ARRAY_SIZE(tests));
}
