/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h - what may be opened
 *
 * An announcement and what conntrack knows of its connection give an expectation, or the reason why not. The
 * only place that knows what passes. Pure: same input, same answer.
 */
#ifndef PASVD_POLICY_H
#define PASVD_POLICY_H

#include "pasvd/ct_port.h"
#include "pasvd/ftp.h"
#include "pasvd/reason.h"

enum {
	POLICY_LOWEST_PORT = 1024,
	POLICY_PORT_TRIES = 16, /* announced ports tried on a clash, the server's own included */
};

struct plan {
	struct endpoint announce; /* what the client is told */
	struct expect expect;     /* expect.tuple.dst == announce */
};

/* REASON_OPENED: *ret_plan is filled in, for the server's own port. Any other reason: untouched. */
enum reason policy_plan(const struct ftp_reply *offer, const struct ct_view *view, struct plan *ret_plan);

/* Moves the plan to the next port after a clash: 65535 is followed by POLICY_LOWEST_PORT. */
void policy_next_port(struct plan *plan);

#endif
