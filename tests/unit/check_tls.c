/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_tls.c - TLS or clear text, as far as it can be seen from outside */
#include "guard.h"
#include "pasvd/tls.h"
#include "unit.h"

#include <string.h>

#define RECORD(type, minor, length) type "\x03" minor "\x00" length

#define HELLO  RECORD("\x16", "\x01", "\x04") "abcd"
#define DATA   RECORD("\x17", "\x03", "\x06") "abcdef"
#define ALERT  RECORD("\x15", "\x03", "\x02") "\x01\x00"
#define SEALED RECORD("\x17", "\x03", "\x13") "0123456789abcdefghi"

struct sample {
	const char *bytes;
	size_t n;
	enum tls_content content;
	size_t skip; /* with TLS_CLEAR */
};

/* clang-format 14 and 19 do not agree about it. */
/* clang-format off */
#define SAMPLE(bytes, ...)                                                                         \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, __VA_ARGS__                                              \
	}
/* clang-format on */

/* At the end of readable memory; *ret_skip must stay as it was unless there is clear text. */
static enum tls_content content(enum dir dir, const char *bytes, size_t n, size_t *ret_skip)
{
	uint8_t *p = guard_copy(bytes, n);
	size_t skip;
	enum tls_content c;

	unit_mark(&skip, sizeof(skip));
	c = tls_content(dir, p, n, &skip);
	if (c == TLS_CLEAR)
		*ret_skip = skip;
	else
		ck_assert(unit_is_marked(&skip, sizeof(skip)));
	guard_free(p, n);
	return c;
}

static void check(enum dir dir, const struct sample *s, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		size_t skip = 0;

		ck_assert_msg(
			content(dir, s[i].bytes, s[i].n, &skip) == s[i].content, "sample %zu", i);
		ck_assert_uint_eq(skip, s[i].skip);
	}
}

START_TEST(a_segment_that_begins_with_a_header_is_a_record)
{
	static const struct sample samples[] = {
		SAMPLE(HELLO, TLS_RECORD, 0),
		SAMPLE(DATA, TLS_RECORD, 0),
		SAMPLE(DATA DATA, TLS_RECORD, 0),
		SAMPLE("\x16\x03\x01\x02\x00"
		       "begun",
			TLS_RECORD, 0),
		SAMPLE("\x14\x03\x03\x00\x01\x01", TLS_RECORD, 0),
		SAMPLE("\x17\x03\x03\x48\x00", TLS_RECORD, 0),
		SAMPLE("\x17\x03\x03\x48\x01", TLS_UNCLEAR, 0),
		SAMPLE("\x17\x03\x03\x00\x00", TLS_UNCLEAR, 0),
		SAMPLE("\x17\x03\x05\x00\x05", TLS_UNCLEAR, 0),
		SAMPLE("\x17\x02\x03\x00\x05", TLS_UNCLEAR, 0),
		SAMPLE("\x13\x03\x03\x00\x05", TLS_UNCLEAR, 0),
		SAMPLE("\x18\x03\x03\x00\x05", TLS_UNCLEAR, 0),
		SAMPLE("\x16\x03\x01\x00", TLS_UNCLEAR, 0),
		SAMPLE("\x9a", TLS_UNCLEAR, 0),
	};

	check(DIR_ORIGINAL, samples, ARRAY_SIZE(samples));
	check(DIR_REPLY, samples, ARRAY_SIZE(samples));
}
END_TEST

START_TEST(alerts_are_told_by_their_type_or_by_their_length)
{
	static const struct sample samples[] = {
		SAMPLE(ALERT, TLS_ALERT, 0),
		SAMPLE(ALERT ALERT, TLS_ALERT, 0),
		SAMPLE(SEALED, TLS_ALERT, 0),
		SAMPLE(SEALED DATA, TLS_RECORD, 0),
		SAMPLE("\x15\x03\x03\x00\x02\x01", TLS_RECORD, 0),
	};

	check(DIR_ORIGINAL, samples, ARRAY_SIZE(samples));
	check(DIR_REPLY, samples, ARRAY_SIZE(samples));
}
END_TEST

START_TEST(only_whole_lines_of_text_are_clear)
{
	static const struct sample commands[] = {
		SAMPLE("PASV\r\n", TLS_CLEAR, 0),
		SAMPLE("LIST -a\n", TLS_CLEAR, 0),
		SAMPLE("NOOP\r\nPASV\r\n", TLS_CLEAR, 0),
		SAMPLE("RETR \xc3\xa4\r\n", TLS_CLEAR, 0),
		SAMPLE("PASV", TLS_UNCLEAR, 0),
		SAMPLE("PASV\r", TLS_UNCLEAR, 0),
		SAMPLE("PASV\r\n\x01\n", TLS_UNCLEAR, 0),
		SAMPLE("227 (1,2,3,4,5,6)\r\n", TLS_UNCLEAR, 0),
		SAMPLE("\n", TLS_UNCLEAR, 0),
	};
	static const struct sample replies[] = {
		SAMPLE("227 (1,2,3,4,5,6)\r\n", TLS_CLEAR, 0),
		SAMPLE("200-more\r\n", TLS_CLEAR, 0),
		SAMPLE("200 ok", TLS_UNCLEAR, 0),
		SAMPLE("PASV\r\n", TLS_UNCLEAR, 0),
		SAMPLE(" text\r\n", TLS_UNCLEAR, 0),
	};

	check(DIR_ORIGINAL, commands, ARRAY_SIZE(commands));
	check(DIR_REPLY, replies, ARRAY_SIZE(replies));
}
END_TEST

START_TEST(clear_text_may_stand_behind_alerts)
{
	static const struct sample samples[] = {
		SAMPLE(ALERT "PASV\r\n", TLS_CLEAR, sizeof(ALERT) - 1),
		SAMPLE(SEALED ALERT "PASV\r\n", TLS_CLEAR, sizeof(SEALED ALERT) - 1),
		SAMPLE(DATA "PASV\r\n", TLS_RECORD, 0),
		SAMPLE(ALERT "PASV", TLS_UNCLEAR, 0),
	};

	check(DIR_ORIGINAL, samples, ARRAY_SIZE(samples));
}
END_TEST

/* Whatever it is, nothing is read beyond its end (guard.h). */
START_TEST(no_cut_is_read_beyond_its_end)
{
	static const char text[] = SEALED ALERT DATA "227 (1,2,3,4,5,6)\r\n";

	for (size_t from = 0; from < sizeof(text) - 1; from++) {
		for (size_t n = 1; from + n < sizeof(text); n++) {
			size_t skip = 0;

			content(DIR_REPLY, text + from, n, &skip);
			content(DIR_ORIGINAL, text + from, n, &skip);
			ck_assert_uint_lt(skip, n);
		}
	}
}
END_TEST

/* The stream in pieces of which the first has `first` bytes. */
static struct tls_place follow(const char *bytes, size_t n, size_t first)
{
	struct tls_place t = {.known = true};
	uint8_t *p = guard_copy(bytes, first);

	tls_follow(&t, p, first);
	guard_free(p, first);
	p = guard_copy(bytes + first, n - first);
	tls_follow(&t, p, n - first);
	guard_free(p, n - first);
	return t;
}

START_TEST(records_are_followed_however_they_are_cut)
{
	static const char stream[] = HELLO RECORD("\x17", "\x03", "\x00") DATA ALERT SEALED;
	const size_t n = sizeof(stream) - 1;

	for (size_t first = 0; first <= n; first++) {
		struct tls_place whole = follow(stream, n, first), cut = follow(stream, n - 1, 0);

		ck_assert(whole.known && !whole.header && !whole.left);
		ck_assert(cut.known && cut.header && cut.left == 1);
	}
}
END_TEST

START_TEST(what_cannot_be_a_record_is_not_followed)
{
	static const char *const wrong[] = {"\x13\x03\x03", "\x18\x03\x03", "\x17\x02\x03",
		"\x17\x04\x03", "\x17\x03\x05", "227"};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert(!follow(wrong[i], strlen(wrong[i]), 0).known);
	ck_assert(!follow(DATA "227", sizeof(DATA "227") - 1, 0).known);
}
END_TEST

START_TEST(a_place_that_is_not_known_stays_so)
{
	struct tls_place t = {0};

	tls_follow(&t, (const uint8_t *)HELLO, sizeof(HELLO) - 1);
	ck_assert(!t.known);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_segment_that_begins_with_a_header_is_a_record,
		alerts_are_told_by_their_type_or_by_their_length,
		only_whole_lines_of_text_are_clear,
		clear_text_may_stand_behind_alerts,
		no_cut_is_read_beyond_its_end,
		records_are_followed_however_they_are_cut,
		what_cannot_be_a_record_is_not_followed,
		a_place_that_is_not_known_stays_so,
	};

	return unit_run("tls", test, ARRAY_SIZE(test));
}
