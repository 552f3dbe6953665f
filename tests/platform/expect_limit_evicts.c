/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_limit_evicts.c
 *
 * FACT: the helper `sane` allows one expectation per master; creating a second
 * succeeds and the first is gone. Other masters are not touched.
 *
 * Source: net/netfilter/nf_conntrack_sane.c sane_exp_policy,
 * nf_conntrack_expect.c __nf_ct_expect_check() and evict_oldest_expect().
 */
#include <errno.h>

#include "platform.h"

static void the_one_is(struct mnl_socket *nl, int count, const struct expect *e)
{
	struct expect_view view;

	if (check(expect_list(nl, &view) == count, "number of expectations is %d", count) &&
		count == 1)
		check(tuple_eq(&view.tuple, &e->tuple), "it is the one for port %d",
			e->tuple.dst.port);
}

int main(void)
{
	struct lab lab;
	struct control ctl, other;
	struct mnl_socket *nl;
	struct expect first, second, theirs;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT);
	nl = nl_open();
	control_open(&lab, &ctl);
	control_again(&lab, &ctl, &other);
	first = expect_pasv(&ctl, 50000, 50000);
	second = expect_pasv(&ctl, 50001, 50001);
	theirs = expect_pasv(&other, 50002, 50002);
	check_err(expect_add(nl, &first), 0, "the first");
	the_one_is(nl, 1, &first);
	check_err(expect_add(nl, &second), 0, "the second");
	the_one_is(nl, 1, &second);
	check_err(expect_add(nl, &theirs), 0, "another master's");
	the_one_is(nl, 2, NULL);
	return finish();
}
