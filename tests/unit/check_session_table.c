/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_session_table.c - every kind of reply to every kind of command
 *
 * A letter says what a reply does when the command is all that is outstanding:
 *   .  nothing, the command still waits      t  it takes the command away
 *   I  logs in                               O  ends the login
 *   P  is the 227 or 229 of the command      U  is one that answers nothing
 *   D  refuses the port                      C  closes the session
 *   S  TLS follows                           A  TLS follows if the client begins it
 */
#include "guard.h"
#include "pasvd/session.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const struct talk {
	const char *who, *text;
} login[] = {{"S", "220 hello\r\n"}, {"C", "USER u\r\n"}, {"S", "331 password\r\n"},
	{"C", "PASS p\r\n"}, {"S", "230 in\r\n"}};

static struct session_news say(struct session *s, const char *who, const char *text)
{
	size_t n = strlen(text);
	uint8_t *p = guard_copy(text, n);
	struct session_news news =
		who[0] == 'C' ? session_command(s, p, n) : session_reply(s, p, n);

	guard_free(p, n);
	return news;
}

/* The first `lines` of a login, and the command. */
static struct session ask(size_t lines, const char *command)
{
	struct session s = {0};
	char text[48];

	for (size_t i = 0; i < lines; i++)
		say(&s, login[i].who, login[i].text);
	if (!command)
		return s;
	snprintf(text, sizeof(text), "%s\r\n", command);
	if (say(&s, "C", text).event == SESSION_OFFER)
		session_opened(&s);
	return s;
}

static char letter(
	const struct session_news *news, const struct session *before, const struct session *s)
{
	static const char by_event[] = {[SESSION_DENIED] = 'D', [SESSION_SECURED] = 'S'};

	if (news->event == SESSION_OFFER)
		return 'P';
	if (news->event == SESSION_REFUSED)
		return news->reason == REASON_NOT_LOGGED_IN ? 'P' : 'U';
	if (before->logged_in != s->logged_in)
		return s->logged_in ? 'I' : 'O';
	if (news->event == SESSION_CLOSED)
		return 'C';
	if (news->event != SESSION_NOTHING)
		return by_event[news->event];
	if (s->begins_tls)
		return 'A';
	return before->n != s->n ? 't' : '.';
}

/* What a reply does in a session. */
static char effect(const struct session *before, unsigned code)
{
	char text[48];
	struct session s = *before;
	struct session_news news;

	snprintf(text, sizeof(text), "%u (10,0,0,2,195,80) (|||50000|)\r\n", code);
	news = say(&s, "S", text);
	return letter(&news, before, &s);
}

/* Lines of the login that were said. */
enum { NEW, GREETED, LOGGED_IN = 5 };

static const unsigned codes[] = {120, 150, 200, 202, 211, 213, 215, 220, 221, 225, 226, 227, 229,
	230, 232, 234, 250, 257, 331, 332, 334, 350, 421, 425, 426, 450, 500, 502, 503, 522, 530,
	550, 553};

static const struct {
	size_t lines;
	const char *command; /* NULL: none is outstanding */
	const char *effects; /* one letter a code */
} table[] = {
	/* clang-format off */
	{NEW, NULL, "........C..UUII.................."},
	{NEW, "USER u", "..IIIII.C..UUII.IItttttt.tttttttt"},
	{NEW, "PASS p", "..IIIII.C..UUII.II.ttttt.tttttttt"},
	{NEW, "ACCT a", "..IIIII.C..UUII.II.ttttt.tttttttt"},
	{NEW, "REIN", "..ttttt.t..UUII.tt.ttttt.tttttttt"},
	{NEW, "HOST h", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "PASV", "........C..PPII.......tt..ttttt.."},
	{NEW, "P@SW", "........C..PPII.......tt..ttttt.."},
	{NEW, "CPSV", "........C..PPII.......tt..ttttt.."},
	{NEW, "EPSV", "........C..PPII.......tt..ttttt.."},
	{NEW, "EPSV ALL", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "PORT 192,168,1,5,195,80", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "EPRT |1|192.168.1.5|50000|", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "LPSV", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "AUTH TLS", "..AAAAA.C..UUIISAA.AAAtt.tttttttt"},
	{NEW, "ABOR", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "QUIT", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "NOOP", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "TYPE I", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "FEAT", "..ttttt.C..UUII.tt.ttttt.tttttttt"},
	{NEW, "RETR x", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "LIST", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "SIZE x", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "PRET RETR x", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "CWD x", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "STAT", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "XSHA256 x", "..ttttt.CttUUII.tt.tttttttttttttt"},
	{NEW, "", "........C..UUII.......tt.tttttttt"},
	{GREETED, NULL, "........C..UU...................."},
	{GREETED, "USER u", "..IIIIIIC..UUII.IItttttt.tttttttt"},
	{GREETED, "PASS p", "..IIIIIIC..UUII.II.ttttt.tttttttt"},
	{GREETED, "ACCT a", "..IIIIIIC..UUII.II.ttttt.tttttttt"},
	{GREETED, "REIN", "..ttttttt..UUtt.tt.ttttt.tttttttt"},
	{GREETED, "HOST h", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "PASV", "........C..PP.........tt..ttttt.."},
	{GREETED, "P@SW", "........C..PP.........tt..ttttt.."},
	{GREETED, "CPSV", "........C..PP.........tt..ttttt.."},
	{GREETED, "EPSV", "........C..PP.........tt..ttttt.."},
	{GREETED, "EPSV ALL", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "PORT 192,168,1,5,195,80", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "EPRT |1|192.168.1.5|50000|", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "LPSV", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "AUTH TLS", "..AAAAAtC..UU..SAA.AAAtt.tttttttt"},
	{GREETED, "ABOR", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "QUIT", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "NOOP", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "TYPE I", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "FEAT", "..ttttttC..UU...tt.ttttt.tttttttt"},
	{GREETED, "RETR x", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "LIST", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "SIZE x", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "PRET RETR x", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "CWD x", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "STAT", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "XSHA256 x", "..ttttttCttUU...tt.tttttttttttttt"},
	{GREETED, "", "........C..UU.........tt.tttttttt"},
	{LOGGED_IN, NULL, "........C..UU.....O.............."},
	{LOGGED_IN, "USER u", "..ttttttC..UUtt.ttOOOOtt.tttttttt"},
	{LOGGED_IN, "PASS p", "..ttttttC..UUtt.ttOttttt.tttttttt"},
	{LOGGED_IN, "ACCT a", "..ttttttC..UUtt.ttOttttt.tttttttt"},
	{LOGGED_IN, "REIN", "..OOOOOOO..UUOO.OOOttttt.tttttttt"},
	{LOGGED_IN, "HOST h", "..OOOOOOC..UU...OOOttttt.tttttttt"},
	{LOGGED_IN, "PASV", "........C..PP.....O...tt..ttttt.."},
	{LOGGED_IN, "P@SW", "........C..PP.....O...tt..ttttt.."},
	{LOGGED_IN, "CPSV", "........C..PP.....O...tt..ttttt.."},
	{LOGGED_IN, "EPSV", "........C..PP.....O...tt..ttttt.."},
	{LOGGED_IN, "EPSV ALL", "..ttttttC..UU...ttOttttt.tttttttt"},
	{LOGGED_IN, "PORT 192,168,1,5,195,80", "..ttttttC..UU...ttOtttDD.DDDDDDDD"},
	{LOGGED_IN, "EPRT |1|192.168.1.5|50000|", "..ttttttC..UU...ttOtttDD.DDDDDDDD"},
	{LOGGED_IN, "LPSV", "..ttttttC..UU...ttOttttt.tttttttt"},
	{LOGGED_IN, "AUTH TLS", "..AAAAAtC..UU..SAAOAAAtt.tttttttt"},
	{LOGGED_IN, "ABOR", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "QUIT", "..ttttttC..UU...ttOttttt.tttttttt"},
	{LOGGED_IN, "NOOP", "..ttttttC..UU...ttOttttt.tttttttt"},
	{LOGGED_IN, "TYPE I", "..ttttttC..UU...ttOttttt.tttttttt"},
	{LOGGED_IN, "FEAT", "..ttttttC..UU...ttOttttt.tttttttt"},
	{LOGGED_IN, "RETR x", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "LIST", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "SIZE x", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "PRET RETR x", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "CWD x", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "STAT", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "XSHA256 x", "..ttttttCttUU...ttOtttttttttttttt"},
	{LOGGED_IN, "", "........C..UU.....O...tt.tttttttt"},
	/* clang-format on */
};

START_TEST(each_reply_has_its_effect_on_each_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct session s = ask(table[i].lines, table[i].command);

		ck_assert_uint_eq(strlen(table[i].effects), ARRAY_SIZE(codes));
		for (size_t k = 0; k < ARRAY_SIZE(codes); k++) {
			char got = effect(&s, codes[k]);

			ck_assert_msg(got == table[i].effects[k],
				"%s answered %u behind %zu lines of a login: %c, not %c",
				table[i].command ? table[i].command : "nothing", codes[k],
				table[i].lines, got, table[i].effects[k]);
		}
	}
}
END_TEST

/* The effect in the table of a reply whose code is in a column. */
static char effect_in_table(size_t row, unsigned code)
{
	size_t k = 0;

	while (codes[k] != code)
		k++;
	return table[row].effects[k];
}

static bool has_column(unsigned code)
{
	for (size_t k = 0; k < ARRAY_SIZE(codes); k++) {
		if (codes[k] == code)
			return true;
	}
	return false;
}

/* The codes that have no column are like one that has: of those the second digit 5 means the file
 * system, which some commands have no reply about. */
START_TEST(each_other_code_has_the_effect_of_its_kind)
{
	static const unsigned kinds[] = {150, 200, 350, 425, 500}, files[] = {450, 550};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct session s = ask(table[i].lines, table[i].command);

		for (unsigned code = 100; code < 600; code++) {
			bool is_about_files = code >= 400 && code / 10 % 10 == 5;
			unsigned like =
				is_about_files ? files[code / 100 - 4] : kinds[code / 100 - 1];

			if (!has_column(code))
				ck_assert_msg(effect(&s, code) == effect_in_table(i, like),
					"%s answered %u",
					table[i].command ? table[i].command : "nothing", code);
		}
	}
}
END_TEST

static void check_row(size_t row, const char *command)
{
	struct session s = ask(table[row].lines, command);

	for (size_t k = 0; k < ARRAY_SIZE(codes); k++)
		ck_assert_msg(effect(&s, codes[k]) == table[row].effects[k], "%s answered %u",
			command, codes[k]);
}

/* The commands that have no row, each with the command whose row is its own. */
START_TEST(each_other_command_is_answered_like_one_of_its_kind)
{
	static const struct {
		const char *like, *others[24];
	} kinds[] = {
		{"RETR x", {"APPE x", "MDTM x", "MLSD", "NLST", "STOR x", "STOU x"}},
		{"NOOP", {"ALLO 1", "CCC", "CLNT x", "LANG", "MODE S", "OPTS UTF8 ON", "PBSZ 0",
				 "PROT P", "REST 0", "SSCN ON", "STRU F", "SYST"}},
		{"LPSV", {"LPRT 4,4,10,0,0,2,2,195,80"}},
		{"CWD x", {"CDUP", "XCWD x", "PWD", "XPWD", "MKD x", "XMKD x", "RMD x", "DELE x",
				  "RNFR x", "RNTO x", "MLST x", "MFMT 1 x", "SITE x", "HELP",
				  "SMNT x", "AVBL", "COMB x", "ADAT x", "noop2"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		for (size_t k = 0; table[i].command && k < ARRAY_SIZE(kinds); k++)
			for (size_t o = 0;
				strcmp(table[i].command, kinds[k].like) == 0 && kinds[k].others[o];
				o++)
				check_row(i, kinds[k].others[o]);
}
END_TEST

START_TEST(a_reply_that_no_command_can_have_takes_none_away)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct session s = ask(table[i].lines, table[i].command);
		uint8_t n = s.n;

		say(&s, "S", "199 preliminary\r\n");
		say(&s, "S", "631 protected\r\n");
		say(&s, "S", "2000 what\r\n");
		say(&s, "S", "text\r\n");
		ck_assert_uint_eq(s.n, n);
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		each_reply_has_its_effect_on_each_command,
		each_other_code_has_the_effect_of_its_kind,
		each_other_command_is_answered_like_one_of_its_kind,
		a_reply_that_no_command_can_have_takes_none_away,
	};

	return unit_run("session_table", test, ARRAY_SIZE(test));
}
