/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sane.c - the request on which the ct helper `sane` acts
 *
 * It acts on a message of the client of 8 bytes that begins with 7 as a big-endian word, and on
 * nothing else (net/netfilter/nf_conntrack_sane.c, SANE_NET_START). It sees what leaves us, so that
 * is what is looked at.
 */
#include "sane.h"

#include <string.h>

#include "pasvd/seg.h"

bool sane_disarm(uint8_t *p, size_t *n)
{
	static const uint8_t start[] = {0, 0, 0, 7}, harmless[] = "XXXXXX\r\n";
	struct seg seg;

	if (seg_parse(p, *n, &seg) < 0 || seg.payload_len != sizeof(harmless) - 1 ||
		memcmp(p + seg.payload, start, sizeof(start)) != 0)
		return false;
	memcpy(p + seg.payload, harmless, sizeof(harmless) - 1);
	*n = seg_seal(&seg, p);
	return true;
}
