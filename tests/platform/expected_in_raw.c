/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expected_in_raw.c
 *
 * FACT: a SYN that waits in a queue in raw PREROUTING is not known to conntrack
 * yet. An expectation that is installed while it waits is found when it goes
 * on: the connection is RELATED, and translated as the expectation says.
 *
 * Source: NF_IP_PRI_RAW is in front of NF_IP_PRI_CONNTRACK;
 * net/netfilter/nf_conntrack_core.c init_conntrack().
 */
#include <errno.h>

#include "platform.h"

enum { PORT = 60000 };

#define RULES_ON_DEMAND                                                                            \
	"*raw\n-A PREROUTING -i wan -p tcp --dport 60000 --syn -j NFQUEUE --queue-num "            \
	"21\nCOMMIT\n"
#define RULES_SHUT                                                                                 \
	"*filter\n:FORWARD DROP\n"                                                                 \
	"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"                        \
	"-A FORWARD -p tcp --dport 21 -j ACCEPT\nCOMMIT\n"

int main(void)
{
	struct endpoint public = ep(PUBLIC, PORT), server = ep(SERVER, PORT);
	struct lab lab;
	struct control ctl;
	struct mnl_socket *nl;
	struct queue q;
	struct packet syn;
	struct ct_view view;
	struct expect e;
	struct tuple data;
	int listener;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT RULES_ON_DEMAND RULES_SHUT);
	nl = nl_open();
	control_open(&lab, &ctl);
	listener = tcp_listen(lab.server, server);
	queue_must_open(&q, QUEUE);

	tcp_send_syn(lab.client, ep(CLIENT, 0), public);
	if (!queue_next(&q, &syn, DEADLINE_MS))
		broken("no SYN in the queue");
	data = (struct tuple){packet_src(&syn), packet_dst(&syn)};
	check_err(ct_get(nl, &data, &view), -ENOENT, "conntrack does not know the SYN");
	e = expect_pasv(&ctl, PORT, PORT);
	check_err(expect_add(nl, &e), 0, "an expectation for it");
	queue_accept(&q, &syn);
	check(tcp_accept(listener, DEADLINE_MS) >= 0,
		"it arrives at the server, through a firewall that is shut");
	check_err(ct_get(nl, &data, &view), 0, "conntrack knows it");
	check(endpoint_eq(view.repl.src, server), "translated as expected");
	check(expect_list(nl, NULL) == 0, "and the expectation is used up");
	return finish();
}
