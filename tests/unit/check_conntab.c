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
	struct ct_view v = {.has_helper = true};
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

/* As the engine does: if there is no room, the one to go goes. */
static struct conn *add(struct conntab *t, unsigned i, uint64_t now)
{
	struct ct_view v = view_of(i);

	if (conntab_is_full(t))
		conntab_del(t, conntab_victim(t));
	return conntab_add(t, &v, now);
}

/* Likewise, and somebody logs in. */
static struct conn *add_login(struct conntab *t, unsigned i, uint64_t now)
{
	struct conn *c = add(t, i, now);

	conntab_log_in(t, c);
	return c;
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

/* Whole structs are not compared, for the compiler may leave anything between their members. */
static bool is_fresh_stream(const struct stream *s)
{
	const struct line *l = &s->line;

	return !l->buf && l->first == 0 && l->start == 0 && l->next == 0 && l->len == 0 &&
	       l->sync == 0 && !l->whole && !l->partial && !l->overlong && !l->ahead_len &&
	       !s->edits && !s->was_reset && !s->closes && !s->kept && !s->settled;
}

static bool has_view(const struct conn *c, const struct ct_view *v)
{
	const struct ct_view *has = &c->view;

	return tuple_eq(&has->tuple[0], &v->tuple[0]) && tuple_eq(&has->tuple[1], &v->tuple[1]) &&
	       memcmp(has->seqadj, v->seqadj, sizeof(v->seqadj)) == 0 &&
	       has->has_helper == v->has_helper && has->established == v->established &&
	       has->mark == v->mark && has->id == v->id && has->over == v->over;
}

/* Whatever was remembered at its place before. */
static void fill(struct conn *c)
{
	memset(&c->session, 0xff, sizeof(c->session));
	c->quota.full_at = 7;
	for (int dir = 0; dir < 2; dir++) {
		struct stream *s = &c->stream[dir];

		s->line.first = s->line.start = s->line.next = c->indev[dir] = 7;
		s->line.sync = LINE_SYNCED;
		s->line.ahead_len = 7;
		s->line.partial = s->line.overlong = s->was_reset = s->closes = s->settled = true;
	}
	c->trust = 7;
	c->unanchored = c->aborted = c->inherited = c->reported = c->shifted = true;
	c->cleared = c->hides = c->tls = c->unread = c->spoke = true;
}

START_TEST(a_fresh_entry_knows_its_view_and_nothing_else)
{
	static const struct plan plan = {.announce.port = 7};
	static const struct session session;
	struct conntab *t = fresh();
	struct ct_view v = view_of(1);
	struct conn *c;

	v.seqadj[DIR_REPLY] = (struct seqadj){1000, 3, 6};
	c = conntab_add(t, &v, 0);
	fill(c);
	ck_assert(conntab_lend(t, c, DIR_REPLY));
	conntab_open(t, c, &plan, 7);
	conntab_del(t, c);
	ck_assert_ptr_eq(conntab_add(t, &v, 0), c);
	ck_assert(c->live && has_view(c, &v) && c->seen == 0);
	ck_assert_mem_eq(&c->session, &session, sizeof(session));
	ck_assert(c->quota.full_at == 0 && !c->opened && c->trust == 0);
	ck_assert(is_fresh_stream(&c->stream[0]) && is_fresh_stream(&c->stream[1]));
	ck_assert(c->indev[0] == 0 && c->indev[1] == 0);
	ck_assert(!c->unanchored && !c->aborted && !c->inherited && !c->reported);
	ck_assert(!c->shifted && !c->cleared && !c->hides && !c->tls && !c->unread && !c->spoke);
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
	for (int dir = 0; dir < 2; dir++) {
		ck_assert(conntab_lend(t, c, (enum dir)dir));
		ck_assert_mem_eq(
			&c->stream[dir].edits->kernel, &v.seqadj[dir], sizeof(struct seqadj));
		ck_assert_mem_eq(
			&c->stream[dir].edits->base, &v.seqadj[dir], sizeof(struct seqadj));
	}
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

START_TEST(of_sessions_that_are_logged_in_the_idlest_goes)
{
	enum { MOST = 1000 };
	struct conntab *t = fresh();

	conntab_set_max(t, MOST);
	for (unsigned i = 0; i < MOST; i++)
		add_login(t, i, i);
	for (unsigned i = 0; i < MOST; i++)
		ck_assert_ptr_nonnull(find(t, i, DIR_ORIGINAL, MOST));
	ck_assert_ptr_nonnull(find(t, 0, DIR_REPLY, MOST + 1)); /* now 1 is the one */
	add(t, MOST, MOST + 2);
	ck_assert_ptr_nonnull(find(t, 0, DIR_ORIGINAL, MOST + 3));
	ck_assert_ptr_null(find(t, 1, DIR_ORIGINAL, MOST + 3));
	ck_assert_ptr_null(find(t, 1, DIR_REPLY, MOST + 3));
	ck_assert_ptr_nonnull(find(t, 2, DIR_ORIGINAL, MOST + 3));
	ck_assert_ptr_nonnull(find(t, MOST, DIR_REPLY, MOST + 3));
}
END_TEST

/* Connection number `i` of another client. */
static struct ct_view view_of_client(unsigned i, uint8_t client)
{
	struct ct_view v = view_of(i);

	v.tuple[DIR_ORIGINAL].src.addr.byte[3] = v.tuple[DIR_REPLY].dst.addr.byte[3] = client;
	return v;
}

/* Who fills the table pushes out himself, whatever the others do. */
START_TEST(without_a_login_one_of_the_client_with_most_goes)
{
	enum { OTHERS = 20, MOST = 1000, FLOOD = 5 * MOST };
	struct conntab *t = fresh();
	enum dir dir;

	conntab_set_max(t, MOST);
	for (unsigned i = 0; i < OTHERS; i++) {
		struct ct_view v = view_of_client(i, (uint8_t)(100 + i / 2));
		struct conn *c = conntab_add(t, &v, i);

		if (i % 2)
			conntab_log_in(t, c);
	}
	for (unsigned i = 0; i < FLOOD; i++)
		add(t, i, OTHERS + i);
	for (unsigned i = 0; i < OTHERS; i++) {
		struct ct_view v = view_of_client(i, (uint8_t)(100 + i / 2));

		ck_assert_ptr_nonnull(conntab_find(t, &v.tuple[DIR_REPLY], FLOOD, &dir));
	}
	for (unsigned i = 0; i < FLOOD; i++)
		ck_assert_int_eq(find(t, i, DIR_REPLY, FLOOD) != NULL, i >= FLOOD - MOST + OTHERS);
}
END_TEST

START_TEST(an_ip6_client_counts_as_his_64_bits)
{
	struct conntab *t = fresh();
	struct ct_view v = view_of(0);

	for (unsigned i = 0; i < 4; i++) {
		v.tuple[DIR_ORIGINAL].src = packet_endpoint("[2001:db8::1]:0");
		v.tuple[DIR_ORIGINAL].src.port = v.tuple[DIR_REPLY].src.port = (uint16_t)i;
		v.tuple[DIR_ORIGINAL].src.addr.byte[7] = i == 3;
		v.tuple[DIR_ORIGINAL].src.addr.byte[15] = (uint8_t)i;
		conntab_add(t, &v, i);
	}
	ck_assert_uint_eq(t->crowd.most, 3);
	ck_assert_uint_eq(t->crowd.clients.taken, 2);
}
END_TEST

START_TEST(a_sign_of_life_is_a_packet_or_the_word_of_conntrack)
{
	struct conntab *t = fresh();
	struct conn *a = add(t, 1, 0), *b = add(t, 2, 0);

	ck_assert_ptr_eq(conntab_doubtful(t), a);
	conntab_confirm(t, a);
	ck_assert_ptr_eq(conntab_doubtful(t), b);
	find(t, 2, DIR_ORIGINAL, 1);
	ck_assert_ptr_eq(conntab_doubtful(t), a);
	ck_assert_ptr_eq(conntab_victim(t), a);
}
END_TEST

/* --- what is lent --- */

START_TEST(a_line_keeps_its_buffer_until_it_is_whole)
{
	struct conntab *t = fresh();
	struct conn *c = add(t, 1, 0);
	struct line *l = &c->stream[DIR_REPLY].line;

	ck_assert(conntab_lend(t, c, DIR_REPLY));
	line_begin(l, 0);
	line_feed(l, (const uint8_t *)"22", 2);
	conntab_settle(t, c);
	ck_assert_ptr_nonnull(l->buf);
	ck_assert(conntab_lend(t, c, DIR_REPLY));
	line_feed(l, (const uint8_t *)"0\n", 2);
	ck_assert_mem_eq(l->buf, "220\n", 4);
	line_next(l);
	conntab_settle(t, c);
	ck_assert_ptr_null(l->buf);
	ck_assert_uint_eq(t->lines.pool.taken, 0);
	ck_assert_uint_eq(l->next, 4);
}
END_TEST

/* The edit of a line of 10 bytes at 100, which becomes 2 longer. */
static void rewrite(struct stream *stream)
{
	const struct edit e = {.seq = 100, .old_len = 10, .new_len = 12};

	ck_assert(edits_put(stream->edits, &e));
}

/* Connection `i`, with an edit that its client has or has not. */
static struct conn *add_rewritten(struct conntab *t, unsigned i, bool acked)
{
	struct conn *c = add(t, i, 0);

	ck_assert(conntab_lend(t, c, DIR_REPLY));
	rewrite(&c->stream[DIR_REPLY]);
	edits_acked(c->stream[DIR_REPLY].edits, acked ? 112 : 111);
	conntab_settle(t, c);
	ck_assert_ptr_nonnull(c->stream[DIR_REPLY].edits);
	return c;
}

START_TEST(what_was_not_rewritten_needs_no_edits)
{
	struct conntab *t = fresh();
	struct conn *c = add(t, 1, 0);

	ck_assert(conntab_lend(t, c, DIR_REPLY));
	conntab_settle(t, c);
	ck_assert_ptr_null(c->stream[DIR_REPLY].edits);
	ck_assert_uint_eq(t->edits.pool.taken, 0);
}
END_TEST

START_TEST(edits_that_have_arrived_stay_until_somebody_needs_them)
{
	struct conntab *t = fresh();
	struct conn *first = add_rewritten(t, 0, true), *second = add_rewritten(t, 1, true), *c;
	struct stream *stream = &first->stream[DIR_REPLY];

	for (unsigned i = 2; i <= CONNTAB_EDITS; i++)
		add_rewritten(t, i, false);
	ck_assert_ptr_null(stream->edits);
	ck_assert_ptr_nonnull(second->stream[DIR_REPLY].edits);
	ck_assert_int_eq(first->view.seqadj[DIR_REPLY].after, 2);

	c = find(t, 2, DIR_ORIGINAL, 0);
	conntab_del(t, c);
	ck_assert(conntab_lend(t, first, DIR_REPLY));
	ck_assert_int_eq(stream->edits->base.before, 2);
	ck_assert_int_eq(stream->edits->kernel.after, 2);
}
END_TEST

START_TEST(when_all_is_lent_the_oldest_borrower_is_known)
{
	struct conntab *t = fresh();
	struct conn *c;

	for (unsigned i = 0; i < CONNTAB_EDITS; i++)
		add_rewritten(t, i, false);
	c = find(t, 0, DIR_ORIGINAL, 0);
	ck_assert(!conntab_lend(t, c, DIR_ORIGINAL));
	ck_assert_ptr_eq(conntab_borrower(t, c), find(t, 1, DIR_ORIGINAL, 0));
	conntab_del(t, conntab_borrower(t, c));
	ck_assert(conntab_lend(t, c, DIR_ORIGINAL));
}
END_TEST

START_TEST(ports_are_due_in_the_order_of_their_time)
{
	enum { MANY = 1000 };
	static const struct plan plan = {.announce.port = 7};
	struct conntab *t = fresh();
	uint64_t until, before = 0;
	struct conn *c;

	for (unsigned i = 0; i < MANY; i++) {
		c = add(t, i, 0);
		conntab_open(t, c, &plan, i);
		conntab_open(t, c, &plan, i * 7919 % MANY);
	}
	for (unsigned i = 0; i < MANY; i += 3)
		conntab_close(t, find(t, i, DIR_REPLY, 0));
	for (unsigned i = 1; i < MANY; i += 3)
		conntab_del(t, find(t, i, DIR_REPLY, 0));
	for (unsigned i = 2; i < MANY; i += 3) {
		c = conntab_due(t, &until);
		ck_assert_ptr_nonnull(c);
		ck_assert_uint_ge(until, before);
		before = until;
		conntab_overdue(t, c);
		ck_assert_ptr_nonnull(c->opened);
	}
	ck_assert_ptr_null(conntab_due(t, &until));
}
END_TEST

/* The client of those in which nobody has logged in has some bytes more. */
START_TEST(an_idle_session_takes_400_bytes_at_most)
{
	size_t buckets = sizeof(table.bucket) / CONNTAB_SIZE;
	size_t crowd = sizeof(table.crowd.client_of[0]) + sizeof(table.crowd.session_link[0]);

	ck_assert_uint_le(sizeof(struct conn) + sizeof(table.link[0]) +
				  sizeof(table.living_link[0]) + crowd + buckets,
		400);
}
END_TEST

START_TEST(a_table_may_be_smaller)
{
	enum { MOST = 100 };
	struct conntab *t = fresh();

	conntab_set_max(t, MOST);
	for (unsigned i = 0; i < 3 * MOST; i++)
		add(t, i, i);
	for (unsigned i = 0; i < 3 * MOST; i++)
		ck_assert_int_eq(find(t, i, DIR_ORIGINAL, 3 * MOST) != NULL, i >= 2 * MOST);
	ck_assert_uint_eq(t->pool.taken, MOST);
	ck_assert_uint_eq(t->pool.used, MOST);
}
END_TEST

START_TEST(those_that_are_remembered_are_counted)
{
	struct conntab *t = fresh();

	for (unsigned i = 0; i < 5; i++)
		add(t, i, 0);
	add(t, 0, 0);
	ck_assert_uint_eq(t->pool.taken, 5);
	conntab_del(t, find(t, 2, DIR_REPLY, 0));
	ck_assert_uint_eq(t->pool.taken, 4);
}
END_TEST

START_TEST(a_place_that_is_free_is_taken_before_anyone_is_forgotten)
{
	enum { MOST = 100 };
	struct conntab *t = fresh();

	conntab_set_max(t, MOST);
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

	conntab_set_max(t, MOST);
	for (unsigned i = 0; i < many; i++) {
		add_login(t, i, i);
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
	static const uint32_t none[CONNTAB_BUCKETS];
	const struct plan plan = {0};
	struct conntab *t = fresh();
	uint64_t until;

	for (unsigned i = 0; i < 100; i++) {
		struct conn *c = add(t, i, 0);

		ck_assert(conntab_lend(t, c, DIR_REPLY));
		if (i % 2)
			conntab_open(t, c, &plan, i);
		if (i % 4 == 1)
			conntab_end(t, c, i);
	}
	t = fresh();
	ck_assert_ptr_null(find(t, 1, DIR_ORIGINAL, 0));
	ck_assert_ptr_null(conntab_due(t, &until));
	ck_assert_uint_eq(t->lines.pool.taken + t->edits.pool.taken + t->ports.pool.taken, 0);
	ck_assert_uint_eq(t->crowd.clients.taken + t->openers.clients.taken, 0);
	ck_assert_mem_eq(t->bucket, none, sizeof(t->bucket));
	ck_assert_mem_eq(t->taken, none, sizeof(t->taken));
	add(t, 1, 0);
	ck_assert_ptr_nonnull(find(t, 1, DIR_ORIGINAL, 0));
}
END_TEST

START_TEST(each_connection_has_a_number)
{
	struct conntab *t = fresh();
	struct conn *first = add(t, 1, 0), *second = add(t, 2, 0);

	ck_assert_ptr_null(conntab_at(t, 0));
	ck_assert_ptr_eq(conntab_at(t, 1), first);
	ck_assert_ptr_eq(conntab_at(t, 2), second);
	ck_assert_ptr_null(conntab_at(t, 3));
	ck_assert_ptr_null(conntab_at(t, UINT32_MAX));
	conntab_del(t, first);
	ck_assert_ptr_null(conntab_at(t, 1));
	ck_assert_ptr_eq(conntab_at(t, 2), second);
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
		of_sessions_that_are_logged_in_the_idlest_goes,
		without_a_login_one_of_the_client_with_most_goes,
		an_ip6_client_counts_as_his_64_bits,
		a_sign_of_life_is_a_packet_or_the_word_of_conntrack,
		a_line_keeps_its_buffer_until_it_is_whole,
		what_was_not_rewritten_needs_no_edits,
		edits_that_have_arrived_stay_until_somebody_needs_them,
		when_all_is_lent_the_oldest_borrower_is_known,
		ports_are_due_in_the_order_of_their_time,
		an_idle_session_takes_400_bytes_at_most,
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
