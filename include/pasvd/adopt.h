/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adopt.h - expectations of another router's pasvd, which came here without their NAT
 *
 * conntrackd replicates an expectation to the router that stands by, but not its NAT. There this
 * module computes it.
 */
#ifndef PASVD_ADOPT_H
#define PASVD_ADOPT_H

#include "pasvd/engine.h"

/* `found`: an expectation that the kernel has, of any program; its zones are not looked at. If its
 * master is a control connection of ours that is translated, and it has no NAT itself, it gets its
 * NAT or is removed, and h->on_adopted() gets the result. `is_event`: the kernel reports it as new.
 * The events of one that conntrackd sends to and fro are followed a few times only. `now`: ms. */
void adopt_expect(struct engine *h, const struct expect *found, bool is_event, uint64_t now);

#endif
