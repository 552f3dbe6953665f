/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.h - what the fuzz targets share
 *
 * A target is given bytes and aborts if a promise of the core's headers does not hold. Targets that
 * need more than one thing take them from the front of the input with the functions below; behind
 * its end all bytes are 0.
 */
#ifndef PASVD_TESTS_FUZZ_H
#define PASVD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert() also there with NDEBUG. */
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct input {
	const uint8_t *p;
	size_t n;
};

static inline uint8_t take_byte(struct input *in)
{
	if (!in->n)
		return 0;
	in->n--;
	return *in->p++;
}

/* low..high */
static inline size_t take_number(struct input *in, size_t low, size_t high)
{
	return low + take_byte(in) % (high - low + 1);
}

/* -128..127, to be added to a sequence number */
static inline uint32_t take_distance(struct input *in)
{
	uint32_t byte = take_byte(in);

	return byte < 128 ? byte : byte - 256;
}

/* The next bytes, at most `n`; *ret_n is how many. */
static inline const uint8_t *take_bytes(struct input *in, size_t n, size_t *ret_n)
{
	const uint8_t *p = in->p;

	*ret_n = n < in->n ? n : in->n;
	in->p += *ret_n;
	in->n -= *ret_n;
	return p;
}

#endif
