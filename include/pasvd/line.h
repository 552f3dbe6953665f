/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line.h - one direction of a control connection as whole lines
 *
 * A line ends with LF (RFC 959 says CR LF; some peers send LF alone). Lines are collected over any
 * number of segments, up to LINE_MAX bytes; the rest of a longer one is skipped and the line
 * marked. Sequence numbers are those of the sender, before any adjustment.
 */
#ifndef PASVD_LINE_H
#define PASVD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LINE_MAX_LEN = 512,
	/* Refusals of one segment beyond a gap. Its sender may repeat it once before it repeats
	 * what is missing (a tail loss probe, RFC 8985 section 7), and the network may double
	 * both. */
	LINE_GAPS_MAX = 4,
};

struct line {
	bool synced;   /* false: nothing seen yet; the next segment begins a line, wherever it is */
	bool whole;    /* buf ends with LF; line_next() comes before more bytes */
	bool partial;  /* its beginning went past us: it says nothing */
	bool overlong; /* the line has more bytes than buf */
	uint8_t gaps;  /* how often the segment at gap_seq was refused as LINE_GAP */
	uint32_t gap_seq;
	uint32_t start; /* sequence number of buf[0] */
	uint32_t next;  /* sequence number of the next byte not seen yet */
	uint16_t len;   /* bytes in buf */
	uint8_t buf[LINE_MAX_LEN];
};

/* Where a segment lies in the stream seen so far. */
enum line_place {
	LINE_NEW,  /* in order: has bytes not seen before, and none is missing in front of them */
	LINE_OLD,  /* a retransmission, nothing new */
	LINE_GAP,  /* bytes in front of it are missing: refuse it, TCP sends it again */
	LINE_STALE /* too far from what was seen to be of this connection: start anew */
};

/* Places a segment of `len` > 0 bytes at `seq`. On LINE_NEW, *ret_skip bytes at its front are old;
 * feed the rest. A segment beyond a gap that is refused LINE_GAPS_MAX times, and nothing of the gap
 * has come meanwhile, is LINE_NEW and the line begun is given up: it is taken that its sender knows
 * that the bytes in front arrived, so they went past us. So a gap can never stop a connection. */
enum line_place line_place(struct line *l, uint32_t seq, size_t len, size_t *ret_skip);

/* Takes bytes up to and including the next LF; returns how many (1..n, n > 0). After it either
 * l->whole, and line_next() is due, or all n bytes were taken. */
size_t line_feed(struct line *l, const uint8_t *p, size_t n);

/* Begins the next line after a whole one. */
void line_next(struct line *l);

#endif
