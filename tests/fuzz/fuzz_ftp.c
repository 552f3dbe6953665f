/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ftp.c - one line, the input up to its first LF */
#include "fuzz.h"
#include "guard.h"
#include "pasvd/ftp.h"

#include <string.h>

enum { LINE = 600 };

/* Written back, an announcement reads the same. */
static void check_rewrite(const uint8_t *p, size_t n, const struct ftp_reply *r)
{
	uint8_t text[FTP_ANNOUNCE_MAX], line[LINE + FTP_ANNOUNCE_MAX];
	size_t len = ftp_announce(r->code, &r->listen, text), end = (size_t)r->span.at + r->span.len;
	struct ftp_reply again;

	REQUIRE(len >= 1 && len <= FTP_ANNOUNCE_MAX);
	memcpy(line, p, r->span.at);
	memcpy(line + r->span.at, text, len);
	memcpy(line + r->span.at + len, p + end, n - end);
	REQUIRE(ftp_reply(line, n - r->span.len + len, &again) == 0);
	REQUIRE(again.announces && again.code == r->code && again.span.at == r->span.at &&
		again.span.len == len);
	REQUIRE(endpoint_eq(&again.listen, &r->listen));
}

static void check_announcement(const uint8_t *p, size_t n, const struct ftp_reply *r)
{
	uint8_t family = r->code == FTP_ENTERING_PASSIVE ? ADDR_IP4 : ADDR_NONE;

	REQUIRE(r->code == FTP_ENTERING_PASSIVE || r->code == FTP_ENTERING_EXTENDED_PASSIVE);
	REQUIRE(r->listen.addr.family == family);
	REQUIRE(r->span.len >= 1 && (size_t)r->span.at + r->span.len < n);
	check_rewrite(p, n, r);
}

/* No byte of an announcement may have passed before its line is whole. */
static void check_hold(const uint8_t *p, size_t n, const struct ftp_reply *r)
{
	uint8_t *copy = guard_copy(NULL, n);

	for (size_t cut = 1; cut < n; cut++) {
		size_t from;

		memcpy(copy + n - cut, p, cut);
		from = ftp_hold(copy + n - cut, cut);
		REQUIRE(from <= cut);
		if (r && r->announces)
			REQUIRE(cut <= r->span.at || from <= r->span.at);
	}
	guard_free(copy, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size < LINE ? size : LINE - 1;
	const uint8_t *lf = n ? memchr(data, '\n', n) : NULL;
	uint8_t *p;
	struct ftp_reply r;
	bool is_reply;

	n = (lf ? (size_t)(lf - data) : n) + 1;
	p = guard_copy(NULL, n);
	if (n > 1)
		memcpy(p, data, n - 1);
	p[n - 1] = '\n';
	REQUIRE(ftp_command(p, n) <= FTP_EPSV);
	is_reply = ftp_reply(p, n, &r) == 0;
	if (is_reply) {
		REQUIRE(r.code >= 100 && r.code <= 599);
		if (r.announces)
			check_announcement(p, n, &r);
	}
	check_hold(p, n, is_reply ? &r : NULL);
	guard_free(p, n);
	return 0;
}
