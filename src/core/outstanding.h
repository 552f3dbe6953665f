/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outstanding.h - which command a reply answers */
#ifndef PASVD_CORE_OUTSTANDING_H
#define PASVD_CORE_OUTSTANDING_H

#include "pasvd/session.h"

/* What the server says, by the code of its reply. */
enum heard {
	HEARD_PRELIMINARY,
	HEARD_READY,
	HEARD_CLOSING,
	HEARD_PASSIVE,
	HEARD_LOGGED_IN,
	HEARD_SECURED,
	HEARD_TRANSFERRED,
	HEARD_DONE,
	HEARD_PASSWORD,
	HEARD_MORE,
	HEARD_FILE_FAILED,
	HEARD_FAILED,
	HEARD_KINDS
};

/* What a reply does. All but NONE and WAIT take the command away. */
enum effect {
	NONE, /* it cannot answer that */
	WAIT, /* the reply proper is still to come */
	TAKE, /* nothing more */
	NAME, /* it may quote names */
	IN,   /* somebody is logged in */
	MISS, /* nobody is by that, but it may have been the reply to something else */
	LATE, /* as IN, if the reply to a login may be missing */
	OUT,  /* nobody is logged in */
	PAIR, /* it announces where the server listens */
	LONE, /* it would, if that had been asked for */
	DENY, /* the client's port is refused */
	TLS,  /* TLS follows */
	ASK,  /* TLS follows if the client begins it */
	SOON, /* TLS may follow, if the reply to AUTH may be missing */
	SHUT, /* the session is over */
};

enum {
	NO_COMMAND = FTP_VERBS, /* none of the outstanding ones */
	CONNECTION,             /* the connection itself awaits the greeting */
	ROWS
};

/* Of a command. */
enum {
	EARLY = 1,     /* said before the greeting */
	RUNNING = 2,   /* a preliminary reply has come */
	DURING = 4,    /* said during a transfer */
	DOUBTFUL = 8,  /* it may have been answered */
	UNPAIRED = 16, /* what looks like its reply opens nothing */
	OFFERED = 32,  /* it was an offer that was tried */
	HAS_PORT = 64, /* and opened the port */
};

/* What a reply does to the command that it answers: enum effect. */
extern const uint8_t outstanding_effects[ROWS][HEARD_KINDS];

/* `code` is 100 to 599. */
enum heard reply_heard(uint16_t code);

/* The run that was said last, or NULL. */
struct session_command *outstanding_last(struct session *s);

/* True if a command has one of the flags. */
bool outstanding_have(const struct session *s, unsigned flags);

/* What the server says next may be, or be the rest of, a reply that quotes a name. */
bool outstanding_may_quote(const struct session *s);

/* The flags of a command that comes now. */
unsigned outstanding_flags_of(const struct session *s, unsigned verb);

/* True if there was no room, and a command that has a port was forgotten. */
bool outstanding_add(struct session *s, unsigned verb, unsigned flags);

/* Takes away the command that the reply answers, and those before it. Its verb is NO_COMMAND if
 * the reply answers none. */
struct session_command outstanding_answered(struct session *s, enum heard heard);

/* The reply that answered `taken` may as well have been that of the next command. */
void outstanding_doubt(struct session *s, const struct session_command *taken, enum heard heard);

/* What is outstanding now may take lines of the reply at hand for its own. */
void outstanding_quote(struct session *s);

#endif
