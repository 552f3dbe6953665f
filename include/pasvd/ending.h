/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ending.h - how a port that was opened ended
 *
 * One list, as in reason.h: the enum, the counters, the log and the documentation are made from it.
 * Each port that is opened ends once, in one of these ways.
 */
#ifndef PASVD_ENDING_H
#define PASVD_ENDING_H

#include <stdbool.h>
#include <stdint.h>

/*       name        meaning */
#define ENDINGS(X)                                                                                 \
	X(USED, "used", "the first packet of the expected connection came")                        \
	X(EXPIRED, "expired", "nobody came in time")                                               \
	X(REPLACED, "replaced", "the session negotiated another port before this one was used")    \
	X(CANCELLED, "cancelled",                                                                  \
		"the server refused the PORT or EPRT, said 221, or agreed to TLS")                 \
	X(ORPHANED, "orphaned", "conntrack forgot the control connection")                         \
	X(DELETED, "deleted", "another program deleted the expectation")

enum ending {
#define ENDING_ENUM(id, name, meaning) ENDING_##id,
	ENDINGS(ENDING_ENUM)
#undef ENDING_ENUM
		ENDING_COUNT
};

/* Never NULL for e < ENDING_COUNT; static strings. */
const char *ending_name(enum ending e);

/* How an expectation ended of which the kernel says no more than that it did, with `seconds` left.
 * `late`: by our clock its time is up. `requested`: some program asked for the end, other than we.
 * ENDING_USED may as well be ENDING_ORPHANED: by that the control connection differs. */
enum ending ending_of(uint32_t seconds, bool late, bool requested);

#endif
