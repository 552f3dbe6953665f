/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect_events.c
 *
 * FACT: who has joined NFNLGRP_CONNTRACK_EXP_DESTROY gets an event for each
 * expectation that ends, also if nobody listens to connections. nlmsg_pid is
 * the socket whose request deleted it, and 0 if the kernel ended it by itself:
 * since a connection came, its time was up, its master is gone, or the helper's
 * limit of one made room for the next. (Kernels since June 2026 report the
 * end of its time when they come across it, maybe half a minute later.)
 * CTA_EXPECT_TIMEOUT holds the seconds that were left, rounded down, and
 * nothing else distinguishes these four: a connection in the last second looks as
 * if the time had been up; used, evicted and gone with its master look alike,
 * but after the last of them conntrack does not know the master any more.
 *
 * FACT: with nf_conntrack_events=2, the default, a master has events if
 * somebody listened to any of conntrack's groups when it began, and one that
 * began without stays silent for good.
 *
 * Source: net/netfilter/nf_conntrack_ecache.c nf_ct_ecache_ext_add() and
 * nf_ct_expect_event_report(), nfnetlink.c nfnetlink_bind_event(),
 * nf_conntrack_expect.c nf_ct_find_expectation(), nf_conntrack_core.c
 * clean_from_lists(), nf_conntrack_netlink.c ctnetlink_expect_event().
 *
 * Does: the silent master begins with nf_conntrack_events=0, since a listener
 * in any namespace of the machine counts. That it is silent shows in that the
 * next master's event is the first to come.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

enum { POLICY_S = 300, KERNEL = 0, LOOK_MS = 1 };

#define EVENTS(value) "echo " value " >/proc/sys/net/netfilter/nf_conntrack_events"

static struct mnl_socket *events_open(void)
{
	struct mnl_socket *events = nl_open();
	int group = NFNLGRP_CONNTRACK_EXP_DESTROY;

	if (mnl_socket_setsockopt(events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		broken("expectation events: %s", strerror(errno));
	return events;
}

/* The next event is that of `e`, ended by `portid`; returns how many seconds were left, or -1. */
static int ended(
	struct mnl_socket *events, const struct expect *e, uint32_t portid, const char *how)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MSG_MAX];
	const struct nlmsghdr *nlh = (const void *)buf;
	struct expect_view view;

	if (!check(nl_recv(events, buf, sizeof(buf), DEADLINE_MS) > 0, "%s: there is an event",
		    how))
		return -1;
	check(nlh->nlmsg_type == (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE),
		"%s: of its end", how);
	view = expect_view_of(nlh);
	check(tuple_eq(&view.tuple, &e->tuple) && tuple_eq(&view.master, &e->master) &&
			endpoint_eq(view.real, e->real),
		"%s: it says whose, from where to where", how);
	check(nlh->nlmsg_pid == portid && nlh->nlmsg_seq == 0, "%s: by %s", how,
		portid == KERNEL ? "the kernel" : "the socket that asked");
	return (int)view.timeout;
}

static void much_was_left(int seconds, const char *how)
{
	check(seconds > POLICY_S - SLACK_S && seconds <= POLICY_S, "%s: %d s were left", how,
		seconds);
}

static void add(struct mnl_socket *nl, struct expect *e, uint32_t life)
{
	int err = expect_add(nl, e);

	e->timeout = life;
	if (!err && life)
		err = expect_add_or_change(nl, e);
	if (err)
		broken("expectation: %s", strerror(-err));
}

/* Which begins with the kernel's next tick. */
static void until_its_last_second(struct mnl_socket *nl)
{
	struct expect_view view = {.timeout = 1};

	for (int ms = 0; ms < DEADLINE_MS && view.timeout; ms += LOOK_MS) {
		if (expect_list(nl, &view) != 1)
			broken("it ended too early");
		poll(NULL, 0, view.timeout ? LOOK_MS : 0);
	}
}

static void until_it_is_gone(struct mnl_socket *nl)
{
	int listed = 1;

	for (int ms = 0; ms < DEADLINE_MS && listed; ms += LOOK_MS) {
		listed = expect_list(nl, NULL);
		poll(NULL, 0, listed ? LOOK_MS : 0);
	}
	if (listed)
		broken("its time is not over");
}

static void use(const struct lab *lab, uint16_t real)
{
	int listener = tcp_listen(lab->server, ep(SERVER, real));
	int client = tcp_connect(lab->client, ep(CLIENT, 0), ep(PUBLIC, real), DEADLINE_MS);

	if (client < 0)
		broken("data connection: %s", strerror(-client));
	close(listener);
}

static void used(const struct lab *lab, struct mnl_socket *nl, struct mnl_socket *events,
	const struct control *ctl)
{
	struct expect e = expect_pasv(ctl, 50000, 50000), last = expect_pasv(ctl, 50001, 50001);

	add(nl, &e, 0);
	use(lab, 50000);
	much_was_left(ended(events, &e, KERNEL, "used"), "used");
	add(nl, &last, 1);
	until_its_last_second(nl);
	use(lab, 50001);
	check(ended(events, &last, KERNEL, "used in its last second") == 0,
		"as if its time had been up");
}

/* The kernel comes across it when the same is to be created again, if not before. */
static void expired(struct mnl_socket *nl, struct mnl_socket *events, const struct control *ctl)
{
	struct expect e = expect_pasv(ctl, 50002, 50002);

	add(nl, &e, 1);
	until_it_is_gone(nl);
	check_err(expect_del(nl, &e), -ENOENT, "a request to delete it when its time is up");
	add(nl, &e, 0);
	check(ended(events, &e, KERNEL, "expired") == 0, "no second was left");
	expect_del(nl, &e);
	much_was_left(
		ended(events, &e, mnl_socket_get_portid(nl), "deleted in its turn"), "the next");
}

static void deleted(struct mnl_socket *nl, struct mnl_socket *events, const struct control *ctl)
{
	struct expect e = expect_pasv(ctl, 50003, 50003);

	add(nl, &e, 0);
	check_err(expect_del(nl, &e), 0, "a request to delete it");
	much_was_left(ended(events, &e, mnl_socket_get_portid(nl), "deleted"), "deleted");
}

static void evicted(struct mnl_socket *nl, struct mnl_socket *events, const struct control *ctl)
{
	struct expect e = expect_pasv(ctl, 50004, 50004), next = expect_pasv(ctl, 50005, 50005);

	add(nl, &e, 0);
	add(nl, &next, 0);
	much_was_left(ended(events, &e, KERNEL, "evicted by the next"), "evicted");
}

/* Has the expectation of evicted() left. */
static void gone(struct mnl_socket *nl, struct mnl_socket *events, const struct control *ctl)
{
	struct expect e = expect_pasv(ctl, 50005, 50005);
	struct ct_view view;

	check_err(ct_get(nl, &e.master, &view), 0, "the master is there");
	check_err(ct_del(nl, &e.master), 0, "conntrack forgets the master");
	much_was_left(ended(events, &e, KERNEL, "gone with its master"), "gone");
	check_err(ct_get(nl, &e.master, &view), -ENOENT, "the master is not there");
}

static void silent(struct mnl_socket *nl, struct mnl_socket *events, const struct control *before,
	const struct control *after)
{
	struct expect unheard = expect_pasv(before, 50006, 50006),
		      heard = expect_pasv(after, 50007, 50007);

	add(nl, &unheard, 0);
	check_err(expect_del(nl, &unheard), 0,
		"an expectation of a master without events is deleted");
	add(nl, &heard, 0);
	expect_del(nl, &heard);
	ended(events, &heard, mnl_socket_get_portid(nl), "the first that is heard");
}

int main(void)
{
	struct lab lab;
	struct control before, after;
	struct mnl_socket *nl, *events;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT);
	nl = nl_open();
	run(EVENTS("0"));
	control_open(&lab, &before);
	run(EVENTS("2"));
	events = events_open();
	control_again(&lab, &before, &after);
	silent(nl, events, &before, &after);
	used(&lab, nl, events, &after);
	expired(nl, events, &after);
	deleted(nl, events, &after);
	evicted(nl, events, &after);
	gone(nl, events, &after);
	return finish();
}
