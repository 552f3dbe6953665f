/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.h - which reply answers which command
 *
 * Keeps the commands that await their reply, the login state, and whether a multi-line reply is
 * open. A 227 or 229 is an offer only as the reply to an outstanding PASV or EPSV (of either kind)
 * of a session that is logged in, and never as text inside another reply (RFC 959 section 4.2, RFC
 * 2577). A PORT or EPRT is one once the session is logged in; whether the server takes it is told
 * by its reply. A session picked up in the middle counts as logged in: only a 220 says that it is
 * not.
 */
#ifndef PASVD_SESSION_H
#define PASVD_SESSION_H

#include "pasvd/ftp.h"
#include "pasvd/reason.h"

enum { SESSION_COMMANDS = 16 }; /* outstanding ones remembered; of more, the oldest are forgotten */

struct session {
	bool greeted;   /* a 220 was seen and no 230 since */
	bool alien;     /* the client sent a line that is no command */
	bool paired;    /* the reply at hand answers a PASV or EPSV, and has not announced yet */
	uint16_t multi; /* code of the open multi-line reply, 0 if there is none */
	uint8_t n;      /* outstanding commands, oldest first: */
	uint8_t verb[SESSION_COMMANDS]; /* enum ftp_verb */
};

enum session_event {
	SESSION_NOTHING, /* it does not concern us */
	SESSION_OFFER,   /* an offer that may be made */
	SESSION_DENIED,  /* the server refuses the client's last PORT or EPRT */
	SESSION_CLOSED,  /* the server says good-bye (221): no data connection will come */
	SESSION_AUTH,    /* the client asks for TLS, its word is at offer.at */
	SESSION_SECURED, /* the server agrees: what follows is TLS, in both directions */
	SESSION_MASKED,  /* a command that must not reach the server, its word is at offer.at */
	SESSION_REFUSED, /* an offer that must open nothing, see reason */
};

struct session_news {
	enum session_event event;
	/* with SESSION_OFFER, and as said there; with SESSION_REFUSED its len is 0 if there is
	 * none */
	struct ftp_offer offer;
	enum reason reason; /* with SESSION_REFUSED */
};

/* Bytes went past us: what was outstanding may have been answered. */
void session_lost(struct session *s);

/* A whole line of the client, or of the server. */
struct session_news session_command(struct session *s, const uint8_t *p, size_t n);
struct session_news session_reply(struct session *s, const uint8_t *p, size_t n);

/* Bytes `p` of a line whose end has not come: from where on they must wait, `n` if none. */
size_t session_command_hold(const struct session *s, const uint8_t *p, size_t n);
size_t session_reply_hold(const struct session *s, const uint8_t *p, size_t n);

#endif
