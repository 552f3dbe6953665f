/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ftp.h - one line of an FTP control connection
 *
 * Grammar only: what a line says, and where in it. Whether it may say so is session.h's and
 * policy.h's question. Commands: RFC 959 section 5.3.1, RFC 2428, with Telnet commands before
 * them skipped (RFC 854). Replies: RFC 959 section 4.2; 227: the first place where six numbers
 * 0..255 separated by commas fit (RFC 1123 section 4.1.2.6 asks clients to scan for it), or else
 * two after an IPv6 address or what a server leaves of it, all in parentheses: "(fd00::2,195,80)"
 * says pyftpdlib, "(2,195,80)" proftpd; 229: RFC 2428 section 3, or with the fields that are empty
 * there, "(|1|192.0.2.1|50000|)", which glFTPd says after CEPR.
 */
#ifndef PASVD_FTP_H
#define PASVD_FTP_H

#include "pasvd/endpoint.h"

/* What a command is to its session: session.c has a row for each. The first ones differ in what
 * their replies may quote, since a file name may have line ends in it and lines that look like
 * replies. */
enum ftp_verb {
	/* replies may quote names that the server has: CWD, PWD, STAT, SITE, and what is not
	 * known */
	FTP_OTHER,
	FTP_FILE, /* transfers, SIZE, MDTM: only a reply about the file system may */
	FTP_ABOR,
	FTP_PLAIN, /* TYPE, NOOP, SYST, and others with plain replies */
	FTP_EMPTY, /* a line without a command, which some servers answer */
	FTP_USER,
	FTP_PASS, /* and ACCT */
	FTP_REIN, /* begins the session anew */
	FTP_HOST, /* likewise, RFC 7151 */
	/* and P@SW, as it is called to pass by meddlers, and CPSV, PASV of a server that is to
	 * begin TLS on the data connection as its client */
	FTP_PASV,
	FTP_EPSV,
	FTP_PORT,
	FTP_EPRT,
	FTP_LONG, /* LPSV and LPRT of RFC 1639 */
	FTP_AUTH, /* RFC 2228, with TLS: RFC 4217 */
	FTP_VERBS
};

enum { FTP_VERB_LEN = 4 }; /* of the verbs from FTP_PASV on */

/* Replies that announce where the server listens. */
enum { FTP_ENTERING_PASSIVE = 227, FTP_ENTERING_EXTENDED_PASSIVE = 229 };

/* How an endpoint is written. */
enum ftp_form {
	FTP_FORM_SIX,  /* 192,168,1,2,195,80 */
	FTP_FORM_TWO,  /* 195,80 in (fd00::2,195,80), which servers make of a PASV over IPv6 */
	FTP_FORM_PORT, /* 50000 */
	FTP_FORM_EPRT, /* 1|192.168.1.2|50000 or 2|2001:db8::1|50000, with any delimiter */
};

/* An endpoint at which one side offers to listen, and the bytes of the line that say so. */
struct ftp_offer {
	enum ftp_form form;
	uint8_t delimiter; /* with FTP_FORM_EPRT */
	/* addr.family is ADDR_NONE with FTP_FORM_TWO and FTP_FORM_PORT; the port is 0..65535, not
	 * judged */
	struct endpoint listen;
	uint16_t at, len; /* the form's bytes: what a rewrite replaces */
};

struct ftp_command {
	enum ftp_verb verb;
	uint16_t at; /* of the command's word */
	bool offers; /* a PORT or EPRT whose endpoint could be read: offer is valid */
	struct ftp_offer offer;
};

struct ftp_reply {
	uint16_t code; /* 100..599 */
	bool more;     /* "227-": first line of a multi-line reply */
	bool offers;   /* a 227 or 229 whose endpoint could be read: offer is valid */
	struct ftp_offer offer;
};

enum { FTP_OFFER_MAX = 48 }; /* bytes of a form: "2|" and 39 of an address, "|65535" */

/* `p` is a line of `n` bytes with its end. Never fails: what is no command that matters is
 * FTP_OTHER. */
void ftp_command(const uint8_t *p, size_t n, struct ftp_command *ret_command);

/* True if the line can be a command at all: a letter, then letters, digits and @, then a space or
 * the line's end. HTTP's header fields cannot: a web page can have its reader's browser send what
 * it likes to port 21 ("NAT slipstreaming"). */
bool ftp_is_command(const uint8_t *p, size_t n);

/* True of the first line of a browser (RFC 9112 section 3), whose method may be a word of FTP. */
bool ftp_is_request_line(const uint8_t *p, size_t n);

static inline bool ftp_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

enum { FTP_TELNET_IAC = 255 }; /* RFC 854: begins a Telnet command */

/* Bytes of the Telnet commands before a line. */
size_t ftp_telnet(const uint8_t *p, size_t n);

/* True if the `n` bytes begin with the word, in any case, and it ends there: with a space or the
 * line's end. */
bool ftp_is_word(const uint8_t *p, size_t n, const char *word);

/* 0: *ret_reply is filled in. -1: does not begin with a reply code followed by space, '-' or the
 * line's end; *ret_reply is untouched. */
int ftp_reply(const uint8_t *p, size_t n, struct ftp_reply *ret_reply);

/* A line of text within a multi-line reply of this code: true if there is an offer in it. */
bool ftp_reply_text(uint16_t code, const uint8_t *p, size_t n, struct ftp_offer *ret_offer);

/* `p` is the `n` bytes so far of a line whose end has not come. Returns the offset from which the
 * bytes must not reach the other side yet, because an offer has begun there, or begins after it,
 * or with ftp_word_hold() the word of a command that may have to be stopped; `n` if all of them may
 * go. */
size_t ftp_word_hold(const uint8_t *p, size_t n);
size_t ftp_command_hold(const uint8_t *p, size_t n);
size_t ftp_reply_hold(const uint8_t *p, size_t n);
size_t ftp_reply_text_hold(uint16_t code, size_t n);

/* Writes the endpoint in the offer's form to `buf` of FTP_OFFER_MAX bytes; returns the length.
 * FTP_FORM_SIX wants an ADDR_IP4 address, FTP_FORM_TWO and FTP_FORM_PORT use the port only. */
size_t ftp_offer_text(const struct ftp_offer *offer, const struct endpoint *e, uint8_t *buf);

#endif
