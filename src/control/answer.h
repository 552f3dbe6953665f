/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.h - what the daemon reports about itself: objects of JSON, one a line
 *
 * pasvctl(8) describes them. Strings in them are ours, or made of numbers: names, endpoints;
 * nothing that a peer sent. Texts of the configuration are escaped.
 */
#ifndef PASVD_ANSWER_H
#define PASVD_ANSWER_H

#include "history.h"
#include "pasvd/engine.h"
#include "settings.h"

enum { ANSWER_LINE_MAX = 4096 }; /* room enough for any one object */

/* What the kernel counts of a queue, in packets. */
struct answer_queue {
	unsigned long waiting;     /* for a verdict */
	unsigned long dropped;     /* the queue was full */
	unsigned long undelivered; /* likewise, the socket was */
};

/* The configuration was read, at the start or again. */
struct answer_reload {
	bool successful;     /* the last time, */
	uint64_t success_us; /* and the last time that it was, since 1970 */
};

/* What answers are about. */
struct answer_about {
	const struct engine *engine;
	const struct history *history;
	const struct settings *settings; /* in force */
	const char *ct_helper;
	uintmax_t netns; /* the number of the daemon's network namespace; 0: not known */
	uint16_t queue;
	bool on_demand_syns; /* there is a queue for SYNs to ports on demand: */
	uint16_t tls_queue;
	uint64_t since;      /* ms, of the clock of engine_packet(): the start */
	uint64_t started_us; /* since 1970: the same */
	struct answer_reload reloaded;

	/* Whether the kernel has the expectation yet, and how many seconds are left of its time. */
	bool (*expected)(void *ct, const struct expect *e, uint32_t *ret_seconds);
	void *ct;

	/* False: it cannot be read. NULL: none can. */
	bool (*counters)(uint16_t queue, struct answer_queue *ret_queue);

	/* Reads the configuration again. False: it stays as it was, and the log says why. */
	bool (*reload)(void);

	/* Has the daemon begin anew with what the kernel knows. False: the log says what failed. */
	bool (*take_over)(void);
};

/* Text under way. What does not fit is cut off, and `full` is set. */
struct answer_text {
	char *p;
	size_t n, cap;
	bool full;
};

/* Puts the object number `i` of an answer, or nothing if there is none with that number. False:
 * there are no more. Objects of connections are asked of conntrack, so one is no more than a few
 * requests. Events have to be remembered yet. */
typedef bool answer_fn(
	const struct answer_about *about, uint64_t i, uint64_t now, struct answer_text *text);

/* What answers the request, NULL if there is no such thing. */
answer_fn *answer_to(const char *request, size_t n);

/* The request after which events are sent as they happen: its answer goes on when there are
 * more. */
extern const char answer_follow[];

/* Whether its objects are those of about->history. */
bool answer_is_of_events(answer_fn *answer);

/* Whether it is for root alone: sessions lose something by it. */
bool answer_is_for_root(answer_fn *answer);

/* That `count` objects had to be left out, that the answer is complete, and what is wrong with the
 * request: `what` is of letters. */
void answer_put_left_out(struct answer_text *text, uint64_t count);
void answer_put_end(struct answer_text *text);
void answer_put_error(struct answer_text *text, const char *what);

#endif
