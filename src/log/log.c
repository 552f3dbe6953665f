/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - one line an event
 *
 * Here it is decided which lines there are; sink.c writes them.
 */
#include "log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rate.h"
#include "sink.h"

static enum reason_level log_max = REASON_LEVEL_INFO;

void log_verbosity(enum reason_level max)
{
	log_max = max;
}

/* Appends bytes, as far as there is room. */
static size_t log_append(char *line, size_t n, const char *p, size_t len)
{
	if (len > SINK_LINE_MAX - n)
		len = SINK_LINE_MAX - n;
	memcpy(line + n, p, len);
	return n + len;
}

/* Appends `text` in quotes. Nothing in it can end the value or the line. */
static size_t log_append_quoted(char *line, size_t n, const char *text)
{
	n = log_append(line, n, "\"", 1);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool control = c < ' ' || c == 0x7f, special = c == '"' || c == '\\';
		char code[8];

		snprintf(code, sizeof(code), control ? "\\x%02x" : special ? "\\%c" : "%c", c);
		if (n + strlen(code) < SINK_LINE_MAX) /* room for the last quote */
			n = log_append(line, n, code, strlen(code));
	}
	return log_append(line, n, "\"", 1);
}

/* Writes "event=EVENT FIELDS msg="MSG"" without what is NULL. */
static void log_write_line(
	enum reason_level level, const char *event, const char *fields, const char *msg)
{
	char line[SINK_LINE_MAX];
	int n = snprintf(
		line, sizeof(line), "event=%s%s%s", event, fields ? " " : "", fields ? fields : "");
	size_t len = (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;

	if (msg) {
		len = log_append(line, len, " msg=", 5);
		len = log_append_quoted(line, len, msg);
	}
	sink_write(level, line, len);
}

void log_text(enum reason_level level, const char *text)
{
	if (level <= log_max)
		sink_write(level, text, strlen(text));
}

static void log_message(enum reason_level level, const char *event, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void log_message(enum reason_level level, const char *event, const char *fmt, va_list ap)
{
	char msg[SINK_LINE_MAX];

	vsnprintf(msg, sizeof(msg), fmt, ap);
	log_write_line(level, event, NULL, msg);
}

void log_at(enum reason_level level, const char *event, const char *fmt, ...)
{
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	log_message(level, event, fmt, ap);
	va_end(ap);
}

void log_fields(enum reason_level level, const char *event, const char *fmt, ...)
{
	char fields[SINK_LINE_MAX];
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	vsnprintf(fields, sizeof(fields), fmt, ap);
	va_end(ap);
	log_write_line(level, event, fields, NULL);
}

enum { CLIENTS = 256 }; /* that are distinguished */

/* Of an address; over IPv6 of a /64. Two that have the same number share what one could have. */
static size_t log_number_of(const struct addr *client)
{
	uint64_t h = 0;

	for (size_t i = 0; i < addr_len(client) && i < ADDR_IP6_LEN / 2; i++)
		h = (h + client->byte[i] + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(h >> 56);
}

static uint64_t log_second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

static void log_left_out(enum reason_level level, uint64_t lines)
{
	if (lines)
		log_fields(REASON_LEVEL_WARNING, "left-out", "priority=%s lines=%" PRIu64,
			reason_level_name(level), lines);
}

/* True if this second has a line of that level left for packets, and for those of `client`, unless
 * NULL; logs how many lines an earlier one had to leave out. */
static bool within_rate(enum reason_level level, const struct addr *client)
{
	static struct rate rates[REASON_LEVEL_DEBUG + 1],
		of_client[REASON_LEVEL_DEBUG + 1][CLIENTS];
	uint64_t second = log_second(), left_out;
	bool fair, within;

	static_assert(CLIENTS == 1 << 8, "as many numbers as log_number_of() gives");
	fair = !client || rate_take(&of_client[level][log_number_of(client)], second,
				  LOG_CLIENT_RATE, &left_out);
	within = rate_take(&rates[level], second, fair ? LOG_PACKET_RATE : 0, &left_out);
	log_left_out(level, left_out);
	return within;
}

void log_reload(enum reason_level level, const char *event, const char *fmt, ...)
{
	static struct rate rates[REASON_LEVEL_DEBUG + 1];
	uint64_t left_out;
	bool within;
	va_list ap;

	if (level > log_max)
		return;
	within = rate_take(&rates[level], log_second(), LOG_RELOAD_RATE, &left_out);
	log_left_out(level, left_out);
	if (!within)
		return;
	va_start(ap, fmt);
	log_message(level, event, fmt, ap);
	va_end(ap);
}

void log_packet(enum reason_level level, const struct addr *client, const char *event,
	const char *msg, const char *fmt, ...)
{
	char fields[SINK_LINE_MAX];
	va_list ap;

	if (level > log_max || !within_rate(level, client))
		return;
	va_start(ap, fmt);
	vsnprintf(fields, sizeof(fields), fmt, ap);
	va_end(ap);
	log_write_line(level, event, fields, msg);
}

/* `what` has become of a port. */
static void log_port(const char *what, const struct ct_view *view, const struct endpoint *announce,
	const struct endpoint *listener, const char *more)
{
	char client[ENDPOINT_TEXT_MAX], server[ENDPOINT_TEXT_MAX];
	char announced[ENDPOINT_TEXT_MAX], listener_text[ENDPOINT_TEXT_MAX];

	log_packet(REASON_LEVEL_INFO, &view->tuple[DIR_ORIGINAL].src.addr, what, NULL,
		"client=%s server=%s announced=%s listener=%s%s",
		endpoint_text(&view->tuple[DIR_ORIGINAL].src, client),
		endpoint_text(&view->tuple[DIR_REPLY].src, server),
		endpoint_text(announce, announced), endpoint_text(listener, listener_text), more);
}

void log_ended(const struct ended *e)
{
	log_port(ending_name(e->how), e->view, &e->plan->announce, &e->plan->expect.nat, "");
}

void log_adopted(const struct adopted *a)
{
	static const struct {
		const char *event, *reason, *msg;
	} results[] = {
		[ADOPT_UNKNOWN] = {"removed", "unknown-listener",
			"an expectation that another program installed without the NAT that the "
			"connection has"},
		[ADOPT_REFUSED] = {.event = "removed"},
		[ADOPT_TOO_OFTEN] = {"refused", "sent-back",
			"conntrackd sends an expectation to and fro; it may have no NAT"},
	};
	const struct ct_view *view = a->view;
	const char *reason = results[a->result].reason, *msg = results[a->result].msg;
	char client[ENDPOINT_TEXT_MAX], server[ENDPOINT_TEXT_MAX], announced[ENDPOINT_TEXT_MAX];

	if (a->result == ADOPT_DONE)
		log_port("adopted", view, &a->expect->tuple.dst, &a->expect->nat, "");
	else
		log_packet(REASON_LEVEL_WARNING, &view->tuple[DIR_ORIGINAL].src.addr,
			results[a->result].event, msg ? msg : reason_meaning(a->reason),
			"reason=%s client=%s server=%s announced=%s",
			reason ? reason : reason_name(a->reason),
			endpoint_text(&view->tuple[DIR_ORIGINAL].src, client),
			endpoint_text(&view->tuple[DIR_REPLY].src, server),
			endpoint_text(&a->expect->tuple.dst, announced));
}

static void log_reason(const struct verdict *v)
{
	static const char *const done[] = {
		[STRICT_PASS] = "",
		[STRICT_LOG] = "",
		[STRICT_MASK] = " done=masked",
		[STRICT_RESET] = " done=reset",
	};
	enum reason_level level = reason_level(v->reason);
	char client[ENDPOINT_TEXT_MAX], server[ENDPOINT_TEXT_MAX];

	if (v->reason == REASON_OPENED || v->again || level > log_max)
		return;
	if (v->known)
		log_packet(level, &v->view.tuple[DIR_ORIGINAL].src.addr, reason_event(v->reason),
			reason_meaning(v->reason), "reason=%s client=%s server=%s%s",
			reason_name(v->reason),
			endpoint_text(&v->view.tuple[DIR_ORIGINAL].src, client),
			endpoint_text(&v->view.tuple[DIR_REPLY].src, server), done[v->strict]);
	else
		log_packet(level, NULL, reason_event(v->reason), reason_meaning(v->reason),
			"reason=%s", reason_name(v->reason));
}

void log_verdict(const struct verdict *v)
{
	if (v->opened)
		log_port("opened", &v->view, &v->announce, &v->listener,
			v->on_demand ? " on-demand=yes" : "");
	log_reason(v);
}

static size_t log_put_counter(char *text, size_t room, const char *name, uint64_t count)
{
	int n = snprintf(text, room, " %s=%" PRIu64, name, count);

	if (n > 0 && (size_t)n < room)
		return (size_t)n;
	text[0] = '\0'; /* what does not fit is left out whole */
	return 0;
}

void log_counters(const struct engine *h)
{
	char text[SINK_LINE_MAX];
	size_t len = 0;

	for (int i = 0; i < REASON_COUNT; i++)
		len += log_put_counter(
			text + len, sizeof(text) - len, reason_name((enum reason)i), h->count[i]);
	for (int i = 0; i < ENDING_COUNT; i++)
		len += log_put_counter(text + len, sizeof(text) - len, ending_name((enum ending)i),
			engine_count_ended(h, (enum ending)i));
	log_fields(REASON_LEVEL_INFO, "counters", "%s", text + 1);
}
