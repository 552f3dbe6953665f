/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue.c - NFQUEUE: bind, packets in, verdicts out
 *
 * Verdicts ask for no answer; the kernel answers all the same when it refuses
 * one, and queue_next() takes such an answer as a broken set-up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include <libnetfilter_queue/libnetfilter_queue.h>

#include "platform.h"

static struct nlmsghdr *config_msg(void *buf, const struct queue *q)
{
	return nl_start(buf, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, NLM_F_ACK, AF_UNSPEC, q->num);
}

int queue_command(struct queue *q, uint8_t command)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh = config_msg(buf, q);

	nfq_nlmsg_cfg_put_cmd(nlh, AF_INET, command);
	return nl_talk(q->nl, nlh, NULL, NULL);
}

int queue_open(struct queue *q, uint16_t num)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh;
	int err;

	q->nl = nl_open();
	q->num = num;
	err = queue_command(q, NFQNL_CFG_CMD_BIND);
	if (err)
		return err;
	nlh = config_msg(buf, q);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, 0xffff);
	err = nl_talk(q->nl, nlh, NULL, NULL);
	if (err)
		broken("copy mode: %s", strerror(-err));
	return 0;
}

void queue_must_open(struct queue *q, uint16_t num)
{
	int err = queue_open(q, num);

	if (err)
		broken("queue %d: %s", num, strerror(-err));
}

void queue_close(struct queue *q)
{
	nl_close(q->nl);
	q->nl = NULL;
}

static int on_packet(const struct nlmsghdr *nlh, void *data)
{
	struct nlattr *attr[NFQA_MAX + 1] = {NULL};
	struct nfqnl_msg_packet_hdr hdr;
	struct packet *p = data;

	if (nfq_nlmsg_parse(nlh, attr) < 0 || !attr[NFQA_PACKET_HDR] || !attr[NFQA_PAYLOAD])
		broken("queued packet not understood");
	memcpy(&hdr, mnl_attr_get_payload(attr[NFQA_PACKET_HDR]), sizeof(hdr));
	p->id = ntohl(hdr.packet_id);
	p->len = mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]);
	if (p->len > sizeof(p->data))
		broken("packet of %zu bytes", p->len);
	memcpy(p->data, mnl_attr_get_payload(attr[NFQA_PAYLOAD]), p->len);
	return MNL_CB_OK;
}

bool queue_next(struct queue *q, struct packet *ret_p, int ms)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	int n = nl_recv(q->nl, buf, sizeof(buf), ms);

	if (n == -ETIMEDOUT)
		return false;
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, on_packet, ret_p) < 0)
		broken("queue: %s", strerror(n < 0 ? -n : errno));
	return true;
}

struct nlmsghdr *verdict_msg(
	void *buf, const struct queue *q, uint32_t id, const void *data, size_t len)
{
	struct nlmsghdr *nlh =
		nl_start(buf, NFNL_SUBSYS_QUEUE, NFQNL_MSG_VERDICT, 0, AF_UNSPEC, q->num);

	nfq_nlmsg_verdict_put(nlh, (int)id, NF_ACCEPT);
	if (data)
		nfq_nlmsg_verdict_put_pkt(nlh, data, (uint32_t)len);
	return nlh;
}

static void send_verdict(struct queue *q, uint32_t id, const void *data, size_t len)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh = verdict_msg(buf, q, id, data, len);
	int err = nl_send(q->nl, nlh, nlh->nlmsg_len);

	if (err)
		broken("verdict: %s", strerror(-err));
}

void queue_accept(struct queue *q, const struct packet *p)
{
	send_verdict(q, p->id, NULL, 0);
}

void queue_replace(struct queue *q, const struct packet *p)
{
	send_verdict(q, p->id, p->data, p->len);
}

int queue_replace_acked(struct queue *q, const struct packet *p)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh = verdict_msg(buf, q, p->id, p->data, p->len);

	nlh->nlmsg_flags |= NLM_F_ACK;
	return nl_talk(q->nl, nlh, NULL, NULL);
}
