/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_line.c - segments of a stream, in any order: place, length, bytes, again and again
 *
 * A place is relative to the next byte awaited, so that most segments are near it.
 */
#include "fuzz.h"
#include "guard.h"
#include "pasvd/line.h"

#include <string.h>

static void check(const struct line *l)
{
	REQUIRE(l->len <= LINE_MAX_LEN);
	REQUIRE(line_has_begun(l));
	REQUIRE(!l->whole || l->overlong || (l->len && l->buf[l->len - 1] == '\n'));
	REQUIRE(l->overlong || l->next - l->start == l->len);
	REQUIRE(!l->overlong || l->next - l->start > l->len);
	REQUIRE(memchr(l->buf, '\n', l->len) == NULL || (l->whole && !l->overlong));
}

static void feed(struct line *l, const uint8_t *p, size_t n)
{
	uint8_t *copy = guard_copy(p, n);

	for (size_t at = 0; at < n;) {
		uint32_t next = l->next;
		size_t used = line_feed(l, copy + at, n - at);

		REQUIRE(used >= 1 && used <= n - at);
		REQUIRE(l->next == next + (uint32_t)used);
		REQUIRE(l->whole == (copy[at + used - 1] == '\n'));
		check(l);
		at += used;
		REQUIRE(l->whole || at == n);
		if (l->whole) {
			line_next(l);
			REQUIRE(l->len == 0 && !l->whole && !l->overlong && l->start == l->next);
		}
	}
	guard_free(copy, n);
}

static void segment(struct line *l, struct input *in)
{
	static const uint32_t far[] = {0, 0, 0, 0, 0, 1u << 29, 0u - (1u << 29), 1u << 30};
	uint32_t seq = l->next + take_distance(in) + far[take_number(in, 0, 7)];
	size_t n, skip = 0, wanted = take_number(in, 1, 200);
	const uint8_t *p = take_bytes(in, wanted, &n);

	if (n && line_place(l, seq, n, &skip) == LINE_NEW) {
		REQUIRE(skip < n);
		REQUIRE(l->next == seq + (uint32_t)skip);
		feed(l, p + skip, n - skip);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint8_t buf[LINE_MAX_LEN];
	struct line l = {.buf = buf};

	while (in.n)
		segment(&l, &in);
	return 0;
}
