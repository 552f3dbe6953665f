/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ftp_fit.c - another endpoint in a reply that keeps its length
 *
 *   227 Entering Passive Mode (10,0,0,2,195,80). Bye CR LF
 *       ^low          phrase ^ ^head  ^at        ^tail   ^end
 *
 * The gap lies between phrase and head.
 *
 * A shorter text leaves a longer gap. A longer one takes its room from the gap, of which one space
 * stays, then from the end of the tail, which begins behind the line's last number, then from whole
 * words at the beginning of the phrase, whose rest becomes the gap. What clients look for stays as
 * it is: the code and what separates it, what stands right before the endpoint, and the closing
 * parenthesis.
 *
 * Which readers this is for: those that want the parenthesis; those that take the first digit after
 * the code; those that count from the line's end, so nothing is added there; those that want two
 * spaces or a word between code and endpoint, so one space stays where a word went. The lab tries
 * the clients of tests/lab/clients.py.
 */
#include "pasvd/ftp_fit.h"

#include <string.h>

#include "pasvd/line.h"

enum { CODE_LEN = 3 };

struct parts {
	size_t low;    /* before it nothing changes */
	size_t phrase; /* its end */
	size_t head;   /* of what belongs to the endpoint */
	size_t tail;   /* what may be left off */
	size_t end;    /* the line's end: CR LF, or LF */
};

static bool is_code(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < CODE_LEN; i++) {
		if (i == n || !ftp_is_digit(p[i]))
			return false;
	}
	return n > CODE_LEN && (p[CODE_LEN] == ' ' || p[CODE_LEN] == '-' || p[CODE_LEN] == '\r');
}

/* A delimiter stands on either side of the endpoint. */
static bool is_delimited(const struct ftp_offer *offer)
{
	return offer->form == FTP_FORM_PORT || offer->form == FTP_FORM_EPRT;
}

/* Behind the word at `at` and the spaces that follow it. */
static size_t skip_word(const uint8_t *p, size_t end, size_t at)
{
	while (at < end && p[at] != ' ')
		at++;
	while (at < end && p[at] == ' ')
		at++;
	return at;
}

/* The first word of a line within a multi-line reply stays, else the next could look like a
 * code. */
static size_t low_of(const uint8_t *p, size_t head, size_t open)
{
	size_t low = is_code(p, head) ? CODE_LEN + 1 : skip_word(p, head, 0);

	if (low >= open)
		return low;
	return p[open - 1] == ' ' ? open : skip_word(p, head, open);
}

/* Where the parenthesis, or the word, begins that stands right before the endpoint; it may be a
 * delimiter of a 229. A number of which a part has gone stays together: its rest would be another
 * one. */
static size_t head_of(const uint8_t *p, size_t open, const struct ftp_offer *offer)
{
	size_t at = offer->at, head = at;

	if (!is_delimited(offer) && at > open && p[at - 1] == '(')
		return at - 1;
	while (head > open && p[head - 1] != ' ')
		head--;
	return head && ftp_is_digit(p[head - 1]) && ftp_is_digit(p[head]) ? at : head;
}

/* Numbers stay: what is left of them could be another endpoint. A 229 ends with a delimiter. */
static size_t tail_of(const uint8_t *p, size_t end, const struct ftp_offer *offer, size_t head)
{
	size_t at = (size_t)offer->at + offer->len, tail = is_delimited(offer) ? at + 1 : at;
	const uint8_t *close = memchr(p + at, ')', end - at);

	if (close && memchr(p + head, '(', offer->at - head))
		tail = (size_t)(close - p) + 1;
	for (size_t i = tail; i < end; i++) {
		if (ftp_is_digit(p[i]))
			tail = i + 1;
	}
	return tail;
}

static struct parts parts_of(const uint8_t *p, size_t n, size_t open, const struct ftp_offer *offer)
{
	size_t code = is_code(p, offer->at) ? CODE_LEN + 1 : 0;
	struct parts parts = {.end = n - 1};

	if (parts.end && p[parts.end - 1] == '\r')
		parts.end--;
	parts.head = head_of(p, open > code ? open : code, offer);
	parts.low = low_of(p, parts.head, open);
	parts.tail = tail_of(p, parts.end, offer, parts.head);
	parts.phrase = parts.head;
	while (parts.phrase > parts.low && p[parts.phrase - 1] == ' ')
		parts.phrase--;
	return parts;
}

/* The phrase from `from` on, the gap, the endpoint with what belongs to it, and the tail but its
 * last `cut` bytes. */
static void fit_write(uint8_t *p, const struct parts *parts, size_t from, size_t cut,
	const struct ftp_offer *offer, const uint8_t *text, size_t len)
{
	const size_t old_end = (size_t)offer->at + offer->len, words = parts->phrase - from;
	const size_t lead = offer->at - parts->head, rest = parts->end - old_end - cut;
	uint8_t was[LINE_MAX_LEN], *to = p + parts->end - rest;

	memcpy(was, p, parts->end);
	memcpy(to, was + old_end, rest);
	to -= len;
	memcpy(to, text, len);
	to -= lead;
	memcpy(to, was + parts->head, lead);
	memcpy(p + parts->low, was + from, words);
	memset(p + parts->low + words, ' ', (size_t)(to - p) - parts->low - words);
}

/* Between "(|||" and the port, or "(fd00::2," and it, nothing may stand. */
static bool is_torn(const uint8_t *p, size_t open, const struct ftp_offer *offer)
{
	return offer->form != FTP_FORM_SIX && open > 0 && p[open - 1] != ' ' &&
	       !memchr(p + open, ' ', offer->at - open);
}

bool ftp_fit(uint8_t *p, size_t n, size_t open, const struct ftp_offer *offer, const uint8_t *text,
	size_t len)
{
	struct parts parts;
	size_t from, next;

	if (open > offer->at || n > LINE_MAX_LEN || is_torn(p, open, offer))
		return false;
	parts = parts_of(p, n, open, offer);
	for (from = parts.low;; from = next) {
		size_t room = parts.head - parts.phrase + (from - parts.low) + offer->len;
		size_t wanted = len + (parts.head > parts.phrase || from > parts.low);
		size_t cut = wanted > room ? wanted - room : 0;

		if (cut <= parts.end - parts.tail) {
			fit_write(p, &parts, from, cut, offer, text, len);
			return true;
		}
		if (from == parts.phrase)
			return false;
		next = skip_word(p, parts.phrase, from);
	}
}
