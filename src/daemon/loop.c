/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.c - the queues: every packet that comes out of one gets a verdict
 *
 * Waits for a packet or a signal. A packet goes through the core, and its verdict back to the
 * kernel, before the next one is looked at: nothing is kept, so nothing can be forgotten. What
 * cannot be read is dropped; a queue whose packets get no verdict is the worst that could happen
 * here.
 *
 * Not used: NFQA_CFG_F_CONNTRACK (missing in kernels without GLUE_CT) and NFQA_CFG_F_GSO: with it,
 * segments longer than the link's would arrive, whose replacement the kernel could not cut again.
 */
#include "loop.h"
#include "pasvd/array.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "pasvd/ondemand.h"

enum {
	DRAIN_MAX = 8192,   /* datagrams read when a queue is left */
	CONTROL_FIRST = 64, /* packets of control connections that go before a SYN */
};

/* Numbers of bytes and packets that may wait. Clients send a SYN again that was dropped, so few are
 * kept. */
static const struct {
	void (*ask)(
		struct engine *h, struct packet *packet, uint64_t now, struct verdict *ret_verdict);
	int bytes;
	uint32_t packets;
} kinds[LOOP_QUEUES] = {
	[LOOP_CONTROL] = {engine_packet, 4 << 20, 4096},
	[LOOP_ON_DEMAND] = {ondemand_syn, 1 << 19, 256},
};

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* What the connection's mark is to say goes before the verdict, in the same datagram: the
 * kernel takes them in order, so no packet is ahead of its mark, whenever we are killed. */
static ssize_t loop_put_mark(struct loop *loop, const struct verdict *v)
{
	ssize_t n = 0;

	if (v->mark_mask)
		n = ct_msg_put_mark(loop->out, CT_MSG_MAX, &v->view.tuple[DIR_ORIGINAL], v->mark,
			v->mark_mask, false);
	return n < 0 ? 0 : n;
}

static void loop_send_verdict(
	struct loop_queue *q, uint32_t id, const struct verdict *v, const struct packet *packet)
{
	struct loop *loop = q->loop;
	enum nfq_verdict verdict = v->action == ACTION_DROP ? NFQ_DROP : NFQ_ACCEPT;
	size_t len = v->action == ACTION_REPLACE ? packet->len : 0;
	ssize_t mark = loop_put_mark(loop, v);
	ssize_t n = nfq_msg_put_verdict(loop->out + mark, sizeof(loop->out) - (size_t)mark,
		q->number, id, verdict, packet->p, len);
	int err = n < 0 ? (int)n : nl_send(&q->nl, loop->out, (size_t)(mark + n));

	if (err)
		log_at(REASON_LEVEL_ERR, "queue", "verdict packet=%u: %s", id, strerror(-err));
}

/* Asks the core. Its buffer has room for a packet that grows.
 *
 * A client uses its port, and then asks for the next one: once the core knows of the next, word of
 * the use comes too late. What happened before this packet was sent is among the events by now, for
 * the packet is here, so they are read first. */
static void loop_decide(const struct loop_queue *q, const struct nfq_packet *in,
	struct packet *packet, struct verdict *ret_verdict)
{
	struct loop *loop = q->loop;
	uint64_t now = loop_now();

	*ret_verdict = (struct verdict){.action = ACTION_DROP, .reason = REASON_BAD_PACKET};
	*packet = (struct packet){
		loop->packet, in->len, sizeof(loop->packet), in->indev, in->unverified};
	if (!in->bytes || in->len > packet->cap)
		return;
	memcpy(packet->p, in->bytes, in->len);
	loop->hooks->packet(loop->hooks->data, now);
	expect_events_read(loop->events, now);
	q->ask(loop->engine, packet, now, ret_verdict);
	log_verdict(ret_verdict);
	loop->hooks->verdict(loop->hooks->data, ret_verdict);
}

/* One message of a queue: a packet, or the kernel's word that a verdict was refused. */
static int loop_on_message(const struct nlmsghdr *nlh, void *data)
{
	struct loop_queue *q = data;
	struct nfq_packet in;
	struct packet packet;
	struct verdict verdict;
	int err = nl_error(nlh);

	if (err <= 0) {
		if (err != -ENOENT) /* the connection, or the packet, is gone */
			log_at(REASON_LEVEL_ERR, "queue", "verdict or mark refused: %s",
				strerror(-err));
	} else if (nfq_msg_parse_packet(nlh, nlh->nlmsg_len, &in) < 0) {
		log_at(REASON_LEVEL_ERR, "queue", "a message of the queue makes no sense: type=%u",
			nlh->nlmsg_type);
	} else {
		loop_decide(q, &in, &packet, &verdict);
		loop_send_verdict(q, in.id, &verdict, &packet);
	}
	return 0;
}

static void loop_on_signal(struct loop *loop)
{
	struct signalfd_siginfo info;

	if (read(loop->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1)
		log_counters(loop->engine);
	else if (info.ssi_signo == SIGHUP)
		loop->hooks->reload(loop->hooks->data);
	else
		loop->stopping = true;
}

static int loop_open_signals(struct loop *loop)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	loop->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return loop->signals < 0 ? -errno : 0;
}

/* All in one datagram: packets that come between the binding and the copy mode are dropped by the
 * kernel. Each message has one setting, for one that is refused takes down all that is in its
 * message. */
static int loop_configure_queue(struct loop_queue *q, uint32_t packets)
{
	enum { MESSAGES = 4 };
	const size_t room = NFQ_MSG_CONFIG_MAX;
	uint8_t *p = q->loop->out;
	int result[MESSAGES], err;

	p += nfq_msg_put_bind(p, room, q->number);
	p += nfq_msg_put_maxlen(p, room, q->number, packets);
	p += nfq_msg_put_fail_open(p, room, q->number, false);
	p += nfq_msg_put_copy(p, room, q->number);
	err = nl_request(
		&q->nl, q->loop->out, (size_t)(p - q->loop->out), result, MESSAGES, NULL, NULL);
	for (int i = 0; i < MESSAGES && !err; i++)
		err = result[i];
	return err;
}

int loop_open(struct loop *loop, struct engine *engine, struct expect_events *events,
	const struct loop_hooks *hooks)
{
	loop->engine = engine;
	loop->events = events;
	loop->hooks = hooks;
	loop->watched = -1;
	loop->stopping = false;
	for (int i = 0; i < LOOP_QUEUES; i++)
		memset(&loop->queue[i].nl, 0, sizeof(loop->queue[i].nl));
	return loop_open_signals(loop);
}

int loop_bind(struct loop *loop, int which, uint16_t number)
{
	struct loop_queue *q = &loop->queue[which];
	int err = nl_open(&q->nl, q->in, sizeof(q->in));

	if (!err)
		err = nl_receive_much(&q->nl, kinds[which].bytes);
	if (err)
		return err;
	q->loop = loop;
	q->number = number;
	q->ask = kinds[which].ask;
	q->nl.unasked = loop_on_message;
	q->nl.unasked_data = q;
	return loop_configure_queue(q, kinds[which].packets);
}

/* Reads at most `most` datagrams of the queue, fewer if there are no more. */
static int loop_dispatch(struct loop_queue *q, int max)
{
	int err = 0;

	for (int i = 0; i < max && q->nl.sock && !err; i++)
		err = nl_dispatch(&q->nl);
	return err == -EAGAIN || err == -ENOBUFS ? 0 : err;
}

/* poll() leaves out a descriptor below 0. */
static int loop_queue_fd(const struct loop_queue *q)
{
	return q->nl.sock ? nl_fd(&q->nl) : -1;
}

/* Tells that verdicts are given. Behind them: it stops if they do. */
static void loop_watchdog(const struct loop *loop, int watchdog_ms, uint64_t *last)
{
	uint64_t now = loop_now();

	if (watchdog_ms < 0 || now - *last < (uint64_t)watchdog_ms)
		return;
	*last = now;
	loop->hooks->beat(loop->hooks->data);
}

/* Shuts the ports whose time is up. The events are read before: a port may have been used
 * meanwhile. */
static void loop_expire(const struct loop *loop)
{
	uint64_t now = loop_now();

	if (now < engine_expires_at(loop->engine))
		return;
	expect_events_read(loop->events, now);
	engine_expire(loop->engine, now);
}

/* How long there is nothing to do but for packets, in ms. */
static int loop_time_left(const struct loop *loop, int watchdog_ms)
{
	uint64_t now = loop_now(), due = engine_expires_at(loop->engine);
	uint64_t left = due > now ? due - now : 0,
		 max = watchdog_ms < 0 ? INT_MAX : (uint64_t)watchdog_ms;

	return (int)(left < max ? left : max);
}

int loop_run(struct loop *loop, int watchdog_ms)
{
	enum { CONTROL, ON_DEMAND, SIGNALS, EVENTS, WATCHED };
	struct loop_queue *control = &loop->queue[LOOP_CONTROL],
			  *on_demand = &loop->queue[LOOP_ON_DEMAND];
	struct pollfd fds[] = {
		[CONTROL] = {.fd = loop_queue_fd(control), .events = POLLIN},
		[ON_DEMAND] = {.fd = loop_queue_fd(on_demand), .events = POLLIN},
		[SIGNALS] = {.fd = loop->signals, .events = POLLIN},
		[EVENTS] = {.fd = expect_events_fd(loop->events), .events = POLLIN},
		[WATCHED] = {.fd = loop->watched, .events = POLLIN},
	};
	uint64_t last = 0;
	int err = 0;

	while (!loop->stopping && !err) {
		if (poll(fds, ARRAY_SIZE(fds), loop_time_left(loop, watchdog_ms)) < 0)
			err = errno == EINTR ? 0 : -errno;
		if (fds[EVENTS].revents)
			expect_events_read(loop->events, loop_now());
		if (!err && fds[CONTROL].revents)
			err = loop_dispatch(control, CONTROL_FIRST);
		if (!err && fds[ON_DEMAND].revents)
			err = loop_dispatch(on_demand, 1);
		if (fds[SIGNALS].revents)
			loop_on_signal(loop);
		if (fds[WATCHED].revents)
			loop->hooks->ready(loop->hooks->data, loop_now());
		loop_expire(loop);
		loop_watchdog(loop, watchdog_ms, &last);
	}
	return err;
}

void loop_close(struct loop *loop)
{
	for (int i = 0; i < LOOP_QUEUES; i++) {
		loop_dispatch(&loop->queue[i], DRAIN_MAX);
		nl_close(&loop->queue[i].nl);
	}
	if (loop->signals > 0)
		close(loop->signals);
}
