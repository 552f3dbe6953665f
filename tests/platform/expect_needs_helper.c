/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_needs_helper.c
 *
 * FACT: an expectation is refused with EOPNOTSUPP on a master that carries no
 * helper, also if the message names one; with `CT --helper sane` in raw
 * PREROUTING it is accepted. A master that is not there gives ENOENT.
 *
 * Source: net/netfilter/nf_conntrack_netlink.c ctnetlink_create_expect() and
 * ctnetlink_alloc_expect(). Kernels before April 2026 use the helper named in
 * the message, if it is on the kernel's list, for an expectation of its own.
 */
#include <errno.h>
#include <string.h>

#include "platform.h"

int main(void)
{
	struct lab lab;
	struct control ctl, with_helper;
	struct mnl_socket *nl;
	struct ct_view view;
	struct expect e;

	begin();
	lab_up(&lab);
	rules(RULES_DNAT);
	nl = nl_open();
	control_open(&lab, &ctl);
	e = expect_pasv(&ctl, 50000, 50000);
	check_err(expect_add(nl, &e), -EOPNOTSUPP, "no helper on the master");
	e.helper = "sane";
	check_err(expect_add(nl, &e), -EOPNOTSUPP, "no helper on the master, one in the message");
	check(expect_list(nl, NULL) == 0, "there is no expectation");

	rules(RULES_HELPER);
	control_again(&lab, &ctl, &with_helper);
	e = expect_pasv(&with_helper, 50000, 50000);
	check_err(ct_get(nl, &e.master, &view), 0, "look-up of a connection through the raw rule");
	check(strcmp(view.helper, "sane") == 0, "it carries the helper '%s'", view.helper);
	check_err(expect_add(nl, &e), 0, "helper on the master");
	e = expect_pasv(&ctl, 50001, 50001);
	check_err(expect_add(nl, &e), -EOPNOTSUPP,
		"the older connection, which the rule came too late for");
	e.master.src.port ^= 1;
	check_err(expect_add(nl, &e), -ENOENT, "no such master");
	return finish();
}
