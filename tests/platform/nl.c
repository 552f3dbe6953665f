/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl.c - netlink requests to netfilter, each with its answer
 *
 * Sequence numbers rise by one per message and are the only thing that pairs
 * an answer with its request. Sockets that are still open at the end are
 * closed by finish(), so that programs need not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>

#include "platform.h"

enum { SOCKETS_MAX = 8 };

static struct mnl_socket *sockets[SOCKETS_MAX]; /* NULL: free */

static struct mnl_socket **slot_of(const struct mnl_socket *nl)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i] == nl)
			return &sockets[i];
	broken("netlink socket not known, or too many");
}

struct mnl_socket *nl_open(void)
{
	struct mnl_socket **slot = slot_of(NULL);

	*slot = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!*slot || mnl_socket_bind(*slot, 0, MNL_SOCKET_AUTOPID) < 0)
		broken("netlink socket: %s", strerror(errno));
	return *slot;
}

void nl_close(struct mnl_socket *nl)
{
	*slot_of(nl) = NULL;
	mnl_socket_close(nl);
}

void nl_close_all(void)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i])
			nl_close(sockets[i]);
}

struct nlmsghdr *nl_start(void *buf, unsigned int subsys, unsigned int type, unsigned int flags,
	uint8_t family, uint16_t res_id)
{
	static uint32_t seq;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = (uint16_t)(subsys << 8 | type);
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = ++seq;
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(res_id);
	return nlh;
}

int nl_send(struct mnl_socket *nl, const void *msgs, size_t len)
{
	return mnl_socket_sendto(nl, msgs, len) == (ssize_t)len ? 0 : -errno;
}

int nl_recv(struct mnl_socket *nl, void *buf, size_t size, int ms)
{
	ssize_t n;

	if (!readable(mnl_socket_get_fd(nl), ms))
		return -ETIMEDOUT;
	n = mnl_socket_recvfrom(nl, buf, size);
	return n < 0 ? -errno : (int)n;
}

int nl_wait(struct mnl_socket *nl, uint32_t seq, mnl_cb_t cb, void *data)
{
	_Alignas(struct nlmsghdr) uint8_t buf[4 * MSG_MAX];

	for (int tries = 0; tries < 100; tries++) {
		int n = nl_recv(nl, buf, sizeof(buf), DEADLINE_MS);

		if (n < 0)
			return n;
		n = mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(nl), cb, data);
		if (n < 0)
			return -errno;
		if (n == MNL_CB_STOP)
			return 0;
	}
	return -ETIMEDOUT;
}

uint32_t nl_append(struct nl_batch *b, const struct nlmsghdr *nlh)
{
	memcpy(b->buf + b->len, nlh, nlh->nlmsg_len);
	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
	return nlh->nlmsg_seq;
}

int nl_next_answer(struct mnl_socket *nl, uint32_t seq)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	const struct nlmsghdr *nlh = (void *)buf;
	const struct nlmsgerr *err;
	int n = nl_recv(nl, buf, sizeof(buf), DEADLINE_MS);

	if (n < 0)
		return n;
	if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_seq != seq)
		return -EBADMSG;
	err = mnl_nlmsg_get_payload(nlh);
	return err->error;
}

int nl_talk(struct mnl_socket *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	int err = nl_send(nl, nlh, nlh->nlmsg_len);

	return err ? err : nl_wait(nl, nlh->nlmsg_seq, cb, data);
}
