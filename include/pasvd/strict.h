/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strict.h - lines that RFC 959 does not have, and what is to be done about them
 *
 * One check a key of the section [strict], pasvd.conf(5). Whether a line violates one depends on
 * its bytes, its direction and the session; nothing is remembered. The checks are those of Cisco's
 * "inspect ftp strict" that a helper can make.
 */
#ifndef PASVD_STRICT_H
#define PASVD_STRICT_H

#include "pasvd/line.h"
#include "pasvd/session.h"

enum strict_outcome {
	STRICT_PASS,  /* nothing, and nothing is said */
	STRICT_LOG,   /* it passes */
	STRICT_MASK,  /* it is masked; if that is too late: */
	STRICT_RESET, /* the connection ends */
};

enum strict_check {
	STRICT_SPOOFED_REPLY,   /* each has the reason of its name, */
	STRICT_SPOOFED_COMMAND, /* which says what it is */
	STRICT_PIPELINED,
	STRICT_LONG_LINE,
	STRICT_UNPRINTABLE,
	STRICT_BARE_LF,
	STRICT_BAD_OFFER, /* an offer that may open nothing: it has a reason already */
	STRICT_CHECKS
};

struct strict {
	enum strict_outcome outcome[STRICT_CHECKS];
};

struct strict_ruling {
	enum strict_outcome outcome;
	enum reason reason; /* unless STRICT_PASS */
	bool offers;        /* it is an offer that must not be read, not the line as such */
};

/* Some line may not pass. */
bool strict_refuses(const struct strict *strict);

/* The line `l`, which is whole or has become too long, in the state that the session has before it.
 * Of several checks that it violates the one counts of which most is made. */
struct strict_ruling strict_line(const struct strict *strict, const struct session *session,
	enum dir dir, const struct line *l);

/* An offer that was not accepted, or any other line, for `reason`. */
struct strict_ruling strict_offer(const struct strict *strict, enum reason reason);

/* To refuse a line its bytes [from, to) are masked: a command as a whole, after Telnet
 * commands; the text of a reply, so that nobody waits for another one. That does it while the byte
 * at `last` has not gone: of a reply the first, of a command the last of its word, of an offer the
 * first digit. */
struct strict_span {
	size_t from, last, to;
};

struct strict_span strict_span(enum dir dir, const struct line *l, bool offers);

#endif
