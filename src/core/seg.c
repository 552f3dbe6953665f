/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seg.c - the bytes of a packet, seen as a TCP segment
 *
 * What comes in is what NFQUEUE hands over: a packet that begins with its IP header, defragmented
 * by conntrack, with a checksum that may not be filled in yet. What goes out has exact lengths and
 * full checksums: since June 2026 the kernel refuses a replaced packet whose IP header or length is
 * not in order. IPv6 extension headers are skipped as the kernel skips them (ipv6_skip_exthdr()),
 * however many there are: whatever conntrack and the receiver read as TCP is read here. Not done
 * here: fragments that are not the whole packet, jumbograms (RFC 2675), encryption (RFC 4303).
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
	IP_FRAGMENT_MASK = 0x3fff, /* more fragments, offset */
	IP_TCP = 6,
	IP_PACKET_MAX = 65535,
	IP6_LEN = 40,
	IP6_PAYLOAD = 4,
	IP6_NEXT = 6,
	IP6_SRC = 8,
	IP6_EXTENSION_MIN = 8,
	IP6_FRAGMENT = 2,           /* offset and flag in a fragment header */
	IP6_FRAGMENT_MASK = 0xfff9, /* offset, more fragments */
	TCP_LEN_MIN = 20,
	TCP_SRC = 0,
	TCP_DST = 2,
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFFSET = 12,
	TCP_FLAGS = 13,
	TCP_CHECKSUM = 16,
	TCP_URGENT = 18,
};

/* Length of the IPv4 header if the `n` bytes are one whole packet with TCP in it, else 0. */
static size_t seg_ip4_header(const uint8_t *p, size_t n)
{
	size_t len;

	if (n < IP_LEN_MIN)
		return 0;
	len = (size_t)(p[0] & 15) * 4;
	if (len < IP_LEN_MIN || get_be16(p + IP_TOTAL) != n || len > n)
		return 0;
	if (p[IP_PROTOCOL] != IP_TCP || get_be16(p + IP_FRAGMENT) & IP_FRAGMENT_MASK)
		return 0;
	return len;
}

/* RFC 8200 section 4: hop-by-hop options, routing and destination options, which are laid out
 * alike; a fragment header, whose second byte is reserved; and RFC 4302. */
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60 };

static bool is_extension(uint8_t next)
{
	return next == HOP_BY_HOP || next == ROUTING || next == FRAGMENT ||
	       next == AUTHENTICATION || next == DESTINATION;
}

/* Length of the extension header at the start of `n` bytes; 0: it is not whole, or belongs to a
 * part of a packet. A fragment that is the whole packet (RFC 6946) goes through conntrack as it
 * is. */
static size_t seg_extension_len(uint8_t type, const uint8_t *p, size_t n)
{
	size_t len;

	if (n < IP6_EXTENSION_MIN)
		return 0;
	if (type == FRAGMENT)
		return get_be16(p + IP6_FRAGMENT) & IP6_FRAGMENT_MASK ? 0 : IP6_EXTENSION_MIN;
	len = type == AUTHENTICATION ? ((size_t)p[1] + 2) * 4 : ((size_t)p[1] + 1) * 8;
	return len > n ? 0 : len;
}

/* Length of the IPv6 header with its extension headers, likewise. */
static size_t seg_ip6_header(const uint8_t *p, size_t n)
{
	size_t len = IP6_LEN, extension;
	uint8_t next;

	if (n < IP6_LEN || get_be16(p + IP6_PAYLOAD) != n - IP6_LEN)
		return 0;
	next = p[IP6_NEXT];
	while (is_extension(next)) {
		extension = seg_extension_len(next, p + len, n - len);
		if (!extension)
			return 0;
		next = p[len];
		len += extension;
	}
	return next == IP_TCP ? len : 0;
}

static bool seg_is_ip6(const uint8_t *p)
{
	return p[0] >> 4 == 6;
}

static size_t seg_ip_header(const uint8_t *p, size_t n)
{
	if (n == 0 || n > IP_PACKET_MAX)
		return 0;
	if (seg_is_ip6(p))
		return seg_ip6_header(p, n);
	return p[0] >> 4 == 4 ? seg_ip4_header(p, n) : 0;
}

/* Length of the TCP header at the start of `n` bytes, or 0. */
static size_t seg_tcp_header(const uint8_t *tcp, size_t n)
{
	size_t len;

	if (n < TCP_LEN_MIN)
		return 0;
	len = (size_t)(tcp[TCP_OFFSET] >> 4) * 4;
	return len < TCP_LEN_MIN || len > n ? 0 : len;
}

static struct tuple seg_tuple(const uint8_t *p, const uint8_t *tcp)
{
	struct tuple t = {.src.port = get_be16(tcp + TCP_SRC), .dst.port = get_be16(tcp + TCP_DST)};

	if (seg_is_ip6(p)) {
		t.src.addr = addr_ip6(p + IP6_SRC);
		t.dst.addr = addr_ip6(p + IP6_SRC + ADDR_IP6_LEN);
	} else {
		t.src.addr = addr_ip4(p + IP_SRC);
		t.dst.addr = addr_ip4(p + IP_SRC + ADDR_IP4_LEN);
	}
	return t;
}

int seg_parse(const uint8_t *p, size_t n, struct seg *ret_seg)
{
	size_t ip_len = seg_ip_header(p, n), tcp_len;
	const uint8_t *tcp = p + ip_len;

	if (!ip_len)
		return -1;
	tcp_len = seg_tcp_header(tcp, n - ip_len);
	if (!tcp_len)
		return -1;
	*ret_seg = (struct seg){
		.tuple = seg_tuple(p, tcp),
		.seq = get_be32(tcp + TCP_SEQ),
		.ack = get_be32(tcp + TCP_ACK),
		.flags = tcp[TCP_FLAGS],
		.urgent = get_be16(tcp + TCP_URGENT),
		.tcp = (uint16_t)ip_len,
		.payload = (uint16_t)(ip_len + tcp_len),
		.payload_len = (uint16_t)(n - ip_len - tcp_len),
	};
	return 0;
}

bool seg_has_extensions(const struct seg *seg)
{
	return seg->tuple.src.addr.family == ADDR_IP6 && seg->tcp != IP6_LEN;
}

int seg_splice(struct seg *seg, uint8_t *p, size_t cap, size_t at, size_t cut, const uint8_t *text,
	size_t len)
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
static uint32_t checksum_sum(const uint8_t *p, size_t n, uint32_t acc)
{
	for (; n > 1; n -= 2, p += 2)
		acc += get_be16(p);
	return n ? acc + (uint32_t)(p[0] << 8) : acc;
}

static uint16_t checksum_fold(uint32_t acc)
{
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	return (uint16_t)~acc;
}

static void seg_seal_ip(uint8_t *p, size_t ip_len, size_t total)
{
	if (seg_is_ip6(p)) {
		put_be16(p + IP6_PAYLOAD, (uint16_t)(total - IP6_LEN));
		return;
	}
	put_be16(p + IP_TOTAL, (uint16_t)total);
	put_be16(p + IP_CHECKSUM, 0);
	put_be16(p + IP_CHECKSUM, checksum_fold(checksum_sum(p, ip_len, 0)));
}

/* RFC 9293 section 3.1: the pseudo-header is both addresses, the protocol and the TCP length. */
static uint16_t seg_tcp_checksum(const uint8_t *p, const uint8_t *tcp, size_t tcp_len)
{
	const uint8_t *addresses = p + (seg_is_ip6(p) ? IP6_SRC : IP_SRC);
	size_t len = seg_is_ip6(p) ? 2 * ADDR_IP6_LEN : 2 * ADDR_IP4_LEN;
	uint32_t pseudo = checksum_sum(addresses, len, IP_TCP + (uint32_t)tcp_len);

	return checksum_fold(checksum_sum(tcp, tcp_len, pseudo));
}

bool seg_is_sound(const struct seg *seg, const uint8_t *p)
{
	size_t len = (size_t)seg->payload - seg->tcp + seg->payload_len;

	return seg_tcp_checksum(p, p + seg->tcp, len) == 0;
}

size_t seg_seal(const struct seg *seg, uint8_t *p)
{
	size_t total = (size_t)seg->payload + seg->payload_len;
	uint8_t *tcp = p + seg->tcp;

	put_be32(tcp + TCP_SEQ, seg->seq);
	tcp[TCP_FLAGS] = seg->flags;
	put_be16(tcp + TCP_URGENT, seg->urgent);
	seg_seal_ip(p, seg->tcp, total);
	put_be16(tcp + TCP_CHECKSUM, 0);
	put_be16(tcp + TCP_CHECKSUM, seg_tcp_checksum(p, tcp, total - seg->tcp));
	return total;
}
