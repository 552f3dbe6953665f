/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_netlink.h - struct ct_port, answered by the kernel
 *
 * Has a netlink socket of its own, so that no packet of a queue is ever in front of an answer.
 */
#ifndef PASVD_IO_CT_NETLINK_H
#define PASVD_IO_CT_NETLINK_H

#include "carrier.h"
#include "nl.h"
#include "pasvd/ct_port.h"

struct ct_netlink {
	struct nl nl;
	const struct carrier *carrier;
	_Alignas(struct nlmsghdr) uint8_t answer[NL_ANSWER_MAX];
};

/* 0 or -errno. `c` stays where it is until ct_netlink_close(). CAP_NET_ADMIN is needed with every request,
 * not only here. */
int ct_netlink_open(struct ct_netlink *c, const struct carrier *carrier);

/* Harmless on a zeroed *c and on one that ct_netlink_open() refused. */
void ct_netlink_close(struct ct_netlink *c);

/* Takes a connection that was asked for. */
typedef void ct_netlink_take_fn(void *data, const struct ct_view *view);

/* Hands on all connections that have the bits `mark` set, carry our helper and are established. 0 or -errno; those handed on
 * until then count. */
int ct_netlink_marked(struct ct_netlink *c, uint32_t mark, ct_netlink_take_fn *take, void *data);

/* Whether `c`, a struct ct_netlink, has the expectation; then also how many seconds are left of its time. */
bool ct_netlink_expected(void *c, const struct expect *e, uint32_t *ret_seconds);

/* The functions that the core is given. Each takes NL_WAIT_MS for one answer at most, which a kernel that
 * works gives at once. */
struct ct_port ct_netlink_port(struct ct_netlink *c);

#endif
