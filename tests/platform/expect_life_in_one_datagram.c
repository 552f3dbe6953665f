/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_life_in_one_datagram.c
 *
 * FACT: the request that creates an expectation and the change that sets its
 * timeout can share a datagram, so nothing can end between the two. The change
 * finds an expectation by its tuple, whoever its master is: where the creation
 * is refused with EEXIST, the change behind it shortens the other master's.
 *
 * Source: net/netfilter/nf_conntrack_netlink.c ctnetlink_new_expect(), which
 * looks for the tuple with __nf_ct_expect_find(), and
 * ctnetlink_change_expect(), which does not look at the master.
 */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

enum { PORT = 50000, POLICY_S = 300, LONG_S = 200, SHORT_S = 60 };

/* Creation and change in one datagram; the change is always taken. */
static void life_create(struct mnl_socket *nl, const struct expect *e, int want, const char *what)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	struct nl_batch b = {.len = 0};
	uint32_t creation = nl_append(&b, expect_msg(buf, e, NLM_F_CREATE | NLM_F_EXCL));
	uint32_t change = nl_append(&b, expect_msg(buf, e, 0));

	check_err(nl_send(nl, b.buf, b.len), 0, what);
	check_err(nl_next_answer(nl, creation), want, "creation");
	check_err(nl_next_answer(nl, change), 0, "change");
}

static void life_is(struct mnl_socket *nl, const struct expect *e, uint32_t s, const char *what)
{
	struct expect_view now;

	if (!check(expect_list(nl, &now) == 1, "%s: one expectation", what))
		return;
	check(tuple_eq(&now.master, &e->master), "%s: it has the master it had", what);
	check(now.timeout <= s && now.timeout + SLACK_S > s, "%s: it has %u s left", what,
		now.timeout);
}

int main(void)
{
	struct lab lab;
	struct control ctl, other;
	struct mnl_socket *nl;
	struct expect mine, theirs;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT);
	nl = nl_open();
	control_open(&lab, &ctl);
	control_again(&lab, &ctl, &other);
	mine = expect_pasv(&ctl, PORT, 50001);
	theirs = expect_pasv(&other, PORT, 50002);
	mine.timeout = LONG_S;
	theirs.timeout = SHORT_S;

	life_create(nl, &mine, 0, "mine, created and changed in one datagram");
	life_is(nl, &mine, LONG_S, "mine");
	life_create(nl, &theirs, -EEXIST, "theirs, with the same tuple");
	life_is(nl, &mine, SHORT_S, "mine after that");
	check(SHORT_S + SLACK_S < LONG_S && LONG_S + SLACK_S < POLICY_S,
		"the times can be distinguished");
	return finish();
}
