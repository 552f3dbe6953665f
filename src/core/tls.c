/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls.c - TLS or clear text, as far as it can be seen from outside
 *
 * tls_content() looks at the beginning of a segment. Control connections send a record or a few at
 * a time, so nearly all segments begin with a header; one that does not is taken for the rest of a
 * record, unless it can only be whole lines of FTP. In TLS 1.3 an alert looks like data (RFC 8446
 * section 5.2) but for its length: two bytes, their type and a tag of 16, which no command of FTP
 * is short enough to have.
 */
#include "pasvd/tls.h"

#include "pasvd/ftp.h"

enum {
	TYPE_FIRST = 20,
	TYPE_ALERT = 21,
	TYPE_HANDSHAKE = 22,
	TYPE_DATA = 23,
	TYPE_LAST = TYPE_DATA,
	MAJOR = 3,
	MINOR_LAST = 4,
	HEADER_LEN = 5,
	LENGTH_MAX = (1 << 14) + 2048, /* RFC 5246 section 6.2.3 */
	SEALED_ALERT_LEN = 2 + 1 + 16,
};

static bool is_record(const uint8_t *p, size_t n, size_t *ret_length)
{
	if (n < HEADER_LEN || p[0] < TYPE_FIRST || p[0] > TYPE_LAST || p[1] != MAJOR ||
		p[2] > MINOR_LAST)
		return false;
	*ret_length = (size_t)(p[3] << 8 | p[4]);
	return *ret_length > 0 && *ret_length <= LENGTH_MAX;
}

/* Bytes of the whole alert that is in front, or 0. */
static size_t tls_alert_len(const uint8_t *p, size_t n)
{
	size_t length;
	bool is = is_record(p, n, &length) && HEADER_LEN + length <= n &&
		  (p[0] == TYPE_ALERT || (p[0] == TYPE_DATA && length == SEALED_ALERT_LEN));

	return is ? HEADER_LEN + length : 0;
}

static bool tls_is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n')
			return false;
	}
	return n > 0 && p[n - 1] == '\n';
}

static bool is_line(enum dir dir, const uint8_t *p, size_t n)
{
	struct ftp_reply reply;

	if (!tls_is_text(p, n))
		return false;
	return dir == DIR_ORIGINAL ? ftp_is_command(p, n) : ftp_reply(p, n, &reply) == 0;
}

/* A byte of a header: type, version, length. */
static void tls_follow_header(struct tls_place *t, uint8_t byte)
{
	static const struct {
		uint8_t low, high;
	} valid[HEADER_LEN] = {
		{TYPE_FIRST, TYPE_LAST}, {MAJOR, MAJOR}, {0, MINOR_LAST}, {0, 0xff}, {0, 0xff}};

	t->known = byte >= valid[t->header].low && byte <= valid[t->header].high;
	t->left = (uint16_t)(t->left << 8 | byte);
	t->header++;
}

void tls_follow(struct tls_place *t, const uint8_t *p, size_t n)
{
	while (t->known && n > 0) {
		size_t used = 1;

		if (t->header < HEADER_LEN) {
			tls_follow_header(t, *p);
		} else {
			used = n < t->left ? n : t->left;
			t->left -= (uint16_t)used;
		}
		if (t->header == HEADER_LEN && !t->left)
			t->header = 0;
		p += used;
		n -= used;
	}
}

bool tls_begins(const uint8_t *p, size_t n)
{
	return n > 2 && p[0] == TYPE_HANDSHAKE && p[1] == MAJOR && p[2] <= MINOR_LAST;
}

enum tls_content tls_content(enum dir dir, const uint8_t *p, size_t n, size_t *ret_skip)
{
	size_t skip = 0, used, length;

	while ((used = tls_alert_len(p + skip, n - skip)) > 0)
		skip += used;
	if (skip == n)
		return TLS_ALERT;
	if (is_line(dir, p + skip, n - skip)) {
		*ret_skip = skip;
		return TLS_CLEAR;
	}
	return is_record(p + skip, n - skip, &length) ? TLS_RECORD : TLS_UNCLEAR;
}
