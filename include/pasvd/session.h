/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.h - which reply answers which command
 *
 * Keeps the commands that await their reply, the login state, and whether a multi-line reply is open. A 227
 * or 229 is an offer only as the reply to an outstanding PASV or EPSV (of either kind) of a session that is
 * logged in, and never as text inside another reply (RFC 959 section 4.2, RFC 2577). A session picked up in
 * the middle counts as logged in: only a 220 says that it is not.
 */
#ifndef PASVD_SESSION_H
#define PASVD_SESSION_H

#include "pasvd/ftp.h"
#include "pasvd/reason.h"

enum { SESSION_COMMANDS = 16 }; /* outstanding ones remembered; of more, the oldest are forgotten */

struct session {
	bool greeted;   /* a 220 was seen and no 230 since */
	bool paired;    /* the reply at hand answers a PASV or EPSV, and has not announced yet */
	uint16_t multi; /* code of the open multi-line reply, 0 if there is none */
	uint8_t n;      /* outstanding commands, oldest first: */
	uint8_t verb[SESSION_COMMANDS]; /* enum ftp_verb */
};

/* A line of the client. */
void session_command(struct session *s, const uint8_t *p, size_t n);

/* A line of the server. REASON_OPENED: *ret_reply announces, and may; policy goes on. REASON_PASSED: it does
 * not concern us. Any other: an announcement that must open nothing. *ret_reply is valid with REASON_OPENED
 * only. */
enum reason session_reply(struct session *s, const uint8_t *p, size_t n, struct ftp_reply *ret_reply);

/* Bytes `p` of a reply line whose end has not come: from where on they must wait, `n` if none. */
size_t session_hold(const struct session *s, const uint8_t *p, size_t n);

#endif
