/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr_hash.c - what stands for an address, or a tuple, in a table that nobody outside can aim at
 *
 * 64 bits of SipHash: two with the same ones are taken for one.
 */
#include "addr_hash.h"

#include <string.h>

#include "siphash.h"

enum { IP6_CLIENT_LEN = 8, TUPLE_BYTES = 2 * ADDR_IP6_LEN + 3 * sizeof(uint16_t) };

static uint64_t addr_hash_of(const uint8_t *key, const struct addr *a, size_t len)
{
	uint8_t bytes[1 + ADDR_IP6_LEN] = {a->family};

	memcpy(bytes + 1, a->byte, len);
	return siphash(key, bytes, sizeof(bytes));
}

uint64_t addr_hash(const uint8_t *key, const struct addr *a)
{
	return addr_hash_of(key, a, addr_len(a));
}

uint64_t addr_hash_client(const uint8_t *key, const struct addr *a)
{
	return addr_hash_of(key, a, a->family == ADDR_IP6 ? IP6_CLIENT_LEN : addr_len(a));
}

uint64_t tuple_hash(const uint8_t *key, const struct tuple *t)
{
	const uint16_t numbers[] = {t->src.port, t->dst.port, t->zone};
	uint8_t bytes[TUPLE_BYTES] = {0};

	memcpy(bytes, t->src.addr.byte, addr_len(&t->src.addr));
	memcpy(bytes + ADDR_IP6_LEN, t->dst.addr.byte, addr_len(&t->dst.addr));
	memcpy(bytes + 2 * (size_t)ADDR_IP6_LEN, numbers, sizeof(numbers));
	return siphash(key, bytes, sizeof(bytes));
}
