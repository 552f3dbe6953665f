/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adopt.h - expectations of another router's pasvd, which came here without their NAT
 *
 * conntrackd replicates an expectation to the router that stands by, but not its NAT. There this
 * module computes it.
 */
#ifndef PASVD_ADOPT_H
#define PASVD_ADOPT_H

#include "pasvd/engine.h"

/* Of whichever program the expectation is that the kernel has: if its master is a control
 * connection of ours, is translated, and the expectation is not, then it gets its NAT, or is
 * removed. h->on_adopted() is told which. `is_event`: it is new, and may be one that conntrackd
 * sends to and fro. */
void adopt_expect(struct engine *h, const struct expect *found, bool is_event, uint64_t now);

#endif
