/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ftp_line.h - what the tests of replies and of commands share */
#ifndef PASVD_TESTS_FTP_LINE_H
#define PASVD_TESTS_FTP_LINE_H

#include "guard.h"
#include "packet.h"
#include "pasvd/ftp.h"
#include "unit.h"

#include <string.h>

/* Reads a line as a command, at the end of memory. */
static inline struct ftp_command command_of(const char *text, size_t n)
{
	uint8_t *p = guard_copy(text, n);
	struct ftp_command c;

	unit_mark(&c, sizeof(c));
	ftp_command(p, n, &c);
	guard_free(p, n);
	if (c.verb >= FTP_PASV)
		ck_assert_uint_lt(c.at + FTP_VERB_LEN, n);
	if (c.offers)
		ck_assert_uint_lt(c.offer.at + c.offer.len, n);
	return c;
}

/* From where on a line that is still coming is held, asked at the end of memory. */
static inline size_t hold_by(size_t (*by)(const uint8_t *p, size_t n), const char *text, size_t n)
{
	uint8_t *p = guard_copy(text, n);
	size_t from = by(p, n);

	guard_free(p, n);
	ck_assert_uint_le(from, n);
	return from;
}

/* The offer is `span` within the line, and names the endpoint `listen`. */
static inline void is_offer(
	const struct ftp_offer *o, const char *text, const char *span, const char *listen)
{
	struct endpoint want = packet_endpoint(listen);

	ck_assert_msg(endpoint_eq(&o->listen, &want), "%s", text);
	ck_assert_uint_eq(o->at, (size_t)(strstr(text, span) - text));
	ck_assert_uint_eq(o->len, strlen(span));
}

#endif
