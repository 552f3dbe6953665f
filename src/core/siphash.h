/* SPDX-License-Identifier: GPL-2.0-or-later */
/* siphash.h - SipHash-2-4, a keyed hash (J.-P. Aumasson, D. J. Bernstein, 2012) */
#ifndef PASVD_SIPHASH_H
#define PASVD_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* `key` has 16 bytes. */
uint64_t siphash(const uint8_t *key, const uint8_t *p, size_t n);

#endif
