/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.h - which reply answers which command
 *
 * Keeps the commands that await their reply, the login state, and whether a multi-line reply is
 * open. A 227 or 229 is an offer only as the reply to an outstanding PASV or EPSV (of either kind)
 * of a session that is logged in, and never as text inside another reply (RFC 959 section 4.2, RFC
 * 2577). A PORT or EPRT is one once the session is logged in; its reply says
 * whether the server takes it. The rules are a table in outstanding.c.
 */
#ifndef PASVD_SESSION_H
#define PASVD_SESSION_H

#include "pasvd/ftp.h"
#include "pasvd/reason.h"

enum { SESSION_COMMANDS = 16 }; /* runs of equal commands that can be outstanding */

/* A run of equal commands that await their replies. */
struct session_command {
	uint8_t verb;  /* enum ftp_verb */
	uint8_t flags; /* outstanding.h */
	uint8_t count;
};

/* All 0: a new session. Its server has not greeted yet, and nobody is logged in. */
struct session {
	bool logged_in : 1;
	bool distrusted : 1; /* the client sent a line that is no command */
	bool greeted : 1;    /* the server has replied to something */
	bool lost : 1;       /* replies to commands that are not known may come */
	bool miscounted : 1; /* the server may have had more commands, or fewer */
	bool paired : 1;     /* the reply at hand answers a PASV or EPSV, */
	bool announced : 1;  /* and has said where the server listens */
	bool secures : 1;    /* the reply at hand agrees to TLS */
	/* the server took AUTH, and TLS follows if the client begins it */
	bool begins_tls : 1;
	bool quotes : 1; /* the reply at hand may quote names */
	/* a line of the open multi-line reply looks like the last one of another */
	bool may_have_end : 1;
	bool flooded : 1; /* commands were forgotten since the last reply */
	bool went_on : 1; /* the client said something while it was open */
	uint16_t multi;   /* code of the open multi-line reply, 0 if there is none */
	uint8_t n;        /* runs of outstanding commands, oldest first: */
	struct session_command command[SESSION_COMMANDS];
};

enum session_event {
	SESSION_NOTHING, /* it does not concern us */
	/* an offer that may be made; of a PORT or EPRT, session_opened() follows if it was */
	SESSION_OFFER,
	SESSION_DENIED, /* the server refuses the PORT or EPRT that opened a port */
	/* the session is over (221), or begins anew: no data connection will come */
	SESSION_CLOSED,
	SESSION_AUTH,    /* the client asks for TLS, its word is at offer.at */
	SESSION_SECURED, /* the server agrees: what follows is TLS, in both directions */
	SESSION_AGREED,  /* it agrees to an AUTH that is not known of, if there was one */
	SESSION_MASKED,  /* a command that must not reach the server, its word is at offer.at */
	SESSION_REFUSED, /* an offer that must open nothing, see reason */
};

struct session_news {
	enum session_event event;
	/* a PORT or EPRT that opened a port was forgotten: no refusal will shut that */
	bool overflow;
	/* with SESSION_OFFER, and as said there; with SESSION_REFUSED its len is 0 if there is
	 * none */
	struct ftp_offer offer;
	enum reason reason; /* with SESSION_REFUSED */
};

/* A session of which only that is known: it may be new, or met in its middle. */
void session_start(struct session *s, bool logged_in, bool distrusted);

/* Bytes went past us: what was outstanding may have been answered. */
void session_lost(struct session *s);

/* Bytes of the server went past us. If what follows may be the rest of a reply that quotes a name,
 * nobody is logged in. */
void session_missed_reply(struct session *s);

/* A whole line of the client, or of the server. */
struct session_news session_command(struct session *s, const uint8_t *p, size_t n);
struct session_news session_reply(struct session *s, const uint8_t *p, size_t n);

/* The first byte of a line of the client whose end has not come: what does not begin like a command
 * is none. */
void session_command_begins(struct session *s, uint8_t first);

/* A line of the server whose beginning may have gone past. It has no effect, but it may agree to
 * TLS, and it or text that follows may repeat what was announced before. */
struct session_news session_partial_reply(struct session *s, const uint8_t *p, size_t n);

/* The PORT or EPRT said last opened a port. */
void session_opened(struct session *s);

/* True if a PASV, EPSV, PORT, EPRT, LPSV or LPRT awaits its reply. */
bool session_negotiates(const struct session *s);

/* Bytes `p` of a line whose end has not come: from where on they must wait, `n` if none. */
size_t session_command_hold(const struct session *s, const uint8_t *p, size_t n);
size_t session_reply_hold(const struct session *s, const uint8_t *p, size_t n);

#endif
