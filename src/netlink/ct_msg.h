/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_msg.h - netlink bytes of ctnetlink to and from the core's structs, no sockets
 *
 * Kernel source: net/netfilter/nf_conntrack_netlink.c. Buffers are aligned as struct nlmsghdr. An
 * encoder writes one whole message into `buf` of `cap` bytes and returns its length, always a
 * multiple of 4. -EMSGSIZE: not enough room; -EAFNOSUPPORT: an address without a family, or two of
 * different ones. Then what is in `buf` is undefined.
 */
#ifndef PASVD_CT_MSG_H
#define PASVD_CT_MSG_H

#include "pasvd/ct_ops.h"

#include <sys/types.h>

enum { CT_MSG_MAX = 512 }; /* room enough for any one message of an encoder */

/* Identifies an expectation. */
struct ct_expect_id {
	struct tuple master; /* original direction; zone 0: ctnetlink does not report it */
	uint32_t id;         /* CTA_EXPECT_ID */
	uint32_t seconds;    /* left of its time */
};

/* Asks for the connection one of whose directions is `t`. Answered by one message for
 * ct_msg_parse_view(), or by an error: ENOENT. */
ssize_t ct_msg_put_get(void *buf, size_t cap, const struct tuple *t);

/* Sets the sequence adjustment of direction `dir` of the connection one of whose directions is
 * `master`; the other direction's stays as it is. Acknowledged also if it has no effect: a
 * connection without NAT, or without a helper when it began, has no room for an adjustment.
 * `liberal`: from then on conntrack takes no segment of the connection for invalid because of its
 * sequence numbers. */
ssize_t ct_msg_put_seqadj(void *buf, size_t cap, const struct tuple *master, enum dir dir,
	const struct seqadj *a, bool liberal);

/* Sets the bits `mask` of the mark of the connection one of whose directions is `master`.
 * Acknowledged if it is to be `answered`; a refusal always is answered. */
ssize_t ct_msg_put_mark(void *buf, size_t cap, const struct tuple *master, uint32_t value,
	uint32_t mask, bool answered);

/* Asks for all TCP connections of family AF_* that have the bits `mark` set, each answered as by
 * ct_msg_put_get(). */
ssize_t ct_msg_put_dump_marked(void *buf, size_t cap, uint8_t family, uint32_t mark);

/* Installs the expectation. Acknowledged, or EEXIST: an expectation of whatever connection takes
 * that tuple already, EBUSY: one overlaps with it, EOPNOTSUPP: the master carries no helper,
 * ENOENT: there is no master. */
ssize_t ct_msg_put_expect(void *buf, size_t cap, const struct expect *e);

/* Sets how long the expectation that takes e->tuple goes on living, whosever it is: e->seconds.
 * Acknowledged, or ENOENT. */
ssize_t ct_msg_put_expect_life(void *buf, size_t cap, const struct expect *e);

/* Asks for the expectation that takes e->tuple: one message for ct_msg_parse_expect(), or
 * ENOENT. */
ssize_t ct_msg_put_expect_get(void *buf, size_t cap, const struct expect *e);

/* Asks for the expectations of a connection, by its original tuple: messages for
 * ct_msg_parse_expected(), and an end. */
ssize_t ct_msg_put_expect_dump(void *buf, size_t cap, const struct tuple *master);

/* Asks for all expectations, likewise. */
ssize_t ct_msg_put_expect_dump_all(void *buf, size_t cap);

/* Deletes the expectation that takes e->tuple if it is the one with that id, else ENOENT. */
ssize_t ct_msg_put_expect_del(void *buf, size_t cap, const struct expect *e, uint32_t id);

/* Asks whether the kernel has the helper `name` for TCP over IPv4, and has it loaded if it can be.
 * The answer is always an error: EBUSY if it has it, EOPNOTSUPP if not. */
ssize_t ct_msg_put_probe(void *buf, size_t cap, const char *name);

/* Reads a connection from the message in `msg` of `len` bytes; it has_helper if it carries the one
 * `ct_helper`. -1: not a TCP connection, or malformed; *ret_view is untouched. */
int ct_msg_parse_view(const void *msg, size_t len, const char *ct_helper, struct ct_view *ret_view);

/* Reads whose expectation it is. -1: likewise. */
int ct_msg_parse_expect(const void *msg, size_t len, struct ct_expect_id *ret_id);

/* Reads the whole expectation, as ct_msg_parse_expect_end(); also the event of a new one. */
int ct_msg_parse_expected(const void *msg, size_t len, struct expect *ret_expect);

/* Reads the event of an expectation's end; ret_expect->seconds were left, zones are 0: ctnetlink
 * does not report them. -1: not one of TCP with NAT, or malformed; *ret_expect is untouched. */
int ct_msg_parse_expect_end(const void *msg, size_t len, struct expect *ret_expect);

#endif
