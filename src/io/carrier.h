/* SPDX-License-Identifier: GPL-2.0-or-later */
/* carrier.h - which helper the master carries
 *
 * The kernel gives expectations only to connections that carry a conntrack helper. The rules attach one in
 * raw PREROUTING (CT --helper NAME); it does nothing but be there. That helper is the carrier.
 */
#ifndef PASVD_IO_CARRIER_H
#define PASVD_IO_CARRIER_H

struct carrier {
	const char *name;   /* as the rules and ctnetlink call it */
	const char *module; /* that brings it */
};

/* The first carrier that the kernel has; a module that can be loaded is loaded. *ret_carrier is static.
 * -EOPNOTSUPP: there is none, -EPERM: CAP_NET_ADMIN is missing, or another -errno; one line about it is
 * logged. */
int carrier_choose(const struct carrier **ret_carrier);

/* The same without a line in the log. */
int carrier_find(const struct carrier **ret_carrier);

#endif
