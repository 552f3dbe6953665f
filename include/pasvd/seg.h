/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seg.h - the bytes of a packet, seen as a TCP segment
 *
 * The only place that looks at IP and TCP headers before they are trusted. After seg_parse() every
 * offset and length in struct seg lies within the packet, and nobody else has to check bounds of
 * headers again.
 */
#ifndef PASVD_SEG_H
#define PASVD_SEG_H

#include "pasvd/endpoint.h"

enum {
	SEG_FIN = 0x01,
	SEG_SYN = 0x02,
	SEG_RST = 0x04,
	SEG_PSH = 0x08,
	SEG_ACK = 0x10,
	SEG_URG = 0x20
};

struct seg {
	struct tuple tuple;   /* the packet's own addresses and ports; zone 0 */
	uint32_t seq, ack;    /* host byte order */
	uint8_t flags;        /* SEG_*, TCP header byte 13 */
	uint16_t urgent;      /* urgent pointer, from seq on; with SEG_URG */
	uint16_t tcp;         /* offset of the TCP header in the packet, bytes */
	uint16_t payload;     /* offset of the TCP payload */
	uint16_t payload_len; /* bytes, may be 0 */
};

/* Reads a packet `p` of `n` bytes that begins with its IP header (RFC 791, RFC 8200, RFC 9293). 0:
 * *ret_seg is filled in. -1: not a whole, unfragmented TCP segment over IPv4 or IPv6, which has to
 * be dropped; *ret_seg is untouched. Checksums are not looked at: the kernel has done so, or the
 * network card will (CHECKSUM_PARTIAL), unless the kernel says that nobody has. */
int seg_parse(const uint8_t *p, size_t n, struct seg *ret_seg);

/* Whether IPv6 extension headers stand in front of TCP. */
bool seg_has_extensions(const struct seg *seg);

/* The checksum of the segment in packet `p` is right, which its receiver will ask for. */
bool seg_is_sound(const struct seg *seg, const uint8_t *p);

/* Replaces `cut` bytes at `at` (offset into the payload) by `len` bytes of `text`, in the packet
 * `p` that `seg` describes and that has room for `cap` bytes. Headers stay as they are: see
 * seg_seal(). 0: done, seg->payload_len is the new one. -1: no room in `cap`, or more than 65535
 * bytes; nothing changed. `at + cut` must not exceed seg->payload_len. */
int seg_splice(struct seg *seg, uint8_t *p, size_t cap, size_t at, size_t cut, const uint8_t *text,
	size_t len);

/* Writes seg->seq, seg->flags, seg->urgent and the length that follows from seg->payload_len into
 * the headers, computes both checksums, and returns the packet's new length in bytes. */
size_t seg_seal(const struct seg *seg, uint8_t *p);

#endif
