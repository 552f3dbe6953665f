/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.h - what a successor must know of a session, in four bits of its connection's mark
 *
 * The daemon's table is a cache: SIGKILL, upgrade, eviction and failover lose it, and none of them
 * may give a session more trust than it had. The kernel keeps the mark as long as the connection,
 * returns it with each look-up, and conntrackd replicates it.
 */
#ifndef PASVD_TRUST_H
#define PASVD_TRUST_H

#include <stdbool.h>
#include <stdint.h>

/* The first four in the order of the mask's bits, lowest first. The others are what TRUST_SEEN is
 * not in the mark with: TRUST_LOGGED_IN and TRUST_DISTRUSTED are TRUST_BEGUN; TRUST_LOGGED_IN is
 * TRUST_SHIFTED of somebody who is logged in, or with TRUST_TLS is not; and TRUST_TLS is
 * TRUST_AGREED. */
enum trust {
	/* some data of the connection was read: a new connection's entry lacks it, and has none of
	 * the others */
	TRUST_SEEN = 1,
	TRUST_LOGGED_IN = 2, /* and its server stands between two replies */
	TRUST_TLS = 4,       /* the rules let records pass */
	/* the client said what no client of FTP says */
	TRUST_DISTRUSTED = 8,
	/* without TRUST_SEEN: data passed that nobody read. We never write that, the rules do */
	TRUST_UNREAD = TRUST_DISTRUSTED,
	/* the server has not acknowledged yet what we made longer or shorter, which the client may
	 * not repeat unread */
	TRUST_SHIFTED = 16,
	/* the rules write it at the SYN of a client whose SYNs we see, with TRUST_DISTRUSTED: the
	 * connection begins there, for who has seen that SYN. It stays until the client has spoken
	 * FTP */
	TRUST_BEGUN = 32,
	/* the server agreed to TLS, and the client has not spoken since */
	TRUST_AGREED = 64,
};

enum { TRUST_BITS = 4 };

/* Whether the mask has TRUST_BITS bits. */
bool trust_mask_is_valid(uint32_t mask);

/* The bits `trust` (enum trust, or-ed), spread over those of the mask; and those that `mark`
 * has. */
uint32_t trust_to_mark(uint32_t mask, unsigned trust);
unsigned trust_of_mark(uint32_t mask, uint32_t mark);

#endif
