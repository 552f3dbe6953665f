/* SPDX-License-Identifier: GPL-2.0-or-later */
/* takeover.h - what other daemons have left in the kernel: this router's last one, or another
 * router's by conntrackd
 */
#ifndef PASVD_TAKEOVER_H
#define PASVD_TAKEOVER_H

#include "conntrack.h"
#include "pasvd/engine.h"

/* Takes the control connections that are marked as TLS if data ports are on demand, and the
 * expectations that came without their NAT. False: the log says what failed. */
bool takeover_inherit(struct engine *h, struct conntrack *ct);

#endif
