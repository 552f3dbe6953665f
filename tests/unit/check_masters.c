/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_masters.c - control connections that are TLS, whose data connections cannot be foretold */
#include "packet.h"
#include "pasvd/masters.h"
#include "unit.h"

static const uint8_t key[MASTERS_KEY_LEN] = {1, 2, 3};

static struct masters masters;

static struct masters *fresh(void)
{
	masters_init(&masters, key);
	return &masters;
}

static struct tuple tuple_of(const char *client, const char *dialled)
{
	return (struct tuple){packet_endpoint(client), packet_endpoint(dialled), 0};
}

/* The SYN of a data connection. */
static size_t find(
	const struct masters *m, const char *client, const char *dialled, struct tuple *ret)
{
	struct tuple syn = tuple_of(client, dialled);

	return masters_find(m, &syn, ret);
}

static void add(struct masters *m, const char *client, const char *dialled)
{
	struct tuple t = tuple_of(client, dialled);

	masters_add(m, &t);
}

START_TEST(a_client_is_found_by_both_addresses)
{
	struct masters *m = fresh();
	struct tuple found[MASTERS_WAYS];

	add(m, "198.51.100.2:40000", "203.0.113.1:21");
	ck_assert_uint_eq(find(m, "198.51.100.2:5", "203.0.113.1:60000", found), 1);
	ck_assert_uint_eq(found[0].src.port, 40000);
	ck_assert_uint_eq(find(m, "198.51.100.3:5", "203.0.113.1:60000", found), 0);
	ck_assert_uint_eq(find(m, "198.51.100.2:5", "203.0.113.2:60000", found), 0);
	add(m, "[2001:db8::2]:40000", "[2001:db8:1::1]:21");
	ck_assert_uint_eq(find(m, "[2001:db8::2]:5", "[2001:db8:1::1]:60000", found), 1);
}
END_TEST

START_TEST(zones_are_told_apart)
{
	struct masters *m = fresh();
	struct tuple t = tuple_of("198.51.100.2:40000", "203.0.113.1:21"), found[MASTERS_WAYS];

	t.zone = 7;
	masters_add(m, &t);
	ck_assert_uint_eq(masters_find(m, &t, found), 1);
	t.zone = 8;
	ck_assert_uint_eq(masters_find(m, &t, found), 0);
}
END_TEST

START_TEST(the_newest_comes_first_and_each_once)
{
	struct masters *m = fresh();
	struct tuple found[MASTERS_WAYS];

	add(m, "198.51.100.2:1", "203.0.113.1:21");
	add(m, "198.51.100.2:2", "203.0.113.1:21");
	add(m, "198.51.100.2:3", "203.0.113.1:2121");
	add(m, "198.51.100.2:1", "203.0.113.1:21");
	ck_assert_uint_eq(find(m, "198.51.100.2:9", "203.0.113.1:9", found), 3);
	ck_assert_uint_eq(found[0].src.port, 1);
	ck_assert_uint_eq(found[1].src.port, 3);
	ck_assert_uint_eq(found[2].src.port, 2);
}
END_TEST

START_TEST(what_is_forgotten_is_gone_and_the_others_stay)
{
	struct masters *m = fresh();
	struct tuple t = tuple_of("198.51.100.2:2", "203.0.113.1:21"), found[MASTERS_WAYS];

	add(m, "198.51.100.2:1", "203.0.113.1:21");
	add(m, "198.51.100.2:2", "203.0.113.1:21");
	add(m, "198.51.100.2:3", "203.0.113.1:21");
	masters_del(m, &t);
	masters_del(m, &t);
	ck_assert_uint_eq(find(m, "198.51.100.2:9", "203.0.113.1:9", found), 2);
	ck_assert_uint_eq(found[0].src.port, 3);
	ck_assert_uint_eq(found[1].src.port, 1);
}
END_TEST

START_TEST(a_full_set_forgets_its_oldest)
{
	struct masters *m = fresh();
	struct tuple found[MASTERS_WAYS], t = tuple_of("198.51.100.2:1", "203.0.113.1:21");

	for (unsigned port = 1; port <= MASTERS_WAYS + 1; port++) {
		t.src.port = (uint16_t)port;
		masters_add(m, &t);
	}
	ck_assert_uint_eq(masters_find(m, &t, found), MASTERS_WAYS);
	ck_assert_uint_eq(found[0].src.port, MASTERS_WAYS + 1);
	ck_assert_uint_eq(found[MASTERS_WAYS - 1].src.port, 2);
}
END_TEST

/* A thousand others push out hardly anybody: nobody can choose whom he meets. */
START_TEST(others_stand_elsewhere)
{
	struct masters *m = fresh();
	struct tuple t = tuple_of("198.51.0.0:1", "203.0.113.1:21"), found[MASTERS_WAYS];
	unsigned there = 0;

	for (unsigned i = 0; i < 1000; i++) {
		t.src.addr.byte[2] = (uint8_t)(i >> 8);
		t.src.addr.byte[3] = (uint8_t)i;
		masters_add(m, &t);
	}
	for (unsigned i = 0; i < 1000; i++) {
		t.src.addr.byte[2] = (uint8_t)(i >> 8);
		t.src.addr.byte[3] = (uint8_t)i;
		there += masters_find(m, &t, found) == 1;
	}
	ck_assert_uint_ge(there, 990);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_client_is_found_by_both_addresses,
		zones_are_told_apart,
		the_newest_comes_first_and_each_once,
		what_is_forgotten_is_gone_and_the_others_stay,
		a_full_set_forgets_its_oldest,
		others_stand_elsewhere,
	};

	return unit_run("masters", test, ARRAY_SIZE(test));
}
