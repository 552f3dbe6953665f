/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch.h - rules loaded where nothing else is
 *
 * A network namespace is made for them, which goes when they have been read back. So what the
 * kernel and iptables take, and how they print it, is known without touching the router.
 */
#ifndef PASVD_SCRATCH_H
#define PASVD_SCRATCH_H

#include "child.h"

/* Goes to a new network namespace. A descriptor of the one that was left, or -errno: nothing has
 * changed. */
int scratch_enter(void);

/* Goes back and closes the descriptor; ends the program if that fails. */
void scratch_leave(int home);

/* Loads `text` with `command`-restore and reads it back with `command`-save. 0, or -errno if that
 * cannot be tried, or the exit status of the one that failed; ret_saved->complaint says why,
 * ret_saved->text is to be freed. */
int scratch_load(const char *command, const char *text, struct output *ret_saved);

#endif
