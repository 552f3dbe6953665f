/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.c - which reply answers which command
 *
 * Commands queue up, each final reply (2xx to 5xx) takes the oldest away. The queue forgives: peers
 * disagree on what ABOR, STAT during a transfer or an empty line are answered, so a 227 or 229
 * takes away everything up to the PASV or EPSV it can answer, and a success that is neither does
 * not take away one that nothing follows. What an announcement needs: that pairing, a login, and a
 * place in its own reply; in a multi-line one that is any line.
 */
#include "pasvd/session.h"

#include <string.h>

enum {
	REPLY_FINAL = 200,
	REPLY_FAILED = 400,
	REPLY_READY = 220, /* greeting, and the answer to REIN */
	REPLY_CLOSING = 221,
	REPLY_LOGGED_IN = 230,
	REPLY_LOGGED_IN_SECURE = 232, /* RFC 2228 */
	REPLY_SECURED = 234,          /* RFC 4217 section 4 */
};

static const struct session_news nothing = {.event = SESSION_NOTHING};

static struct session_news session_news(enum session_event event)
{
	return (struct session_news){.event = event};
}

static struct session_news session_on_refusal(enum reason reason)
{
	return (struct session_news){.event = SESSION_REFUSED, .reason = reason};
}

static struct session_news session_refused_offer(enum reason reason, const struct ftp_offer *offer)
{
	return (struct session_news){.event = SESSION_REFUSED, .reason = reason, .offer = *offer};
}

static struct session_news session_offered(const struct session *s, const struct ftp_offer *offer)
{
	if (s->alien)
		return session_refused_offer(REASON_NOT_FTP, offer);
	if (s->greeted)
		return session_refused_offer(REASON_NOT_LOGGED_IN, offer);
	return (struct session_news){.event = SESSION_OFFER, .offer = *offer};
}

static void session_commands_drop(struct session *s, size_t count)
{
	s->n = (uint8_t)(s->n - count);
	memmove(s->verb, s->verb + count, s->n);
}

static bool is_passive(uint8_t verb)
{
	return verb == FTP_PASV || verb == FTP_EPSV;
}

static bool session_is_active(uint8_t verb)
{
	return verb == FTP_PORT || verb == FTP_EPRT;
}

static bool is_auth(uint8_t verb)
{
	return verb == FTP_AUTH;
}

/* Takes away the oldest command of a kind together with those before it. False: there is none. */
static bool session_answer_oldest(struct session *s, bool (*is_kind)(uint8_t verb))
{
	size_t i = 0;

	while (i < s->n && !is_kind(s->verb[i]))
		i++;
	if (i == s->n)
		return false;
	session_commands_drop(s, i + 1);
	return true;
}

static bool announces_by_code(uint16_t code)
{
	return code == FTP_ENTERING_PASSIVE || code == FTP_ENTERING_EXTENDED_PASSIVE;
}

static bool is_empty(const uint8_t *p)
{
	return p[0] == '\r' || p[0] == '\n';
}

struct session_news session_command(struct session *s, const uint8_t *p, size_t n)
{
	struct ftp_command command;

	if (is_empty(p))
		return nothing;
	s->alien |= !ftp_is_command(p, n);
	ftp_command(p, n, &command);
	if (s->n == SESSION_COMMANDS) /* nothing can be paired any more */
		s->n = 0;
	s->verb[s->n++] = (uint8_t)command.verb;
	if (command.verb == FTP_LONG)
		return (struct session_news){.event = SESSION_MASKED, .offer.at = command.at};
	if (command.verb == FTP_AUTH)
		return (struct session_news){.event = SESSION_AUTH, .offer.at = command.at};
	if (!session_is_active((uint8_t)command.verb))
		return nothing;
	return command.offers ? session_offered(s, &command.offer)
			      : session_on_refusal(REASON_UNREADABLE);
}

static bool any_active(const struct session *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (session_is_active(s->verb[i]))
			return true;
	}
	return false;
}

/* Takes away what any other final reply answers. The last of several PORTs is the one that
 * counts. */
static struct session_news session_answer_other(struct session *s, uint16_t code)
{
	bool failed = code >= REPLY_FAILED;
	uint8_t verb = s->n ? s->verb[0] : (uint8_t)FTP_OTHER;

	if (s->n > 1 || (s->n && (failed || !is_passive(verb))))
		session_commands_drop(s, 1);
	if (failed && session_is_active(verb) && !any_active(s))
		return session_news(SESSION_DENIED);
	return session_news(code == REPLY_CLOSING ? SESSION_CLOSED : SESSION_NOTHING);
}

static void session_on_login(struct session *s, uint16_t code)
{
	if (code == REPLY_READY)
		s->greeted = true;
	else if (code == REPLY_LOGGED_IN || code == REPLY_LOGGED_IN_SECURE)
		s->greeted = false;
}

/* The first line of a reply. */
static struct session_news session_on_preliminary(struct session *s, uint16_t code)
{
	s->paired = false;
	session_on_login(s, code);
	if (code < REPLY_FINAL || code == REPLY_SECURED)
		return nothing;
	if (!announces_by_code(code))
		return session_answer_other(s, code);
	s->paired = session_answer_oldest(s, is_passive);
	return nothing;
}

/* A line of a reply that announces by its code; `last` if it is the reply's last. */
static struct session_news session_offer(
	struct session *s, const struct ftp_offer *offer, bool last)
{
	if (offer) {
		if (!s->paired)
			return session_refused_offer(REASON_UNPAIRED, offer);
		s->paired = false;
		return session_offered(s, offer);
	}
	return s->paired && last ? session_on_refusal(REASON_UNREADABLE) : nothing;
}

/* A line inside a multi-line reply that does not end it. */
static struct session_news session_on_data(struct session *s, const uint8_t *p, size_t n)
{
	struct ftp_offer offer;
	struct ftp_reply reply;

	if (announces_by_code(s->multi))
		return session_offer(
			s, ftp_reply_text(s->multi, p, n, &offer) ? &offer : NULL, false);
	return ftp_reply(p, n, &reply) == 0 && reply.offers ? session_on_refusal(REASON_UNPAIRED)
							    : nothing;
}

struct session_news session_reply(struct session *s, const uint8_t *p, size_t n)
{
	struct session_news news = nothing;
	struct ftp_reply reply;
	bool is_reply = ftp_reply(p, n, &reply) == 0;

	if (s->multi && (!is_reply || reply.code != s->multi))
		return session_on_data(s, p, n);
	if (!is_reply)
		return nothing;
	if (!s->multi)
		news = session_on_preliminary(s, reply.code);
	s->multi = reply.more ? reply.code : 0;
	if (reply.code == REPLY_SECURED && !reply.more && session_answer_oldest(s, is_auth))
		return session_news(SESSION_SECURED);
	if (!announces_by_code(reply.code))
		return news;
	return session_offer(s, reply.offers ? &reply.offer : NULL, !reply.more);
}

void session_lost(struct session *s)
{
	s->n = 0;
	s->multi = 0;
	s->paired = false;
}

size_t session_command_hold(const struct session *s, const uint8_t *p, size_t n)
{
	size_t word = ftp_word_hold(p, n);

	return s->greeted || word < n ? word : ftp_command_hold(p, n);
}

size_t session_reply_hold(const struct session *s, const uint8_t *p, size_t n)
{
	struct session then = *s;
	struct ftp_reply reply;
	bool is_reply = ftp_reply(p, n, &reply) == 0;

	if (s->greeted)
		return n;
	if (s->multi && (!is_reply || reply.code != s->multi))
		return s->paired ? ftp_reply_text_hold(s->multi, n) : n;
	if (!is_reply)
		return n;
	if (!s->multi)
		session_on_preliminary(&then, reply.code);
	return then.paired ? ftp_reply_hold(p, n) : n;
}
