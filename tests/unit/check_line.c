/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_line.c - one direction of a control connection as lines */
#include "guard.h"
#include "pasvd/line.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const uint32_t isn = 0xfffffff4; /* the samples wrap around */

enum { FAR_AWAY = 0x40000000 };

static uint8_t text_of_line[LINE_MAX_LEN];

/* A line that nothing is known of. */
static struct line fresh_line(void)
{
	return (struct line){.buf = text_of_line};
}

/* Feeds bytes that lie at the end of memory, in order, and writes each whole line and '|' to the
 * end of `out`. */
static void feed(struct line *l, const char *p, size_t n, char *out)
{
	uint8_t *copy = guard_copy(p, n);

	out += strlen(out);
	for (size_t at = 0; at < n;) {
		size_t used = line_feed(l, copy + at, n - at);

		ck_assert_uint_ge(used, 1);
		ck_assert_uint_le(used, n - at);
		at += used;
		ck_assert(l->whole || at == n);
		if (l->whole) {
			out += sprintf(out, "%.*s|", (int)l->len, (const char *)l->buf);
			line_next(l);
		}
	}
	guard_free(copy, n);
}

static enum line_place place(struct line *l, uint32_t seq, size_t len, size_t *ret_skip)
{
	size_t skip = 12345;
	enum line_place where = line_place(l, seq, len, &skip);

	if (where != LINE_NEW)
		ck_assert_uint_eq(skip, 12345);
	*ret_skip = skip;
	return where;
}

/* A stream that begins at isn, of which `text` was seen. */
static struct line seen(const char *text)
{
	struct line l = fresh_line();
	char out[1024] = "";
	size_t skip;

	ck_assert_int_eq(place(&l, isn, strlen(text), &skip), LINE_NEW);
	ck_assert_uint_eq(skip, 0);
	feed(&l, text, strlen(text), out);
	return l;
}

START_TEST(lines_are_the_same_at_every_cut)
{
	static const char text[] = "PASV\r\n\n\r\na b\nlast";
	static const char want[] = "PASV\r\n|\n|\r\n|a b\n|";
	size_t n = sizeof(text) - 1, skip;

	for (size_t a = 1; a < n; a++) {
		for (size_t b = a; b < n; b++) {
			struct line l = fresh_line();
			char out[64] = "";

			ck_assert_int_eq(place(&l, isn, a, &skip), LINE_NEW);
			feed(&l, text, a, out);
			feed(&l, text + a, b - a, out);
			feed(&l, text + b, n - b, out);
			ck_assert_str_eq(out, want);
			ck_assert_uint_eq(l.len, 4);
			ck_assert_mem_eq(l.buf, "last", 4);
			ck_assert(!l.whole);
			ck_assert_uint_eq(l.start, isn + (uint32_t)n - 4);
			ck_assert_uint_eq(l.next, isn + (uint32_t)n);
		}
	}
}
END_TEST

START_TEST(feeding_stops_behind_the_end_of_the_line)
{
	struct line l = fresh_line();
	size_t skip;

	ck_assert_int_eq(place(&l, isn, 10, &skip), LINE_NEW);
	ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"ab\ncd\n", 6), 3);
	ck_assert(l.whole);
	ck_assert_uint_eq(l.len, 3);
	ck_assert_mem_eq(l.buf, "ab\n", 3);
	ck_assert_uint_eq(l.start, isn);
	ck_assert_uint_eq(l.next, isn + 3);
}
END_TEST

START_TEST(the_first_segment_begins_a_line_wherever_it_is)
{
	static const uint32_t seq[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
	size_t skip;

	for (size_t i = 0; i < ARRAY_SIZE(seq); i++) {
		struct line l = fresh_line();

		ck_assert_int_eq(place(&l, seq[i], 1, &skip), LINE_NEW);
		ck_assert_uint_eq(skip, 0);
		ck_assert(line_has_begun(&l));
		ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"x", 1), 1);
		ck_assert_uint_eq(l.start, seq[i]);
		ck_assert_uint_eq(l.next, seq[i] + 1);
	}
}
END_TEST

START_TEST(a_line_of_512_bytes_is_not_overlong)
{
	char text[LINE_MAX_LEN];
	struct line l = fresh_line();
	size_t skip;

	memset(text, 'x', sizeof(text));
	text[LINE_MAX_LEN - 1] = '\n';
	ck_assert_int_eq(place(&l, isn, sizeof(text), &skip), LINE_NEW);
	ck_assert_uint_eq(line_feed(&l, (uint8_t *)text, sizeof(text)), sizeof(text));
	ck_assert(l.whole);
	ck_assert(!l.overlong);
	ck_assert_uint_eq(l.len, LINE_MAX_LEN);
}
END_TEST

/* However the bytes come. */
static void feed_overlong(size_t piece)
{
	char text[LINE_MAX_LEN + 1], out[2 * LINE_MAX_LEN] = "";
	struct line l = fresh_line();
	size_t skip;

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(place(&l, isn, sizeof(text), &skip), LINE_NEW);
	for (size_t at = 0; at < sizeof(text); at += piece)
		feed(&l, text + at, sizeof(text) - at < piece ? sizeof(text) - at : piece, out);
	ck_assert(!l.whole);
	ck_assert(l.overlong);
	ck_assert_uint_eq(l.len, LINE_MAX_LEN);
	ck_assert_uint_eq(l.next, isn + (uint32_t)sizeof(text));
	ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"more\nnext\n", 10), 5);
	ck_assert(l.whole);
	ck_assert(l.overlong);
	ck_assert_uint_eq(l.len, LINE_MAX_LEN);
	line_next(&l);
	feed(&l, "next\n", 5, out);
	ck_assert_str_eq(out, "next\n|");
	ck_assert(!l.overlong);
	ck_assert_uint_eq(l.start, isn + (uint32_t)sizeof(text) + 10);
}

START_TEST(the_rest_of_an_overlong_line_is_skipped)
{
	feed_overlong(1);
	feed_overlong(100);
	feed_overlong(512);
	feed_overlong(513);
}
END_TEST

START_TEST(what_was_seen_is_old)
{
	struct line l = seen("PASV\r\nEP");
	size_t skip;

	for (uint32_t from = 0; from < 8; from++)
		for (size_t len = 1; from + len <= 8; len++)
			ck_assert_int_eq(place(&l, isn + from, len, &skip), LINE_OLD);
	ck_assert_uint_eq(l.len, 2);
}
END_TEST

START_TEST(a_segment_before_the_first_one_is_old)
{
	struct line l = seen("PASV\r\n");
	size_t skip;

	ck_assert_int_eq(place(&l, isn - 100, 100, &skip), LINE_OLD);
	ck_assert_int_eq(place(&l, isn - 1, 1, &skip), LINE_OLD);
}
END_TEST

START_TEST(a_keepalive_is_old)
{
	struct line l = seen("PASV\r\n");
	size_t skip;

	ck_assert_int_eq(place(&l, isn + 5, 1, &skip), LINE_OLD);
}
END_TEST

START_TEST(of_a_partly_old_segment_the_rest_is_new)
{
	for (uint32_t from = 0; from <= 8; from++) {
		struct line l = seen("PASV\r\nEP");
		char out[64] = "";
		size_t skip;

		ck_assert_int_eq(place(&l, isn + from, 12 - from, &skip), LINE_NEW);
		ck_assert_uint_eq(skip, 8 - from);
		feed(&l, "SV\r\n", 4, out);
		ck_assert_str_eq(out, "EPSV\r\n|");
	}
}
END_TEST

START_TEST(a_segment_beyond_a_gap_is_refused_and_changes_nothing)
{
	struct line l = seen("PA");
	char out[64] = "";
	size_t skip;

	ck_assert_int_eq(place(&l, isn + 3, 3, &skip), LINE_GAP);
	ck_assert_int_eq(place(&l, isn + 2, 1, &skip), LINE_NEW);
	feed(&l, "S", 1, out);
	ck_assert_int_eq(place(&l, isn + 3, 3, &skip), LINE_NEW);
	ck_assert_uint_eq(skip, 0);
	feed(&l, "V\r\n", 3, out);
	ck_assert_str_eq(out, "PASV\r\n|");
}
END_TEST

START_TEST(a_gap_is_refused_until_it_is_filled)
{
	struct line l = seen("PA");
	size_t skip;

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(place(&l, isn + 10, 3, &skip), LINE_GAP);
	ck_assert_int_eq(place(&l, isn + 2, 9, &skip), LINE_NEW);
	ck_assert(!l.partial);
}
END_TEST

START_TEST(the_line_behind_what_went_past_is_partial)
{
	struct line l = seen("PA");
	size_t skip;

	line_skip(&l, isn + 10, false);
	ck_assert_int_eq(place(&l, isn + 10, 1, &skip), LINE_NEW);
	ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"x", 1), 1);
	ck_assert(l.partial);
	ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"\r\n", 2), 2);
	ck_assert(l.whole && l.partial);
	line_next(&l);
	ck_assert(!l.partial);
}
END_TEST

START_TEST(a_session_that_is_joined_begins_with_a_partial_line)
{
	struct line l = fresh_line();
	size_t skip;

	line_join(&l);
	ck_assert_int_eq(place(&l, isn, 3, &skip), LINE_NEW);
	ck_assert(l.partial);
	ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"x\r\n", 3), 3);
	line_next(&l);
	ck_assert(!l.partial);
	ck_assert_int_eq(place(&l, isn - 20, 3, &skip), LINE_OLD);
}
END_TEST

START_TEST(nothing_begins_behind_what_the_receiver_waits_for)
{
	struct line l = fresh_line();
	size_t skip;

	line_init(&l, true, isn);
	ck_assert_int_eq(place(&l, isn + 1, 3, &skip), LINE_GAP);
	ck_assert(!line_has_begun(&l));
	ck_assert_int_eq(place(&l, isn, 3, &skip), LINE_NEW);
	ck_assert_uint_eq(skip, 0);

	line_init(&l, true, isn);
	ck_assert_int_eq(place(&l, isn - 5, 3, &skip), LINE_NEW);
	ck_assert_uint_eq(l.first, isn - 5);
}
END_TEST

START_TEST(what_comes_in_front_of_the_first_byte_is_not_old_until_that_is_acknowledged)
{
	struct line l = fresh_line();
	size_t skip;

	line_init(&l, false, 0);
	ck_assert_int_eq(place(&l, isn, 3, &skip), LINE_NEW);
	ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"abc", 3), 3);
	ck_assert_int_eq(place(&l, isn - 3, 3, &skip), LINE_BEFORE);
	line_acked(&l, isn);
	ck_assert_int_eq(place(&l, isn - 3, 3, &skip), LINE_BEFORE);
	line_acked(&l, isn + 1);
	ck_assert_int_eq(place(&l, isn - 3, 3, &skip), LINE_OLD);
}
END_TEST

/* What comes later is behind what was read, and that is not sent again. */
START_TEST(what_was_read_before_the_beginning_is_not_waited_for)
{
	static const char *const read[] = {"cde", "cd\n"};

	for (int whole = 0; whole < 2; whole++) {
		struct line l = fresh_line();
		size_t skip;

		line_init(&l, false, 0);
		ck_assert_int_eq(place(&l, isn + 2, 3, &skip), LINE_NEW);
		line_feed(&l, (const uint8_t *)read[whole], 3);
		if (whole)
			line_next(&l);
		ck_assert_int_eq(place(&l, isn, 1, &skip), LINE_BEFORE);
		ck_assert(line_restart(&l, isn));
		ck_assert_int_eq(place(&l, isn, 1, &skip), LINE_NEW);
		line_feed(&l, (const uint8_t *)"a", 1);
		ck_assert(!line_rejoin(&l));
		ck_assert_int_eq(place(&l, isn + 5, 1, &skip), LINE_GAP);
		ck_assert_int_eq(place(&l, isn + 1, 1, &skip), LINE_NEW);
		line_feed(&l, (const uint8_t *)"b", 1);
		ck_assert(line_rejoin(&l) && !line_rejoin(&l));
		ck_assert_int_eq(l.partial, !whole);
		ck_assert_int_eq(place(&l, isn + 2, 3, &skip), LINE_OLD);
		ck_assert_int_eq(place(&l, isn + 5, 1, &skip), LINE_NEW);
		ck_assert_int_eq(place(&l, isn - 1, 1, &skip), LINE_BEFORE);
	}
}
END_TEST

START_TEST(a_beginning_in_front_of_a_gap_is_refused_until_that_is_filled)
{
	struct line l = fresh_line();
	size_t skip;

	line_init(&l, false, 0);
	ck_assert_int_eq(place(&l, isn + 4, 1, &skip), LINE_NEW);
	line_feed(&l, (const uint8_t *)"e", 1);
	ck_assert(line_restart(&l, isn + 2));
	ck_assert_int_eq(place(&l, isn + 2, 1, &skip), LINE_NEW);
	line_feed(&l, (const uint8_t *)"c", 1);
	ck_assert(!line_restart(&l, isn));
	ck_assert_int_eq(place(&l, isn + 3, 1, &skip), LINE_NEW);
	line_feed(&l, (const uint8_t *)"d", 1);
	ck_assert(line_rejoin(&l) && line_restart(&l, isn));
	ck_assert_uint_eq(l.ahead_at, 2);
	ck_assert_uint_eq(l.ahead_len, 3);
}
END_TEST

START_TEST(what_is_far_ahead_has_no_beginning)
{
	struct line l = fresh_line();
	size_t skip;

	line_init(&l, false, 0);
	ck_assert_int_eq(place(&l, isn + UINT16_MAX, 1, &skip), LINE_NEW);
	line_feed(&l, (const uint8_t *)"e", 1);
	ck_assert(!line_restart(&l, isn - 1));
	ck_assert(line_restart(&l, isn));
	ck_assert_uint_eq(l.ahead_at, UINT16_MAX);
}
END_TEST

/* It came again, as one with what it lacked. */
START_TEST(what_was_read_twice_is_behind)
{
	struct line l = fresh_line();
	size_t skip;

	line_init(&l, false, 0);
	ck_assert_int_eq(place(&l, isn + 2, 1, &skip), LINE_NEW);
	line_feed(&l, (const uint8_t *)"c", 1);
	ck_assert(line_restart(&l, isn));
	ck_assert_int_eq(place(&l, isn, 4, &skip), LINE_NEW);
	line_feed(&l, (const uint8_t *)"abcd", 4);
	ck_assert(!line_rejoin(&l));
	ck_assert_uint_eq(l.next, isn + 4);
	ck_assert_uint_eq(l.len, 4);
}
END_TEST

START_TEST(a_second_gap_is_refused_as_well)
{
	struct line l = seen("PA");
	char out[64] = "";
	size_t skip;

	ck_assert_int_eq(place(&l, isn + 3, 3, &skip), LINE_GAP);
	ck_assert_int_eq(place(&l, isn + 2, 4, &skip), LINE_NEW);
	feed(&l, "SV\r\n", 4, out);
	ck_assert_int_eq(place(&l, isn + 9, 3, &skip), LINE_GAP);
}
END_TEST

START_TEST(what_the_receiver_has_went_past_and_is_refused_if_it_comes)
{
	struct line l = seen("PA");
	char out[64] = "";
	size_t skip;

	ck_assert(!line_lacks(&l, isn + 2));
	ck_assert(!line_lacks(&l, isn + 3)); /* a FIN */
	ck_assert(!line_lacks(&l, isn - 2));
	ck_assert(!line_lacks(&l, isn + (1 << 21)));
	ck_assert(line_lacks(&l, isn + 6));
	line_pass(&l, isn + 6);
	ck_assert_int_eq(place(&l, isn + 2, 4, &skip), LINE_FAR);
	ck_assert_int_eq(place(&l, isn + 2, 8, &skip), LINE_FAR);
	ck_assert_int_eq(place(&l, isn + 6, 4, &skip), LINE_NEW);
	ck_assert(l.partial);
	feed(&l, "C\r\nD", 4, out);
	ck_assert(!l.partial);
	ck_assert_int_eq(place(&l, isn + 6, 4, &skip), LINE_OLD);
}
END_TEST

START_TEST(what_a_predecessor_saw_may_come_after_what_comes_again_until_its_receiver_has_all)
{
	struct line l = fresh_line();
	size_t skip;

	line_join(&l);
	ck_assert(!line_lacks(&l, isn));
	ck_assert_int_eq(place(&l, isn, 2, &skip), LINE_NEW);
	ck_assert_uint_eq(line_feed(&l, (const uint8_t *)"PA", 2), 2);
	ck_assert_int_eq(l.sync, LINE_RESUMED);
	line_acked(&l, isn + 1);
	ck_assert_int_eq(l.sync, LINE_RESUMED);
	line_skip(&l, isn + 4, false);
	ck_assert_int_eq(l.sync, LINE_RESUMED);
	line_acked(&l, isn + 4);
	ck_assert_int_eq(l.sync, LINE_SYNCED);
}
END_TEST

START_TEST(what_is_far_away_is_refused_and_changes_nothing)
{
	struct line l = seen("PASV\r\n");
	size_t skip;

	ck_assert_int_eq(place(&l, isn + FAR_AWAY, 3, &skip), LINE_FAR);
	ck_assert_int_eq(place(&l, isn - FAR_AWAY, 3, &skip), LINE_FAR);
	ck_assert_int_eq(place(&l, isn + 0x80000000u, 3, &skip), LINE_FAR);
}
END_TEST

/* Where conntrack does not look at windows, anybody can send that in a peer's name. */
START_TEST(nothing_begins_far_from_what_the_receiver_waits_for)
{
	struct line l = fresh_line();
	size_t skip;

	line_init(&l, true, isn);
	ck_assert_int_eq(place(&l, isn - FAR_AWAY, 3, &skip), LINE_FAR);
	ck_assert_int_eq(place(&l, isn + FAR_AWAY, 3, &skip), LINE_FAR);
	ck_assert_int_eq(place(&l, isn + 0x80000000u, 3, &skip), LINE_FAR);
	ck_assert_int_eq(place(&l, isn, 3, &skip), LINE_NEW);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		lines_are_the_same_at_every_cut,
		feeding_stops_behind_the_end_of_the_line,
		the_first_segment_begins_a_line_wherever_it_is,
		a_line_of_512_bytes_is_not_overlong,
		the_rest_of_an_overlong_line_is_skipped,
		what_was_seen_is_old,
		a_segment_before_the_first_one_is_old,
		a_keepalive_is_old,
		of_a_partly_old_segment_the_rest_is_new,
		a_segment_beyond_a_gap_is_refused_and_changes_nothing,
		a_gap_is_refused_until_it_is_filled,
		the_line_behind_what_went_past_is_partial,
		a_session_that_is_joined_begins_with_a_partial_line,
		nothing_begins_behind_what_the_receiver_waits_for,
		what_comes_in_front_of_the_first_byte_is_not_old_until_that_is_acknowledged,
		what_was_read_before_the_beginning_is_not_waited_for,
		a_beginning_in_front_of_a_gap_is_refused_until_that_is_filled,
		what_is_far_ahead_has_no_beginning,
		what_was_read_twice_is_behind,
		a_second_gap_is_refused_as_well,
		what_the_receiver_has_went_past_and_is_refused_if_it_comes,
		what_a_predecessor_saw_may_come_after_what_comes_again_until_its_receiver_has_all,
		what_is_far_away_is_refused_and_changes_nothing,
		nothing_begins_far_from_what_the_receiver_waits_for,
	};

	return unit_run("line", test, ARRAY_SIZE(test));
}
