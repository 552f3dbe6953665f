/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame.c - the IP packet in a captured frame
 *
 * Bytes go in, a span of them comes out. How a frame begins is a row of the table; VLAN tags (IEEE
 * 802.1Q and 802.1ad, any number) may follow wherever there is an EtherType. A length of 0 in the
 * IP header is what segmentation in the network card leaves there: then the packet is what the
 * frame has. Not done here: PPPoE, tunnels, fragments.
 */
#include "frame.h"
#include "pasvd/array.h"

#include <pcap/dlt.h>

enum {
	ETHERTYPE_LEN = 2,
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_IP6 = 0x86dd,
	VLAN_LEN = 4, /* of a tag: what it says, and the next EtherType */
	VLAN = 0x8100,
	VLAN_SERVICE = 0x88a8,
	IP_LENGTH_END = 6, /* the header's bytes in which its length stands, for either version */
	IP6_HEADER = 40,
};

static const struct link {
	size_t head; /* bytes before the packet */
	int type;
	int ethertype_at; /* -1: there is none, it is IP */
} links[] = {
	{14, DLT_EN10MB, 12},
	{16, DLT_LINUX_SLL, 14},
	{20, DLT_LINUX_SLL2, 0},
	{0, DLT_RAW, -1},
	{0, DLT_IPV4, -1},
	{0, DLT_IPV6, -1},
};

static const struct link *frame_link_of(int type)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (links[i].type == type)
			return &links[i];
	}
	return NULL;
}

bool frame_type_known(int type)
{
	return frame_link_of(type) != NULL;
}

static unsigned frame_be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Offset of the packet, or -1 if the frame ends before it or has something else. */
static long frame_packet_at(const struct link *link, const uint8_t *p, size_t n)
{
	size_t at = link->head;
	unsigned type;

	if (n < at)
		return -1;
	if (link->ethertype_at < 0)
		return 0;
	type = frame_be16(p + link->ethertype_at);
	while ((type == VLAN || type == VLAN_SERVICE) && n - at >= VLAN_LEN) {
		type = frame_be16(p + at + VLAN_LEN - ETHERTYPE_LEN);
		at += VLAN_LEN;
	}
	return type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6 ? (long)at : -1;
}

/* The packet's length by its header, `n` if that does not say; 0: it is no IP. */
static size_t frame_whole_length(const uint8_t *p, size_t n)
{
	unsigned version = p[0] >> 4, length = frame_be16(p + (version == 6 ? 4 : 2));

	if (version != 4 && version != 6)
		return 0;
	if (!length)
		return n;
	return version == 6 ? length + IP6_HEADER : length;
}

int frame_packet(int type, const uint8_t *p, size_t n, struct frame *ret_frame)
{
	const struct link *link = frame_link_of(type);
	long at = link ? frame_packet_at(link, p, n) : -1;
	size_t len, whole;

	if (at < 0 || n - (size_t)at < IP_LENGTH_END)
		return -1;
	len = n - (size_t)at;
	whole = frame_whole_length(p + at, len);
	if (!whole)
		return -1;
	*ret_frame = (struct frame){p + at, whole < len ? whole : len, whole};
	return 0;
}
