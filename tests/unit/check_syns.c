/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests for src/core/syns.c. */
#include "packet.h"
#include "pasvd/syns.h"
#include "unit.h"

static struct syns syns;

static struct tuple tuple_from(uint16_t port)
{
	struct tuple t = {
		.src = packet_endpoint("192.168.1.5:1"), .dst = packet_endpoint("192.0.2.10:21")};

	t.src.port = port;
	return t;
}

static void fresh(void)
{
	static const uint8_t key[SYNS_KEY_LEN] = {42};

	syns_init(&syns, key);
}

START_TEST(the_last_syn_of_a_tuple_counts_once)
{
	struct tuple t = tuple_from(40000), other = tuple_from(40001);
	uint32_t first = 7;

	fresh();
	ck_assert(!syns.any && !syns_take(&syns, &t, &first));
	syns_add(&syns, &t, 1000, 0);
	syns_add(&syns, &t, 2000, 0);
	ck_assert(syns.any && !syns_take(&syns, &other, &first));
	ck_assert_uint_eq(first, 7);
	ck_assert(syns_have(&syns, &t) && !syns_have(&syns, &other));
	ck_assert(syns_take(&syns, &t, &first));
	ck_assert_uint_eq(first, 2000);
	ck_assert(!syns_have(&syns, &t));
	ck_assert(!syns_take(&syns, &t, &first));
}
END_TEST

START_TEST(a_syn_takes_the_place_of_another_and_nobody_s_number)
{
	enum { CLIENTS = 4 * SYNS_SIZE };
	unsigned there = 0;

	fresh();
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct tuple t = tuple_from((uint16_t)i);

		syns_add(&syns, &t, i, 0);
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct tuple t = tuple_from((uint16_t)i);
		uint32_t first = i;

		there += syns_take(&syns, &t, &first);
		ck_assert_uint_eq(first, i);
	}
	ck_assert_uint_gt(there, SYNS_SIZE / 2);
	ck_assert_uint_le(there, SYNS_SIZE);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		the_last_syn_of_a_tuple_counts_once,
		a_syn_takes_the_place_of_another_and_nobody_s_number,
	};

	return unit_run("syns", test, ARRAY_SIZE(test));
}
