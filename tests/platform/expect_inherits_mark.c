/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_inherits_mark.c
 *
 * FACT: an expected connection begins with the mark of its master: that which
 * the master has when the connection begins, not when it was expected.
 *
 * Source: net/netfilter/nf_conntrack_core.c init_conntrack(), "ct->mark =
 * exp->master->mark" with CONFIG_NF_CONNTRACK_MARK.
 *
 * Does: FORWARD refuses expected connections whose mark is not 9; a master's
 * mark becomes 9 with its first packet of data behind the expectation.
 */
#include <errno.h>

#include "platform.h"

enum { FIRST = 50000, SECOND = 50001 };

#define RULES_FORWARD                                                                              \
	"*filter\n-A FORWARD -p tcp -m conntrack --ctstate RELATED -m connmark ! --mark 9 "        \
	"-j REJECT --reject-with tcp-reset\nCOMMIT\n"
#define RULES_MARK                                                                                 \
	"*mangle\n-A PREROUTING -i wan -p tcp --dport 21 " HAS_PAYLOAD                             \
	"-j CONNMARK --set-mark 9\nCOMMIT\n"

static void expected(const struct control *ctl, struct mnl_socket *nl, uint16_t port)
{
	const struct expect e = expect_pasv(ctl, port, port);

	if (expect_add(nl, &e) != 0)
		broken("no expectation");
}

static int dial(const struct lab *lab, uint16_t port)
{
	return tcp_connect(lab->client, ep(CLIENT, 0), ep(PUBLIC, port), DEADLINE_MS);
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct mnl_socket *nl;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT RULES_FORWARD RULES_MARK);
	nl = nl_open();
	control_open(&lab, &ctl);
	tcp_listen(lab.server, ep(SERVER, FIRST));
	tcp_listen(lab.server, ep(SERVER, SECOND));

	expected(&ctl, nl, FIRST);
	check_err(dial(&lab, FIRST), -ECONNREFUSED, "the data connection of an unmarked master");
	expected(&ctl, nl, SECOND);
	tcp_send(ctl.client, "PASV", 4);
	check(tcp_expect(ctl.server, "PASV", 4), "the master is marked while it expects");
	check(dial(&lab, SECOND) >= 0, "the data connection has the mark");
	return finish();
}
