/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps.h - gaps in streams that nobody fills
 *
 * When its timer expires, a TCP sends again the first byte that its receiver has not acknowledged
 * (RFC 6298 section 5.4). So if what lies behind a gap comes again and again, the receiver has what
 * is missing. The first copies say less: a sender that has not heard of its last segment sends it
 * once more as a probe (RFC 8985 section 7), or twice (FreeBSD's RACK). A table of fixed size: a
 * gap takes the place of another one, which is then waited for longer.
 */
#ifndef PASVD_GAPS_H
#define PASVD_GAPS_H

#include "pasvd/endpoint.h"

enum {
	GAPS_SIZE = 1024,
	GAPS_COPIES = 4,     /* so many of a segment at least, ... */
	GAPS_WAIT_MS = 2000, /* ... and so long after the first one: some networks double packets */
};

struct gap {
	uint64_t who;     /* hash of the stream; 0: nobody */
	uint64_t since;   /* ms */
	uint32_t missing; /* first byte of the gap */
	uint32_t behind;  /* where the first segment behind it begins */
	uint32_t copies;
};

/* All 0: none. */
struct gaps {
	struct gap gap[GAPS_SIZE];
};

/* A segment of the sender t->src begins at `behind`, and the byte at `missing` has not come by;
 * `now` is in ms. True: what lies between went past us, and the receiver has it. `key`: of a
 * conntab. */
bool gaps_went_past(struct gaps *g, const uint8_t *key, const struct tuple *t, uint32_t missing,
	uint32_t behind, uint64_t now);

#endif
