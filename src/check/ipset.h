/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset.h - the sets that rules of iptables name, from what `ipset save` prints */
#ifndef PASVD_IPSET_H
#define PASVD_IPSET_H

#include "ruleset.h"

/* Whether a rule names one. */
bool ipset_any(const struct ruleset *rs);

/* Gives the rules the sets' elements. A rule whose sets are not all understood stays unsure. */
void ipset_resolve(struct ruleset *rs, const char *saved);

#endif
