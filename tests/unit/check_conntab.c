/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_conntab.c - what is remembered of each control connection */
#include "packet.h"
#include "pasvd/conntab.h"
#include "unit.h"

#include <string.h>

static const uint8_t key[CONNTAB_KEY_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static struct conntab table;

static struct conntab *fresh(void)
{
	conntab_init(&table, key);
	return &table;
}

/* Connection number i; its two directions share no endpoint but the client. */
static struct ct_view view_of(unsigned i)
{
	struct ct_view v = {.ours = true};
	struct endpoint client = packet_endpoint("198.51.100.2:0");

	client.port = (uint16_t)i;
	client.addr.byte[2] = (uint8_t)(i >> 16);
	v.tuple[DIR_ORIGINAL] = (struct tuple){client, packet_endpoint("203.0.113.1:21"), 0};
	v.tuple[DIR_REPLY] = (struct tuple){packet_endpoint("10.0.0.2:21"), client, 0};
	return v;
}

static struct conn *find(struct conntab *t, unsigned i, enum dir by, uint64_t now)
{
	struct ct_view v = view_of(i);
	enum dir dir;
	struct conn *c;

	unit_mark(&dir, sizeof(dir));
	c = conntab_find(t, &v.tuple[by], now, &dir);
	if (c) {
		ck_assert_int_eq(dir, by);
		ck_assert(tuple_eq(&c->view.tuple[0], &v.tuple[0]));
		ck_assert(tuple_eq(&c->view.tuple[1], &v.tuple[1]));
	} else {
		ck_assert(unit_is_marked(&dir, sizeof(dir)));
	}
	return c;
}

static struct conn *add(struct conntab *t, unsigned i, uint64_t now)
{
	struct ct_view v = view_of(i);

	return conntab_add(t, &v, now);
}

START_TEST(an_empty_table_has_nothing)
{
	ck_assert_ptr_null(find(fresh(), 1, DIR_ORIGINAL, 0));
}
END_TEST

START_TEST(a_connection_is_found_by_either_direction)
{
	struct conntab *t = fresh();
	struct conn *c = add(t, 1, 0);

	ck_assert_ptr_nonnull(c);
	ck_assert_ptr_eq(find(t, 1, DIR_ORIGINAL, 0), c);
	ck_assert_ptr_eq(find(t, 1, DIR_REPLY, 0), c);
	ck_assert_ptr_null(find(t, 2, DIR_ORIGINAL, 0));
}
END_TEST

START_TEST(zones_are_told_apart)
{
	struct conntab *t = fresh();
	struct ct_view v = view_of(1);
	enum dir dir;

	add(t, 1, 0);
	v.tuple[DIR_ORIGINAL].zone = 1;
	ck_assert_ptr_null(conntab_find(t, &v.tuple[DIR_ORIGINAL], 0, &dir));
}
END_TEST

START_TEST(a_fresh_entry_knows_its_view_and_nothing_else)
{
	static const struct session no_session;
	static const struct plan none;
	struct conntab *t = fresh();
	struct ct_view v = view_of(1);
	struct conn *c;

	v.seqadj[DIR_REPLY] = (struct seqadj){1000, 3, 6};
	c = conntab_add(t, &v, 0);
	memset(&c->session, 0xff, sizeof(c->session));
	memset(&c->last, 0xff, sizeof(c->last));
	c->stream[0].line.synced = c->stream[1].line.synced = true;
	c->quota.full_at = 7;
	conntab_del(t, c);
	c = conntab_add(t, &v, 0);
	ck_assert_mem_eq(&c->session, &no_session, sizeof(no_session));
	ck_assert_mem_eq(&c->last, &none, sizeof(none));
	ck_assert(!c->stream[0].line.synced && !c->stream[1].line.synced);
	ck_assert_uint_eq(c->quota.full_at, 0);
	ck_assert_uint_eq(c->stream[0].edits.n, 0);
	ck_assert_uint_eq(c->stream[1].edits.n, 0);
	ck_assert_mem_eq(&c->view.seqadj[DIR_REPLY], &v.seqadj[DIR_REPLY], sizeof(struct seqadj));
}
END_TEST

START_TEST(the_edits_begin_with_what_the_kernel_has)
{
	struct conntab *t = fresh();
	struct ct_view v = view_of(1);
	struct conn *c;

	v.seqadj[DIR_ORIGINAL] = (struct seqadj){7, 8, 9};
	v.seqadj[DIR_REPLY] = (struct seqadj){1000, 3, 6};
	c = conntab_add(t, &v, 0);
	for (int dir = 0; dir < 2; dir++)
		ck_assert_mem_eq(
			&c->stream[dir].edits.kernel, &v.seqadj[dir], sizeof(struct seqadj));
}
END_TEST

START_TEST(a_forgotten_connection_is_not_found)
{
	struct conntab *t = fresh();

	add(t, 1, 0);
	add(t, 2, 0);
	conntab_del(t, add(t, 3, 0));
	ck_assert_ptr_null(find(t, 3, DIR_ORIGINAL, 0));
	ck_assert_ptr_null(find(t, 3, DIR_REPLY, 0));
	ck_assert_ptr_nonnull(find(t, 1, DIR_ORIGINAL, 0));
	ck_assert_ptr_nonnull(find(t, 2, DIR_REPLY, 0));
}
END_TEST

START_TEST(a_new_connection_replaces_one_with_the_same_tuple)
{
	struct conntab *t = fresh();
	struct ct_view v = view_of(1);
	enum dir dir;

	add(t, 1, 0);
	v.tuple[DIR_REPLY].src.addr.byte[3]++; /* another server now */
	conntab_add(t, &v, 0);
	ck_assert_ptr_nonnull(conntab_find(t, &v.tuple[DIR_REPLY], 0, &dir));
	v = view_of(1);
	ck_assert_ptr_null(conntab_find(t, &v.tuple[DIR_REPLY], 0, &dir));
}
END_TEST

START_TEST(a_new_connection_replaces_two_if_it_has_a_tuple_of_each)
{
	struct conntab *t = fresh();
	struct ct_view a = view_of(1), b = view_of(2), both = a;
	enum dir dir;

	conntab_add(t, &a, 0);
	conntab_add(t, &b, 0);
	both.tuple[DIR_REPLY] = b.tuple[DIR_REPLY];
	conntab_add(t, &both, 0);
	ck_assert_ptr_null(conntab_find(t, &a.tuple[DIR_REPLY], 0, &dir));
	ck_assert_ptr_null(conntab_find(t, &b.tuple[DIR_ORIGINAL], 0, &dir));
	ck_assert_ptr_nonnull(conntab_find(t, &both.tuple[DIR_ORIGINAL], 0, &dir));
	ck_assert_ptr_nonnull(conntab_find(t, &both.tuple[DIR_REPLY], 0, &dir));
}
END_TEST

START_TEST(a_full_table_forgets_the_one_idle_longest)
{
	struct conntab *t = fresh();

	for (unsigned i = 0; i < CONNTAB_SIZE; i++)
		add(t, i, i);
	for (unsigned i = 0; i < CONNTAB_SIZE; i++)
		ck_assert_ptr_nonnull(find(t, i, DIR_ORIGINAL, CONNTAB_SIZE));
	ck_assert_ptr_nonnull(find(t, 0, DIR_REPLY, CONNTAB_SIZE + 1)); /* now 1 is the one */
	add(t, CONNTAB_SIZE, CONNTAB_SIZE + 2);
	ck_assert_ptr_nonnull(find(t, 0, DIR_ORIGINAL, CONNTAB_SIZE + 3));
	ck_assert_ptr_null(find(t, 1, DIR_ORIGINAL, CONNTAB_SIZE + 3));
	ck_assert_ptr_null(find(t, 1, DIR_REPLY, CONNTAB_SIZE + 3));
	ck_assert_ptr_nonnull(find(t, 2, DIR_ORIGINAL, CONNTAB_SIZE + 3));
	ck_assert_ptr_nonnull(find(t, CONNTAB_SIZE, DIR_REPLY, CONNTAB_SIZE + 3));
}
END_TEST

START_TEST(a_table_may_be_smaller)
{
	enum { MOST = 100 };
	struct conntab *t = fresh();

	t->max = MOST;
	for (unsigned i = 0; i < 3 * MOST; i++)
		add(t, i, i);
	for (unsigned i = 0; i < 3 * MOST; i++)
		ck_assert_int_eq(find(t, i, DIR_ORIGINAL, 3 * MOST) != NULL, i >= 2 * MOST);
	ck_assert_uint_eq(t->live, MOST);
	ck_assert_uint_eq(t->used, MOST);
}
END_TEST

START_TEST(those_that_are_remembered_are_counted)
{
	struct conntab *t = fresh();

	for (unsigned i = 0; i < 5; i++)
		add(t, i, 0);
	add(t, 0, 0);
	ck_assert_uint_eq(t->live, 5);
	conntab_del(t, find(t, 2, DIR_REPLY, 0));
	ck_assert_uint_eq(t->live, 4);
}
END_TEST

START_TEST(a_place_that_is_free_is_taken_before_anyone_is_forgotten)
{
	enum { MOST = 100 };
	struct conntab *t = fresh();

	t->max = MOST;
	for (unsigned i = 0; i < MOST; i++)
		add(t, i, i);
	conntab_del(t, find(t, 50, DIR_ORIGINAL, MOST));
	add(t, MOST, MOST);
	for (unsigned i = 0; i <= MOST; i++)
		ck_assert_int_eq(find(t, i, DIR_REPLY, MOST) != NULL, i != 50);
}
END_TEST

START_TEST(always_the_last_ones_are_known)
{
	enum { MOST = CONNTAB_SIZE / 4 };
	struct conntab *t = fresh();
	unsigned many = 5 * MOST;

	t->max = MOST;
	for (unsigned i = 0; i < many; i++) {
		add(t, i, i);
		if (i % 7 == 0)
			conntab_del(t, find(t, i, DIR_REPLY, i));
	}
	for (unsigned i = many - MOST; i < many; i++)
		ck_assert_int_eq(find(t, i, DIR_ORIGINAL, many) != NULL, i % 7 != 0);
}
END_TEST

START_TEST(an_idle_connection_stays)
{
	struct conntab *t = fresh();

	add(t, 1, 10);
	ck_assert_ptr_nonnull(find(t, 1, DIR_ORIGINAL, UINT64_MAX));
}
END_TEST

START_TEST(any_key_finds_everything)
{
	for (unsigned k = 0; k < 4; k++) {
		uint8_t other[CONNTAB_KEY_LEN];

		memset(other, (int)(k * 85), sizeof(other));
		conntab_init(&table, other);
		for (unsigned i = 0; i < 1000; i++)
			add(&table, i, 0);
		for (unsigned i = 0; i < 1000; i++)
			ck_assert_ptr_nonnull(find(&table, i, i & 1 ? DIR_REPLY : DIR_ORIGINAL, 0));
	}
}
END_TEST

/* Nobody who does not know the key can tell which connections meet in a bucket. */
START_TEST(the_key_decides_where_a_connection_stands)
{
	uint8_t other[CONNTAB_KEY_LEN] = {0};
	static uint32_t bucket[CONNTAB_BUCKETS];

	fresh();
	for (unsigned i = 0; i < 100; i++)
		add(&table, i, 0);
	memcpy(bucket, table.bucket, sizeof(bucket));
	conntab_init(&table, other);
	for (unsigned i = 0; i < 100; i++)
		add(&table, i, 0);
	ck_assert_mem_ne(bucket, table.bucket, sizeof(bucket));
}
END_TEST

START_TEST(an_initialised_table_is_empty_whatever_was_in_it)
{
	struct conntab *t = fresh();

	add(t, 1, 0);
	t = fresh();
	ck_assert_ptr_null(find(t, 1, DIR_ORIGINAL, 0));
	memset(t, 0xff, sizeof(*t));
	t = fresh();
	ck_assert_ptr_null(find(t, 1, DIR_ORIGINAL, 0));
	add(t, 1, 0);
	ck_assert_ptr_nonnull(find(t, 1, DIR_ORIGINAL, 0));
}
END_TEST

START_TEST(each_connection_has_a_number)
{
	struct conntab *t = fresh();
	struct conn *first = add(t, 1, 0), *second = add(t, 2, 0);

	ck_assert_ptr_eq(conntab_at(t, 0), first);
	ck_assert_ptr_eq(conntab_at(t, 1), second);
	ck_assert_ptr_null(conntab_at(t, 2));
	ck_assert_ptr_null(conntab_at(t, UINT32_MAX));
	conntab_del(t, first);
	ck_assert_ptr_null(conntab_at(t, 0));
	ck_assert_ptr_eq(conntab_at(t, 1), second);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		an_empty_table_has_nothing,
		a_connection_is_found_by_either_direction,
		zones_are_told_apart,
		a_fresh_entry_knows_its_view_and_nothing_else,
		the_edits_begin_with_what_the_kernel_has,
		a_forgotten_connection_is_not_found,
		a_new_connection_replaces_one_with_the_same_tuple,
		a_new_connection_replaces_two_if_it_has_a_tuple_of_each,
		a_full_table_forgets_the_one_idle_longest,
		a_table_may_be_smaller,
		those_that_are_remembered_are_counted,
		a_place_that_is_free_is_taken_before_anyone_is_forgotten,
		always_the_last_ones_are_known,
		an_idle_connection_stays,
		any_key_finds_everything,
		the_key_decides_where_a_connection_stands,
		an_initialised_table_is_empty_whatever_was_in_it,
		each_connection_has_a_number,
	};

	return unit_run("conntab", test, ARRAY_SIZE(test));
}
