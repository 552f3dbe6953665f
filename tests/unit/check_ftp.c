/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ftp.c - what a line of the server says, and how an offer is written */
#include "ftp_line.h"

#include <stdio.h>

/* Reads a line at the end of memory; a refusal must leave the output alone. */
static int reply(const char *text, size_t n, struct ftp_reply *ret_reply)
{
	uint8_t *p = guard_copy(text, n);
	int rc;

	unit_mark(ret_reply, sizeof(*ret_reply));
	rc = ftp_reply(p, n, ret_reply);
	guard_free(p, n);
	ck_assert(rc == 0 || rc == -1);
	if (rc < 0)
		ck_assert(unit_is_marked(ret_reply, sizeof(*ret_reply)));
	else if (ret_reply->offers)
		ck_assert_uint_le(ret_reply->offer.at + ret_reply->offer.len, n);
	return rc;
}

static size_t hold(const char *text, size_t n)
{
	return hold_by(ftp_reply_hold, text, n);
}

/* The span is given as the text in it, so that it cannot be miscounted here. */
static const struct {
	const char *text, *span, *listen;
} announcing[] = {
	{"227 Entering Passive Mode (10,0,0,2,195,80).\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 Entering Passive Mode (10,0,0,2,195,80)\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 Entering Passive Mode 10,0,0,2,195,80\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 =10,0,0,2,195,80\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 10,0,0,2,195,80\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 ( 10,0,0,2,195,80 )\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 (10, 0, 0, 2, 195, 80)\r\n", "10, 0, 0, 2, 195, 80", "10.0.0.2:50000"},
	{"227 2 3,4 of RFC 959 (10,0,0,2,195,80)\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 1,2,3,4,5 (10,0,0,2,195,80)\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 (300,10,0,0,2,195,80)\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227 (255,255,255,255,255,255)\r\n", "255,255,255,255,255,255", "255.255.255.255:65535"},
	{"227 (0,0,0,0,0,0)\r\n", "0,0,0,0,0,0", "0.0.0.0:0"},
	{"227 (010,000,000,002,195,080)\r\n", "010,000,000,002,195,080", "10.0.0.2:50000"},
	{"227 a(10,0,0,2,195,80)(10,0,0,3,195,81)\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
	{"227-(10,0,0,2,195,80)\r\n", "10,0,0,2,195,80", "10.0.0.2:50000"},
};

START_TEST(a_227_is_read_where_six_numbers_fit_first)
{
	for (size_t i = 0; i < ARRAY_SIZE(announcing); i++) {
		const char *text = announcing[i].text;
		struct ftp_reply r;

		ck_assert_int_eq(reply(text, strlen(text), &r), 0);
		ck_assert_uint_eq(r.code, 227);
		ck_assert_msg(r.offers, "%s", text);
		ck_assert_int_eq(r.offer.form, FTP_FORM_SIX);
		is_offer(&r.offer, text, announcing[i].span, announcing[i].listen);
	}
}
END_TEST

static void is_unreadable(const char *text)
{
	struct ftp_reply r;

	ck_assert_int_eq(reply(text, strlen(text), &r), 0);
	ck_assert_msg(!r.offers, "%s", text);
}

START_TEST(a_227_without_six_numbers_announces_nothing)
{
	static const char *const sample[] = {
		"227\r\n",
		"227 \r\n",
		"227 Logout.\r\n",
		"227 (10,0,0,2,195)\r\n",
		"227 (10,0,0,2,195,\r\n",
		"227 (10,0,0,2,195,)\r\n",
		"227 10.0.0.2.195.80\r\n",
		"227 (10,0,0,256,195,80)\r\n",
		"227 (10,0,0,2,195,256)\r\n",
		"227 (10,0,0,2,1950,80)\r\n",
		"227 (10,0,,2,195,80)\r\n",
		"227 (10,0,0,-2,195,80)\r\n",
		"227 (10,0,0,2,195,4294967376)\r\n",
		"227 (10,0,0,2,195,99999999999999999999999)\r\n",
		"227 (10;0;0;2;195;80)\r\n",
		"227 (10,0,0,2\r,195,80)\r\n",
		"227 (0x0a,0,0,2,195,0x50)\r\n",
		"227 (|||50000|)\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		is_unreadable(sample[i]);
}
END_TEST

START_TEST(a_229_is_read_with_any_delimiter)
{
	static const struct {
		const char *text, *span;
		uint16_t port;
	} sample[] = {
		{"229 Entering Extended Passive Mode (|||50000|)\r\n", "50000", 50000},
		{"229 Entering Extended Passive Mode (|||50000|).\r\n", "50000", 50000},
		{"229 ok (!!!50000!)\n", "50000", 50000},
		{"229 ok (~~~1~)\r\n", "1", 1},
		{"229 ok (|||65535|)\r\n", "65535", 65535},
		{"229 ok (|||0|)\r\n", "0", 0},
		{"229 (RFC 2428) is (|||50000|)\r\n", "50000", 50000},
		{"229-ok (|||50000|)\r\n", "50000", 50000},
		{"229 ok (,,,50000,)\r\n", "50000", 50000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		const char *text = sample[i].text;
		struct ftp_reply r;

		ck_assert_int_eq(reply(text, strlen(text), &r), 0);
		ck_assert_uint_eq(r.code, 229);
		ck_assert_msg(r.offers, "%s", text);
		ck_assert_int_eq(r.offer.form, FTP_FORM_PORT);
		ck_assert_int_eq(r.offer.listen.addr.family, ADDR_NONE);
		ck_assert_uint_eq(r.offer.listen.port, sample[i].port);
		ck_assert_uint_eq(r.offer.at, (size_t)(strstr(text, sample[i].span) - text));
		ck_assert_uint_eq(r.offer.len, strlen(sample[i].span));
	}
}
END_TEST

START_TEST(a_229_may_have_an_address)
{
	static const struct {
		const char *text, *span, *endpoint;
	} sample[] = {
		{"229 ok (|1|10.0.0.2|50000|)\r\n", "1|10.0.0.2|50000", "10.0.0.2:50000"},
		{"229 (RFC 2428) (|2|fd00::2|1024|).\n", "2|fd00::2|1024", "[fd00::2]:1024"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		struct endpoint e = packet_endpoint(sample[i].endpoint);
		const char *text = sample[i].text;
		struct ftp_reply r;

		ck_assert_int_eq(reply(text, strlen(text), &r), 0);
		ck_assert_msg(r.offers, "%s", text);
		ck_assert_int_eq(r.offer.form, FTP_FORM_EPRT);
		ck_assert(endpoint_eq(&r.offer.listen, &e));
		ck_assert_uint_eq(r.offer.at, (size_t)(strstr(text, sample[i].span) - text));
		ck_assert_uint_eq(r.offer.len, strlen(sample[i].span));
	}
}
END_TEST

START_TEST(port_above_65535_is_refused)
{
	is_unreadable("229 (|||65536|)\r\n");
	is_unreadable("229 (|||99999|)\r\n");
	is_unreadable("229 (|||115536|)\r\n");
	is_unreadable("229 (|||4295017296|)\r\n");
	is_unreadable("229 (|||18446744073709601616|)\r\n");
}
END_TEST

START_TEST(a_229_without_its_form_announces_nothing)
{
	static const char *const sample[] = {
		"229\r\n",
		"229 ok\r\n",
		"229 (||50000|)\r\n",
		"229 (|||50000)\r\n",
		"229 (|||50000\r\n",
		"229 (||||)\r\n",
		"229 (|!|50000|)\r\n",
		"229 (|||50000!)\r\n",
		"229 (|||5 0000|)\r\n",
		"229 (|2|10.0.0.2|50000|)\r\n",
		"229 (|1|50000|)\r\n",
		"229 |1|10.0.0.2|50000|\r\n",
		"229 (|||-1|)\r\n",
		"229 (1115000001)\r\n",
		"229 (   50000 )\r\n",
		"229 (10,0,0,2,195,80)\r\n",
		"229 |||50000|\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		is_unreadable(sample[i]);
}
END_TEST

START_TEST(other_replies_announce_nothing)
{
	static const char *const sample[] = {
		"200 (10,0,0,2,195,80)\r\n",
		"228 (10,0,0,2,195,80)\r\n",
		"226 (|||50000|)\r\n",
		"150 (10,0,0,2,195,80)\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		is_unreadable(sample[i]);
}
END_TEST

START_TEST(codes_from_100_to_599_are_read)
{
	for (unsigned code = 0; code < 1000; code++) {
		char text[16];
		struct ftp_reply r;
		int rc;

		snprintf(text, sizeof(text), "%03u x\r\n", code);
		rc = reply(text, strlen(text), &r);
		ck_assert_int_eq(rc, code >= 100 && code < 600 ? 0 : -1);
		if (rc == 0) {
			ck_assert_uint_eq(r.code, code);
			ck_assert(!r.more);
		}
	}
}
END_TEST

START_TEST(a_minus_behind_the_code_means_more_lines)
{
	struct ftp_reply r;

	ck_assert_int_eq(reply("220-hello\r\n", 11, &r), 0);
	ck_assert(r.more);
	ck_assert_int_eq(reply("220 -hello\r\n", 12, &r), 0);
	ck_assert(!r.more);
}
END_TEST

START_TEST(a_code_may_be_all)
{
	struct ftp_reply r;

	ck_assert_int_eq(reply("200\r\n", 5, &r), 0);
	ck_assert_int_eq(reply("200\n", 4, &r), 0);
	ck_assert_uint_eq(r.code, 200);
}
END_TEST

START_TEST(a_line_without_a_code_is_refused)
{
	static const char *const sample[] = {
		"\n",
		"\r\n",
		"2\n",
		"22\n",
		"22\r\n",
		" 227 x\r\n",
		"2271 x\r\n",
		"227x\r\n",
		"22a x\r\n",
		"abc x\r\n",
		"227\tx\r\n",
		"-227 x\r\n",
		"\377\361227 x\r\n",
	};
	struct ftp_reply r;

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(reply(sample[i], strlen(sample[i]), &r) == -1, "%s", sample[i]);
}
END_TEST

/* The guard page is the test: a parser that runs over the end of a line without LF dies. */
START_TEST(a_line_may_end_anywhere)
{
	struct ftp_reply r;

	for (size_t i = 0; i < ARRAY_SIZE(announcing); i++) {
		for (size_t n = 1; n <= strlen(announcing[i].text); n++) {
			reply(announcing[i].text, n, &r);
			command_of(announcing[i].text, n);
		}
	}
}
END_TEST

START_TEST(a_begun_announcement_is_held_from_its_first_digit)
{
	for (size_t i = 0; i < ARRAY_SIZE(announcing); i++) {
		const char *text = announcing[i].text;
		size_t at = (size_t)(strstr(text, announcing[i].span) - text),
		       len = strcspn(text, "\n");

		for (size_t n = at + 1; n <= len; n++)
			ck_assert_msg(hold(text, n) <= at, "%.*s", (int)n, text);
	}
}
END_TEST

START_TEST(a_begun_229_is_held_from_its_first_digit)
{
	static const char text[] = "229 Entering Extended Passive Mode (|||50000|).\r";
	size_t at = (size_t)(strchr(text, '5') - text);

	for (size_t n = at + 1; n < sizeof(text); n++)
		ck_assert_uint_le(hold(text, n), at);
}
END_TEST

START_TEST(a_227_or_229_is_held_from_its_code_on)
{
	static const char text[] = "227 Entering Passive Mode (10,0", extended[] = "229 Logout.\r";

	for (size_t n = 1; n < sizeof(text); n++)
		ck_assert_uint_eq(hold(text, n), n > 4 ? 4 : n);
	for (size_t n = 1; n < sizeof(extended); n++)
		ck_assert_uint_eq(hold(extended, n), n > 4 ? 4 : n);
}
END_TEST

START_TEST(nothing_is_held_of_other_replies)
{
	static const char *const sample[] = {
		"200 (10,0,0,2,195,80",
		"228 (10,0,0,2,195,80",
		"(10,0,0,2,195,80",
		"227",
		"22",
		"2",
		"PASV",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		for (size_t n = 1; n <= strlen(sample[i]); n++)
			ck_assert_msg(hold(sample[i], n) == n, "%.*s", (int)n, sample[i]);
}
END_TEST

/* --- text inside a multi-line reply --- */

static bool text_of(uint16_t code, const char *text, struct ftp_offer *ret_offer)
{
	size_t n = strlen(text);
	uint8_t *p = guard_copy(text, n);
	bool found;

	unit_mark(ret_offer, sizeof(*ret_offer));
	found = ftp_reply_text(code, p, n, ret_offer);
	if (!found)
		ck_assert(unit_is_marked(ret_offer, sizeof(*ret_offer)));
	guard_free(p, n);
	return found;
}

START_TEST(text_of_a_227_or_229_is_read_from_its_beginning)
{
	struct ftp_offer o;

	ck_assert(text_of(227, "10,0,0,2,195,80\r\n", &o));
	is_offer(&o, "10,0,0,2,195,80\r\n", "10,0,0,2,195,80", "10.0.0.2:50000");
	ck_assert(text_of(227, " at (10,0,0,2,195,80)\n", &o));
	is_offer(&o, " at (10,0,0,2,195,80)\n", "10,0,0,2,195,80", "10.0.0.2:50000");
	ck_assert(text_of(229, "(|||50000|)\r\n", &o));
	ck_assert_uint_eq(o.listen.port, 50000);
	ck_assert_uint_eq(o.at, 4);
	ck_assert_uint_eq(o.len, 5);
}
END_TEST

START_TEST(text_of_other_replies_offers_nothing)
{
	struct ftp_offer o;

	ck_assert(!text_of(211, "(10,0,0,2,195,80)\r\n", &o));
	ck_assert(!text_of(227, "(|||50000|)\r\n", &o));
	ck_assert(!text_of(229, "(10,0,0,2,195,80)\r\n", &o));
	ck_assert(!text_of(227, "\r\n", &o));
	ck_assert(!text_of(227, "\n", &o));
}
END_TEST

START_TEST(begun_text_of_a_227_is_held)
{
	ck_assert_uint_eq(ftp_reply_text_hold(227, 9), 0);
	ck_assert_uint_eq(ftp_reply_text_hold(229, 9), 0);
	ck_assert_uint_eq(ftp_reply_text_hold(211, 9), 9);
}
END_TEST

/* --- writing --- */

static void writes(const struct ftp_offer *offer, const char *endpoint, const char *want)
{
	struct endpoint e = packet_endpoint(endpoint);
	uint8_t *buf = guard_copy(NULL, FTP_OFFER_MAX);
	size_t n = ftp_offer_text(offer, &e, buf);

	ck_assert_uint_eq(n, strlen(want));
	ck_assert_mem_eq(buf, want, n);
	guard_free(buf, FTP_OFFER_MAX);
}

START_TEST(an_offer_is_written_in_its_form)
{
	static const struct ftp_offer six = {.form = FTP_FORM_SIX}, port = {.form = FTP_FORM_PORT},
				      bar = {.form = FTP_FORM_EPRT, .delimiter = '|'},
				      comma = {.form = FTP_FORM_EPRT, .delimiter = ','};

	writes(&six, "203.0.113.1:50000", "203,0,113,1,195,80");
	writes(&six, "255.255.255.255:65535", "255,255,255,255,255,255");
	writes(&six, "0.0.0.0:0", "0,0,0,0,0,0");
	writes(&six, "10.20.100.9:1034", "10,20,100,9,4,10");
	writes(&port, "203.0.113.1:50000", "50000");
	writes(&port, "203.0.113.1:1024", "1024");
	writes(&port, "[2001:db8::1]:65535", "65535");
	writes(&port, "203.0.113.1:10000", "10000");
	writes(&bar, "203.0.113.1:50000", "1|203.0.113.1|50000");
	writes(&bar, "255.255.255.255:65535", "1|255.255.255.255|65535");
	writes(&bar, "[2001:db8:0:0:0:0:0:1]:1024", "2|2001:db8::1|1024");
	writes(&bar, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
		"2|1111:2222:3333:4444:5555:6666:7777:8888|65535");
	writes(&comma, "203.0.113.1:50000", "1,203.0.113.1,50000");
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_227_is_read_where_six_numbers_fit_first,
		a_227_without_six_numbers_announces_nothing,
		a_229_is_read_with_any_delimiter,
		a_229_may_have_an_address,
		port_above_65535_is_refused,
		a_229_without_its_form_announces_nothing,
		other_replies_announce_nothing,
		codes_from_100_to_599_are_read,
		a_minus_behind_the_code_means_more_lines,
		a_code_may_be_all,
		a_line_without_a_code_is_refused,
		a_line_may_end_anywhere,
		a_begun_announcement_is_held_from_its_first_digit,
		a_begun_229_is_held_from_its_first_digit,
		a_227_or_229_is_held_from_its_code_on,
		nothing_is_held_of_other_replies,
		text_of_a_227_or_229_is_read_from_its_beginning,
		text_of_other_replies_offers_nothing,
		begun_text_of_a_227_is_held,
		an_offer_is_written_in_its_form,
	};

	return unit_run("ftp", test, ARRAY_SIZE(test));
}
