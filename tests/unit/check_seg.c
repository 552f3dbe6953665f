/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_seg.c - packet bytes and TCP segments */
#include "guard.h"
#include "packet.h"
#include "pasvd/seg.h"
#include "unit.h"

#include <string.h>

enum {
	IP_TOTAL = 2,
	IP_FLAGS = 6,
	IP_PROTOCOL = 9,
	IP6_TOTAL = 4,
	IP6_NEXT = 6,
	TCP_OFFSET = 12,
	EXTENSION = 8, /* bytes of an extension header of packet_build() */
	SMALL = 2048
};

static const char hello[] = "227 hello (1,2,3,4,5,6)\r\n";

static struct packet_spec spec_of(size_t ip_options, size_t tcp_options, size_t len)
{
	return (struct packet_spec){
		.tuple = {packet_endpoint("10.0.0.2:21"), packet_endpoint("198.51.100.2:40000"), 0},
		.seq = 0xfffffff0,
		.ack = 0x01020304,
		.flags = SEG_ACK | SEG_PSH,
		.ip_options = ip_options,
		.tcp_options = tcp_options,
		.payload = hello,
		.len = len,
	};
}

static void set_total(uint8_t *p, size_t n)
{
	p[IP_TOTAL] = (uint8_t)(n >> 8);
	p[IP_TOTAL + 1] = (uint8_t)n;
}

/* Parses the bytes at the end of memory; a refusal must leave the output alone. */
static int parse(const uint8_t *p, size_t n, struct seg *ret_seg)
{
	uint8_t *copy = guard_copy(p, n);
	int rc;

	unit_mark(ret_seg, sizeof(*ret_seg));
	rc = seg_parse(copy, n, ret_seg);
	ck_assert(rc == 0 || rc == -1);
	if (rc < 0)
		ck_assert(unit_is_marked(ret_seg, sizeof(*ret_seg)));
	guard_free(copy, n);
	return rc;
}

/* A sound packet with one byte changed is refused. */
static void refuse_with(size_t at, int byte)
{
	struct packet_spec spec = spec_of(0, 0, 10);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	p[at] = (uint8_t)byte;
	ck_assert_int_eq(parse(p, n, &seg), -1);
}

START_TEST(all_fields_are_read_whatever_the_options)
{
	for (size_t ip = 0; ip <= 40; ip += 4) {
		for (size_t tcp = 0; tcp <= 40; tcp += 4) {
			struct packet_spec spec = spec_of(ip, tcp, sizeof(hello) - 1);
			uint8_t p[SMALL];
			size_t n = packet_build(&spec, p);
			struct seg seg;

			ck_assert_int_eq(parse(p, n, &seg), 0);
			ck_assert(tuple_eq(&seg.tuple, &spec.tuple));
			ck_assert_uint_eq(seg.seq, spec.seq);
			ck_assert_uint_eq(seg.ack, spec.ack);
			ck_assert_uint_eq(seg.flags, spec.flags);
			ck_assert_uint_eq(seg.tcp, 20 + ip);
			ck_assert_uint_eq(seg.payload, 40 + ip + tcp);
			ck_assert_uint_eq(seg.payload_len, spec.len);
		}
	}
}
END_TEST

START_TEST(a_segment_may_be_empty)
{
	struct packet_spec spec = spec_of(0, 12, 0);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	ck_assert_int_eq(parse(p, n, &seg), 0);
	ck_assert_uint_eq(seg.payload_len, 0);
}
END_TEST

START_TEST(all_flags_are_read)
{
	for (int flags = 0; flags < 256; flags++) {
		struct packet_spec spec = spec_of(0, 0, 1);
		uint8_t p[SMALL];
		struct seg seg;

		spec.flags = (uint8_t)flags;
		ck_assert_int_eq(parse(p, packet_build(&spec, p), &seg), 0);
		ck_assert_int_eq(seg.flags, flags);
	}
}
END_TEST

START_TEST(a_cut_packet_is_refused)
{
	struct packet_spec spec = spec_of(8, 12, sizeof(hello) - 1);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(parse(p, cut, &seg), -1);
}
END_TEST

/* The length in the header agrees with the bytes, so the headers themselves have to be looked
 * at. */
START_TEST(a_packet_without_whole_headers_is_refused)
{
	struct packet_spec spec = spec_of(8, 12, sizeof(hello) - 1);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p), headers = packet_header_len(p);
	struct seg seg;

	for (size_t cut = 0; cut <= n; cut++) {
		set_total(p, cut);
		ck_assert_int_eq(parse(p, cut, &seg), cut < headers ? -1 : 0);
		if (cut >= headers)
			ck_assert_uint_eq(seg.payload_len, cut - headers);
	}
}
END_TEST

START_TEST(other_ip_versions_are_refused)
{
	for (int version = 0; version < 16; version++)
		if (version != 4)
			refuse_with(0, version << 4 | 5);
}
END_TEST

START_TEST(an_ip_header_under_20_bytes_is_refused)
{
	for (int words = 0; words < 5; words++)
		refuse_with(0, 4 << 4 | words);
}
END_TEST

START_TEST(an_ip_header_longer_than_the_packet_is_refused)
{
	refuse_with(0, 4 << 4 | 15);
}
END_TEST

START_TEST(a_tcp_header_under_20_bytes_is_refused)
{
	for (int words = 0; words < 5; words++)
		refuse_with(PACKET_IP_HEADER + TCP_OFFSET, words << 4);
}
END_TEST

START_TEST(a_tcp_header_longer_than_the_packet_is_refused)
{
	refuse_with(PACKET_IP_HEADER + TCP_OFFSET, 15 << 4);
}
END_TEST

START_TEST(a_total_length_over_the_packet_is_refused)
{
	refuse_with(IP_TOTAL + 1, 51);
	refuse_with(IP_TOTAL, 255);
}
END_TEST

START_TEST(a_total_length_under_the_headers_is_refused)
{
	for (int total = 0; total < 40; total++)
		refuse_with(IP_TOTAL + 1, total);
}
END_TEST

START_TEST(other_protocols_are_refused)
{
	for (int protocol = 0; protocol < 256; protocol++)
		if (protocol != 6)
			refuse_with(IP_PROTOCOL, protocol);
}
END_TEST

START_TEST(fragments_are_refused)
{
	refuse_with(IP_FLAGS, 0x20); /* more fragments */
	refuse_with(IP_FLAGS, 0x01); /* offset */
	refuse_with(IP_FLAGS + 1, 0x01);
}
END_TEST

START_TEST(do_not_fragment_is_no_fragment)
{
	struct packet_spec spec = spec_of(0, 0, 10);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	p[IP_FLAGS] = 0x40;
	ck_assert_int_eq(parse(p, n, &seg), 0);
}
END_TEST

START_TEST(a_wrong_checksum_is_not_our_business)
{
	struct packet_spec spec = spec_of(0, 0, 10);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	p[10] ^= 0xff;
	p[PACKET_IP_HEADER + 16] ^= 0xff;
	ck_assert_int_eq(parse(p, n, &seg), 0);
}
END_TEST

START_TEST(the_largest_packet_is_read)
{
	static uint8_t p[PACKET_MAX], zeros[PACKET_MAX];
	struct packet_spec spec = spec_of(0, 0, PACKET_MAX - 40);
	struct seg seg;

	spec.payload = zeros;
	ck_assert_int_eq(parse(p, packet_build(&spec, p), &seg), 0);
	ck_assert_uint_eq(seg.payload_len, PACKET_MAX - 40);
}
END_TEST

/* Cuts and puts, in a buffer that just holds the result, and compares with the same done by
 * hand. */
static void splice(size_t at, size_t cut, size_t len)
{
	struct packet_spec spec = spec_of(4, 12, sizeof(hello) - 1);
	uint8_t built[SMALL], want[SMALL];
	size_t n = packet_build(&spec, built), headers = packet_header_len(built),
	       cap = n > n - cut + len ? n : n - cut + len;
	uint8_t *p = guard_copy(NULL, cap), *text = guard_copy("0123456789abcdef", len);
	struct seg seg;

	memcpy(p, built, n);
	ck_assert_int_eq(seg_parse(p, n, &seg), 0);
	ck_assert_int_eq(seg_splice(&seg, p, cap, at, cut, text, len), 0);
	memcpy(want, hello, at);
	memcpy(want + at, text, len);
	memcpy(want + at + len, hello + at + cut, spec.len - at - cut);
	ck_assert_uint_eq(seg.payload_len, spec.len - cut + len);
	ck_assert_mem_eq(p, built, headers);
	ck_assert_mem_eq(p + headers, want, seg.payload_len);
	guard_free(text, len);
	guard_free(p, cap);
}

START_TEST(splice_replaces_any_bytes_by_any_number)
{
	for (size_t at = 0; at <= sizeof(hello) - 1; at++)
		for (size_t cut = 0; at + cut <= sizeof(hello) - 1; cut++)
			for (size_t len = 0; len <= 16; len++)
				splice(at, cut, len);
}
END_TEST

START_TEST(splice_without_room_changes_nothing)
{
	struct packet_spec spec = spec_of(0, 0, 10);
	uint8_t p[SMALL], was[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg, seg_was;

	ck_assert_int_eq(seg_parse(p, n, &seg), 0);
	memcpy(was, p, n);
	memcpy(&seg_was, &seg, sizeof(seg));
	ck_assert_int_eq(seg_splice(&seg, p, n + 2, 5, 1, (const uint8_t *)"abcd", 4), -1);
	ck_assert_mem_eq(p, was, n);
	ck_assert_mem_eq(&seg, &seg_was, sizeof(seg));
	ck_assert_int_eq(seg_splice(&seg, p, n + 3, 5, 1, (const uint8_t *)"abcd", 4), 0);
}
END_TEST

START_TEST(splice_over_65535_bytes_changes_nothing)
{
	static uint8_t p[PACKET_MAX + 100], zeros[PACKET_MAX];
	struct packet_spec spec = spec_of(0, 0, PACKET_MAX - 40);
	struct seg seg;

	spec.payload = zeros;
	ck_assert_int_eq(seg_parse(p, packet_build(&spec, p), &seg), 0);
	ck_assert_int_eq(seg_splice(&seg, p, sizeof(p), 5, 0, (const uint8_t *)"a", 1), -1);
	ck_assert_uint_eq(seg.payload_len, PACKET_MAX - 40);
	ck_assert_int_eq(seg_splice(&seg, p, sizeof(p), 5, 1, (const uint8_t *)"a", 1), 0);
	ck_assert_uint_eq(seg_seal(&seg, p), PACKET_MAX);
	ck_assert(packet_is_sound(p, PACKET_MAX));
}
END_TEST

START_TEST(a_sealed_packet_is_sound_whatever_its_length)
{
	for (size_t len = 0; len < sizeof(hello); len++) {
		struct packet_spec spec = spec_of(4, 12, sizeof(hello) - 1);
		uint8_t built[SMALL];
		size_t n = packet_build(&spec, built);
		uint8_t *p = guard_copy(built, n);
		struct seg seg;

		ck_assert_int_eq(seg_parse(p, n, &seg), 0);
		ck_assert_int_eq(seg_splice(&seg, p, n, 0, sizeof(hello) - 1 - len, NULL, 0), 0);
		ck_assert_uint_eq(seg_seal(&seg, p), n - (sizeof(hello) - 1 - len));
		ck_assert(packet_is_sound(p, n - (sizeof(hello) - 1 - len)));
		guard_free(p, n);
	}
}
END_TEST

START_TEST(seal_writes_seq_and_flags_and_nothing_else)
{
	struct packet_spec spec = spec_of(8, 20, sizeof(hello) - 1);
	uint8_t p[SMALL], want[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	ck_assert_int_eq(seg_parse(p, n, &seg), 0);
	seg.seq = spec.seq = 0x80000001;
	seg.flags = spec.flags = SEG_ACK;
	packet_build(&spec, want);
	ck_assert_uint_eq(seg_seal(&seg, p), n);
	ck_assert_mem_eq(p, want, n);
}
END_TEST

START_TEST(seal_makes_wrong_checksums_right)
{
	struct packet_spec spec = spec_of(0, 12, sizeof(hello) - 1);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	p[10] ^= 0xff;
	p[PACKET_IP_HEADER + 17] ^= 0xff;
	ck_assert_int_eq(seg_parse(p, n, &seg), 0);
	ck_assert_uint_eq(seg_seal(&seg, p), n);
	ck_assert(packet_is_sound(p, n));
}
END_TEST

/* --- urgent data --- */

START_TEST(the_urgent_pointer_is_read_and_written)
{
	struct packet_spec spec = spec_of(0, 12, 10);
	uint8_t p[SMALL], want[SMALL];
	size_t n;
	struct seg seg;

	spec.flags = SEG_ACK | SEG_URG;
	spec.urgent = 0x1234;
	n = packet_build(&spec, p);
	ck_assert_int_eq(parse(p, n, &seg), 0);
	ck_assert_uint_eq(seg.urgent, 0x1234);
	seg.urgent = spec.urgent = 0x4321;
	packet_build(&spec, want);
	ck_assert_uint_eq(seg_seal(&seg, p), n);
	ck_assert_mem_eq(p, want, n);
}
END_TEST

/* --- IPv6 --- */

static struct packet_spec spec6_of(size_t extensions, size_t tcp_options, size_t len)
{
	struct packet_spec spec = spec_of(0, tcp_options, len);

	spec.tuple = (struct tuple){
		packet_endpoint("[2001:db8::1]:21"), packet_endpoint("[fd00::2]:40000"), 0};
	spec.extensions = extensions;
	return spec;
}

START_TEST(all_fields_of_ip6_are_read_whatever_the_extensions)
{
	for (size_t extensions = 0; extensions <= 24; extensions++) {
		for (size_t tcp = 0; tcp <= 40; tcp += 4) {
			struct packet_spec spec = spec6_of(extensions, tcp, sizeof(hello) - 1);
			uint8_t p[SMALL];
			size_t n = packet_build(&spec, p);
			struct seg seg;

			ck_assert(packet_is_sound(p, n));
			ck_assert_int_eq(parse(p, n, &seg), 0);
			ck_assert(tuple_eq(&seg.tuple, &spec.tuple));
			ck_assert_uint_eq(seg.seq, spec.seq);
			ck_assert_uint_eq(seg.ack, spec.ack);
			ck_assert_uint_eq(seg.flags, spec.flags);
			ck_assert_uint_eq(seg.tcp, 40 + EXTENSION * extensions);
			ck_assert_uint_eq(seg.payload, 60 + EXTENSION * extensions + tcp);
			ck_assert_uint_eq(seg.payload_len, spec.len);
		}
	}
}
END_TEST

/* A packet all of whose extension headers are fragment headers with the same offset and flag. */
static int parse_fragment(size_t headers, unsigned offset_and_flags)
{
	enum { FRAGMENT = 44, OFFSET = 2 };
	struct packet_spec spec = spec6_of(headers, 0, 10);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	p[IP6_NEXT] = FRAGMENT;
	for (size_t i = 0; i < headers; i++) {
		uint8_t *header = p + PACKET_IP6_HEADER + i * EXTENSION;

		header[0] = i + 1 < headers ? FRAGMENT : 6;
		header[1] = 0xff; /* reserved */
		header[OFFSET] = (uint8_t)(offset_and_flags >> 8);
		header[OFFSET + 1] = (uint8_t)offset_and_flags;
	}
	return parse(p, n, &seg);
}

START_TEST(fragment_headers_of_a_whole_packet_are_skipped)
{
	for (size_t headers = 1; headers < 12; headers++)
		ck_assert_int_eq(parse_fragment(headers, 0), 0);
	ck_assert_int_eq(parse_fragment(1, 6), 0); /* reserved bits */
}
END_TEST

START_TEST(parts_of_an_ip6_packet_are_refused)
{
	ck_assert_int_eq(parse_fragment(1, 1), -1); /* more fragments */
	for (unsigned bit = 3; bit < 16; bit++)
		ck_assert_int_eq(parse_fragment(1, 1U << bit), -1);
}
END_TEST

START_TEST(a_packet_full_of_extension_headers_is_read)
{
	enum { MOST = (PACKET_MAX - PACKET_IP6_HEADER - PACKET_TCP_HEADER) / EXTENSION };
	static uint8_t p[PACKET_MAX];
	struct packet_spec spec = spec6_of(MOST, 0, 0);
	struct seg seg;

	ck_assert_int_eq(parse(p, packet_build(&spec, p), &seg), 0);
	ck_assert_uint_eq(seg.tcp, PACKET_IP6_HEADER + MOST * EXTENSION);
}
END_TEST

/* Two headers of 8 bytes, taken for one of 16. */
START_TEST(an_extension_header_may_be_long)
{
	struct packet_spec spec = spec6_of(2, 12, 10);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	p[PACKET_IP6_HEADER] = 6;
	p[PACKET_IP6_HEADER + 1] = 1;
	ck_assert_int_eq(parse(p, n, &seg), 0);
	ck_assert_uint_eq(seg.tcp, PACKET_IP6_HEADER + 2 * EXTENSION);
}
END_TEST

/* RFC 4302: its length counts words of 4 bytes, less two. */
START_TEST(an_authentication_header_is_one)
{
	enum { AUTHENTICATION = 51 };
	struct packet_spec spec = spec6_of(2, 12, 10);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p);
	struct seg seg;

	p[IP6_NEXT] = AUTHENTICATION;
	p[PACKET_IP6_HEADER] = 6;
	p[PACKET_IP6_HEADER + 1] = 2;
	ck_assert_int_eq(parse(p, n, &seg), 0);
	ck_assert_uint_eq(seg.tcp, PACKET_IP6_HEADER + 2 * EXTENSION);
}
END_TEST

START_TEST(an_extension_header_longer_than_the_packet_is_refused)
{
	for (unsigned len = 0; len < 256; len++) {
		struct packet_spec spec = spec6_of(1, 0, 10);
		uint8_t p[SMALL];
		size_t n = packet_build(&spec, p);
		struct seg seg;

		p[PACKET_IP6_HEADER + 1] = (uint8_t)len;
		if (len)
			ck_assert_int_eq(parse(p, n, &seg), -1);
	}
}
END_TEST

START_TEST(other_next_headers_are_refused)
{
	for (unsigned next = 0; next < 256; next++) {
		static const uint8_t extension[] = {0, 43, 51, 60}; /* a fragment: see above */
		struct packet_spec spec = spec6_of(1, 0, 10);
		uint8_t p[SMALL];
		size_t n = packet_build(&spec, p);
		struct seg seg;

		if (next == 6 || memchr(extension, (int)next, sizeof(extension)))
			continue;
		p[IP6_NEXT] = (uint8_t)next; /* among them 59, nothing */
		ck_assert_int_eq(parse(p, n, &seg), -1);
		packet_build(&spec, p);
		p[PACKET_IP6_HEADER] = (uint8_t)next;
		ck_assert_int_eq(parse(p, n, &seg), -1);
	}
}
END_TEST

START_TEST(a_cut_ip6_packet_is_refused)
{
	struct packet_spec spec = spec6_of(2, 12, sizeof(hello) - 1);
	uint8_t p[SMALL];
	size_t n = packet_build(&spec, p), headers = packet_header_len(p);
	struct seg seg;

	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(parse(p, cut, &seg), -1);
	for (size_t cut = PACKET_IP6_HEADER; cut <= n; cut++) {
		p[IP6_TOTAL] = 0;
		p[IP6_TOTAL + 1] = (uint8_t)(cut - PACKET_IP6_HEADER);
		ck_assert_int_eq(parse(p, cut, &seg), cut < headers ? -1 : 0);
	}
}
END_TEST

START_TEST(a_sealed_ip6_packet_is_sound_whatever_its_length)
{
	for (size_t len = 0; len < sizeof(hello); len++) {
		struct packet_spec spec = spec6_of(len % 3, 12, sizeof(hello) - 1);
		uint8_t built[SMALL], want[SMALL];
		size_t n = packet_build(&spec, built);
		uint8_t *p = guard_copy(built, n);
		struct seg seg;

		ck_assert_int_eq(seg_parse(p, n, &seg), 0);
		ck_assert_int_eq(seg_splice(&seg, p, n, len, sizeof(hello) - 1 - len, NULL, 0), 0);
		seg.seq = spec.seq = 77;
		spec.len = len;
		ck_assert_uint_eq(seg_seal(&seg, p), packet_build(&spec, want));
		ck_assert_mem_eq(p, want, n - (sizeof(hello) - 1 - len));
		guard_free(p, n);
	}
}
END_TEST

START_TEST(a_segment_with_any_wrong_bit_is_not_sound)
{
	for (int ip6 = 0; ip6 < 2; ip6++) {
		struct packet_spec spec = ip6 ? spec6_of(0, 0, 11) : spec_of(0, 0, 11);
		uint8_t p[SMALL];
		size_t n = packet_build(&spec, p);
		struct seg seg;

		ck_assert_int_eq(parse(p, n, &seg), 0);
		ck_assert(seg_is_sound(&seg, p));
		for (size_t i = seg.tcp; i < n; i++) {
			p[i] ^= 0x10;
			ck_assert(!seg_is_sound(&seg, p));
			p[i] ^= 0x10;
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		all_fields_are_read_whatever_the_options,
		a_segment_may_be_empty,
		all_flags_are_read,
		a_cut_packet_is_refused,
		a_packet_without_whole_headers_is_refused,
		other_ip_versions_are_refused,
		an_ip_header_under_20_bytes_is_refused,
		an_ip_header_longer_than_the_packet_is_refused,
		a_tcp_header_under_20_bytes_is_refused,
		a_tcp_header_longer_than_the_packet_is_refused,
		a_total_length_over_the_packet_is_refused,
		a_total_length_under_the_headers_is_refused,
		other_protocols_are_refused,
		fragments_are_refused,
		do_not_fragment_is_no_fragment,
		a_segment_with_any_wrong_bit_is_not_sound,
		a_wrong_checksum_is_not_our_business,
		the_largest_packet_is_read,
		splice_replaces_any_bytes_by_any_number,
		splice_without_room_changes_nothing,
		splice_over_65535_bytes_changes_nothing,
		a_sealed_packet_is_sound_whatever_its_length,
		seal_writes_seq_and_flags_and_nothing_else,
		seal_makes_wrong_checksums_right,
		the_urgent_pointer_is_read_and_written,
		all_fields_of_ip6_are_read_whatever_the_extensions,
		fragment_headers_of_a_whole_packet_are_skipped,
		parts_of_an_ip6_packet_are_refused,
		a_packet_full_of_extension_headers_is_read,
		an_extension_header_may_be_long,
		an_authentication_header_is_one,
		an_extension_header_longer_than_the_packet_is_refused,
		other_next_headers_are_refused,
		a_cut_ip6_packet_is_refused,
		a_sealed_ip6_packet_is_sound_whatever_its_length,
	};

	return unit_run("seg", test, ARRAY_SIZE(test));
}
