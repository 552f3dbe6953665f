/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_load.h - loads, compares and removes rules
 *
 * Environment: IPTABLES, the command to use in place of iptables (iptables-legacy, iptables-nft, a
 * path); it also names those for IPv6 and their -restore. Each function returns the exit status;
 * after EXIT_FAILURE one line on stderr says why.
 */
#ifndef PASVD_RULES_LOAD_H
#define PASVD_RULES_LOAD_H

#include "rules_text.h"

enum { RULES_LINE_MAX = 256 };

/* Replaces what is loaded for the families of the rules. Of iptables a family that the rules are
 * not for stays as it is. When one family fails, what was loaded before is there again for both. */
int rules_load(const struct rules *r);

/* Removes what is loaded of both families, and the table of nft. */
int rules_remove(void);

/* Prints a line for each rule that is missing, and for each that should not be there; then the
 * status is EXIT_FAILURE. The rules are loaded in a network namespace that ends with it, so that
 * both sides are as the kernel lists them. */
int rules_diff(const struct rules *r);

/* The rules as they are listed when they are loaded, which is tried in such a namespace; free() it.
 * NULL after a line on stderr. */
char *rules_list_wanted(const struct rules *r);

/* How many lines of such a text are not loaded, and the first of them; or -errno. What is in a
 * table that iptables cannot show, since nft has put rules into it, counts as loaded. */
int rules_missing(const struct rules *r, const char *wanted, char ret_first[RULES_LINE_MAX]);

#endif
