/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.c - what a successor must know of a session, in four bits of its connection's mark */
#include "pasvd/trust.h"

bool trust_mask_is_valid(uint32_t mask)
{
	unsigned bits = 0;

	for (; mask; mask &= mask - 1)
		bits++;
	return bits == TRUST_BITS;
}

static uint32_t lowest_bit(uint32_t mask)
{
	return mask & ~(mask - 1);
}

uint32_t trust_to_mark(uint32_t mask, unsigned trust)
{
	uint32_t mark = 0;

	if (trust & TRUST_SHIFTED)
		trust = TRUST_LOGGED_IN | (trust & TRUST_LOGGED_IN ? 0 : TRUST_TLS);
	else if (trust & TRUST_AGREED)
		trust = TRUST_TLS;
	if (trust & TRUST_BEGUN)
		trust = TRUST_LOGGED_IN | TRUST_DISTRUSTED;
	for (; mask && trust; mask &= mask - 1, trust >>= 1)
		mark |= trust & 1 ? lowest_bit(mask) : 0;
	return mark;
}

unsigned trust_of_mark(uint32_t mask, uint32_t mark)
{
	unsigned trust = 0;

	for (unsigned bit = 1; mask; mask &= mask - 1, bit <<= 1)
		trust |= mark & lowest_bit(mask) ? bit : 0;
	if (trust == TRUST_TLS)
		return TRUST_SEEN | TRUST_AGREED;
	if (trust & TRUST_SEEN || !(trust & TRUST_LOGGED_IN))
		return trust;
	if (trust & TRUST_DISTRUSTED)
		return TRUST_BEGUN | TRUST_DISTRUSTED;
	return TRUST_SEEN | TRUST_SHIFTED | (trust & TRUST_TLS ? 0 : TRUST_LOGGED_IN);
}
