/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.h - the queue: every packet that comes out of it gets a verdict
 *
 * One thread, one queue. Functions return 0 or -errno; the caller says what went wrong.
 */
#ifndef PASVD_LOOP_H
#define PASVD_LOOP_H

#include "nfq_msg.h"
#include "nl.h"
#include "pasvd/helper.h"

/* Called between two packets. */
struct loop_hooks {
	void (*reload)(void *data);
	void (*packet)(void *data, uint64_t now); /* before each one; `now` as for helper_packet() */
	void *data;
};

struct loop {
	struct nl nl;
	struct helper *helper;
	uint16_t queue;
	int signals; /* a signalfd: SIGTERM and SIGINT end loop_run(), SIGUSR1 logs the counters, SIGHUP reloads */
	const struct loop_hooks *hooks;
	bool stopping;
	_Alignas(struct nlmsghdr) uint8_t in[NFQ_MSG_PACKET_MAX];
	_Alignas(struct nlmsghdr) uint8_t out[NFQ_MSG_VERDICT_MAX];
	uint8_t packet[UINT16_MAX];
};

/* Blocks the four signals, opens the socket and binds the queue: from then on its packets wait for us.
 * Packets that find the queue full pass. -EPERM: another process has the queue, or CAP_NET_ADMIN is missing.
 * `helper` and `hooks` are used until loop_close(). After an error loop_close() is due all the same. */
int loop_open(struct loop *loop, uint16_t queue, struct helper *helper, const struct loop_hooks *hooks);

/* Gives verdicts until SIGTERM or SIGINT. */
int loop_run(struct loop *loop);

/* Gives verdicts on what still waits, and leaves the queue. */
void loop_close(struct loop *loop);

#endif
