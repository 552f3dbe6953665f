/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line.c - one direction of a control connection as whole lines
 *
 * Segments are placed against `next`, the sequence number of the first byte not seen. In order:
 * fed. Old: nothing to do. Beyond it: refused, so that every byte is read in order; a copy could
 * not be kept without a limit that somebody would reach. Not done here: Telnet commands (IAC)
 * within lines.
 */
#include "pasvd/line.h"

#include <string.h>

#include "pasvd/seqadj.h"

enum { LINE_WINDOW = 1 << 20 }; /* bytes; control connections use far smaller windows */

static void line_sync(struct line *l, uint32_t seq)
{
	*l = (struct line){.synced = true, .start = seq, .next = seq};
}

static enum line_place line_gap(struct line *l, uint32_t seq, size_t *ret_skip)
{
	if (l->gap_seq != seq)
		l->gaps = 0;
	if (l->gaps == LINE_GAPS_MAX) {
		line_sync(l, seq);
		l->partial = true;
		*ret_skip = 0;
		return LINE_NEW;
	}
	l->gaps++;
	l->gap_seq = seq;
	return LINE_GAP;
}

enum line_place line_place(struct line *l, uint32_t seq, size_t len, size_t *ret_skip)
{
	int32_t ahead;

	if (!l->synced)
		line_sync(l, seq);
	ahead = (int32_t)(seq - l->next);
	if (ahead > LINE_WINDOW || ahead < -LINE_WINDOW)
		return LINE_STALE;
	if (ahead > 0)
		return line_gap(l, seq, ret_skip);
	if ((size_t)-ahead >= len)
		return LINE_OLD;
	l->gaps = 0; /* what was missing is on its way */
	*ret_skip = (size_t)-ahead;
	return LINE_NEW;
}

size_t line_feed(struct line *l, const uint8_t *p, size_t n)
{
	const uint8_t *lf = memchr(p, '\n', n);
	size_t used = lf ? (size_t)(lf - p) + 1 : n;
	size_t room = LINE_MAX_LEN - l->len;
	size_t kept = used < room ? used : room;

	memcpy(l->buf + l->len, p, kept);
	l->len = (uint16_t)(l->len + kept);
	l->overlong |= kept < used;
	l->next += (uint32_t)used;
	l->whole = lf != NULL;
	return used;
}

void line_next(struct line *l)
{
	line_sync(l, l->next);
}
