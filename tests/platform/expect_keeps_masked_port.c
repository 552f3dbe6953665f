/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_keeps_masked_port.c
 *
 * FACT: the source port of an expectation's tuple that its mask leaves free is
 * kept as it was given, listed and in the event of the expectation's beginning,
 * also without NAT, and stands for nothing else: two that differ in it alone
 * are the same, a request with another one finds it, and a connection from any
 * port is expected.
 *
 * FACT: who has joined NFNLGRP_CONNTRACK_EXP_NEW gets an event for each
 * expectation that another socket creates; nlmsg_pid is that socket.
 *
 * Source: net/netfilter/nf_conntrack_netlink.c ctnetlink_alloc_expect(),
 * ctnetlink_exp_dump_expect(), ctnetlink_expect_event(),
 * nf_conntrack_expect.c __nf_ct_expect_find(), expect_clash().
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

enum { ANNOUNCED = 50000, NOTED = 50001, OTHER = 50002 };

static struct mnl_socket *events_open(void)
{
	struct mnl_socket *events = nl_open();
	int group = NFNLGRP_CONNTRACK_EXP_NEW;

	if (mnl_socket_setsockopt(events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		broken("expectation events: %s", strerror(errno));
	return events;
}

static struct expect noting(const struct control *ctl, bool nat)
{
	struct expect e = expect_pasv(ctl, ANNOUNCED, NOTED);

	e.tuple.src.port = NOTED;
	e.nat = nat;
	return e;
}

static void is_begun(struct mnl_socket *events, const struct expect *e, uint32_t portid)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	const struct nlmsghdr *nlh = (const void *)buf;
	struct expect_view view;

	if (!check(nl_recv(events, buf, sizeof(buf), DEADLINE_MS) > 0, "its beginning is an event"))
		return;
	check(nlh->nlmsg_type == (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW),
		"of a new expectation");
	check(nlh->nlmsg_pid == portid, "by the socket that created it");
	view = expect_view_of(nlh);
	check(tuple_eq(&view.tuple, &e->tuple) && tuple_eq(&view.master, &e->master),
		"with the tuple as it was given, and the master");
}

static void is_kept(struct mnl_socket *nl, struct mnl_socket *events, const struct control *ctl)
{
	struct expect e = noting(ctl, false), other = e;
	struct expect_view view = {0};

	check_err(expect_add(nl, &e), 0, "an expectation without NAT");
	is_begun(events, &e, mnl_socket_get_portid(nl));
	check(expect_list(nl, &view) == 1 && tuple_eq(&view.tuple, &e.tuple) && !view.real.port,
		"is listed with the source port, and no NAT");
	other.tuple.src.port = OTHER;
	check_err(expect_add(nl, &other), -EEXIST, "the same with another source port");
	check_err(expect_del(nl, &other), 0, "which deletes it as well");
}

static void is_not_looked_at(
	const struct lab *lab, struct mnl_socket *nl, const struct control *ctl)
{
	struct expect e = noting(ctl, true);
	int listener = tcp_listen(lab->server, ep(SERVER, NOTED)), client;

	check_err(expect_add(nl, &e), 0, "with NAT");
	client = tcp_connect(lab->client, ep(CLIENT, 0), ep(PUBLIC, ANNOUNCED), DEADLINE_MS);
	check(client >= 0, "a connection from another port is expected");
	check(expect_list(nl, NULL) == 0, "and has used it");
	close(listener);
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct mnl_socket *nl, *events;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT);
	nl = nl_open();
	events = events_open();
	control_open(&lab, &ctl);
	is_kept(nl, events, &ctl);
	is_not_looked_at(&lab, nl, &ctl);
	return finish();
}
