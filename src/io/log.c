/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - lines on stderr
 *
 * Each line is put together in memory and written by one call, so that lines of several processes do not mix.
 * What does not fit is cut off. A line that cannot be written is lost: there is nobody to tell.
 */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rate.h"

enum { LINE_SIZE = 1024 };

static enum reason_level log_most = REASON_LEVEL_INFO;

/* RFC 5424 severities, as sd-daemon(3) wants them. */
static const struct {
	const char *prefix, *name;
} levels[] = {
	[REASON_LEVEL_ERR] = {"<3>", "err"},
	[REASON_LEVEL_WARNING] = {"<4>", "warning"},
	[REASON_LEVEL_INFO] = {"<6>", "info"},
	[REASON_LEVEL_DEBUG] = {"<7>", "debug"},
};

void log_verbosity(enum reason_level most)
{
	log_most = most;
}

static void write_line(enum reason_level level, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	size_t len = (size_t)snprintf(
		line, sizeof line, "%s", getenv("JOURNAL_STREAM") ? levels[level].prefix : "pasvd: ");
	size_t room = sizeof line - len - 1;
	int n = vsnprintf(line + len, room, fmt, ap);

	if (n > 0)
		len += (size_t)n < room ? (size_t)n : room - 1;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void log_at(enum reason_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > log_most)
		return;
	va_start(ap, fmt);
	write_line(level, fmt, ap);
	va_end(ap);
}

/* True if this second has a line of that level left for packets; tells how many an earlier one had to leave out. */
static bool within_rate(enum reason_level level)
{
	static struct rate rates[REASON_LEVEL_DEBUG + 1];
	struct timespec now;
	uint64_t left_out;
	bool within;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	within = rate_take(&rates[level], (uint64_t)now.tv_sec, LOG_PACKET_RATE, &left_out);
	if (left_out)
		log_at(REASON_LEVEL_WARNING, "left-out priority=%s lines=%" PRIu64, levels[level].name,
			left_out);
	return within;
}

void log_packet(enum reason_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > log_most || !within_rate(level))
		return;
	va_start(ap, fmt);
	write_line(level, fmt, ap);
	va_end(ap);
}

/* `what` has become of a port. */
static void log_port(const char *what, const struct ct_view *view, const struct endpoint *announce,
	const struct endpoint *listener, const char *more)
{
	char client[ENDPOINT_TEXT_MAX], server[ENDPOINT_TEXT_MAX];
	char announced[ENDPOINT_TEXT_MAX], real[ENDPOINT_TEXT_MAX];

	log_packet(REASON_LEVEL_INFO, "%s client=%s server=%s announced=%s real=%s%s", what,
		endpoint_text(&view->tuple[DIR_ORIGINAL].src, client),
		endpoint_text(&view->tuple[DIR_REPLY].src, server), endpoint_text(announce, announced),
		endpoint_text(listener, real), more);
}

void log_ended(const struct ended *e)
{
	log_port(ending_name(e->how), e->view, &e->plan->announce, &e->plan->expect.nat, "");
}

static void log_reason(const struct verdict *v)
{
	static const char *const done[] = {
		[STRICT_PASS] = "",
		[STRICT_LOG] = "",
		[STRICT_REFUSE] = " done=refused",
		[STRICT_RESET] = " done=reset",
	};
	enum reason_level level = reason_level(v->reason);
	char client[ENDPOINT_TEXT_MAX], server[ENDPOINT_TEXT_MAX];

	if (v->reason == REASON_OPENED || v->again || level > log_most)
		return;
	if (v->known)
		log_packet(level, "%s client=%s server=%s%s: %s", reason_name(v->reason),
			endpoint_text(&v->view.tuple[DIR_ORIGINAL].src, client),
			endpoint_text(&v->view.tuple[DIR_REPLY].src, server), done[v->strict],
			reason_meaning(v->reason));
	else
		log_packet(level, "%s: %s", reason_name(v->reason), reason_meaning(v->reason));
}

void log_verdict(const struct verdict *v)
{
	if (v->opened)
		log_port("open", &v->view, &v->announce, &v->real, v->on_demand ? " on-demand=yes" : "");
	log_reason(v);
}

static size_t put_counter(char *text, size_t room, const char *name, uint64_t count)
{
	int n = snprintf(text, room, " %s=%" PRIu64, name, count);

	if (n > 0 && (size_t)n < room)
		return (size_t)n;
	text[0] = '\0'; /* what does not fit is left out whole */
	return 0;
}

void log_counters(const struct helper *h)
{
	char text[LINE_SIZE];
	size_t len = 0;

	for (int i = 0; i < REASON_COUNT; i++)
		len += put_counter(text + len, sizeof text - len, reason_name((enum reason)i), h->count[i]);
	for (int i = 0; i < ENDING_COUNT; i++)
		len += put_counter(text + len, sizeof text - len, ending_name((enum ending)i), h->ended[i]);
	log_at(REASON_LEVEL_INFO, "counters%s", text);
}
