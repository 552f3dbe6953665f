/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr_hash.c - what stands for an address in a table that nobody outside can aim at
 *
 * 64 bits of SipHash: two addresses with the same ones are taken for one.
 */
#include "addr_hash.h"

#include <string.h>

#include "siphash.h"

enum { IP6_CLIENT_LEN = 8 };

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
