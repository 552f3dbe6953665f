/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seqadj_ext_with_nft_helper.c
 *
 * FACT: a connection that nft's `ct helper set` gives a helper between
 * connection tracking and NAT, and that is translated then, can be
 * sequence-adjusted. Behind NAT that is too late on kernels before
 * late 2025, as far as the change is not in their stable releases.
 *
 * Source: net/netfilter/nft_ct.c nft_ct_helper_obj_eval(), which needs an
 * unconfirmed connection, and which adds the extension to one that is
 * translated already since late 2025; nf_nat_core.c nf_nat_setup_info().
 */
#include <string.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

/* True if an adjustment of the connection is in force after it was asked for. */
static bool adjustable(struct mnl_socket *nl, const struct control *ctl, const char *what)
{
	const struct seqadj adj = {
		.by = CTA_TUPLE_ORIG, .dir = CTA_SEQ_ADJ_REPLY, .pos = 1, .after = 5};
	struct tuple t = control_tuple(ctl);
	struct ct_view view;

	check_err(seqadj_set(nl, &t, &adj), 0, what);
	if (ct_get(nl, &t, &view) != 0)
		broken("%s: look-up", what);
	return view.adj[1].set && view.adj[1].after == 5 && view.status & IPS_SEQ_ADJUST;
}

int main(void)
{
	struct control before, behind;
	struct mnl_socket *nl;
	struct lab lab;

	begin();
	lab_up(&lab);
	rules(RULES_DNAT);
	nl = nl_open();
	run(NFT_HELPER("t", "sane", "mangle + 10"));
	control_open(&lab, &before);
	check(adjustable(nl, &before, "helper between connection tracking and NAT"),
		"and it is in force");
	run(NFT_HELPER("t", "sane", "filter"));
	control_again(&lab, &before, &behind);
	note("helper behind NAT: %s",
		adjustable(nl, &behind, "helper behind NAT") ? "in force" : "nothing was set");
	return finish();
}
