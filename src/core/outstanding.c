/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outstanding.c - which command a reply answers
 *
 * Commands queue up until they are answered. The table below is RFC 959 section 5.4 (and RFC 2228,
 * 2428, 4217, 7151): a row for each kind of command, a column for each kind of reply, and in it
 * what that reply to that command does. Servers in the wild choose other codes than the RFC, answer
 * some commands twice, late or not at all; so the table only rules out what a reply cannot be, and
 * there is one rule for the rest:
 *
 *   A reply answers the first outstanding command that it can answer; those before it never got
 *   theirs. A reply that can answer none takes nothing away.
 *
 * So a fault costs at most one pairing: the next 227, 230, 150 or 226 finds its own command again.
 *
 * Doubt. A command sent during a transfer, or an empty line, may never be answered. If the reply at
 * hand answers such a one, or a 550 comes where a PASV is all that is left, then it may as well
 * have been the reply to the next command. Clients go on when they have their reply: so that
 * command is taken for answered when the client says something more.
 *
 * Limits. Equal commands are counted, so any number of them can be outstanding, and
 * SESSION_COMMANDS runs of different ones. When there are more, all are forgotten, and a port whose
 * PORT is among them is shut. What a segment can cost is bounded: one PORT or EPRT awaits its reply
 * at a time, and PASSIVE_MAX PASV or EPSV do; others are no offers.
 */
#include "outstanding.h"

#include <string.h>

/* The first that fits counts. */
static const struct {
	uint16_t low, high;
	enum heard heard;
} codes[] = {
	{100, 199, HEARD_PRELIMINARY},
	{220, 220, HEARD_READY},
	{221, 221, HEARD_CLOSING},
	{225, 226, HEARD_TRANSFERRED}, /* of a transfer, or ABOR */
	{FTP_ENTERING_PASSIVE, FTP_ENTERING_PASSIVE, HEARD_PASSIVE},
	{FTP_ENTERING_EXTENDED_PASSIVE, FTP_ENTERING_EXTENDED_PASSIVE, HEARD_PASSIVE},
	{230, 230, HEARD_LOGGED_IN},
	{232, 232, HEARD_LOGGED_IN}, /* RFC 2228 */
	{234, 234, HEARD_SECURED},   /* RFC 4217 section 4 */
	{200, 299, HEARD_DONE},
	{331, 331, HEARD_PASSWORD},
	{300, 399, HEARD_MORE},
	{426, 426, HEARD_TRANSFERRED}, /* cut off by ABOR */
	{450, 459, HEARD_FILE_FAILED}, /* RFC 959 section 4.2.1: x5x is about the file system */
	{550, 559, HEARD_FILE_FAILED},
	{400, 599, HEARD_FAILED},
};

/* clang-format off */
const uint8_t outstanding_effects[ROWS][HEARD_KINDS] = {
	/* Replies: each column is one of enum heard, in its order.
	 *               1xx  220  221  227  230  234  225  2xx  331  3xx  x5x  4xx
	 *                              229  232       226                      5xx
	 *                                             426 */
	[CONNECTION] = { WAIT, OUT,  NONE, NONE, IN,   NONE, NONE, NONE, NONE, NONE, NONE, NONE },
	[NO_COMMAND] = { NONE, NONE, SHUT, LONE, LATE, SOON, NONE, NONE, OUT,  NONE, NONE, NONE },
	[FTP_USER]   = { NONE, IN,   NONE, NONE, IN,   NONE, NONE, IN,   OUT,  OUT,  MISS, MISS },
	[FTP_PASS]   = { NONE, IN,   NONE, NONE, IN,   NONE, NONE, IN,   NONE, TAKE, MISS, MISS },
	[FTP_REIN]   = { WAIT, OUT,  OUT,  NONE, OUT,  NONE, NONE, OUT,  NONE, TAKE, TAKE, TAKE },
	[FTP_HOST]   = { WAIT, OUT,  NONE, NONE, NONE, NONE, NONE, OUT,  NONE, TAKE, TAKE, TAKE },
	[FTP_PASV]   = { NONE, NONE, NONE, PAIR, NONE, NONE, NONE, NONE, NONE, NONE, NONE, TAKE },
	[FTP_EPSV]   = { NONE, NONE, NONE, PAIR, NONE, NONE, NONE, NONE, NONE, NONE, NONE, TAKE },
	[FTP_PORT]   = { NONE, TAKE, NONE, NONE, NONE, NONE, NONE, TAKE, NONE, TAKE, DENY, DENY },
	[FTP_EPRT]   = { NONE, TAKE, NONE, NONE, NONE, NONE, NONE, TAKE, NONE, TAKE, DENY, DENY },
	[FTP_LONG]   = { NONE, TAKE, NONE, NONE, NONE, NONE, NONE, TAKE, NONE, TAKE, TAKE, TAKE },
	[FTP_AUTH]   = { NONE, TAKE, NONE, NONE, NONE, TLS,  NONE, ASK,  NONE, ASK,  TAKE, TAKE },
	[FTP_PLAIN]  = { NONE, TAKE, SHUT, NONE, NONE, NONE, NONE, TAKE, NONE, TAKE, TAKE, TAKE },
	[FTP_FILE]   = { WAIT, TAKE, NONE, NONE, NONE, NONE, TAKE, TAKE, NONE, TAKE, NAME, TAKE },
	[FTP_ABOR]   = { NONE, TAKE, NONE, NONE, NONE, NONE, TAKE, TAKE, NONE, TAKE, TAKE, TAKE },
	[FTP_OTHER]  = { WAIT, NAME, NONE, NONE, NONE, NONE, NAME, NAME, NONE, NAME, NAME, NAME },
	[FTP_EMPTY]  = { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, TAKE, TAKE },
};
/* clang-format on */

enum { PASSIVE_MAX = 4 }; /* PASV and EPSV outstanding that are paired */

static bool outstanding_is_passive(unsigned verb)
{
	return verb == FTP_PASV || verb == FTP_EPSV;
}

struct session_command *outstanding_last(struct session *s)
{
	return s->n ? &s->command[s->n - 1] : NULL;
}

bool outstanding_have(const struct session *s, unsigned flags)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->command[i].flags & flags)
			return true;
	}
	return false;
}

static void outstanding_drop(struct session *s, size_t runs)
{
	s->n = (uint8_t)(s->n - runs);
	memmove(s->command, s->command + runs, s->n * sizeof(s->command[0]));
}

static void outstanding_take_one(struct session *s)
{
	if (--s->command[0].count == 0)
		outstanding_drop(s, 1);
}

bool outstanding_add(struct session *s, unsigned verb, unsigned flags)
{
	struct session_command *last = outstanding_last(s);
	bool overflow = false;

	if (last && last->verb == verb && last->flags == flags && last->count < UINT8_MAX) {
		last->count++;
		return false;
	}
	if (s->n == SESSION_COMMANDS) {
		overflow = outstanding_have(s, HAS_PORT);
		s->flooded = s->miscounted = true;
		s->n = 0;
	}
	s->command[s->n++] = (struct session_command){(uint8_t)verb, (uint8_t)flags, 1};
	return overflow;
}

/* The passive commands that await their 227 or 229: each costs requests to the kernel, perhaps all
 * in one segment. */
static bool outstanding_too_many(const struct session *s)
{
	unsigned count = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (outstanding_is_passive(s->command[i].verb))
			count += s->command[i].count;
	}
	return count >= PASSIVE_MAX;
}

static bool outstanding_asked(const struct session *s, unsigned verb)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->command[i].verb == verb)
			return true;
	}
	return false;
}

/* Whether a reply that may quote a name is outstanding, or under way. */
static bool outstanding_names(const struct session *s)
{
	return outstanding_asked(s, FTP_OTHER) || (s->multi && s->quotes);
}

bool outstanding_may_quote(const struct session *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct session_command *c = &s->command[i];

		if (c->verb == FTP_OTHER || (c->verb == FTP_FILE && !(c->flags & RUNNING)))
			return true;
	}
	return s->multi;
}

void outstanding_quote(struct session *s)
{
	s->quotes = true;
	for (size_t i = 0; i < s->n; i++)
		s->command[i].flags |= outstanding_is_passive(s->command[i].verb) ? UNPAIRED : 0;
}

unsigned outstanding_flags_of(const struct session *s, unsigned verb)
{
	unsigned flags = s->greeted ? 0 : EARLY;

	if (outstanding_have(s, RUNNING))
		flags |= DURING;
	if (outstanding_is_passive(verb) && (outstanding_names(s) || outstanding_too_many(s)))
		flags |= UNPAIRED;
	return flags;
}

enum heard reply_heard(uint16_t code)
{
	size_t i = 0;

	while (code < codes[i].low || code > codes[i].high)
		i++;
	return codes[i].heard;
}

/* It may never be answered. */
static bool is_optional(const struct session_command *command)
{
	if (command->verb == FTP_EMPTY)
		return true;
	return command->flags & DURING && (command->verb == FTP_PLAIN || command->verb == FTP_ABOR);
}

/* A greeting may be said twice, which logs nobody in. What may never be answered is not taken for
 * refused while it may as well be a port that is. REIN may be answered before the transfer at hand
 * has ended (RFC 959 section 4.1.1). */
static bool can_answer(
	const struct session *s, const struct session_command *command, enum heard heard)
{
	bool failed = heard == HEARD_FILE_FAILED || heard == HEARD_FAILED;
	uint8_t effect = outstanding_effects[command->verb][heard];

	if (effect == IN && heard == HEARD_READY && command->flags & EARLY)
		return false;
	if (failed && is_optional(command) && outstanding_have(s, HAS_PORT))
		return false;
	if (heard == HEARD_READY && command->flags & RUNNING && command->verb == FTP_FILE &&
		outstanding_asked(s, FTP_REIN))
		return false;
	return effect != NONE;
}

struct session_command outstanding_answered(struct session *s, enum heard heard)
{
	struct session_command taken = {NO_COMMAND, 0, 0};
	size_t i = 0;

	while (i < s->n && !can_answer(s, &s->command[i], heard))
		i++;
	if (i == s->n)
		return taken;
	outstanding_drop(s, i);
	taken = s->command[0];
	if (outstanding_effects[taken.verb][heard] == WAIT)
		s->command[0].flags |= RUNNING;
	else
		outstanding_take_one(s);
	return taken;
}

void outstanding_doubt(struct session *s, const struct session_command *taken, enum heard heard)
{
	struct session_command *last = outstanding_last(s);
	bool is_doubtful;

	if (!last)
		return;
	if (taken->verb == NO_COMMAND)
		is_doubtful = (heard == HEARD_FILE_FAILED && outstanding_is_passive(last->verb)) ||
			      (heard == HEARD_PASSWORD && last->verb == FTP_PASS);
	else
		is_doubtful = is_optional(taken) && !(last->flags & DURING) && s->n == 1 &&
			      outstanding_effects[last->verb][heard] != NONE;
	if (is_doubtful)
		last->flags |= DOUBTFUL;
}

bool session_negotiates(const struct session *s)
{
	for (size_t i = 0; i < s->n; i++) {
		unsigned verb = s->command[i].verb;

		if (outstanding_is_passive(verb) || verb == FTP_PORT || verb == FTP_EPRT ||
			verb == FTP_LONG)
			return true;
	}
	return false;
}
