/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate.c - so many a second, and a count of what was too much */
#include "rate.h"

bool rate_take(struct rate *r, uint64_t second, uint64_t max, uint64_t *ret_left_out)
{
	bool within;

	*ret_left_out = 0;
	if (second != r->second) {
		*ret_left_out = r->left_out;
		*r = (struct rate){.second = second};
	}
	within = r->taken < max;
	r->taken += within;
	r->left_out += !within;
	return within;
}
