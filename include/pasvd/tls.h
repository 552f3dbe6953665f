/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls.h - TLS or clear text, as far as it can be seen from outside
 *
 * From the server's 234 on both directions of a control connection are TLS (RFC 4217 section 4), on
 * some ports from the first byte on. Nothing of it is read but the headers of records (RFC 8446
 * section 5.1). After CCC (RFC 4217 section 12.3) one side closes TLS with an alert, and what
 * follows is clear text again.
 */
#ifndef PASVD_TLS_H
#define PASVD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pasvd/endpoint.h"

enum tls_content {
	TLS_UNCLEAR, /* neither begins here: the rest of a record, or of a line */
	TLS_RECORD,
	TLS_ALERT, /* alerts and nothing else */
	TLS_CLEAR, /* a command or a reply, perhaps after alerts */
};

/* What the `n` bytes of a segment are that goes in direction `dir`. With TLS_CLEAR, *ret_skip bytes
 * of alerts are in front; else it is untouched. */
enum tls_content tls_content(enum dir dir, const uint8_t *p, size_t n, size_t *ret_skip);

/* Where a stream of records is. Zeros: that is not known. */
struct tls_place {
	bool known;
	uint8_t header; /* bytes of a header that have come; 0: the next byte begins a record */
	uint16_t left;  /* with a whole header: bytes of its record that are still to come */
};

/* Goes on by the `n` bytes that follow. It is not known any more if they cannot be records. */
void tls_follow(struct tls_place *t, const uint8_t *p, size_t n);

/* True if the bytes, which begin what a client says, begin a handshake: no command does. */
bool tls_begins(const uint8_t *p, size_t n);

#endif
