/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strict.c - lines that RFC 959 does not have
 *
 * A table of checks, each a question about one line. Of a line that is too long the first
 * LINE_MAX_LEN bytes are known, and it is judged once, when it becomes too long.
 *
 * Of Cisco's list "truncated command" and "invalid port" are bad-offer here. Not done: edited
 * streams (it would take a copy of all that was sent), hiding the reply to SYST (the greeting shows
 * as much), and lists of forbidden commands, file names and users (the server's own configuration).
 */
#include "pasvd/strict.h"
#include "pasvd/array.h"

enum { DEL = 0x7f, REPLY_TEXT = 4 /* after "227 " */ };

/* What a check is given. */
struct question {
	const struct session *session;
	enum dir dir;
	const struct line *line;
};

/* Bytes of the line without its end, as far as they are known. */
static size_t strict_text_len(const struct line *l)
{
	size_t n = l->len;

	if (n && l->buf[n - 1] == '\n')
		n--;
	if (n && l->buf[n - 1] == '\r')
		n--;
	return n;
}

static bool is_reply(const uint8_t *p, size_t n)
{
	struct ftp_reply reply;

	return ftp_reply(p, n, &reply) == 0;
}

static bool is_spoofed_reply(const struct question *q)
{
	const struct line *l = q->line;
	size_t at = ftp_telnet(l->buf, l->len);

	return q->dir == DIR_ORIGINAL && is_reply(l->buf + at, l->len - at);
}

static bool is_about_ports(unsigned verb)
{
	return verb == FTP_PASV || verb == FTP_EPSV || verb == FTP_PORT || verb == FTP_EPRT ||
	       verb == FTP_LONG;
}

static bool is_spoofed_command(const struct question *q)
{
	struct ftp_command command;

	if (q->dir == DIR_ORIGINAL || q->session->multi)
		return false;
	ftp_command(q->line->buf, q->line->len, &command);
	return is_about_ports(command.verb);
}

/* RFC 959 section 4.1.3: these may come while another command is under way. */
static bool is_urgent(const struct line *l)
{
	return ftp_telnet(l->buf, l->len) || ftp_is_word(l->buf, l->len, "ABOR") ||
	       ftp_is_word(l->buf, l->len, "STAT") || ftp_is_word(l->buf, l->len, "QUIT");
}

static bool is_pipelined(const struct question *q)
{
	return q->dir == DIR_ORIGINAL && strict_text_len(q->line) && !is_urgent(q->line) &&
	       session_negotiates(q->session);
}

static bool is_long_line(const struct question *q)
{
	return q->line->overlong;
}

/* Bytes from 128 on are names in UTF-8, and Telnet commands. In a reply, only what could pass for a
 * line's end counts. */
static bool is_control(uint8_t c, enum dir dir)
{
	return dir == DIR_ORIGINAL ? (c < ' ' && c != '\t') || c == DEL : !c || c == '\r';
}

static bool is_unprintable(const struct question *q)
{
	size_t n = strict_text_len(q->line);

	for (size_t i = 0; i < n; i++) {
		if (is_control(q->line->buf[i], q->dir))
			return true;
	}
	return false;
}

/* The end of a line that is too long is not known; an empty one is no command. */
static bool is_bare_lf(const struct question *q)
{
	const struct line *l = q->line;

	return q->dir == DIR_ORIGINAL && !l->overlong && l->len > 1 && l->buf[l->len - 2] != '\r';
}

static const struct {
	bool (*is_violated)(const struct question *q);
	enum reason reason;
} checks[] = {
	[STRICT_SPOOFED_REPLY] = {is_spoofed_reply, REASON_SPOOFED_REPLY},
	[STRICT_SPOOFED_COMMAND] = {is_spoofed_command, REASON_SPOOFED_COMMAND},
	[STRICT_PIPELINED] = {is_pipelined, REASON_PIPELINED},
	[STRICT_LONG_LINE] = {is_long_line, REASON_LONG_LINE},
	[STRICT_UNPRINTABLE] = {is_unprintable, REASON_UNPRINTABLE},
	[STRICT_BARE_LF] = {is_bare_lf, REASON_BARE_LF},
};

struct strict_ruling strict_line(const struct strict *strict, const struct session *session,
	enum dir dir, const struct line *l)
{
	struct strict_ruling ruling = {STRICT_PASS, REASON_PASSED, false};
	const struct question q = {session, dir, l};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (strict->outcome[i] > ruling.outcome && checks[i].is_violated(&q))
			ruling =
				(struct strict_ruling){strict->outcome[i], checks[i].reason, false};
	}
	return ruling;
}

struct strict_ruling strict_offer(const struct strict *strict, enum reason reason)
{
	static const bool is_bad[REASON_COUNT] = {
		[REASON_UNREADABLE] = true,
		[REASON_UNPAIRED] = true,
		[REASON_NOT_FTP] = true,
		[REASON_NOT_LOGGED_IN] = true,
		[REASON_FOREIGN_ADDRESS] = true,
		[REASON_LOW_PORT] = true,
		[REASON_DENIED_PORT] = true,
	};

	return (struct strict_ruling){
		is_bad[reason] ? strict->outcome[STRICT_BAD_OFFER] : STRICT_PASS, reason, true};
}

bool strict_refuses(const struct strict *strict)
{
	for (int i = 0; i < STRICT_CHECKS; i++) {
		if (strict->outcome[i] >= STRICT_MASK)
			return true;
	}
	return false;
}

/* One byte is left to the end of a line that is too long: it may be CR. */
static size_t strict_text_end(const struct line *l)
{
	size_t n = l->next - l->start;

	if (!l->overlong)
		return strict_text_len(l);
	return l->whole ? n - 2 : n;
}

/* The first place from `at` on of a blank, or of none. */
static size_t strict_find_byte(const struct line *l, size_t at, bool blank)
{
	while (at < strict_text_len(l) && (l->buf[at] == ' ') != blank)
		at++;
	return at;
}

static size_t strict_find_digit(const struct line *l, size_t at)
{
	while (at < strict_text_len(l) && (l->buf[at] < '0' || l->buf[at] > '9'))
		at++;
	return at;
}

static bool strict_is_active(const struct line *l)
{
	struct ftp_command command;

	ftp_command(l->buf, l->len, &command);
	return command.verb == FTP_PORT || command.verb == FTP_EPRT;
}

struct strict_span strict_span(enum dir dir, const struct line *l, bool offers)
{
	bool replies = dir == DIR_REPLY && is_reply(l->buf, l->len);
	size_t from = dir == DIR_ORIGINAL ? ftp_telnet(l->buf, l->len) : 0, last;

	if (replies)
		from = last = strict_text_len(l) < REPLY_TEXT ? strict_text_len(l) : REPLY_TEXT;
	else
		last = strict_find_byte(l, strict_find_byte(l, from, false), true) - 1;
	if (offers || (!replies && strict_is_active(l)))
		last = strict_find_digit(l, from);
	return (struct strict_span){from, last, strict_text_end(l)};
}
