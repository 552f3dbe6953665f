/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sane_request.c
 *
 * FACT: the helper `sane` acts on one thing: a segment of the client with
 * exactly 8 bytes of payload that begins 00 00 00 07, if the next segment with
 * payload of the server has at least 8 bytes and begins with six zero bytes.
 * It then expects the client at the port in bytes 7 and 8. A request of
 * another length, or one whose first four bytes differ, does nothing, and a
 * second 8-byte request that is not of that form calls the first one off. So
 * it is enough to let no such 8-byte segment of a client pass.
 *
 * Source: net/netfilter/nf_conntrack_sane.c help().
 */
#include <string.h>

#include "pasvd/array.h"

#include "platform.h"

enum { PORT = 50000 };

static const uint8_t good_reply[8] = {0, 0, 0, 0, 0, 0, PORT >> 8, PORT & 0xff};

/* What the client sends in one or two segments, and what the server answers. */
struct dialogue {
	const char *name;
	struct {
		size_t len;
		const char *bytes;
	} request, second, reply;
	int expectations;
};

#define REQUEST "\0\0\0\7abcd"

static const struct dialogue dialogues[] = {
	{"request and reply", {8, REQUEST}, {0, ""}, {8, (const char *)good_reply}, 1},
	{"any handle", {8, "\0\0\0\7\0\0\0\0"}, {0, ""}, {8, (const char *)good_reply}, 1},
	{"9 bytes", {9, REQUEST "e"}, {0, ""}, {8, (const char *)good_reply}, 0},
	{"7 bytes", {7, REQUEST}, {0, ""}, {8, (const char *)good_reply}, 0},
	{"split in two", {4, REQUEST}, {4, "abcd"}, {8, (const char *)good_reply}, 0},
	{"another code", {8, "\0\0\0\6abcd"}, {0, ""}, {8, (const char *)good_reply}, 0},
	{"a longer command between", {8, REQUEST}, {10, "RETR file\n"},
		{8, (const char *)good_reply}, 1},
	{"an 8-byte command between", {8, REQUEST}, {8, "RETR f\r\n"},
		{8, (const char *)good_reply}, 0},
	{"reply of 7 bytes", {8, REQUEST}, {0, ""}, {7, (const char *)good_reply}, 0},
	{"text as a reply", {8, REQUEST}, {0, ""}, {10, "500 What?\n"}, 0},
	{"status not zero", {8, REQUEST}, {0, ""}, {8, "\0\0\0\1\0\0\xc3\x50"}, 0},
};

static void pass(int from, int to, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	tcp_send(from, bytes, len);
	if (!tcp_expect(to, bytes, len))
		broken("bytes did not arrive");
}

static void hold(
	const struct lab *lab, struct mnl_socket *nl, const struct dialogue *d, int listener)
{
	struct control ctl = {.listener = listener};
	struct expect_view view;
	int count;

	control_again(lab, &ctl, &ctl);
	run("conntrack -F expect 2>/dev/null");
	pass(ctl.client, ctl.server, d->request.bytes, d->request.len);
	pass(ctl.client, ctl.server, d->second.bytes, d->second.len);
	pass(ctl.server, ctl.client, d->reply.bytes, d->reply.len);
	count = expect_list(nl, &view);
	check(count == d->expectations, "%s: %d expectation%s", d->name, count,
		count == 1 ? "" : "s");
	if (count == 1)
		check(endpoint_eq(view.tuple.dst, ep(PUBLIC, PORT)), "for the port in the reply");
}

int main(void)
{
	struct lab lab;
	struct mnl_socket *nl;
	int listener;

	begin();
	lab_up(&lab);
	rules(RULES_HELPER RULES_DNAT);
	nl = nl_open();
	listener = tcp_listen(lab.server, ep(SERVER, 21));
	for (size_t i = 0; i < ARRAY_SIZE(dialogues); i++)
		hold(&lab, nl, &dialogues[i], listener);
	return finish();
}
