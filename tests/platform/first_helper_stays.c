/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * first_helper_stays.c
 *
 * FACT: a connection keeps the first helper that a rule gives it. So rules of
 * nft that come later, like OpenWrt's for clients in the LAN, take it away
 * neither from CT in raw nor from `ct helper set` at mangle.
 *
 * Source: net/netfilter/nft_ct.c nft_ct_helper_obj_eval(),
 * net/netfilter/nf_conntrack_helper.c nf_ct_helper_ext_add().
 */
#include <string.h>

#include "platform.h"

static void helper_is(
	struct mnl_socket *nl, const struct control *ctl, const char *helper, const char *rules)
{
	struct tuple t = control_tuple(ctl);
	struct ct_view view;

	if (ct_get(nl, &t, &view) != 0)
		broken("%s: look-up", rules);
	check(strcmp(view.helper, helper) == 0, "%s: the helper is %s", rules, view.helper);
}

int main(void)
{
	struct control ctl;
	struct mnl_socket *nl;
	struct lab lab;

	begin();
	lab_up(&lab);
	rules(RULES_DNAT);
	nl = nl_open();
	run(NFT_HELPER("late", "ftp", "filter"));
	control_open(&lab, &ctl);
	helper_is(nl, &ctl, "ftp", "nft at filter alone");
	run(NFT_HELPER("early", "sane", "mangle + 10"));
	control_again(&lab, &ctl, &ctl);
	helper_is(nl, &ctl, "sane", "nft at mangle and at filter");
	run("nft delete table inet early");
	rules(RULES_HELPER);
	control_again(&lab, &ctl, &ctl);
	helper_is(nl, &ctl, "sane", "CT in raw, and nft at filter");
	return finish();
}
