/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.h - the queues: every packet that comes out of one gets a verdict
 *
 * One thread, and two queues: that of the control connections, and, if it is wanted, that of the
 * SYNs to ports on demand. Packets of the first go before those of the second, so a flood of SYNs
 * slows nobody. Functions return 0 or -errno; the caller says what went wrong.
 */
#ifndef PASVD_LOOP_H
#define PASVD_LOOP_H

#include "ct_msg.h"
#include "expect_events.h"
#include "nfq_msg.h"
#include "nl.h"
#include "pasvd/engine.h"

/* Called between two packets. */
struct loop_hooks {
	void (*reload)(void *data);
	/* before those that were received at once; `now` as for engine_packet() */
	void (*packets)(void *data, uint64_t now);
	void (*watchdog)(void *data); /* each watchdog_ms of loop_run(), at least */
	void (*verdict)(void *data, const struct verdict *v); /* after each one was sent */
	void (*ready)(void *data, uint64_t now);              /* loop->watched is readable */
	void *data;
};

enum { LOOP_CONTROL, LOOP_ON_DEMAND, LOOP_QUEUES };

/* nl.sock is NULL if the queue is not wanted. */
struct loop_queue {
	struct nl nl;
	struct loop *loop;
	uint16_t number;
	/* Asks the core: engine_packet() or ondemand_syn(). */
	void (*ask)(
		struct engine *h, struct packet *packet, uint64_t now, struct verdict *ret_verdict);
	_Alignas(struct nlmsghdr) uint8_t in[NL_BATCH_MAX][NFQ_MSG_PACKET_MAX];
};

/* Verdicts that are given and not sent, all of one queue. */
struct loop_batch {
	struct loop_queue *queue;
	size_t n;
	struct verdict verdict[NL_BATCH_MAX];
	size_t len; /* of their messages */
	_Alignas(struct nlmsghdr) uint8_t out[CT_MSG_MAX + NFQ_MSG_VERDICT_MAX];
};

struct loop {
	struct loop_queue queue[LOOP_QUEUES];
	struct engine *engine;
	struct expect_events *expect_events;
	struct ct_ops ct;     /* what loop_ct_ops() was given */
	uint64_t now;         /* of the packet at hand */
	bool events_read;     /* those that came before it */
	uint64_t events_from; /* they are waited for from then on, ms */
	/* a signalfd: SIGTERM and SIGINT end loop_run(), SIGUSR1 logs the counters, SIGHUP
	 * reloads */
	int signals;
	int watched; /* a descriptor that is waited for, too; the owner's; -1: none */
	const struct loop_hooks *hooks;
	bool stopping;
	struct loop_batch batch;
	uint8_t packet[UINT16_MAX];
};

/* `ct`, for the engine: its functions ask the kernel, and before that all verdicts that are given
 * are sent, so that no packet waits for an answer that concerns another. */
struct ct_ops loop_ct_ops(struct loop *loop, const struct ct_ops *ct);

/* Blocks the four signals. `engine`, `events`, which are open, and `hooks` are used until
 * loop_close(). After an error of this or the next one loop_close() is due all the same. */
int loop_open(struct loop *loop, struct engine *engine, struct expect_events *events,
	const struct loop_hooks *hooks);

/* Binds a queue, LOOP_CONTROL or LOOP_ON_DEMAND: from then on its packets wait for us. If it is
 * full, packets that would have to wait are dropped, and TCP repeats them: what passed by us while
 * older packets wait could not be put right. -EPERM: another process has the queue, or
 * CAP_NET_ADMIN is missing. */
int loop_bind(struct loop *loop, int which, uint16_t number);

/* ms of a clock that never goes back. */
uint64_t loop_now(void);

/* Gives verdicts until SIGTERM or SIGINT. `watchdog_ms`: the time between two calls of the hook for
 * that, -1 for none. */
int loop_run(struct loop *loop, int watchdog_ms);

/* Gives verdicts on what still waits, and leaves the queue. */
void loop_close(struct loop *loop);

#endif
