/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_edit_room.c - how long a packet may become by a rewrite, and what then is left off */
#include "guard.h"
#include "packet.h"
#include "pasvd/edit.h"
#include "unit.h"

#include <string.h>

enum { ISN = 1000, SHORT = 60, CAP = 2048 };

/* Of a stream of letters x, the bytes 10 to 14 become 9. */
static struct edits growing(void)
{
	static const struct seqadj none;
	struct edit e = {
		.seq = ISN + 10, .old_len = 5, .new_len = 9, .prev = 'x', .text = "#########"};
	struct edits edits;

	edits_init(&edits, &none);
	ck_assert(edits_put(&edits, &e));
	return edits;
}

/* The first `len` bytes of the stream. */
static struct packet_spec segment(size_t len)
{
	static uint8_t stream[CAP];

	memset(stream, 'x', sizeof(stream));
	return (struct packet_spec){
		.tuple = {packet_endpoint("10.0.0.2:21"), packet_endpoint("198.51.100.2:40000"), 0},
		.seq = ISN,
		.flags = SEG_ACK,
		.tcp_options = PACKET_TIMESTAMPS,
		.payload = stream,
		.len = len,
	};
}

START_TEST(too_small_a_buffer_is_refused)
{
	struct edits edits = growing();
	struct packet_spec spec = segment(SHORT);
	uint8_t built[CAP];
	size_t n = packet_build(&spec, built);

	for (size_t cap = n; cap <= n + 4; cap++) {
		uint8_t *p = guard_copy(NULL, cap);
		struct seg seg;

		memcpy(p, built, n);
		ck_assert_int_eq(seg_parse(p, n, &seg), 0);
		ck_assert_int_eq(edits_apply(&edits, &seg, p, cap), cap < n + 4 ? -1 : (long)n + 4);
		guard_free(p, cap);
	}
}
END_TEST

/* A packet of `len` bytes with an edit that makes it 4 longer; returns its new length. */
static size_t grow(size_t len, uint8_t flags, uint8_t *p)
{
	struct edits edits = growing();
	struct packet_spec spec =
		segment(len - PACKET_IP_HEADER - PACKET_TCP_HEADER - PACKET_TIMESTAMPS);
	struct seg seg;
	long n;

	spec.flags = flags;
	ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
	n = edits_apply(&edits, &seg, p, CAP);
	ck_assert_int_gt(n, 0);
	ck_assert(packet_is_sound(p, (size_t)n));
	return (size_t)n;
}

START_TEST(a_packet_grows_up_to_a_length_that_every_link_carries)
{
	uint8_t p[CAP];

	ck_assert_uint_eq(grow(EDIT_GROWN_IP4 - 4, SEG_ACK, p), EDIT_GROWN_IP4);
	ck_assert_uint_eq(grow(EDIT_GROWN_IP4 - 3, SEG_ACK, p), EDIT_GROWN_IP4);
	ck_assert_uint_eq(grow(EDIT_GROWN_IP4, SEG_ACK, p), EDIT_GROWN_IP4);
	ck_assert_uint_eq(grow(EDIT_GROWN_IP4 + 1, SEG_ACK, p), EDIT_GROWN_IP4 + 1);
	ck_assert_uint_eq(grow(1500, SEG_ACK, p), 1500);
}
END_TEST

START_TEST(a_fin_waits_for_the_bytes_that_were_left_off)
{
	uint8_t p[CAP];
	struct seg seg;

	ck_assert_int_eq(seg_parse(p, grow(EDIT_GROWN_IP4 - 4, SEG_ACK | SEG_FIN, p), &seg), 0);
	ck_assert_uint_eq(seg.flags, SEG_ACK | SEG_FIN);
	ck_assert_int_eq(seg_parse(p, grow(1500, SEG_ACK | SEG_FIN, p), &seg), 0);
	ck_assert_uint_eq(seg.flags, SEG_ACK);
}
END_TEST

START_TEST(the_longest_text_gets_through_with_the_longest_headers)
{
	struct edits edits = growing();
	struct packet_spec spec = segment(1);
	struct edit e = {.seq = ISN + SHORT, .old_len = 1, .new_len = EDIT_TEXT_MAX};
	uint8_t p[CAP];
	struct seg seg;
	long n;

	memset(e.text, 'x', sizeof(e.text));
	edits_put(&edits, &e);
	spec.seq = e.seq;
	spec.ip_options = spec.tcp_options = 40;
	ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
	n = edits_apply(&edits, &seg, p, CAP);
	ck_assert_int_eq(n, (long)packet_header_len(p) + EDIT_TEXT_MAX);
}
END_TEST

START_TEST(an_ip6_packet_may_grow_longer)
{
	struct edits edits = growing();
	uint8_t p[CAP];
	struct seg seg;

	for (size_t room = 0; room < 8; room++) {
		struct packet_spec spec = segment(EDIT_GROWN_IP6 - PACKET_IP6_HEADER -
						  PACKET_TCP_HEADER - PACKET_TIMESTAMPS - room);

		spec.tuple = (struct tuple){
			packet_endpoint("[fd00::2]:21"), packet_endpoint("[2001:db8::2]:40000"), 0};
		ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
		ck_assert_int_eq(edits_apply(&edits, &seg, p, CAP),
			EDIT_GROWN_IP6 - (room > 4 ? (long)room - 4 : 0));
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		too_small_a_buffer_is_refused,
		a_packet_grows_up_to_a_length_that_every_link_carries,
		a_fin_waits_for_the_bytes_that_were_left_off,
		the_longest_text_gets_through_with_the_longest_headers,
		an_ip6_packet_may_grow_longer,
	};

	return unit_run("edit_room", test, ARRAY_SIZE(test));
}
