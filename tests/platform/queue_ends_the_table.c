/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_ends_the_table.c
 *
 * FACT: a packet that comes back from a queue goes on behind the table whose
 * rule had queued it: the rules that follow in that table do not see it. The
 * mark that it had in front of the rule it keeps, also if its bytes change.
 *
 * Source: net/netfilter/nf_queue.c nf_reinject(), which continues with the
 * hook function after the one that had queued.
 *
 * Does: a rule that marks, behind the queue's rule and then in front of it;
 * what is marked in FORWARD goes to queue 22.
 */
#include "platform.h"

enum { QUEUE_MARKED = 22 };

#define MARKS HAS_PAYLOAD "-j MARK --set-mark 7\n"
#define RULES_BEHIND                                                                               \
	"*mangle\n-A PREROUTING -p tcp " MARKS                                                     \
	"-A FORWARD -m mark --mark 7 -j NFQUEUE --queue-num 22\n"                                  \
	"COMMIT\n"
#define RULES_IN_FRONT "*mangle\n-I PREROUTING -p tcp " MARKS "COMMIT\n"

static struct packet queued(struct queue *q, const char *what)
{
	struct packet p;

	if (!queue_next(q, &p, DEADLINE_MS))
		broken("%s: not in queue %u", what, q->num);
	return p;
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct queue q, marked;
	struct packet p;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT RULES_QUEUE RULES_BEHIND);
	control_open(&lab, &ctl);
	queue_must_open(&q, QUEUE);
	queue_must_open(&marked, QUEUE_MARKED);

	tcp_send(ctl.client, "USER", 4);
	p = queued(&q, "behind");
	queue_accept(&q, &p);
	check(tcp_expect(ctl.server, "USER", 4),
		"a rule behind the queue's does not mark the packet");

	rules(RULES_IN_FRONT);
	tcp_send(ctl.client, "PASS", 4);
	p = queued(&q, "in front");
	packet_set_payload(&p, "pass", 4);
	queue_replace(&q, &p);
	check(queue_next(&marked, &p, DEADLINE_MS),
		"a rule in front does, and the mark stays with new bytes");
	queue_accept(&marked, &p);
	check(tcp_expect(ctl.server, "pass", 4), "and the packet goes on");
	return finish();
}
