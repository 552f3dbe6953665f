/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload_match.c
 *
 * FACT: the rules' filter program (xt_bpf) matches exactly the TCP packets with
 * at least one byte of payload, whatever the byte, and whatever IP and TCP
 * options come before it. The u32 test that looks the same,
 * 0>>22&0x3C@12>>26&0x3C@0>>24=0:255, misses payloads of 1, 2 and 3 bytes.
 *
 * Source: net/netfilter/xt_u32.c u32_match_it(), which loads four bytes and
 * does not match where they end beyond the packet; a load beyond the packet
 * ends a classic BPF program with 0 (Documentation/networking/filter.rst).
 *
 * Does: sends made-up packets and after each one a marker that every rule
 * matches; what is queued before the marker was matched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "platform.h"

enum { MARKER_PORT = 9999, PORT = 21 };

#define RULES_BPF "*mangle\n-A PREROUTING -p tcp " HAS_PAYLOAD "-j NFQUEUE --queue-num 21\nCOMMIT\n"
#define RULES_U32                                                                                  \
	"*mangle\n-A PREROUTING -p tcp -m u32 --u32 0>>22&0x3C@12>>26&0x3C@0>>24=0:255 "           \
	"-j NFQUEUE --queue-num 22\nCOMMIT\n"

struct shape {
	const char *name;
	unsigned int ip_words, tcp_words; /* header lengths in words of 4 bytes */
	size_t len;                       /* of the payload */
	uint8_t byte, flags;
};

static const struct shape pure[] = {
	{"ACK", 5, 5, 0, 0, TH_ACK},
	{"ACK, TCP options", 5, 8, 0, 0, TH_ACK},
	{"ACK, most TCP options", 5, 15, 0, 0, TH_ACK},
	{"ACK, IP options", 6, 5, 0, 0, TH_ACK},
	{"SYN", 5, 10, 0, 0, TH_SYN},
	{"FIN", 5, 8, 0, 0, TH_FIN | TH_ACK},
	{"RST", 5, 5, 0, 0, TH_RST},
	{0},
};

static const struct shape loaded[] = {
	{"4 bytes of 0x00", 5, 5, 4, 0x00, TH_ACK},
	{"4 bytes of 0xff", 5, 5, 4, 0xff, TH_ACK},
	{"5 bytes, IP and TCP options", 7, 11, 5, 'x', TH_ACK},
	{"1000 bytes", 5, 8, 1000, 'x', TH_ACK | TH_PUSH},
	{0},
};

static const struct shape short_ones[] = {
	{"1 byte of 0x00", 5, 5, 1, 0x00, TH_ACK},
	{"1 byte of 0xff", 5, 5, 1, 0xff, TH_ACK},
	{"2 bytes, TCP options", 5, 8, 2, 'x', TH_ACK},
	{"3 bytes, most options", 15, 15, 3, 'x', TH_ACK},
	{"1 byte with FIN, IP options", 6, 5, 1, 'x', TH_FIN | TH_ACK},
	{0},
};

struct bench {
	int raw;
	struct queue bpf, u32;
};

static void send_shape(const struct bench *b, const struct shape *s, uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = ep(PUBLIC, 0).addr};
	const struct iphdr ip = {.version = 4,
		.ihl = s->ip_words & 15U,
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = ep(CLIENT, 0).addr,
		.daddr = to.sin_addr.s_addr};
	const struct tcphdr tcp = {.th_sport = htons(port),
		.th_dport = htons(PORT),
		.th_off = s->tcp_words & 15U,
		.th_flags = s->flags,
		.th_win = 1000};
	struct packet p = {.len = 0};
	uint8_t payload[1000];

	memset(p.data, IPOPT_NOP, 2 * 60); /* which is also TCP's */
	memcpy(p.data, &ip, sizeof(ip));
	memcpy(p.data + s->ip_words * 4, &tcp, sizeof(tcp));
	memset(payload, s->byte, sizeof(payload));
	packet_set_payload(&p, payload, s->len);
	if (sendto(b->raw, p.data, p.len, 0, (const void *)&to, sizeof(to)) < 0)
		broken("%s: %s", s->name, strerror(errno));
}

/* Was anything queued before the marker? */
static bool matched(struct queue *q)
{
	bool any = false;
	struct packet p;

	for (int i = 0; i < 4; i++) {
		if (!queue_next(q, &p, DEADLINE_MS))
			break;
		queue_accept(q, &p);
		if (packet_src(&p).port == MARKER_PORT)
			return any;
		any = true;
	}
	broken("the marker did not come");
}

/* @shapes ends with a shape without a name. */
static void expect_of(
	struct bench *b, struct queue *q, const struct shape *shapes, bool want, const char *rule)
{
	const struct shape marker = {"marker", 5, 5, 8, 'm', TH_ACK};

	for (const struct shape *s = shapes; s->name; s++) {
		send_shape(b, s, 1000);
		send_shape(b, &marker, MARKER_PORT);
		check(matched(q) == want, "%s %s %s", rule, want ? "matches" : "does not match",
			s->name);
	}
}

static void run_bpf(struct bench *b)
{
	rules(RULES_BPF);
	expect_of(b, &b->bpf, pure, false, "bpf");
	expect_of(b, &b->bpf, loaded, true, "bpf");
	expect_of(b, &b->bpf, short_ones, true, "bpf");
	run("iptables -t mangle -F");
}

static void run_u32(struct bench *b)
{
	rules(RULES_U32);
	expect_of(b, &b->u32, pure, false, "u32");
	expect_of(b, &b->u32, loaded, true, "u32");
	expect_of(b, &b->u32, short_ones, false, "u32");
}

int main(void)
{
	struct lab lab;
	struct bench b;

	begin();
	lab_up(&lab);
	queue_must_open(&b.bpf, QUEUE);
	queue_must_open(&b.u32, QUEUE + 1);
	netns_enter(lab.client);
	b.raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (b.raw < 0)
		broken("raw socket: %s", strerror(errno));
	netns_enter(lab.router);
	run_bpf(&b);
	run_u32(&b);
	return finish();
}
