/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own_ct_helper_deleted.c
 *
 * FACT: a connection that carries a userspace helper may have expectations
 * again and again, but not on each kernel after the helper was deleted and
 * registered anew. So pasvd never deletes its own.
 *
 * Source: net/netfilter/nf_conntrack_helper.c nf_conntrack_helper_unregister(),
 * which takes the helper off all connections.
 */
#include <errno.h>
#include <string.h>

#include "platform.h"

#define HELPER    "pasvd-test"
#define RULE      "PREROUTING -i wan -p tcp --dport 21 -j CT --helper " HELPER
#define RULES_OWN "*raw\n-A " RULE "\nCOMMIT\n"
#define RULES_OFF "*raw\n-D " RULE "\nCOMMIT\n"

/* 0, or what the kernel says against it. */
static int expect_and_forget(struct mnl_socket *nl, const struct control *ctl)
{
	struct expect e = expect_pasv(ctl, 50000, 50000);
	int err = expect_add(nl, &e);

	if (!err && expect_del(nl, &e) != 0)
		broken("the expectation cannot be deleted");
	return err;
}

int main(void)
{
	struct mnl_socket *nl;
	struct control ctl;
	struct lab lab;
	int err;

	begin();
	lab_up(&lab);
	nl = nl_open();
	err = helper_register(nl, HELPER);
	if (err) {
		check_err(err, -EINVAL, "helper of ours, without nfnetlink_cthelper");
		return finish();
	}
	rules(RULES_OWN RULES_DNAT);
	control_open(&lab, &ctl);
	check_err(expect_and_forget(nl, &ctl), 0, "expectation");
	check_err(helper_register(nl, HELPER), 0, "the same helper again");
	check_err(expect_and_forget(nl, &ctl), 0, "expectation after that");
	rules(RULES_OFF);
	err = helper_unregister(nl, HELPER);
	note("a helper that a connection carries can be deleted: %s", err ? "no" : "yes");
	if (!err && helper_register(nl, HELPER) != 0)
		broken("the helper cannot be registered anew");
	note("after that it may have expectations again: %s",
		expect_and_forget(nl, &ctl) ? "no" : "yes");
	return finish();
}
