/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nl.c - a netlink socket of nfnetlink
 *
 * Theory of operation. nfnetlink works on a request while sendmsg() lasts, so its answer is in the
 * socket's queue when sendmsg() returns, after whatever was there. nl_request() numbers its
 * messages, sends them, and reads until each number has come back. What carries an older number is
 * the late answer to a request that was given up. What carries none of ours was not asked for; on
 * the socket of a queue that is a packet, which somebody has to give a verdict, so it is handed on
 * and never thrown away.
 *
 * Nothing can hang: a read waits for NL_WAIT_MS at most, or as nl_set_wait() says (SO_RCVTIMEO),
 * and the number of reads is bounded.
 *
 * NETLINK_CAP_ACK keeps the kernel from sending the request back with its error. NETLINK_EXT_ACK is
 * not asked for: ctnetlink and nfnetlink_queue hardly ever say more than the errno.
 *
 * Does not look into messages, does not log, does not retry a request.
 */
#include "nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { INTERRUPTIONS_MAX = 16 }; /* signals during one system call */

/* The requests that wait for their answer. */
struct pending {
	uint32_t first; /* sequence number of result[0] */
	size_t n, left;
	int *result;
	bool done[NL_REQUESTS_MAX];
	nl_take_fn *take;
	void *data;
};

int nl_set_wait(struct nl *nl, int ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	return setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ? -errno : 0;
}

static int nl_set_options(struct nl *nl)
{
	int on = 1, err = nl_set_wait(nl, NL_WAIT_MS);

	if (err)
		return err;
	if (mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

int nl_open(struct nl *nl, void *buf, size_t cap)
{
	int err;

	memset(nl, 0, sizeof(*nl));
	nl->buf = buf;
	nl->cap = cap;
	nl->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl->sock)
		return -errno;

	err = mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : nl_set_options(nl);
	if (err)
		nl_close(nl);
	else
		nl->portid = mnl_socket_get_portid(nl->sock);
	return err;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

int nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

int nl_receive_much(struct nl *nl, int bytes)
{
	int on = 1;

	if (setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
		setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	if (mnl_socket_setsockopt(nl->sock, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

int nl_join(struct nl *nl, int group)
{
	return mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

int nl_send(struct nl *nl, const void *msgs, size_t len)
{
	for (int i = 0; i < INTERRUPTIONS_MAX; i++) {
		if (mnl_socket_sendto(nl->sock, msgs, len) >= 0)
			return 0;
		if (errno != EINTR)
			break;
	}
	return -errno;
}

/* One datagram into nl->buf: its length or -errno. */
static ssize_t nl_receive(struct nl *nl)
{
	ssize_t n;

	for (int i = 0; i < INTERRUPTIONS_MAX; i++) {
		n = recv(nl_fd(nl), nl->buf, nl->cap, MSG_TRUNC);
		if (n >= 0)
			return (size_t)n > nl->cap ? -EMSGSIZE : n;
		if (errno != EINTR)
			break;
	}
	return -errno;
}

int nl_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != NLMSG_ERROR)
		return 1;
	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*e)))
		return -EBADMSG;
	return e->error <= 0 ? e->error : -EBADMSG;
}

static void nl_settle(struct pending *p, size_t i, int result)
{
	p->result[i] = result;
	p->done[i] = true;
	p->left--;
}

/* Without CAP_NET_ADMIN nfnetlink_rcv() refuses a datagram as a whole: it answers the first message
 * only. */
static void nl_settle_all(struct pending *p, int result)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!p->done[i])
			nl_settle(p, i, result);
	}
}

/* The kernel answers in order: what it was not asked to acknowledge has succeeded if it has
 * answered a later request. */
static void nl_settle_before(struct pending *p, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (!p->done[j])
			nl_settle(p, j, 0);
	}
}

static void nl_take_answer(struct pending *p, size_t i, const struct nlmsghdr *nlh)
{
	int err = nl_error(nlh);
	int more;

	nl_settle_before(p, i);
	if (nlh->nlmsg_type == NLMSG_DONE)
		err = 0;
	if (i == 0 && err == -EPERM)
		nl_settle_all(p, err);
	else if (err <= 0)
		nl_settle(p, i, err);
	if (err <= 0)
		return;
	more = p->take ? p->take(nlh, p->data) : MNL_CB_ERROR;
	if (more != MNL_CB_OK)
		nl_settle(p, i, more == MNL_CB_STOP ? 0 : -EBADMSG);
}

/* Is it an answer to a request of this socket, though perhaps an old one? Answers carry the
 * socket's portid and a number that was given out; packets of a queue carry 0 and 0, answers to
 * verdicts the number 0. */
static bool is_answer(const struct nl *nl, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_pid == nl->portid && nlh->nlmsg_seq != 0;
}

static void nl_take_message(struct nl *nl, struct pending *p, const struct nlmsghdr *nlh)
{
	size_t i = p ? (size_t)(nlh->nlmsg_seq - p->first) : 0;

	if (!is_answer(nl, nlh)) {
		if (nl->unasked)
			nl->unasked(nlh, nl->unasked_data);
	} else if (p && i < p->n && !p->done[i]) {
		nl_take_answer(p, i, nlh);
	}
}

static void nl_take_messages(struct nl *nl, struct pending *p, const void *datagram, size_t len)
{
	const struct nlmsghdr *nlh = datagram;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		nl_take_message(nl, p, nlh);
}

static int nl_take_datagram(struct nl *nl, struct pending *p)
{
	ssize_t n = nl_receive(nl);

	if (n < 0)
		return (int)n;
	nl_take_messages(nl, p, nl->buf, (size_t)n);
	return 0;
}

/* How many datagrams were received into the buffers of `msgs`, or -errno. */
static int nl_receive_batch(struct nl *nl, struct mmsghdr *msgs, unsigned int n, bool waits)
{
	for (int i = 0; i < INTERRUPTIONS_MAX; i++) {
		int received = recvmmsg(nl_fd(nl), msgs, n,
			waits ? MSG_TRUNC | MSG_WAITFORONE : MSG_TRUNC | MSG_DONTWAIT, NULL);

		if (received >= 0)
			return received;
		if (errno != EINTR)
			break;
	}
	return -errno;
}

int nl_dispatch_batch(struct nl *nl, unsigned int n, bool waits)
{
	struct mmsghdr msgs[NL_BATCH_MAX] = {0};
	struct iovec iov[NL_BATCH_MAX];
	int received, err = 0;

	for (unsigned int i = 0; i < n; i++) {
		iov[i] = (struct iovec){nl->buf + i * nl->cap, nl->cap};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	received = nl_receive_batch(nl, msgs, n, waits);
	for (int i = 0; i < received; i++) {
		if (msgs[i].msg_len > nl->cap)
			err = -EMSGSIZE;
		else
			nl_take_messages(nl, NULL, nl->buf + (size_t)i * nl->cap, msgs[i].msg_len);
	}
	return err ? err : received;
}

/* Gives the messages their numbers, never 0. Returns how many there are. */
static size_t nl_next_seq(struct nl *nl, struct nlmsghdr *nlh, size_t len)
{
	int left = (int)len;
	size_t n = 0;

	if (nl->seq > UINT32_MAX - NL_REQUESTS_MAX)
		nl->seq = 0;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left), n++)
		nlh->nlmsg_seq = nl->seq + 1 + (uint32_t)n;
	return n;
}

static int nl_await(struct nl *nl, struct pending *p)
{
	int err = 0;

	for (int i = 0; i < NL_READS_MAX && p->left && !err; i++)
		err = nl_take_datagram(nl, p);
	if (err == -EAGAIN || (!err && p->left))
		return -ETIMEDOUT;
	return p->left ? err : 0;
}

int nl_request(
	struct nl *nl, void *msgs, size_t len, int *result, size_t n, nl_take_fn *take, void *data)
{
	struct pending p = {
		.first = 0, .n = n, .left = n, .result = result, .take = take, .data = data};
	int err;

	if (n > NL_REQUESTS_MAX || nl_next_seq(nl, msgs, len) != n)
		return -EINVAL;
	p.first = nl->seq + 1;
	nl->seq += (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		result[i] = -EINPROGRESS;

	err = nl_send(nl, msgs, len);
	return err ? err : nl_await(nl, &p);
}

int nl_ask(struct nl *nl, void *msg, ssize_t len, nl_take_fn *take, void *data)
{
	int result = 0;
	int err = len < 0 ? (int)len : nl_request(nl, msg, (size_t)len, &result, 1, take, data);

	return err ? err : result;
}
