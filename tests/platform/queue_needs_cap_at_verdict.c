/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_needs_cap_at_verdict.c
 *
 * FACT: CAP_NET_ADMIN is needed for every verdict and every ctnetlink request,
 * not only to open and bind: after it was dropped both fail with EPERM and the
 * packet stays in the queue.
 *
 * Source: net/netfilter/nfnetlink.c nfnetlink_rcv(), netlink_net_capable().
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "platform.h"

/* Takes CAP_NET_ADMIN out of the effective set, or puts it back. */
static void net_admin(bool on)
{
	struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &hdr, data) < 0)
		broken("capget: %s", strerror(errno));
	data[0].effective &= ~(1U << CAP_NET_ADMIN);
	if (on)
		data[0].effective |= 1U << CAP_NET_ADMIN;
	if (syscall(SYS_capset, &hdr, data) < 0)
		broken("capset: %s", strerror(errno));
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct queue q;
	struct packet p;
	struct mnl_socket *nl;
	struct ct_view view;
	struct tuple t;

	begin();
	lab_up(&lab);
	rules(RULES_DNAT RULES_QUEUE);
	nl = nl_open();
	queue_must_open(&q, QUEUE);
	control_open(&lab, &ctl);
	t = control_tuple(&ctl);
	check_err(ct_get(nl, &t, &view), 0, "look-up with the capability");
	tcp_send(ctl.client, "PASV", 4);
	if (!queue_next(&q, &p, DEADLINE_MS))
		broken("nothing in the queue");

	net_admin(false);
	check_err(queue_replace_acked(&q, &p), -EPERM, "verdict without the capability");
	check_err(ct_get(nl, &t, &view), -EPERM, "look-up without the capability");
	check(!readable(ctl.server, 0), "the packet was not let go");
	net_admin(true);
	check_err(queue_replace_acked(&q, &p), 0, "the same verdict with the capability");
	check(tcp_expect(ctl.server, "PASV", 4), "the packet goes on");
	return finish();
}
