/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_strict.c - lines that RFC 959 does not have
 *
 * A line is judged with every check set to log, so that the first of the table that it violates is
 * named.
 */
#include "pasvd/array.h"
#include "pasvd/strict.h"
#include "unit.h"

#include <string.h>

enum { LONG = 600 };

static struct session session;
static struct line line;

/* The line as line_feed() makes it, of `n` bytes. */
static const struct line *line_of(const char *p, size_t n)
{
	static uint8_t buf[LINE_MAX_LEN];
	size_t used = 0;

	line = (struct line){.buf = buf, .sync = LINE_SYNCED};
	line.start = line.next = 0xfffffff0;
	while (used < n && !line.whole)
		used += line_feed(&line, (const uint8_t *)p + used, n - used);
	ck_assert_uint_eq(used, n);
	return &line;
}

static struct strict all_to(enum strict_outcome outcome)
{
	struct strict strict;

	for (size_t i = 0; i < STRICT_CHECKS; i++)
		strict.outcome[i] = outcome;
	return strict;
}

static enum reason judged(enum dir dir, const char *p, size_t n)
{
	const struct strict strict = all_to(STRICT_LOG);
	struct strict_ruling ruling = strict_line(&strict, &session, dir, line_of(p, n));

	ck_assert_int_eq(ruling.outcome, ruling.reason == REASON_PASSED ? STRICT_PASS : STRICT_LOG);
	ck_assert(!ruling.offers);
	return ruling.reason;
}

static enum reason client(const char *text)
{
	return judged(DIR_ORIGINAL, text, strlen(text));
}

static enum reason server(const char *text)
{
	return judged(DIR_REPLY, text, strlen(text));
}

#define CLIENT(text, reason) ck_assert_int_eq(client(text), REASON_##reason)
#define SERVER(text, reason) ck_assert_int_eq(server(text), REASON_##reason)

START_TEST(a_client_says_no_replies)
{
	CLIENT("227 x\r\n", SPOOFED_REPLY);
	CLIENT("100-\r\n", SPOOFED_REPLY);
	CLIENT("599\r\n", SPOOFED_REPLY);
	CLIENT("\xff\xf4\xff\xf2"
	       "227 x\r\n",
		SPOOFED_REPLY);
	CLIENT("600 x\r\n", PASSED);
	CLIENT("027 x\r\n", PASSED);
	CLIENT("22 x\r\n", PASSED);
	CLIENT("2277\r\n", PASSED);
	CLIENT("227,x\r\n", PASSED);
	CLIENT(" 227 x\r\n", PASSED);
	CLIENT("STOR 227 x\r\n", PASSED);
	SERVER("227 x\r\n", PASSED);
}
END_TEST

START_TEST(a_server_says_no_commands_about_ports)
{
	static const char *const text[] = {"PORT 1,2,3,4,5,6\r\n", "port\r\n", "EPRT |1|\r\n",
		"PASV\r\n", "EPSV\r\n", "LPRT x\r\n", "Lpsv\r\n", "\xff\xf1PASV\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		session.multi = 0;
		ck_assert_int_eq(server(text[i]), REASON_SPOOFED_COMMAND);
		session.multi = 211;
		ck_assert_int_eq(server(text[i]), REASON_PASSED);
		session.multi = 0;
		ck_assert_int_eq(client(text[i]), REASON_PASSED);
	}
	SERVER("PORTS\r\n", PASSED);
	SERVER(" PORT\r\n", PASSED);
	SERVER("USER\r\n", PASSED);
}
END_TEST

START_TEST(nothing_stands_behind_a_command_about_ports)
{
	static const enum ftp_verb verb[] = {FTP_PASV, FTP_EPSV, FTP_PORT, FTP_EPRT, FTP_LONG};

	for (size_t i = 0; i < ARRAY_SIZE(verb); i++) {
		session = (struct session){.n = 3,
			.command = {
				{FTP_OTHER, 0, 1}, {(uint8_t)verb[i], 0, 1}, {FTP_OTHER, 0, 1}}};
		CLIENT("RETR x\r\n", PIPELINED);
		CLIENT("PASV\r\n", PIPELINED);
		CLIENT("ABORT\r\n", PIPELINED);
		CLIENT("ABOR\r\n", PASSED);
		CLIENT("stat x\r\n", PASSED);
		CLIENT("QUIT\r\n", PASSED);
		CLIENT("\xff\xf2RETR x\r\n", PASSED);
		CLIENT("\r\n", PASSED);
		SERVER("200 ok\r\n", PASSED);
	}
	session = (struct session){
		.n = 2, .command = {{FTP_OTHER, 0, 1}, {FTP_OTHER, 0, 1}, {FTP_PORT, 0, 1}}};
	CLIENT("RETR x\r\n", PASSED);
}
END_TEST

/* The longest line that is not too long, with its end, and one more byte. */
START_TEST(a_line_has_512_bytes)
{
	char text[LONG];

	memset(text, 'x', sizeof(text));
	text[LINE_MAX_LEN - 2] = '\r';
	text[LINE_MAX_LEN - 1] = '\n';
	ck_assert_int_eq(judged(DIR_ORIGINAL, text, LINE_MAX_LEN), REASON_PASSED);
	text[LINE_MAX_LEN - 1] = '\r';
	text[LINE_MAX_LEN] = '\n';
	text[LINE_MAX_LEN - 2] = 'x';
	ck_assert_int_eq(judged(DIR_ORIGINAL, text, LINE_MAX_LEN + 1), REASON_LONG_LINE);
	ck_assert_int_eq(judged(DIR_REPLY, text, LINE_MAX_LEN + 1), REASON_LONG_LINE);
	text[LINE_MAX_LEN] = 'x';
	ck_assert_int_eq(judged(DIR_REPLY, text, LINE_MAX_LEN + 1), REASON_LONG_LINE);
}
END_TEST

START_TEST(commands_have_no_control_characters)
{
	char text[] = "STOR a.b\r\n";

	for (unsigned c = 0; c < 256; c++) {
		bool control = (c < 32 && c != '\t') || c == 127, ends = c == 0 || c == '\r';

		if (c == '\n')
			continue;
		text[6] = (char)c;
		ck_assert_int_eq(judged(DIR_ORIGINAL, text, 10),
			control ? REASON_UNPRINTABLE : REASON_PASSED);
		ck_assert_int_eq(
			judged(DIR_REPLY, text, 10), ends ? REASON_UNPRINTABLE : REASON_PASSED);
	}
	CLIENT("NOOP\r\r\n", UNPRINTABLE);
	CLIENT("\r\r\n", UNPRINTABLE);
	CLIENT("\x1b\r\n", UNPRINTABLE);
	CLIENT("\xff\xf4\xff\xf2"
	       "ABOR\r\n",
		PASSED);
}
END_TEST

START_TEST(a_command_ends_with_cr_lf)
{
	CLIENT("NOOP\n", BARE_LF);
	CLIENT("a\n", BARE_LF);
	CLIENT("\n", PASSED);
	SERVER("200 ok\n", PASSED);
	SERVER("\n", PASSED);
}
END_TEST

START_TEST(only_offers_that_may_open_nothing_are_bad)
{
	static const enum reason bad[] = {REASON_UNREADABLE, REASON_UNPAIRED, REASON_NOT_FTP,
		REASON_NOT_LOGGED_IN, REASON_FOREIGN_ADDRESS, REASON_LOW_PORT, REASON_DENIED_PORT};
	const struct strict strict = all_to(STRICT_MASK);

	for (enum reason r = REASON_PASSED; r < REASON_COUNT; r++) {
		struct strict_ruling ruling = strict_offer(&strict, r);
		bool is_bad = false;

		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			is_bad |= bad[i] == r;
		ck_assert_int_eq(ruling.outcome, is_bad ? STRICT_MASK : STRICT_PASS);
		ck_assert(ruling.reason == r && ruling.offers);
	}
}
END_TEST

START_TEST(what_passes_is_not_judged)
{
	const struct strict strict = {{STRICT_PASS}};
	char text[LONG];

	memset(text, 1, sizeof(text));
	session = (struct session){.n = 1, .command = {{FTP_PORT, 0, 1}}};
	ck_assert_int_eq(strict_line(&strict, &session, DIR_ORIGINAL, line_of(text, LONG)).outcome,
		STRICT_PASS);
	ck_assert_int_eq(strict_line(&strict, &session, DIR_ORIGINAL, line_of("227 \n", 5)).outcome,
		STRICT_PASS);
	ck_assert_int_eq(strict_line(&strict, &session, DIR_REPLY, line_of("PORT\n", 5)).outcome,
		STRICT_PASS);
	ck_assert_int_eq(strict_offer(&strict, REASON_LOW_PORT).outcome, STRICT_PASS);
}
END_TEST

START_TEST(the_strictest_check_counts)
{
	struct strict strict = all_to(STRICT_LOG);
	struct strict_ruling ruling;

	strict.outcome[STRICT_BARE_LF] = STRICT_RESET;
	strict.outcome[STRICT_UNPRINTABLE] = STRICT_MASK;
	ruling = strict_line(&strict, &session, DIR_ORIGINAL, line_of("227 \1\n", 6));
	ck_assert(ruling.outcome == STRICT_RESET && ruling.reason == REASON_BARE_LF);
	ruling = strict_line(&strict, &session, DIR_ORIGINAL, line_of("227 \1\r\n", 7));
	ck_assert(ruling.outcome == STRICT_MASK && ruling.reason == REASON_UNPRINTABLE);
	ruling = strict_line(&strict, &session, DIR_ORIGINAL, line_of("227 x\r\n", 7));
	ck_assert(ruling.outcome == STRICT_LOG && ruling.reason == REASON_SPOOFED_REPLY);
}
END_TEST

START_TEST(a_line_is_crossed_out_from_its_word_or_text_on)
{
	static const struct {
		enum dir dir;
		bool offers;
		const char *text;
		size_t from, last, to;
	} row[] = {
		{DIR_ORIGINAL, false, "RETR x\r\n", 0, 3, 6},
		{DIR_ORIGINAL, false, "RETR x\n", 0, 3, 6},
		{DIR_ORIGINAL, false, "CWD\r\n", 0, 2, 3},
		{DIR_ORIGINAL, false, "  CWD  x \r\n", 0, 4, 9},
		{DIR_ORIGINAL, false,
			"\xff\xf4\xff\xf2"
			"ABOR\r\n",
			4, 7, 8},
		{DIR_ORIGINAL, false, "PORT 1,2\r\n", 0, 5, 8},
		{DIR_ORIGINAL, true, "PORT  x1\r\n", 0, 7, 8},
		{DIR_ORIGINAL, true, "PORT x\r\n", 0, 6, 6},
		{DIR_ORIGINAL, false, "227 x\r\n", 0, 2, 5},
		{DIR_REPLY, false, "227 x 1\r\n", 4, 4, 7},
		{DIR_REPLY, true, "227-x 1\r\n", 4, 6, 7},
		{DIR_REPLY, true, " (1,2)\r\n", 0, 2, 6},
		{DIR_REPLY, false, "227\r\n", 3, 3, 3},
		{DIR_REPLY, false, "PORT 1,2\r\n", 0, 5, 8},
		{DIR_REPLY, false, "PASV\r\n", 0, 3, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		const struct line *l = line_of(row[i].text, strlen(row[i].text));
		struct strict_span span = strict_span(row[i].dir, l, row[i].offers);

		ck_assert_msg(span.from == row[i].from && span.last == row[i].last &&
				      span.to == row[i].to,
			"%s: %zu, %zu, %zu", row[i].text, span.from, span.last, span.to);
	}
}
END_TEST

START_TEST(a_line_that_is_too_long_is_crossed_out_as_far_as_it_is_there)
{
	char text[LONG];
	struct strict_span span;

	memset(text, 'x', sizeof(text));
	text[4] = ' ';
	span = strict_span(DIR_ORIGINAL, line_of(text, LONG), false);
	ck_assert(span.from == 0 && span.last == 3 && span.to == LONG);
	text[LONG - 1] = '\n';
	span = strict_span(DIR_ORIGINAL, line_of(text, LONG), false);
	ck_assert(span.from == 0 && span.last == 3 && span.to == LONG - 2);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_client_says_no_replies,
		a_server_says_no_commands_about_ports,
		nothing_stands_behind_a_command_about_ports,
		a_line_has_512_bytes,
		commands_have_no_control_characters,
		a_command_ends_with_cr_lf,
		only_offers_that_may_open_nothing_are_bad,
		what_passes_is_not_judged,
		the_strictest_check_counts,
		a_line_is_crossed_out_from_its_word_or_text_on,
		a_line_that_is_too_long_is_crossed_out_as_far_as_it_is_there,
	};

	return unit_run("strict", test, ARRAY_SIZE(test));
}
