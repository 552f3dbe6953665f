/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_events.c - the kernel's events of expectations that have ended, or that others have made
 *
 * Theory of operation. One socket in the groups of expectations that begin and end,
 * NFNLGRP_CONNTRACK_EXP_NEW and _DESTROY, and never in those of connections, of which there would
 * be one message for each flow on the router. An event carries the expectation whole, how many
 * seconds were left, and in its header the socket that asked for it, 0 if none did
 * (tests/platform/expect_events.c). What pasvd installs and deletes it knows already: that is left
 * out. What others install may be conntrackd's, of a session of another router (adopt.c).
 *
 * The price: with nf_conntrack_events=2, the default, the kernel keeps an account of events for
 * each connection that begins while anybody listens, though none is sent to anybody: 5 % of the
 * time that the first packet of a connection takes, and 32 bytes. With 1 it does so in any case,
 * with 0 never, and there are no events. A connection that began without that account has none for
 * good.
 *
 * Events that find the socket full are lost. Then some ports end without a line, and what
 * conntrackd installed meanwhile waits for the take-over.
 */
#include "expect_events.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "ct_msg.h"
#include "log.h"
#include "pasvd/adopt.h"

enum { READS_MAX = 256 }; /* at once: packets wait meanwhile */

static int expect_events_on_event(const struct nlmsghdr *nlh, void *data)
{
	struct expect_events *e = data;
	struct expect expect;

	if (nlh->nlmsg_pid == e->ours)
		return 0;
	if (ct_msg_parse_expect_end(nlh, nlh->nlmsg_len, &expect) == 0)
		engine_expect_ended(e->engine, &expect, nlh->nlmsg_pid != 0, e->now);
	else if (ct_msg_parse_expected(nlh, nlh->nlmsg_len, &expect) == 0)
		adopt_expect(e->engine, &expect, true, e->now);
	return 0;
}

int expect_events_open(struct expect_events *e, struct engine *engine, uint32_t ours)
{
	int err = nl_open(&e->nl, e->event[0], sizeof(e->event[0]));

	if (err)
		return err;
	e->engine = engine;
	e->ours = ours;
	e->bursts = 0;
	e->is_reading = false;
	e->nl.unasked = expect_events_on_event;
	e->nl.unasked_data = e;
	err = nl_join(&e->nl, NFNLGRP_CONNTRACK_EXP_DESTROY);
	return err ? err : nl_join(&e->nl, NFNLGRP_CONNTRACK_EXP_NEW);
}

void expect_events_close(struct expect_events *e)
{
	nl_close(&e->nl);
}

int expect_events_fd(const struct expect_events *e)
{
	return nl_fd(&e->nl);
}

/* The kernel says it once, and then loses what comes until all that waits is read. */
static void expect_events_log_lost(struct expect_events *e)
{
	e->bursts++;
	log_packet(REASON_LEVEL_WARNING, NULL, "lost-events",
		"how some ports ended is not known, nor what other programs opened",
		"bursts=%" PRIu64, e->bursts);
}

void expect_events_read(struct expect_events *e, uint64_t now)
{
	int err = NL_BATCH_MAX;

	if (e->is_reading)
		return;
	e->is_reading = true;
	e->now = now;
	for (int i = 0; i < READS_MAX && (err == NL_BATCH_MAX || err == -ENOBUFS); i++) {
		err = nl_dispatch_batch(&e->nl, NL_BATCH_MAX, false);
		if (err == -ENOBUFS)
			expect_events_log_lost(e);
	}
	e->is_reading = false;
	if (err < 0 && err != -EAGAIN && err != -ENOBUFS)
		log_packet(REASON_LEVEL_ERR, NULL, "lost-events", strerror(-err), "errno=%d", -err);
}
