/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.c - whole IPv4/TCP packets as the queue hands them over
 *
 * The packets come from sockets of the programs themselves, so lengths are
 * trusted here: this is no model for code that meets the outside world.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <libnetfilter_queue/libnetfilter_queue_ipv4.h>
#include <libnetfilter_queue/libnetfilter_queue_tcp.h>

#include "platform.h"

static struct iphdr ip_of(const struct packet *p)
{
	struct iphdr ip;

	memcpy(&ip, p->data, sizeof(ip));
	return ip;
}

static size_t tcp_at(const struct packet *p)
{
	return ip_of(p).ihl * 4U;
}

static struct tcphdr tcp_of(const struct packet *p)
{
	struct tcphdr tcp;

	memcpy(&tcp, p->data + tcp_at(p), sizeof(tcp));
	return tcp;
}

static size_t payload_at(const struct packet *p)
{
	return tcp_at(p) + tcp_of(p).th_off * 4U;
}

struct endpoint packet_src(const struct packet *p)
{
	return (struct endpoint){.addr = ip_of(p).saddr, .port = ntohs(tcp_of(p).th_sport)};
}

struct endpoint packet_dst(const struct packet *p)
{
	return (struct endpoint){.addr = ip_of(p).daddr, .port = ntohs(tcp_of(p).th_dport)};
}

uint32_t packet_seq(const struct packet *p)
{
	return ntohl(tcp_of(p).th_seq);
}

uint32_t packet_ack(const struct packet *p)
{
	return ntohl(tcp_of(p).th_ack);
}

void packet_set_seq(struct packet *p, uint32_t seq)
{
	uint32_t be = htonl(seq);

	memcpy(p->data + tcp_at(p) + offsetof(struct tcphdr, th_seq), &be, sizeof(be));
	packet_checksum(p);
}

size_t packet_payload_len(const struct packet *p)
{
	return p->len - payload_at(p);
}

const uint8_t *packet_payload(const struct packet *p)
{
	return p->data + payload_at(p);
}

void packet_checksum(struct packet *p)
{
	struct iphdr *ip = (void *)p->data;

	nfq_ip_set_checksum(ip);
	nfq_tcp_compute_checksum_ipv4((void *)(p->data + tcp_at(p)), ip);
}

void packet_set_payload(struct packet *p, const void *data, size_t len)
{
	size_t at = payload_at(p);
	uint16_t be;

	if (at + len > sizeof(p->data))
		broken("payload of %zu bytes", len);
	memcpy(p->data + at, data, len);
	p->len = at + len;
	be = htons((uint16_t)p->len);
	memcpy(p->data + offsetof(struct iphdr, tot_len), &be, sizeof(be));
	packet_checksum(p);
}

int capture_open(const char *ifname)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(ifname),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		broken("capture on %s: %s", ifname, strerror(errno));
	return fd;
}

bool capture_next(int fd, struct packet *ret_p, int ms)
{
	struct sockaddr_ll from = {0};

	for (int tries = 0; tries < 100 && readable(fd, ms); tries++) {
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, ret_p->data, sizeof(ret_p->data), 0,
			(struct sockaddr *)&from, &from_len);

		if (n < (ssize_t)(sizeof(struct iphdr) + sizeof(struct tcphdr)) ||
			from.sll_pkttype == PACKET_OUTGOING)
			continue;
		ret_p->len = ntohs(ip_of(ret_p).tot_len);
		if (ip_of(ret_p).protocol == IPPROTO_TCP)
			return true;
	}
	return false;
}
