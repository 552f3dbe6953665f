/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seg.c - the bytes of a packet, seen as a TCP segment
 *
 * What comes in is what NFQUEUE hands over: a packet that begins with its IP header, defragmented by
 * conntrack, with a checksum that may not be filled in yet. What goes out has exact lengths and full
 * checksums: since June 2026 the kernel refuses a replaced packet whose IP header or length is not in order.
 * Not done here: IPv6 (its header walk belongs into seg_parse(), the rest is common).
 */
#include "pasvd/seg.h"

#include <string.h>

#include "bytes.h"

enum {
	IP_LEN_MIN = 20,
	IP_TOTAL = 2,
	IP_FRAGMENT = 6,
	IP_PROTOCOL = 9,
	IP_CHECKSUM = 10,
	IP_SRC = 12,
	IP_DST = 16,
	IP_FRAGMENT_MASK = 0x3fff, /* more fragments, offset */
	IP_TCP = 6,
	IP_PACKET_MAX = 65535,
	TCP_LEN_MIN = 20,
	TCP_SRC = 0,
	TCP_DST = 2,
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFFSET = 12,
	TCP_FLAGS = 13,
	TCP_CHECKSUM = 16,
};

/* Length of the IPv4 header if the `n` bytes are one whole packet with TCP in it, else 0. */
static size_t ip_header(const uint8_t *p, size_t n)
{
	size_t len;

	if (n < IP_LEN_MIN || p[0] >> 4 != 4)
		return 0;
	len = (size_t)(p[0] & 15) * 4;
	if (len < IP_LEN_MIN || get_be16(p + IP_TOTAL) != n || len > n)
		return 0;
	if (p[IP_PROTOCOL] != IP_TCP || get_be16(p + IP_FRAGMENT) & IP_FRAGMENT_MASK)
		return 0;
	return len;
}

/* Length of the TCP header at the start of `n` bytes, or 0. */
static size_t tcp_header(const uint8_t *tcp, size_t n)
{
	size_t len;

	if (n < TCP_LEN_MIN)
		return 0;
	len = (size_t)(tcp[TCP_OFFSET] >> 4) * 4;
	return len < TCP_LEN_MIN || len > n ? 0 : len;
}

static struct endpoint endpoint_at(const uint8_t *addr, const uint8_t *port)
{
	return (struct endpoint){addr_ip4(addr), get_be16(port)};
}

int seg_parse(const uint8_t *p, size_t n, struct seg *ret_seg)
{
	size_t ip_len = ip_header(p, n), tcp_len;
	const uint8_t *tcp = p + ip_len;

	if (!ip_len)
		return -1;
	tcp_len = tcp_header(tcp, n - ip_len);
	if (!tcp_len)
		return -1;
	*ret_seg = (struct seg){
		.tuple.src = endpoint_at(p + IP_SRC, tcp + TCP_SRC),
		.tuple.dst = endpoint_at(p + IP_DST, tcp + TCP_DST),
		.seq = get_be32(tcp + TCP_SEQ),
		.ack = get_be32(tcp + TCP_ACK),
		.flags = tcp[TCP_FLAGS],
		.tcp = (uint16_t)ip_len,
		.payload = (uint16_t)(ip_len + tcp_len),
		.payload_len = (uint16_t)(n - ip_len - tcp_len),
	};
	return 0;
}

int seg_splice(
	struct seg *seg, uint8_t *p, size_t cap, size_t at, size_t cut, const uint8_t *text, size_t len)
{
	uint8_t *payload = p + seg->payload;
	size_t new_len = seg->payload_len - cut + len;

	if (seg->payload + new_len > cap || seg->payload + new_len > IP_PACKET_MAX)
		return -1;
	memmove(payload + at + len, payload + at + cut, seg->payload_len - at - cut);
	if (len)
		memcpy(payload + at, text, len);
	seg->payload_len = (uint16_t)new_len;
	return 0;
}

/* RFC 1071: the sum of 16-bit words, not yet folded; a last odd byte is padded with zero. */
static uint32_t sum(const uint8_t *p, size_t n, uint32_t acc)
{
	for (; n > 1; n -= 2, p += 2)
		acc += get_be16(p);
	return n ? acc + (uint32_t)(p[0] << 8) : acc;
}

static uint16_t fold(uint32_t acc)
{
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	return (uint16_t)~acc;
}

static void seal_ip(uint8_t *p, size_t ip_len, size_t total)
{
	put_be16(p + IP_TOTAL, (uint16_t)total);
	put_be16(p + IP_CHECKSUM, 0);
	put_be16(p + IP_CHECKSUM, fold(sum(p, ip_len, 0)));
}

/* RFC 9293 section 3.1: the pseudo-header is both addresses, the protocol and the TCP length. */
static void seal_tcp(uint8_t *p, uint8_t *tcp, size_t tcp_len)
{
	uint32_t pseudo = sum(p + IP_SRC, 2 * ADDR_IP4_LEN, IP_TCP + (uint32_t)tcp_len);

	put_be16(tcp + TCP_CHECKSUM, 0);
	put_be16(tcp + TCP_CHECKSUM, fold(sum(tcp, tcp_len, pseudo)));
}

size_t seg_seal(const struct seg *seg, uint8_t *p)
{
	size_t total = (size_t)seg->payload + seg->payload_len;
	uint8_t *tcp = p + seg->tcp;

	put_be32(tcp + TCP_SEQ, seg->seq);
	tcp[TCP_FLAGS] = seg->flags;
	seal_ip(p, seg->tcp, total);
	seal_tcp(p, tcp, total - seg->tcp);
	return total;
}
