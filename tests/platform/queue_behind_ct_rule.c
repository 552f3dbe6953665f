/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_behind_ct_rule.c
 *
 * FACT: a packet that a CT rule in raw PREROUTING has touched may be queued in
 * the same table. It comes back with what that rule has put on it: conntrack
 * finds its connection in the zone of the rule.
 *
 * Source: net/netfilter/nf_queue.c nf_queue_entry_get_refs() and
 * nf_conntrack_core.c nf_conntrack_update(), which leaves alone what is
 * confirmed, as a CT rule's template is.
 *
 * Does: a connection in zone 7, whose segments with data are queued behind the
 * CT rule; then in front of it, where they do not find their connection.
 */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

#define CT_ZONE(in) "-A PREROUTING -i " in " -p tcp -j CT --zone 7 --helper sane\n"
#define QUEUED      "PREROUTING -i wan -p tcp --dport 21 " HAS_PAYLOAD "-j NFQUEUE --queue-num 21\n"
#define RULES_RAW   "*raw\n" CT_ZONE("wan") CT_ZONE("lan") "-A " QUEUED "COMMIT\n"
#define IN_FRONT    "*raw\n-D " QUEUED "-I " QUEUED "COMMIT\n"

/* What conntrack knows in no zone. */
static int known_without_zone(struct mnl_socket *nl, const struct control *ctl)
{
	const struct tuple t = control_tuple(ctl);
	struct ct_view view;

	return ct_get(nl, &t, &view);
}

static void say(struct queue *q, const struct control *ctl, const char *text)
{
	struct packet p;

	tcp_send(ctl->client, text, strlen(text));
	if (!queue_next(q, &p, DEADLINE_MS))
		broken("'%s' did not come to the queue", text);
	queue_accept(q, &p);
	check(tcp_expect(ctl->server, text, strlen(text)), "'%s' arrives", text);
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct queue q;
	struct mnl_socket *nl;

	begin();
	lab_up(&lab);
	rules(RULES_RAW RULES_DNAT);
	nl = nl_open();
	control_open(&lab, &ctl);
	queue_must_open(&q, QUEUE);
	say(&q, &ctl, "USER");
	check_err(known_without_zone(nl, &ctl), -ENOENT,
		"queued behind the CT rule: without its zone");
	rules(IN_FRONT);
	say(&q, &ctl, "PASS");
	check_err(known_without_zone(nl, &ctl), 0, "queued in front of it: without its zone");
	return finish();
}
