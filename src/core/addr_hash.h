/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr_hash.h - what stands for an address, or a tuple, in a table: nobody outside can aim at it */
#ifndef PASVD_CORE_ADDR_HASH_H
#define PASVD_CORE_ADDR_HASH_H

#include "pasvd/endpoint.h"

/* `key` has 16 bytes. */
uint64_t addr_hash(const uint8_t *key, const struct addr *a);

/* Likewise, of a client: over IPv6 that is a /64, which a single host has to itself. */
uint64_t addr_hash_client(const uint8_t *key, const struct addr *a);

/* Of a tuple. */
uint64_t tuple_hash(const uint8_t *key, const struct tuple *t);

#endif
