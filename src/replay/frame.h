/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame.h - the IP packet in a captured frame */
#ifndef PASVD_FRAME_H
#define PASVD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Refers to the frame. */
struct frame {
	const uint8_t *p; /* begins with the IP header */
	size_t len;       /* bytes of the packet that are there */
	/* its length as its header has it; if it is more than len, the capture has cut off the
	 * rest */
	size_t whole;
};

/* Whether frames of this kind (DLT_*, pcap-linktype(7)) can be read. */
bool frame_type_known(int type);

/* Finds the packet in the `n` bytes of a frame, without what pads the frame after it. 0:
 * *ret_frame is filled in, but nothing of the packet is checked except its length. -1: it is no IP,
 * or not enough of it is there to know its length; *ret_frame is untouched. */
int frame_packet(int type, const uint8_t *p, size_t n, struct frame *ret_frame);

#endif
