/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line.h - one direction of a control connection as whole lines
 *
 * A line ends with LF (RFC 959 says CR LF; some peers send LF alone). Lines are collected over any
 * number of segments, up to LINE_MAX_LEN bytes; the rest of a longer one is skipped and the line
 * marked. Sequence numbers are those of the sender, before any adjustment. The functions leave
 * `buf` where it points to.
 */
#ifndef PASVD_LINE_H
#define PASVD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LINE_MAX_LEN = 512,
};

/* What is known of where the stream is. */
enum line_sync {
	/* no byte was read; what lies before the first one was read by a predecessor */
	LINE_JOINED,
	/* no byte was read; bytes before the first one may come that nobody read */
	LINE_UNREAD,
	/* likewise; the receiver waits for `next`, so no segment beyond it is the first, nor one
	 * that is far away */
	LINE_AWAITED,
	LINE_BEGUN,  /* bytes before `first` may come that nobody read */
	LINE_SYNCED, /* what lies before `next` was read */
	/* likewise, and by a predecessor also some of what comes after it, until the receiver waits
	 * for `next` */
	LINE_RESUMED,
};

/* All 0: as after line_join(), but that the next byte begins a line. */
struct line {
	uint8_t *buf;   /* LINE_MAX_LEN bytes that belong to the caller; NULL: nothing can be fed */
	uint32_t first; /* sequence number of the first byte that was read */
	uint32_t start; /* of buf[0] */
	uint32_t next;  /* of the next byte not seen yet */
	/* what was read before its beginning came, and is not waited for: so far behind `first`,
	 * and so many bytes; 0: nothing */
	uint16_t ahead_at, ahead_len;
	uint16_t len;     /* bytes in buf */
	uint8_t sync;     /* enum line_sync */
	bool whole;       /* buf ends with LF; line_next() comes before more bytes */
	bool partial;     /* its beginning went past us: it says nothing */
	bool overlong;    /* the line has more bytes than buf */
	bool passed;      /* bytes before `first` were not read, but the receiver has them */
	bool ahead_whole; /* what was read ahead ends with a line */
};

/* Where a segment lies in the stream seen so far. */
enum line_place {
	LINE_NEW, /* in order: has bytes not seen before, and none is missing before them */
	LINE_OLD, /* a retransmission, nothing new */
	LINE_GAP, /* bytes before it are missing: refuse it, TCP sends it again */
	/* it begins before the first byte that was read, and the receiver may not have that
	 * byte */
	LINE_BEFORE,
	/* no receiver would take it: it is far away, or has bytes that were not read but
	 * arrived; refuse it */
	LINE_FAR
};

/* The next segment begins a line, wherever it is; `anchored`, not beyond `next`, which the receiver
 * waits for. */
void line_init(struct line *l, bool anchored, uint32_t next);

/* What comes next is somewhere in a line: that line is partial. What lies before it was read
 * by a predecessor. */
void line_join(struct line *l);

/* A byte was read. */
static inline bool line_has_begun(const struct line *l)
{
	return l->sync >= LINE_BEGUN;
}

/* A line begins at `seq`. */
void line_begin(struct line *l, uint32_t seq);

/* The bytes before `seq` went past us. A segment there is in order; the line it begins in is
 * partial, unless it is known to begin there. */
void line_skip(struct line *l, uint32_t seq, bool is_known);

/* As line_skip(), but the receiver has these bytes: should one of them come, it is refused. */
void line_pass(struct line *l, uint32_t seq);

/* Whether the receiver has bytes that did not come by, if it says that it has all before `ack`. One
 * more may be a FIN, which does not come by. */
bool line_lacks(const struct line *l, uint32_t ack);

/* The receiver has everything before `ack`. */
void line_acked(struct line *l, uint32_t ack);

/* The stream begins with the segment at `seq`, in front of what was read; its receiver has, or will
 * have, what was read ahead of that. False: there is a gap in that, which has to be filled first;
 * or it is more than anybody sends before an answer. */
bool line_restart(struct line *l, uint32_t seq);

/* True if what was read ahead is next: the stream goes on behind it. */
bool line_rejoin(struct line *l);

/* Whether `seq` is farther from `next` than a receiver who waits for that would take. */
bool line_is_far(uint32_t seq, uint32_t next);

/* Places a segment of `len` > 0 bytes at `seq`. On LINE_NEW, *ret_skip bytes at its front are old;
 * feed the rest. A segment beyond a gap stays one until the gap is filled, or known to have gone
 * past (meet.c): its sender may be the one who left the gap, to have us take what fills it for a
 * repetition. */
enum line_place line_place(struct line *l, uint32_t seq, size_t len, size_t *ret_skip);

/* Takes bytes up to and including the next LF; returns how many (1..n, n > 0). After it either
 * l->whole, and line_next() is due, or all n bytes were taken. */
size_t line_feed(struct line *l, const uint8_t *p, size_t n);

/* Begins the next line after a whole one. */
void line_next(struct line *l);

#endif
