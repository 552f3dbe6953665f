/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_with_nat.c
 *
 * FACT: an expectation made through ctnetlink with the control connection's
 * original tuple as master, client → (dialled address, announced port) as
 * tuple, NAT in direction 0 to (server, real port) and nat-follow-master opens
 * one RELATED data connection, which arrives at the real port. It is spent by
 * the first connection, and only the expected client can spend it.
 *
 * Source: net/netfilter/nf_conntrack_netlink.c ctnetlink_create_expect(),
 * nf_conntrack_core.c init_conntrack(), nf_nat_helper.c nf_nat_follow_master().
 *
 * Does: FORWARD lets nothing in but port 21 and RELATED connections of the
 * helper; announces 50000, the server listens on 50001.
 */
#include <errno.h>
#include <unistd.h>

#include <linux/netfilter/nf_conntrack_common.h>

#include "platform.h"

enum { ANNOUNCED = 50000, REAL = 50001 };

#define RULES_FORWARD                                                                              \
	"*filter\n-P FORWARD DROP\n"                                                               \
	"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -m helper --helper sane -j "        \
	"ACCEPT\n"                                                                                 \
	"-A FORWARD -p tcp -m conntrack --ctorigdstport 21 -j ACCEPT\nCOMMIT\n"

static int dial(const struct lab *lab, const char *from)
{
	return tcp_connect(lab->client, ep(from, 0), ep(PUBLIC, ANNOUNCED), DEADLINE_MS);
}

static void data_connection(const struct lab *lab, struct mnl_socket *nl)
{
	int listener = tcp_listen(lab->server, ep(SERVER, REAL));
	int client = tcp_connect(lab->client, ep(CLIENT, 0), ep(PUBLIC, ANNOUNCED), DEADLINE_MS);
	int server = tcp_accept(listener, DEADLINE_MS);
	struct ct_view view;

	if (!check(client >= 0 && server >= 0,
		    "the client reaches the real port through the announced one"))
		return;
	check(endpoint_eq(tcp_local(server), ep(SERVER, REAL)), "it arrives at the real port");
	check(endpoint_eq(tcp_peer(server), tcp_local(client)), "with the client's own address");
	check_err(ct_get(nl, &(struct tuple){tcp_local(client), ep(PUBLIC, ANNOUNCED)}, &view), 0,
		"look-up of it");
	check(view.status & IPS_EXPECTED, "it is RELATED (IPS_EXPECTED)");
	check(view.status & IPS_DST_NAT, "and has its destination translated");
	check(endpoint_eq(view.repl.src, ep(SERVER, REAL)), "to the server's real port");
	check(!(view.status & IPS_SRC_NAT) && endpoint_eq(view.repl.dst, tcp_local(client)),
		"and nothing else");
	tcp_send(server, "data", 4);
	check(tcp_expect(client, "data", 4), "data flows");
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct mnl_socket *nl;
	struct expect e;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT RULES_FORWARD);
	nl = nl_open();
	control_open(&lab, &ctl);
	e = expect_pasv(&ctl, ANNOUNCED, REAL);
	check_err(dial(&lab, CLIENT), -ECONNREFUSED, "the port before the expectation");
	check_err(expect_add(nl, &e), 0, "the expectation is accepted");
	check(expect_list(nl, NULL) == 1, "there is one expectation");
	check_err(dial(&lab, STRANGER), -ECONNREFUSED, "another client on the announced port");
	data_connection(&lab, nl);
	check(expect_list(nl, NULL) == 0, "the connection spent the expectation");
	check_err(dial(&lab, CLIENT), -ECONNREFUSED, "a second connection to the announced port");
	return finish();
}
