/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_rules_due.c - when rules that another program changes are looked at, and loaded */
#include "rules_due.h"
#include "unit.h"

enum { NOW = 1000000 };

static struct rules_due due;

START_TEST(nothing_is_due_without_a_deletion)
{
	due = (struct rules_due){0};
	ck_assert_uint_eq(rules_due_at(&due), 0);
	rules_due_change(&due, NOW);
	ck_assert_uint_eq(rules_due_at(&due), 0);
	rules_due_deletion(&due, NOW);
	rules_due_look(&due);
	ck_assert_uint_eq(rules_due_at(&due), 0);
}
END_TEST

START_TEST(a_look_waits_until_it_is_quiet)
{
	due = (struct rules_due){0};
	rules_due_deletion(&due, NOW);
	ck_assert_uint_eq(rules_due_at(&due), NOW + RULES_DUE_QUIET_MS);
	rules_due_deletion(&due, NOW + 400);
	ck_assert_uint_eq(rules_due_at(&due), NOW + 400 + RULES_DUE_QUIET_MS);
	rules_due_change(&due, NOW + 800);
	ck_assert_uint_eq(rules_due_at(&due), NOW + 800 + RULES_DUE_QUIET_MS);
}
END_TEST

START_TEST(changes_without_end_do_not_put_off_the_look_without_end)
{
	due = (struct rules_due){0};
	for (uint64_t at = NOW; at < NOW + 2 * RULES_DUE_LATEST_MS; at += 100)
		rules_due_deletion(&due, at);
	ck_assert_uint_eq(rules_due_at(&due), NOW + RULES_DUE_LATEST_MS);
}
END_TEST

/* Loads from NOW on, `every` ms; returns how many until one is not allowed, at most 100. */
static unsigned load_until_rest(uint64_t every)
{
	unsigned n = 0;

	due = (struct rules_due){0};
	while (n < 100 && rules_due_load(&due, NOW + n * every))
		n++;
	return n;
}

START_TEST(rules_that_do_not_stay_are_given_up)
{
	ck_assert_uint_eq(load_until_rest(1000), RULES_DUE_LOADS);
	ck_assert_uint_eq(rules_due_at(&due), NOW + RULES_DUE_LOADS * 1000 + RULES_DUE_REST_MS);
}
END_TEST

START_TEST(rules_that_stay_for_a_while_are_loaded_again_and_again)
{
	ck_assert_uint_eq(load_until_rest(RULES_DUE_WITHIN_MS / RULES_DUE_LOADS), 100);
}
END_TEST

START_TEST(changes_do_not_shorten_a_rest)
{
	uint64_t until;

	load_until_rest(1000);
	until = rules_due_at(&due);
	rules_due_deletion(&due, NOW + 7000);
	ck_assert_uint_eq(rules_due_at(&due), until);
}
END_TEST

START_TEST(firewall_at_work_when_a_rest_ends_is_left_alone)
{
	uint64_t until;

	load_until_rest(1000);
	until = rules_due_at(&due);
	rules_due_deletion(&due, NOW + 7000);
	rules_due_deletion(&due, until - 100);
	ck_assert_uint_eq(rules_due_at(&due), until - 100 + RULES_DUE_QUIET_MS);
	for (uint64_t at = until; at < until + 2 * RULES_DUE_LATEST_MS; at += 100)
		rules_due_deletion(&due, at);
	ck_assert_uint_eq(rules_due_at(&due), until + RULES_DUE_LATEST_MS);
}
END_TEST

START_TEST(after_a_rest_all_loads_are_allowed_again)
{
	uint64_t until;

	load_until_rest(1000);
	until = rules_due_at(&due);
	rules_due_look(&due);
	for (unsigned n = 0; n < RULES_DUE_LOADS; n++)
		ck_assert(rules_due_load(&due, until + n));
	ck_assert(!rules_due_load(&due, until + RULES_DUE_LOADS));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_is_due_without_a_deletion,
		a_look_waits_until_it_is_quiet,
		changes_without_end_do_not_put_off_the_look_without_end,
		rules_that_do_not_stay_are_given_up,
		rules_that_stay_for_a_while_are_loaded_again_and_again,
		changes_do_not_shorten_a_rest,
		firewall_at_work_when_a_rest_ends_is_left_alone,
		after_a_rest_all_loads_are_allowed_again,
	};

	return unit_run("rules_due", tests, ARRAY_SIZE(tests));
}
