/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own_ct_helper_needs_liberal.c
 *
 * FACT: where a text was made shorter in front of conntrack, in raw
 * PREROUTING, the receiver's ACK for it is INVALID: mapped back, it says more
 * than conntrack has seen. It is not if the connection was made liberal in the
 * message that set the adjustment.
 *
 * Source: net/netfilter/nf_conntrack_proto_tcp.c tcp_in_window();
 * nlattr_to_tcp(), by way of ctnetlink_change_conntrack().
 *
 * Does: two connections, the server's reply in each made shorter; what is
 * INVALID goes to queue 22. Where the kernel has no nfnetlink_cthelper the
 * helper `sane` does as well, since the queue is in raw.
 */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

enum { QUEUE_INVALID = 22 };

#define HELPER "pasvd-test"
#define RULES_RAW                                                                                  \
	"*raw\n-A PREROUTING -i lan -p tcp --sport 21 " HAS_PAYLOAD                                \
	"-j NFQUEUE --queue-num 21\nCOMMIT\n"
#define RULES_OWN "*raw\n-A PREROUTING -i wan -p tcp --dport 21 -j CT --helper " HELPER "\nCOMMIT\n"
#define RULES_INVALID                                                                              \
	"*mangle\n-A PREROUTING -i wan -p tcp -m conntrack --ctstate INVALID "                     \
	"-j NFQUEUE --queue-num 22\nCOMMIT\n"

struct bench {
	struct mnl_socket *nl;
	struct queue raw, invalid;
};

/* The server's reply arrives as @becomes, and the client's ACK for it is on its way. */
static void shorten(struct bench *b, const struct control *ctl, const char *becomes, bool liberal)
{
	static const char text[] = "227 rather long";
	struct seqadj adj = {.by = CTA_TUPLE_ORIG, .dir = CTA_SEQ_ADJ_REPLY, .liberal = liberal};
	struct tuple t = control_tuple(ctl);
	struct packet p;

	tcp_send(ctl->server, text, sizeof(text) - 1);
	if (!queue_next(&b->raw, &p, DEADLINE_MS))
		broken("the reply did not come to the queue");
	adj.pos = packet_seq(&p);
	adj.after = (int32_t)strlen(becomes) - (int32_t)sizeof(text) + 1;
	check_err(seqadj_set(b->nl, &t, &adj), 0, liberal ? "adjustment, liberal" : "adjustment");
	packet_set_payload(&p, becomes, strlen(becomes));
	queue_replace(&b->raw, &p);
	check(tcp_expect(ctl->client, becomes, strlen(becomes)), "'%s' arrives", becomes);
}

/* Until the deadline, or until an ACK was INVALID. */
static bool acked(struct bench *b, const struct control *ctl)
{
	struct packet p;

	for (int ms = 0; ms < DEADLINE_MS; ms += 10) {
		if (tcp_all_acked(ctl->server))
			return true;
		if (queue_next(&b->invalid, &p, 10)) {
			queue_accept(&b->invalid, &p);
			return false;
		}
	}
	broken("the reply was neither acknowledged, nor was an ACK INVALID");
}

int main(void)
{
	struct lab lab;
	struct bench b;
	struct control strict, liberal;
	int err;

	begin();
	lab_up(&lab);
	lab_never_repeats(&lab);
	b.nl = nl_open();
	err = helper_register(b.nl, HELPER);
	if (err && err != -EINVAL)
		broken("helper: %s", strerror(-err));
	rules(err ? RULES_HELPER : RULES_OWN);
	rules(RULES_RAW RULES_DNAT RULES_INVALID);
	queue_must_open(&b.raw, QUEUE);
	queue_must_open(&b.invalid, QUEUE_INVALID);
	control_open(&lab, &strict);
	control_again(&lab, &strict, &liberal);

	shorten(&b, &strict, "227 x", false);
	check(!acked(&b, &strict), "the client's ACK is INVALID");
	shorten(&b, &liberal, "227 y", true);
	check(acked(&b, &liberal), "on a liberal connection it arrives");
	return finish();
}
