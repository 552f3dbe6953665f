/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_quota.c - how many ports may be opened a minute
 *
 * Time is given in ms. Floods are large enough to go through the tables many times.
 */
#include "packet.h"
#include "pasvd/quota.h"
#include "unit.h"

#include <string.h>

enum { MINUTE = 60000, FLOOD = 100000 };

static const uint8_t key[QUOTA_KEY_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static struct quota quota;
static struct quota_bucket session;

static void start(void)
{
	memset(&quota, 0xff, sizeof(quota));
	quota_init(&quota, key);
	session = (struct quota_bucket){0};
}

static struct quota_limits limits(uint16_t per_session, uint16_t per_client, uint16_t per_server)
{
	return (struct quota_limits){{per_session, per_client, per_server}};
}

static struct quota_party party(const char *client, const char *server)
{
	return (struct quota_party){&session, packet_addr(client), packet_addr(server)};
}

/* Client number i, somewhere in 10.0.0.0/8. */
static struct quota_party numbered(unsigned i)
{
	struct quota_party p = party("10.0.0.0", "192.0.2.1");

	p.client.byte[1] = (uint8_t)(i >> 16);
	p.client.byte[2] = (uint8_t)(i >> 8);
	p.client.byte[3] = (uint8_t)i;
	return p;
}

/* As engine.c does it. */
static enum quota_scope open_port(struct quota_limits l, struct quota_party p, uint64_t now)
{
	enum quota_scope scope = quota_ask(&quota, &l, &p, now);

	if (scope == QUOTA_NONE)
		quota_take(&quota, &l, &p, now);
	return scope;
}

/* How many are to be had at this time, up to `most`. */
static unsigned drain(struct quota_limits l, struct quota_party p, uint64_t now, unsigned most)
{
	unsigned n = 0;

	while (n < most && open_port(l, p, now) == QUOTA_NONE)
		n++;
	return n;
}

static const uint16_t some_limit[] = {
	1, 2, 3, 7, 10, 59, 60, 61, 999, 7001, 59999, 60000, UINT16_MAX};

START_TEST(as_many_as_the_limit_says_are_there_at_once)
{
	for (size_t i = 0; i < ARRAY_SIZE(some_limit); i++) {
		for (int scope = 0; scope < QUOTA_NONE; scope++) {
			struct quota_limits l = {{0}};

			start();
			l.a_minute[scope] = some_limit[i];
			ck_assert_uint_eq(
				drain(l, party("192.0.2.9", "192.0.2.1"), 5, 2 * UINT16_MAX),
				some_limit[i]);
		}
	}
}
END_TEST

START_TEST(then_one_comes_back_each_nth_of_a_minute)
{
	struct quota_limits l = limits(0, 10, 0);
	struct quota_party p = party("192.0.2.9", "192.0.2.1");
	uint64_t now = 1000;

	start();
	drain(l, p, now, 10);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(open_port(l, p, now + MINUTE / 10 - 1), QUOTA_CLIENT);
		now += MINUTE / 10;
		ck_assert_int_eq(open_port(l, p, now), QUOTA_NONE);
	}
}
END_TEST

START_TEST(after_a_minute_all_are_back_and_no_more)
{
	struct quota_limits l = limits(0, 7, 0);
	struct quota_party p = party("192.0.2.9", "192.0.2.1");

	start();
	ck_assert_uint_eq(drain(l, p, 0, 100), 7);
	ck_assert_uint_eq(drain(l, p, MINUTE, 100), 7);
	ck_assert_uint_eq(drain(l, p, UINT64_C(1000) * MINUTE, 100), 7);
}
END_TEST

START_TEST(without_a_limit_nothing_is_counted)
{
	struct quota_party p = party("192.0.2.9", "192.0.2.1");

	start();
	ck_assert_uint_eq(drain(limits(0, 0, 0), p, 0, 200000), 200000);
	ck_assert_uint_eq(session.full_at, 0);
	ck_assert_uint_eq(drain(limits(3, 3, 3), p, 0, 100), 3);
}
END_TEST

START_TEST(the_first_scope_that_is_over_is_named)
{
	struct quota_party p = party("192.0.2.9", "192.0.2.1"),
			   other = party("192.0.2.10", "192.0.2.1");

	start();
	ck_assert_int_eq(open_port(limits(1, 1, 1), p, 0), QUOTA_NONE);
	ck_assert_int_eq(open_port(limits(1, 1, 1), p, 0), QUOTA_SESSION);
	ck_assert_int_eq(open_port(limits(0, 1, 1), p, 0), QUOTA_CLIENT);
	ck_assert_int_eq(open_port(limits(0, 1, 1), other, 0), QUOTA_SERVER);
	ck_assert_int_eq(open_port(limits(0, 1, 0), other, 0), QUOTA_NONE);
}
END_TEST

START_TEST(what_is_refused_in_one_scope_costs_nothing_in_the_others)
{
	struct quota_limits l = limits(1, 3, 3);
	struct quota_party p = party("192.0.2.9", "192.0.2.1");
	struct quota_bucket next = {0};

	start();
	ck_assert_int_eq(open_port(l, p, 0), QUOTA_NONE);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(open_port(l, p, 0), QUOTA_SESSION);
	p.session = &next;
	l.a_minute[QUOTA_SESSION] = 100;
	ck_assert_uint_eq(drain(l, p, 0, 100), 2);
}
END_TEST

START_TEST(asking_costs_nothing)
{
	struct quota_limits l = limits(3, 3, 3);
	struct quota_party p = party("192.0.2.9", "192.0.2.1");

	start();
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(quota_ask(&quota, &l, &p, 0), QUOTA_NONE);
	ck_assert_uint_eq(drain(l, p, 0, 100), 3);
}
END_TEST

/* Whether a port of the second takes one from the first. */
static bool is_shared(struct quota_limits l, const char *const party_text[4])
{
	start();
	ck_assert_int_eq(open_port(l, party(party_text[0], party_text[1]), 0), QUOTA_NONE);
	return open_port(l, party(party_text[2], party_text[3]), 0) != QUOTA_NONE;
}

START_TEST(an_address_has_a_bucket_of_its_own_and_an_ip6_client_shares_that_of_its_64)
{
	static const struct {
		const char *party[4];
		bool client, server;
	} sample[] = {
		{{"192.0.2.9", "203.0.113.1", "192.0.2.9", "203.0.113.1"}, true, true},
		{{"192.0.2.9", "203.0.113.1", "192.0.2.8", "203.0.113.2"}, false, false},
		{{"192.0.2.9", "203.0.113.1", "203.0.113.1", "192.0.2.9"}, false, false},
		{{"2001:db8::1", "fd00::1", "2001:db8::ffff:1:2:3", "fd00::2"}, true, false},
		{{"2001:db8::1", "fd00::1", "2001:db8:0:1::1", "fd00::1"}, false, true},
		{{"32.1.13.184", "0.0.0.0", "2001:db8::", "::"}, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		ck_assert(is_shared(limits(0, 1, 0), sample[i].party) == sample[i].client);
		ck_assert(is_shared(limits(0, 0, 1), sample[i].party) == sample[i].server);
	}
}
END_TEST

START_TEST(bytes_behind_an_ip4_address_do_not_count)
{
	struct quota_party p = party("192.0.2.9", "203.0.113.1");

	start();
	ck_assert_int_eq(open_port(limits(0, 1, 1), p, 0), QUOTA_NONE);
	memset(p.client.byte + ADDR_IP4_LEN, 7, ADDR_IP6_LEN - ADDR_IP4_LEN);
	memset(p.server.byte + ADDR_IP4_LEN, 7, ADDR_IP6_LEN - ADDR_IP4_LEN);
	ck_assert_int_eq(open_port(limits(0, 1, 0), p, 0), QUOTA_CLIENT);
	ck_assert_int_eq(open_port(limits(0, 0, 1), p, 0), QUOTA_SERVER);
}
END_TEST

START_TEST(under_a_new_limit_the_part_that_was_used_stays_used)
{
	struct quota_party p = party("192.0.2.9", "192.0.2.1");

	for (int scope = 0; scope < QUOTA_NONE; scope++) {
		struct quota_limits ten = {{0}}, hundred = {{0}};

		ten.a_minute[scope] = 10;
		hundred.a_minute[scope] = 100;
		start();
		ck_assert_uint_eq(drain(ten, p, 0, 5), 5);
		ck_assert_uint_eq(drain(hundred, p, 0, 1000), 50);
		ck_assert_uint_eq(drain(ten, p, 0, 1), 0);
		ck_assert_uint_eq(drain(ten, p, MINUTE / 2, 100), 5);
	}
}
END_TEST

START_TEST(a_thousand_addresses_share_nothing)
{
	struct quota_limits l = limits(0, 20, 0);

	start();
	for (int round = 0; round < 20; round++)
		for (unsigned i = 0; i < 1000; i++)
			ck_assert_int_eq(open_port(l, numbered(i), 0), QUOTA_NONE);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(open_port(l, numbered(i), 0), QUOTA_CLIENT);
}
END_TEST

START_TEST(one_address_in_a_flood_of_others_does_not_exceed_its_limit)
{
	struct quota_limits l = limits(0, 10, 0);
	unsigned had = 0;

	start();
	for (unsigned i = 1; i <= FLOOD; i++) {
		open_port(l, numbered(i), 0);
		had += drain(l, numbered(0), 0, 100);
	}
	ck_assert_uint_eq(had, 10);
}
END_TEST

START_TEST(one_address_that_comes_seldom_in_a_flood_does_not_exceed_its_limit)
{
	struct quota_limits l = limits(0, 10, 0);
	unsigned had = 0;

	start();
	for (unsigned i = 1; i <= FLOOD; i++) {
		open_port(l, numbered(i), 0);
		if (i % 5000 == 0)
			had += open_port(l, numbered(0), 0) == QUOTA_NONE;
	}
	ck_assert_uint_gt(had, 0);
	ck_assert_uint_le(had, 10);
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Each address beside a bucket that is its own: it may get less, and never more. */
START_TEST(no_address_exceeds_its_limit_in_any_order)
{
	static uint64_t full_at[FLOOD];
	const uint64_t port = (uint64_t)MINUTE * 1000000 / 6;
	struct quota_limits l = limits(0, 6, 0);
	uint32_t state = 1;
	unsigned opened = 0;

	start();
	for (uint64_t now = 0; now < (uint64_t)2 * MINUTE * 100; now += 3) {
		unsigned i = next_random(&state) % (next_random(&state) % 4 ? 200 : FLOOD);
		uint64_t ns = now / 100 * 1000000;

		if (open_port(l, numbered(i), now / 100) != QUOTA_NONE)
			continue;
		opened++;
		full_at[i] = (full_at[i] > ns ? full_at[i] : ns) + port;
		ck_assert_uint_le(full_at[i], ns + (uint64_t)MINUTE * 1000000);
	}
	ck_assert_uint_gt(opened, FLOOD / 2);
}
END_TEST

START_TEST(a_flood_of_clients_leaves_the_servers_alone)
{
	struct quota_limits l = limits(0, 1, 0), both = limits(0, 1, 5);

	start();
	for (unsigned i = 0; i < FLOOD; i++)
		open_port(l, numbered(i), 0);
	ck_assert_int_eq(open_port(both, numbered(FLOOD), 0), QUOTA_CLIENT);
	ck_assert_uint_eq(drain(limits(0, 0, 5), numbered(FLOOD), 0, 100), 5);
}
END_TEST

START_TEST(a_minute_after_a_flood_it_is_forgotten)
{
	struct quota_limits l = limits(0, 10, 0);

	start();
	for (unsigned i = 0; i < FLOOD; i++)
		open_port(l, numbered(i), 0);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_uint_eq(drain(l, numbered(i), MINUTE, 100), 10);
}
END_TEST

START_TEST(the_key_decides_who_shares)
{
	uint8_t other[QUOTA_KEY_LEN] = {1};
	struct quota_party p = party("192.0.2.9", "192.0.2.1");
	struct quota_limits l = limits(0, 1, 0);
	struct quota first;

	start();
	open_port(l, p, 0);
	first = quota;
	quota_init(&quota, other);
	open_port(l, p, 0);
	ck_assert_mem_ne(first.client, quota.client, sizeof(first.client));
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		as_many_as_the_limit_says_are_there_at_once,
		then_one_comes_back_each_nth_of_a_minute,
		after_a_minute_all_are_back_and_no_more,
		without_a_limit_nothing_is_counted,
		the_first_scope_that_is_over_is_named,
		what_is_refused_in_one_scope_costs_nothing_in_the_others,
		asking_costs_nothing,
		an_address_has_a_bucket_of_its_own_and_an_ip6_client_shares_that_of_its_64,
		bytes_behind_an_ip4_address_do_not_count,
		under_a_new_limit_the_part_that_was_used_stays_used,
		a_thousand_addresses_share_nothing,
		one_address_in_a_flood_of_others_does_not_exceed_its_limit,
		one_address_that_comes_seldom_in_a_flood_does_not_exceed_its_limit,
		no_address_exceeds_its_limit_in_any_order,
		a_flood_of_clients_leaves_the_servers_alone,
		a_minute_after_a_flood_it_is_forgotten,
		the_key_decides_who_shares,
	};

	return unit_run("quota", test, ARRAY_SIZE(test));
}
