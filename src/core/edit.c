/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edit.c - the rewrites of one direction of a connection
 *
 * Two spaces: the sender's sequence numbers, and the receiver's, which are shifted by what the
 * edits in front grew or shrank. A segment is mapped in three steps: the bytes of each edit in it
 * are replaced by the edit's text; its place in the receiver's space is worked out; and its
 * sequence number is set so that the kernel, which will add `before` or `after` by its own rule,
 * brings it exactly there.
 *
 * The kernel knows one place and two shifts. That is enough for segments, whose sequence number we
 * can choose. For ACKs, which do not come by here, the place is the first byte of the last edit:
 * one that does not reach the edit's text is shifted by `before`, one that does by `after`. While
 * an edit is held nothing of it reaches the receiver, so the place lies one byte in front, and the
 * ACK for all that was delivered counts as one for the held bytes too. With older edits under way,
 * whose shifts differ, `before` is the greatest of them: an ACK may then say too little, never too
 * much. It says too little until the last edit is acknowledged; a sender that never gets so far,
 * because it repeats nothing but what is before it, needs two rewrites that shrink in flight
 * and the loss of both.
 *
 * What lies before the oldest edit remembered is shifted by the last one forgotten, or as the
 * kernel said in the beginning. Not done here: segments older than that one, after which lies
 * another one that changed the length, are taken for retransmissions of what was received long ago.
 */
#include "pasvd/edit.h"

#include <assert.h>
#include <string.h>

enum { HEADERS_MAX = 60 + 60 }; /* IPv4 and TCP with all the options they can have */

static_assert(HEADERS_MAX + EDIT_TEXT_MAX <= EDIT_GROWN_IP4, "a text always gets through");

void edits_init(struct edits *es, const struct seqadj *kernel)
{
	es->kernel = es->base = *kernel;
	es->acks = false;
	es->n = 0;
}

const struct edit *edits_held(const struct edits *es)
{
	const struct edit *last = es->n ? &es->e[es->n - 1] : NULL;

	return last && last->held ? last : NULL;
}

void edits_abandon(struct edits *es)
{
	if (edits_held(es))
		es->e[es->n - 1].held = false;
}

void edits_acked(struct edits *es, uint32_t ack)
{
	if (!es->acks || seq_after(ack, es->acked))
		es->acked = ack;
	es->acks = true;
}

static uint32_t edit_end(const struct edit *e)
{
	return e->seq + e->old_len;
}

/* Shift of the bytes after the edit. */
static int32_t edit_after(const struct edit *e)
{
	return e->before + e->new_len - e->old_len;
}

static void edit_append(struct edits *es, const struct edit *e)
{
	const struct edit *held = edits_held(es);
	int32_t before = held ? held->before : es->kernel.after;

	if (held)
		es->n--;
	if (es->n == EDITS_MAX) {
		es->base = (struct seqadj){es->e[0].seq, es->e[0].before, edit_after(&es->e[0])};
		memmove(es->e, es->e + 1, --es->n * sizeof(es->e[0]));
	}
	es->e[es->n] = *e;
	es->e[es->n].even = !held && e->new_len == e->old_len;
	es->e[es->n++].before = before;
}

/* True if the receiver has acknowledged what lies before the byte at `seq`, whose shift is
 * `before`. */
static bool is_reached(const struct edits *es, uint32_t seq, int32_t before)
{
	return es->acks && !seq_after(seq + (uint32_t)before, es->acked);
}

/* The receiver has acknowledged the edit. */
static bool edit_has_arrived(const struct edits *es, const struct edit *e)
{
	return is_reached(es, edit_end(e), edit_after(e));
}

/* Of all shifts that bytes under way before the last edit can have. */
static int32_t edit_greatest_shift(const struct edits *es)
{
	const struct seqadj *base = &es->base;
	int32_t greatest = es->e[es->n - 1].before;

	if (base->before > base->after && base->before > greatest &&
		!is_reached(es, base->pos, base->before))
		greatest = base->before;
	for (size_t i = 0; i + 1U < es->n; i++) {
		const struct edit *e = &es->e[i];

		if (!is_reached(es, e->seq, e->before) && e->before > greatest)
			greatest = e->before;
	}
	return greatest;
}

/* What the kernel has to do: after the first byte of the last edit (before it, while it is
 * held) the shift is that after the edit. In front of that, where older edits may still be under
 * way, an ACK is taken for the least that it can mean. The place is compared in the receiver's
 * space, hence pos + before is what counts. */
static struct seqadj edit_kernel_shift(const struct edits *es)
{
	const struct edit *last = &es->e[es->n - 1];
	int32_t before = edit_greatest_shift(es);
	uint32_t place = last->seq + (uint32_t)last->before - (last->new_len ? 0 : 1);

	return (struct seqadj){place - (uint32_t)before, before, edit_after(last)};
}

bool edits_full(const struct edits *es)
{
	return es->n == EDITS_MAX && !edits_held(es) && !edit_has_arrived(es, &es->e[0]);
}

bool edits_are_settled(const struct edits *es)
{
	return !es->n || (!edits_held(es) && edit_has_arrived(es, &es->e[es->n - 1]));
}

bool edits_put(struct edits *es, const struct edit *e)
{
	bool was_held = edits_held(es) != NULL;

	edit_append(es, e);
	if (!was_held && e->new_len == e->old_len)
		return false;
	es->kernel = edit_kernel_shift(es);
	return true;
}

bool edits_redo(struct edits *es, const struct edit *e)
{
	const struct seqadj kernel = es->kernel;
	int32_t grown = e->new_len - e->old_len, before = kernel.after - grown;

	if (!grown && !edits_held(es))
		return !edits_put(es, e);
	if (es->n || kernel.before == kernel.after ||
		e->seq + (uint32_t)before != kernel.pos + (uint32_t)kernel.before)
		return false;
	es->kernel = es->base = (struct seqadj){kernel.pos, before, before};
	edit_append(es, e);
	es->kernel = kernel;
	return true;
}

void edit_mask(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != ' ')
			p[i] = 'X';
	}
}

/* What is held, masked up to `to`. */
static struct edit edit_mask_held(const struct edit *held, uint32_t to)
{
	struct edit e = *held;

	edit_mask(e.text, seq_after(edit_end(held), to) ? to - held->seq : held->old_len);
	e.held = false;
	e.new_len = e.old_len;
	return e;
}

bool edits_mask(struct edits *es, uint32_t from, uint32_t to, bool *ret_shifts)
{
	const struct edit *held = edits_held(es);
	bool shifts = false;
	struct edit e;

	if (held) {
		e = edit_mask_held(held, to);
		from = edit_end(&e);
		shifts = edits_put(es, &e);
	}
	if (seq_after(to, from)) {
		if (edits_full(es))
			return false;
		e = (struct edit){.seq = from, .masked = true};
		e.old_len = e.new_len = (uint16_t)(to - from);
		edits_put(es, &e);
	}
	*ret_shifts = shifts;
	return true;
}

/* Shift of the byte at `seq`, which is not after the first byte of an edit. */
static int32_t edit_shift_at(const struct edits *es, uint32_t seq)
{
	for (size_t i = es->n; i > 0; i--) {
		if (seq_after(seq, es->e[i - 1].seq))
			return edit_after(&es->e[i - 1]);
	}
	return seq_after(seq, es->base.pos) ? es->base.after : es->base.before;
}

/* The sequence number that the kernel will bring to `target` (nf_ct_seq_adjust). */
static uint32_t edit_seq_for(const struct seqadj *kernel, uint32_t target)
{
	uint32_t seq = target - (uint32_t)kernel->before;

	return seq_after(seq, kernel->pos) ? target - (uint32_t)kernel->after : seq;
}

/* The number to give to a segment that begins with the byte `seq`. */
static uint32_t edit_seq_of(const struct edits *es, uint32_t seq)
{
	return edit_seq_for(&es->kernel, seq + (uint32_t)edit_shift_at(es, seq));
}

/* Overwrites the bytes of the segment, which ends at `end`, that belong to an edit that is even. 1:
 * there are some. */
static int edit_overwrite(const struct edit *e, const struct seg *seg, uint32_t end, uint8_t *p)
{
	uint32_t from = seq_after(seg->seq, e->seq) ? seg->seq : e->seq;
	uint32_t to = seq_after(end, edit_end(e)) ? edit_end(e) : end;
	uint8_t *part = p + seg->payload + (from - seg->seq);

	if (!seq_after(to, from))
		return 0;
	if (e->masked)
		edit_mask(part, to - from);
	else
		memcpy(part, e->text + (from - e->seq), to - from);
	return 1;
}

/* Replaces the bytes of the segment, which ends at `end`, that belong to the edit by its text. A
 * segment that begins within the edit, or right after it (its bytes may all have been held), then
 * begins with it. Edits are taken from the last to the first, so seg->seq still is the old one
 * here. 1: the edit had a part in it. -1: no room. */
static int edit_replace(const struct edit *e, struct seg *seg, uint32_t end, uint8_t *p, size_t cap)
{
	uint32_t from = seq_after(seg->seq, e->seq) ? seg->seq : e->seq;
	uint32_t to = seq_after(end, edit_end(e)) ? edit_end(e) : end;

	if (!seq_after(end, e->seq) || seq_after(seg->seq, edit_end(e)))
		return 0;
	if (seg_splice(seg, p, cap, from - seg->seq, to - from, e->text, e->new_len) < 0)
		return -1;
	if (seq_after(seg->seq, e->seq))
		seg->seq = e->seq;
	return 1;
}

/* Replaces what belongs to any edit; how many had a part in the segment, -1 if there was no
 * room. */
static int edit_replace_all(const struct edits *es, struct seg *seg, uint8_t *p, size_t cap)
{
	uint32_t end = seg->seq + seg->payload_len;
	int replaced = 0;

	for (size_t i = es->n; i > 0; i--) {
		const struct edit *e = &es->e[i - 1];
		int rc = e->even ? edit_overwrite(e, seg, end, p)
				 : edit_replace(e, seg, end, p, cap);

		if (rc < 0)
			return -1;
		replaced += rc;
	}
	return replaced;
}

/* A segment of which nothing is left gives the byte before it once more. */
static int edit_fill_empty(const struct edits *es, struct seg *seg, uint8_t *p, size_t cap)
{
	size_t i = es->n;

	if (seg->payload_len)
		return 0;
	while (i > 1 && es->e[i - 1].seq != seg->seq)
		i--;
	seg->seq--;
	return seg_splice(seg, p, cap, 0, 0, &es->e[i - 1].prev, 1);
}

/* Leaves off what would make the packet longer than any link carries; the sender repeats it. */
static void edit_limit_growth(struct seg *seg, size_t old_len)
{
	size_t max = seg->tuple.src.addr.family == ADDR_IP4 ? EDIT_GROWN_IP4 : EDIT_GROWN_IP6;

	if (max < old_len)
		max = old_len;
	if ((size_t)seg->payload + seg->payload_len <= max)
		return;
	seg->payload_len = (uint16_t)(max - seg->payload);
	seg->flags &= (uint8_t)~SEG_FIN;
}

long edits_apply(const struct edits *es, const struct seg *seg, uint8_t *p, size_t cap)
{
	struct seg out = *seg;
	int replaced = edit_replace_all(es, &out, p, cap);

	if (replaced < 0 || edit_fill_empty(es, &out, p, cap) < 0)
		return -1;
	if (out.flags & SEG_URG) /* urgent data (ABOR) comes after what is rewritten */
		out.urgent = (uint16_t)(out.urgent + out.payload_len - seg->payload_len);
	out.seq = edit_seq_of(es, out.seq);
	if (!replaced && out.seq == seg->seq)
		return 0;
	edit_limit_growth(&out, (size_t)seg->payload + seg->payload_len);
	return (long)seg_seal(&out, p);
}

size_t edits_empty(
	const struct edits *es, const struct seg *seg, uint32_t seq, uint8_t flags, uint8_t *p)
{
	struct seg out = *seg;

	out.seq = edit_seq_of(es, seq);
	out.flags = flags;
	out.urgent = 0;
	out.payload_len = 0;
	return seg_seal(&out, p);
}
