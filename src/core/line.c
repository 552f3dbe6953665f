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

/* `to`, in the buffer of `l`. */
static void line_set(struct line *l, struct line to)
{
	to.buf = l->buf;
	*l = to;
}

void line_init(struct line *l, bool anchored, uint32_t next)
{
	line_set(l, (struct line){.sync = anchored ? LINE_AWAITED : LINE_UNREAD, .next = next});
}

void line_join(struct line *l)
{
	line_set(l, (struct line){.sync = LINE_JOINED, .partial = true});
}

void line_begin(struct line *l, uint32_t seq)
{
	static const uint8_t after[] = {[LINE_JOINED] = LINE_RESUMED,
		[LINE_UNREAD] = LINE_BEGUN,
		[LINE_AWAITED] = LINE_BEGUN,
		[LINE_BEGUN] = LINE_BEGUN,
		[LINE_SYNCED] = LINE_SYNCED,
		[LINE_RESUMED] = LINE_RESUMED};

	line_set(l, (struct line){.sync = after[l->sync],
			    .partial = l->partial,
			    .first = seq,
			    .start = seq,
			    .next = seq});
}

void line_skip(struct line *l, uint32_t seq, bool is_known)
{
	if (l->sync != LINE_RESUMED)
		l->sync = LINE_SYNCED;
	l->partial = !is_known;
	line_begin(l, seq);
}

void line_pass(struct line *l, uint32_t seq)
{
	line_skip(l, seq, false);
	l->passed = true;
}

bool line_lacks(const struct line *l, uint32_t ack)
{
	const uint32_t fin = l->next + 1;

	return (line_has_begun(l) || l->sync == LINE_AWAITED) && seq_after(ack, fin) &&
	       ack - fin <= LINE_WINDOW;
}

bool line_restart(struct line *l, uint32_t seq)
{
	uint32_t ahead_at = l->first - seq, ahead_len = l->next - l->first;
	bool is_whole = !l->len && !l->partial;

	if (l->ahead_len || ahead_at > UINT16_MAX || ahead_len > UINT16_MAX)
		return false;
	line_set(l, (struct line){.sync = l->sync,
			    .partial = l->sync == LINE_RESUMED,
			    .first = seq,
			    .start = seq,
			    .next = seq,
			    .ahead_at = (uint16_t)ahead_at,
			    .ahead_len = (uint16_t)ahead_len,
			    .ahead_whole = is_whole});
	return true;
}

bool line_rejoin(struct line *l)
{
	const uint32_t ahead = l->first + l->ahead_at, end = ahead + l->ahead_len;
	bool is_ahead = seq_after(end, l->next);

	if (!l->ahead_len || seq_after(ahead, l->next))
		return false;
	if (is_ahead) {
		line_next(l);
		l->partial = !l->ahead_whole;
		l->start = l->next = end;
	}
	l->ahead_len = 0;
	return is_ahead;
}

void line_acked(struct line *l, uint32_t ack)
{
	if ((l->sync == LINE_BEGUN && seq_after(ack, l->first)) ||
		(l->sync == LINE_RESUMED && ack == l->next))
		l->sync = LINE_SYNCED;
}

bool line_is_far(uint32_t seq, uint32_t next)
{
	int32_t ahead = (int32_t)(seq - next);

	return ahead > LINE_WINDOW || ahead < -LINE_WINDOW;
}

/* Whether the stream may begin at `seq`. */
static bool may_begin(const struct line *l, uint32_t seq)
{
	if (l->sync == LINE_AWAITED)
		return !seq_after(seq, l->next) && !line_is_far(seq, l->next);
	return !line_has_begun(l);
}

enum line_place line_place(struct line *l, uint32_t seq, size_t len, size_t *ret_skip)
{
	int32_t ahead;

	if (may_begin(l, seq))
		line_begin(l, seq);
	ahead = (int32_t)(seq - l->next);
	if (line_is_far(seq, l->next))
		return LINE_FAR;
	if (ahead > 0)
		return LINE_GAP;
	if (l->passed && seq_after(l->first, seq))
		return LINE_FAR;
	if (l->sync == LINE_BEGUN && seq_after(l->first, seq))
		return LINE_BEFORE;
	if ((size_t)-ahead >= len)
		return LINE_OLD;
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
	l->whole = l->partial = l->overlong = false;
	l->start = l->next;
	l->len = 0;
}
