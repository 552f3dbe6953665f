/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seqadj.h - the kernel's sequence adjustment for one direction of a connection (struct
 * nf_ct_seqadj)
 *
 * net/netfilter/nf_conntrack_seqadj.c: at the end of POSTROUTING a packet's seq is shifted by
 * `after` if it lies after `pos`, else by `before`; an ACK coming back is shifted the other way, by
 * `after` if ack - before lies after `pos`. `pos` is in the sender's sequence space.
 */
#ifndef PASVD_SEQADJ_H
#define PASVD_SEQADJ_H

#include <stdbool.h>
#include <stdint.h>

struct seqadj {
	uint32_t pos;
	int32_t before, after; /* bytes */
};

/* RFC 9293 section 3.4: a comes after b in the 32-bit circle. */
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(b - a) < 0;
}

#endif
