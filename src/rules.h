/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.h - `pasvd rules`: the rule set for iptables-restore, filled in */
#ifndef PASVD_RULES_H
#define PASVD_RULES_H

/* Prints to stdout; `argv[0]` is the subcommand's own name, options follow. `carrier_name` is what `CT
 * --helper` and
 * `-m helper` are given. Returns the exit status: 0, 1 if stdout cannot be written, 2 for wrong arguments.
 * After 1 and 2 one line on stderr says why. */
int rules_main(int argc, char **argv, const char *carrier_name);

#endif
