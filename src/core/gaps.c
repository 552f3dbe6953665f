/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps.c - gaps in streams that nobody fills */
#include "pasvd/gaps.h"

#include "pasvd/seqadj.h"

#include "addr_hash.h"

bool gaps_went_past(struct gaps *g, const uint8_t *key, const struct tuple *t, uint32_t first,
	uint32_t end, uint64_t now)
{
	uint64_t who = tuple_hash(key, t);
	struct gap *gap = &g->gap[who % GAPS_SIZE];

	if (gap->who != who || gap->first != first || seq_after(gap->end, end))
		*gap = (struct gap){.who = who, .since = now, .first = first, .end = end};
	if (seq_after(end, gap->end))
		return false;
	gap->copies++;
	return gap->copies >= GAPS_COPIES && now - gap->since >= GAPS_LAST_MS;
}
