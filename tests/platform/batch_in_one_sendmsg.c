/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * batch_in_one_sendmsg.c
 *
 * FACT: an expectation and a sequence adjustment can go out in one sendmsg;
 * each is answered, in order, and one that is refused does not stop the next.
 * A ctnetlink request and a verdict can share one sendmsg on the queue's own
 * socket.
 *
 * Source: net/netlink/af_netlink.c netlink_rcv_skb(), which goes on after an
 * error; net/netfilter/nfnetlink.c nfnetlink_rcv_msg(), which picks the
 * subsystem for every message.
 */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

static const struct seqadj grown = {
	.by = CTA_TUPLE_ORIG, .dir = CTA_SEQ_ADJ_REPLY, .pos = 1000, .after = 5};

static void expectation_and_adjustment(
	struct mnl_socket *nl, const struct expect *e, int want, uint32_t after)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nl_batch b = {.len = 0};
	struct seqadj adj = grown;
	struct ct_view view;
	uint32_t first, second;

	adj.after = (int32_t)after;
	first = nl_append(&b, expect_msg(buf, e, NLM_F_CREATE | NLM_F_EXCL));
	second = nl_append(&b, seqadj_msg(buf, &e->master, &adj));
	check_err(nl_send(nl, b.buf, b.len), 0, "one sendmsg for both");
	check_err(nl_next_answer(nl, first), want, "first answer is the expectation's");
	check_err(nl_next_answer(nl, second), 0, "second answer is the adjustment's");
	check(!readable(mnl_socket_get_fd(nl), 0), "no third answer");
	check_err(ct_get(nl, &e->master, &view), 0, "look-up");
	check(view.adj[1].after == after, "the adjustment is in force");
}

static void adjustment_and_verdict(struct queue *q, const struct control *ctl, struct tuple t)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nl_batch b = {.len = 0};
	struct seqadj adj = grown;
	struct packet p;
	uint32_t first;

	adj.after = 3;
	tcp_send(ctl->server, "227 x", 5);
	if (!queue_next(q, &p, DEADLINE_MS))
		broken("nothing in the queue");
	adj.pos = packet_seq(&p);
	packet_set_payload(&p, "227 xyz", 7);
	first = nl_append(&b, seqadj_msg(buf, &t, &adj));
	nl_append(&b, verdict_msg(buf, q, p.id, p.data, p.len));
	check_err(nl_send(q->nl, b.buf, b.len), 0,
		"adjustment and verdict in one sendmsg on the queue's socket");
	check_err(nl_next_answer(q->nl, first), 0, "the adjustment is answered there");
	check(tcp_expect(ctl->client, "227 xyz", 7), "the verdict took effect");
	check(!readable(mnl_socket_get_fd(q->nl), 0), "and has no answer");
}

int main(void)
{
	struct lab lab;
	struct control ctl, other;
	struct mnl_socket *nl;
	struct queue q;
	struct expect e;

	begin();
	lab_up(&lab);
	lab_never_repeats(&lab);
	rules(RULES_HELPER RULES_DNAT RULES_QUEUE);
	nl = nl_open();
	queue_must_open(&q, QUEUE);
	control_open(&lab, &ctl);
	control_again(&lab, &ctl, &other);
	e = expect_pasv(&ctl, 50000, 50001);
	expectation_and_adjustment(nl, &e, 0, 5);
	e = expect_pasv(&other, 50000, 50001);
	expectation_and_adjustment(nl, &e, -EEXIST, 7);
	adjustment_and_verdict(&q, &other, e.master);
	return finish();
}
