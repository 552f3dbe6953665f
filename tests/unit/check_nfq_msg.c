/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_nfq_msg.c - netlink bytes of NFQUEUE, from a kernel and for it
 *
 * The expected bytes are written from include/uapi/linux/netfilter/nfnetlink_queue.h; the packet
 * message is as a 6.18 kernel sent it.
 */
#include <errno.h>
#include <stdlib.h>

#include "nfq_msg.h"
#include "nlmsg.h"
#include "unit.h"

enum { QUEUE = 3, PACKET = 0, VERDICT = 1, CONFIG = 2 }; /* NFNL_SUBSYS_QUEUE and its messages */

#define CONFIG_OF(len, queue) HEADER(len, QUEUE, CONFIG, REQUEST | ACK, 0, queue)

START_TEST(bind_names_no_family)
{
	static const uint8_t expected[] = {CONFIG_OF(28, 21), /* */
		ATTR(8, 1), 1, 0, 0, 0};                      /* NFQA_CFG_CMD: BIND, AF_UNSPEC */
	_Alignas(4) uint8_t buf[NFQ_MSG_CONFIG_MAX];

	ck_assert_message(buf, nfq_msg_put_bind(buf, sizeof(buf), 21), expected);
}
END_TEST

START_TEST(copy_wants_whole_packets)
{
	static const uint8_t expected[] = {CONFIG_OF(32, 21), /* */
		/* NFQA_CFG_PARAMS: range, COPY_PACKET, padding */
		ATTR(9, 2), BE32(0xffff), 2, 0, 0, 0};
	_Alignas(4) uint8_t buf[NFQ_MSG_CONFIG_MAX];

	ck_assert_message(buf, nfq_msg_put_copy(buf, sizeof(buf), 21), expected);
}
END_TEST

START_TEST(maxlen_is_in_network_byte_order)
{
	static const uint8_t expected[] = {CONFIG_OF(28, 21), /* */
		ATTR(8, 3), BE32(4096)};                      /* NFQA_CFG_QUEUE_MAXLEN */
	_Alignas(4) uint8_t buf[NFQ_MSG_CONFIG_MAX];

	ck_assert_message(buf, nfq_msg_put_maxlen(buf, sizeof(buf), 21, 4096), expected);
}
END_TEST

START_TEST(fail_open_changes_its_own_flag_only)
{
	static const uint8_t on[] = {CONFIG_OF(36, 21),  /* */
		ATTR(8, 5), BE32(1),                     /* NFQA_CFG_FLAGS: FAIL_OPEN */
		ATTR(8, 4), BE32(1)};                    /* NFQA_CFG_MASK: FAIL_OPEN */
	static const uint8_t off[] = {CONFIG_OF(36, 21), /* */
		ATTR(8, 5), BE32(0),                     /* NFQA_CFG_FLAGS: none */
		ATTR(8, 4), BE32(1)};                    /* NFQA_CFG_MASK: FAIL_OPEN */
	_Alignas(4) uint8_t buf[NFQ_MSG_CONFIG_MAX];

	ck_assert_message(buf, nfq_msg_put_fail_open(buf, sizeof(buf), 21, true), on);
	ck_assert_message(buf, nfq_msg_put_fail_open(buf, sizeof(buf), 21, false), off);
}
END_TEST

START_TEST(verdict_without_bytes_leaves_the_packet_as_it_is)
{
	static const uint8_t expected[] = {HEADER(32, QUEUE, VERDICT, REQUEST, 0, 21), ATTR(12, 2),
		BE32(1), BE32(0xfffffffe)}; /* NFQA_VERDICT_HDR: NF_ACCEPT, id */
	_Alignas(4) uint8_t buf[64];

	ck_assert_message(buf,
		nfq_msg_put_verdict(buf, sizeof(buf), 21, 0xfffffffe, NFQ_ACCEPT, NULL, 0),
		expected);
}
END_TEST

START_TEST(drop_is_nf_drop)
{
	static const uint8_t expected[] = {HEADER(32, QUEUE, VERDICT, REQUEST, 0, 21), ATTR(12, 2),
		BE32(0), BE32(7)}; /* NFQA_VERDICT_HDR: NF_DROP, id */
	_Alignas(4) uint8_t buf[64];

	ck_assert_message(
		buf, nfq_msg_put_verdict(buf, sizeof(buf), 21, 7, NFQ_DROP, NULL, 0), expected);
}
END_TEST

START_TEST(verdict_carries_the_new_packet)
{
	static const uint8_t bytes[] = "12345";
	static const uint8_t expected[] = {HEADER(44, QUEUE, VERDICT, REQUEST, 0, 21), /* */
		/* NFQA_VERDICT_HDR: NF_ACCEPT, id */
		ATTR(12, 2), BE32(1), BE32(7), ATTR(9, 10), '1', '2', '3', '4', '5', 0, 0,
		0}; /* NFQA_PAYLOAD, padding */
	_Alignas(4) uint8_t buf[64];

	memset(buf, 0xff, sizeof(buf));
	ck_assert_message(
		buf, nfq_msg_put_verdict(buf, sizeof(buf), 21, 7, NFQ_ACCEPT, bytes, 5), expected);
}
END_TEST

START_TEST(longest_packet_fits_and_one_byte_more_is_refused)
{
	enum { LONGEST = 65535 - 4 };
	uint8_t *buf = malloc(NFQ_MSG_VERDICT_MAX), *bytes = calloc(1, LONGEST + 1);

	ck_assert_int_gt(
		nfq_msg_put_verdict(buf, NFQ_MSG_VERDICT_MAX, 21, 7, NFQ_ACCEPT, bytes, LONGEST),
		LONGEST);
	ck_assert_int_eq(nfq_msg_put_verdict(
				 buf, NFQ_MSG_VERDICT_MAX, 21, 7, NFQ_ACCEPT, bytes, LONGEST + 1),
		-EMSGSIZE);
	free(bytes);
	free(buf);
}
END_TEST

static ssize_t encode_bind(void *buf, size_t cap)
{
	return nfq_msg_put_bind(buf, cap, 21);
}

static ssize_t encode_copy(void *buf, size_t cap)
{
	return nfq_msg_put_copy(buf, cap, 21);
}

static ssize_t encode_maxlen(void *buf, size_t cap)
{
	return nfq_msg_put_maxlen(buf, cap, 21, 1);
}

static ssize_t encode_fail_open(void *buf, size_t cap)
{
	return nfq_msg_put_fail_open(buf, cap, 21, true);
}

static ssize_t encode_verdict(void *buf, size_t cap)
{
	return nfq_msg_put_verdict(buf, cap, 21, 7, NFQ_ACCEPT, NULL, 0);
}

static ssize_t encode_verdict_with_packet(void *buf, size_t cap)
{
	return nfq_msg_put_verdict(buf, cap, 21, 7, NFQ_ACCEPT, (const uint8_t *)"12345", 5);
}

static encode_fn *const encoders[] = {encode_bind, encode_copy, encode_maxlen, encode_fail_open,
	encode_verdict, encode_verdict_with_packet};

START_TEST(encoders_keep_within_their_room)
{
	for (size_t i = 0; i < ARRAY_SIZE(encoders); i++)
		assert_keeps_within_its_room(encoders[i]);
}
END_TEST

/* A UDP packet of 29 bytes. The kernel puts no padding behind the payload. */
/* AF_INET, queue 7 */
static const _Alignas(4) uint8_t packet_msg[] = {HEADER(73, QUEUE, PACKET, 0, 2, 7), ATTR(11, 1),
	BE32(2), BE16(0x0800), 3, 0, /* NFQA_PACKET_HDR: id, ETH_P_IP, NF_INET_LOCAL_OUT, padding */
	ATTR(8, 6), BE32(1),         /* NFQA_IFINDEX_OUTDEV */
	ATTR(33, 10),                /* NFQA_PAYLOAD */
	/* IPv4 */
	0x45, 0, 0, 29, 0x67, 0xef, 0x40, 0, 64, 17, 0xd4, 0xde, 127, 0, 0, 1, 127, 0, 0, 1,
	/* UDP */
	BE16(52325), BE16(9999), BE16(9), BE16(0), 'p'};

enum { PAYLOAD_AT = 20 + 12 + 8 + 4, PACKET_LEN = 29 };

START_TEST(packet_is_read)
{
	struct nfq_packet p;

	ck_assert_uint_eq(sizeof(packet_msg), 73);
	ck_assert_int_eq(nfq_msg_parse_packet(packet_msg, sizeof(packet_msg), &p), 0);
	ck_assert_uint_eq(p.id, 2);
	ck_assert_uint_eq(p.indev, 0);
	ck_assert_ptr_eq(p.bytes, packet_msg + PAYLOAD_AT);
	ck_assert_uint_eq(p.len, PACKET_LEN);
}
END_TEST

START_TEST(packet_came_in_by_an_interface)
{
	static const _Alignas(4) uint8_t msg[] = {HEADER(48, QUEUE, PACKET, 0, 2, 7), /* */
		/* NFQA_PACKET_HDR */
		ATTR(11, 1), BE32(2), BE16(0x0800), 0, 0,
		/* NFQA_IFINDEX_INDEV */
		ATTR(8, 5), BE32(0x01020304), ATTR(8, 7),
		BE32(3)}; /* NFQA_IFINDEX_PHYSINDEV, a bridge's port */
	static const _Alignas(4) uint8_t brief[] = {HEADER(40, QUEUE, PACKET, 0, 2, 7), /* */
		ATTR(11, 1), BE32(2), BE16(0x0800), 0, 0, ATTR(6, 5), 1, 2, 0, 0};
	struct nfq_packet p;

	ck_assert_int_eq(nfq_msg_parse_packet(msg, sizeof(msg), &p), 0);
	ck_assert_uint_eq(p.indev, 0x01020304);
	ck_assert_int_eq(nfq_msg_parse_packet(brief, sizeof(brief), &p), 0);
	ck_assert_uint_eq(p.indev, 0);
}
END_TEST

/* NFQA_SKB_INFO */
START_TEST(nobody_has_looked_at_the_checksum)
{
	static const uint8_t row[] = {0, 1, 2, 3, 4, 6};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		_Alignas(4) uint8_t msg[] = {HEADER(40, QUEUE, PACKET, 0, 2, 7), /* */
			ATTR(11, 1), BE32(2), BE16(0x0800), 0, 0, ATTR(8, 14), 0, 0, 0, row[i]};
		struct nfq_packet p;

		ck_assert_int_eq(nfq_msg_parse_packet(msg, sizeof(msg), &p), 0);
		ck_assert_int_eq(p.unverified, row[i] >> 2);
	}
}
END_TEST

START_TEST(packet_without_payload_can_still_be_given_a_verdict)
{
	static const _Alignas(4) uint8_t msg[] = {HEADER(32, QUEUE, PACKET, 0, 2, 7), /* */
		/* NFQA_PACKET_HDR */
		ATTR(11, 1), BE32(2), BE16(0x86dd), 0, 0};
	struct nfq_packet p;

	ck_assert_int_eq(nfq_msg_parse_packet(msg, sizeof(msg), &p), 0);
	ck_assert_uint_eq(p.id, 2);
	ck_assert_ptr_null(p.bytes);
	ck_assert_uint_eq(p.len, 0);
}
END_TEST

START_TEST(attributes_of_newer_kernels_are_skipped)
{
	static const _Alignas(4) uint8_t msg[] = {HEADER(52, QUEUE, PACKET, 0, 2, 7), /* */
		ATTR(8, 0x3fff), BE32(0),                                             /* unknown */
		/* NFQA_PACKET_HDR */
		ATTR(11, 1), BE32(9), BE16(0x0800), 0, 0,
		/* NFQA_CT, empty */
		ATTR(4, 11), ATTR(8, 22), BE32(0)}; /* unknown to this program */
	struct nfq_packet p;

	ck_assert_int_eq(nfq_msg_parse_packet(msg, sizeof(msg), &p), 0);
	ck_assert_uint_eq(p.id, 9);
}
END_TEST

START_TEST(message_without_packet_id_is_refused)
{
	static const _Alignas(4) uint8_t none[] = {
		HEADER(28, QUEUE, PACKET, 0, 2, 7), ATTR(8, 10), 0x45, 0, 0, 0}; /* NFQA_PAYLOAD */
	static const _Alignas(4) uint8_t brief[] = {/* NFQA_PACKET_HDR of 4 bytes */
		HEADER(28, QUEUE, PACKET, 0, 2, 7), ATTR(8, 1), BE32(2)};
	struct nfq_packet p = {.id = 77};

	ck_assert_int_eq(nfq_msg_parse_packet(none, sizeof(none), &p), -1);
	ck_assert_int_eq(nfq_msg_parse_packet(brief, sizeof(brief), &p), -1);
	ck_assert_uint_eq(p.id, 77);
}
END_TEST

START_TEST(other_messages_are_refused)
{
	static const _Alignas(4) uint8_t config[] = {
		HEADER(32, QUEUE, CONFIG, 0, 2, 7), ATTR(11, 1), BE32(2), BE16(0x0800), 3, 0};
	static const _Alignas(4) uint8_t conntrack[] = {
		HEADER(32, 1, PACKET, 0, 2, 7), ATTR(11, 1), BE32(2), BE16(0x0800), 3, 0};
	struct nfq_packet p;

	ck_assert_int_eq(nfq_msg_parse_packet(config, sizeof(config), &p), -1);
	ck_assert_int_eq(nfq_msg_parse_packet(conntrack, sizeof(conntrack), &p), -1);
}
END_TEST

/* Whatever is read lies within the message. */
static void decode(const void *msg, size_t len)
{
	struct nfq_packet p;
	const uint8_t *begin = msg;

	if (nfq_msg_parse_packet(msg, len, &p) < 0 || !p.bytes)
		return;
	ck_assert(p.bytes >= begin);
	ck_assert_uint_le(p.len, len);
	ck_assert(p.bytes + p.len <= begin + len);
}

START_TEST(no_cut_is_read_beyond_its_end)
{
	decode_at_every_cut(packet_msg, sizeof(packet_msg), decode);
}
END_TEST

START_TEST(no_changed_byte_leads_beyond_the_end)
{
	decode_with_every_byte_changed(packet_msg, sizeof(packet_msg), decode);
}
END_TEST

START_TEST(message_longer_than_what_is_there_is_refused)
{
	struct nfq_packet p;

	ck_assert_int_eq(nfq_msg_parse_packet(packet_msg, sizeof(packet_msg) - 1, &p), -1);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		bind_names_no_family,
		copy_wants_whole_packets,
		maxlen_is_in_network_byte_order,
		fail_open_changes_its_own_flag_only,
		verdict_without_bytes_leaves_the_packet_as_it_is,
		drop_is_nf_drop,
		verdict_carries_the_new_packet,
		longest_packet_fits_and_one_byte_more_is_refused,
		encoders_keep_within_their_room,
		packet_is_read,
		packet_came_in_by_an_interface,
		nobody_has_looked_at_the_checksum,
		packet_without_payload_can_still_be_given_a_verdict,
		attributes_of_newer_kernels_are_skipped,
		message_without_packet_id_is_refused,
		other_messages_are_refused,
		no_cut_is_read_beyond_its_end,
		no_changed_byte_leads_beyond_the_end,
		message_longer_than_what_is_there_is_refused,
	};

	return unit_run("nfq_msg", test, ARRAY_SIZE(test));
}
