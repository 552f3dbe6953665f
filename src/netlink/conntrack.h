/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.h - struct ct_ops, answered by the kernel
 *
 * Has a netlink socket of its own, so that no packet of a queue is ever before an answer.
 */
#ifndef PASVD_CONNTRACK_H
#define PASVD_CONNTRACK_H

#include "ct_helper.h"
#include "nl.h"
#include "pasvd/ct_ops.h"

struct conntrack {
	struct nl nl;
	const struct ct_helper *ct_helper;
	_Alignas(struct nlmsghdr) uint8_t answer[NL_ANSWER_MAX];
};

/* 0 or -errno. `c` stays where it is until conntrack_close(). CAP_NET_ADMIN is needed with every
 * request, not only here. */
int conntrack_open(struct conntrack *c, const struct ct_helper *ct_helper);

/* Harmless on a zeroed *c and on one that conntrack_open() refused. */
void conntrack_close(struct conntrack *c);

/* Takes a connection that was asked for. */
typedef void conntrack_take_fn(void *data, const struct ct_view *view);

/* Hands on all connections that have the bits `mark` set, carry our helper and are established. 0
 * or -errno; those handed on until then count. */
int conntrack_marked(struct conntrack *c, uint32_t mark, conntrack_take_fn *take, void *data);

/* Takes an expectation that was asked for; its zones are 0. */
typedef void conntrack_expect_fn(void *data, const struct expect *e);

/* Hands on all expectations for TCP that the kernel has, whosever they are. Likewise. */
int conntrack_expectations(struct conntrack *c, conntrack_expect_fn *take, void *data);

/* Whether `c`, a struct conntrack, has the expectation; then also how many seconds are left of its
 * time. */
bool conntrack_expected(void *c, const struct expect *e, uint32_t *ret_seconds);

/* The functions that the core is given. Each takes NL_WAIT_MS for one answer at most, which a
 * kernel that works gives at once. */
struct ct_ops conntrack_ops(struct conntrack *c);

#endif
