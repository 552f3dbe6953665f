/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.h - `pasvd rules`: the rule set for iptables-restore or nft, filled in */
#ifndef PASVD_RULES_H
#define PASVD_RULES_H

#include "conf.h"

#define RULES_USAGE                                                                                \
	"pasvd rules [--wan INTERFACE [--wan INTERFACE]...|--public ADDRESS\n"                     \
	"                   --server ADDRESS [--port PORT[:PORT]]...]\n"                           \
	"                   [--clients INTERFACE] [-4|-6] [--queue NUMBER] [--config FILE]\n"      \
	"                   [--nft] [--check|--remove]"

/* Returns what `CT --helper` and `-m helper` are given, or NULL after a line on stderr. */
typedef const struct ct_helper *rules_ct_helper_fn(enum ct_helper_wanted wanted);

/* Prints to stdout, or becomes `pasvd-rules check`; conf->argv has the subcommand's own name and
 * its options. The ct helper is asked for when the options are right and rules are wanted, not their
 * removal or the usage. Returns the exit status: 0, 1 if there is no ct helper or stdout cannot be
 * written, 2 for wrong arguments or a wrong configuration. After 1 and 2 one line on stderr says
 * why. */
int rules_main(const struct conf *conf, rules_ct_helper_fn *ct_helper);

#endif
