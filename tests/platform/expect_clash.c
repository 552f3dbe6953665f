/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_clash.c
 *
 * FACT: an expectation whose tuple is already expected, by another master or
 * by the same one, is refused with EEXIST if the request says NLM_F_EXCL.
 * Without NLM_F_EXCL the answer is success and nothing happens: the old one
 * stays, with its master and its NAT. EBUSY comes only from a mask that
 * overlaps and differs. Once deleted or spent, the tuple is free again.
 *
 * Source: net/netfilter/nf_conntrack_netlink.c ctnetlink_new_expect() (looks
 * the tuple up before it creates), nf_conntrack_expect.c
 * __nf_ct_expect_check().
 */
#include <errno.h>

#include "platform.h"

enum { PORT = 50000 };

static void is_unchanged(struct mnl_socket *nl, const struct expect *e, const char *after)
{
	struct expect_view now;

	if (!check(expect_list(nl, &now) == 1, "one expectation after %s", after))
		return;
	check(tuple_eq(&now.master, &e->master), "it has the master it had");
	check(endpoint_eq(now.real, e->real), "and the NAT it had");
}

int main(void)
{
	struct lab lab;
	struct control ctl, other;
	struct mnl_socket *nl;
	struct expect mine, moved, theirs, narrow;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT);
	nl = nl_open();
	control_open(&lab, &ctl);
	control_again(&lab, &ctl, &other);
	mine = expect_pasv(&ctl, PORT, 50001);
	moved = expect_pasv(&ctl, PORT, 50002);
	theirs = expect_pasv(&other, PORT, 50003);

	check_err(expect_add(nl, &mine), 0, "the first");
	check_err(expect_add(nl, &theirs), -EEXIST, "another master, NLM_F_EXCL");
	check_err(expect_add(nl, &mine), -EEXIST, "the same once more, NLM_F_EXCL");
	check_err(expect_add(nl, &moved), -EEXIST, "the same with another real port, NLM_F_EXCL");
	is_unchanged(nl, &mine, "three refusals");
	check_err(expect_add_or_change(nl, &theirs), 0, "another master, no NLM_F_EXCL");
	is_unchanged(nl, &mine, "what looked like success");
	check_err(expect_add_or_change(nl, &moved), 0, "another real port, no NLM_F_EXCL");
	is_unchanged(nl, &mine, "what looked like success");
	check_err(expect_del(nl, &mine), 0, "deletion by the tuple");
	check_err(expect_add(nl, &theirs), 0, "another master after the deletion");

	narrow = theirs;
	check_err(expect_del(nl, &theirs), 0, "deletion by the tuple");
	narrow.tuple.src.port = 40000;
	narrow.source_port = true;
	check_err(expect_add(nl, &narrow), 0, "one for a single source port");
	check_err(expect_add(nl, &mine), -EBUSY,
		"another master, any source port: the masks overlap");
	return finish();
}
