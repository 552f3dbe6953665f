/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalive_provokes_ack.c
 *
 * FACT: a receiver answers a segment of one old byte (sequence number just
 * below what it waits for) with an ACK at once. So a program that has to hold
 * a half line back can let that one byte through in the segment's stead: the
 * sender gets an ACK of what went before, and the bytes come again later.
 *
 * Source: net/ipv4/tcp_input.c tcp_validate_incoming() and
 * tcp_send_dupack(); RFC 9293 section 3.10.7.4 and 3.8.4.
 *
 * Does: replaces the payload of a queued segment by one byte with seq - 1, and
 * waits for a packet without payload at the sender. The sender's own
 * retransmission then brings the data.
 */
#include <string.h>

#include "platform.h"

/* The next packet at the client that has no payload and comes from the server. */
static bool next_pure_ack(int capture, struct packet *ret_p)
{
	for (int i = 0; i < 100 && capture_next(capture, ret_p, DEADLINE_MS); i++)
		if (packet_src(ret_p).port == 21 && packet_payload_len(ret_p) == 0)
			return true;
	return false;
}

/* A first segment, until its acknowledgement has arrived: the next ACK must be
 * an answer to something else. */
static void first_segment(struct queue *q, const struct control *ctl, int capture)
{
	struct packet p, ack;

	tcp_send(ctl->client, "USER", 4);
	if (!queue_next(q, &p, DEADLINE_MS))
		broken("nothing in the queue");
	queue_accept(q, &p);
	check(tcp_expect(ctl->server, "USER", 4), "a first segment");
	for (int i = 0; i < 4 && next_pure_ack(capture, &ack); i++)
		if (packet_ack(&ack) == packet_seq(&p) + 4)
			return;
	broken("the first segment is not acknowledged");
}

static void held_back(struct queue *q, const struct control *ctl, int capture)
{
	struct packet p, ack;
	uint32_t seq;

	tcp_send(ctl->client, "PA", 2);
	if (!queue_next(q, &p, DEADLINE_MS))
		broken("nothing in the queue");
	seq = packet_seq(&p);
	packet_set_payload(&p, "x", 1);
	packet_set_seq(&p, seq - 1);
	queue_replace(q, &p);
	if (!check(next_pure_ack(capture, &ack), "the server answers the old byte with an ACK"))
		return;
	check(packet_ack(&ack) == seq, "the ACK is of what came before the segment held back");
	check(!readable(ctl->server, 0), "the server's program sees nothing of it");
}

int main(void)
{
	struct lab lab;
	struct control ctl;
	struct queue q;
	struct packet p;
	int capture;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT RULES_QUEUE);
	queue_must_open(&q, QUEUE);
	netns_enter(lab.client);
	capture = capture_open("eth0");
	netns_enter(lab.router);
	control_open(&lab, &ctl);
	first_segment(&q, &ctl, capture);
	held_back(&q, &ctl, capture);
	if (!check(queue_next(&q, &p, DEADLINE_MS), "the sender sends the segment again"))
		return finish();
	check(packet_payload_len(&p) == 2, "whole");
	queue_accept(&q, &p);
	check(tcp_expect(ctl.server, "PA", 2), "the stream goes on");
	return finish();
}
