/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ftp.c - one line of an FTP control connection
 *
 * Two tables: commands by verb, announcing replies by code. The readers under them are given bytes and their
 * number and answer in the manner of a picoparser: the bytes consumed, BAD, or PARTIAL where the bytes end
 * before they could tell. A whole line ends with LF, which no reader consumes, so PARTIAL is seen only with a
 * line that is still coming: the same code finds what has to be held back. Not done here: PORT, EPRT, LPSV,
 * Telnet commands.
 */
#include "pasvd/ftp.h"

#include <string.h>

enum { BAD = -1, PARTIAL = -2 };

enum {
	VERB_LEN = 4,
	CODE_LEN = 3,
	TEXT_AT = 4, /* behind "227 " */
	SPACES_MAX = 4,
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_eol(uint8_t c)
{
	return c == '\r' || c == '\n';
}

/* A decimal number of at most `digits` digits, not over `max`. */
static int read_number(const uint8_t *p, size_t n, int digits, uint32_t max, uint16_t *ret_number)
{
	uint32_t value = 0;
	int i = 0;

	for (; (size_t)i < n && is_digit(p[i]); i++) {
		value = value * 10 + (uint32_t)(p[i] - '0');
		if (i == digits || value > max)
			return BAD;
	}
	if ((size_t)i == n)
		return PARTIAL;
	if (i == 0)
		return BAD;
	*ret_number = (uint16_t)value;
	return i;
}

/* A comma and the spaces behind it. */
static int read_comma(const uint8_t *p, size_t n)
{
	int i = 1;

	if (n == 0)
		return PARTIAL;
	if (p[0] != ',')
		return BAD;
	while ((size_t)i < n && p[i] == ' ' && i <= SPACES_MAX)
		i++;
	return (size_t)i == n ? PARTIAL : i;
}

/* Six numbers 0..255 with commas between them. */
static int read_six(const uint8_t *p, size_t n, uint8_t *ret_six)
{
	int at = 0;

	for (int i = 0; i < 6; i++) {
		uint16_t number = 0;
		int used = i ? read_comma(p + at, n - (size_t)at) : 0;

		if (used < 0)
			return used;
		at += used;
		used = read_number(p + at, n - (size_t)at, 3, UINT8_MAX, &number);
		if (used < 0)
			return used;
		at += used;
		ret_six[i] = (uint8_t)number;
	}
	return at;
}

/* "192,168,1,2,195,80" at `at`, not in the middle of a number. */
static int read_227(const uint8_t *p, size_t n, size_t at, struct ftp_reply *reply)
{
	uint8_t six[6];
	int used = is_digit(p[at - 1]) ? BAD : read_six(p + at, n - at, six);

	if (used < 0)
		return used;
	reply->listen = (struct endpoint){addr_ip4(six), (uint16_t)(six[4] << 8 | six[5])};
	reply->span = (struct ftp_span){(uint16_t)at, (uint16_t)used};
	return used;
}

/* "(|||" with any printable delimiter that is not a digit. */
static int read_229_open(const uint8_t *p, size_t n)
{
	if (p[0] != '(' || (n > 1 && (p[1] < 33 || p[1] > 126 || is_digit(p[1]))))
		return BAD;
	for (size_t i = 2; i < n && i < 4; i++) {
		if (p[i] != p[1])
			return BAD;
	}
	return n < 4 ? PARTIAL : 4;
}

/* "(|||50000|" at `at`. */
static int read_229(const uint8_t *p, size_t n, size_t at, struct ftp_reply *reply)
{
	int open = read_229_open(p + at, n - at), used;
	const uint8_t *digits = p + at + 4;
	uint16_t port = 0;

	if (open < 0)
		return open;
	used = read_number(digits, n - at - 4, 5, UINT16_MAX, &port);
	if (used < 0)
		return used;
	if (digits[used] != p[at + 1])
		return BAD;
	reply->listen = (struct endpoint){.port = port};
	reply->span = (struct ftp_span){(uint16_t)(at + 4), (uint16_t)used};
	return open + used + 1;
}

static const struct announcing {
	uint16_t code;
	int (*read)(const uint8_t *p, size_t n, size_t at, struct ftp_reply *reply);
} announcing[] = {
	{FTP_ENTERING_PASSIVE, read_227},
	{FTP_ENTERING_EXTENDED_PASSIVE, read_229},
};

/* The first place in the reply's text where its announcement fits, or has begun: consumed, BAD or PARTIAL. */
static int find_announcement(const uint8_t *p, size_t n, struct ftp_reply *reply, size_t *ret_at)
{
	for (size_t i = 0; i < sizeof announcing / sizeof announcing[0]; i++) {
		if (announcing[i].code != reply->code)
			continue;
		for (size_t at = TEXT_AT; at < n; at++) {
			int used = announcing[i].read(p, n, at, reply);

			if (used != BAD) {
				*ret_at = at;
				return used;
			}
		}
	}
	return BAD;
}

/* 0 if the line begins with a reply code and what may stand behind it. */
static int read_code(const uint8_t *p, size_t n, struct ftp_reply *reply)
{
	if (n <= CODE_LEN || p[0] < '1' || p[0] > '5' || !is_digit(p[1]) || !is_digit(p[2]))
		return BAD;
	if (p[CODE_LEN] != ' ' && p[CODE_LEN] != '-' && !is_eol(p[CODE_LEN]))
		return BAD;
	reply->code = (uint16_t)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
	reply->more = p[CODE_LEN] == '-';
	return 0;
}

int ftp_reply(const uint8_t *p, size_t n, struct ftp_reply *ret_reply)
{
	struct ftp_reply reply = {0};
	size_t at = 0;

	if (read_code(p, n, &reply) < 0)
		return -1;
	reply.announces = find_announcement(p, n, &reply, &at) > 0;
	*ret_reply = reply;
	return 0;
}

size_t ftp_hold(const uint8_t *p, size_t n)
{
	struct ftp_reply reply = {0};
	size_t at = n;

	if (read_code(p, n, &reply) == 0)
		find_announcement(p, n, &reply, &at);
	return at;
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* True if the `n` bytes at `p` begin with the word, in any case, and it ends there. */
static bool is_word(const uint8_t *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	if (n <= len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (upper(p[i]) != (uint8_t)word[i])
			return false;
	}
	return p[len] == ' ' || is_eol(p[len]);
}

static const struct {
	char word[VERB_LEN + 1];
	enum ftp_verb verb;
} verbs[] = {
	{"PASV", FTP_PASV},
	{"EPSV", FTP_EPSV},
};

enum ftp_verb ftp_command(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (!is_word(p, n, verbs[i].word))
			continue;
		/* RFC 2428 section 4: EPSV ALL announces nothing, it is answered with 200. */
		return is_word(p + VERB_LEN + 1, n - VERB_LEN - 1, "ALL") ? FTP_OTHER : verbs[i].verb;
	}
	return FTP_OTHER;
}

static size_t announce_227(const struct endpoint *e, uint8_t *buf)
{
	size_t n = addr_ip4_text(&e->addr, ',', buf);

	buf[n++] = ',';
	n += decimal_text(e->port >> 8, buf + n);
	buf[n++] = ',';
	return n + decimal_text(e->port & 255, buf + n);
}

size_t ftp_announce(uint16_t code, const struct endpoint *e, uint8_t *buf)
{
	return code == FTP_ENTERING_PASSIVE ? announce_227(e, buf) : decimal_text(e->port, buf);
}
