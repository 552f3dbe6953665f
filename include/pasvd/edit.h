/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edit.h - the rewrites of one direction of a connection
 *
 * An edit replaces `old_len` bytes at `seq` of the sender's stream by `text`. The last few are
 * remembered, so that any segment, first sent or retransmitted, cut anywhere, is mapped onto the
 * same bytes at the same place of the receiver's stream. A segment that begins or ends within an
 * edit, or begins right after it, carries its text whole; of an edit that is *even*, as long as
 * what it replaces, it carries its own part. A *masked* edit has no text: its bytes but blanks
 * become X, and a segment carries its own part of them.
 *
 * A *held* edit has no text yet: its bytes are kept back until the line's end tells what becomes of
 * them. Kernel and sender take them for delivered, so a sender that waits for the ACK of the first
 * half (Nagle, RFC 9293 section 3.7.4) goes on. If nothing is left of a segment it carries the byte
 * before the edit once more: to that a receiver answers at once with an ACK (RFC 9293 section
 * 3.10.7.4).
 *
 * The kernel shifts sequence numbers by the last edit only (seqadj.h). Where that is not what a
 * segment needs, its own sequence number makes up for it.
 */
#ifndef PASVD_EDIT_H
#define PASVD_EDIT_H

#include "pasvd/seg.h"
#include "pasvd/seqadj.h"

enum {
	EDITS_MAX = 8,
	EDIT_HELD_MAX = 400,                /* bytes held back at most */
	EDIT_TEXT_MAX = EDIT_HELD_MAX + 48, /* those, and an offer that begins among them */
	/* A packet grows up to this length or not at all: any link carries it (RFC 791: 576 bytes,
	 * RFC 8200 section 5). With the longest headers there is room for the longest text. */
	EDIT_GROWN_IP4 = 576,
	EDIT_GROWN_IP6 = 1280,
};

struct edit {
	uint32_t seq;     /* of the first byte replaced, sender's space */
	uint16_t old_len; /* bytes replaced, 1..EDIT_TEXT_MAX, or more of a masked edit */
	uint16_t new_len; /* bytes in text; of a masked edit old_len */
	uint8_t prev;     /* the byte before the edit */
	bool masked;      /* no text: each byte but blanks becomes X; they were not held before */
	bool held;        /* not decided yet: new_len is 0, the bytes wait in text */
	uint8_t text[EDIT_TEXT_MAX];
	/* set by edits_put(): new_len is old_len, and nothing of it was held before */
	bool even;
	int32_t before; /* set by edits_put(): shift of the bytes before the edit */
};

struct edits {
	struct seqadj kernel; /* as the kernel has it, or is about to */
	struct seqadj base;   /* of the bytes before the edits that are remembered */
	bool acks;            /* an ACK of the receiver was seen: */
	uint32_t acked;       /* the greatest one, in the receiver's space */
	uint8_t n;
	struct edit e[EDITS_MAX]; /* oldest first, disjoint */
};

/* Starts with what the kernel has; no edit is known. */
void edits_init(struct edits *es, const struct seqadj *kernel);

/* Masks `n` bytes: all but blanks become X. */
void edit_mask(uint8_t *p, size_t n);

/* The held edit, or NULL. It is always the last one. */
const struct edit *edits_held(const struct edits *es);

/* The receiver acknowledged everything before `ack`, in its own space. */
void edits_acked(struct edits *es, uint32_t ack);

/* The receiver has all that was rewritten, so nothing of it need be remembered. */
bool edits_are_settled(const struct edits *es);

/* True if one more edit would push out one that may still have to be repeated. */
bool edits_full(const struct edits *es);

/* Gives up the held bytes, if there are any: they never reach the receiver, and everything after
 * them goes on. */
void edits_abandon(struct edits *es);

/* Adds an edit after all others; while one is held, in its place. True: es->kernel changed and has
 * to be set in the kernel. */
bool edits_put(struct edits *es, const struct edit *e);

/* Adds an edit that a predecessor made, of which the kernel may have the shift. False: the shift
 * that it has is none of this edit's, and *es is as it was. */
bool edits_redo(struct edits *es, const struct edit *e);

/* Adds what masks the bytes [from, to); if some are held, `from` is the first of them. True:
 * *ret_shifts is what edits_put() returns. False: there is no room for as many edits, and *es is
 * good for nothing. */
bool edits_mask(struct edits *es, uint32_t from, uint32_t to, bool *ret_shifts);

/* Maps the segment in packet `p`: payload, sequence number, lengths, checksums. Returns the
 * packet's new length, 0 if nothing had to change, -1 if `cap` is too small (then the packet is
 * undefined). */
long edits_apply(const struct edits *es, const struct seg *seg, uint8_t *p, size_t cap);

/* Makes of the segment in packet `p` one without payload that lies where the byte `seq` of the
 * sender does, with these flags (SEG_*). Returns the packet's new length. */
size_t edits_empty(
	const struct edits *es, const struct seg *seg, uint32_t seq, uint8_t flags, uint8_t *p);

#endif
