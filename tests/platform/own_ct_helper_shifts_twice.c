/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own_ct_helper_shifts_twice.c
 *
 * FACT: a packet whose connection carries a userspace helper, be it disabled,
 * is sequence-adjusted once more when it comes back from a queue behind
 * conntrack, whoever asked for that queue. From a queue in raw PREROUTING, in
 * front of conntrack, it comes back as any other packet and is adjusted once.
 * Such a helper can be registered again and again. A kernel that has no
 * nfnetlink_cthelper refuses it with EINVAL.
 *
 * Source: net/netfilter/nf_conntrack_core.c nf_confirm_cthelper(), called by
 * nf_conntrack_update() when a packet comes back; nfnetlink_cthelper.c
 * nfnl_cthelper_new().
 *
 * Does: shifts a server's segments by 5, and looks at their numbers at the
 * client; first queues them in raw alone, then in mangle as well.
 */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

enum { QUEUE_BEHIND = 22, SHIFT = 5 };

#define HELPER "pasvd-test"
#define RULES_OWN                                                                                  \
	"*raw\n-A PREROUTING -i wan -p tcp --dport 21 -j CT --helper " HELPER                      \
	"\n-A PREROUTING -i lan -p tcp --sport 21 " HAS_PAYLOAD                                    \
	"-j NFQUEUE --queue-num 21\nCOMMIT\n"
#define RULES_BEHIND                                                                               \
	"*mangle\n-A PREROUTING -i lan -p tcp --sport 21 " HAS_PAYLOAD                             \
	"-j NFQUEUE --queue-num 22\nCOMMIT\n"

struct bench {
	struct lab lab;
	struct mnl_socket *nl;
	struct queue raw, behind;
	struct control ctl;
	int capture; /* what arrives at the client */
};

static struct packet through(struct queue *q, const char *what)
{
	struct packet p;

	if (!queue_next(q, &p, DEADLINE_MS))
		broken("%s: not in queue %u", what, q->num);
	queue_accept(q, &p);
	return p;
}

/* By how much the next segment that reaches the client is beyond @seq. */
static int32_t shifted_by(struct bench *b, uint32_t seq)
{
	struct packet p;

	for (int i = 0; i < 100 && capture_next(b->capture, &p, DEADLINE_MS); i++)
		if (packet_payload_len(&p))
			return (int32_t)(packet_seq(&p) - seq);
	broken("nothing with payload reached the client");
}

/* The server says @text; returns its number as the server knows it. */
static uint32_t say(struct bench *b, const char *text)
{
	struct packet p;

	tcp_send(b->ctl.server, text, strlen(text));
	p = through(&b->raw, text);
	return packet_seq(&p);
}

static void shift(struct bench *b, uint32_t pos)
{
	const struct seqadj adj = {
		.by = CTA_TUPLE_ORIG, .dir = CTA_SEQ_ADJ_REPLY, .pos = pos, .after = SHIFT};
	struct tuple t = control_tuple(&b->ctl);

	check_err(seqadj_set(b->nl, &t, &adj), 0, "adjustment");
}

static void try(struct bench *b)
{
	uint32_t seq;

	rules(RULES_OWN RULES_DNAT);
	queue_must_open(&b->raw, QUEUE);
	queue_must_open(&b->behind, QUEUE_BEHIND);
	netns_enter(b->lab.client);
	b->capture = capture_open("eth0");
	netns_enter(b->lab.router);
	control_open(&b->lab, &b->ctl);

	seq = say(b, "220 hello");
	check(shifted_by(b, seq) == 0, "nothing is shifted yet");
	shift(b, seq);
	seq = say(b, "150 later");
	check(shifted_by(b, seq) == SHIFT, "from a queue in raw: shifted once");
	rules(RULES_BEHIND);
	seq = say(b, "226 done.");
	through(&b->behind, "226");
	check(shifted_by(b, seq) == 2 * SHIFT,
		"from a queue behind conntrack as well: shifted twice");
}

int main(void)
{
	struct bench b;
	int err;

	begin();
	lab_up(&b.lab);
	lab_never_repeats(&b.lab);
	b.nl = nl_open();
	err = helper_register(b.nl, HELPER);
	note("the kernel has nfnetlink_cthelper: %s", err ? "no" : "yes");
	if (err) {
		check_err(err, -EINVAL, "helper of ours");
		return finish();
	}
	check_err(helper_register(b.nl, HELPER), 0, "the same helper again");
	try(&b);
	return finish();
}
