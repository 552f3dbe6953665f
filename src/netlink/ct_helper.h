/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_helper.h - which helper the master carries
 *
 * The kernel gives expectations only to connections that carry a conntrack helper. The rules attach
 * one in raw PREROUTING (CT --helper NAME); it does nothing but be there. That helper is the
 * ct helper.
 */
#ifndef PASVD_CT_HELPER_H
#define PASVD_CT_HELPER_H

#include <stdbool.h>

struct ct_helper {
	const char *name;   /* as the rules and ctnetlink call it */
	const char *module; /* that brings it */
	/* Packets are queued in raw PREROUTING, so conntrack sees them rewritten, and has to be
	 * liberal about it; else in mangle PREROUTING, after conntrack. */
	bool before_conntrack;
};

/* CT_HELPER_AUTO: the first that the kernel has. */
enum ct_helper_wanted { CT_HELPER_AUTO, CT_HELPER_SANE, CT_HELPER_OWN };

/* The ct helper that is wanted, if the kernel has it; a module that can be loaded is loaded, and a
 * helper of our own registered. *ret_ct_helper is static. -EOPNOTSUPP: there is none, -EPERM:
 * CAP_NET_ADMIN is missing, or another -errno; one line about it is logged. */
int ct_helper_choose(enum ct_helper_wanted wanted, const struct ct_helper **ret_ct_helper);

/* The same without a line in the log. */
int ct_helper_find(enum ct_helper_wanted wanted, const struct ct_helper **ret_ct_helper);

/* The ct helper of that name, NULL: there is none. */
const struct ct_helper *ct_helper_named(const char *name);

#endif
