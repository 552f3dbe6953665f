/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_edit.c - edits of a stream, then segments out of it: their bytes must be those of the
 * receiver's stream */
#include "fake_ct.h"
#include "fuzz.h"
#include "guard.h"
#include "packet.h"
#include "pasvd/edit.h"

#include <string.h>

enum { STREAM = 1024, PIECE_MAX = 32, EDITS = 12, CAP = 2048 };

enum { HELD_FIRST = 1, CROSSED = 2 };

struct world {
	uint32_t isn;
	uint8_t sent[STREAM], want[2 * STREAM];
	size_t sent_len, want_len;
	size_t known; /* bytes of sent in front of the edits that are remembered */
	struct edits edits;
	struct fake_conn conn;
};

static void tell_kernel(struct world *w, const struct edit *e)
{
	if (edits_put(&w->edits, e))
		w->conn.view.seqadj[DIR_REPLY] = w->edits.kernel;
}

/* Some bytes that stay as they are. */
static void keep(struct world *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)('a' + w->sent_len % 26);

		w->sent[w->sent_len++] = byte;
		w->want[w->want_len++] = byte;
	}
}

static void change(struct world *w, size_t old_len, size_t new_len, bool held_first)
{
	struct edit e = {
		.seq = w->isn + (uint32_t)w->sent_len,
		.old_len = (uint16_t)old_len,
		.prev = w->sent[w->sent_len - 1],
	};

	for (size_t i = 0; i < old_len; i++)
		e.text[i] = w->sent[w->sent_len++] = '-';
	e.held = held_first;
	if (held_first)
		tell_kernel(w, &e);
	e.held = false;
	for (size_t i = 0; i < new_len; i++)
		e.text[i] = w->want[w->want_len++] = (uint8_t)('0' + i % 10);
	e.new_len = (uint16_t)new_len;
	tell_kernel(w, &e);
}

static void cross(struct world *w, size_t len)
{
	struct edit e = {
		.seq = w->isn + (uint32_t)w->sent_len,
		.old_len = (uint16_t)len,
		.new_len = (uint16_t)len,
		.masked = true,
	};

	for (size_t i = 0; i < len; i++) {
		w->sent[w->sent_len++] = '-';
		w->want[w->want_len++] = 'X';
	}
	tell_kernel(w, &e);
}

static void edit_stream(struct world *w, struct input *in)
{
	size_t at[EDITS], n = take_number(in, 0, EDITS);

	for (size_t i = 0; i < n; i++) {
		size_t old_len, new_len;
		uint8_t how;

		keep(w, take_number(in, 1, PIECE_MAX));
		at[i] = w->sent_len;
		old_len = take_number(in, 1, PIECE_MAX);
		new_len = take_number(in, 1, PIECE_MAX);
		how = take_byte(in);
		if (how & CROSSED)
			cross(w, old_len);
		else
			change(w, old_len, new_len, how & HELD_FIRST);
	}
	keep(w, take_number(in, 1, PIECE_MAX));
	if (n > EDITS_MAX)
		w->known = at[n - EDITS_MAX];
}

static void check_arrival(struct world *w, uint8_t *p, size_t n)
{
	size_t header = packet_header_len(p), at;

	REQUIRE(packet_is_sound(p, n));
	fake_ct_adjust(&w->conn, DIR_REPLY, p, n);
	at = (uint32_t)(packet_seq(p) - w->isn);
	REQUIRE(n > header && at + n - header <= w->want_len);
	REQUIRE(memcmp(p + header, w->want + at, n - header) == 0);
}

static void segment(struct world *w, struct input *in, uint8_t *p)
{
	size_t from = w->known + take_number(in, 0, 255) % (w->sent_len - w->known);
	size_t len = 1 + take_number(in, 0, 255) % (w->sent_len - from);
	struct packet_spec spec = {
		.tuple = {packet_endpoint("10.0.0.2:21"), packet_endpoint("198.51.100.2:40000"), 0},
		.seq = w->isn + (uint32_t)from,
		.flags = SEG_ACK,
		.payload = w->sent + from,
		.len = len,
	};
	size_t n = packet_build(&spec, p);
	struct seg seg;
	long rc;

	REQUIRE(seg_parse(p, n, &seg) == 0);
	rc = edits_apply(&w->edits, &seg, p, CAP);
	REQUIRE(rc >= 0);
	check_arrival(w, p, rc ? (size_t)rc : n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct seqadj none;
	struct input in = {data, size};
	uint8_t *p = guard_copy(NULL, CAP);
	struct world w = {0};

	w.isn = 0u - (uint32_t)take_byte(&in);
	edits_init(&w.edits, &none);
	edit_stream(&w, &in);
	REQUIRE(fake_ct_ack(&w.conn, DIR_REPLY, w.isn + (uint32_t)w.want_len) ==
		w.isn + (uint32_t)w.sent_len);
	while (in.n)
		segment(&w, &in, p);
	guard_free(p, CAP);
	return 0;
}
