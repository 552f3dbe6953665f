/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_status.h - what `pasvd rules watch` knows of the rules, for pasvctl
 *
 * While the state of the rules is known there is a file for their network namespace, which anybody
 * may read: {"state":"missing","since_us":1700000000000000}. The watcher has a lock of fcntl(2) on
 * it, so a file without one is what a watcher left that was killed.
 */
#ifndef PASVD_RULES_STATUS_H
#define PASVD_RULES_STATUS_H

#include <stdint.h>

/* With the number of the network namespace. */
#define RULES_STATUS_PATH "/run/pasvd-rules/%ju.json"
enum { RULES_STATUS_PATH_MAX = 64 };

enum rules_status {
	RULES_STATUS_UNKNOWN,
	RULES_STATUS_LOADED,
	RULES_STATUS_MISSING,
	RULES_STATUS_GIVEN_UP,   /* missing, and not loaded again for a while */
	RULES_STATUS_REMOVED,    /* by `pasvd rules remove` */
	RULES_STATUS_LEFT_ALONE, /* `pasvd rules load` loaded others, which are not watched */
};

/* The number of the network namespace that the process is in, as its folder in /proc has it; 0:
 * not known. */
uintmax_t rules_status_netns(void);

/* Writes the file, or deletes it if the state is unknown. Its folder is that of rules_state.h. */
void rules_status_set(enum rules_status status);

#endif
