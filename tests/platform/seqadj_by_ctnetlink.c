/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seqadj_by_ctnetlink.c
 *
 * FACT: IPCTNL_MSG_CT_NEW with CTA_SEQ_ADJ_REPLY {correction_pos,
 * offset_before, offset_after} makes the kernel shift the sequence numbers of
 * later segments and map the ACKs back. CTA_TUPLE_ORIG or CTA_TUPLE_REPLY may
 * carry the tuple of either direction. A segment at correction_pos itself gets
 * offset_before. correction_pos is in the sender's own numbers. Reading the
 * connection gives the same numbers back.
 *
 * Source: net/netfilter/nf_conntrack_netlink.c ctnetlink_change_seq_adj(),
 * nf_conntrack_seqadj.c nf_ct_seq_adjust(), called by nf_confirm().
 *
 * Does: grows and shrinks replies of a server behind DNAT, twice in one
 * connection and once in the other direction; compares both streams and the
 * numbers on the wire at the client; nothing is ever sent twice.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "platform.h"

struct bench {
	struct lab lab;
	struct mnl_socket *nl;
	struct queue queue;
	struct control ctl;
	int capture; /* what arrives at the client */
};

/* How the queue treats one segment. */
struct rewrite {
	const char *text, *becomes; /* NULL: passes as it is */
	struct seqadj adj;          /* pos comes from the segment */
	bool by_dialled;            /* address it by the original tuple, not by the segment's own */
};

static void set_adjustment(struct bench *b, const struct packet *p, const struct rewrite *r)
{
	struct tuple t = r->by_dialled ? control_tuple(&b->ctl) : tuple_of(p);
	struct seqadj adj = r->adj;

	adj.pos = packet_seq(p);
	check_err(seqadj_set(b->nl, &t, &adj), 0, "adjustment");
}

/* Sends @r->text, has the queue rewrite it, and checks what arrives. */
static void segment(struct bench *b, int from, int to, const struct rewrite *r)
{
	const char *want = r->becomes ? r->becomes : r->text;
	struct packet p;

	tcp_send(from, r->text, strlen(r->text));
	if (!queue_next(&b->queue, &p, DEADLINE_MS))
		broken("'%s' did not come to the queue", r->text);
	if (packet_payload_len(&p) != strlen(r->text))
		broken("queue saw %zu bytes of '%s'", packet_payload_len(&p), r->text);
	if (r->becomes) {
		packet_set_payload(&p, r->becomes, strlen(r->becomes));
		set_adjustment(b, &p, r);
	}
	queue_replace(&b->queue, &p);
	check(tcp_expect(to, want, strlen(want)), "'%s' arrives", want);
}

/* Sequence number of the next segment with payload that reached the client. */
static uint32_t seq_at_client(struct bench *b)
{
	struct packet p;

	for (int i = 0; i < 100 && capture_next(b->capture, &p, DEADLINE_MS); i++)
		if (packet_payload_len(&p))
			return packet_seq(&p);
	broken("nothing with payload reached the client");
}

static uint32_t reply(struct bench *b, const struct rewrite *r)
{
	segment(b, b->ctl.server, b->ctl.client, r);
	return seq_at_client(b);
}

static void command(struct bench *b, const struct rewrite *r)
{
	segment(b, b->ctl.client, b->ctl.server, r);
}

static void read_back(struct bench *b, int dir, uint32_t pos, int32_t before, int32_t after)
{
	struct tuple t = control_tuple(&b->ctl);
	struct ct_view view;

	check_err(ct_get(b->nl, &t, &view), 0, "reading the connection");
	check(view.status & IPS_SEQ_ADJUST, "IPS_SEQ_ADJUST is set");
	check(view.adj[dir].set && view.adj[dir].pos == pos, "correction_pos reads back");
	check(view.adj[dir].before == (uint32_t)before && view.adj[dir].after == (uint32_t)after,
		"offsets read back: %d %d", before, after);
}

static void replies_grow_and_shrink(struct bench *b)
{
	const struct rewrite hello = {.text = "220 hello"}, later = {.text = "150 later"},
			     done = {.text = "226 done"};
	const struct rewrite grow = {
		.text = "227 a",
		.becomes = "227 longer",
		.adj = {.by = CTA_TUPLE_ORIG, .dir = CTA_SEQ_ADJ_REPLY, .before = 0, .after = 5},
	};
	const struct rewrite shrink = {
		.text = "227 rather long",
		.becomes = "227 b",
		.adj = {.by = CTA_TUPLE_REPLY, .dir = CTA_SEQ_ADJ_REPLY, .before = 5, .after = -5},
	};
	uint32_t at = reply(b, &hello);

	check(reply(b, &grow) == at + 9, "the rewritten segment keeps its number");
	read_back(b, 1, at + 9, 0, 5);
	check(reply(b, &later) == at + 19, "a later one is shifted by 5");
	check(reply(b, &shrink) == at + 28, "a segment at correction_pos gets offset_before");
	read_back(b, 1, at + 23, 5, -5);
	check(reply(b, &done) == at + 33, "a later one is shifted by -5 in all");
}

static void a_command_grows(struct bench *b)
{
	const struct rewrite grow = {
		.text = "EPRT x",
		.becomes = "EPRT xyz",
		.adj = {.by = CTA_TUPLE_ORIG, .dir = CTA_SEQ_ADJ_ORIG, .before = 0, .after = 2},
		.by_dialled = true,
	};

	command(b, &(struct rewrite){.text = "PASV"});
	command(b, &grow);
	command(b, &(struct rewrite){.text = "NOOP"});
	reply(b, &(struct rewrite){.text = "200 ok"});
}

/* The FIN of one side acknowledges all that the other side sent. */
static void both_ends_agree(const struct control *ctl)
{
	char end;

	shutdown(ctl->server, SHUT_WR);
	check(readable(ctl->client, DEADLINE_MS) && recv(ctl->client, &end, 1, 0) == 0,
		"the client sees the end");
	shutdown(ctl->client, SHUT_WR);
	check(readable(ctl->server, DEADLINE_MS) && recv(ctl->server, &end, 1, 0) == 0,
		"the server sees the end");
	check(tcp_all_acked(ctl->server), "the server's data is acknowledged to the last byte");
	check(tcp_retransmissions(ctl->server) == 0, "the server sent nothing twice");
	check(tcp_retransmissions(ctl->client) == 0, "the client sent nothing twice");
}

int main(void)
{
	struct bench b;

	begin();
	lab_up(&b.lab);
	lab_never_repeats(&b.lab);
	rules(RULES_HELPER RULES_DNAT RULES_QUEUE);
	b.nl = nl_open();
	queue_must_open(&b.queue, QUEUE);
	netns_enter(b.lab.client);
	b.capture = capture_open("eth0");
	netns_enter(b.lab.router);
	control_open(&b.lab, &b.ctl);
	replies_grow_and_shrink(&b);
	a_command_grows(&b);
	both_ends_agree(&b.ctl);
	return finish();
}
