/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps.c - gaps in streams that nobody fills */
#include "pasvd/gaps.h"

#include "pasvd/seqadj.h"

#include "addr_hash.h"

bool gaps_went_past(struct gaps *g, const uint8_t *key, const struct tuple *t, uint32_t missing,
	uint32_t behind, uint64_t now)
{
	uint64_t who = tuple_hash(key, t);
	struct gap *gap = &g->gap[who % GAPS_SIZE];

	if (gap->who != who || gap->missing != missing || seq_after(gap->behind, behind))
		*gap = (struct gap){.who = who, .since = now, .missing = missing, .behind = behind};
	if (seq_after(behind, gap->behind))
		return false;
	gap->copies++;
	return gap->copies >= GAPS_COPIES && now - gap->since >= GAPS_WAIT_MS;
}
