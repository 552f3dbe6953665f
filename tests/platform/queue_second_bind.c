/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_second_bind.c
 *
 * FACT: binding a queue that another socket holds is refused, with EPERM or
 * EBUSY; the same socket binding it again is refused with EBUSY. Once the
 * holder's socket is closed, the queue is free at once.
 *
 * Source: net/netfilter/nfnetlink_queue.c nfqnl_recv_config(), and
 * nfqnl_rcv_nl_event(), which ends the queues of a closed socket.
 */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink_queue.h>

#include "platform.h"

int main(void)
{
	struct queue first, second, other;
	int err;

	begin();
	netns_new();
	check_err(queue_open(&first, QUEUE), 0, "first bind");
	err = queue_open(&second, QUEUE);
	check(err == -EPERM || err == -EBUSY, "another socket is refused");
	note("it is refused with: %s", strerror(-err));
	check_err(queue_command(&first, NFQNL_CFG_CMD_BIND), -EBUSY, "the same socket again");
	check_err(queue_open(&other, QUEUE + 1), 0, "another number");
	queue_close(&first);
	check_err(queue_command(&second, NFQNL_CFG_CMD_BIND), 0,
		"after the holder closed its socket");
	return finish();
}
