/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_session.c - which reply answers which command
 *
 * A talk is a table of lines: who says it, what, and what that must lead to.
 */
#include "guard.h"
#include "packet.h"
#include "pasvd/session.h"
#include "unit.h"

#include <string.h>

#define OK227 "227 ok (10,0,0,2,195,80)\r\n"
#define OK229 "229 ok (|||50000|)\r\n"
#define PORT  "PORT 192,168,1,5,195,80\r\n"
#define EPRT  "EPRT |1|192.168.1.5|50000|\r\n"

/* Reasons stand for the refusals; these for the other events. */
enum { NOTHING = REASON_COUNT, OFFER, DENIED, CLOSED, FORBIDDEN, AUTH, SECURED, OVERFLOW };

struct talk {
	const char *who; /* C or S */
	const char *text;
	unsigned news;
};

static unsigned number_of(const struct session_news *news)
{
	static const unsigned number[] = {
		[SESSION_NOTHING] = NOTHING,
		[SESSION_OFFER] = OFFER,
		[SESSION_DENIED] = DENIED,
		[SESSION_CLOSED] = CLOSED,
		[SESSION_MASKED] = FORBIDDEN,
		[SESSION_AUTH] = AUTH,
		[SESSION_SECURED] = SECURED,
	};

	return news->event == SESSION_REFUSED ? (unsigned)news->reason : number[news->event];
}

/* What the line leads to. All offers here are of port 50000. */
static unsigned say(struct session *s, const struct talk *line)
{
	size_t n = strlen(line->text);
	uint8_t *p = guard_copy(line->text, n);
	struct session_news news =
		line->who[0] == 'C' ? session_command(s, p, n) : session_reply(s, p, n);

	guard_free(p, n);
	if (news.event == SESSION_OFFER)
		ck_assert_uint_eq(news.offer.listen.port, 50000);
	if (news.event == SESSION_OFFER && line->who[0] == 'C')
		session_opened(s);
	return news.overflow ? OVERFLOW : number_of(&news);
}

static void play(struct session *s, const struct talk *talk, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned got = say(s, &talk[i]);

		ck_assert_msg(got == talk[i].news, "line %zu: %s%u, not %u", i + 1, talk[i].text,
			got, talk[i].news);
	}
}

static const struct talk login[] = {{"S", "220 hello\r\n", NOTHING}, {"C", "USER u\r\n", NOTHING},
	{"S", "331 password\r\n", NOTHING}, {"C", "PASS p\r\n", NOTHING},
	{"S", "230 in\r\n", NOTHING}};

static void log_in(struct session *s)
{
	*s = (struct session){0};
	play(s, login, ARRAY_SIZE(login));
}

/* A session from its first line on, and one from its login on. */
#define PLAY_NEW(...)                                                                              \
	do {                                                                                       \
		static const struct talk talk_[] = {__VA_ARGS__};                                  \
		struct session s_ = {0};                                                           \
                                                                                                   \
		play(&s_, talk_, ARRAY_SIZE(talk_));                                               \
	} while (0)

#define PLAY(...)                                                                                  \
	do {                                                                                       \
		static const struct talk talk_[] = {__VA_ARGS__};                                  \
		struct session s_;                                                                 \
                                                                                                   \
		log_in(&s_);                                                                       \
		play(&s_, talk_, ARRAY_SIZE(talk_));                                               \
	} while (0)

START_TEST(a_227_or_229_answers_pasv_or_epsv)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", OK227, OFFER});
	PLAY({"C", "EPSV\r\n", NOTHING}, {"S", OK229, OFFER});
	PLAY({"C", "EPSV\r\n", NOTHING}, {"S", OK227, OFFER});
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", OK229, OFFER});
}
END_TEST

START_TEST(an_announcement_that_nobody_asked_for_is_unpaired)
{
	PLAY({"S", OK227, REASON_UNPAIRED});
	PLAY({"S", OK229, REASON_UNPAIRED});
	PLAY({"C", "NOOP\r\n", NOTHING}, {"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "EPSV ALL\r\n", NOTHING}, {"S", OK229, REASON_UNPAIRED});
}
END_TEST

START_TEST(one_command_has_one_announcement)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", OK227, OFFER}, {"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "PASV\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING}, {"S", OK227, OFFER},
		{"S", OK227, OFFER}, {"S", OK227, REASON_UNPAIRED});
}
END_TEST

START_TEST(a_refused_command_has_no_announcement)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "502 no\r\n", NOTHING},
		{"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "425 no\r\n", NOTHING},
		{"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "EPSV\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING}, {"S", "500 no\r\n", NOTHING},
		{"S", OK227, OFFER}, {"S", OK227, REASON_UNPAIRED});
}
END_TEST

START_TEST(a_preliminary_reply_leaves_its_command_open)
{
	PLAY({"C", "RETR x\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING}, {"S", "150 go\r\n", NOTHING},
		{"S", "226 done\r\n", NOTHING}, {"S", OK227, OFFER});
	PLAY({"C", "RETR x\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING}, {"S", "150 go\r\n", NOTHING},
		{"S", "426 cut\r\n", NOTHING}, {"S", OK227, OFFER});
}
END_TEST

START_TEST(nobody_is_logged_in_before_a_login_succeeds)
{
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING},
		{"S", OK227, REASON_NOT_LOGGED_IN});
	PLAY_NEW({"C", "PASV\r\n", NOTHING}, {"S", OK227, REASON_NOT_LOGGED_IN});
	PLAY_NEW({"C", PORT, REASON_NOT_LOGGED_IN}, {"S", "220 hello\r\n", NOTHING});
	PLAY_NEW({"S", "331 password\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING},
		{"S", OK227, REASON_NOT_LOGGED_IN});
}
END_TEST

START_TEST(a_230_ends_the_wait_for_a_login)
{
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", "USER u\r\n", NOTHING},
		{"S", "331 password\r\n", NOTHING}, {"C", "PASS p\r\n", NOTHING},
		{"S", "230 in\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING}, {"S", OK227, OFFER});
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", "USER u\r\n", NOTHING},
		{"S", "230-in\r\n", NOTHING}, {"S", "230 in\r\n", NOTHING},
		{"C", "PASV\r\n", NOTHING}, {"S", OK227, OFFER});
}
END_TEST

START_TEST(a_failed_login_is_none)
{
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", "USER u\r\n", NOTHING},
		{"S", "331 password\r\n", NOTHING}, {"C", "PASS p\r\n", NOTHING},
		{"S", "530 no\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING},
		{"S", OK227, REASON_NOT_LOGGED_IN});
}
END_TEST

START_TEST(text_inside_another_reply_is_no_announcement)
{
	PLAY({"C", "STAT\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING},
		{"S", "211-status\r\n", NOTHING}, {"S", OK227, REASON_UNPAIRED},
		{"S", OK229, REASON_UNPAIRED}, {"S", " " OK227, NOTHING},
		{"S", "227-(10,0,0,2,0,22)\r\n", REASON_UNPAIRED}, {"S", "211 end\r\n", NOTHING},
		{"S", OK227, REASON_UNPAIRED});
}
END_TEST

START_TEST(text_inside_a_greeting_is_no_login)
{
	PLAY_NEW({"S", "220-hello\r\n", NOTHING}, {"S", "230 is a number\r\n", NOTHING},
		{"S", "220 go\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING},
		{"S", OK227, REASON_NOT_LOGGED_IN});
}
END_TEST

START_TEST(a_multi_line_227_announces_on_the_line_with_the_numbers)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227-passive\r\n", NOTHING},
		{"S", " mode\r\n", NOTHING}, {"S", OK227, OFFER}, {"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227-ok (10,0,0,2,195,80)\r\n", OFFER},
		{"S", "227 end\r\n", NOTHING}, {"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227-passive\r\n", NOTHING},
		{"S", " (10,0,0,2,195,80)\r\n", OFFER}, {"S", "227 end\r\n", NOTHING},
		{"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227-passive\r\n", NOTHING},
		{"S", "227-(10,0,0,2,195,80)\r\n", OFFER}, {"S", "227 end\r\n", NOTHING});
	PLAY({"C", "EPSV\r\n", NOTHING}, {"S", "229-passive\r\n", NOTHING},
		{"S", "(|||50000|)\r\n", OFFER}, {"S", "229 end\r\n", NOTHING});
}
END_TEST

START_TEST(a_multi_line_227_announces_once)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227-ok (10,0,0,2,195,80)\r\n", OFFER},
		{"S", " (10,0,0,2,195,80)\r\n", REASON_UNPAIRED}, {"S", OK227, REASON_UNPAIRED});
}
END_TEST

START_TEST(a_multi_line_227_without_numbers_is_unreadable_at_its_end)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227-passive\r\n", NOTHING},
		{"S", " mode\r\n", NOTHING}, {"S", "227 end\r\n", REASON_UNREADABLE});
}
END_TEST

START_TEST(a_227_that_cannot_be_read_is_unreadable)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227 Logout.\r\n", REASON_UNREADABLE},
		{"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "227\r\n", REASON_UNREADABLE});
	PLAY({"C", "EPSV\r\n", NOTHING}, {"S", "229 (|||65536|)\r\n", REASON_UNREADABLE});
}
END_TEST

START_TEST(lines_that_are_no_replies_pass)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "\r\n", NOTHING}, {"S", "hello\r\n", NOTHING},
		{"S", "22\r\n", NOTHING}, {"S", OK227, OFFER});
}
END_TEST

/* Equal commands take one place, however many there are; of two that alternate each takes one. */
static void say_alternately(struct session *s, int times)
{
	static const struct talk command[] = {
		{"C", "NOOP\r\n", NOTHING}, {"C", "SIZE x\r\n", NOTHING}};

	for (int i = 0; i < times; i++)
		play(s, &command[i % 2], 1);
}

START_TEST(any_number_of_equal_commands_is_remembered)
{
	static const struct talk noop = {"C", "NOOP\r\n", NOTHING},
				 ok = {"S", "200 ok\r\n", NOTHING}, port = {"C", PORT, OFFER},
				 denied = {"S", "500 no\r\n", DENIED};
	struct session s;

	log_in(&s);
	for (int i = 0; i < 1000; i++)
		play(&s, &noop, 1);
	play(&s, &port, 1);
	for (int i = 0; i < 1000; i++)
		play(&s, &noop, 1);
	for (int i = 0; i < 1000; i++)
		play(&s, &ok, 1);
	play(&s, &denied, 1);
}
END_TEST

START_TEST(of_too_many_commands_all_are_forgotten)
{
	static const struct talk pasv = {"C", "PASV\r\n", NOTHING},
				 unpaired = {"S", OK227, REASON_UNPAIRED},
				 paired = {"S", OK227, OFFER};
	struct session s;

	log_in(&s);
	play(&s, &pasv, 1);
	say_alternately(&s, SESSION_COMMANDS);
	play(&s, &unpaired, 1);
	say_alternately(&s, 10 * SESSION_COMMANDS);
	play(&s, &pasv, 1);
	play(&s, &paired, 1);
}
END_TEST

START_TEST(a_port_that_is_forgotten_is_shut)
{
	static const struct talk port = {"C", PORT, OFFER}, over = {"C", "SIZE x\r\n", OVERFLOW},
				 ok = {"S", "200 ok\r\n", NOTHING};
	struct session s;

	log_in(&s);
	play(&s, &port, 1);
	say_alternately(&s, SESSION_COMMANDS - 1);
	ck_assert_uint_eq(s.n, SESSION_COMMANDS);
	play(&s, &over, 1);
	log_in(&s);
	play(&s, &port, 1);
	play(&s, &ok, 1);
	say_alternately(&s, 3 * SESSION_COMMANDS);
}
END_TEST

/* --- active mode --- */

START_TEST(a_port_or_eprt_is_an_offer_that_its_reply_may_deny)
{
	PLAY({"C", PORT, OFFER}, {"S", "200 ok\r\n", NOTHING});
	PLAY({"C", EPRT, OFFER}, {"S", "200 ok\r\n", NOTHING});
	PLAY({"C", PORT, OFFER}, {"S", "250-ok\r\n", NOTHING}, {"S", "250 ok\r\n", NOTHING});
	PLAY({"C", PORT, OFFER}, {"S", "500 no\r\n", DENIED});
	PLAY({"C", PORT, OFFER}, {"S", "425 no\r\n", DENIED});
	PLAY({"C", EPRT, OFFER}, {"S", "522 no\r\n", DENIED});
}
END_TEST

START_TEST(a_preliminary_reply_decides_nothing)
{
	PLAY({"C", PORT, OFFER}, {"S", "150 wait\r\n", NOTHING}, {"S", "200 ok\r\n", NOTHING});
}
END_TEST

START_TEST(only_its_own_reply_decides_about_a_port)
{
	PLAY({"C", "NOOP\r\n", NOTHING}, {"C", PORT, OFFER}, {"S", "200 zzz\r\n", NOTHING},
		{"S", "200 ok\r\n", NOTHING}, {"S", "200 ok\r\n", NOTHING});
	PLAY({"C", "SITE x\r\n", NOTHING}, {"C", PORT, OFFER}, {"S", "500 what\r\n", NOTHING},
		{"S", "200 ok\r\n", NOTHING});
	PLAY({"C", PORT, OFFER}, {"C", "RETR x\r\n", NOTHING}, {"S", "200 ok\r\n", NOTHING},
		{"S", "550 no\r\n", NOTHING});
}
END_TEST

START_TEST(text_inside_a_reply_decides_nothing)
{
	PLAY({"C", "STAT\r\n", NOTHING}, {"C", PORT, OFFER}, {"S", "211-x\r\n", NOTHING},
		{"S", "200 ok\r\n", NOTHING}, {"S", "500 no\r\n", NOTHING},
		{"S", "211 end\r\n", NOTHING}, {"S", "500 no\r\n", DENIED});
}
END_TEST

START_TEST(a_port_before_login_is_refused)
{
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", PORT, REASON_NOT_LOGGED_IN});
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", EPRT, REASON_NOT_LOGGED_IN},
		{"S", "530 no\r\n", NOTHING});
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", "USER u\r\n", NOTHING},
		{"S", "230 in\r\n", NOTHING}, {"C", PORT, OFFER});
}
END_TEST

START_TEST(a_port_that_cannot_be_read_is_unreadable)
{
	PLAY({"C", "PORT 1,2,3\r\n", REASON_UNREADABLE}, {"S", "501 what\r\n", NOTHING});
	PLAY({"C", "EPRT |2|x|5|\r\n", REASON_UNREADABLE});
}
END_TEST

START_TEST(a_227_does_not_answer_a_port)
{
	PLAY({"C", PORT, OFFER}, {"S", OK227, REASON_UNPAIRED});
	PLAY({"C", PORT, OFFER}, {"C", "PASV\r\n", NOTHING}, {"S", "200 ok\r\n", NOTHING},
		{"S", OK227, OFFER});
}
END_TEST

START_TEST(a_221_closes)
{
	PLAY({"C", "QUIT\r\n", NOTHING}, {"S", "221 bye\r\n", CLOSED});
	PLAY({"C", "QUIT\r\n", NOTHING}, {"S", "221-bye\r\n", CLOSED},
		{"S", "221 bye\r\n", NOTHING});
	PLAY({"S", "221 too long idle\r\n", CLOSED});
}
END_TEST

START_TEST(long_forms_are_forbidden)
{
	PLAY({"C", "LPSV\r\n", FORBIDDEN}, {"S", "500 XXXX\r\n", NOTHING});
	PLAY({"C", "lprt 4,4,10,0,0,2,2,195,80\r\n", FORBIDDEN}, {"S", "500 XXXX\r\n", NOTHING});
	PLAY_NEW({"S", "220 hello\r\n", NOTHING}, {"C", "LPSV\r\n", FORBIDDEN});
	PLAY_NEW({"C", "LPSV\r\n", FORBIDDEN});
	PLAY({"C", "LPSV\r\n", FORBIDDEN}, {"C", "PASV\r\n", NOTHING},
		{"S", "500 XXXX\r\n", NOTHING}, {"S", OK227, OFFER});
}
END_TEST

START_TEST(an_empty_line_is_no_command)
{
	PLAY({"C", "\r\n", NOTHING}, {"C", PORT, OFFER}, {"S", "500 no\r\n", DENIED});
	PLAY({"C", "\n", NOTHING}, {"C", PORT, OFFER}, {"S", "500 no\r\n", DENIED});
}
END_TEST

START_TEST(a_3xx_answers_and_denies_nothing)
{
	PLAY({"C", PORT, OFFER}, {"S", "350 go on\r\n", NOTHING}, {"S", "500 no\r\n", NOTHING});
}
END_TEST

START_TEST(while_a_port_awaits_its_reply_no_other_is_an_offer)
{
	PLAY({"C", PORT, OFFER}, {"C", PORT, REASON_TOO_MANY}, {"S", "500 no\r\n", DENIED},
		{"S", "500 no\r\n", NOTHING});
	PLAY({"C", PORT, OFFER}, {"C", PORT, REASON_TOO_MANY}, {"S", "200 ok\r\n", NOTHING},
		{"C", PORT, OFFER}, {"S", "200 ok\r\n", NOTHING}, {"S", "500 no\r\n", DENIED});
	PLAY({"C", PORT, OFFER}, {"C", "RETR x\r\n", NOTHING}, {"S", "150 go\r\n", NOTHING},
		{"C", PORT, OFFER});
}
END_TEST

START_TEST(a_refused_port_that_opened_nothing_denies_nothing)
{
	PLAY({"C", PORT, OFFER}, {"S", "200 ok\r\n", NOTHING},
		{"C", "EPRT |2|x|5|\r\n", REASON_UNREADABLE}, {"S", "522 no\r\n", NOTHING});
}
END_TEST

START_TEST(a_success_that_is_no_announcement_answers_what_follows_a_pasv)
{
	PLAY({"C", "PASV\r\n", NOTHING}, {"C", "NOOP\r\n", NOTHING}, {"S", "200 what\r\n", NOTHING},
		{"S", OK227, REASON_UNPAIRED});
	PLAY({"C", "PASV\r\n", NOTHING}, {"S", "226 ABOR done\r\n", NOTHING}, {"S", OK227, OFFER});
}
END_TEST

START_TEST(who_says_what_is_no_command_offers_nothing_any_more)
{
	PLAY({"C", "GET / HTTP/1.1\r\n", NOTHING}, {"C", "Host: x\r\n", NOTHING},
		{"C", PORT, REASON_NOT_FTP}, {"C", EPRT, REASON_NOT_FTP},
		{"S", "500 what\r\n", NOTHING}, {"S", "500 what\r\n", NOTHING},
		{"C", "PASV\r\n", NOTHING}, {"S", OK227, REASON_NOT_FTP});
	PLAY({"C", "\x16\x03\x01\n", NOTHING}, {"S", "220 hello\r\n", NOTHING},
		{"S", "230 in\r\n", NOTHING}, {"C", PORT, REASON_NOT_FTP});
}
END_TEST

START_TEST(what_was_outstanding_is_forgotten_when_bytes_are_lost)
{
	static const struct talk before[] = {{"C", "STAT\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING},
		{"S", "211-x\r\n", NOTHING}},
				 behind[] = {{"S", OK227, REASON_UNPAIRED},
					 {"C", "PASV\r\n", NOTHING}, {"S", OK227, OFFER}};
	struct session s;

	log_in(&s);
	play(&s, before, ARRAY_SIZE(before));
	session_lost(&s);
	play(&s, behind, ARRAY_SIZE(behind));
}
END_TEST

START_TEST(a_lost_session_stays_logged_out_and_alien)
{
	static const struct talk greeted[] = {{"S", "220 hello\r\n", NOTHING}},
				 alien[] = {{"C", "Host: x\r\n", NOTHING}},
				 no_login[] = {{"C", PORT, REASON_NOT_LOGGED_IN}},
				 not_ftp[] = {{"C", PORT, REASON_NOT_FTP}};
	struct session s = {0};

	play(&s, greeted, 1);
	session_lost(&s);
	play(&s, no_login, 1);
	play(&s, alien, 1);
	session_lost(&s);
	play(&s, not_ftp, 1);
}
END_TEST

/* --- holding --- */

static void same_session(const struct session *a, const struct session *b)
{
	ck_assert_int_eq(a->logged_in, b->logged_in);
	ck_assert_int_eq(a->paired, b->paired);
	ck_assert_uint_eq(a->multi, b->multi);
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_mem_eq(a->command, b->command, a->n * sizeof(a->command[0]));
}

/* Bytes of a line of `who` that is still coming, in a session that played `talk`. */
static size_t hold_in(
	struct session s, const struct talk *talk, size_t n, char who, const char *text)
{
	struct session was;
	size_t len = strlen(text), from;
	uint8_t *p = guard_copy(text, len);

	play(&s, talk, n);
	was = s;
	from = who == 'C' ? session_command_hold(&s, p, len) : session_reply_hold(&s, p, len);
	same_session(&s, &was);
	guard_free(p, len);
	return from;
}

static size_t hold(const struct talk *talk, size_t n, char who, const char *text)
{
	struct session s;

	log_in(&s);
	return hold_in(s, talk, n, who, text);
}

static size_t hold_new(const struct talk *talk, size_t n, char who, const char *text)
{
	return hold_in((struct session){0}, talk, n, who, text);
}

START_TEST(an_awaited_announcement_is_held)
{
	static const struct talk pasv[] = {{"C", "PASV\r\n", NOTHING}};

	ck_assert_uint_eq(hold(pasv, 1, 'S', "227 ok (10,0"), 4);
	ck_assert_uint_eq(hold(pasv, 1, 'S', "227 ok"), 4);
	ck_assert_uint_eq(hold(pasv, 1, 'S', "227"), 3);
	ck_assert_uint_eq(hold(pasv, 1, 'S', "22"), 2);
	ck_assert_uint_eq(hold(pasv, 1, 'S', "211 ok (10,0"), 12);
}
END_TEST

START_TEST(an_announcement_inside_its_own_reply_is_held)
{
	static const struct talk talk[] = {
		{"C", "PASV\r\n", NOTHING}, {"S", "227-ok\r\n", NOTHING}, {"S", OK227, OFFER}};

	ck_assert_uint_eq(hold(talk, 2, 'S', " (10,0"), 0);
	ck_assert_uint_eq(hold(talk, 2, 'S', "227 (10,0"), 4);
	ck_assert_uint_eq(hold(talk, 3, 'S', "227 (10,0"), 9);
}
END_TEST

START_TEST(what_may_announce_nothing_is_not_held)
{
	static const struct talk no_login[] = {
		{"S", "220 hello\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING}};
	static const struct talk in_211[] = {{"C", "PASV\r\n", NOTHING}, {"C", "STAT\r\n", NOTHING},
		{"S", "211-x\r\n", NOTHING}};

	ck_assert_uint_eq(hold(NULL, 0, 'S', "227 ok (10,0"), 12);
	ck_assert_uint_eq(hold_new(no_login, 2, 'S', "227 ok (10,0"), 12);
	ck_assert_uint_eq(hold(in_211, 3, 'S', "227 ok (10,0"), 12);
}
END_TEST

START_TEST(a_port_or_eprt_is_held_once_logged_in)
{
	static const struct talk no_login[] = {{"S", "220 hello\r\n", NOTHING}};

	ck_assert_uint_eq(hold(NULL, 0, 'C', "PORT 10,0"), 5);
	ck_assert_uint_eq(hold(NULL, 0, 'C', "EPRT |1|10."), 5);
	ck_assert_uint_eq(hold(NULL, 0, 'C', "RETR 10,0"), 9);
	ck_assert_uint_eq(hold_new(no_login, 1, 'C', "PORT 10,0"), 9);
}
END_TEST

START_TEST(before_the_server_has_replied_and_after_a_line_that_is_no_command_nothing_is_held)
{
	static const struct talk greeted[] = {{"S", "220 hello\r\n", NOTHING}};
	static const struct talk alien[] = {
		{"C", "Host: x\r\n", NOTHING}, {"C", "PASV\r\n", NOTHING}};

	ck_assert_uint_eq(hold_new(NULL, 0, 'C', "AU"), 2);
	ck_assert_uint_eq(hold_new(greeted, 1, 'C', "AU"), 0);
	ck_assert_uint_eq(hold(alien, 1, 'C', "AU"), 2);
	ck_assert_uint_eq(hold(alien, 1, 'C', "PORT 10,0"), 9);
	ck_assert_uint_eq(hold(alien, 2, 'S', "227 ok (10,0"), 12);
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
		nobody_is_logged_in_before_a_login_succeeds,
		a_230_ends_the_wait_for_a_login,
		a_failed_login_is_none,
		text_inside_another_reply_is_no_announcement,
		text_inside_a_greeting_is_no_login,
		a_multi_line_227_announces_on_the_line_with_the_numbers,
		a_multi_line_227_announces_once,
		a_multi_line_227_without_numbers_is_unreadable_at_its_end,
		a_227_that_cannot_be_read_is_unreadable,
		lines_that_are_no_replies_pass,
		any_number_of_equal_commands_is_remembered,
		of_too_many_commands_all_are_forgotten,
		a_port_that_is_forgotten_is_shut,
		a_port_or_eprt_is_an_offer_that_its_reply_may_deny,
		a_preliminary_reply_decides_nothing,
		only_its_own_reply_decides_about_a_port,
		text_inside_a_reply_decides_nothing,
		a_port_before_login_is_refused,
		a_port_that_cannot_be_read_is_unreadable,
		a_227_does_not_answer_a_port,
		a_221_closes,
		long_forms_are_forbidden,
		an_empty_line_is_no_command,
		a_3xx_answers_and_denies_nothing,
		while_a_port_awaits_its_reply_no_other_is_an_offer,
		a_refused_port_that_opened_nothing_denies_nothing,
		a_success_that_is_no_announcement_answers_what_follows_a_pasv,
		who_says_what_is_no_command_offers_nothing_any_more,
		what_was_outstanding_is_forgotten_when_bytes_are_lost,
		a_lost_session_stays_logged_out_and_alien,
		an_awaited_announcement_is_held,
		an_announcement_inside_its_own_reply_is_held,
		what_may_announce_nothing_is_not_held,
		before_the_server_has_replied_and_after_a_line_that_is_no_command_nothing_is_held,
		a_port_or_eprt_is_held_once_logged_in,
	};

	return unit_run("session", test, ARRAY_SIZE(test));
}
