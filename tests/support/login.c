/* SPDX-License-Identifier: GPL-2.0-or-later */
/* login.c - what comes first on a control connection */
#include "login.h"

#include <assert.h>
#include <string.h>

#include "pasvd/array.h"

#include "packet.h"

static const struct {
	enum dir dir;
	const char *text;
} lines[] = {
	{DIR_REPLY, "220 ready\r\n"},
	{DIR_ORIGINAL, "USER u\r\n"},
	{DIR_REPLY, "331 password\r\n"},
	{DIR_ORIGINAL, "PASS p\r\n"},
	{DIR_REPLY, "230 in\r\n"},
};

void take_mark(struct engine *h, const struct verdict *v)
{
	if (v->mark_mask)
		h->ct.mark(h->ct.ctx, &v->view.tuple[DIR_ORIGINAL], v->mark, v->mark_mask);
}

struct verdict say_on(struct engine *h, const struct fake_conn *c, uint32_t seq[2], enum dir dir,
	const char *text, uint64_t now)
{
	uint8_t buf[2048];
	const struct packet_spec spec = {
		.tuple = c->view.tuple[dir],
		.seq = seq[dir],
		.ack = seq[!dir],
		.flags = SEG_ACK | SEG_PSH,
		.payload = text,
		.len = strlen(text),
	};
	struct packet packet = {.p = buf, .len = packet_build(&spec, buf), .cap = sizeof(buf)};
	struct verdict v;

	seq[dir] += (uint32_t)spec.len;
	engine_packet(h, &packet, now, &v);
	take_mark(h, &v);
	return v;
}

void login(struct engine *h, const struct fake_conn *c, const uint32_t seq[2], uint64_t now)
{
	uint32_t at[2] = {seq[0], seq[1]};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		at[lines[i].dir] -= (uint32_t)strlen(lines[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct verdict v = say_on(h, c, at, lines[i].dir, lines[i].text, now);

		assert(v.action == ACTION_PASS);
		(void)v;
	}
	memset(h->count, 0, sizeof(h->count));
}
