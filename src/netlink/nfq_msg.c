/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfq_msg.c - netlink bytes of NFQUEUE to and from structs, no sockets
 *
 * Theory of operation. Messages are built with libnetfilter_queue's helpers. They do not look at
 * the room there is and leave in the padding what happened to be there, so nfq_msg_begin() asks for
 * all the room beforehand and clears its end.
 *
 * Messages of the kernel are taken apart without that library: nfq_nlmsg_parse() fills an array as
 * long as the greatest attribute that the library knows when the program runs, not when it was
 * compiled: a newer library would write beyond the array's end.
 *
 * One setting, one message: the kernel stops at the first setting that it does not know, and the
 * others of that message may be lost with it.
 *
 * Flags of a queue that are not set: NFQA_CFG_F_CONNTRACK is refused where
 * NETFILTER_NETLINK_GLUE_CT is missing, and connections are asked for by ctnetlink. With
 * NFQA_CFG_F_GSO packets would come merged and with unfinished checksums (NFQA_SKB_CSUMNOTREADY),
 * and a merged one that is rewritten keeps its gso_size; control connections have nothing to gain
 * from it. For users and security contexts nobody asks.
 *
 * A packet longer than what the kernel copies (65531 bytes) comes cut off; its IP header has the
 * whole length.
 * Marks and conntrack attributes of verdicts are not here: with NFQA_CT the kernel would shift
 * sequence numbers twice.
 */
#include "nfq_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include <libnetfilter_queue/libnetfilter_queue.h>

#include "attr.h"

_Static_assert(NFQ_DROP == NF_DROP && NFQ_ACCEPT == NF_ACCEPT, "the kernel's verdicts");

enum {
	HEADER_LEN = NLMSG_HDRLEN + (int)sizeof(struct nfgenmsg),
	ALIGNMENT = 4, /* of attributes, and of their ends */
	COPY_ALL = 0xffff,
	ATTR_LEN_MAX = UINT16_MAX - (int)sizeof(struct nlattr),
};

/* Bytes that an attribute of `len` bytes takes. */
static size_t nfq_msg_attr_room(size_t len)
{
	return sizeof(struct nlattr) + (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Begins a message whose attributes are going to take `room` bytes. */
static struct nlmsghdr *nfq_msg_begin(void *buf, size_t cap, int type, uint16_t queue, size_t room)
{
	if (cap < HEADER_LEN + room)
		return NULL;
	memset((uint8_t *)buf + HEADER_LEN + room - ALIGNMENT, 0, ALIGNMENT);
	return nfq_nlmsg_put(buf, type, queue);
}

static struct nlmsghdr *nfq_msg_begin_config(void *buf, size_t cap, uint16_t queue, size_t room)
{
	struct nlmsghdr *nlh = nfq_msg_begin(buf, cap, NFQNL_MSG_CONFIG, queue, room);

	if (nlh)
		nlh->nlmsg_flags |= NLM_F_ACK;
	return nlh;
}

ssize_t nfq_msg_put_bind(void *buf, size_t cap, uint16_t queue)
{
	struct nlmsghdr *nlh = nfq_msg_begin_config(
		buf, cap, queue, nfq_msg_attr_room(sizeof(struct nfqnl_msg_config_cmd)));

	if (!nlh)
		return -EMSGSIZE;
	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	return (ssize_t)nlh->nlmsg_len;
}

ssize_t nfq_msg_put_copy(void *buf, size_t cap, uint16_t queue)
{
	struct nlmsghdr *nlh = nfq_msg_begin_config(
		buf, cap, queue, nfq_msg_attr_room(sizeof(struct nfqnl_msg_config_params)));

	if (!nlh)
		return -EMSGSIZE;
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, COPY_ALL);
	return (ssize_t)nlh->nlmsg_len;
}

ssize_t nfq_msg_put_maxlen(void *buf, size_t cap, uint16_t queue, uint32_t packets)
{
	struct nlmsghdr *nlh =
		nfq_msg_begin_config(buf, cap, queue, nfq_msg_attr_room(sizeof(packets)));

	if (!nlh)
		return -EMSGSIZE;
	nfq_nlmsg_cfg_put_qmaxlen(nlh, packets);
	return (ssize_t)nlh->nlmsg_len;
}

ssize_t nfq_msg_put_fail_open(void *buf, size_t cap, uint16_t queue, bool on)
{
	uint32_t mask = htonl(NFQA_CFG_F_FAIL_OPEN), flags = on ? mask : 0;
	struct nlmsghdr *nlh = nfq_msg_begin_config(buf, cap, queue,
		nfq_msg_attr_room(sizeof(flags)) + nfq_msg_attr_room(sizeof(mask)));

	if (!nlh)
		return -EMSGSIZE;
	mnl_attr_put(nlh, NFQA_CFG_FLAGS, sizeof(flags), &flags);
	mnl_attr_put(nlh, NFQA_CFG_MASK, sizeof(mask), &mask);
	return (ssize_t)nlh->nlmsg_len;
}

ssize_t nfq_msg_put_verdict(void *buf, size_t cap, uint16_t queue, uint32_t id,
	enum nfq_verdict verdict, const uint8_t *bytes, size_t len)
{
	size_t room = nfq_msg_attr_room(sizeof(struct nfqnl_msg_verdict_hdr)) +
		      (len > 0 ? nfq_msg_attr_room(len) : 0);
	struct nlmsghdr *nlh;

	if (len > ATTR_LEN_MAX)
		return -EMSGSIZE;
	nlh = nfq_msg_begin(buf, cap, NFQNL_MSG_VERDICT, queue, room);
	if (!nlh)
		return -EMSGSIZE;
	nfq_nlmsg_verdict_put(nlh, (int)id, (int)verdict);
	if (len > 0)
		nfq_nlmsg_verdict_put_pkt(nlh, bytes, (uint32_t)len);
	return (ssize_t)nlh->nlmsg_len;
}

int nfq_msg_parse_packet(const void *msg, size_t len, struct nfq_packet *ret_packet)
{
	const struct nlattr *at[NFQA_SKB_INFO + 1] = {0};
	const struct nlattr *payload;
	struct nfqnl_msg_packet_hdr hdr;
	uint32_t indev = 0, info = 0;

	if (!attr_open(msg, len, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET, at, NFQA_SKB_INFO) ||
		!attr_read(at[NFQA_PACKET_HDR], &hdr, sizeof(hdr)))
		return -1;
	attr_read_be32(at[NFQA_IFINDEX_INDEV], &indev);
	attr_read_be32(at[NFQA_SKB_INFO], &info);
	payload = at[NFQA_PAYLOAD];
	ret_packet->id = ntohl(hdr.packet_id);
	ret_packet->indev = indev;
	ret_packet->unverified = info & NFQA_SKB_CSUM_NOTVERIFIED;
	ret_packet->bytes = payload ? mnl_attr_get_payload(payload) : NULL;
	ret_packet->len = payload ? mnl_attr_get_payload_len(payload) : 0;
	return 0;
}
