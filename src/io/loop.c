/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.c - the queue: every packet that comes out of it gets a verdict
 *
 * Waits for a packet or a signal. A packet goes through helper_packet(), and its verdict back to the kernel,
 * before the next one is looked at: nothing is kept, so nothing can be forgotten. What the core cannot make
 * sense of is accepted as it came; a queue whose packets get no verdict is the worst that could happen here.
 *
 * Not used: NFQA_CFG_F_CONNTRACK (missing in kernels without GLUE_CT) and NFQA_CFG_F_GSO: with it, segments
 * longer than the link's would arrive, whose replacement the kernel could not cut again.
 */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum {
	RECEIVE_BYTES = 4 << 20,
	QUEUE_PACKETS = 4096,
	DRAIN_MAX = 2 * QUEUE_PACKETS, /* datagrams read when the queue is left */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void send_verdict(struct loop *loop, uint32_t id, const struct verdict *v, const struct packet *packet)
{
	enum nfq_verdict verdict = v->action == ACTION_DROP ? NFQ_DROP : NFQ_ACCEPT;
	size_t len = v->action == ACTION_REPLACE ? packet->len : 0;
	ssize_t n =
		nfq_msg_put_verdict(loop->out, sizeof loop->out, loop->queue, id, verdict, packet->p, len);
	int err = n < 0 ? (int)n : nl_send(&loop->nl, loop->out, (size_t)n);

	if (err)
		log_at(REASON_LEVEL_ERR, "verdict packet=%u: %s", id, strerror(-err));
}

/* Asks the core. Its buffer has room for a packet that grows. */
static void decide(
	struct loop *loop, const struct nfq_packet *in, struct packet *packet, struct verdict *ret_verdict)
{
	uint64_t now = now_ms();

	*ret_verdict = (struct verdict){.action = ACTION_PASS, .reason = REASON_BAD_PACKET};
	*packet = (struct packet){loop->packet, in->len, sizeof loop->packet};
	if (!in->bytes || in->len > packet->cap)
		return;
	memcpy(packet->p, in->bytes, in->len);
	loop->hooks->packet(loop->hooks->data, now);
	helper_packet(loop->helper, packet, now, ret_verdict);
	log_verdict(ret_verdict);
}

/* One message of the queue: a packet, or the kernel's word that a verdict was refused. */
static int on_message(const struct nlmsghdr *nlh, void *data)
{
	struct loop *loop = data;
	struct nfq_packet in;
	struct packet packet;
	struct verdict verdict;
	int err = nl_error(nlh);

	if (err <= 0) {
		log_at(REASON_LEVEL_ERR, "verdict refused: %s", strerror(-err));
	} else if (nfq_msg_parse_packet(nlh, nlh->nlmsg_len, &in) < 0) {
		log_at(REASON_LEVEL_ERR, "a message of the queue makes no sense: type=%u", nlh->nlmsg_type);
	} else {
		decide(loop, &in, &packet, &verdict);
		send_verdict(loop, in.id, &verdict, &packet);
	}
	return 0;
}

static void on_signal(struct loop *loop)
{
	struct signalfd_siginfo info;

	if (read(loop->signals, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGUSR1)
		log_counters(loop->helper->count);
	else if (info.ssi_signo == SIGHUP)
		loop->hooks->reload(loop->hooks->data);
	else
		loop->stopping = true;
}

static int open_signals(struct loop *loop)
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

/* All in one datagram: packets that come between the binding and the copy mode are dropped by the kernel. Each message
 * has one setting, for one that is refused takes down all that is in its message. */
static int bind_queue(struct loop *loop)
{
	enum { MESSAGES = 4 };
	const size_t room = NFQ_MSG_CONFIG_MAX;
	int result[MESSAGES], err;
	uint8_t *p = loop->out;

	p += nfq_msg_put_bind(p, room, loop->queue);
	p += nfq_msg_put_maxlen(p, room, loop->queue, QUEUE_PACKETS);
	p += nfq_msg_put_fail_open(p, room, loop->queue, true);
	p += nfq_msg_put_copy(p, room, loop->queue);
	err = nl_request(&loop->nl, loop->out, (size_t)(p - loop->out), result, MESSAGES, NULL, NULL);
	for (int i = 0; i < MESSAGES && !err; i++)
		err = result[i];
	return err;
}

int loop_open(struct loop *loop, uint16_t queue, struct helper *helper, const struct loop_hooks *hooks)
{
	int err;

	memset(&loop->nl, 0, sizeof loop->nl);
	loop->helper = helper;
	loop->hooks = hooks;
	loop->queue = queue;
	loop->stopping = false;
	err = open_signals(loop);
	if (!err)
		err = nl_open(&loop->nl, loop->in, sizeof loop->in);
	if (!err)
		err = nl_receive_much(&loop->nl, RECEIVE_BYTES);
	if (err)
		return err;
	loop->nl.unasked = on_message;
	loop->nl.unasked_data = loop;
	return bind_queue(loop);
}

static int dispatch(struct loop *loop)
{
	int err = nl_dispatch(&loop->nl);

	return err == -EAGAIN || err == -ENOBUFS ? 0 : err;
}

int loop_run(struct loop *loop)
{
	struct pollfd fds[] = {
		{.fd = nl_fd(&loop->nl), .events = POLLIN}, {.fd = loop->signals, .events = POLLIN}};
	int err = 0;

	while (!loop->stopping && !err) {
		if (poll(fds, 2, -1) < 0)
			err = errno == EINTR ? 0 : -errno;
		if (!err && fds[0].revents)
			err = dispatch(loop);
		if (fds[1].revents)
			on_signal(loop);
	}
	return err;
}

void loop_close(struct loop *loop)
{
	for (int i = 0; i < DRAIN_MAX && loop->nl.sock && nl_dispatch(&loop->nl) == 0; i++)
		;
	nl_close(&loop->nl);
	if (loop->signals > 0)
		close(loop->signals);
}
