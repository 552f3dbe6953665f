/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mangle_exact_ip_length.c
 *
 * FACT: a verdict may bring a longer, a shorter or an equally long packet, and
 * it goes on as it is if its IP length is exactly the packet's. What becomes
 * of one whose IP length is wrong depends on the kernel's version: shown, not
 * asserted.
 *
 * Source: net/netfilter/nfnetlink_queue.c nfqnl_mangle(); since June 2026 the
 * new headers are checked there.
 *
 * Does: made-up packets (TCP connections would repair things by themselves)
 * from the client through PREROUTING; looks at what reaches the server. Behind
 * each comes a marker, so that a packet that is lost is known to be lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "pasvd/array.h"

#include "platform.h"

enum { PAYLOAD = 100, MARKER_PORT = 9999 };

#define RULES_ALL "*raw\n-A PREROUTING -i wan -p tcp -j NFQUEUE --queue-num 21\nCOMMIT\n"

struct change {
	const char *name;
	size_t len;  /* of the new payload */
	int off_by;  /* what the IP length is wrong by */
	bool intact; /* asserted to arrive */
};

static const struct change changes[] = {
	{"as long", PAYLOAD, 0, true},
	{"longer", PAYLOAD + 15, 0, true},
	{"much longer", PAYLOAD + 1200, 0, true},
	{"shorter", PAYLOAD - 15, 0, true},
	{"1 byte", 1, 0, true},
	{"empty", 0, 0, true},
	{"IP length too small", PAYLOAD, -4, false},
	{"IP length too large", PAYLOAD, 4, false},
};

struct bench {
	int raw, capture;
	struct queue q;
};

static void send_packet(struct bench *b, uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = ep(SERVER, 0).addr};
	const struct iphdr ip = {.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = ep(CLIENT, 0).addr,
		.daddr = to.sin_addr.s_addr};
	const struct tcphdr tcp = {.th_sport = htons(port),
		.th_dport = htons(21),
		.th_off = 5,
		.th_flags = TH_ACK,
		.th_win = 1000};
	uint8_t payload[PAYLOAD];
	struct packet p;

	memset(payload, 'a', sizeof(payload));
	memcpy(p.data, &ip, sizeof(ip));
	memcpy(p.data + sizeof(ip), &tcp, sizeof(tcp));
	packet_set_payload(&p, payload, sizeof(payload));
	if (sendto(b->raw, p.data, p.len, 0, (const void *)&to, sizeof(to)) < 0)
		broken("raw packet: %s", strerror(errno));
}

static struct packet from_queue(struct bench *b)
{
	struct packet p;

	if (!queue_next(&b->q, &p, DEADLINE_MS))
		broken("nothing in the queue");
	return p;
}

static void make(struct packet *p, const struct change *c)
{
	uint8_t payload[2 * PAYLOAD + 1200];
	uint16_t be;

	memset(payload, 'b', sizeof(payload));
	packet_set_payload(p, payload, c->len);
	be = htons((uint16_t)((int)p->len + c->off_by));
	memcpy(p->data + offsetof(struct iphdr, tot_len), &be, sizeof(be));
	packet_checksum(p);
}

/* What reached the server before the marker did; false if nothing. */
static bool arrived(struct bench *b, struct packet *ret_p)
{
	struct packet p;
	bool any = false;

	for (int i = 0; i < 4 && capture_next(b->capture, &p, DEADLINE_MS); i++) {
		if (packet_src(&p).port == MARKER_PORT)
			return any;
		*ret_p = p;
		any = true;
	}
	broken("the marker did not arrive");
}

static bool goes_through(struct bench *b, const struct change *c, int *ret_err)
{
	struct packet p, marker, got;

	send_packet(b, 1000);
	p = from_queue(b);
	make(&p, c);
	*ret_err = queue_replace_acked(&b->q, &p);
	send_packet(b, MARKER_PORT);
	marker = from_queue(b);
	queue_accept(&b->q, &marker);
	if (!arrived(b, &got))
		return false;
	return got.len == p.len && memcmp(packet_payload(&got), packet_payload(&p), c->len) == 0;
}

static void try(struct bench *b, const struct change *c)
{
	int err;
	bool through = goes_through(b, c, &err);

	if (c->intact)
		check(through && err == 0, "%s: arrives as the verdict had it", c->name);
	else
		note("%s: verdict %s, packet %s", c->name, err ? strerror(-err) : "accepted",
			through ? "arrives so" : "does not arrive so");
}

int main(void)
{
	struct lab lab;
	struct bench b;

	begin();
	lab_up(&lab);
	rules(RULES_ALL);
	queue_must_open(&b.q, QUEUE);
	netns_enter(lab.client);
	b.raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (b.raw < 0)
		broken("raw socket: %s", strerror(errno));
	netns_enter(lab.server);
	b.capture = capture_open("eth0");
	netns_enter(lab.router);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		try(&b, &changes[i]);
	return finish();
}
