/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_due.h - when `pasvd rules watch` looks at the rules, and when it stops to load them
 *
 * A firewall changes many rules one after the other, and is left alone until it has done so: a
 * chain of ours that comes between its `iptables -F` and `iptables -X` has the latter fail. So
 * after a deletion the rules are looked at once nothing at all has changed for RULES_DUE_QUIET_MS,
 * at the latest RULES_DUE_LATEST_MS after the first one. Who removes them again and again wins:
 * after RULES_DUE_LOADS loads within RULES_DUE_WITHIN_MS there is a rest of RULES_DUE_REST_MS, in
 * which nothing is looked at, nor after it while a firewall is at work. Times are ms of one clock,
 * and never 0.
 */
#ifndef PASVD_RULES_DUE_H
#define PASVD_RULES_DUE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RULES_DUE_QUIET_MS = 2000,
	RULES_DUE_LATEST_MS = 60000,
	RULES_DUE_LOADS = 5,
	RULES_DUE_WITHIN_MS = 60000,
	RULES_DUE_REST_MS = 300000,
};

/* Zeroed: nothing is due. */
struct rules_due {
	uint64_t first;                 /* deletion since the last look; 0: there was none */
	uint64_t last;                  /* change after it */
	uint64_t rest_until;            /* 0: no rest */
	uint64_t load[RULES_DUE_LOADS]; /* when the last ones were; 0: never */
	unsigned int oldest;            /* of these */
};

/* Something was deleted. */
void rules_due_deletion(struct rules_due *d, uint64_t now);

/* Something was changed by which no rule of ours can be lost. */
void rules_due_change(struct rules_due *d, uint64_t now);

/* Whether a look waits for the end of changes. */
bool rules_due_waits(const struct rules_due *d);

/* When to look next, or 0 if nothing is due. */
uint64_t rules_due_at(const struct rules_due *d);

/* Begins a look: changes from now on are for the next one. */
void rules_due_look(struct rules_due *d);

/* Whether the rules may be loaded, which counts; false: a rest has begun. */
bool rules_due_load(struct rules_due *d, uint64_t now);

/* Ends a rest, and forgets the loads. */
void rules_due_forgive(struct rules_due *d);

#endif
