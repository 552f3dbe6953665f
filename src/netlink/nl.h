/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nl.h - a netlink socket of nfnetlink
 *
 * Messages go out as bytes that somebody else has built (nfq_msg.h, ct_msg.h) and come in as
 * messages whose header has been checked. Functions return 0 or -errno and never wait for longer
 * than NL_WAIT_MS, or nl_set_wait(), for one datagram.
 */
#ifndef PASVD_NL_H
#define PASVD_NL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	NL_WAIT_MS = 1000,
	NL_REQUESTS_MAX = 4, /* in one nl_request() */
	/* datagrams read for one nl_request(): packets may be queued before the answer */
	NL_READS_MAX = 4096,
	NL_BATCH_MAX = 16,    /* datagrams read at once */
	NL_ANSWER_MAX = 8192, /* the kernel's NLMSG_GOODSIZE: no answer of ctnetlink is longer */
};

/* Takes one message that is neither an acknowledgement nor an error. MNL_CB_OK: more answers to
 * this request will come. MNL_CB_STOP: that was its last. MNL_CB_ERROR: it cannot be understood.
 * The message lies in nl->buf. */
typedef int nl_take_fn(const struct nlmsghdr *nlh, void *data);

struct nl {
	struct mnl_socket *sock;
	uint32_t portid;
	uint32_t seq; /* of the last request */

	uint8_t *buf; /* datagrams are received here; the owner's memory */
	size_t cap;

	/* Takes what nobody asked for, above all packets of a queue (NULL: it is skipped). Errors
	 * too: a verdict that is refused is answered although no answer was asked for. The result
	 * does not matter.
	 */
	nl_take_fn *unasked;
	void *unasked_data;
};

/* Opens the socket; `buf` of `cap` bytes, aligned as struct nlmsghdr, is used until nl_close(). A
 * datagram that does not fit is lost: NL_ANSWER_MAX for ctnetlink, NFQ_MSG_PACKET_MAX for a
 * queue. */
int nl_open(struct nl *nl, void *buf, size_t cap);

/* Harmless on a zeroed *nl and on one that nl_open() refused. */
void nl_close(struct nl *nl);

int nl_fd(const struct nl *nl);

/* For the socket of a queue: room for `bytes` of packets (more than net.core.rmem_max is allowed to
 * CAP_NET_ADMIN), and no ENOBUFS if that is not enough: the queue's fail-open rule applies then. */
int nl_receive_much(struct nl *nl, int bytes);

/* Has the messages of multicast group `group` (NFNLGRP_*) come to nl->unasked, too. What finds the
 * socket full is lost, and the next nl_dispatch_batch() says -ENOBUFS once. */
int nl_join(struct nl *nl, int group);

/* Sends messages that need no answer, in one datagram. */
int nl_send(struct nl *nl, const void *msgs, size_t len);

/* Sends the `n` messages in `msgs` (each at a multiple of 4, `len` bytes together) in one datagram
 * and reads until each has its answer: result[i] is 0 or -errno. Data goes to `take`. Their
 * sequence numbers are set here; answers to older requests are skipped, other messages go to
 * nl->unasked. Returns 0, or -errno if an answer is missing (-ETIMEDOUT, -ENOBUFS …): its result is
 * -EINPROGRESS. */
int nl_request(
	struct nl *nl, void *msgs, size_t len, int *result, size_t n, nl_take_fn *take, void *data);

/* The same for one message. `len`: its length, or the -errno of the function that built it. Returns
 * the first error of building, sending and the answer, or 0. */
int nl_ask(struct nl *nl, void *msg, ssize_t len, nl_take_fn *take, void *data);

/* A read waits for `ms` at most, in place of NL_WAIT_MS. */
int nl_set_wait(struct nl *nl, int ms);

/* Reads up to `n` datagrams, NL_BATCH_MAX at most, with one system call, and hands what is in them
 * to nl->unasked. The owner's memory has `n` times nl->cap bytes. Returns how many there were, or
 * -errno; -EAGAIN: none. Waits for the first one only if it `waits`, and never for another. */
int nl_dispatch_batch(struct nl *nl, unsigned int n, bool waits);

/* The error in an NLMSG_ERROR: -errno, 0 for an acknowledgement. 1: the message is not an
 * NLMSG_ERROR. */
int nl_error(const struct nlmsghdr *nlh);

#endif
