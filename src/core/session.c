/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.c - which reply answers which command
 *
 * Commands queue up, each final reply (2xx to 5xx) takes the oldest away. The queue forgives: peers disagree
 * on what ABOR, STAT during a transfer or an empty line are answered, so a 227 or 229 takes away everything
 * up to the PASV or EPSV it can answer, and a success that is neither is never taken for the answer to one.
 * What an announcement needs: that pairing, a login, and a place on a line of its own reply.
 */
#include "pasvd/session.h"

#include <string.h>

enum {
	REPLY_FINAL = 200,
	REPLY_FAILED = 400,
	REPLY_READY = 220, /* greeting, and the answer to REIN */
	REPLY_LOGGED_IN = 230,
	REPLY_LOGGED_IN_SECURE = 232, /* RFC 2228 */
};

static void commands_drop(struct session *s, size_t count)
{
	s->n = (uint8_t)(s->n - count);
	memmove(s->verb, s->verb + count, s->n);
}

/* Index of the oldest command that a 227 or 229 can answer, s->n if there is none. */
static size_t oldest_passive(const struct session *s)
{
	size_t i = 0;

	while (i < s->n && s->verb[i] == FTP_OTHER)
		i++;
	return i;
}

static bool announces_by_code(uint16_t code)
{
	return code == FTP_ENTERING_PASSIVE || code == FTP_ENTERING_EXTENDED_PASSIVE;
}

void session_command(struct session *s, const uint8_t *p, size_t n)
{
	if (p[0] == '\r' || p[0] == '\n')
		return;
	if (s->n == SESSION_COMMANDS)
		commands_drop(s, 1);
	s->verb[s->n++] = (uint8_t)ftp_command(p, n);
}

/* Takes away what the reply answers. */
static void answer(struct session *s, uint16_t code)
{
	size_t passive = oldest_passive(s);

	s->paired = false;
	if (code < REPLY_FINAL)
		return;
	if (announces_by_code(code)) {
		s->paired = passive < s->n;
		if (s->paired)
			commands_drop(s, passive + 1);
	} else if (s->n && (passive || code >= REPLY_FAILED)) {
		commands_drop(s, 1);
	}
}

static void login(struct session *s, uint16_t code)
{
	if (code == REPLY_READY)
		s->greeted = true;
	else if (code == REPLY_LOGGED_IN || code == REPLY_LOGGED_IN_SECURE)
		s->greeted = false;
}

/* Keeps track of where replies begin and end. */
static void track(struct session *s, const struct ftp_reply *reply)
{
	if (!s->multi) {
		answer(s, reply->code);
		login(s, reply->code);
	}
	s->multi = reply->more ? reply->code : 0;
}

/* Judges a line of a reply that announces by its code. */
static enum reason judge(struct session *s, const struct ftp_reply *reply)
{
	if (!reply->announces)
		return s->paired && !s->multi ? REASON_UNREADABLE : REASON_PASSED;
	if (!s->paired)
		return REASON_UNPAIRED;
	s->paired = false;
	return s->greeted ? REASON_NOT_LOGGED_IN : REASON_OPENED;
}

enum reason session_reply(struct session *s, const uint8_t *p, size_t n, struct ftp_reply *ret_reply)
{
	struct ftp_reply reply;
	enum reason reason;

	if (ftp_reply(p, n, &reply) < 0)
		return REASON_PASSED;
	if (s->multi && s->multi != reply.code)
		return reply.announces ? REASON_UNPAIRED : REASON_PASSED;
	track(s, &reply);
	reason = announces_by_code(reply.code) ? judge(s, &reply) : REASON_PASSED;
	if (reason == REASON_OPENED)
		*ret_reply = reply;
	return reason;
}

size_t session_hold(const struct session *s, const uint8_t *p, size_t n)
{
	struct session then = *s;
	struct ftp_reply reply;

	if (ftp_reply(p, n, &reply) < 0 || (s->multi && s->multi != reply.code))
		return n;
	track(&then, &reply);
	return then.paired && !then.greeted ? ftp_hold(p, n) : n;
}
