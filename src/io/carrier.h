/* SPDX-License-Identifier: GPL-2.0-or-later */
/* carrier.h - which helper the master carries
 *
 * The kernel gives expectations only to connections that carry a conntrack helper. The rules attach one in
 * raw PREROUTING (CT --helper NAME); it does nothing but be there. That helper is the carrier.
 */
#ifndef PASVD_IO_CARRIER_H
#define PASVD_IO_CARRIER_H

#include <stdbool.h>

struct carrier {
	const char *name;   /* as the rules and ctnetlink call it */
	const char *module; /* that brings it */
	/* Packets are queued in raw PREROUTING, so conntrack sees them rewritten, and has to be liberal about it; else in
	 * mangle PREROUTING, behind conntrack. */
	bool before_conntrack;
};

/* CARRIER_AUTO: the first that the kernel has. */
enum carrier_wanted { CARRIER_AUTO, CARRIER_SANE, CARRIER_OWN };

/* The carrier that is wanted, if the kernel has it; a module that can be loaded is loaded, and a helper of our own
 * registered. *ret_carrier is static. -EOPNOTSUPP: there is none, -EPERM: CAP_NET_ADMIN is missing, or another -errno; one
 * line about it is logged. */
int carrier_choose(enum carrier_wanted wanted, const struct carrier **ret_carrier);

/* The same without a line in the log. */
int carrier_find(enum carrier_wanted wanted, const struct carrier **ret_carrier);

/* The carrier of that name, NULL: there is none. */
const struct carrier *carrier_named(const char *name);

#endif
