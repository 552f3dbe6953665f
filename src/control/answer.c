/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c - what the daemon reports about itself: objects of JSON, one a line
 *
 * No library is used: it would allocate. Sessions that conntrack
 * does not know any more, or that are over, are left out, although the table keeps them until it
 * needs the room.
 */
#include "answer.h"
#include "pasvd/array.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Each object begins so, with the number of its schema and its type. */
#define ANSWER_HEAD "{\"format\":1,\"type\":\""

const char answer_follow[] = "follow";

static void answer_put_format(struct answer_text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void answer_put_format(struct answer_text *t, const char *fmt, ...)
{
	size_t room = t->cap - t->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->n, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		t->full = true;
	else
		t->n += (size_t)n;
}

static void answer_put_endpoint(struct answer_text *t, const char *name, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	answer_put_format(t, "\"%s\":\"%s\"", name, endpoint_text(e, text));
}

static void answer_put_parties(
	struct answer_text *t, const struct endpoint *client, const struct endpoint *server)
{
	answer_put_endpoint(t, "client", client);
	answer_put_format(t, ",");
	answer_put_endpoint(t, "server", server);
}

static void answer_put_port(
	struct answer_text *t, const struct endpoint *announced, const struct endpoint *listener)
{
	answer_put_endpoint(t, "announced", announced);
	answer_put_format(t, ",");
	answer_put_endpoint(t, "listener", listener);
}

static void answer_put_queue(
	const struct answer_about *a, const char *name, uint16_t number, struct answer_text *t)
{
	struct answer_queue q;

	if (a->counters && a->counters(number, &q))
		answer_put_format(t,
			"%s\"%s\":{\"waiting\":%lu,\"dropped\":%lu,\"undelivered\":%lu}",
			t->p[t->n - 1] == '{' ? "" : ",", name, q.waiting, q.dropped,
			q.undelivered);
}

static void answer_put_queues(const struct answer_about *a, struct answer_text *t)
{
	answer_put_format(t, ",\"queue_packets\":{");
	answer_put_queue(a, "control", a->queue, t);
	if (a->on_demand_syns)
		answer_put_queue(a, "on_demand_syns", a->tls_queue, t);
	answer_put_format(t, "}");
}

static void answer_put_ports(const struct answer_about *a, struct answer_text *t)
{
	static const char *const names[] = {[PORT_PASSIVE] = "passive",
		[PORT_ACTIVE] = "active",
		[PORT_ON_DEMAND] = "on_demand"};

	answer_put_format(t, ",\"ports\":{");
	for (int m = 0; m < PORT_MODE_COUNT; m++) {
		const struct port_count *count = &a->engine->ports[m];

		answer_put_format(
			t, "%s\"%s\":{\"opened\":%" PRIu64, m ? "," : "", names[m], count->opened);
		for (int e = 0; e < ENDING_COUNT && m != PORT_ON_DEMAND; e++)
			answer_put_format(t, ",\"%s\":%" PRIu64, ending_name((enum ending)e),
				count->ended[e]);
		answer_put_format(t, "}");
	}
	answer_put_format(t, "}");
}

static void answer_put_start(const struct answer_about *a, uint64_t now, struct answer_text *t)
{
	answer_put_format(t,
		",\"uptime_s\":%" PRIu64 ",\"started_us\":%" PRIu64
		",\"reload\":{\"successful\":%s,\"success_us\":%" PRIu64 "}",
		(now - a->since) / 1000, a->started_us, a->reloaded.successful ? "true" : "false",
		a->reloaded.success_us);
}

static bool answer_put_status(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	(void)i;
	answer_put_format(t,
		ANSWER_HEAD "status\",\"version\":\"%s\",\"ct_helper\":\"%s\",\"queues\":{"
			    "\"control\":%u",
		PASVD_VERSION, a->ct_helper, a->queue);
	if (a->on_demand_syns)
		answer_put_format(t, ",\"on_demand_syns\":%u", a->tls_queue);
	answer_put_format(t, "},\"netns\":%ju", a->netns);
	answer_put_queues(a, t);
	answer_put_start(a, now, t);
	answer_put_format(t,
		",\"sessions\":%" PRIu32 ",\"max_sessions\":%" PRIu32 ",\"evicted\":%" PRIu64,
		a->engine->tab.pool.taken, a->engine->tab.pool.max, a->engine->evicted);
	answer_put_ports(a, t);
	answer_put_format(t, ",\"counters\":{");
	for (int r = 0; r < REASON_COUNT; r++)
		answer_put_format(t, "%s\"%s\":%" PRIu64, r ? "," : "", reason_name((enum reason)r),
			a->engine->count[r]);
	answer_put_format(t, "},\"endings\":{");
	for (int e = 0; e < ENDING_COUNT; e++)
		answer_put_format(t, "%s\"%s\":%" PRIu64, e ? "," : "", ending_name((enum ending)e),
			engine_count_ended(a->engine, (enum ending)e));
	answer_put_format(t, "}}\n");
	return false;
}

static bool answer_put_reason(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	enum reason r = (enum reason)i;

	(void)now;
	answer_put_format(t,
		ANSWER_HEAD "reason\",\"reason\":\"%s\",\"priority\":\"%s\",\"count\":%" PRIu64
			    ",\"meaning\":\"%s\"}\n",
		reason_name(r), reason_level_name(reason_level(r)), a->engine->count[r],
		reason_meaning(r));
	return i + 1 < REASON_COUNT;
}

/* Also of a connection that has begun to end: `now`, conntrack's view of this moment, shows whether
 * it goes on. */
static const char *answer_state_of(const struct conn *c, const struct ct_view *now)
{
	if (!now->established)
		return "closing";
	if (!c->view.has_helper)
		return "no-ct-helper";
	if (c->tls)
		return "tls";
	if (c->session.distrusted)
		return "not-ftp";
	return c->session.logged_in ? "logged-in" : "login";
}

/* The port that waits for its connection. */
static bool is_expected(const struct answer_about *a, const struct conn *c, uint32_t *ret_seconds)
{
	return c->opened && a->expected(a->ct, &c->opened->plan.expect, ret_seconds);
}

static void answer_put_session(const struct answer_about *a, const struct conn *c,
	const struct ct_view *view, uint64_t now, struct answer_text *t)
{
	uint32_t seconds;

	answer_put_format(t, ANSWER_HEAD "session\",");
	answer_put_parties(t, &view->tuple[DIR_ORIGINAL].src, &view->tuple[DIR_REPLY].src);
	answer_put_format(t, ",");
	answer_put_endpoint(t, "dialled", &view->tuple[DIR_ORIGINAL].dst);
	answer_put_format(t,
		",\"state\":\"%s\",\"cleared\":%s,\"shift\":{\"client\":%" PRId32
		",\"server\":%" PRId32 "},\"port\":",
		answer_state_of(c, view), c->cleared ? "true" : "false",
		view->seqadj[DIR_ORIGINAL].after, view->seqadj[DIR_REPLY].after);
	if (is_expected(a, c, &seconds)) {
		answer_put_format(t, "{");
		answer_put_port(t, &c->opened->plan.announce, &c->opened->plan.expect.nat);
		answer_put_format(t, ",\"expires_in_s\":%" PRIu32 "}", seconds);
	} else {
		answer_put_format(t, "null");
	}
	answer_put_format(t, ",\"idle_s\":%" PRIu64 "}\n", (now - c->seen) / 1000);
}

static bool answer_next_session(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	const struct engine *h = a->engine;
	const struct conn *c = conntab_at(&h->tab, (uint32_t)i);
	struct ct_view view;

	if (c && h->ct.get(h->ct.ctx, &c->view.tuple[DIR_ORIGINAL], &view) == CT_OK && !view.over)
		answer_put_session(a, c, &view, now, t);
	return i < h->tab.pool.used;
}

static void answer_put_expectation(const struct conn *c, uint32_t seconds, struct answer_text *t)
{
	const struct expect *e = &c->opened->plan.expect;
	struct endpoint from = {.addr = e->tuple.src.addr};
	uint8_t text[ADDR_TEXT_MAX];

	answer_put_format(t, ANSWER_HEAD "expectation\",");
	answer_put_parties(t, &c->view.tuple[DIR_ORIGINAL].src, &c->view.tuple[DIR_REPLY].src);
	answer_put_format(
		t, ",\"from\":\"%.*s\",", (int)addr_text(&from.addr, text), (const char *)text);
	answer_put_endpoint(t, "to", &e->tuple.dst);
	answer_put_format(t, ",");
	answer_put_port(t, &c->opened->plan.announce, &e->nat);
	answer_put_format(t, ",\"expires_in_s\":%" PRIu32 "}\n", seconds);
}

static bool answer_next_expectation(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	const struct conntab *tab = &a->engine->tab;
	const struct conn *c = conntab_at(tab, (uint32_t)i);
	uint32_t seconds;

	(void)now;
	if (c && is_expected(a, c, &seconds))
		answer_put_expectation(c, seconds, t);
	return i < tab->pool.used;
}

static void answer_put_event(struct answer_text *t, const struct history_event *e)
{
	answer_put_format(t, ANSWER_HEAD "event\",\"time_us\":%" PRIu64 ",\"event\":\"%s\"",
		e->time * 1000, e->name);
	if (e->reason)
		answer_put_format(t, ",\"reason\":\"%s\"", e->reason);
	if (e->known) {
		answer_put_format(t, ",");
		answer_put_parties(t, &e->client, &e->server);
	}
	if (e->port) {
		answer_put_format(t, ",");
		answer_put_port(t, &e->announced, &e->listener);
	}
	if (e->opened)
		answer_put_format(t, ",\"on_demand\":%s", e->on_demand ? "true" : "false");
	if (e->meaning)
		answer_put_format(t, ",\"meaning\":\"%s\"", e->meaning);
	answer_put_format(t, "}\n");
}

static bool answer_next_event(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	(void)now;
	if (i < a->history->count)
		answer_put_event(t, history_at(a->history, i));
	return i + 1 < a->history->count;
}

/* A text of the configuration, which the configuration process has sent: at most `cap` bytes, any
 * bytes. What is not printable ASCII is shown as \xNN. */
static void answer_put_text(struct answer_text *t, const char *name, const char *text, size_t cap)
{
	answer_put_format(t, ",\"%s\":\"", name);
	for (size_t i = 0; i < cap && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c > '~')
			answer_put_format(t, "\\\\x%02x", c);
		else
			answer_put_format(t, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	answer_put_format(t, "\"");
}

static bool answer_next_setting(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	static const char *const effects[] = {[SETTINGS_ON_RELOAD] = "reload",
		[SETTINGS_ON_RESTART] = "restart",
		[SETTINGS_WITH_RULES] = "rules"};
	const struct settings_key *key = settings_key((size_t)i);
	const struct settings_source *source = &a->settings->source[i];

	(void)now;
	answer_put_format(t, ANSWER_HEAD "setting\",\"section\":\"%s\",\"key\":\"%s\"",
		key->section, key->name);
	answer_put_text(t, "value", source->value, sizeof(source->value));
	answer_put_text(t, "from", source->from, sizeof(source->from));
	answer_put_format(t, ",\"default\":\"%s\",\"takes_effect\":\"%s\"}\n", key->value_default,
		effects[key->effect]);
	return settings_key((size_t)i + 1);
}

static bool answer_put_reload(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	(void)i;
	(void)now;
	if (a->reload())
		answer_put_format(t, ANSWER_HEAD "reload\"}\n");
	else
		answer_put_error(t, "the configuration stays as it was; the log says why");
	return false;
}

static bool answer_put_take_over(
	const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	(void)i;
	(void)now;
	if (a->take_over())
		answer_put_format(t, ANSWER_HEAD "takeover\"}\n");
	else
		answer_put_error(t, "the kernel did not answer; the log says what was asked");
	return false;
}

bool answer_is_of_events(answer_fn *answer)
{
	return answer == answer_next_event;
}

bool answer_is_for_root(answer_fn *answer)
{
	return answer == answer_put_take_over;
}

answer_fn *answer_to(const char *request, size_t n)
{
	static const struct {
		const char *request;
		answer_fn *fn;
	} answers[] = {
		{"status", answer_put_status},
		{"sessions", answer_next_session},
		{"expectations", answer_next_expectation},
		{"reasons", answer_put_reason},
		{"config", answer_next_setting},
		{"reload", answer_put_reload},
		{"takeover", answer_put_take_over},
		{"events", answer_next_event},
		{answer_follow, answer_next_event},
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		if (strlen(answers[i].request) == n && memcmp(answers[i].request, request, n) == 0)
			return answers[i].fn;
	}
	return NULL;
}

void answer_put_left_out(struct answer_text *t, uint64_t count)
{
	answer_put_format(t, ANSWER_HEAD "left_out\",\"count\":%" PRIu64 "}\n", count);
}

void answer_put_end(struct answer_text *t)
{
	answer_put_format(t, ANSWER_HEAD "end\"}\n");
}

void answer_put_error(struct answer_text *t, const char *what)
{
	answer_put_format(t, ANSWER_HEAD "error\",\"error\":\"%s\"}\n", what);
}
