/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_seg.c - packets: four bytes that say what to splice, then the packet */
#include "fuzz.h"
#include "guard.h"
#include "packet.h"
#include "pasvd/seg.h"

#include <string.h>

enum { ROOM = 32 };

static void check(const struct seg *seg, size_t n)
{
	REQUIRE(seg->tcp >= PACKET_IP_HEADER);
	REQUIRE(seg->payload >= seg->tcp + PACKET_TCP_HEADER);
	REQUIRE((size_t)seg->payload + seg->payload_len == n);
	REQUIRE(seg->tuple.src.addr.family == ADDR_IP4 || seg->tuple.src.addr.family == ADDR_IP6);
	REQUIRE(seg->tuple.src.addr.family == seg->tuple.dst.addr.family);
	REQUIRE(seg->tuple.zone == 0);
}

static void splice_and_seal(struct input *in, struct seg *seg, uint8_t *p, size_t cap)
{
	static const uint8_t text[ROOM] = "0123456789abcdef0123456789abcde";
	size_t at = take_number(in, 0, 255) % (seg->payload_len + 1u);
	size_t cut = take_number(in, 0, 255) % (seg->payload_len - at + 1);
	size_t len = take_number(in, 0, ROOM), was = seg->payload_len;
	struct seg again;

	REQUIRE(seg_splice(seg, p, cap, at, cut, text, len) == 0);
	REQUIRE(seg->payload_len == was - cut + len);
	REQUIRE(memcmp(p + seg->payload + at, text, len) == 0);
	seg->seq += 77;
	REQUIRE(seg_seal(seg, p) == (size_t)seg->payload + seg->payload_len);
	REQUIRE(packet_is_sound(p, (size_t)seg->payload + seg->payload_len));
	REQUIRE(seg_parse(p, (size_t)seg->payload + seg->payload_len, &again) == 0);
	REQUIRE(again.seq == seg->seq && again.flags == seg->flags &&
		tuple_eq(&again.tuple, &seg->tuple));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	const uint8_t *packet;
	struct input params;
	size_t n;
	struct seg seg;

	params.p = take_bytes(&in, 4, &params.n);
	packet = take_bytes(&in, 4096, &n);
	if (seg_parse(packet, n, &seg) == 0) {
		uint8_t *p = guard_copy(NULL, n + ROOM);

		memcpy(p, packet, n);
		check(&seg, n);
		splice_and_seal(&params, &seg, p, n + ROOM);
		guard_free(p, n + ROOM);
	}
	return 0;
}
