/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_edit.c - rewrites, mapped onto any segment
 *
 * Each sample is a stream of N bytes with some edits. Every segment that can be cut out of it is
 * mapped, adjusted as the kernel does, and compared byte by byte with the stream that the receiver
 * should see.
 */
#include "fake_ct.h"
#include "packet.h"
#include "pasvd/array.h"
#include "pasvd/edit.h"
#include "unit.h"

#include <string.h>

enum { N = 60, WANT_MAX = 256, CAP = 2048 };

static const uint32_t isn = 0xffffffe0; /* the samples wrap around */

static const char sent[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567";

struct change {
	size_t at, len;
	const char *text; /* of X only: a masked edit */
};

struct sample {
	struct change change[EDITS_MAX + 4];
	size_t n;
};

static const struct sample samples[] = {
	{{{10, 5, "#########"}}, 1},
	{{{10, 9, "#####"}}, 1},
	{{{10, 5, "#####"}}, 1},
	{{{1, 1, "##"}}, 1},
	{{{N - 5, 5, "#"}}, 1},
	{{{N - 5, 5, "##########"}}, 1},
	{{{10, 5, "#########"}, {30, 9, "++"}}, 2},
	{{{10, 9, "##"}, {30, 5, "+++++++++"}}, 2},
	{{{10, 9, "##"}, {30, 5, "+++++"}}, 2},
	{{{10, 9, "#########"}, {30, 5, "+++++++++"}}, 2},
	{{{10, 9, "##"}, {30, 5, "++++++++++++"}}, 2},
	{{{10, 10, "###"}, {20, 10, "+++++++++++++"}}, 2},
	{{{10, 10, "#############"}, {20, 10, "+++"}}, 2},
	{{{5, 3, "##########"}, {20, 10, "+"}, {40, 1, "----"}}, 3},
	{{{5, 3, "#"}, {20, 3, "+++++"}, {30, 3, "-"}, {40, 3, "....."}}, 4},
	{{{5, 3, "#####"}, {20, 3, "+"}, {30, 3, "---"}, {40, 3, "."}}, 4},
	{{{1, 9, "XXXXXXXXX"}}, 1},
	{{{10, 5, "XXXXX"}, {15, 5, "XXXXX"}}, 2},
	{{{10, 5, "+++++++++"}, {15, 5, "XXXXX"}, {20, 5, "-"}, {30, 9, "XXXXXXXXX"}}, 4},
	{{{10, 5, "+"}, {15, 5, "XXXXX"}, {20, 5, "-----------"}}, 3},
};

/* What both ends know, and the kernel between them. */
struct world {
	struct edits edits;
	struct fake_conn conn;
	size_t want_len;
	char want[WANT_MAX];
	bool seen[WANT_MAX];
};

static struct edit edit_of(const struct change *c)
{
	struct edit e = {
		.seq = isn + (uint32_t)c->at,
		.old_len = (uint16_t)c->len,
		.new_len = (uint16_t)strlen(c->text),
		.prev = (uint8_t)sent[c->at - 1],
	};

	e.masked = c->text[0] == 'X';
	memcpy(e.text, c->text, e.new_len);
	return e;
}

/* The kernel knows what it was told. */
static void put(struct world *w, const struct edit *e)
{
	struct seqadj was = w->edits.kernel;

	if (edits_put(&w->edits, e))
		w->conn.view.seqadj[DIR_REPLY] = w->edits.kernel;
	else
		ck_assert_mem_eq(&w->edits.kernel, &was, sizeof(was));
}

static void want(struct world *w, const struct sample *s)
{
	size_t at = 0;

	for (size_t i = 0; i < s->n; i++) {
		memcpy(w->want + w->want_len, sent + at, s->change[i].at - at);
		w->want_len += s->change[i].at - at;
		memcpy(w->want + w->want_len, s->change[i].text, strlen(s->change[i].text));
		w->want_len += strlen(s->change[i].text);
		at = s->change[i].at + s->change[i].len;
	}
	memcpy(w->want + w->want_len, sent + at, N - at);
	w->want_len += N - at;
}

static struct world world_of(const struct sample *s)
{
	static const struct seqadj none;
	struct world w = {.want_len = 0};

	edits_init(&w.edits, &none);
	for (size_t i = 0; i < s->n; i++) {
		struct edit e = edit_of(&s->change[i]);

		put(&w, &e);
	}
	want(&w, s);
	return w;
}

static struct packet_spec segment(size_t from, size_t to)
{
	return (struct packet_spec){
		.tuple = {packet_endpoint("10.0.0.2:21"), packet_endpoint("198.51.100.2:40000"), 0},
		.seq = isn + (uint32_t)from,
		.ack = 77,
		.flags = SEG_ACK,
		.tcp_options = PACKET_TIMESTAMPS,
		.payload = sent + from,
		.len = to - from,
	};
}

/* The receiver compares what arrives with what it should see; `limit` bytes may arrive by now. */
static void receive(struct world *w, uint8_t *p, size_t n, size_t limit)
{
	size_t header = packet_header_len(p), at;

	fake_ct_adjust(&w->conn, DIR_REPLY, p, n);
	at = (uint32_t)(packet_seq(p) - isn);
	ck_assert_uint_gt(n, header);
	ck_assert_uint_le(at + n - header, limit);
	for (size_t i = header; i < n; i++, at++) {
		ck_assert_int_eq(p[i], w->want[at]);
		w->seen[at] = true;
	}
}

/* Sends the bytes [from, to) of the stream. */
static void send(struct world *w, size_t from, size_t to, size_t limit)
{
	struct packet_spec spec = segment(from, to);
	uint8_t p[CAP], was[CAP];
	size_t n = packet_build(&spec, p);
	struct seg seg;
	long len;

	memcpy(was, p, n);
	ck_assert_int_eq(seg_parse(p, n, &seg), 0);
	len = edits_apply(&w->edits, &seg, p, CAP);
	ck_assert_int_ge(len, 0);
	if (len == 0)
		ck_assert_mem_eq(p, was, n);
	else
		n = (size_t)len;
	ck_assert(packet_is_sound(p, n));
	receive(w, p, n, limit);
}

static void all_seen(const struct world *w)
{
	for (size_t i = 0; i < w->want_len; i++)
		ck_assert_msg(w->seen[i], "byte %zu never came", i);
}

START_TEST(any_segment_brings_the_bytes_of_its_place)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct world w = world_of(&samples[i]);

		for (size_t from = 0; from < N; from++)
			for (size_t to = from + 1; to <= N; to++)
				send(&w, from, to, w.want_len);
	}
}
END_TEST

START_TEST(two_parts_bring_everything)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		for (size_t cut = 1; cut <= N; cut++) {
			struct world w = world_of(&samples[i]);

			send(&w, 0, cut, w.want_len);
			if (cut < N)
				send(&w, cut, N, w.want_len);
			all_seen(&w);
		}
	}
}
END_TEST

START_TEST(single_bytes_bring_everything)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct world w = world_of(&samples[i]);

		for (size_t at = 0; at < N; at++)
			send(&w, at, at + 1, w.want_len);
		all_seen(&w);
	}
}
END_TEST

START_TEST(an_ack_of_everything_acknowledges_everything)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct world w = world_of(&samples[i]);

		ck_assert_uint_eq(
			fake_ct_ack(&w.conn, DIR_REPLY, isn + (uint32_t)w.want_len), isn + N);
	}
}
END_TEST

START_TEST(blanks_are_not_crossed_out)
{
	uint8_t text[] = " a  \t\rX ";

	edit_mask(text, sizeof(text) - 2);
	ck_assert_str_eq((const char *)text, " X  XXX ");
}
END_TEST

START_TEST(a_crossed_edit_may_be_longer_than_any_text)
{
	static uint8_t payload[2 * EDIT_TEXT_MAX], p[CAP];
	static const struct seqadj none;
	struct packet_spec spec = segment(0, 1);
	struct edit e = {.seq = isn + 1, .old_len = 800, .new_len = 800, .masked = true};
	struct edits edits;
	struct seg seg;
	size_t header;

	memset(payload, 'a', sizeof(payload));
	spec.payload = payload;
	spec.len = 850;
	edits_init(&edits, &none);
	ck_assert(!edits_put(&edits, &e));
	ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
	header = packet_header_len(p);
	ck_assert_int_eq(edits_apply(&edits, &seg, p, CAP), (long)(header + spec.len));
	for (size_t i = 0; i < spec.len; i++)
		ck_assert_int_eq(p[header + i], i >= 1 && i < 801 ? 'X' : 'a');
}
END_TEST

/* In front of, within and behind the edits. */
START_TEST(an_emptied_segment_lies_where_its_bytes_would)
{
	struct sample sample = {{{10, 5, "#########"}, {20, 3, "#"}, {30, 5, "XXXXX"}}, 3};
	static const struct {
		size_t at, place;
	} row[] = {{1, 1}, {10, 10}, {15, 19}, {20, 24}, {23, 25}, {32, 34}, {50, 52}};
	struct world w = world_of(&sample);

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct packet_spec spec = segment(5, 55);
		uint8_t p[CAP];
		struct seg seg;
		size_t n;

		ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
		n = edits_empty(&w.edits, &seg, isn + (uint32_t)row[i].at, SEG_RST | SEG_ACK, p);
		ck_assert(packet_is_sound(p, n) && packet_header_len(p) == n);
		ck_assert_uint_eq(packet_flags(p), SEG_RST | SEG_ACK);
		ck_assert_uint_eq(packet_ack(p), 77);
		fake_ct_adjust(&w.conn, DIR_REPLY, p, n);
		ck_assert_uint_eq(packet_seq(p), isn + (uint32_t)row[i].place);
	}
}
END_TEST

START_TEST(without_edits_nothing_changes)
{
	struct sample none = {.n = 0};
	struct world w = world_of(&none);
	struct packet_spec spec = segment(3, 30);
	uint8_t p[CAP], was[CAP];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	memcpy(was, p, n);
	ck_assert_int_eq(seg_parse(p, n, &seg), 0);
	ck_assert_int_eq(edits_apply(&w.edits, &seg, p, CAP), 0);
	ck_assert_mem_eq(p, was, n);
}
END_TEST

START_TEST(segments_behind_the_last_edit_are_left_to_the_kernel)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct world w = world_of(&samples[i]);
		const struct change *last = &samples[i].change[samples[i].n - 1];
		struct packet_spec spec = segment(last->at + last->len + 1, N);
		uint8_t p[CAP];
		struct seg seg;

		if (last->at + last->len + 1 >= N)
			continue;
		ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
		ck_assert_int_eq(edits_apply(&w.edits, &seg, p, CAP), 0);
	}
}
END_TEST

START_TEST(the_kernel_is_told_of_shifts_only)
{
	static const struct seqadj none;
	static const struct change same = {10, 5, "#####"}, longer = {20, 5, "######"},
				   again = {40, 5, "+++++"};
	struct edit a = edit_of(&same), b = edit_of(&longer), c = edit_of(&again);
	struct edits es;

	edits_init(&es, &none);
	ck_assert(!edits_put(&es, &a));
	ck_assert(edits_put(&es, &b));
	ck_assert_int_eq(es.kernel.before, 0);
	ck_assert_int_eq(es.kernel.after, 1);
	ck_assert(!edits_put(&es, &c));
}
END_TEST

/* Twelve edits, each of which changes the length. */
static struct sample many(void)
{
	static const char *const text[] = {"#####", "+", "-----", "."};
	struct sample s = {.n = ARRAY_SIZE(s.change)};

	for (size_t i = 0; i < s.n; i++)
		s.change[i] = (struct change){2 + 4 * i, 3, text[i % ARRAY_SIZE(text)]};
	return s;
}

START_TEST(of_many_edits_the_last_ones_are_known)
{
	struct sample s = many();
	struct world w = world_of(&s);
	size_t known = s.change[s.n - EDITS_MAX].at;

	for (size_t from = known; from < N; from++)
		for (size_t to = from + 1; to <= N; to++)
			send(&w, from, to, w.want_len);
	ck_assert_uint_eq(fake_ct_ack(&w.conn, DIR_REPLY, isn + (uint32_t)w.want_len), isn + N);
}
END_TEST

/* --- what the receiver has --- */

START_TEST(edits_are_full_until_the_oldest_is_acknowledged)
{
	struct sample s = many();
	struct edits es;
	uint32_t end;

	s.n = EDITS_MAX;
	es = world_of(&s).edits;
	end = isn + 2 + (uint32_t)strlen(s.change[0].text);
	ck_assert(edits_full(&es));
	edits_acked(&es, end - 1);
	ck_assert(edits_full(&es));
	edits_acked(&es, end);
	ck_assert(!edits_full(&es));
	s.n--;
	es = world_of(&s).edits;
	ck_assert(!edits_full(&es));
}
END_TEST

START_TEST(a_held_edit_has_its_place_already)
{
	struct sample s = many();
	struct world w;
	struct edit e;

	s.n = EDITS_MAX - 1;
	w = world_of(&s);
	e = edit_of(&s.change[s.n]);
	e.new_len = 0;
	e.held = true;
	put(&w, &e);
	ck_assert(!edits_full(&w.edits));
}
END_TEST

/* While edits are under way an ACK means at least what it says; once they are acknowledged it says
 * what it means. */
START_TEST(an_ack_never_means_too_much_and_at_last_all)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		struct sample front = *s;
		struct edit last = edit_of(&s->change[s->n - 1]);
		struct world w;

		front.n--;
		w = world_of(&front);
		/* Everything in front of the last edit, in the receiver's space. */
		w.want_len -= N - s->change[front.n].at;
		edits_acked(&w.edits, isn + (uint32_t)w.want_len);
		put(&w, &last);
		ck_assert_uint_eq(fake_ct_ack(&w.conn, DIR_REPLY, isn + (uint32_t)w.want_len),
			isn + (uint32_t)s->change[front.n].at);
	}
}
END_TEST

START_TEST(what_is_not_acknowledged_keeps_its_shift)
{
	static const struct sample two = {{{10, 9, "##"}, {30, 9, "##"}}, 2};
	struct world w = world_of(&two);
	struct sample one = two;
	struct edit last = edit_of(&two.change[1]);

	ck_assert_int_eq(w.edits.kernel.before, 0);
	one.n = 1;
	w = world_of(&one);
	edits_acked(&w.edits, isn + 12);
	put(&w, &last);
	ck_assert_int_eq(w.edits.kernel.before, -7);
	w = world_of(&one);
	edits_acked(&w.edits, isn + 9);
	put(&w, &last);
	ck_assert_int_eq(w.edits.kernel.before, 0);
}
END_TEST

/* --- held edits --- */

static struct edit held(size_t from, size_t to)
{
	struct edit e = {
		.seq = isn + (uint32_t)from,
		.old_len = (uint16_t)(to - from),
		.prev = (uint8_t)sent[from - 1],
		.held = true,
	};

	memcpy(e.text, sent + from, to - from);
	return e;
}

START_TEST(the_held_edit_is_the_last_one)
{
	static const struct sample none = {.n = 0};
	static const struct change text = {20, 10, "#"};
	struct world w = world_of(&none);
	struct edit e = held(20, 30), with_text = edit_of(&text);

	ck_assert_ptr_null(edits_held(&w.edits));
	put(&w, &e);
	ck_assert_ptr_nonnull(edits_held(&w.edits));
	ck_assert_uint_eq(edits_held(&w.edits)->seq, isn + 20);
	ck_assert_uint_eq(edits_held(&w.edits)->old_len, 10);
	put(&w, &with_text);
	ck_assert_ptr_null(edits_held(&w.edits));
}
END_TEST

/* Holds the bytes from `from` on, one more at a time, and then lets `text` go in their place. Only
 * what lies in front of them may arrive, and the sender must find them acknowledged. */
static void hold_and_release(const struct sample *s, size_t from, const char *text)
{
	struct sample all = *s;
	struct world w = world_of(s), done;
	size_t limit = w.want_len - (N - from), end = N - 2;
	struct edit e;

	for (size_t to = from + 1; to <= end; to++) {
		e = held(from, to);
		put(&w, &e);
		for (size_t i = 0; i < to; i++)
			send(&w, i, to, limit);
		ck_assert_uint_eq(
			fake_ct_ack(&w.conn, DIR_REPLY, isn + (uint32_t)limit), isn + (uint32_t)to);
	}
	all.change[all.n] = (struct change){from, end - from, text};
	e = edit_of(&all.change[all.n++]);
	done = world_of(&all);
	done.edits = w.edits;
	done.conn = w.conn;
	memcpy(done.seen, w.seen, sizeof(w.seen));
	put(&done, &e);
	send(&done, end, N, done.want_len);
	all_seen(&done);
	for (size_t i = 0; i < N; i++)
		send(&done, i, N, done.want_len);
	ck_assert_uint_eq(
		fake_ct_ack(&done.conn, DIR_REPLY, isn + (uint32_t)done.want_len), isn + N);
}

START_TEST(held_bytes_do_not_arrive_and_are_acknowledged)
{
	static const struct sample before[] = {
		{.n = 0},
		{{{5, 3, "######"}}, 1},
		{{{5, 6, "#"}}, 1},
		{{{5, 6, "######"}}, 1},
		{{{5, 6, "#"}, {15, 3, "######"}}, 2},
	};
	static const char *const text[] = {
		"+", "++++++++++++++++++", "++++++++++++++++++++++++++++++"};

	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		for (size_t j = 0; j < ARRAY_SIZE(text); j++)
			hold_and_release(&before[i], 40, text[j]);
}
END_TEST

START_TEST(a_segment_that_is_all_held_brings_the_byte_in_front)
{
	static const struct sample none = {.n = 0};
	struct world w = world_of(&none);
	struct packet_spec spec = segment(25, 30);
	struct edit e = held(20, 30);
	uint8_t p[CAP];
	struct seg seg;
	long n;

	put(&w, &e);
	ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
	n = edits_apply(&w.edits, &seg, p, CAP);
	ck_assert_int_eq(n, (long)packet_header_len(p) + 1);
	fake_ct_adjust(&w.conn, DIR_REPLY, p, (size_t)n);
	ck_assert_uint_eq(packet_seq(p), isn + 19);
	ck_assert_int_eq(p[n - 1], sent[19]);
}
END_TEST

/* Bytes that were held and given up are gone, as if they had been replaced by nothing. */
START_TEST(what_is_abandoned_never_arrives_and_the_rest_goes_on)
{
	static const struct sample gone = {{{5, 3, "#####"}, {20, 10, ""}}, 2},
				   before = {{{5, 3, "#####"}}, 1};
	struct world w = world_of(&before);
	struct edit e = held(20, 30);

	put(&w, &e);
	w.want_len = 0;
	want(&w, &gone);
	send(&w, 0, 30, 22);
	edits_abandon(&w.edits);
	ck_assert_ptr_null(edits_held(&w.edits));
	for (size_t from = 0; from < N; from++)
		for (size_t to = from + 1; to <= N; to++)
			send(&w, from, to, w.want_len);
	all_seen(&w);
	ck_assert_uint_eq(fake_ct_ack(&w.conn, DIR_REPLY, isn + (uint32_t)w.want_len), isn + N);
}
END_TEST

START_TEST(without_a_held_edit_nothing_is_abandoned)
{
	struct world w = world_of(&samples[6]);

	edits_abandon(&w.edits);
	for (size_t from = 0; from < N; from++)
		send(&w, from, N, w.want_len);
	all_seen(&w);
}
END_TEST

/* --- restart --- */

START_TEST(after_a_restart_the_kernels_shift_goes_on)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct world w = world_of(&samples[i]);
		const struct change *last = &samples[i].change[samples[i].n - 1];

		edits_init(&w.edits, &w.conn.view.seqadj[DIR_REPLY]);
		for (size_t from = last->at + last->len; from < N; from++)
			send(&w, from, N, w.want_len);
	}
}
END_TEST

/* --- urgent data --- */

/* ABOR with its Telnet Synch behind what is rewritten. */
START_TEST(the_urgent_pointer_moves_with_what_it_points_at)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct world w = world_of(&samples[i]);
		struct packet_spec spec = segment(0, N);
		uint8_t p[CAP];
		size_t n;
		struct seg seg;
		long len;

		spec.flags |= SEG_URG;
		spec.urgent = N;
		n = packet_build(&spec, p);
		ck_assert_int_eq(seg_parse(p, n, &seg), 0);
		len = edits_apply(&w.edits, &seg, p, CAP);
		ck_assert_int_eq(seg_parse(p, len ? (size_t)len : n, &seg), 0);
		ck_assert_uint_eq(seg.urgent, w.want_len);
	}
}
END_TEST

START_TEST(without_urgent_data_its_pointer_stays)
{
	struct world w = world_of(&samples[0]);
	struct packet_spec spec = segment(0, N);
	uint8_t p[CAP];
	struct seg seg;
	long n;

	spec.urgent = 7;
	ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
	n = edits_apply(&w.edits, &seg, p, CAP);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(seg_parse(p, (size_t)n, &seg), 0);
	ck_assert_uint_eq(seg.urgent, 7);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		any_segment_brings_the_bytes_of_its_place,
		two_parts_bring_everything,
		single_bytes_bring_everything,
		an_ack_of_everything_acknowledges_everything,
		blanks_are_not_crossed_out,
		a_crossed_edit_may_be_longer_than_any_text,
		an_emptied_segment_lies_where_its_bytes_would,
		without_edits_nothing_changes,
		segments_behind_the_last_edit_are_left_to_the_kernel,
		the_kernel_is_told_of_shifts_only,
		of_many_edits_the_last_ones_are_known,
		edits_are_full_until_the_oldest_is_acknowledged,
		a_held_edit_has_its_place_already,
		an_ack_never_means_too_much_and_at_last_all,
		what_is_not_acknowledged_keeps_its_shift,
		the_held_edit_is_the_last_one,
		held_bytes_do_not_arrive_and_are_acknowledged,
		a_segment_that_is_all_held_brings_the_byte_in_front,
		what_is_abandoned_never_arrives_and_the_rest_goes_on,
		without_a_held_edit_nothing_is_abandoned,
		after_a_restart_the_kernels_shift_goes_on,
		the_urgent_pointer_moves_with_what_it_points_at,
		without_urgent_data_its_pointer_stays,
	};

	return unit_run("edit", test, ARRAY_SIZE(test));
}
