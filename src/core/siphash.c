/* SPDX-License-Identifier: GPL-2.0-or-later */
/* siphash.c - SipHash-2-4, as its authors describe it */
#include "siphash.h"

struct siphash_state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t siphash_rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

/* Up to 8 bytes, little-endian. */
static uint64_t siphash_get_le(const uint8_t *p, size_t n)
{
	uint64_t x = 0;

	while (n-- > 0)
		x = x << 8 | p[n];
	return x;
}

static void siphash_rounds(struct siphash_state *s, int count)
{
	while (count-- > 0) {
		s->v0 += s->v1;
		s->v1 = siphash_rotl(s->v1, 13) ^ s->v0;
		s->v0 = siphash_rotl(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = siphash_rotl(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = siphash_rotl(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = siphash_rotl(s->v1, 17) ^ s->v2;
		s->v2 = siphash_rotl(s->v2, 32);
	}
}

static void siphash_absorb(struct siphash_state *s, uint64_t word)
{
	s->v3 ^= word;
	siphash_rounds(s, 2);
	s->v0 ^= word;
}

uint64_t siphash(const uint8_t *key, const uint8_t *p, size_t n)
{
	uint64_t k0 = siphash_get_le(key, 8), k1 = siphash_get_le(key + 8, 8),
		 length = (uint64_t)n << 56;
	struct siphash_state s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};

	for (; n >= 8; n -= 8, p += 8)
		siphash_absorb(&s, siphash_get_le(p, 8));
	siphash_absorb(&s, length | siphash_get_le(p, n));
	s.v2 ^= 0xff;
	siphash_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
