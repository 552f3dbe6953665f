/* SPDX-License-Identifier: GPL-2.0-or-later */
/* play.c - plays dialogue files against the core
 *
 * usage: play [-e N] FILE...
 *
 * With -e, of the runs with cuts only one of N, counted through all files: for an emulator, which
 * is slow.
 *
 * A file is played many times, in all the ways of cutting and repeating its segments that
 * dialogue/README lists. Each run starts a helper and a conntrack anew, hands each segment to
 * engine_packet() as the router would, lets the fake kernel adjust what comes out, puts it into the
 * receiver's stream, and sends the receiver's ACK back. The first thing that is not as the file
 * says ends the process with status 1.
 *
 * Sequence numbers of the runs with cuts wrap around at the cut.
 */
#include "guard.h"
#include "packet.h"
#include "pasvd/array.h"
#include "pasvd/ondemand.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long runs, cut_runs, each = 1;

/* --- ways of playing a segment --- */

static void send_whole(struct run *r, const struct step *s)
{
	put(r, s, 0, s->sent.len);
	if (r->cut_step == NULL && r->last != s->reason)
		fail(r, "reason %s, not %s", reason_name(r->last), reason_name(s->reason));
}

static void send_twice(struct run *r, const struct step *s)
{
	put(r, s, 0, s->sent.len);
	put_again(r, s, 0, s->sent.len);
}

static void send_bytes(struct run *r, const struct step *s)
{
	for (size_t i = 0; i < s->sent.len; i++)
		put(r, s, i, i + 1);
}

static void send_bytes_twice(struct run *r, const struct step *s)
{
	for (size_t i = 0; i < s->sent.len; i++) {
		put(r, s, i, i + 1);
		put_again(r, s, i, i + 1);
	}
}

/* All older segments of this side as far back as the helper promises to know its rewrites. */
static void send_and_older(struct run *r, const struct step *s)
{
	unsigned rewrites = s->rewrites;

	put(r, s, 0, s->sent.len);
	for (const struct step *old = s; old-- > r->d->step + r->memory;) {
		if (old->kind != STEP_SEND || old->dir != s->dir)
			continue;
		rewrites += old->rewrites;
		if (rewrites > EDITS_MAX)
			return;
		put_again(r, old, 0, old->sent.len);
	}
}

static void cut_in_order(struct run *r, const struct step *s)
{
	put(r, s, 0, r->cut[0]);
	put(r, s, r->cut[0], s->sent.len);
}

static void cut_each_twice(struct run *r, const struct step *s)
{
	put(r, s, 0, r->cut[0]);
	put_again(r, s, 0, r->cut[0]);
	put(r, s, r->cut[0], s->sent.len);
	put_again(r, s, r->cut[0], s->sent.len);
	put_again(r, s, 0, r->cut[0]);
}

static void cut_and_together(struct run *r, const struct step *s)
{
	cut_in_order(r, s);
	put_again(r, s, 0, s->sent.len);
}

/* The first half came past us, so its bytes are final for a receiver that we cannot see. */
static void cut_and_lost(struct run *r, const struct step *s)
{
	if (put_packet(r, s, 0, r->cut[0], true) == ACTION_DROP)
		fail(r, "the first %zu bytes of the segment are dropped", r->cut[0]);
	put(r, s, 0, s->sent.len);
}

static void cut_and_overlap(struct run *r, const struct step *s)
{
	put(r, s, 0, r->cut[0]);
	put(r, s, r->cut[0] / 2, s->sent.len);
}

/* A stream that begins with its second half has no first one. */
static void cut_and_swapped(struct run *r, const struct step *s)
{
	enum action action;

	if (r->side[s->dir].fresh) {
		cut_in_order(r, s);
		return;
	}
	r->disorder = true;
	action = put_packet(r, s, r->cut[0], s->sent.len, false);
	put(r, s, 0, r->cut[0]);
	r->disorder = false;
	if (action == ACTION_DROP)
		put(r, s, r->cut[0], s->sent.len);
}

static void cut_in_three(struct run *r, const struct step *s)
{
	put(r, s, 0, r->cut[0]);
	put(r, s, r->cut[0], r->cut[1]);
	put(r, s, r->cut[1], s->sent.len);
	put_again(r, s, r->cut[0], s->sent.len);
	put_again(r, s, 0, r->cut[1]);
}

static const struct how hows[] = {
	{"whole", send_whole, NULL, 0, false},
	{"each segment twice", send_twice, NULL, 0, false},
	{"older segments again", send_and_older, NULL, 0, false},
	{"byte by byte", send_bytes, NULL, 0, true},
	{"each byte twice", send_bytes_twice, NULL, 0, true},
	{"cut", send_whole, cut_in_order, 1, true},
	{"cut, each half twice", send_whole, cut_each_twice, 1, true},
	{"cut, then both together", send_whole, cut_and_together, 1, true},
	{"cut, first half lost, all again", send_whole, cut_and_lost, 1, true},
	{"cut, second half overlaps", send_whole, cut_and_overlap, 1, true},
	{"cut, second half first", send_whole, cut_and_swapped, 1, true},
	{"cut in three", send_whole, cut_in_three, 2, true},
};

/* --- steps --- */

static void forget(struct run *r)
{
	r->memory = (unsigned)(r->step - r->d->step);
	r->side[DIR_ORIGINAL].fresh = true;
	r->side[DIR_REPLY].fresh = true;
}

/* A connection that is marked is found by the daemon when it starts. */
static void start_helper(struct run *r)
{
	static const uint8_t key[CONNTAB_KEY_LEN] = {7};
	struct ct_ops ops = fake_ct_ops(&r->ct);

	engine_init(&r->engine, &ops, &r->d->policy, key);
	if (trust_of_mark(r->d->policy.connmark, r->conn->mark) & TRUST_TLS)
		ondemand_restore(&r->engine, &r->conn->view, r->now);
	forget(r);
}

/* What is scrambled counts as wanted once it has arrived and is not what was sent. */
static void want(struct run *r, const struct step *s)
{
	struct side *side = &r->side[s->dir];
	const uint8_t *text = s->scrambled ? side->byte + side->want : s->received.byte;

	if (side->want + s->received.len > STREAM_MAX)
		fail(r, "too much text");
	if (s->scrambled && memcmp(text, s->sent.byte, s->sent.len) == 0)
		fail(r, "arrives as it was sent");
	memcpy(side->wanted + side->want, text, s->received.len);
	side->want += s->received.len;
}

/* A dialogue does not know what policy.c notes in the source port. */
static bool is_expected(struct expect got, const struct expect *wanted)
{
	got.tuple.src.port = 0;
	return expect_eq(&got, wanted);
}

static void check_expects(struct run *r, const struct step *s)
{
	if (r->ct.addeds != s->expects)
		fail(r, "%u expectations, not %u", r->ct.addeds, s->expects);
	for (unsigned i = 0; i < s->expects; i++)
		if (!is_expected(r->ct.added[i], &r->d->expect[i]))
			fail(r, "expectation %u is another", i + 1);
	if (r->conn->expecting != s->in_force)
		fail(r, "the last expectation is %s", r->conn->expecting ? "still there" : "gone");
}

static void play_send(struct run *r, const struct step *s)
{
	struct side *side = &r->side[s->dir];

	if (s == r->cut_step)
		r->how->cut(r, s);
	else
		r->how->plain(r, s);
	side->fresh = false;
	if (s->resets) {
		play_reset(r, s);
		check_expects(r, s);
		return;
	}
	want(r, s);
	if (side->got != side->want || memcmp(side->byte, side->wanted, side->want) != 0)
		fail(r, "the receiver has another text");
	check_ack(r, s->dir);
	check_expects(r, s);
}

static void play_busy(struct run *r, const struct step *s)
{
	for (unsigned port = s->low; port <= s->high; port++) {
		struct endpoint passive = {r->d->dialled.addr, (uint16_t)port},
				active = {r->d->seen.addr, (uint16_t)port};

		fake_ct_take(&r->ct, &r->d->client.addr, &passive);
		fake_ct_take(&r->ct, &r->d->listener.addr, &active);
	}
}

static void play_on_demand_syn(struct run *r, const struct step *s)
{
	const struct dialogue *d = r->d;
	bool passive = s->dir == DIR_REPLY;
	const struct packet_spec spec = {
		.tuple = {{passive ? d->client.addr : d->listener.addr, 40123},
			{passive ? d->dialled.addr : d->seen.addr, s->low}, 0},
		.flags = SEG_SYN,
	};
	struct packet packet = {.p = r->buf,
		.len = packet_build(&spec, r->buf),
		.cap = BUFFER,
		.indev = r->indev[passive ? DIR_ORIGINAL : DIR_REPLY]};
	struct verdict verdict;

	ondemand_syn(&r->engine, &packet, r->now, &verdict);
	if (verdict.reason != s->reason || verdict.action != ACTION_PASS)
		fail(r, "reason %s, not %s", reason_name(verdict.reason), reason_name(s->reason));
	check_expects(r, s);
}

static void refuse(struct run *r, unsigned what)
{
	r->ct.refuse_get = what & REFUSE_GET;
	r->ct.refuse_expect = what & REFUSE_EXPECT;
	r->ct.refuse_adjust = what & REFUSE_ADJUST;
}

static void play_step(struct run *r, const struct step *s)
{
	r->step = s;
	switch (s->kind) {
	case STEP_SEND:
		play_send(r, s);
		break;
	case STEP_SYN:
		play_on_demand_syn(r, s);
		break;
	case STEP_ENDING:
		r->conn->view.established = false;
		break;
	case STEP_BUSY:
		play_busy(r, s);
		break;
	case STEP_FREE:
		fake_ct_give_back(&r->ct);
		break;
	case STEP_REFUSE:
		refuse(r, s->refuse);
		break;
	case STEP_WORK:
		refuse(r, 0);
		forget(r);
		break;
	case STEP_RESTART:
		start_helper(r);
		break;
	case STEP_IDLE:
		r->now += s->ms;
		forget(r);
		break;
	case STEP_VIA:
		r->indev = s->indev;
		break;
	}
}

/* --- runs --- */

static void place_steps(struct run *r)
{
	size_t at[2] = {0, 0};

	for (unsigned i = 0; i < r->d->steps; i++) {
		const struct step *s = &r->d->step[i];

		r->offset[i] = at[s->dir];
		at[s->dir] += s->sent.len;
	}
}

static void connect_ends(struct run *r)
{
	const struct dialogue *d = r->d;
	struct endpoint nowhere = {.addr.family = ADDR_IP4, .port = 1};

	fake_ct_init(&r->ct);
	r->conn = d->untracked ? fake_ct_connect(&r->ct, &nowhere, &nowhere, &nowhere, &nowhere)
			       : fake_ct_connect(
					 &r->ct, &d->client, &d->dialled, &d->listener, &d->seen);
	r->conn->view.has_helper = !d->no_ct_helper;
}

static void start(struct run *r)
{
	static const uint32_t unknown[2];
	size_t wrap = r->cut_step ? r->offset[r->cut_step - r->d->step] + r->cut[0] : 0;

	runs++;
	r->step = r->d->step;
	r->greatest = REASON_PASSED;
	r->disorder = r->reset = r->told = false;
	r->indev = unknown;
	for (int dir = 0; dir < 2; dir++) {
		memset(&r->side[dir], 0, sizeof(r->side[dir]));
		r->side[dir].isn = 100000u * (uint32_t)(dir + 1);
	}
	if (r->cut_step)
		r->side[r->cut_step->dir].isn = 0u - (uint32_t)wrap;
	connect_ends(r);
	start_helper(r);
	if (!r->d->fresh)
		login(&r->engine, r->conn, (uint32_t[]){r->side[0].isn, r->side[1].isn}, r->now);
}

static enum reason greatest_of(const struct dialogue *d)
{
	enum reason greatest = REASON_PASSED;

	for (unsigned i = 0; i < d->steps; i++)
		if (d->step[i].kind == STEP_SEND && grade(d->step[i].reason) > greatest)
			greatest = grade(d->step[i].reason);
	return greatest;
}

static void play(struct run *r)
{
	start(r);
	for (unsigned i = 0; i < r->d->steps; i++)
		play_step(r, &r->d->step[i]);
	if (r->greatest != greatest_of(r->d))
		fail(r, "greatest reason %s, not %s", reason_name(r->greatest),
			reason_name(greatest_of(r->d)));
}

static void play_cut(struct run *r)
{
	if (cut_runs++ % each == 0)
		play(r);
}

/* Two cuts of a long segment have too many places: of the second one's some are left out. */
static void play_cuts_of(struct run *r, const struct step *s)
{
	size_t stride = 1 + s->sent.len / 128;

	r->cut_step = s;
	for (r->cut[0] = 1; r->cut[0] < s->sent.len; r->cut[0]++) {
		r->cut[1] = r->how->cuts == 2 ? r->cut[0] + 1 : 0;
		if (r->how->cuts == 1)
			play_cut(r);
		for (; r->how->cuts == 2 && r->cut[1] < s->sent.len; r->cut[1] += stride)
			play_cut(r);
	}
	r->cut_step = NULL;
}

static void play_cuts(struct run *r)
{
	for (const struct step *s = r->d->step; s < r->d->step + r->d->steps; s++)
		if (s->kind == STEP_SEND && (r->how->cuts == 1 || s->rewrites))
			play_cuts_of(r, s);
}

static void play_all(struct run *r, const char *file)
{
	place_steps(r);
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		r->how = &hows[i];
		if (r->how->chops && r->d->uncut)
			continue;
		if (r->how->cut)
			play_cuts(r);
		else
			play(r);
	}
	printf("%s: %lu runs, %lu packets\n", file, runs, r->packets);
}

int main(int argc, char **argv)
{
	static struct dialogue dialogue;
	static struct run run;

	while (getopt(argc, argv, "e:") == 'e')
		each = strtoul(optarg, NULL, 10);
	if (each == 0 || optind == argc) {
		fputs("usage: play [-e N] FILE...\n", stderr);
		return 2;
	}
	run.buf = guard_copy(NULL, BUFFER);
	for (char **file = argv + optind; *file; file++) {
		runs = run.packets = 0;
		dialogue_read(&dialogue, *file);
		run.d = &dialogue;
		play_all(&run, *file);
	}
	guard_free(run.buf, BUFFER);
	return 0;
}
