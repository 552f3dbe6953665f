/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_session.c - which reply answers which command
 *
 * A talk is a table of lines: the client's without a verdict, the server's with the reason that they must
 * get.
 */
#include "guard.h"
#include "packet.h"
#include "pasvd/session.h"
#include "unit.h"

#include <string.h>

#define OK227  "227 ok (10,0,0,2,195,80)\r\n"
#define OK229  "229 ok (|||50000|)\r\n"
#define CLIENT REASON_COUNT

struct talk {
	const char *text;
	enum reason reason; /* CLIENT: a command */
};

static void check_reply(struct session *s, const char *text, enum reason want)
{
	size_t n = strlen(text);
	uint8_t *p = guard_copy(text, n);
	struct ftp_reply r;
	enum reason got = session_reply(s, p, n, &r);

	ck_assert_msg(got == want, "%s%s, not %s", text, reason_name(got), reason_name(want));
	if (got == REASON_OPENED)
		ck_assert(r.announces && r.listen.port == 50000);
	guard_free(p, n);
}

static void play(struct session *s, const struct talk *talk, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = guard_copy(talk[i].text, strlen(talk[i].text));

		if (talk[i].reason == CLIENT)
			session_command(s, p, strlen(talk[i].text));
		else
			check_reply(s, talk[i].text, talk[i].reason);
		guard_free(p, strlen(talk[i].text));
	}
}

#define PLAY(...)                                                                                            \
	do {                                                                                                 \
		static const struct talk talk_[] = {__VA_ARGS__};                                            \
		struct session s_ = {0};                                                                     \
                                                                                                             \
		play(&s_, talk_, ARRAY_SIZE(talk_));                                                         \
	} while (0)

START_TEST(a_227_or_229_answers_pasv_or_epsv)
{
	PLAY({"PASV\r\n", CLIENT}, {OK227, REASON_OPENED});
	PLAY({"EPSV\r\n", CLIENT}, {OK229, REASON_OPENED});
	PLAY({"EPSV\r\n", CLIENT}, {OK227, REASON_OPENED});
	PLAY({"PASV\r\n", CLIENT}, {OK229, REASON_OPENED});
}
END_TEST

START_TEST(an_announcement_that_nobody_asked_for_is_unpaired)
{
	PLAY({OK227, REASON_UNPAIRED});
	PLAY({OK229, REASON_UNPAIRED});
	PLAY({"NOOP\r\n", CLIENT}, {OK227, REASON_UNPAIRED});
	PLAY({"EPSV ALL\r\n", CLIENT}, {OK229, REASON_UNPAIRED});
}
END_TEST

START_TEST(one_command_has_one_announcement)
{
	PLAY({"PASV\r\n", CLIENT}, {OK227, REASON_OPENED}, {OK227, REASON_UNPAIRED});
	PLAY({"PASV\r\n", CLIENT}, {"PASV\r\n", CLIENT}, {OK227, REASON_OPENED}, {OK227, REASON_OPENED},
		{OK227, REASON_UNPAIRED});
}
END_TEST

START_TEST(a_refused_command_has_no_announcement)
{
	PLAY({"PASV\r\n", CLIENT}, {"502 no\r\n", REASON_PASSED}, {OK227, REASON_UNPAIRED});
	PLAY({"PASV\r\n", CLIENT}, {"425 no\r\n", REASON_PASSED}, {OK227, REASON_UNPAIRED});
	PLAY({"EPSV\r\n", CLIENT}, {"PASV\r\n", CLIENT}, {"500 no\r\n", REASON_PASSED},
		{OK227, REASON_OPENED}, {OK227, REASON_UNPAIRED});
}
END_TEST

START_TEST(a_preliminary_reply_leaves_its_command_open)
{
	PLAY({"RETR x\r\n", CLIENT}, {"PASV\r\n", CLIENT}, {"150 go\r\n", REASON_PASSED},
		{"226 done\r\n", REASON_PASSED}, {OK227, REASON_OPENED});
	PLAY({"RETR x\r\n", CLIENT}, {"PASV\r\n", CLIENT}, {"150 go\r\n", REASON_PASSED},
		{"426 cut\r\n", REASON_PASSED}, {OK227, REASON_OPENED});
}
END_TEST

START_TEST(only_a_220_says_that_nobody_is_logged_in)
{
	PLAY({"220 hello\r\n", REASON_PASSED}, {"PASV\r\n", CLIENT}, {OK227, REASON_NOT_LOGGED_IN});
	PLAY({"PASV\r\n", CLIENT}, {OK227, REASON_OPENED});
	PLAY({"331 password\r\n", REASON_PASSED}, {"PASV\r\n", CLIENT}, {OK227, REASON_OPENED});
}
END_TEST

START_TEST(a_230_ends_the_wait_for_a_login)
{
	PLAY({"220 hello\r\n", REASON_PASSED}, {"USER u\r\n", CLIENT}, {"331 password\r\n", REASON_PASSED},
		{"PASS p\r\n", CLIENT}, {"230 in\r\n", REASON_PASSED}, {"PASV\r\n", CLIENT},
		{OK227, REASON_OPENED});
	PLAY({"220 hello\r\n", REASON_PASSED}, {"USER u\r\n", CLIENT}, {"230-in\r\n", REASON_PASSED},
		{"230 in\r\n", REASON_PASSED}, {"PASV\r\n", CLIENT}, {OK227, REASON_OPENED});
}
END_TEST

START_TEST(a_failed_login_is_none)
{
	PLAY({"220 hello\r\n", REASON_PASSED}, {"USER u\r\n", CLIENT}, {"331 password\r\n", REASON_PASSED},
		{"PASS p\r\n", CLIENT}, {"530 no\r\n", REASON_PASSED}, {"PASV\r\n", CLIENT},
		{OK227, REASON_NOT_LOGGED_IN});
}
END_TEST

START_TEST(text_inside_another_reply_is_no_announcement)
{
	PLAY({"STAT\r\n", CLIENT}, {"PASV\r\n", CLIENT}, {"211-status\r\n", REASON_PASSED},
		{OK227, REASON_UNPAIRED}, {OK229, REASON_UNPAIRED}, {" " OK227, REASON_PASSED},
		{"227-(10,0,0,2,0,22)\r\n", REASON_UNPAIRED}, {"211 end\r\n", REASON_PASSED},
		{OK227, REASON_OPENED});
}
END_TEST

START_TEST(text_inside_a_greeting_is_no_login)
{
	PLAY({"220-hello\r\n", REASON_PASSED}, {"230 is a number\r\n", REASON_PASSED},
		{"220 go\r\n", REASON_PASSED}, {"PASV\r\n", CLIENT}, {OK227, REASON_NOT_LOGGED_IN});
}
END_TEST

START_TEST(a_multi_line_227_announces_on_the_line_with_the_numbers)
{
	PLAY({"PASV\r\n", CLIENT}, {"227-passive\r\n", REASON_PASSED}, {" mode\r\n", REASON_PASSED},
		{OK227, REASON_OPENED}, {OK227, REASON_UNPAIRED});
	PLAY({"PASV\r\n", CLIENT}, {"227-ok (10,0,0,2,195,80)\r\n", REASON_OPENED},
		{"227 end\r\n", REASON_PASSED}, {OK227, REASON_UNPAIRED});
}
END_TEST

START_TEST(a_227_that_cannot_be_read_is_unreadable)
{
	PLAY({"PASV\r\n", CLIENT}, {"227 Logout.\r\n", REASON_UNREADABLE}, {OK227, REASON_UNPAIRED});
	PLAY({"PASV\r\n", CLIENT}, {"227\r\n", REASON_UNREADABLE});
	PLAY({"EPSV\r\n", CLIENT}, {"229 (|||65536|)\r\n", REASON_UNREADABLE});
}
END_TEST

START_TEST(lines_that_are_no_replies_pass)
{
	PLAY({"PASV\r\n", CLIENT}, {"\r\n", REASON_PASSED}, {"hello\r\n", REASON_PASSED},
		{"22\r\n", REASON_PASSED}, {OK227, REASON_OPENED});
}
END_TEST

START_TEST(of_too_many_commands_the_oldest_are_forgotten)
{
	struct session s = {0};
	static const struct talk pasv = {"PASV\r\n", CLIENT}, noop = {"NOOP\r\n", CLIENT};

	play(&s, &pasv, 1);
	for (int i = 0; i < SESSION_COMMANDS; i++)
		play(&s, &noop, 1);
	check_reply(&s, OK227, REASON_UNPAIRED);
	for (int i = 0; i < 10 * SESSION_COMMANDS; i++)
		play(&s, &noop, 1);
	play(&s, &pasv, 1);
	check_reply(&s, OK227, REASON_OPENED);
}
END_TEST

static void same_session(const struct session *a, const struct session *b)
{
	ck_assert_int_eq(a->greeted, b->greeted);
	ck_assert_int_eq(a->paired, b->paired);
	ck_assert_uint_eq(a->multi, b->multi);
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_mem_eq(a->verb, b->verb, a->n);
}

/* Bytes of a line that is still coming, in a session that played `talk`. */
static size_t hold(const struct talk *talk, size_t n, const char *text)
{
	struct session s = {0}, was;
	uint8_t *p = guard_copy(text, strlen(text));
	size_t from;

	play(&s, talk, n);
	was = s;
	from = session_hold(&s, p, strlen(text));
	same_session(&s, &was);
	guard_free(p, strlen(text));
	return from;
}

START_TEST(an_awaited_announcement_is_held)
{
	static const struct talk pasv[] = {{"PASV\r\n", CLIENT}};

	ck_assert_uint_eq(hold(pasv, 1, "227 ok (10,0"), 8);
	ck_assert_uint_eq(hold(pasv, 1, "227 ok (10,0,0,2,195,80).\r"), 8);
	ck_assert_uint_eq(hold(pasv, 1, "227 ok"), 6);
	ck_assert_uint_eq(hold(pasv, 1, "22"), 2);
	ck_assert_uint_eq(hold(pasv, 1, "211 ok (10,0"), 12);
}
END_TEST

START_TEST(what_may_announce_nothing_is_not_held)
{
	static const struct talk no_login[] = {{"220 hello\r\n", REASON_PASSED}, {"PASV\r\n", CLIENT}};
	static const struct talk in_211[] = {
		{"PASV\r\n", CLIENT}, {"STAT\r\n", CLIENT}, {"211-x\r\n", REASON_PASSED}};

	ck_assert_uint_eq(hold(NULL, 0, "227 ok (10,0"), 12);
	ck_assert_uint_eq(hold(no_login, 2, "227 ok (10,0"), 12);
	ck_assert_uint_eq(hold(in_211, 3, "227 ok (10,0"), 12);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_227_or_229_answers_pasv_or_epsv,
		an_announcement_that_nobody_asked_for_is_unpaired,
		one_command_has_one_announcement,
		a_refused_command_has_no_announcement,
		a_preliminary_reply_leaves_its_command_open,
		only_a_220_says_that_nobody_is_logged_in,
		a_230_ends_the_wait_for_a_login,
		a_failed_login_is_none,
		text_inside_another_reply_is_no_announcement,
		text_inside_a_greeting_is_no_login,
		a_multi_line_227_announces_on_the_line_with_the_numbers,
		a_227_that_cannot_be_read_is_unreadable,
		lines_that_are_no_replies_pass,
		of_too_many_commands_the_oldest_are_forgotten,
		an_awaited_announcement_is_held,
		what_may_announce_nothing_is_not_held,
	};

	return unit_run("session", test, ARRAY_SIZE(test));
}
