/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_cthelper_msg.c - netlink bytes of nfnetlink_cthelper
 *
 * The expected bytes are written from include/uapi/linux/netfilter/nfnetlink_cthelper.h.
 */
#include "cthelper_msg.h"
#include "nlmsg.h"
#include "unit.h"

enum { CTHELPER = 9, NEW = 0, UNSPEC = 0, INET = 2, INET6 = 10, TCP = 6 };

/* No NLM_F_EXCL: a helper that is there becomes what the message says. 108 bytes. */
#define REGISTRATION(family)                                                                       \
	HEADER(108, CTHELPER, NEW, REQUEST | ACK | CREATE, UNSPEC, 0), ATTR(10, 1), 'p', 'a', 's', \
		'v', 'd', 0, 0, 0,              /* NFCTH_NAME, padding */                          \
		NEST(20, 2),                    /* NFCTH_TUPLE */                                  \
		ATTR(6, 1), BE16(family), 0, 0, /* NFCTH_TUPLE_L3PROTONUM */                       \
		ATTR(5, 2), TCP, 0, 0, 0,       /* NFCTH_TUPLE_L4PROTONUM */                       \
		NEST(40, 4),                    /* NFCTH_POLICY */                                 \
		ATTR(8, 1), BE32(1),            /* NFCTH_POLICY_SET_NUM */                         \
		NEST(28, 2),                    /* NFCTH_POLICY_SET1 */                            \
		ATTR(8, 1), 'f', 't', 'p', 0,   /* NFCTH_POLICY_NAME */                            \
		ATTR(8, 2), BE32(1),            /* NFCTH_POLICY_EXPECT_MAX */                      \
		ATTR(8, 3), BE32(300),          /* NFCTH_POLICY_EXPECT_TIMEOUT */                  \
		ATTR(8, 5), BE32(0),            /* NFCTH_PRIV_DATA_LEN */                          \
		ATTR(8, 6), BE32(0)             /* NFCTH_STATUS: disabled */

START_TEST(helper_is_disabled_and_may_expect_one)
{
	static const uint8_t expected[] = {REGISTRATION(INET)};
	_Alignas(4) uint8_t buf[CTHELPER_MSG_MAX];

	ck_assert_message(buf, cthelper_msg_put_new(buf, sizeof(buf), INET, "pasvd"), expected);
}
END_TEST

START_TEST(family_is_told_in_the_tuple)
{
	static const uint8_t expected[] = {REGISTRATION(INET6)};
	_Alignas(4) uint8_t buf[CTHELPER_MSG_MAX];

	ck_assert_message(buf, cthelper_msg_put_new(buf, sizeof(buf), INET6, "pasvd"), expected);
}
END_TEST

static ssize_t encode_new(void *buf, size_t cap)
{
	return cthelper_msg_put_new(buf, cap, INET, "pasvd");
}

START_TEST(encoder_keeps_within_its_room)
{
	assert_keeps_within_its_room(encode_new);
}
END_TEST

START_TEST(longest_name_has_room)
{
	_Alignas(4) uint8_t buf[CTHELPER_MSG_MAX];

	ck_assert_int_gt(cthelper_msg_put_new(buf, sizeof(buf), INET6, "fifteen-letters"), 0);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		helper_is_disabled_and_may_expect_one,
		family_is_told_in_the_tuple,
		encoder_keeps_within_its_room,
		longest_name_has_room,
	};

	return unit_run("cthelper_msg", test, ARRAY_SIZE(test));
}
