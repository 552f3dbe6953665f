/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ending.c - how a port that was opened ended
 *
 * To the kernel a use looks like an end together with the control connection, but for that
 * connection; and a use in the last second like an end of the time, but for the clock
 * (tests/platform/expect_events.c). It looks at its timers some time after they are due, up to 1/8
 * of what they were set to, or later still: a use between the two would be taken for an end of the
 * time. So pasvd does not wait for that, but shuts the port a moment before: engine_expire().
 */
#include "pasvd/ending.h"
#include "pasvd/array.h"

#include <assert.h>

static const char *const names[] = {
#define ENDING_NAME(id, name, meaning) name,
	ENDINGS(ENDING_NAME)
#undef ENDING_NAME
};

static_assert(ARRAY_SIZE(names) == ENDING_COUNT, "one name an ending");

const char *ending_name(enum ending e)
{
	return names[e];
}

enum ending ending_of(uint32_t seconds, bool late, bool requested)
{
	if (requested)
		return ENDING_DELETED;
	return seconds == 0 && late ? ENDING_EXPIRED : ENDING_USED;
}
