/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_events.h - the kernel's events of expectations that have ended, or that others have made
 *
 * Functions return 0 or -errno; the caller says what went wrong.
 */
#ifndef PASVD_EXPECT_EVENTS_H
#define PASVD_EXPECT_EVENTS_H

#include "nl.h"
#include "pasvd/engine.h"

struct expect_events {
	struct nl nl;
	struct engine *engine;
	uint32_t ours;   /* portid of the socket with which we install and delete expectations */
	uint64_t now;    /* of the expect_events_read() at work */
	bool is_reading; /* what expect_events_read() does may call it again */
	uint64_t bursts; /* of events that found the socket full */
	_Alignas(struct nlmsghdr) uint8_t event[NL_BATCH_MAX][NL_ANSWER_MAX];
};

/* To be done before the queue is bound: a control connection that begins before has no events.
 * `engine` is used until expect_events_close(). Needs CAP_NET_ADMIN. */
int expect_events_open(struct expect_events *e, struct engine *engine, uint32_t ours);

/* Harmless on a zeroed *e and on one that expect_events_open() refused. */
void expect_events_close(struct expect_events *e);

int expect_events_fd(const struct expect_events *e);

/* Takes all events that wait; never waits itself. `now` as for engine_packet(). */
void expect_events_read(struct expect_events *e, uint64_t now);

#endif
