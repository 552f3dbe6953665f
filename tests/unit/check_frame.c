/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_frame.c - the IP packet in a captured frame */
#include <pcap/dlt.h>
#include <string.h>

#include "frame.h"
#include "guard.h"
#include "pasvd/array.h"
#include "unit.h"

enum { UNKNOWN_TYPE = 105 }; /* IEEE 802.11 */

#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2

#define IP4 0x45, 0, 0, 24, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 'd', 'a', 't', 'a'

#define IP6_HEAD 0x60, 0, 0, 0, 0, 4, 6, 64
#define IP6_ADDR 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define IP6      IP6_HEAD, IP6_ADDR, IP6_ADDR, 'd', 'a', 't', 'a'

/* The frame, in memory that ends where it ends; -1, or the offset of the packet in it. */
static long find(int type, const uint8_t *bytes, size_t n, struct frame *ret_frame)
{
	uint8_t *p = guard_copy(bytes, n);
	struct frame frame;
	long at = -1;

	unit_mark(&frame, sizeof(frame));
	if (frame_packet(type, p, n, &frame) < 0) {
		ck_assert(unit_is_marked(&frame, sizeof(frame)));
	} else {
		at = frame.p - p;
		ck_assert_uint_le((size_t)at + frame.len, n);
		ck_assert_uint_le(frame.len, frame.whole);
	}
	*ret_frame = frame;
	guard_free(p, n);
	return at;
}

static void expect_packet(int type, const uint8_t *bytes, size_t n, long at, size_t len)
{
	struct frame frame;

	ck_assert_int_eq(find(type, bytes, n, &frame), at);
	ck_assert_uint_eq(frame.len, len);
	ck_assert_uint_eq(frame.whole, len);
}

static void expect_none(int type, const uint8_t *bytes, size_t n)
{
	struct frame frame;

	ck_assert_int_eq(find(type, bytes, n, &frame), -1);
}

START_TEST(each_link_type_has_its_header)
{
	static const uint8_t ethernet[] = {MACS, 0x08, 0, IP4},
			     ethernet6[] = {MACS, 0x86, 0xdd, IP6};
	static const uint8_t cooked[] = {0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0, IP4};
	static const uint8_t cooked2[] = {
		0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, IP6};
	static const uint8_t raw[] = {IP4}, raw6[] = {IP6};

	expect_packet(DLT_EN10MB, ethernet, sizeof(ethernet), 14, 24);
	expect_packet(DLT_EN10MB, ethernet6, sizeof(ethernet6), 14, 44);
	expect_packet(DLT_LINUX_SLL, cooked, sizeof(cooked), 16, 24);
	expect_packet(DLT_LINUX_SLL2, cooked2, sizeof(cooked2), 20, 44);
	expect_packet(DLT_RAW, raw, sizeof(raw), 0, 24);
	expect_packet(DLT_RAW, raw6, sizeof(raw6), 0, 44);
	expect_packet(DLT_IPV4, raw, sizeof(raw), 0, 24);
	expect_packet(DLT_IPV6, raw6, sizeof(raw6), 0, 44);
	expect_none(UNKNOWN_TYPE, raw, sizeof(raw));
	ck_assert(frame_type_known(DLT_RAW) && !frame_type_known(UNKNOWN_TYPE));
}
END_TEST

START_TEST(vlan_tags_are_skipped_however_many_there_are)
{
	static const uint8_t one[] = {MACS, 0x81, 0, 0, 7, 0x08, 0, IP4};
	static const uint8_t two[] = {MACS, 0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, 0x86, 0xdd, IP6};
	static const uint8_t cooked[] = {
		0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0, 0, 7, 0x08, 0, IP4};
	static const uint8_t only_tags[] = {MACS, 0x81, 0, 0, 7, 0x81, 0, 0, 7, 0x81, 0, 0};

	expect_packet(DLT_EN10MB, one, sizeof(one), 18, 24);
	expect_packet(DLT_EN10MB, two, sizeof(two), 22, 44);
	expect_packet(DLT_LINUX_SLL, cooked, sizeof(cooked), 20, 24);
	expect_none(DLT_EN10MB, only_tags, sizeof(only_tags));
}
END_TEST

START_TEST(what_is_no_ip_is_none)
{
	static const uint8_t arp[] = {MACS, 0x08, 0x06, IP4},
			     tagged_arp[] = {MACS, 0x81, 0, 0, 7, 0x08, 0x06, IP4};
	static const uint8_t version5[] = {MACS, 0x08, 0, 0x55, 0, 0, 24, 0, 0, 0, 0};

	expect_none(DLT_EN10MB, arp, sizeof(arp));
	expect_none(DLT_EN10MB, tagged_arp, sizeof(tagged_arp));
	expect_none(DLT_EN10MB, version5, sizeof(version5));
}
END_TEST

START_TEST(padding_behind_the_packet_is_left_off)
{
	static const uint8_t padded[] = {MACS, 0x08, 0, IP4, 0, 0, 0, 0, 0, 0},
			     padded6[] = {IP6, 1, 2, 3};

	expect_packet(DLT_EN10MB, padded, sizeof(padded), 14, 24);
	expect_packet(DLT_RAW, padded6, sizeof(padded6), 0, 44);
}
END_TEST

START_TEST(length_of_0_is_that_of_the_frame)
{
	static const uint8_t segmented[] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6};
	static const uint8_t segmented6[] = {0x60, 0, 0, 0, 0, 0, 6, 64, 1, 2, 3};

	expect_packet(DLT_RAW, segmented, sizeof(segmented), 0, sizeof(segmented));
	expect_packet(DLT_RAW, segmented6, sizeof(segmented6), 0, sizeof(segmented6));
}
END_TEST

START_TEST(what_is_cut_off_is_told_at_each_length)
{
	static const uint8_t whole[] = {MACS, 0x81, 0, 0, 7, 0x86, 0xdd, IP6};
	struct frame frame;

	for (size_t n = 0; n < sizeof(whole); n++) {
		long at = find(DLT_EN10MB, whole, n, &frame);

		ck_assert_int_eq(at, n < 18 + 6 ? -1 : 18);
		if (at < 0)
			continue;
		ck_assert_uint_eq(frame.len, n - 18);
		ck_assert_uint_eq(frame.whole, 44);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_link_type_has_its_header,
		vlan_tags_are_skipped_however_many_there_are,
		what_is_no_ip_is_none,
		padding_behind_the_packet_is_left_off,
		length_of_0_is_that_of_the_frame,
		what_is_cut_off_is_told_at_each_length,
	};

	return unit_run("frame", tests, ARRAY_SIZE(tests));
}
