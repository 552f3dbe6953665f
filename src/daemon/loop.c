/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.c - the queues: every packet that comes out of one gets a verdict
 *
 * Theory of operation. Packets that wait are received at once, NL_BATCH_MAX at most, and go through
 * the core one after the other. Their verdicts, each after what its connection's mark is to say,
 * are collected and sent in one datagram; only then they are logged. What is collected is sent
 *   - when the packets that were received are through,
 *   - before the kernel is asked anything for a packet after them,
 *   - when there is no room for another.
 * So the first packet of a batch waits for the core alone. What cannot be read is dropped; a queue
 * whose packets get no verdict is the worst that could happen here.
 *
 * Events are read when the core asks for them: for a packet of a session that has a port open. What
 * happened before the packet came is among them by then. A client uses its port, and then asks for
 * the next one: once the core knows of the next, word of the use comes too late. One reading is
 * enough for a batch; but verdicts that are sent within it let other things happen, so after them
 * events are read again. An event alone would wake us for each port that is used, so for a moment
 * after a port was opened they are not waited for: the session's next packet has them read.
 *
 * If we are killed, the packets without verdict are dropped when the kernel closes the queue, and
 * TCP repeats them. What the kernel was asked to change, it was asked for one of them at most, as
 * each question sends the verdicts before it; offer.c is prepared for that one.
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
	DRAIN_MAX = 8192,    /* datagrams read when a queue is left */
	CONTROL_FIRST = 64,  /* packets of control connections that go before a SYN */
	EVENTS_REST_MS = 20, /* after a port was opened, events are not waited for */
	FOLLOW_MS = 10,      /* the next packet of a queue is waited for alone */
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

/* Sends what was collected, and logs it. */
static void loop_flush(struct loop *loop)
{
	struct loop_batch *b = &loop->batch;
	size_t n = b->n;
	int err = n ? nl_send(&b->queue->nl, b->out, b->len) : 0;

	if (err)
		log_at(REASON_LEVEL_ERR, "queue", "verdicts=%zu: %s", n, strerror(-err));
	b->n = b->len = 0;
	for (size_t i = 0; i < n; i++) {
		log_verdict(&b->verdict[i]);
		loop->hooks->verdict(loop->hooks->data, &b->verdict[i]);
	}
	if (n)
		loop->events_read = false;
}

/* --- the kernel is asked: what was collected goes before --- */

static enum ct_result loop_ct_get(void *ctx, const struct tuple *t, struct ct_view *ret_view)
{
	struct loop *loop = ctx;

	loop_flush(loop);
	return loop->ct.get(loop->ct.ctx, t, ret_view);
}

static enum ct_result loop_ct_commit(void *ctx, const struct tuple *master, enum dir dir,
	const struct expect *e, const struct seqadj *a)
{
	struct loop *loop = ctx;

	loop_flush(loop);
	if (e && loop->now >= loop->events_from)
		loop->events_from = loop->now + EVENTS_REST_MS;
	return loop->ct.commit(loop->ct.ctx, master, dir, e, a);
}

static enum ct_result loop_ct_expect_master(
	void *ctx, const struct expect *e, struct tuple *ret_master)
{
	struct loop *loop = ctx;

	loop_flush(loop);
	return loop->ct.expect_master(loop->ct.ctx, e, ret_master);
}

static enum ct_result loop_ct_expect_get(
	void *ctx, const struct tuple *master, struct expect *ret_expect)
{
	struct loop *loop = ctx;

	loop_flush(loop);
	return loop->ct.expect_get(loop->ct.ctx, master, ret_expect);
}

static bool loop_ct_expect_del(void *ctx, const struct expect *e)
{
	struct loop *loop = ctx;

	loop_flush(loop);
	return loop->ct.expect_del(loop->ct.ctx, e);
}

static void loop_ct_mark(void *ctx, const struct tuple *master, uint32_t value, uint32_t mask)
{
	struct loop *loop = ctx;

	loop_flush(loop);
	loop->ct.mark(loop->ct.ctx, master, value, mask);
}

static void loop_ct_report_ends(void *ctx)
{
	struct loop *loop = ctx;

	if (loop->events_read)
		return;
	expect_events_read(loop->expect_events, loop->now);
	loop->events_read = true;
}

struct ct_ops loop_ct_ops(struct loop *loop, const struct ct_ops *ct)
{
	loop->ct = *ct;
	return (struct ct_ops){.get = loop_ct_get,
		.commit = loop_ct_commit,
		.expect_master = loop_ct_expect_master,
		.expect_get = loop_ct_expect_get,
		.expect_del = loop_ct_expect_del,
		.mark = loop_ct_mark,
		.report_ends = loop_ct_report_ends,
		.ctx = loop};
}

/* --- packets --- */

/* What the connection's mark is to say goes before the verdict, in the same datagram: the
 * kernel takes them in order, so no packet is ahead of its mark, whenever we are killed. */
static void loop_put_mark(struct loop_batch *b, const struct verdict *v)
{
	ssize_t n = 0;

	if (v->mark_mask)
		n = ct_msg_put_mark(b->out + b->len, CT_MSG_MAX, &v->view.tuple[DIR_ORIGINAL],
			v->mark, v->mark_mask, false);
	b->len += n < 0 ? 0 : (size_t)n;
}

static void loop_put_verdict(
	struct loop_queue *q, uint32_t id, const struct verdict *v, const struct packet *packet)
{
	struct loop *loop = q->loop;
	struct loop_batch *b = &loop->batch;
	enum nfq_verdict verdict = v->action == ACTION_DROP ? NFQ_DROP : NFQ_ACCEPT;
	size_t len = v->action == ACTION_REPLACE ? packet->len : 0;
	ssize_t n;

	if (b->n == NL_BATCH_MAX ||
		sizeof(b->out) - b->len < CT_MSG_MAX + NFQ_MSG_VERDICT_HEAD + len)
		loop_flush(loop);
	loop_put_mark(b, v);
	n = nfq_msg_put_verdict(
		b->out + b->len, sizeof(b->out) - b->len, q->number, id, verdict, packet->p, len);
	if (n < 0) {
		log_at(REASON_LEVEL_ERR, "queue", "verdict packet=%u: %s", id, strerror((int)-n));
		return;
	}
	b->len += (size_t)n;
	b->verdict[b->n++] = *v;
}

/* Asks the core. Its buffer has room for a packet that grows. */
static void loop_decide(const struct loop_queue *q, const struct nfq_packet *in,
	struct packet *packet, struct verdict *ret_verdict)
{
	struct loop *loop = q->loop;

	*ret_verdict = (struct verdict){.action = ACTION_DROP, .reason = REASON_BAD_PACKET};
	*packet = (struct packet){
		loop->packet, in->len, sizeof(loop->packet), in->indev, in->unverified};
	if (!in->bytes || in->len > packet->cap)
		return;
	memcpy(packet->p, in->bytes, in->len);
	loop->now = loop_now();
	q->ask(loop->engine, packet, loop->now, ret_verdict);
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
		loop_put_verdict(q, in.id, &verdict, &packet);
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
	uint8_t *p = q->loop->batch.out;
	int result[MESSAGES], err;

	p += nfq_msg_put_bind(p, room, q->number);
	p += nfq_msg_put_maxlen(p, room, q->number, packets);
	p += nfq_msg_put_fail_open(p, room, q->number, false);
	p += nfq_msg_put_copy(p, room, q->number);
	err = nl_request(&q->nl, q->loop->batch.out, (size_t)(p - q->loop->batch.out), result,
		MESSAGES, NULL, NULL);
	for (int i = 0; i < MESSAGES && !err; i++)
		err = result[i];
	return err;
}

int loop_open(struct loop *loop, struct engine *engine, struct expect_events *events,
	const struct loop_hooks *hooks)
{
	loop->engine = engine;
	loop->expect_events = events;
	loop->hooks = hooks;
	loop->watched = -1;
	loop->stopping = false;
	loop->events_read = false;
	loop->events_from = 0;
	loop->batch.n = loop->batch.len = 0;
	for (int i = 0; i < LOOP_QUEUES; i++)
		memset(&loop->queue[i].nl, 0, sizeof(loop->queue[i].nl));
	return loop_open_signals(loop);
}

int loop_bind(struct loop *loop, int which, uint16_t number)
{
	struct loop_queue *q = &loop->queue[which];
	int err;

	q->loop = loop;
	err = nl_open(&q->nl, q->in[0], sizeof(q->in[0]));
	if (!err)
		err = nl_receive_much(&q->nl, kinds[which].bytes);
	if (err)
		return err;
	q->number = number;
	q->ask = kinds[which].ask;
	q->nl.unasked = loop_on_message;
	q->nl.unasked_data = q;
	loop->batch.queue = q;
	err = loop_configure_queue(q, kinds[which].packets);
	loop_flush(loop); /* packets may have come before the answers */
	return err ? err : nl_set_wait(&q->nl, FOLLOW_MS);
}

/* Takes at most `max` packets with one system call: how many, or -errno. */
static int loop_take_batch(struct loop_queue *q, unsigned int max, bool waits)
{
	int got;

	q->loop->batch.queue = q;
	got = nl_dispatch_batch(&q->nl, max < NL_BATCH_MAX ? max : NL_BATCH_MAX, waits);
	loop_flush(q->loop);
	q->loop->events_read = false;
	return got == -EAGAIN || got == -ENOBUFS ? 0 : got;
}

/* Takes at most `max` packets of the queue, all that wait if they are no more. */
static int loop_dispatch(struct loop_queue *q, unsigned int max)
{
	int got;

	do {
		q->loop->hooks->packets(q->loop->hooks->data, loop_now());
		got = loop_take_batch(q, max, false);
		max -= got > 0 ? (unsigned int)got : 0;
	} while (got == NL_BATCH_MAX && max);
	return got < 0 ? got : 0;
}

/* After a packet the next one comes soon, as a rule: while they do, they alone are waited for,
 * which takes half as many system calls, and all else waits for twice FOLLOW_MS at most. */
static int loop_follow(struct loop_queue *q)
{
	uint64_t until = loop_now() + FOLLOW_MS;
	int got;

	do {
		q->loop->hooks->packets(q->loop->hooks->data, loop_now());
		got = loop_take_batch(q, NL_BATCH_MAX, true);
	} while (got > 0 && loop_now() < until);
	return got < 0 ? got : 0;
}

/* Reports that verdicts are given. It comes after them, so it stops if they do. */
static void loop_watchdog(const struct loop *loop, int watchdog_ms, uint64_t *last)
{
	uint64_t now = loop_now();

	if (watchdog_ms < 0 || now - *last < (uint64_t)watchdog_ms)
		return;
	*last = now;
	loop->hooks->watchdog(loop->hooks->data);
}

/* Shuts the ports whose time is up. The events are read before: a port may have been used
 * meanwhile. */
static void loop_expire(const struct loop *loop)
{
	uint64_t now = loop_now();

	if (now < engine_expires_at(loop->engine))
		return;
	expect_events_read(loop->expect_events, now);
	engine_expire(loop->engine, now);
}

/* How long there is nothing to do but for packets, in ms. */
static int loop_time_left(const struct loop *loop, int watchdog_ms)
{
	uint64_t now = loop_now(), due = engine_expires_at(loop->engine);
	uint64_t left = due > now ? due - now : 0,
		 max = watchdog_ms < 0 ? INT_MAX : (uint64_t)watchdog_ms;

	if (loop->events_from > now && loop->events_from - now < max)
		max = loop->events_from - now;
	return (int)(left < max ? left : max);
}

/* poll() leaves out a descriptor below 0. */
static int loop_queue_fd(const struct loop_queue *q)
{
	return q->nl.sock ? nl_fd(&q->nl) : -1;
}

static int loop_events_fd(const struct loop *loop)
{
	return loop_now() < loop->events_from ? -1 : expect_events_fd(loop->expect_events);
}

/* When there is one, and before anybody asks for the ports or has us end. */
static void loop_read_events(const struct loop *loop)
{
	expect_events_read(loop->expect_events, loop_now());
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
		[EVENTS] = {.events = POLLIN},
		[WATCHED] = {.fd = loop->watched, .events = POLLIN},
	};
	uint64_t last = 0;
	int err = 0;

	while (!loop->stopping && !err) {
		fds[EVENTS].fd = loop_events_fd(loop);
		if (poll(fds, ARRAY_SIZE(fds), loop_time_left(loop, watchdog_ms)) < 0)
			err = errno == EINTR ? 0 : -errno;
		if (fds[EVENTS].revents || fds[SIGNALS].revents || fds[WATCHED].revents)
			loop_read_events(loop);
		if (!err && fds[CONTROL].revents)
			err = loop_dispatch(control, CONTROL_FIRST);
		if (!err && fds[ON_DEMAND].revents)
			err = loop_dispatch(on_demand, 1);
		if (!err && fds[CONTROL].revents && !on_demand->nl.sock)
			err = loop_follow(control);
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
		if (loop->queue[i].nl.sock)
			loop_dispatch(&loop->queue[i], DRAIN_MAX);
		nl_close(&loop->queue[i].nl);
	}
	if (loop->signals > 0)
		close(loop->signals);
}
