/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ftp_command.c - what a line of the client says */
#include "ftp_line.h"

static enum ftp_verb command(const char *text)
{
	return command_of(text, strlen(text)).verb;
}

START_TEST(commands_are_read_in_any_case)
{
	static const struct {
		const char *text;
		enum ftp_verb verb;
	} sample[] = {
		{"PASV\r\n", FTP_PASV},
		{"PASV\n", FTP_PASV},
		{"pasv\r\n", FTP_PASV},
		{"pAsV \r\n", FTP_PASV},
		{"PASV x\r\n", FTP_PASV},
		{"EPSV\r\n", FTP_EPSV},
		{"epsv\n", FTP_EPSV},
		{"EPSV 1\r\n", FTP_EPSV},
		{"EPSV 2\r\n", FTP_EPSV},
		{"EPSV ALL\r\n", FTP_PLAIN},
		{"epsv all\n", FTP_PLAIN},
		{"EPSV ALLES\r\n", FTP_EPSV},
		{"PORT 1,2,3,4,5,6\r\n", FTP_PORT},
		{"port\n", FTP_PORT},
		{"EPRT |1|1.2.3.4|5|\r\n", FTP_EPRT},
		{"eprt what\r\n", FTP_EPRT},
		{"LPSV\r\n", FTP_LONG},
		{"lprt 4,4,10,0,0,2,2,195,80\r\n", FTP_LONG},
		{"P@SW\r\n", FTP_PASV},
		{"cpsv\r\n", FTP_PASV},
		{"SSCN ON\r\n", FTP_PLAIN},
		{"user u\r\n", FTP_USER},
		{"PASS\r\n", FTP_PASS},
		{"ACCT a\r\n", FTP_PASS},
		{"REIN\r\n", FTP_REIN},
		{"HOST ftp.example.com\r\n", FTP_HOST},
		{"PRET STOR x\r\n", FTP_FILE},
		{"CCC\r\n", FTP_PLAIN},
		{"\n", FTP_EMPTY},
		{"\r\n", FTP_EMPTY},
		{"\xff\xf4\r\n", FTP_EMPTY},
		{"\xff\r\n", FTP_EMPTY},
		{"CWD x\r\n", FTP_OTHER},
		{"XSHA256 x\r\n", FTP_OTHER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(command(sample[i].text) == sample[i].verb, "%s", sample[i].text);
}
END_TEST

START_TEST(what_is_no_such_command_is_other)
{
	static const char *const sample[] = {
		"P\n",
		"P@SV\r\n",
		"P@S\r\n",
		"USERS\r\n",
		"CC\r\n",
		"CCCC\r\n",
		"PAS\r\n",
		"PASV1\r\n",
		"PASVPASV\r\n",
		"EPS\r\n",
		"EPSVX\r\n",
		"XPASV\r\n",
		"SITE PASV\r\n",
		"PA SV\r\n",
		"PASW\r\n",
		"PORTS 1,2,3,4,5,6\r\n",
		"EPR |1|1.2.3.4|5|\r\n",
		"LPS\r\n",
		"LPRTX\r\n",
		" PASV\r\n",
		"\xff\xf4PASW\r\n",
		"\xff\xfd\n",
		"\xfePASV\r\n",
		"\x10\x01SV\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(command(sample[i]) == FTP_OTHER, "%s", sample[i]);
}
END_TEST

/* --- PORT and EPRT --- */

static const struct {
	const char *text, *span, *listen;
	uint8_t delimiter; /* 0: a PORT */
} offering[] = {
	{"PORT 192,168,1,5,195,80\r\n", "192,168,1,5,195,80", "192.168.1.5:50000", 0},
	{"port 192,168,1,5,195,80\n", "192,168,1,5,195,80", "192.168.1.5:50000", 0},
	{"PORT   1,2,3,4,5,6 \r\n", "1,2,3,4,5,6", "1.2.3.4:1286", 0},
	{"PORT 010,000,000,002,000,080\r\n", "010,000,000,002,000,080", "10.0.0.2:80", 0},
	{"\xff\xf4\xff\xf2PORT 1,2,3,4,5,6\r\n", "1,2,3,4,5,6", "1.2.3.4:1286", 0},
	{"EPRT |1|132.235.1.2|6275|\r\n", "1|132.235.1.2|6275", "132.235.1.2:6275", '|'},
	{"eprt |1|132.235.1.2|6275|\n", "1|132.235.1.2|6275", "132.235.1.2:6275", '|'},
	{"EPRT ,1,132.235.1.2,6275,\r\n", "1,132.235.1.2,6275", "132.235.1.2:6275", ','},
	{"EPRT !1!132.235.1.2!6275!\r\n", "1!132.235.1.2!6275", "132.235.1.2:6275", '!'},
	{"EPRT ~1~132.235.1.2~0~\r\n", "1~132.235.1.2~0", "132.235.1.2:0", '~'},
	{"EPRT |2|1080::8:800:200C:417A|5282|\r\n", "2|1080::8:800:200C:417A|5282",
		"[1080::8:800:200c:417a]:5282", '|'},
	{"EPRT |2|::1|65535|\r\n", "2|::1|65535", "[::1]:65535", '|'},
	{"EPRT |2|::ffff:10.0.0.2|1024|\r\n", "2|::ffff:10.0.0.2|1024", "[::ffff:10.0.0.2]:1024",
		'|'},
	{"EPRT |2|2001:0db8:0000:0000:0000:0000:0000:0001|1024|\r\n",
		"2|2001:0db8:0000:0000:0000:0000:0000:0001|1024", "[2001:db8::1]:1024", '|'},
};

START_TEST(a_port_or_eprt_is_read_behind_its_word)
{
	for (size_t i = 0; i < ARRAY_SIZE(offering); i++) {
		const char *text = offering[i].text;
		struct ftp_command c = command_of(text, strlen(text));

		ck_assert_int_eq(c.verb, offering[i].delimiter ? FTP_EPRT : FTP_PORT);
		ck_assert_msg(c.offers, "%s", text);
		ck_assert_int_eq(
			c.offer.form, offering[i].delimiter ? FTP_FORM_EPRT : FTP_FORM_SIX);
		if (offering[i].delimiter)
			ck_assert_int_eq(c.offer.delimiter, offering[i].delimiter);
		is_offer(&c.offer, text, offering[i].span, offering[i].listen);
	}
}
END_TEST

START_TEST(a_port_or_eprt_that_is_wrong_offers_nothing)
{
	static const char *const sample[] = {
		"PORT\r\n",
		"PORT \r\n",
		"PORT 1,2,3,4,5\r\n",
		"PORT 1,2,3,4,5,\r\n",
		"PORT 1,2,3,4,5,256\r\n",
		"PORT 256,2,3,4,5,6\r\n",
		"PORT x1,2,3,4,5,6\r\n",
		"PORT (1,2,3,4,5,6)\r\n",
		"PORT 1.2.3.4.5.6\r\n",
		"PORT |1|1.2.3.4|5|\r\n",
		"EPRT\r\n",
		"EPRT |\r\n",
		"EPRT ||\r\n",
		"EPRT |1|\r\n",
		"EPRT |1|1.2.3.4|\r\n",
		"EPRT |1|1.2.3.4|5\r\n",
		"EPRT |1|1.2.3.4|5,\r\n",
		"EPRT |1|1.2.3.4||\r\n",
		"EPRT |1|1.2.3.4|65536|\r\n",
		"EPRT |1|1.2.3.4|4294967376|\r\n",
		"EPRT |1|1.2.3.4|-1|\r\n",
		"EPRT |1|1.2.3|5|\r\n",
		"EPRT |1|1.2.3.256|5|\r\n",
		"EPRT |1|01.2.3.4|5|\r\n",
		"EPRT |1|::1|5|\r\n",
		"EPRT |2|1.2.3.4|5|\r\n",
		"EPRT |2|1:2:3|5|\r\n",
		"EPRT |2|::1::2|5|\r\n",
		"EPRT |2|fe80::1%eth0|5|\r\n",
		"EPRT |2|2001:0db8:0000:0000:0000:0000:0000:00001|5|\r\n",
		"EPRT |3|1.2.3.4|5|\r\n",
		"EPRT |12|1.2.3.4|5|\r\n",
		"EPRT 111.2.3.4151\r\n",
		"EPRT  1 1.2.3.4 5 \r\n",
		"EPRT x|1|1.2.3.4|5|\r\n",
		"EPRT 1,2,3,4,5,6\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(!command_of(sample[i], strlen(sample[i])).offers, "%s", sample[i]);
}
END_TEST

START_TEST(commands_that_offer_nothing_say_so)
{
	static const char *const sample[] = {
		"PASV 1,2,3,4,5,6\r\n",
		"EPSV |1|1.2.3.4|5|\r\n",
		"LPRT 1,2,3,4,5,6\r\n",
		"NOOP 1,2,3,4,5,6\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(!command_of(sample[i], strlen(sample[i])).offers, "%s", sample[i]);
}
END_TEST

/* RFC 854: a command of two bytes, or of three with an option, as often as somebody likes. */
START_TEST(telnet_commands_in_front_are_skipped)
{
	static const struct {
		const char *text;
		enum ftp_verb verb;
		uint16_t at;
	} sample[] = {
		{"PASV\r\n", FTP_PASV, 0},
		{"\xff\xf4PASV\r\n", FTP_PASV, 2},
		{"\xff\xf4\xff\xf2PASV\r\n", FTP_PASV, 4},
		{"\xff\xfb\x01PASV\r\n", FTP_PASV, 3},
		{"\xff\xfc\x01PASV\r\n", FTP_PASV, 3},
		{"\xff\xfd\x06PASV\r\n", FTP_PASV, 3},
		{"\xff\xfe\x01\xff\xf4LPSV\r\n", FTP_LONG, 5},
		{"\377\364\377\364\377\364\377\364\377\364EPSV\r\n", FTP_EPSV, 10},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		struct ftp_command c = command_of(sample[i].text, strlen(sample[i].text));

		ck_assert_msg(c.verb == sample[i].verb, "sample %zu", i);
		ck_assert_uint_eq(c.at, sample[i].at);
	}
}
END_TEST

START_TEST(a_command_may_end_anywhere)
{
	for (size_t i = 0; i < ARRAY_SIZE(offering); i++)
		for (size_t n = 1; n <= strlen(offering[i].text); n++)
			command_of(offering[i].text, n);
}
END_TEST

START_TEST(a_begun_port_or_eprt_is_held)
{
	for (size_t i = 0; i < ARRAY_SIZE(offering); i++) {
		const char *text = offering[i].text;
		size_t at = (size_t)(strstr(text, offering[i].span) - text),
		       len = strcspn(text, "\n");

		for (size_t n = at + 1; n <= len; n++)
			ck_assert_msg(
				hold_by(ftp_command_hold, text, n) <= at, "%.*s", (int)n, text);
	}
}
END_TEST

START_TEST(nothing_is_held_of_other_commands)
{
	static const char *const sample[] = {
		"PORT",
		"PORT ",
		"PORT x",
		"PORT (1,2,3",
		"EPRT 1",
		"PASV 1,2,3",
		"EPSV |||5",
		"RETR 1,2,3,4,5,6",
		"227 ok (1,2,3,4,5,6",
		"\xff\xf4",
		"\xff\xf4PASV",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(hold_by(ftp_command_hold, sample[i], strlen(sample[i])) ==
				      strlen(sample[i]),
			"%s", sample[i]);
}
END_TEST

static bool is_command(const char *text)
{
	size_t n = strlen(text);
	uint8_t *p = guard_copy(text, n);
	bool is = ftp_is_command(p, n);

	guard_free(p, n);
	return is;
}

START_TEST(a_letter_letters_digits_or_at_and_then_a_space_or_the_end_may_be_a_command)
{
	static const char *const sample[] = {"NOOP\r\n", "noop\n", "USER anonymous\r\n", "X \n",
		"A\r", "\xff\xf4\xff\xf2XYZ\r\n", "MDTM 2026 x: y\r\n", "XSHA256 x\r\n", "MD5\n",
		"P@SW\r\n", "RETR about HTTP/1.1\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(is_command(sample[i]), "%s", sample[i]);
}
END_TEST

START_TEST(a_request_line_ends_with_the_version_of_http)
{
	static const char *const is[] = {
		"POST / HTTP/1.1\r\n", "USER /x HTTP/1.0\n", "GET / HTTP/1.1\r\r\n"};
	static const char *const is_not[] = {
		"\r\n", " HTTP/1.", "HTTP/1.1\r\n", "RETR about HTTP/1.1.txt\r\n", "USER u\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(is); i++)
		ck_assert_msg(
			ftp_is_request_line((const uint8_t *)is[i], strlen(is[i])), "%s", is[i]);
	for (size_t i = 0; i < ARRAY_SIZE(is_not); i++)
		ck_assert_msg(!ftp_is_request_line((const uint8_t *)is_not[i], strlen(is_not[i])),
			"%s", is_not[i]);
}
END_TEST

START_TEST(anything_else_is_no_command)
{
	static const char *const sample[] = {"Host: 192.0.2.1\r\n", "Content-Length: 5\r\n", "\r\n",
		"\n", " NOOP\r\n", "123\r\n", "NOOP", "NO", "\xff\xf4\r\n", "\x16\x03\x01\x02\n",
		"{\"a\": 1}\r\n", "NOOP\tx\r\n", "5NOP\r\n", "@NOP\r\n", "NO-OP\r\n",
		"NO.OP x\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(!is_command(sample[i]), "%s", sample[i]);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		commands_are_read_in_any_case,
		what_is_no_such_command_is_other,
		a_port_or_eprt_is_read_behind_its_word,
		a_port_or_eprt_that_is_wrong_offers_nothing,
		commands_that_offer_nothing_say_so,
		telnet_commands_in_front_are_skipped,
		a_command_may_end_anywhere,
		a_begun_port_or_eprt_is_held,
		nothing_is_held_of_other_commands,
		a_letter_letters_digits_or_at_and_then_a_space_or_the_end_may_be_a_command,
		a_request_line_ends_with_the_version_of_http,
		anything_else_is_no_command,
	};

	return unit_run("ftp_command", test, ARRAY_SIZE(test));
}
