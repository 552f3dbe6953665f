/* SPDX-License-Identifier: GPL-2.0-or-later */
/* follow.h - the packets of a capture, handed to the core as the router's queue would */
#ifndef PASVD_FOLLOW_H
#define PASVD_FOLLOW_H

#include "flow.h"
#include "frame.h"

/* The next packet; `time` in us since 1970 may go back, the core's does not. */
void follow_packet(struct flows *f, const struct frame *frame, uint64_t time);

/* A frame that has no IP packet. */
void follow_other(struct flows *f);

/* The capture has ended: what waits for bytes that are missing waits no more. */
void follow_end(struct flows *f);

#endif
