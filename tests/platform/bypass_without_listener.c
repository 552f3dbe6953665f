/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bypass_without_listener.c
 *
 * FACT: with --queue-bypass, packets pass as they are while nobody holds the
 * queue, before the first bind and after the holder is gone. Those that wait
 * for a verdict when the holder goes are dropped, and TCP sends them again.
 *
 * Source: net/netfilter/nf_queue.c nf_queue() (-ESRCH and
 * NF_VERDICT_FLAG_QUEUE_BYPASS), nfnetlink_queue.c instance_destroy().
 */
#include <string.h>

#include "platform.h"

#define RULES_BYPASS                                                                               \
	"*mangle\n-A PREROUTING -p tcp -m conntrack --ctorigdstport 21 --ctstate "                 \
	"ESTABLISHED " HAS_PAYLOAD "-j NFQUEUE --queue-num 21 --queue-bypass\nCOMMIT\n"

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct queue q;
	struct packet p;

	begin();
	lab_up(&lab);
	netns_never_repeats(lab.server);
	rules(RULES_HELPER RULES_DNAT RULES_BYPASS);
	control_open(&lab, &ctl);
	tcp_send(ctl.server, "220 hi", 6);
	check(tcp_expect(ctl.client, "220 hi", 6), "nobody listens yet: the segment passes");
	check(tcp_retransmissions(ctl.server) == 0, "at the first attempt");

	queue_must_open(&q, QUEUE);
	tcp_send(ctl.client, "PASS", 4);
	check(queue_next(&q, &p, DEADLINE_MS), "with a listener it is queued");
	check(!readable(ctl.server, 0), "and waits");
	queue_close(&q);
	check(tcp_expect(ctl.server, "PASS", 4),
		"the listener goes without a verdict: the data arrives");
	check(tcp_retransmissions(ctl.client) > 0,
		"by retransmission: the waiting packet was dropped");

	tcp_send(ctl.server, "230 in", 6);
	check(tcp_expect(ctl.client, "230 in", 6), "nobody listens any more: the segment passes");
	check(tcp_retransmissions(ctl.server) == 0, "at the first attempt");
	return finish();
}
