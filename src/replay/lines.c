/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.c - what the lines of a connection say, for those who read the report
 *
 * The core keeps no lines and reports none, so they are read here once more, with the core's own
 * grammar.
 */
#include "lines.h"

#include "flow_ct.h"

enum {
	CODE_AND_SPACE = 4,
	WORD_AND_SPACE = FTP_VERB_LEN + 1,
	REPLY_ALREADY_OPEN = 125,
	REPLY_ABOUT_TO_OPEN = 150,
	REPLY_TRANSFERRED = 226,
};

static bool lines_is_end(uint8_t c)
{
	return c == ' ' || c == '\r' || c == '\n';
}

/* The word of a command, in capitals. False: it is too long. */
static bool lines_word_of(const uint8_t *p, size_t n, char ret_word[EVENT_WORD_MAX + 1])
{
	size_t begin = ftp_telnet(p, n), end = begin;

	while (end < n && !lines_is_end(p[end]))
		end++;
	if (end - begin > EVENT_WORD_MAX)
		return false;
	for (size_t i = begin; i < end; i++)
		ret_word[i - begin] = (char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] - 'a' + 'A' : p[i]);
	ret_word[end - begin] = '\0';
	return true;
}

static void lines_on_other(struct flows *f, struct flow *flow, enum dir dir)
{
	struct event *last = flow->n_events ? &flow->event[flow->n_events - 1] : NULL;

	if (last && last->kind == EVENT_OTHER && last->dir == dir && last->count < UINT32_MAX)
		last->count++;
	else
		flow_event(f, flow, (struct event){.kind = EVENT_OTHER, .dir = dir, .count = 1});
}

static void lines_on_command(struct flows *f, struct flow *flow, const uint8_t *p, size_t n)
{
	struct event e = {.kind = EVENT_COMMAND, .dir = DIR_ORIGINAL};
	struct ftp_command command;

	if (!ftp_is_command(p, n) || !lines_word_of(p, n, e.word)) {
		lines_on_other(f, flow, DIR_ORIGINAL);
		return;
	}
	ftp_command(p, n, &command);
	e.offers = command.offers;
	e.offer = command.offer.listen;
	flow_event(f, flow, e);
}

static void lines_find_reply(
	struct flows *f, struct flow *flow, uint16_t code, const struct ftp_offer *offer)
{
	struct event e = {.kind = EVENT_REPLY, .dir = DIR_REPLY, .count = code, .offers = offer};

	if (offer)
		e.offer = offer->listen;
	flow_event(f, flow, e);
	if (code == REPLY_ALREADY_OPEN || code == REPLY_ABOUT_TO_OPEN || code == REPLY_TRANSFERRED)
		flow_ct_used(f, flow);
}

static void lines_on_reply(struct flows *f, struct flow *flow, const uint8_t *p, size_t n)
{
	uint16_t multi = flow->side[DIR_REPLY].multi;
	struct ftp_offer offer;
	struct ftp_reply r;
	bool is_reply = ftp_reply(p, n, &r) == 0;

	if (multi && (!is_reply || r.code != multi)) {
		if (ftp_reply_text(multi, p, n, &offer))
			lines_find_reply(f, flow, multi, &offer);
		return;
	}
	if (!is_reply) {
		lines_on_other(f, flow, DIR_REPLY);
		return;
	}
	flow->side[DIR_REPLY].multi = r.more ? r.code : 0;
	if (!multi || r.offers)
		lines_find_reply(f, flow, r.code, r.offers ? &r.offer : NULL);
}

/* Of a line that is too long only its beginning is read, as in the core. */
static void lines_on_line(struct flows *f, struct flow *flow, enum dir dir)
{
	const struct line *l = &flow->side[dir].line;

	if (dir == DIR_REPLY)
		lines_on_reply(f, flow, l->buf, l->overlong ? CODE_AND_SPACE : l->len);
	else
		lines_on_command(f, flow, l->buf, l->overlong ? WORD_AND_SPACE : l->len);
}

void lines_read(struct flows *f, struct flow *flow, enum dir dir, const uint8_t *p, size_t n)
{
	struct line *l = &flow->side[dir].line;

	while (n > 0) {
		size_t used = line_feed(l, p, n);

		p += used;
		n -= used;
		if (!l->whole)
			break;
		if (!l->partial)
			lines_on_line(f, flow, dir);
		line_next(l);
	}
}
