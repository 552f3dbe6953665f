/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helper_match_is_data_only.c
 *
 * FACT: `-m helper --helper sane` matches connections whose *master* carries
 * the helper, so the expected data connections, and not the control connection
 * itself.
 *
 * Source: net/netfilter/xt_helper.c helper_mt(), which looks at ct->master.
 *
 * Does: FORWARD refuses what the match does not let through, at first with
 * nothing else to let the control connection through.
 */
#include <errno.h>

#include "platform.h"

enum { PORT = 50000 };

#define RULES_DATA_ONLY                                                                            \
	"*filter\n-A FORWARD -m helper --helper sane -j ACCEPT\n"                                  \
	"-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n"
#define CONTROL_TOO "iptables -I FORWARD -p tcp -m conntrack --ctorigdstport 21 -j ACCEPT"

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct mnl_socket *nl;
	struct expect e;
	int listener, client;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT RULES_DATA_ONLY);
	nl = nl_open();
	listener = tcp_listen(lab.server, ep(SERVER, 21));
	check_err(tcp_connect(lab.client, ep(CLIENT, 0), ep(PUBLIC, 21), DEADLINE_MS),
		-ECONNREFUSED, "a control connection, through the match alone");
	ctl.listener = listener;
	run(CONTROL_TOO);
	control_again(&lab, &ctl, &ctl);
	e = expect_pasv(&ctl, PORT, PORT);
	check_err(expect_add(nl, &e), 0, "expectation");
	listener = tcp_listen(lab.server, ep(SERVER, PORT));
	client = tcp_connect(lab.client, ep(CLIENT, 0), ep(PUBLIC, PORT), DEADLINE_MS);
	check(client >= 0, "the data connection, through the match alone");
	check(tcp_accept(listener, DEADLINE_MS) >= 0, "it arrives at the server");
	return finish();
}
