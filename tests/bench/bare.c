/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bare.c - accepts all packets of a queue and reads none
 *
 * In:  bare QUEUE
 * Out: "ready" when the queue is bound; then it runs until it is killed.
 *
 * As few system calls as NFQUEUE allows: all packets that wait are received at once, and one
 * verdict accepts them all. So it shows what the way of packets through any program costs.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "bench.h"

enum { BATCH = 64, MESSAGE_MAX = 4096, BYTES = 4 << 20, PACKETS = 4096 };

static struct mnl_socket *sock;

static void send_message(const struct nlmsghdr *nlh)
{
	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		fail("send");
}

static void bind_queue(uint16_t queue)
{
	char buf[MESSAGE_MAX];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);

	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	send_message(nlh);
	nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_META, 0);
	nfq_nlmsg_cfg_put_qmaxlen(nlh, PACKETS);
	send_message(nlh);
}

static void accept_to(uint16_t queue, uint32_t id)
{
	char buf[MESSAGE_MAX];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_VERDICT_BATCH, queue);

	nfq_nlmsg_verdict_put(nlh, (int)id, NF_ACCEPT);
	send_message(nlh);
}

static int take_id(const struct nlattr *attr, void *ret_id)
{
	const struct nfqnl_msg_packet_hdr *hdr = mnl_attr_get_payload(attr);

	if (mnl_attr_get_type(attr) != NFQA_PACKET_HDR)
		return MNL_CB_OK;
	*(uint32_t *)ret_id = ntohl(hdr->packet_id);
	return MNL_CB_STOP;
}

int main(int argc, char **argv)
{
	static _Alignas(struct nlmsghdr) char buf[BATCH][MESSAGE_MAX];
	struct mmsghdr msgs[BATCH] = {0};
	struct iovec iov[BATCH];
	uint16_t queue = argc == 2 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0;
	int on = 1, bytes = BYTES;
	uint32_t id;

	sock = mnl_socket_open(NETLINK_NETFILTER);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
		setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
			sizeof(bytes)) < 0 ||
		mnl_socket_setsockopt(sock, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		fail("socket");
	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){buf[i], sizeof(buf[i])};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	bind_queue(queue);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = recvmmsg(mnl_socket_get_fd(sock), msgs, BATCH, MSG_WAITFORONE, NULL);
		const struct nlmsghdr *last = (const void *)buf[n > 0 ? n - 1 : 0];

		if (n <= 0)
			fail("receive");
		if (last->nlmsg_type == NLMSG_ERROR)
			fail("the kernel refused something");
		if (mnl_attr_parse(last, sizeof(struct nfgenmsg), take_id, &id) == MNL_CB_STOP)
			accept_to(queue, id); /* and all before it */
	}
}
