/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.c - what the lines of a control connection mean for it
 *
 * A line of the client is a command that awaits its reply; which one a reply answers, and what it
 * does, is decided by the table of outstanding.c. Here that is carried out.
 *
 * Login. A new session awaits its greeting, also if commands came before that: a 220 answers the
 * connection, REIN or HOST, and then nobody is logged in. A success for USER, PASS or ACCT logs in.
 * A 331 says that a password is needed: the login before it, if there was one, has been flushed.
 * Where a server may count commands in another way than we do, as it ends lines elsewhere or as
 * some are not known to us, a success may be the reply to something else, unless it says that
 * somebody is logged in (230, 232).
 *
 * Offers. A 227 or 229 needs its PASV or EPSV, a login, and a place in its own reply; in a multi-
 * line one that is any line. A reply that quotes the name of a file can have lines that look like
 * replies, "227 ..." among them; so a PASV is not paired that was sent while such a reply was
 * outstanding. Not done here: a client that takes such a reply up to a quoted "226 ..." line, sends
 * PASV, and takes the rest then, looks like one that was answered.
 *
 * Multi-line replies end with their code and a space. Some servers end them with another code, some
 * never. A client that goes on while nothing else is outstanding has seen the end: then the reply
 * is over here, too, if it had a line that looked like the last one of another, or else ends with
 * the first such line.
 */
#include "pasvd/session.h"

#include "outstanding.h"

static const struct session_news nothing = {.event = SESSION_NOTHING};

static struct session_news session_news(enum session_event event)
{
	return (struct session_news){.event = event};
}

static struct session_news session_on_refusal(enum reason reason)
{
	return (struct session_news){.event = SESSION_REFUSED, .reason = reason};
}

static bool is_trusted(const struct session *s)
{
	return s->logged_in && !s->distrusted;
}

static struct session_news session_refused_offer(enum reason reason, const struct ftp_offer *offer)
{
	return (struct session_news){.event = SESSION_REFUSED, .reason = reason, .offer = *offer};
}

static struct session_news session_offered(const struct session *s, const struct ftp_offer *offer)
{
	if (s->distrusted)
		return session_refused_offer(REASON_NOT_FTP, offer);
	if (!s->logged_in)
		return session_refused_offer(REASON_NOT_LOGGED_IN, offer);
	return (struct session_news){.event = SESSION_OFFER, .offer = *offer};
}

/* --- commands --- */

/* All servers take the line for one command: it ends with CR LF, and has none of the characters at
 * which some end lines or skip bytes. */
static bool is_plain(const uint8_t *p, size_t n)
{
	if (n < 2 || p[n - 2] != '\r' || p[n - 1] != '\n')
		return false;
	for (size_t i = 0; i < n - 2; i++) {
		if (p[i] < ' ' || p[i] == FTP_TELNET_IAC)
			return false;
	}
	return true;
}

static bool session_is_active(unsigned verb)
{
	return verb == FTP_PORT || verb == FTP_EPRT;
}

/* The client goes on: see "Doubt" in outstanding.c and "Multi-line replies" above. */
static void session_go_on(struct session *s)
{
	const struct session_command *last = outstanding_last(s);

	s->lost = s->begins_tls = false;
	if (last && last->flags & DOUBTFUL)
		s->n--;
	if (s->n)
		return;
	if (s->may_have_end)
		s->multi = 0;
	s->went_on = s->multi;
}

/* One offer at a time: a PORT is not tried while another one awaits its reply, so of a segment one
 * at most. */
static struct session_news session_command_offers(
	struct session *s, const struct ftp_command *command)
{
	struct session_news news;

	if (!command->offers)
		return session_on_refusal(REASON_UNREADABLE);
	news = session_offered(s, &command->offer);
	if (news.event != SESSION_OFFER)
		return news;
	if (outstanding_have(s, OFFERED) || s->flooded)
		return session_on_refusal(REASON_TOO_MANY);
	outstanding_last(s)->flags |= OFFERED;
	return news;
}

static struct session_news session_command_news(
	struct session *s, const struct ftp_command *command)
{
	if (session_is_active(command->verb))
		return session_command_offers(s, command);
	if (command->verb == FTP_LONG)
		return (struct session_news){.event = SESSION_MASKED, .offer.at = command->at};
	if (command->verb == FTP_AUTH)
		return (struct session_news){.event = SESSION_AUTH, .offer.at = command->at};
	return nothing;
}

struct session_news session_command(struct session *s, const uint8_t *p, size_t n)
{
	struct session_news news;
	struct ftp_command command;
	bool overflow;

	ftp_command(p, n, &command);
	s->distrusted |= command.verb != FTP_EMPTY && !ftp_is_command(p, n);
	s->miscounted |= !is_plain(p, n);
	session_go_on(s);
	overflow = outstanding_add(s, command.verb, outstanding_flags_of(s, command.verb));
	news = session_command_news(s, &command);
	news.overflow = overflow;
	return news;
}

void session_command_begins(struct session *s, uint8_t first)
{
	const uint8_t line[] = {first, '\n'};
	bool may_be_one =
		first == FTP_TELNET_IAC || first == '\r' || ftp_is_command(line, sizeof(line));

	s->distrusted |= !may_be_one && !s->begins_tls;
}

void session_opened(struct session *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->command[i].flags &= (uint8_t)~HAS_PORT;
	if (s->n)
		outstanding_last(s)->flags |= HAS_PORT;
}

/* --- replies --- */

static struct session_news session_log_out(struct session *s)
{
	bool was = s->logged_in;

	s->logged_in = false;
	return session_news(was ? SESSION_CLOSED : SESSION_NOTHING);
}

static struct session_news session_take_effect(
	struct session *s, enum effect effect, unsigned flags)
{
	switch (effect) {
	case IN:
		s->logged_in = true;
		break;
	case LATE:
		s->logged_in |= s->lost;
		break;
	case OUT:
		return session_log_out(s);
	case PAIR:
		s->paired = !(flags & UNPAIRED);
		break;
	case DENY:
		return session_news(flags & HAS_PORT ? SESSION_DENIED : SESSION_NOTHING);
	case TLS:
		s->secures = true;
		break;
	case ASK:
		s->begins_tls = true;
		break;
	case SOON:
		return session_news(s->lost ? SESSION_AGREED : SESSION_NOTHING);
	case SHUT:
		return session_news(SESSION_CLOSED);
	case NAME:
		outstanding_quote(s);
		break;
	case NONE:
	case WAIT:
	case TAKE:
	case MISS:
	case LONE:
		break;
	}
	return nothing;
}

/* The first line of a reply. */
static struct session_news session_on_first_line(struct session *s, uint16_t code)
{
	enum heard heard = reply_heard(code);
	struct session_command taken = {CONNECTION, 0, 0};
	struct session_news news;
	enum effect effect;

	s->paired = s->secures = s->quotes = s->may_have_end = s->went_on = false;
	s->announced = s->flooded = false;
	if (s->greeted || outstanding_effects[CONNECTION][heard] == NONE)
		taken = outstanding_answered(s, heard);
	outstanding_doubt(s, &taken, heard);
	effect = outstanding_effects[taken.verb][heard];
	if (effect == IN && heard != HEARD_LOGGED_IN && s->miscounted)
		effect = TAKE;
	news = session_take_effect(s, effect, taken.flags);
	s->greeted |= heard != HEARD_PRELIMINARY;
	if (heard != HEARD_PRELIMINARY && heard != HEARD_PASSWORD)
		s->lost = effect == MISS;
	return news;
}

static bool announces_by_code(uint16_t code)
{
	return reply_heard(code) == HEARD_PASSIVE;
}

/* A line of a reply that announces by its code; `last` if it is the reply's last. */
static struct session_news session_offer(
	struct session *s, const struct ftp_offer *offer, bool last)
{
	if (!offer && (!last || s->announced))
		return nothing;
	if (offer && (!s->paired || s->announced))
		return session_refused_offer(REASON_UNPAIRED, offer);
	if (!offer)
		return session_on_refusal(s->paired ? REASON_UNREADABLE : REASON_UNPAIRED);
	s->announced = true;
	return session_offered(s, offer);
}

/* A line inside a multi-line reply that does not end it. */
static struct session_news session_on_text(struct session *s, const uint8_t *p, size_t n)
{
	struct ftp_offer offer;
	struct ftp_reply reply;

	if (announces_by_code(s->multi))
		return session_offer(
			s, ftp_reply_text(s->multi, p, n, &offer) ? &offer : NULL, false);
	return ftp_reply(p, n, &reply) == 0 && reply.offers ? session_on_refusal(REASON_UNPAIRED)
							    : nothing;
}

/* A line of the open multi-line reply that ends none, or another one. */
static bool session_is_text(struct session *s, bool is_reply, const struct ftp_reply *reply)
{
	if (!s->multi || (is_reply && reply->code == s->multi))
		return false;
	if (!is_reply || reply->more)
		return true;
	s->may_have_end = true;
	if (s->went_on)
		s->multi = 0;
	return s->multi;
}

struct session_news session_reply(struct session *s, const uint8_t *p, size_t n)
{
	struct session_news news = nothing;
	struct ftp_reply reply;
	bool is_reply = ftp_reply(p, n, &reply) == 0;

	if (session_is_text(s, is_reply, &reply))
		return session_on_text(s, p, n);
	if (!is_reply)
		return nothing;
	if (!s->multi)
		news = session_on_first_line(s, reply.code);
	s->multi = reply.more ? reply.code : 0;
	if (s->secures && !reply.more)
		return session_news(SESSION_SECURED);
	if (!announces_by_code(reply.code))
		return news;
	return session_offer(s, reply.offers ? &reply.offer : NULL, !reply.more);
}

/* A line of text, of whatever reply. */
static bool may_announce(const uint8_t *p, size_t n, struct ftp_offer *ret_offer)
{
	return ftp_reply_text(FTP_ENTERING_PASSIVE, p, n, ret_offer) ||
	       ftp_reply_text(FTP_ENTERING_EXTENDED_PASSIVE, p, n, ret_offer);
}

struct session_news session_partial_reply(struct session *s, const uint8_t *p, size_t n)
{
	struct session then = *s;
	struct session_news news = session_reply(&then, p, n);
	struct ftp_offer offer;

	if (then.multi && announces_by_code(then.multi)) {
		s->multi = then.multi;
		s->announced = true;
	} else if (!news.offer.len && may_announce(p, n, &offer)) {
		return session_refused_offer(REASON_UNPAIRED, &offer);
	}
	return news;
}

/* --- what was missed --- */

void session_start(struct session *s, bool logged_in, bool distrusted)
{
	*s = (struct session){
		.logged_in = logged_in, .distrusted = distrusted, .lost = true, .miscounted = true};
}

void session_lost(struct session *s)
{
	bool greeted = s->greeted, begins_tls = s->begins_tls;

	session_start(s, s->logged_in, s->distrusted);
	s->greeted = greeted;
	s->begins_tls = begins_tls;
}

void session_missed_reply(struct session *s)
{
	s->logged_in &= !outstanding_may_quote(s);
}

/* --- holding --- */

/* Nothing is held before the server has replied: the stream may not be FTP at all. */
size_t session_command_hold(const struct session *s, const uint8_t *p, size_t n)
{
	size_t word = n;

	if (s->greeted && !s->distrusted)
		word = ftp_word_hold(p, n);
	return word < n || !is_trusted(s) ? word : ftp_command_hold(p, n);
}

size_t session_reply_hold(const struct session *s, const uint8_t *p, size_t n)
{
	struct session then = *s;
	struct ftp_reply reply;
	bool is_reply = ftp_reply(p, n, &reply) == 0;

	if (!is_trusted(s))
		return n;
	if (session_is_text(&then, is_reply, &reply))
		return s->paired && !s->announced ? ftp_reply_text_hold(s->multi, n) : n;
	if (!is_reply)
		return n;
	if (!then.multi)
		session_on_first_line(&then, reply.code);
	return then.paired && !then.announced ? ftp_reply_hold(p, n) : n;
}
