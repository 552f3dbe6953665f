/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_conntrack_flag.c
 *
 * FACT: where the kernel lacks NETFILTER_NETLINK_GLUE_CT, NFQA_CFG_F_CONNTRACK
 * is refused with EOPNOTSUPP, and takes down a copy mode sent in the same
 * message: packets then never reach the program. Sent alone it does no harm.
 *
 * Source: net/netfilter/nfnetlink_queue.c nfqnl_recv_config().
 *
 * Where the kernel has it, the flag is accepted and packets come all the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include <libnetfilter_queue/libnetfilter_queue.h>

#include "platform.h"

static int set_conntrack_flag(struct queue *q, bool with_copy_mode)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nlmsghdr *nlh =
		nl_start(buf, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, NLM_F_ACK, AF_UNSPEC, q->num);

	if (with_copy_mode)
		nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, 0xffff);
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_CONNTRACK));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_CONNTRACK));
	return nl_talk(q->nl, nlh, NULL, NULL);
}

/* Long enough for several retransmissions. */
enum { NEVER_MS = 1000 };

/* Does a segment sent now reach the program within @ms? */
static bool sees_packets(struct queue *q, const struct control *ctl, int ms)
{
	struct packet p;

	tcp_send(ctl->client, "PASV", 4);
	if (!queue_next(q, &p, ms))
		return false;
	queue_accept(q, &p);
	return tcp_expect(ctl->server, "PASV", 4);
}

static void with_glue(const struct lab *lab, struct queue *q)
{
	struct control ctl;

	note("the kernel has GLUE_CT: yes");
	control_open(lab, &ctl);
	check(sees_packets(q, &ctl, DEADLINE_MS), "packets reach the program, with the flag");
}

static void without_glue(const struct lab *lab, struct queue *q)
{
	struct queue both = {.nl = nl_open(), .num = QUEUE};
	struct control ctl;

	note("the kernel has GLUE_CT: no");
	control_open(lab, &ctl);
	check(sees_packets(q, &ctl, DEADLINE_MS), "the copy mode set before it still works");
	queue_close(q);
	check_err(queue_command(&both, NFQNL_CFG_CMD_BIND), 0, "bind anew");
	check_err(
		set_conntrack_flag(&both, true), -EOPNOTSUPP, "flag and copy mode in one message");
	control_again(lab, &ctl, &ctl);
	check(!sees_packets(&both, &ctl, NEVER_MS), "no packet reaches the program");
}

int main(void)
{
	struct lab lab;
	struct queue q;
	int err;

	begin();
	lab_up(&lab);
	rules(RULES_DNAT RULES_QUEUE);
	queue_must_open(&q, QUEUE);
	err = set_conntrack_flag(&q, false);
	if (err == 0)
		with_glue(&lab, &q);
	else if (err == -EOPNOTSUPP)
		without_glue(&lab, &q);
	else
		check_err(err, -EOPNOTSUPP, "the flag alone");
	return finish();
}
