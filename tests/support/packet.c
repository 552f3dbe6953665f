/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - builds and reads TCP segments over IPv4 and IPv6, for tests
 *
 * RFC 791 section 3.1, RFC 8200 sections 3, 4 and 8.1, RFC 9293 section 3.1, RFC 1071 (checksum),
 * RFC 7323 section 3.2 (timestamps).
 */
#include "packet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	IP4_TOTAL_LENGTH = 2,
	IP4_TIME_TO_LIVE = 8,
	IP4_PROTOCOL = 9,
	IP4_CHECKSUM = 10,
	IP4_SOURCE = 12,
	IP4_DESTINATION = 16,
	IP6_PAYLOAD_LENGTH = 4,
	IP6_NEXT_HEADER = 6,
	IP6_HOP_LIMIT = 7,
	IP6_SOURCE = 8,
	IP6_DESTINATION = 24,
	IP6_EXTENSION = 8, /* bytes of the shortest extension header */
	IP6_FRAGMENT = 2,  /* offset and flag in a fragment header */
	IP6_FRAGMENT_MASK = 0xfff9,
	TCP_SOURCE = 0,
	TCP_DESTINATION = 2,
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFFSET = 12,
	TCP_FLAGS = 13,
	TCP_WINDOW = 14,
	TCP_CHECKSUM = 16,
	TCP_URGENT = 18,
	PROTOCOL_TCP = 6,
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTHENTICATION = 51,
	DESTINATION = 60
};

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t sum(uint32_t start, const uint8_t *p, size_t n)
{
	uint32_t s = start;

	for (size_t i = 0; i + 1 < n; i += 2)
		s += get16(p + i);
	return n & 1 ? s + ((uint32_t)p[n - 1] << 8) : s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static bool is_ip6(const uint8_t *p)
{
	return p[0] >> 4 == 6;
}

/* Length of an extension header of that type, 0 if it is none (RFC 8200 section 4, RFC 4302 section
 * 2.2), or belongs to a part of a packet. */
static size_t extension_len(uint8_t type, const uint8_t *p)
{
	switch (type) {
	case HOP_BY_HOP:
	case ROUTING:
	case DESTINATION:
		return (p[1] + (size_t)1) * 8;
	case AUTHENTICATION:
		return (p[1] + (size_t)2) * 4;
	case FRAGMENT:
		return get16(p + IP6_FRAGMENT) & IP6_FRAGMENT_MASK ? 0 : IP6_EXTENSION;
	default:
		return 0;
	}
}

/* Where the TCP header begins in an IPv6 packet whose length is right, 0 if it has none. */
static size_t ip6_header_len(const uint8_t *p)
{
	size_t end = PACKET_IP6_HEADER + (size_t)get16(p + IP6_PAYLOAD_LENGTH),
	       at = PACKET_IP6_HEADER;
	uint8_t next = p[IP6_NEXT_HEADER];

	while (next != PROTOCOL_TCP) {
		size_t len = end - at < IP6_EXTENSION ? 0 : extension_len(next, p + at);

		if (!len || len > end - at)
			return 0;
		next = p[at];
		at += len;
	}
	return at;
}

static size_t ip_header_len(const uint8_t *p)
{
	return is_ip6(p) ? ip6_header_len(p) : (size_t)(p[0] & 0x0f) * 4;
}

size_t packet_header_len(const uint8_t *p)
{
	return ip_header_len(p) + (size_t)(p[ip_header_len(p) + TCP_OFFSET] >> 4) * 4;
}

/* 0 if the checksum in the packet is right. */
static uint16_t tcp_sum(const uint8_t *p, size_t n)
{
	size_t header = ip_header_len(p), len = n - header;
	const uint8_t *addresses = is_ip6(p) ? p + IP6_SOURCE : p + IP4_SOURCE;
	uint32_t pseudo = sum(PROTOCOL_TCP + (uint32_t)len, addresses, is_ip6(p) ? 32 : 8);

	return fold(sum(pseudo, p + header, len));
}

void packet_checksum(uint8_t *p, size_t n)
{
	uint8_t *tcp = p + ip_header_len(p);

	if (!is_ip6(p)) {
		put16(p + IP4_CHECKSUM, 0);
		put16(p + IP4_CHECKSUM, fold(sum(0, p, ip_header_len(p))));
	}
	put16(tcp + TCP_CHECKSUM, 0);
	put16(tcp + TCP_CHECKSUM, tcp_sum(p, n));
}

static void build_ip4(const struct packet_spec *spec, uint8_t *p, size_t total)
{
	memset(p, 0, PACKET_IP_HEADER);
	memset(p + PACKET_IP_HEADER, 1, spec->ip_options);
	p[0] = (uint8_t)(0x40 | (PACKET_IP_HEADER + spec->ip_options) / 4);
	put16(p + IP4_TOTAL_LENGTH, total);
	p[IP4_TIME_TO_LIVE] = 64;
	p[IP4_PROTOCOL] = PROTOCOL_TCP;
	memcpy(p + IP4_SOURCE, spec->tuple.src.addr.byte, ADDR_IP4_LEN);
	memcpy(p + IP4_DESTINATION, spec->tuple.dst.addr.byte, ADDR_IP4_LEN);
}

/* Hop-by-hop options, then destination options: each is filled with one PadN option. */
static void build_ip6(const struct packet_spec *spec, uint8_t *p, size_t total)
{
	static const uint8_t padding[IP6_EXTENSION - 2] = {1, 4};

	memset(p, 0, PACKET_IP6_HEADER);
	p[0] = 0x60;
	put16(p + IP6_PAYLOAD_LENGTH, total - PACKET_IP6_HEADER);
	p[IP6_NEXT_HEADER] = spec->extensions ? HOP_BY_HOP : PROTOCOL_TCP;
	p[IP6_HOP_LIMIT] = 64;
	memcpy(p + IP6_SOURCE, spec->tuple.src.addr.byte, ADDR_IP6_LEN);
	memcpy(p + IP6_DESTINATION, spec->tuple.dst.addr.byte, ADDR_IP6_LEN);
	p += PACKET_IP6_HEADER;
	for (size_t i = 0; i < spec->extensions; i++, p += IP6_EXTENSION) {
		p[0] = i + 1 < spec->extensions ? DESTINATION : PROTOCOL_TCP;
		p[1] = 0;
		memcpy(p + 2, padding, sizeof(padding));
	}
}

static size_t build_ip(const struct packet_spec *spec, uint8_t *p, size_t rest)
{
	size_t len;

	if (spec->tuple.src.addr.family == ADDR_IP6) {
		len = PACKET_IP6_HEADER + spec->extensions * IP6_EXTENSION;
		build_ip6(spec, p, len + rest);
	} else {
		len = PACKET_IP_HEADER + spec->ip_options;
		build_ip4(spec, p, len + rest);
	}
	return len;
}

static void build_tcp(const struct packet_spec *spec, uint8_t *p)
{
	static const uint8_t timestamps[] = {1, 1, 8, 10};

	memset(p, 0, PACKET_TCP_HEADER);
	memset(p + PACKET_TCP_HEADER, 1, spec->tcp_options);
	if (spec->tcp_options >= PACKET_TIMESTAMPS)
		memcpy(p + PACKET_TCP_HEADER, timestamps, sizeof(timestamps));
	put16(p + TCP_SOURCE, spec->tuple.src.port);
	put16(p + TCP_DESTINATION, spec->tuple.dst.port);
	put32(p + TCP_SEQ, spec->seq);
	put32(p + TCP_ACK, spec->ack);
	p[TCP_OFFSET] = (uint8_t)((PACKET_TCP_HEADER + spec->tcp_options) / 4 << 4);
	p[TCP_FLAGS] = spec->flags;
	put16(p + TCP_WINDOW, 65535);
	put16(p + TCP_URGENT, spec->urgent);
}

size_t packet_build(const struct packet_spec *spec, uint8_t *buf)
{
	size_t tcp_len = PACKET_TCP_HEADER + spec->tcp_options;
	size_t ip_len = build_ip(spec, buf, tcp_len + spec->len);
	size_t headers = ip_len + tcp_len;

	build_tcp(spec, buf + ip_len);
	if (spec->len)
		memcpy(buf + headers, spec->payload, spec->len);
	packet_checksum(buf, headers + spec->len);
	return headers + spec->len;
}

static bool is_ip4_sound(const uint8_t *p, size_t n)
{
	if (n < PACKET_IP_HEADER || p[0] >> 4 != 4 || p[IP4_PROTOCOL] != PROTOCOL_TCP)
		return false;
	if (get16(p + IP4_TOTAL_LENGTH) != n || ip_header_len(p) < PACKET_IP_HEADER ||
		ip_header_len(p) > n)
		return false;
	return fold(sum(0, p, ip_header_len(p))) == 0;
}

static bool is_ip6_sound(const uint8_t *p, size_t n)
{
	return n >= PACKET_IP6_HEADER &&
	       PACKET_IP6_HEADER + (size_t)get16(p + IP6_PAYLOAD_LENGTH) == n &&
	       ip6_header_len(p) > 0;
}

bool packet_is_sound(const uint8_t *p, size_t n)
{
	if (n == 0 || !(is_ip6(p) ? is_ip6_sound(p, n) : is_ip4_sound(p, n)))
		return false;
	if (ip_header_len(p) + PACKET_TCP_HEADER > n || packet_header_len(p) > n)
		return false;
	return tcp_sum(p, n) == 0;
}

uint32_t packet_seq(const uint8_t *p)
{
	return get32(p + ip_header_len(p) + TCP_SEQ);
}

uint32_t packet_ack(const uint8_t *p)
{
	return get32(p + ip_header_len(p) + TCP_ACK);
}

uint8_t packet_flags(const uint8_t *p)
{
	return p[ip_header_len(p) + TCP_FLAGS];
}

void packet_set_seq_ack(uint8_t *p, size_t n, uint32_t seq, uint32_t ack)
{
	put32(p + ip_header_len(p) + TCP_SEQ, seq);
	put32(p + ip_header_len(p) + TCP_ACK, ack);
	packet_checksum(p, n);
}

__attribute__((noreturn)) static void give_up(const char *what, const char *text)
{
	fprintf(stderr, "not an %s: %s\n", what, text);
	exit(2);
}

static bool read_addr(const char *text, struct addr *ret_addr)
{
	uint8_t byte[ADDR_IP6_LEN];

	if (inet_pton(AF_INET, text, byte) == 1)
		*ret_addr = addr_ip4(byte);
	else if (inet_pton(AF_INET6, text, byte) == 1)
		*ret_addr = addr_ip6(byte);
	else
		return false;
	return true;
}

struct addr packet_addr(const char *text)
{
	struct addr a;

	if (!read_addr(text, &a))
		give_up("address", text);
	return a;
}

struct endpoint packet_endpoint(const char *text)
{
	char addr[ENDPOINT_TEXT_MAX];
	struct endpoint e;
	unsigned port;
	int end = 0;

	if ((sscanf(text, "[%47[0-9a-fA-F:.]]:%5u%n", addr, &port, &end) != 2 &&
		    sscanf(text, "%47[0-9.]:%5u%n", addr, &port, &end) != 2) ||
		text[end] || port > UINT16_MAX || !read_addr(addr, &e.addr))
		give_up("endpoint", text);
	e.port = (uint16_t)port;
	return e;
}
