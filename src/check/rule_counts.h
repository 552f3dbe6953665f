/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule_counts.h - rules that count: packets in a time, connections of a host, bytes
 *
 * Whom such a rule is for has been decided by somebody, as long as there is a decision to be made:
 * of no connection at all, and of a limit that any transfer exceeds, it is known what becomes of
 * FTP, or not certain.
 */
#ifndef PASVD_RULE_COUNTS_H
#define PASVD_RULE_COUNTS_H

#include "ruleset.h"

/* So many packets, or bytes, in a time whose name begins with s, m, h or d. Whether it is for those
 * below or above makes no difference. */
void rule_counts_rate(struct rule *r, uint64_t n, const char *time, bool bytes);

/* `above`: it is for those above so many, else for all others. */
void rule_counts_connections(struct rule *r, uint64_t n, bool above);

/* Of `n` bytes so many are used. */
void rule_counts_bytes(struct rule *r, uint64_t n, uint64_t used, bool above);

/* What that says of such packets. */
enum tri rule_counts_match(const struct rule *r, const struct rule_packet *p);

#endif
