/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - builds and reads TCP segments over IPv4, for tests
 *
 * RFC 791 section 3.1, RFC 9293 section 3.1, RFC 1071 (checksum), RFC 7323 section 3.2 (timestamps).
 */
#include "packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	IP_TOTAL_LENGTH = 2,
	IP_TTL = 8,
	IP_PROTOCOL = 9,
	IP_CHECKSUM = 10,
	IP_SOURCE = 12,
	IP_DESTINATION = 16,
	TCP_SOURCE = 0,
	TCP_DESTINATION = 2,
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFFSET = 12,
	TCP_FLAGS = 13,
	TCP_WINDOW = 14,
	TCP_CHECKSUM = 16,
	PROTOCOL_TCP = 6
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

	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static size_t ip_header_len(const uint8_t *p)
{
	return (size_t)(p[0] & 0x0f) * 4;
}

size_t packet_header_len(const uint8_t *p)
{
	return ip_header_len(p) + (size_t)(p[ip_header_len(p) + TCP_OFFSET] >> 4) * 4;
}

/* 0 if the checksum in the packet is right. */
static uint16_t tcp_sum(const uint8_t *p, size_t n)
{
	size_t len = n - ip_header_len(p);

	return fold(sum(sum(PROTOCOL_TCP + (uint32_t)len, p + IP_SOURCE, 8), p + ip_header_len(p), len));
}

void packet_checksum(uint8_t *p, size_t n)
{
	uint8_t *tcp = p + ip_header_len(p);

	put16(p + IP_CHECKSUM, 0);
	put16(p + IP_CHECKSUM, fold(sum(0, p, ip_header_len(p))));
	put16(tcp + TCP_CHECKSUM, 0);
	put16(tcp + TCP_CHECKSUM, tcp_sum(p, n));
}

static void build_ip(const struct packet_spec *spec, uint8_t *p, size_t total)
{
	memset(p, 0, PACKET_IP_HEADER);
	memset(p + PACKET_IP_HEADER, 1, spec->ip_options);
	p[0] = (uint8_t)(0x40 | (PACKET_IP_HEADER + spec->ip_options) / 4);
	put16(p + IP_TOTAL_LENGTH, total);
	p[IP_TTL] = 64;
	p[IP_PROTOCOL] = PROTOCOL_TCP;
	memcpy(p + IP_SOURCE, spec->tuple.src.addr.byte, ADDR_IP4_LEN);
	memcpy(p + IP_DESTINATION, spec->tuple.dst.addr.byte, ADDR_IP4_LEN);
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
}

size_t packet_build(const struct packet_spec *spec, uint8_t *buf)
{
	size_t ip_len = PACKET_IP_HEADER + spec->ip_options;
	size_t headers = ip_len + PACKET_TCP_HEADER + spec->tcp_options;

	build_ip(spec, buf, headers + spec->len);
	build_tcp(spec, buf + ip_len);
	if (spec->len)
		memcpy(buf + headers, spec->payload, spec->len);
	packet_checksum(buf, headers + spec->len);
	return headers + spec->len;
}

bool packet_is_sound(const uint8_t *p, size_t n)
{
	if (n < PACKET_IP_HEADER + PACKET_TCP_HEADER || p[0] >> 4 != 4 || p[IP_PROTOCOL] != PROTOCOL_TCP)
		return false;
	if (get16(p + IP_TOTAL_LENGTH) != n || ip_header_len(p) < PACKET_IP_HEADER)
		return false;
	if (ip_header_len(p) + PACKET_TCP_HEADER > n || packet_header_len(p) > n)
		return false;
	return fold(sum(0, p, ip_header_len(p))) == 0 && tcp_sum(p, n) == 0;
}

uint32_t packet_seq(const uint8_t *p)
{
	return get32(p + ip_header_len(p) + TCP_SEQ);
}

uint32_t packet_ack(const uint8_t *p)
{
	return get32(p + ip_header_len(p) + TCP_ACK);
}

void packet_set_seq_ack(uint8_t *p, size_t n, uint32_t seq, uint32_t ack)
{
	put32(p + ip_header_len(p) + TCP_SEQ, seq);
	put32(p + ip_header_len(p) + TCP_ACK, ack);
	packet_checksum(p, n);
}

struct endpoint packet_endpoint(const char *text)
{
	struct endpoint e = {.addr.family = ADDR_IP4};
	unsigned b[ADDR_IP4_LEN], port;
	int end = 0;

	if (sscanf(text, "%3u.%3u.%3u.%3u:%5u%n", &b[0], &b[1], &b[2], &b[3], &port, &end) != 5 ||
		text[end]) {
		fprintf(stderr, "not an endpoint: %s\n", text);
		exit(2);
	}
	for (size_t i = 0; i < ADDR_IP4_LEN; i++)
		e.addr.byte[i] = (uint8_t)b[i];
	e.port = (uint16_t)port;
	return e;
}
