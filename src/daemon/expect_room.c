/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_room.c - whether the kernel has room for the ports that the limits allow
 *
 * The kernel has room for nf_conntrack_expect_max expectations of all clients together: 4096 by
 * default, but 256 where there is little memory. There the default limit lets one client take
 * all. It is not lowered: how many clients share the table is known to the admin alone.
 */
#include "expect_room.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"

#define EXPECT_MAX "net.netfilter.nf_conntrack_expect_max"

/* 0: not known. */
static unsigned long expect_room_max(void)
{
	FILE *file = fopen("/proc/sys/net/netfilter/nf_conntrack_expect_max", "re");
	char text[32] = "";
	unsigned long max = 0;

	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		max = strtoul(text, NULL, 10);
	fclose(file);
	return max;
}

void expect_room_check(uint32_t open_ports)
{
	unsigned long max = expect_room_max();

	if (!max || (open_ports && open_ports <= max / 2))
		return;
	log_at(REASON_LEVEL_WARNING, "expectations",
		"[limits] open-ports-per-client=%" PRIu32 "%s: a single client can have more than "
		"half of the ports that the kernel has room for, " EXPECT_MAX "=%lu; "
		"lower the one or raise the other",
		open_ports, open_ports ? "" : " is no limit", max);
}
