/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_near.c - how far a mistyped word is from another */
#include "near.h"
#include "unit.h"

#include <string.h>

START_TEST(slips_are_counted)
{
	static const struct {
		const char *typed, *meant;
		unsigned distance;
	} slip[] = {
		{"queue", "queue", 0},
		{"Queue", "queue", 0},
		{"queu", "queue", 1},
		{"queuee", "queue", 1},
		{"xueue", "queue", 1},
		{"uqeue", "queue", 1},
		{"queeu", "queue", 1},
		{"qeuu", "queue", 2},
		{"deny_port", "deny-ports", 1},
		{"port", "ports", 1},
		{"abc", "queue", 5},
		{"bare-cr", "bare-lf", 2},
		{"expect_timeout_active", "expect-timeout-active", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(slip); i++)
		ck_assert_uint_eq(near_distance(slip[i].typed, slip[i].meant), slip[i].distance);
}
END_TEST

START_TEST(what_is_too_long_or_too_short_is_far)
{
	static const char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 33 */

	ck_assert_uint_eq(near_distance(a, a), NEAR_FAR);
	ck_assert_uint_eq(near_distance(a + 1, a + 1), 0);
	ck_assert_uint_eq(near_distance("", "zone"), NEAR_FAR);
	ck_assert_uint_eq(near_distance("e", "zone"), NEAR_FAR);
	ck_assert_uint_eq(near_distance("zo", "zone"), 2);
	ck_assert_uint_eq(near_distance("tls", "tls"), NEAR_FAR);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		slips_are_counted,
		what_is_too_long_or_too_short_is_far,
	};

	return unit_run("near", test, ARRAY_SIZE(test));
}
