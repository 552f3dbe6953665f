/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate.h - so many a second, and a count of what was too much
 *
 * Pure: the time is a parameter. What one second leaves over is not added to the next.
 */
#ifndef PASVD_RATE_H
#define PASVD_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* All 0 to begin with. */
struct rate {
	uint64_t second;
	uint64_t taken, left_out; /* in that second */
};

/* Whether there is one more in `second`, of `max` in all, which may be another number each time.
 * *ret_left_out: how many were too many in the last second in which one was asked for. The first
 * call in a second returns that, all others 0. */
bool rate_take(struct rate *r, uint64_t second, uint64_t max, uint64_t *ret_left_out);

#endif
