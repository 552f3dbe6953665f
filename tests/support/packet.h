/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h - builds and reads TCP segments over IPv4 and IPv6, for tests
 *
 * Written from the RFCs and not from src/core/seg.c, so that the two check each other.
 */
#ifndef PASVD_TESTS_PACKET_H
#define PASVD_TESTS_PACKET_H

#include "pasvd/endpoint.h"

enum {
	PACKET_MAX = 65535,
	PACKET_IP_HEADER = 20,
	PACKET_IP6_HEADER = 40,
	PACKET_TCP_HEADER = 20,
	PACKET_TIMESTAMPS = 12
};

struct packet_spec {
	struct tuple tuple; /* the family of src says which IP it is */
	uint32_t seq, ack;
	uint8_t flags; /* SEG_* */
	uint16_t urgent;
	size_t ip_options;  /* bytes, a multiple of 4, at most 40: filled with NOP */
	size_t extensions;  /* IPv6: extension headers of 8 bytes each */
	size_t tcp_options; /* like ip_options; from 12 bytes on they begin with timestamps */
	const void *payload;
	size_t len;
};

/* Writes the packet with right checksums to `buf`, which has room for it; returns its length. */
size_t packet_build(const struct packet_spec *spec, uint8_t *buf);

/* True if total length, header lengths and both checksums of the packet are right. */
bool packet_is_sound(const uint8_t *p, size_t n);

/* Of a sound packet: */
uint32_t packet_seq(const uint8_t *p);
uint32_t packet_ack(const uint8_t *p);
uint8_t packet_flags(const uint8_t *p); /* SEG_* */
/* IP and TCP header with their options and extension headers */
size_t packet_header_len(const uint8_t *p);

/* Writes seq and ack to a sound packet and makes it sound again. */
void packet_set_seq_ack(uint8_t *p, size_t n, uint32_t seq, uint32_t ack);

/* Computes both checksums anew. */
void packet_checksum(uint8_t *p, size_t n);

/* "192.0.2.1:21" or "[2001:db8::1]:21" as an endpoint; ends the process on anything else. */
struct endpoint packet_endpoint(const char *text);

/* "192.0.2.1" or "2001:db8::1" as an address, likewise. */
struct addr packet_addr(const char *text);

#endif
