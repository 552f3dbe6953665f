/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook_sees_tuple.c
 *
 * FACT: in mangle PREROUTING a packet's own addresses are exactly the tuple of
 * its direction, with DNAT and also with DNAT and SNAT at once (hairpin), so a
 * look-up by the packet's tuple finds the connection. In FORWARD the client's
 * packets have been translated and it does not.
 *
 * Source: hook priorities in include/uapi/linux/netfilter_ipv4.h (conntrack
 * -200, mangle -150, DNAT -100); nf_conntrack_netlink.c
 * ctnetlink_get_conntrack(), which looks up either direction.
 *
 * Does: a connection from outside and one from a LAN host to the public
 * address; queues one segment each way in PREROUTING (21) and in FORWARD (22).
 */
#include <errno.h>
#include <string.h>

#include "platform.h"

enum { QUEUE_FORWARD = 22 };

#define RULES_FORWARD                                                                              \
	"*mangle\n-A FORWARD -p tcp -m conntrack --ctorigdstport 21 --ctstate "                    \
	"ESTABLISHED " HAS_PAYLOAD "-j NFQUEUE --queue-num 22\nCOMMIT\n"
#define RULES_SNAT                                                                                 \
	"*nat\n-A POSTROUTING -s 10.0.0.0/24 -d " SERVER                                           \
	" -p tcp --dport 21 -j SNAT --to " ROUTER_LAN "\nCOMMIT\n"

struct bench {
	struct mnl_socket *nl;
	struct queue prerouting, forward;
};

static void in_prerouting(struct bench *b, const struct tuple *want, bool reply, const char *what)
{
	struct packet p;
	struct tuple t;
	struct ct_view view;

	if (!queue_next(&b->prerouting, &p, DEADLINE_MS))
		broken("%s: not in PREROUTING's queue", what);
	t = tuple_of(&p);
	check(tuple_eq(&t, want), "%s: PREROUTING shows the tuple expected", what);
	if (!check(ct_get(b->nl, &t, &view) == 0, "%s: a look-up by it finds a connection", what))
		return;
	check(tuple_eq(reply ? &view.repl : &view.orig, &t),
		"%s: and it is the tuple of its direction", what);
	queue_accept(&b->prerouting, &p);
}

static void in_forward(struct bench *b, bool found, const char *what)
{
	struct packet p;
	struct tuple t;
	struct ct_view view;

	if (!queue_next(&b->forward, &p, DEADLINE_MS))
		broken("%s: not in FORWARD's queue", what);
	t = tuple_of(&p);
	check_err(ct_get(b->nl, &t, &view), found ? 0 : -ENOENT, what);
	queue_accept(&b->forward, &p);
}

static void outside(struct bench *b, const struct lab *lab, struct control *ctl)
{
	const struct endpoint server = ep(SERVER, 21);

	control_open(lab, ctl);
	tcp_send(ctl->client, "PASV", 4);
	in_prerouting(b, &(struct tuple){ctl->from, ep(PUBLIC, 21)}, false, "DNAT, command");
	in_forward(b, false, "DNAT, command: look-up in FORWARD");
	check(tcp_expect(ctl->server, "PASV", 4), "DNAT: the command arrives");
	tcp_send(ctl->server, "227 x", 5);
	in_prerouting(b, &(struct tuple){server, ctl->from}, true, "DNAT, reply");
	in_forward(b, true, "DNAT, reply: look-up in FORWARD (untranslated until POSTROUTING)");
	check(tcp_expect(ctl->client, "227 x", 5), "DNAT: the reply arrives");
}

static void hairpin(struct bench *b, const struct lab *lab, int listener)
{
	const struct endpoint server = ep(SERVER, 21);
	int near = tcp_connect(lab->server, ep(LANHOST, 0), ep(PUBLIC, 21), DEADLINE_MS);
	int far = tcp_accept(listener, DEADLINE_MS);
	struct tuple dialled, answered;

	if (near < 0 || far < 0)
		broken("hairpin connection: %d %d", near, far);
	dialled = (struct tuple){tcp_local(near), ep(PUBLIC, 21)};
	answered = (struct tuple){server, tcp_peer(far)};
	check(answered.dst.addr == ep(ROUTER_LAN, 0).addr,
		"hairpin: the server sees the router as its client");
	tcp_send(near, "PASV", 4);
	in_prerouting(b, &dialled, false, "hairpin, command");
	in_forward(b, false, "hairpin, command: look-up in FORWARD");
	check(tcp_expect(far, "PASV", 4), "hairpin: the command arrives");
	tcp_send(far, "227 x", 5);
	in_prerouting(b, &answered, true, "hairpin, reply");
	in_forward(b, false, "hairpin, reply: look-up in FORWARD");
	check(tcp_expect(near, "227 x", 5), "hairpin: the reply arrives");
}

int main(void)
{
	struct lab lab;
	struct bench b;
	struct control ctl;

	begin();
	lab_up(&lab);
	lab_never_repeats(&lab);
	run("for f in /proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 >$f; done");
	rules(RULES_DNAT RULES_SNAT RULES_QUEUE RULES_FORWARD);
	b.nl = nl_open();
	queue_must_open(&b.prerouting, QUEUE);
	queue_must_open(&b.forward, QUEUE_FORWARD);
	outside(&b, &lab, &ctl);
	hairpin(&b, &lab, ctl.listener);
	return finish();
}
