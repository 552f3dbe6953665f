/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ct_msg.c - netlink bytes of ctnetlink, from a kernel and for it
 *
 * The expected bytes are written from include/uapi/linux/netfilter/nfnetlink_conntrack.h; the
 * answers are as a 6.18 kernel sent them, with other addresses. Everywhere a client
 * 198.51.100.2:40000 has dialled 203.0.113.1:21, behind which 10.0.0.2:21 listens.
 */
#include <errno.h>
#include <stdlib.h>

#include "ct_msg.h"
#include "fake_ct.h"
#include "nlmsg.h"
#include "unit.h"

enum { CT = 1, CT_NEW = 0, CT_GET = 1 };                 /* NFNL_SUBSYS_CTNETLINK */
enum { EXP = 2, EXP_NEW = 0, EXP_GET = 1, EXP_DEL = 2 }; /* NFNL_SUBSYS_CTNETLINK_EXP */
enum { INET = 2, INET6 = 10, TCP = 6, UDP = 17 };

#define CLIENT  198, 51, 100, 2
#define DIALLED 203, 0, 113, 1
#define SERVER  10, 0, 0, 2
#define ANY     0, 0, 0, 0
#define ALL     255, 255, 255, 255

#define PROBE_SRC 192, 0, 2, 1
#define PROBE_DST 192, 0, 2, 2

/* What is within a tuple over IPv4: 48 bytes. The addresses are four arguments each. */
#define PROTO_IN_TUPLE(protocol, sport, dport)                                                     \
	NEST(28, 2),                             /* CTA_TUPLE_PROTO */                             \
		ATTR(5, 1), (protocol), 0, 0, 0, /* CTA_PROTO_NUM */                               \
		ATTR(6, 2), BE16(sport), 0, 0,   /* CTA_PROTO_SRC_PORT */                          \
		ATTR(6, 3), BE16(dport), 0, 0    /* CTA_PROTO_DST_PORT */
#define IP_IN_TUPLE(s1, s2, s3, s4, d1, d2, d3, d4)                                                \
	NEST(20, 1),                        /* CTA_TUPLE_IP */                                     \
		ATTR(8, 1), s1, s2, s3, s4, /* CTA_IP_V4_SRC */                                    \
		ATTR(8, 2), d1, d2, d3, d4  /* CTA_IP_V4_DST */
#define IN_TUPLE(s1, s2, s3, s4, sport, d1, d2, d3, d4, dport)                                     \
	IP_IN_TUPLE(s1, s2, s3, s4, d1, d2, d3, d4), PROTO_IN_TUPLE(TCP, sport, dport)
#define TUPLE(type, ...)     NEST(52, type), EXPANDED(IN_TUPLE, __VA_ARGS__)
#define EXPANDED(macro, ...) macro(__VA_ARGS__)

/* 28 bytes. */
#define SEQADJ(type, pos, before, after)                                                           \
	NEST(28, type), ATTR(8, 1), BE32(pos),        /* CTA_SEQADJ_CORRECTION_POS */              \
		ATTR(8, 2), BE32((uint32_t)(before)), /* CTA_SEQADJ_OFFSET_BEFORE */               \
		ATTR(8, 3), BE32((uint32_t)(after))   /* CTA_SEQADJ_OFFSET_AFTER */

static const struct endpoint client = {{ADDR_IP4, {CLIENT}}, 40000};
static const struct endpoint dialled = {{ADDR_IP4, {DIALLED}}, 21};
static const struct endpoint server = {{ADDR_IP4, {SERVER}}, 21};

static struct tuple original(void)
{
	return (struct tuple){.src = client, .dst = dialled};
}

/* 227 (203,0,113,1,195,80), where the server listens at 50001. */
static struct expect expectation(void)
{
	struct expect e = {.master = original(),
		.tuple = original(),
		.translated = true,
		.nat_dir = DIR_ORIGINAL,
		.nat = server};

	e.tuple.src.port = 0;
	e.tuple.dst.port = 50000;
	e.nat.port = 50001;
	return e;
}

START_TEST(get_asks_by_one_tuple)
{
	static const uint8_t expected[] = {HEADER(72, CT, CT_GET, REQUEST, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21)}; /* CTA_TUPLE_ORIG */
	struct tuple t = original();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(buf, ct_msg_put_get(buf, sizeof(buf), &t), expected);
}
END_TEST

START_TEST(zone_is_told_if_it_is_not_0)
{
	static const uint8_t expected[] = {HEADER(80, CT, CT_GET, REQUEST, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		ATTR(6, 18), BE16(258), 0, 0};        /* CTA_ZONE */
	struct tuple t = original();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	t.zone = 258;
	ck_assert_message(buf, ct_msg_put_get(buf, sizeof(buf), &t), expected);
}
END_TEST

START_TEST(addresses_of_ipv6_have_their_own_attributes)
{
	static const uint8_t expected[] = {HEADER(96, CT, CT_GET, REQUEST, INET6, 0),
		NEST(76, 1),                                           /* CTA_TUPLE_ORIG */
		NEST(44, 1),                                           /* CTA_TUPLE_IP */
		ATTR(20, 3), 0x20, 1, 0xd, 0xb8, ANY, ANY, 0, 0, 0, 2, /* CTA_IP_V6_SRC */
		ATTR(20, 4), 0x20, 1, 0xd, 0xb8, ANY, ANY, 0, 0, 0, 1, /* CTA_IP_V6_DST */
		PROTO_IN_TUPLE(TCP, 40000, 21)};
	const struct tuple t = {.src = {{ADDR_IP6, {0x20, 1, 0xd, 0xb8, [15] = 2}}, 40000},
		.dst = {{ADDR_IP6, {0x20, 1, 0xd, 0xb8, [15] = 1}}, 21}};
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(buf, ct_msg_put_get(buf, sizeof(buf), &t), expected);
}
END_TEST

START_TEST(seqadj_of_the_reply_direction)
{
	/* no CREATE */
	static const uint8_t expected[] = {HEADER(100, CT, CT_NEW, REQUEST | ACK, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		SEQADJ(16, 0xfffffff0, -3, 4)};       /* CTA_SEQ_ADJ_REPLY */
	const struct seqadj a = {.pos = 0xfffffff0, .before = -3, .after = 4};
	struct tuple t = original();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(
		buf, ct_msg_put_seqadj(buf, sizeof(buf), &t, DIR_REPLY, &a, false), expected);
}
END_TEST

START_TEST(seqadj_of_the_original_direction)
{
	static const uint8_t expected[] = {HEADER(100, CT, CT_NEW, REQUEST | ACK, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		SEQADJ(15, 1, 0, -1)};                /* CTA_SEQ_ADJ_ORIG */
	const struct seqadj a = {.pos = 1, .before = 0, .after = -1};
	struct tuple t = original();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(
		buf, ct_msg_put_seqadj(buf, sizeof(buf), &t, DIR_ORIGINAL, &a, false), expected);
}
END_TEST

START_TEST(seqadj_makes_both_directions_liberal)
{
	static const uint8_t expected[] = {HEADER(124, CT, CT_NEW, REQUEST | ACK, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		SEQADJ(16, 1, 0, -1),                 /* CTA_SEQ_ADJ_REPLY */
		NEST(24, 4), NEST(20, 1),             /* CTA_PROTOINFO, CTA_PROTOINFO_TCP */
		/* CTA_PROTOINFO_TCP_FLAGS_ORIGINAL: flags, mask */
		ATTR(6, 4), 8, 8, 0, 0, ATTR(6, 5), 8, 8, 0, 0}; /* CTA_PROTOINFO_TCP_FLAGS_REPLY */
	const struct seqadj a = {.pos = 1, .before = 0, .after = -1};
	struct tuple t = original();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(
		buf, ct_msg_put_seqadj(buf, sizeof(buf), &t, DIR_REPLY, &a, true), expected);
}
END_TEST

START_TEST(mark_has_a_mask)
{
	static const uint8_t expected[] = {HEADER(88, CT, CT_NEW, REQUEST | ACK, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		ATTR(8, 8), BE32(0x40000000),         /* CTA_MARK */
		ATTR(8, 21), BE32(0xc0000000)};       /* CTA_MARK_MASK */
	struct tuple t = original();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(
		buf, ct_msg_put_mark(buf, sizeof(buf), &t, 0x40000000, 0xc0000000, true), expected);
}
END_TEST

START_TEST(dump_is_of_a_family_and_a_mark)
{
	static const uint8_t expected[] = {HEADER(36, CT, CT_GET, REQUEST | DUMP, INET6, 0),
		ATTR(8, 8), BE32(0x40000000),   /* CTA_MARK */
		ATTR(8, 21), BE32(0x40000000)}; /* CTA_MARK_MASK */
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(
		buf, ct_msg_put_dump_marked(buf, sizeof(buf), INET6, 0x40000000), expected);
}
END_TEST

/* NLM_F_EXCL: without it the kernel acknowledges an expectation of somebody else as ours. */
START_TEST(expectation_is_exclusive_and_carries_its_nat)
{
	static const uint8_t expected[] = {
		HEADER(264, EXP, EXP_NEW, REQUEST | CREATE | EXCL, INET, 0),
		TUPLE(2, CLIENT, 0, DIALLED, 50000),  /* CTA_EXPECT_TUPLE: from any port */
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_EXPECT_MASTER */
		TUPLE(3, ALL, 0, ALL, 65535),         /* CTA_EXPECT_MASK: all but the source port */
		NEST(64, 10),                         /* CTA_EXPECT_NAT */
		ATTR(8, 1), BE32(0),                  /* CTA_EXPECT_NAT_DIR: original */
		TUPLE(2, SERVER, 50001, ANY, 0),      /* CTA_EXPECT_NAT_TUPLE: its source counts */
		ATTR(22, 11), 'n', 'a', 't', '-', 'f', 'o', 'l', 'l', 'o', 'w', '-', 'm', 'a', 's',
		't', 'e', 'r', 0, 0, 0}; /* CTA_EXPECT_FN, padding */
	struct expect e = expectation();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(buf, ct_msg_put_expect(buf, sizeof(buf), &e), expected);
}
END_TEST

START_TEST(expectation_of_what_is_not_translated_carries_none)
{
	static const uint8_t expected[] = {
		HEADER(176, EXP, EXP_NEW, REQUEST | CREATE | EXCL, INET, 0),
		TUPLE(2, CLIENT, 0, DIALLED, 50000),  /* CTA_EXPECT_TUPLE */
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_EXPECT_MASTER */
		TUPLE(3, ALL, 0, ALL, 65535)};        /* CTA_EXPECT_MASK */
	struct expect e = expectation();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	e.translated = false;
	ck_assert_message(buf, ct_msg_put_expect(buf, sizeof(buf), &e), expected);
}
END_TEST

START_TEST(expectation_is_asked_for_by_its_tuple)
{
	static const uint8_t expected[] = {HEADER(80, EXP, EXP_GET, REQUEST, INET, 0),
		TUPLE(2, CLIENT, 0, DIALLED, 50000), /* CTA_EXPECT_TUPLE */
		ATTR(6, 7), BE16(9), 0, 0};          /* CTA_EXPECT_ZONE */
	struct expect e = expectation();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	e.master.zone = 9;
	ck_assert_message(buf, ct_msg_put_expect_get(buf, sizeof(buf), &e), expected);
}
END_TEST

START_TEST(expectation_is_deleted_by_its_id)
{
	static const uint8_t expected[] = {HEADER(80, EXP, EXP_DEL, REQUEST | ACK, INET, 0),
		TUPLE(2, CLIENT, 0, DIALLED, 50000), /* CTA_EXPECT_TUPLE */
		ATTR(8, 5), BE32(0xab142ca5)};       /* CTA_EXPECT_ID */
	struct expect e = expectation();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(buf, ct_msg_put_expect_del(buf, sizeof(buf), &e, 0xab142ca5), expected);
}
END_TEST

START_TEST(probe_is_a_connection_that_cannot_be)
{
	static const uint8_t message[] = {
		HEADER(156, CT, CT_NEW, REQUEST | ACK | CREATE | EXCL, INET, 0),
		TUPLE(1, PROBE_SRC, 1, PROBE_DST, 1), /* CTA_TUPLE_ORIG */
		TUPLE(2, PROBE_DST, 1, PROBE_SRC, 1), /* CTA_TUPLE_REPLY */
		ATTR(8, 7), BE32(1),                  /* CTA_TIMEOUT: the kernel wants one */
		ATTR(8, 3), BE32(0),                  /* CTA_STATUS: not IPS_CONFIRMED */
		/* CTA_HELP: CTA_HELP_NAME */
		NEST(16, 5), ATTR(9, 1), 's', 'a', 'n', 'e', 0, 0, 0, 0};
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	ck_assert_message(buf, ct_msg_put_probe(buf, sizeof(buf), "sane"), message);
}
END_TEST

START_TEST(tuple_needs_two_addresses_of_one_family)
{
	struct expect e = expectation();
	struct tuple none = original(), mixed = original();
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	none.src.addr.family = none.dst.addr.family = ADDR_NONE;
	mixed.dst.addr.family = ADDR_IP6;
	e.nat.addr.family = ADDR_NONE;
	ck_assert_int_eq(ct_msg_put_get(buf, sizeof(buf), &none), -EAFNOSUPPORT);
	ck_assert_int_eq(ct_msg_put_get(buf, sizeof(buf), &mixed), -EAFNOSUPPORT);
	ck_assert_int_eq(ct_msg_put_expect(buf, sizeof(buf), &e), -EAFNOSUPPORT);
}
END_TEST

static ssize_t encode_get(void *buf, size_t cap)
{
	struct tuple t = original();

	t.zone = 1;
	return ct_msg_put_get(buf, cap, &t);
}

static ssize_t encode_seqadj(void *buf, size_t cap)
{
	const struct seqadj a = {0};
	struct tuple t = original();

	return ct_msg_put_seqadj(buf, cap, &t, DIR_REPLY, &a, true);
}

static ssize_t encode_expect_get(void *buf, size_t cap)
{
	struct expect e = expectation();

	return ct_msg_put_expect_get(buf, cap, &e);
}

static ssize_t encode_expect_del(void *buf, size_t cap)
{
	struct expect e = expectation();

	return ct_msg_put_expect_del(buf, cap, &e, 1);
}

static ssize_t encode_mark(void *buf, size_t cap)
{
	struct tuple t = original();

	return ct_msg_put_mark(buf, cap, &t, 1, 1, true);
}

static ssize_t encode_dump_marked(void *buf, size_t cap)
{
	return ct_msg_put_dump_marked(buf, cap, INET, 1);
}

static ssize_t encode_probe(void *buf, size_t cap)
{
	return ct_msg_put_probe(buf, cap, "sane");
}

/* The longest of all: over IPv6 and in a zone. */
static ssize_t encode_expect(void *buf, size_t cap)
{
	struct expect e = expectation();

	e.master.zone = 1;
	e.master.src.addr.family = e.master.dst.addr.family = ADDR_IP6;
	e.tuple.src.addr.family = e.tuple.dst.addr.family = e.nat.addr.family = ADDR_IP6;
	return ct_msg_put_expect(buf, cap, &e);
}

static encode_fn *const encoders[] = {encode_get, encode_seqadj, encode_expect_get,
	encode_expect_del, encode_probe, encode_expect, encode_mark, encode_dump_marked};

START_TEST(encoders_keep_within_their_room)
{
	_Alignas(4) uint8_t buf[CT_MSG_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(encoders); i++) {
		assert_keeps_within_its_room(encoders[i]);
		ck_assert_int_gt(encoders[i](buf, sizeof(buf)), 0);
	}
}
END_TEST

/* A TCP connection with DNAT and helper whose server's 227 has shrunk by 3 bytes. */
static const _Alignas(4) uint8_t view_msg[] = {HEADER(284, CT, CT_NEW, 0, INET, 0),
	TUPLE(1, CLIENT, 40000, DIALLED, 21),       /* CTA_TUPLE_ORIG */
	TUPLE(2, SERVER, 21, CLIENT, 40000),        /* CTA_TUPLE_REPLY */
	ATTR(8, 3), BE32(0x21ee),                   /* CTA_STATUS */
	ATTR(8, 8), BE32(0),                        /* CTA_MARK */
	ATTR(8, 12), BE32(0xbc7df00c),              /* CTA_ID */
	ATTR(8, 11), BE32(2),                       /* CTA_USE */
	ATTR(8, 7), BE32(432000),                   /* CTA_TIMEOUT */
	NEST(48, 4),                                /* CTA_PROTOINFO */
	NEST(44, 1),                                /* CTA_PROTOINFO_TCP */
	ATTR(5, 1), 3, 0, 0, 0,                     /* CTA_PROTOINFO_TCP_STATE */
	ATTR(5, 2), 10, 0, 0, 0,                    /* CTA_PROTOINFO_TCP_WSCALE_ORIGINAL */
	ATTR(5, 3), 10, 0, 0, 0,                    /* CTA_PROTOINFO_TCP_WSCALE_REPLY */
	ATTR(6, 4), 0x23, 0, 0, 0,                  /* CTA_PROTOINFO_TCP_FLAGS_ORIGINAL */
	ATTR(6, 5), 0x23, 0, 0, 0,                  /* CTA_PROTOINFO_TCP_FLAGS_REPLY */
	NEST(16, 5),                                /* CTA_HELP */
	ATTR(9, 1), 's', 'a', 'n', 'e', 0, 0, 0, 0, /* CTA_HELP_NAME */
	SEQADJ(15, 0, 0, 0),                        /* CTA_SEQ_ADJ_ORIG */
	SEQADJ(16, 123456, 0, -3)};                 /* CTA_SEQ_ADJ_REPLY */

START_TEST(connection_is_read)
{
	struct tuple t = original();
	struct ct_view v;

	ck_assert_uint_eq(sizeof(view_msg), 284);
	ck_assert_int_eq(ct_msg_parse_view(view_msg, sizeof(view_msg), "sane", &v), 0);
	ck_assert(tuple_eq(&v.tuple[DIR_ORIGINAL], &t));
	ck_assert(endpoint_eq(&v.tuple[DIR_REPLY].src, &server));
	ck_assert(endpoint_eq(&v.tuple[DIR_REPLY].dst, &client));
	ck_assert_uint_eq(v.tuple[DIR_REPLY].zone, 0);
	ck_assert(v.has_helper);
	ck_assert(v.established);
	ck_assert_uint_eq(v.seqadj[DIR_REPLY].pos, 123456);
	ck_assert_int_eq(v.seqadj[DIR_REPLY].before, 0);
	ck_assert_int_eq(v.seqadj[DIR_REPLY].after, -3);
	ck_assert_int_eq(v.seqadj[DIR_ORIGINAL].after, 0);
}
END_TEST

START_TEST(only_the_carriers_whole_name_is_ours)
{
	static const char *const others[] = {"", "s", "san", "sane2", "sbne", "ftp"};
	struct ct_view v;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		ck_assert_int_eq(ct_msg_parse_view(view_msg, sizeof(view_msg), others[i], &v), 0);
		ck_assert(!v.has_helper);
	}
}
END_TEST

/* Where the attribute is in view_msg. */
static size_t place_of(const uint8_t *attribute, size_t n)
{
	size_t at = 0;

	while (memcmp(view_msg + at, attribute, n) != 0)
		at++;
	return at;
}

START_TEST(states_are_told_apart)
{
	static const uint8_t attribute[] = {ATTR(5, 1), 3}; /* CTA_PROTOINFO_TCP_STATE */
	_Alignas(4) uint8_t msg[sizeof(view_msg)];
	size_t at = place_of(attribute, sizeof(attribute));
	struct ct_view v;

	memcpy(msg, view_msg, sizeof(msg));
	for (uint8_t state = 0; state < 15; state++) {
		msg[at + 4] = state;
		ck_assert_int_eq(ct_msg_parse_view(msg, sizeof(msg), "sane", &v), 0);
		ck_assert_int_eq(v.established, state == 3);
		ck_assert_int_eq(v.over, state == 7 || state == 8);
	}
}
END_TEST

START_TEST(connection_without_helper_and_adjustment)
{
	static const _Alignas(4) uint8_t msg[] = {HEADER(124, CT, CT_NEW, 0, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		TUPLE(2, SERVER, 21, CLIENT, 40000)}; /* CTA_TUPLE_REPLY */
	static const struct seqadj none = {0};
	struct ct_view v;

	ck_assert_int_eq(ct_msg_parse_view(msg, 124, "sane", &v), 0);
	ck_assert(!v.has_helper && !v.established);
	ck_assert_mem_eq(&v.seqadj[DIR_ORIGINAL], &none, sizeof(none));
	ck_assert_mem_eq(&v.seqadj[DIR_REPLY], &none, sizeof(none));
}
END_TEST

START_TEST(zone_is_that_of_the_connection_or_of_one_direction)
{
	static const _Alignas(4) uint8_t both[] = {HEADER(132, CT, CT_NEW, 0, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		TUPLE(2, SERVER, 21, CLIENT, 40000),  /* CTA_TUPLE_REPLY */
		ATTR(6, 18), BE16(7), 0, 0};          /* CTA_ZONE */
	static const _Alignas(4) uint8_t one[] = {HEADER(132, CT, CT_NEW, 0, INET, 0), NEST(60, 1),
		EXPANDED(IN_TUPLE, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		ATTR(6, 3), BE16(7), 0, 0,                      /* CTA_TUPLE_ZONE */
		TUPLE(2, SERVER, 21, CLIENT, 40000)};           /* CTA_TUPLE_REPLY */
	struct ct_view v;

	ck_assert_int_eq(ct_msg_parse_view(both, sizeof(both), "sane", &v), 0);
	ck_assert_uint_eq(v.tuple[DIR_ORIGINAL].zone, 7);
	ck_assert_uint_eq(v.tuple[DIR_REPLY].zone, 7);
	ck_assert_int_eq(ct_msg_parse_view(one, sizeof(one), "sane", &v), 0);
	ck_assert_uint_eq(v.tuple[DIR_ORIGINAL].zone, 7);
	ck_assert_uint_eq(v.tuple[DIR_REPLY].zone, 0);
}
END_TEST

START_TEST(connection_that_is_not_tcp_is_refused)
{
	static const _Alignas(4) uint8_t msg[] = {HEADER(124, CT, CT_NEW, 0, INET, 0), NEST(52, 1),
		/* CTA_TUPLE_ORIG */
		EXPANDED(IP_IN_TUPLE, CLIENT, DIALLED), PROTO_IN_TUPLE(UDP, 40000, 21),
		/* CTA_TUPLE_REPLY */
		TUPLE(2, SERVER, 21, CLIENT, 40000)};
	struct ct_view v;

	ck_assert_int_eq(ct_msg_parse_view(msg, sizeof(msg), "sane", &v), -1);
}
END_TEST

START_TEST(connection_with_one_tuple_is_refused)
{
	static const _Alignas(4) uint8_t msg[] = {
		HEADER(72, CT, CT_NEW, 0, INET, 0), TUPLE(1, CLIENT, 40000, DIALLED, 21)};
	struct ct_view v = {.has_helper = true};

	ck_assert_int_eq(ct_msg_parse_view(msg, sizeof(msg), "sane", &v), -1);
	ck_assert(v.has_helper);
}
END_TEST

START_TEST(half_an_adjustment_is_refused)
{
	static const _Alignas(4) uint8_t msg[] = {HEADER(144, CT, CT_NEW, 0, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		TUPLE(2, SERVER, 21, CLIENT, 40000),  /* CTA_TUPLE_REPLY */
		NEST(20, 16), ATTR(8, 1), BE32(1), ATTR(8, 2),
		BE32(0)}; /* CTA_SEQ_ADJ_REPLY without OFFSET_AFTER */
	struct ct_view v;

	ck_assert_int_eq(ct_msg_parse_view(msg, sizeof(msg), "sane", &v), -1);
}
END_TEST

START_TEST(number_of_another_length_is_refused)
{
	static const _Alignas(4) uint8_t shorter[] = {HEADER(128, CT, CT_NEW, 0, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		TUPLE(2, SERVER, 21, CLIENT, 40000),  /* CTA_TUPLE_REPLY */
		ATTR(4, 18)};                         /* CTA_ZONE, empty */
	static const _Alignas(4) uint8_t longer[] = {HEADER(132, CT, CT_NEW, 0, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), /* CTA_TUPLE_ORIG */
		TUPLE(2, SERVER, 21, CLIENT, 40000),  /* CTA_TUPLE_REPLY */
		ATTR(8, 18), BE32(7)};                /* CTA_ZONE of 4 bytes */
	struct ct_view v;

	ck_assert_int_eq(ct_msg_parse_view(shorter, sizeof(shorter), "sane", &v), -1);
	ck_assert_int_eq(ct_msg_parse_view(longer, sizeof(longer), "sane", &v), -1);
}
END_TEST

START_TEST(other_messages_are_refused)
{
	static const _Alignas(4) uint8_t header_only[] = {HEADER(20, CT, CT_NEW, 0, INET, 0)};
	_Alignas(4) uint8_t msg[sizeof(view_msg)];
	struct ct_expect_id id;
	struct ct_view v;

	memcpy(msg, view_msg, sizeof(msg));
	memcpy(msg + 4, (const uint8_t[]){HOST16(EXP << 8)}, 2);
	ck_assert_int_eq(ct_msg_parse_view(msg, sizeof(msg), "sane", &v), -1);
	ck_assert_int_eq(ct_msg_parse_view(header_only, sizeof(header_only), "sane", &v), -1);
	ck_assert_int_eq(ct_msg_parse_expect(view_msg, sizeof(view_msg), &id), -1);
}
END_TEST

/* What the kernel says of an expectation: 156 bytes, NAT in direction `dir`: 64 bytes, and 68 bytes
 * behind it. */
#define IN_FRONT_OF_NAT                                                                            \
	TUPLE(2, CLIENT, 0, DIALLED, 50000),         /* CTA_EXPECT_TUPLE */                        \
		TUPLE(3, ALL, 0, ALL, 65535),        /* CTA_EXPECT_MASK */                         \
		TUPLE(1, CLIENT, 40000, DIALLED, 21) /* CTA_EXPECT_MASTER */
#define TO_NAT(dir)                                                                                \
	NEST(64, 10),                           /* CTA_EXPECT_NAT */                               \
		ATTR(8, 1), BE32(dir),          /* CTA_EXPECT_NAT_DIR */                           \
		TUPLE(2, SERVER, 50001, ANY, 0) /* CTA_EXPECT_NAT_TUPLE */
#define BEHIND_NAT(seconds)                                                                        \
	ATTR(8, 4), BE32(seconds),                          /* CTA_EXPECT_TIMEOUT */               \
		ATTR(8, 5), BE32(0xab142ca5),               /* CTA_EXPECT_ID */                    \
		ATTR(8, 8), BE32(0),                        /* CTA_EXPECT_FLAGS */                 \
		ATTR(8, 9), BE32(0),                        /* CTA_EXPECT_CLASS */                 \
		ATTR(9, 6), 's', 'a', 'n', 'e', 0, 0, 0, 0, /* CTA_EXPECT_HELP_NAME */             \
		ATTR(22, 11), 'n', 'a', 't', '-', 'f', 'o', 'l', 'l', 'o', 'w', '-', 'm', 'a',     \
		's', 't', 'e', 'r', 0, 0, 0 /* CTA_EXPECT_FN, padding */

static const _Alignas(4) uint8_t expect_msg[] = {
	HEADER(308, EXP, EXP_NEW, 0, INET, 0), IN_FRONT_OF_NAT, TO_NAT(0), BEHIND_NAT(299)};

START_TEST(expectation_is_read)
{
	struct tuple master = original();
	struct ct_expect_id id;

	ck_assert_uint_eq(sizeof(expect_msg), 308);
	ck_assert_int_eq(ct_msg_parse_expect(expect_msg, sizeof(expect_msg), &id), 0);
	ck_assert_uint_eq(id.id, 0xab142ca5);
	ck_assert(tuple_eq(&id.master, &master));
}
END_TEST

/* Of its end: 59 s were left. */
static const _Alignas(4) uint8_t end_msg[] = {
	HEADER(308, EXP, EXP_DEL, 0, INET, 0), IN_FRONT_OF_NAT, TO_NAT(1), BEHIND_NAT(59)};

START_TEST(end_of_an_expectation_is_read)
{
	struct expect want = expectation(), e;

	want.nat_dir = DIR_REPLY;
	want.seconds = 59;
	ck_assert_uint_eq(sizeof(end_msg), 308);
	ck_assert_int_eq(ct_msg_parse_expect_end(end_msg, sizeof(end_msg), &e), 0);
	ck_assert(expect_eq(&e, &want));
}
END_TEST

START_TEST(expectation_without_nat_is_read)
{
	static const _Alignas(4) uint8_t msg[] = {
		HEADER(244, EXP, EXP_DEL, 0, INET, 0), IN_FRONT_OF_NAT, BEHIND_NAT(1)};
	struct expect want = expectation(), e;

	want.translated = false;
	want.nat = want.tuple.dst;
	want.seconds = 1;
	ck_assert_int_eq(ct_msg_parse_expect_end(msg, sizeof(msg), &e), 0);
	ck_assert(expect_eq(&e, &want));
}
END_TEST

/* 44 bytes: 2001:db8::2 and 2001:db8::1, fd00::9 and ::. */
#define CLIENT_TO_DIALLED6                                                                         \
	NEST(44, 1), ATTR(20, 3), 0x20, 1, 0xd, 0xb8, ANY, ANY, 0, 0, 0, 2, /* CTA_IP_V6_SRC */    \
		ATTR(20, 4), 0x20, 1, 0xd, 0xb8, ANY, ANY, 0, 0, 0, 1       /* CTA_IP_V6_DST */
#define SERVER_TO_ANY6                                                                             \
	NEST(44, 1), ATTR(20, 3), 0xfd, 0, 0, 0, ANY, ANY, 0, 0, 0, 9, ATTR(20, 4), ANY, ANY, ANY, \
		ANY

START_TEST(end_of_an_expectation_over_ipv6_is_read)
{
	static const _Alignas(4)
		uint8_t msg[] = {HEADER(268, EXP, EXP_DEL, 0, INET6, 0), NEST(76, 2),
			/* CTA_EXPECT_TUPLE */
			CLIENT_TO_DIALLED6, PROTO_IN_TUPLE(TCP, 0, 50000),
			/* CTA_EXPECT_MASTER */
			NEST(76, 1), CLIENT_TO_DIALLED6, PROTO_IN_TUPLE(TCP, 40000, 21),
			/* CTA_EXPECT_NAT, _DIR */
			NEST(88, 10), ATTR(8, 1), BE32(0),
			/* CTA_EXPECT_NAT_TUPLE */
			NEST(76, 2), SERVER_TO_ANY6, PROTO_IN_TUPLE(TCP, 50001, 0),
			/* CTA_EXPECT_TIMEOUT */
			ATTR(8, 4), BE32(0)};
	const struct endpoint nat = {{ADDR_IP6, {0xfd, [15] = 9}}, 50001};
	const struct endpoint dst = {{ADDR_IP6, {0x20, 1, 0xd, 0xb8, [15] = 1}}, 50000};
	struct expect e;

	ck_assert_uint_eq(sizeof(msg), 268);
	ck_assert_int_eq(ct_msg_parse_expect_end(msg, sizeof(msg), &e), 0);
	ck_assert(endpoint_eq(&e.nat, &nat));
	ck_assert(endpoint_eq(&e.tuple.dst, &dst));
	ck_assert_uint_eq(e.master.src.port, 40000);
	ck_assert_uint_eq(e.seconds, 0);
}
END_TEST

/* It is refused, and not since it is cut off. */
#define ck_assert_no_end(msg)                                                                      \
	do {                                                                                       \
		struct expect e;                                                                   \
		unit_mark(&e, sizeof(e));                                                          \
		ck_assert_mem_eq((msg), ((const uint8_t[]){HOST32(sizeof(msg))}), 4);              \
		ck_assert_int_eq(ct_msg_parse_expect_end((msg), sizeof(msg), &e), -1);             \
		ck_assert(unit_is_marked(&e, sizeof(e)));                                          \
	} while (0)

START_TEST(ends_that_cannot_be_ours_are_refused)
{
	static const _Alignas(4) uint8_t no_time[] = {
		HEADER(240, EXP, EXP_DEL, 0, INET, 0), IN_FRONT_OF_NAT, TO_NAT(0)};
	static const _Alignas(4) uint8_t other_direction[] = {
		HEADER(308, EXP, EXP_DEL, 0, INET, 0), IN_FRONT_OF_NAT, TO_NAT(2), BEHIND_NAT(1)};
	static const _Alignas(4) uint8_t no_tuple[] = {HEADER(204, EXP, EXP_DEL, 0, INET, 0),
		TUPLE(1, CLIENT, 40000, DIALLED, 21), TO_NAT(0), BEHIND_NAT(1)};
	static const _Alignas(4) uint8_t no_master[] = {HEADER(204, EXP, EXP_DEL, 0, INET, 0),
		TUPLE(2, CLIENT, 0, DIALLED, 50000), TO_NAT(0), BEHIND_NAT(1)};

	ck_assert_no_end(no_time);
	ck_assert_no_end(other_direction);
	ck_assert_no_end(no_tuple);
	ck_assert_no_end(no_master);
	ck_assert_no_end(expect_msg); /* a beginning */
	ck_assert_no_end(view_msg);
}
END_TEST

static void decode(const void *msg, size_t len)
{
	struct ct_expect_id id;
	struct expect e;
	struct ct_view v;

	ct_msg_parse_view(msg, len, "sane", &v);
	ct_msg_parse_expect(msg, len, &id);
	ct_msg_parse_expect_end(msg, len, &e);
}

START_TEST(no_cut_is_read_beyond_its_end)
{
	decode_at_every_cut(view_msg, sizeof(view_msg), decode);
	decode_at_every_cut(expect_msg, sizeof(expect_msg), decode);
	decode_at_every_cut(end_msg, sizeof(end_msg), decode);
}
END_TEST

START_TEST(no_changed_byte_leads_beyond_the_end)
{
	decode_with_every_byte_changed(view_msg, sizeof(view_msg), decode);
	decode_with_every_byte_changed(expect_msg, sizeof(expect_msg), decode);
	decode_with_every_byte_changed(end_msg, sizeof(end_msg), decode);
}
END_TEST

START_TEST(message_longer_than_what_is_there_is_refused)
{
	struct ct_expect_id id;
	struct ct_view v;

	ck_assert_int_eq(ct_msg_parse_view(view_msg, sizeof(view_msg) - 1, "sane", &v), -1);
	ck_assert_int_eq(ct_msg_parse_expect(expect_msg, sizeof(expect_msg) - 1, &id), -1);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		get_asks_by_one_tuple,
		zone_is_told_if_it_is_not_0,
		addresses_of_ipv6_have_their_own_attributes,
		seqadj_of_the_reply_direction,
		seqadj_of_the_original_direction,
		seqadj_makes_both_directions_liberal,
		mark_has_a_mask,
		dump_is_of_a_family_and_a_mark,
		expectation_is_exclusive_and_carries_its_nat,
		expectation_of_what_is_not_translated_carries_none,
		expectation_is_asked_for_by_its_tuple,
		expectation_is_deleted_by_its_id,
		probe_is_a_connection_that_cannot_be,
		tuple_needs_two_addresses_of_one_family,
		encoders_keep_within_their_room,
		connection_is_read,
		only_the_carriers_whole_name_is_ours,
		states_are_told_apart,
		connection_without_helper_and_adjustment,
		zone_is_that_of_the_connection_or_of_one_direction,
		connection_that_is_not_tcp_is_refused,
		connection_with_one_tuple_is_refused,
		half_an_adjustment_is_refused,
		number_of_another_length_is_refused,
		other_messages_are_refused,
		expectation_is_read,
		end_of_an_expectation_is_read,
		expectation_without_nat_is_read,
		end_of_an_expectation_over_ipv6_is_read,
		ends_that_cannot_be_ours_are_refused,
		no_cut_is_read_beyond_its_end,
		no_changed_byte_leads_beyond_the_end,
		message_longer_than_what_is_there_is_refused,
	};

	return unit_run("ct_msg", test, ARRAY_SIZE(test));
}
