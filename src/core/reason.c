/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.c - names and meanings of the reasons, out of the list in reason.h */
#include "pasvd/reason.h"
#include "pasvd/array.h"

#include <assert.h>

static const struct {
	const char *name, *meaning;
	enum reason_level level;
} reasons[] = {
#define REASON_ROW(id, name, level, meaning) {name, meaning, REASON_LEVEL_##level},
	REASONS(REASON_ROW)
#undef REASON_ROW
};

static_assert(ARRAY_SIZE(reasons) == REASON_COUNT, "one row a reason");

const char *reason_name(enum reason r)
{
	return reasons[r].name;
}

const char *reason_meaning(enum reason r)
{
	return reasons[r].meaning;
}

enum reason_level reason_level(enum reason r)
{
	return reasons[r].level;
}

const char *reason_level_name(enum reason_level level)
{
	static const char *const names[] = {[REASON_LEVEL_ERR] = "err",
		[REASON_LEVEL_WARNING] = "warning",
		[REASON_LEVEL_INFO] = "info",
		[REASON_LEVEL_DEBUG] = "debug"};

	return names[level];
}

const char *reason_event(enum reason reason)
{
	return reason_level(reason) <= REASON_LEVEL_WARNING ? "refused" : "verdict";
}
