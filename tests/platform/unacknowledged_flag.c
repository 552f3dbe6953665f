/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unacknowledged_flag.c
 *
 * FACT: conntrack tells by CTA_PROTOINFO_TCP_FLAGS_REPLY whether the client has
 * acknowledged all that the server has sent. 0x10
 * (IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED) is set with each segment that has new
 * bytes, when it comes to a queue behind conntrack, and goes with the ACK of
 * the last one of them, not of an earlier one. 0x20 (IP_CT_TCP_FLAG_MAXACK_SET)
 * says that the kernel has seen the server's segments itself.
 *
 * Source: net/netfilter/nf_conntrack_proto_tcp.c tcp_in_window().
 *
 * Does: has the server send two segments that wait in a queue, and lets them
 * go one by one.
 */
#include <string.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

enum { UNACKNOWLEDGED = 0x10, MAXACK_SET = 0x20, TRIES = DEADLINE_MS / 10 };

struct bench {
	struct lab lab;
	struct mnl_socket *nl;
	struct queue queue;
	struct control ctl;
};

static unsigned flags_now(struct bench *b)
{
	struct tuple t = control_tuple(&b->ctl);
	struct ct_view view;

	check_err(ct_get(b->nl, &t, &view), 0, "look-up");
	return view.flags_reply;
}

static void reply(struct bench *b, const char *text, struct packet *ret_p)
{
	tcp_send(b->ctl.server, text, strlen(text));
	if (!queue_next(&b->queue, ret_p, DEADLINE_MS))
		broken("'%s' did not come to the queue", text);
}

/* Lets the segment go, and waits until the server knows that it has arrived. */
static void deliver(struct bench *b, const struct packet *p, const char *text, bool is_last)
{
	queue_accept(&b->queue, p);
	check(tcp_expect(b->ctl.client, text, strlen(text)), "'%s' arrives", text);
	for (int i = 0; is_last && i < TRIES && !tcp_all_acked(b->ctl.server); i++)
		readable(b->ctl.server, 10);
}

int main(void)
{
	struct packet first, second;
	struct bench b;

	begin();
	lab_up(&b.lab);
	lab_never_repeats(&b.lab);
	rules(RULES_HELPER RULES_DNAT RULES_QUEUE);
	b.nl = nl_open();
	queue_must_open(&b.queue, QUEUE);
	control_open(&b.lab, &b.ctl);
	reply(&b, "220 a\r\n", &first);
	check(flags_now(&b) & UNACKNOWLEDGED, "set while a segment is in the queue");
	reply(&b, "220 b\r\n", &second);
	deliver(&b, &first, "220 a\r\n", false);
	check(flags_now(&b) & UNACKNOWLEDGED, "set while the second one is");
	deliver(&b, &second, "220 b\r\n", true);
	check(!(flags_now(&b) & UNACKNOWLEDGED), "not set when all has arrived");
	check(flags_now(&b) & MAXACK_SET, "the server's segments were seen");
	reply(&b, "150 c\r\n", &first);
	check(flags_now(&b) & UNACKNOWLEDGED, "set again by the next one");
	return finish();
}
