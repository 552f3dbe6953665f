/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.h - what happened last
 *
 * A ring of events: each port that was opened, how it ended, and each verdict that is worth a line
 * in the log. They are numbered from 0 on; the last HISTORY_SIZE are remembered.
 */
#ifndef PASVD_HISTORY_H
#define PASVD_HISTORY_H

#include "pasvd/engine.h"

enum { HISTORY_SIZE = 1024 };

struct history_event {
	uint64_t time;       /* ms since 1970 */
	const char *name;    /* "opened", "adopted", that of an ending, "refused", "verdict" */
	const char *reason;  /* its name, else NULL */
	const char *meaning; /* the reason's, else NULL */
	bool known;          /* client and server are valid; what does not count is all 0 */
	bool port;           /* announced and listener are */
	bool opened;         /* it is "opened": on_demand counts */
	bool on_demand;
	struct endpoint client, server, announced, listener;
};

/* All 0 to begin with. */
struct history {
	uint64_t count; /* events there were: the next one's number */
	struct history_event ring[HISTORY_SIZE];
};

/* Remembers what there is to say of a verdict, or of a port that has ended. False: there is
 * nothing. */
bool history_verdict(struct history *h, const struct verdict *v, uint64_t time);
void history_ended(struct history *h, const struct ended *e, uint64_t time);

/* Remembers an expectation of another router that was adopted. */
void history_adopted(struct history *h, const struct adopted *a, uint64_t time);

/* The number of the oldest event that is remembered; h->count if there is none. */
uint64_t history_first(const struct history *h);

/* Event number `i`, from history_first() on and below h->count. */
const struct history_event *history_at(const struct history *h, uint64_t i);

#endif
