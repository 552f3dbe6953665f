/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deadlines.h - which number's time is up first
 *
 * A heap: setting and removing one costs the logarithm of how many there are.
 */
#ifndef PASVD_DEADLINES_H
#define PASVD_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

#define DEADLINES_NONE UINT64_MAX

struct deadline {
	uint64_t time;
	uint32_t i;
};

struct deadlines {
	uint32_t n;
	struct deadline *heap; /* of the caller, as the next one: room for each number */
	uint32_t *place;       /* by number: its place in the heap, from 1; else anything */
};

void deadlines_init(struct deadlines *d, struct deadline *heap, uint32_t *place);

/* The time of number `i`, which may have one already. */
void deadlines_set(struct deadlines *d, uint32_t i, uint64_t time);

/* Number `i` has no time, if it had one. */
void deadlines_clear(struct deadlines *d, uint32_t i);

/* The earliest time, DEADLINES_NONE if there is none; *ret_i is whose it is, else untouched. */
uint64_t deadlines_first(const struct deadlines *d, uint32_t *ret_i);

#endif
