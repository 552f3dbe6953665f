/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ftp.h - one line of an FTP control connection
 *
 * Grammar only: what a line says, and where in it. Whether it may say so is session.h's and policy.h's
 * question. A command: RFC 959 section 5.3.1, RFC 2428. A reply: RFC 959 section 4.2; 227: the first place
 * where six numbers 0..255 separated by commas fit (RFC 1123 section 4.1.2.6 asks clients to scan for it);
 * 229: RFC 2428 section 3.
 */
#ifndef PASVD_FTP_H
#define PASVD_FTP_H

#include "pasvd/endpoint.h"

enum ftp_verb { FTP_OTHER, FTP_PASV, FTP_EPSV };

/* Replies that announce where the server listens. */
enum { FTP_ENTERING_PASSIVE = 227, FTP_ENTERING_EXTENDED_PASSIVE = 229 };

/* Bytes of the line: what a rewrite replaces. */
struct ftp_span {
	uint16_t at, len;
};

struct ftp_reply {
	uint16_t code;          /* 100..599 */
	bool more;              /* "227-": first line of a multi-line reply */
	bool announces;         /* a 227 or 229 whose endpoint could be read; then: */
	struct endpoint listen; /* addr.family is ADDR_NONE for a 229; the port is 0..65535, not judged */
	struct ftp_span span;   /* "192,168,1,2,195,80" of a 227, the digits of a 229 */
};

enum { FTP_ANNOUNCE_MAX = 24 }; /* "255,255,255,255,255,255", "65535" */

/* `p` is a line of `n` bytes with its end. Never fails: what is no command that matters is FTP_OTHER. */
enum ftp_verb ftp_command(const uint8_t *p, size_t n);

/* 0: *ret_reply is filled in. -1: does not begin with a reply code followed by space, '-' or the line's end;
 * *ret_reply is untouched. */
int ftp_reply(const uint8_t *p, size_t n, struct ftp_reply *ret_reply);

/* `p` is the `n` bytes so far of a line whose end has not come. Returns the offset from which the bytes must
 * not reach the client yet, because an announcement has begun there; `n` if all of them may go. */
size_t ftp_hold(const uint8_t *p, size_t n);

/* Writes the text for the span of a reply of this code, `buf` has FTP_ANNOUNCE_MAX bytes; returns its length.
 * 227 wants an ADDR_IP4 address, 229 uses the port only. */
size_t ftp_announce(uint16_t code, const struct endpoint *e, uint8_t *buf);

#endif
