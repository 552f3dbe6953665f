/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_timeout_is_policy.c
 *
 * FACT: an expectation lives as long as the helper's policy says, 300 s for
 * `sane`; CTA_EXPECT_TIMEOUT in the request that creates it is ignored. A
 * change (the same tuple again, without NLM_F_EXCL) does set it, and the
 * expectation then ends in time: nobody can use it, and its tuple is free.
 *
 * Source: net/netfilter/nf_conntrack_expect.c nf_ct_expect_insert(),
 * nf_conntrack_sane.c sane_exp_policy, nf_conntrack_netlink.c
 * ctnetlink_change_expect(). Kernels before June 2026 have a timer for each
 * expectation; later ones pass by those that are over and clear them away
 * when they come across them, and only then report the end as an event.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

enum { POLICY_S = 300, POLL_MS = 50 };

static void lives_for_policy(struct mnl_socket *nl, const char *what)
{
	struct expect_view view;

	if (check(expect_list(nl, &view) == 1, "%s: one expectation", what))
		check(view.timeout > POLICY_S - SLACK_S && view.timeout <= POLICY_S,
			"%s: it has %u s left", what, view.timeout);
}

/* One that is created with a timeout of @s, and then changed to it. */
static void changed_to(struct mnl_socket *nl, struct expect *e, uint32_t s)
{
	char what[64];

	snprintf(what, sizeof(what), "created with %u s", s);
	e->timeout = s;
	check_err(expect_add(nl, e), 0, what);
	lives_for_policy(nl, what);
	check_err(expect_add_or_change(nl, e), 0, "the same again, as a change");
}

/* Waits until nothing is listed any more; @returns false at the deadline. */
static bool is_gone(struct mnl_socket *nl, struct mnl_socket *events, bool *ret_reported)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	bool reported = false;

	for (int ms = 0; ms < DEADLINE_MS && expect_list(nl, NULL) != 0; ms += POLL_MS)
		reported = nl_recv(events, buf, sizeof(buf), POLL_MS) > 0 || reported;
	*ret_reported = reported || nl_recv(events, buf, sizeof(buf), POLL_MS) > 0;
	return expect_list(nl, NULL) == 0;
}

static void ends_in_time(const struct lab *lab, struct mnl_socket *nl, const struct control *ctl)
{
	struct expect e = expect_pasv(ctl, 50001, 50001);
	struct mnl_socket *events = nl_open();
	int group = NFNLGRP_CONNTRACK_EXP_DESTROY;
	int listener = tcp_listen(lab->server, e.real);
	bool reported;

	changed_to(nl, &e, 1);
	/* Not before: the one that it took the place of ends as well. */
	if (mnl_socket_setsockopt(events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		broken("expectation events: %s", strerror(errno));
	check(is_gone(nl, events, &reported), "it is gone");
	note("its end is reported as an event: %s", reported ? "at once" : "not at once");
	check(tcp_connect(lab->client, ep(CLIENT, 0), e.tuple.dst, DEADLINE_MS) == -ECONNREFUSED,
		"the client is too late");
	check_err(expect_add(nl, &e), 0, "the same may be created again");
	close(listener);
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct mnl_socket *nl;
	struct expect e;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT);
	/* By default a master's expectations have events only if somebody listened
	 * to *connections* when it began. */
	run("echo 1 >/proc/sys/net/netfilter/nf_conntrack_events");
	nl = nl_open();
	control_open(&lab, &ctl);
	e = expect_pasv(&ctl, 50000, 50000);
	check_err(expect_add(nl, &e), 0, "created with no timeout");
	lives_for_policy(nl, "no timeout asked for");
	ends_in_time(&lab, nl, &ctl);
	return finish();
}
