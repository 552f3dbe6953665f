/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_mark.c - which bits of a connection's mark a statement of nft writes
 *
 * `ct mark set ct mark & 0xff00 | 0x1` is {"|": [{"&": [{"ct": {"key": "mark"}}, 65280]}, 1]}. Each
 * bit of an expression is that of the mark, or 0, or 1, or something else.
 */
#include "nft_mark.h"

#include <string.h>

#include "pasvd/array.h"

struct mark_bits {
	uint32_t kept, zero, one;
};

typedef struct mark_bits nft_mark_fn(const json_t *value);

static struct mark_bits nft_mark_leaf(const json_t *value)
{
	const char *key = json_string_value(json_object_get(json_object_get(value, "ct"), "key"));
	uint32_t number = (uint32_t)json_integer_value(value);

	if (json_is_integer(value))
		return (struct mark_bits){0, ~number, number};
	return (struct mark_bits){key && strcmp(key, "mark") == 0 ? UINT32_MAX : 0, 0, 0};
}

static struct mark_bits nft_mark_and(struct mark_bits a, struct mark_bits b)
{
	return (struct mark_bits){
		(a.kept & (b.one | b.kept)) | (b.kept & a.one), a.zero | b.zero, a.one & b.one};
}

static struct mark_bits nft_mark_or(struct mark_bits a, struct mark_bits b)
{
	return (struct mark_bits){
		(a.kept & (b.zero | b.kept)) | (b.kept & a.zero), a.zero & b.zero, a.one | b.one};
}

static struct mark_bits nft_mark_xor(struct mark_bits a, struct mark_bits b)
{
	return (struct mark_bits){(a.kept & b.zero) | (b.kept & a.zero),
		(a.zero & b.zero) | (a.one & b.one), (a.zero & b.one) | (a.one & b.zero)};
}

static const struct {
	const char *name;
	struct mark_bits (*of)(struct mark_bits a, struct mark_bits b);
} operators[] = {{"&", nft_mark_and}, {"|", nft_mark_or}, {"^", nft_mark_xor}};

/* An operator and its two operands, or a leaf. */
static struct mark_bits nft_mark_operation(const json_t *value, nft_mark_fn *operand)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		const json_t *two = json_object_get(value, operators[i].name);

		if (json_array_size(two) == 2)
			return operators[i].of(
				operand(json_array_get(two, 0)), operand(json_array_get(two, 1)));
	}
	return nft_mark_leaf(value);
}

static struct mark_bits nft_mark_inner(const json_t *value)
{
	return nft_mark_operation(value, nft_mark_leaf);
}

static struct mark_bits nft_mark_middle(const json_t *value)
{
	return nft_mark_operation(value, nft_mark_inner);
}

uint32_t nft_mark_written(const json_t *value)
{
	return ~nft_mark_operation(value, nft_mark_middle).kept;
}
