/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nlmsg.h - netlink messages as bytes, for tests
 *
 * Headers and attribute headers are in the byte order of the machine, what is in the attributes in
 * that of the network. The macros write the bytes of a number separated by commas.
 */
#ifndef PASVD_TESTS_NLMSG_H
#define PASVD_TESTS_NLMSG_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "guard.h"

#define BE16(v) (uint8_t)((v) >> 8), (uint8_t)(v)
#define BE32(v) (uint8_t)((v) >> 24), (uint8_t)((v) >> 16), (uint8_t)((v) >> 8), (uint8_t)(v)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST16(v) (uint8_t)(v), (uint8_t)((v) >> 8)
#define HOST32(v) (uint8_t)(v), (uint8_t)((v) >> 8), (uint8_t)((v) >> 16), (uint8_t)((v) >> 24)
#else
#define HOST16(v) BE16(v)
#define HOST32(v) BE32(v)
#endif

/* struct nlmsghdr with sequence number and port 0, and struct nfgenmsg of version 0. */
#define HEADER(len, subsystem, message, flags, family, res_id)                                     \
	HOST32(len), HOST16((subsystem) << 8 | (message)), HOST16(flags), HOST32(0), HOST32(0),    \
		(family), 0, BE16(res_id)

/* struct nlattr; the length counts its own 4 bytes and not the padding. */
#define ATTR(len, type) HOST16(len), HOST16(type)
#define NEST(len, type) HOST16(len), HOST16((type) | 0x8000)

enum { REQUEST = 1, ACK = 4, EXCL = 0x200, DUMP = 0x300, CREATE = 0x400 }; /* NLM_F_* */

#define ck_assert_message(buf, len, expected)                                                      \
	do {                                                                                       \
		ck_assert_int_eq((len), (ssize_t)sizeof(expected));                                \
		ck_assert_mem_eq((buf), (expected), sizeof(expected));                             \
	} while (0)

/* Has `encode` write into every room that is too small for its message: it has to say so and to
 * stay within.
 */
typedef ssize_t encode_fn(void *buf, size_t cap);

static inline void assert_keeps_within_its_room(encode_fn *encode)
{
	_Alignas(8) uint8_t buf[1024], untouched[1024];
	ssize_t len = encode(buf, sizeof(buf));

	ck_assert_int_gt(len, 0);
	memset(untouched, 0xa5, sizeof(untouched));
	for (size_t cap = 0; cap < (size_t)len; cap++) {
		memset(buf, 0xa5, sizeof(buf));
		ck_assert_int_lt(encode(buf, cap), 0);
		ck_assert_mem_eq(buf + cap, untouched, sizeof(buf) - cap);
	}
	ck_assert_int_eq(encode(buf, (size_t)len), len);
}

/* Has `decode` read the first n bytes of the message for every n, once as they are and once with a
 * header that gives n as the message's length. What lies behind cannot be read, but for up to 3
 * bytes where n is not a multiple of 4. */
typedef void decode_fn(const void *msg, size_t len);

static inline void decode_first(const uint8_t *msg, size_t n, uint32_t claimed, decode_fn *decode)
{
	size_t aligned = (n + 3) / 4 * 4;
	uint8_t *copy = guard_copy(NULL, aligned);

	memcpy(copy, msg, n);
	memset(copy + n, 0xff, aligned - n);
	if (n >= sizeof(claimed))
		memcpy(copy, &claimed, sizeof(claimed));
	decode(copy, n);
	guard_free(copy, aligned);
}

static inline void decode_at_every_cut(const uint8_t *msg, size_t len, decode_fn *decode)
{
	for (size_t n = 0; n <= len; n++) {
		decode_first(msg, n, (uint32_t)len, decode);
		decode_first(msg, n, (uint32_t)n, decode);
	}
}

/* Has `decode` read the message with each byte behind its length replaced by 0, 1, 0x7f, 0x80 and
 * 0xff. */
static inline void decode_with_every_byte_changed(const uint8_t *msg, size_t len, decode_fn *decode)
{
	static const uint8_t value[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t aligned = (len + 3) / 4 * 4;
	uint8_t *copy = guard_copy(NULL, aligned);

	memcpy(copy, msg, len);
	for (size_t i = sizeof(uint32_t); i < len; i++) {
		for (size_t v = 0; v < sizeof(value); v++) {
			copy[i] = value[v];
			decode(copy, len);
		}
		copy[i] = msg[i];
	}
	guard_free(copy, aligned);
}

#endif
