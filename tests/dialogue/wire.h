/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.h - a run of a dialogue: the two ends, the router between them, and segments on their way
 *
 * play.c decides which bytes are sent in which order. What each of them must lead to, whatever
 * the order, is checked here; the first thing that is not so ends the process with status 1 and
 * says in which run it was.
 */
#ifndef PASVD_TESTS_WIRE_H
#define PASVD_TESTS_WIRE_H

#include "dialogue.h"
#include "fake_ct.h"
#include "login.h"
#include "pasvd/engine.h"

enum { STREAM_MAX = 4096, BUFFER = 2048 };

/* One direction of the connection, as its two ends see it. Both count from isn. */
struct side {
	uint32_t isn;
	size_t sent; /* bytes that the sender has sent and the router has not dropped */
	size_t got;  /* bytes that the receiver has without a gap */
	size_t want; /* bytes that it should have by now */
	bool ended;  /* a RST was taken by the receiver */
	bool fresh;  /* nothing sent since the helper's start */
	uint8_t byte[STREAM_MAX], wanted[STREAM_MAX];
	bool have[STREAM_MAX];
};

struct how;

struct run {
	const struct dialogue *d;
	const struct how *how;
	const struct step *step;     /* the one being played */
	const struct step *cut_step; /* the one that is cut, at: */
	size_t cut[2];
	size_t offset[DIALOGUE_STEPS]; /* of the steps' first bytes in their streams */
	unsigned memory;               /* the helper remembers steps from here on */
	struct side side[2];
	struct fake_ct ct;
	struct fake_conn *conn;
	struct engine engine;
	uint64_t now;
	const uint32_t *indev; /* by enum dir */
	enum reason last, greatest;
	unsigned long packets; /* since the file was opened */
	bool disorder;         /* the receiver may wait for bytes: its ACK says nothing */
	bool reset;            /* the helper has reset the connection */
	bool told;             /* and the sender knows */
	bool left_off;         /* the last packet did not take all bytes along */
	uint8_t *buf;          /* BUFFER bytes */
	uint8_t orig[BUFFER];
};

/* A way of playing a dialogue. */
struct how {
	const char *name;
	void (*plain)(struct run *r, const struct step *s);
	/* plays the step that is cut, NULL: no cuts */
	void (*cut)(struct run *r, const struct step *s);
	unsigned cuts; /* 1 or 2 places */
	bool chops;    /* plain cuts as well */
};

/* Ends the process: what is wrong, in which run, and what the receiver has. */
__attribute__((format(printf, 2, 3), noreturn)) void fail(
	const struct run *r, const char *format, ...);

/* A held beginning and a retransmission are details of how a line came: they count as passed. */
enum reason grade(enum reason r);

/* The sender must find all that it sent acknowledged. */
void check_ack(const struct run *r, enum dir dir);

/* Sends the bytes [from, to) of a segment; if `lost`, they do not come further than the router. */
enum action put_packet(struct run *r, const struct step *s, size_t from, size_t to, bool lost);

/* Sends the bytes, which must not be dropped. */
void put(struct run *r, const struct step *s, size_t from, size_t to);

/* Plays what follows a segment that resets the connection: the sender repeats what is not
 * acknowledged. Both ends must find that it is over, and the receiver must have less than the
 * segment. */
void play_reset(struct run *r, const struct step *s);

/* The same once more: conntrack must not hear of it. */
void put_again(struct run *r, const struct step *s, size_t from, size_t to);

#endif
