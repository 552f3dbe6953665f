/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ftp.c - one line, the input up to its first LF, read as each of the things that a line can
 * be */
#include "fuzz.h"
#include "guard.h"
#include "pasvd/array.h"
#include "pasvd/ftp.h"
#include "pasvd/ftp_fit.h"

#include <string.h>

enum { LINE = 600 };

/* A reader of lines: true if it found an offer. */
typedef bool read_fn(const uint8_t *p, size_t n, struct ftp_offer *ret_offer);

static bool read_command(const uint8_t *p, size_t n, struct ftp_offer *ret_offer)
{
	struct ftp_command c;

	ftp_command(p, n, &c);
	REQUIRE(c.verb <= FTP_AUTH);
	REQUIRE(c.verb < FTP_PASV || (size_t)c.at + FTP_VERB_LEN < n);
	REQUIRE(!c.offers || c.verb == FTP_PORT || c.verb == FTP_EPRT);
	REQUIRE(!c.offers || c.offer.form == (c.verb == FTP_PORT ? FTP_FORM_SIX : FTP_FORM_EPRT));
	REQUIRE(!c.offers || c.offer.at > c.at + FTP_VERB_LEN);
	if (c.offers)
		*ret_offer = c.offer;
	return c.offers;
}

static bool read_reply(const uint8_t *p, size_t n, struct ftp_offer *ret_offer)
{
	struct ftp_reply r;

	if (ftp_reply(p, n, &r) < 0)
		return false;
	REQUIRE(r.code >= 100 && r.code <= 599);
	REQUIRE(!r.offers ||
		r.code == (r.offer.form == FTP_FORM_PORT || r.offer.form == FTP_FORM_EPRT ? 229
											  : 227));
	if (r.offers)
		*ret_offer = r.offer;
	return r.offers;
}

static bool read_text_227(const uint8_t *p, size_t n, struct ftp_offer *ret_offer)
{
	return ftp_reply_text(FTP_ENTERING_PASSIVE, p, n, ret_offer);
}

static bool read_text_229(const uint8_t *p, size_t n, struct ftp_offer *ret_offer)
{
	return ftp_reply_text(FTP_ENTERING_EXTENDED_PASSIVE, p, n, ret_offer);
}

static size_t hold_text_227(const uint8_t *p, size_t n)
{
	return ((void)p, ftp_reply_text_hold(FTP_ENTERING_PASSIVE, n));
}

static size_t hold_text_229(const uint8_t *p, size_t n)
{
	return ((void)p, ftp_reply_text_hold(FTP_ENTERING_EXTENDED_PASSIVE, n));
}

static bool same_offer(const struct ftp_offer *a, const struct ftp_offer *b)
{
	return a->form == b->form && a->at == b->at && endpoint_eq(&a->listen, &b->listen) &&
	       (a->form != FTP_FORM_EPRT || a->delimiter == b->delimiter);
}

/* Written back, an offer reads the same. */
static void check_rewrite(read_fn *read, const uint8_t *p, size_t n, const struct ftp_offer *offer)
{
	uint8_t text[FTP_OFFER_MAX], line[LINE + FTP_OFFER_MAX];
	size_t len = ftp_offer_text(offer, &offer->listen, text),
	       end = (size_t)offer->at + offer->len;
	struct ftp_offer again;

	REQUIRE(len >= 1 && len <= FTP_OFFER_MAX);
	memcpy(line, p, offer->at);
	memcpy(line + offer->at, text, len);
	memcpy(line + offer->at + len, p + end, n - end);
	REQUIRE(read(line, n - offer->len + len, &again));
	REQUIRE(same_offer(&again, offer) && again.len == len);
}

/* Whatever has gone of the line, its length stays, what has gone stays, and the endpoint written is
 * the one read. */
static void check_fit(read_fn *read, const uint8_t *p, size_t n, const struct ftp_offer *offer)
{
	static const struct endpoint told[] = {
		{{ADDR_IP4, {9, 9, 9, 9}}, 1024}, {{ADDR_IP4, {203, 113, 113, 113}}, 65535}};

	for (size_t i = 0; i < 2 * ((size_t)offer->at + 1); i++) {
		uint8_t text[FTP_OFFER_MAX], line[LINE + 1];
		const struct endpoint *e = &told[i & 1];
		size_t len = ftp_offer_text(offer, e, text), open = i / 2;
		struct ftp_offer again;

		memcpy(line, p, n);
		if (!ftp_fit(line, n, open, offer, text, len)) {
			REQUIRE(memcmp(line, p, n) == 0);
			continue;
		}
		REQUIRE(memcmp(line, p, open) == 0 && line[n - 1] == '\n');
		REQUIRE(read(line, n, &again));
		REQUIRE(again.listen.port == e->port || again.at < offer->at);
	}
}

static void check_offer(read_fn *read, const uint8_t *p, size_t n, const struct ftp_offer *offer)
{
	uint8_t family = offer->listen.addr.family;

	REQUIRE(offer->form == FTP_FORM_SIX    ? family == ADDR_IP4
		: offer->form == FTP_FORM_EPRT ? family == ADDR_IP4 || family == ADDR_IP6
					       : family == ADDR_NONE);
	REQUIRE(offer->len >= 1 && (size_t)offer->at + offer->len < n);
	check_rewrite(read, p, n, offer);
	if (read != read_command)
		check_fit(read, p, n, offer);
}

/* No byte of an offer may have passed before its line is whole. */
static void check_hold(size_t (*hold)(const uint8_t *p, size_t n), const uint8_t *p, size_t n,
	const struct ftp_offer *offer)
{
	uint8_t *copy = guard_copy(NULL, n);

	for (size_t cut = 1; cut < n; cut++) {
		size_t from;

		memcpy(copy + n - cut, p, cut);
		from = hold(copy + n - cut, cut);
		REQUIRE(from <= cut);
		if (offer)
			REQUIRE(cut <= offer->at || from <= offer->at);
	}
	guard_free(copy, n);
}

static const struct {
	read_fn *read;
	size_t (*hold)(const uint8_t *p, size_t n);
} kinds[] = {
	{read_command, ftp_command_hold},
	{read_reply, ftp_reply_hold},
	{read_text_227, hold_text_227},
	{read_text_229, hold_text_229},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size < LINE ? size : LINE - 1;
	const uint8_t *lf = n ? memchr(data, '\n', n) : NULL;
	uint8_t *p;

	n = (lf ? (size_t)(lf - data) : n) + 1;
	p = guard_copy(NULL, n);
	if (n > 1)
		memcpy(p, data, n - 1);
	p[n - 1] = '\n';
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct ftp_offer offer;
		bool offers = kinds[i].read(p, n, &offer);

		if (offers)
			check_offer(kinds[i].read, p, n, &offer);
		check_hold(kinds[i].hold, p, n, offers ? &offer : NULL);
	}
	guard_free(p, n);
	return 0;
}
