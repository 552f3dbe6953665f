/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seqadj_ext_with_raw_helper.c
 *
 * FACT: a translated connection that was given its helper in raw PREROUTING
 * can be sequence-adjusted. One without a helper cannot, nor can one that is
 * not translated, and the kernel says success all the same: only reading it
 * back shows the difference.
 *
 * Source: net/netfilter/nf_nat_core.c nf_nat_setup_info(), which adds the
 * seqadj extension if there is a helper; nf_conntrack_netlink.c
 * ctnetlink_change_seq_adj(), which returns 0 without the extension.
 */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

/* True if an adjustment of @t is in force after it was asked for. */
static bool adjustable(struct mnl_socket *nl, struct tuple t, const char *what)
{
	const struct seqadj adj = {
		.by = CTA_TUPLE_ORIG, .dir = CTA_SEQ_ADJ_REPLY, .pos = 1, .after = 5};
	struct ct_view view;

	check_err(seqadj_set(nl, &t, &adj), 0, what);
	if (ct_get(nl, &t, &view) != 0)
		broken("%s: look-up", what);
	return view.adj[1].set && view.adj[1].after == 5 && view.status & IPS_SEQ_ADJUST;
}

int main(void)
{
	struct lab lab;
	struct control ctl, with_helper;
	struct mnl_socket *nl;
	struct tuple direct;
	int fd;

	begin();
	lab_up(&lab);
	rules(RULES_DNAT);
	nl = nl_open();
	control_open(&lab, &ctl);
	check(!adjustable(nl, control_tuple(&ctl), "DNAT, no helper"), "but nothing was set");
	rules(RULES_HELPER);
	control_again(&lab, &ctl, &with_helper);
	check(adjustable(nl, control_tuple(&with_helper), "DNAT, helper from raw"),
		"and it is in force");

	fd = tcp_connect(lab.client, ep(CLIENT, 0), ep(SERVER, 21), DEADLINE_MS);
	if (fd < 0)
		broken("connection without NAT: %s", strerror(-fd));
	direct = (struct tuple){tcp_local(fd), ep(SERVER, 21)};
	check(!adjustable(nl, direct, "no NAT, helper from raw"), "but nothing was set");
	return finish();
}
