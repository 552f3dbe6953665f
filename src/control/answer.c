/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c - what the daemon tells of itself: objects of JSON, one a line
 *
 * No library is used: it would allocate, and there is nothing to escape. Sessions that conntrack does not know any more, or
 * that are over, are left out, although the table keeps them until it needs the room.
 */
#include "answer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char answer_follow[] = "follow";

static void put(struct answer_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct answer_text *t, const char *fmt, ...)
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

static void put_endpoint(struct answer_text *t, const char *name, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	put(t, "\"%s\":\"%s\"", name, endpoint_text(e, text));
}

static void put_parties(struct answer_text *t, const struct endpoint *client, const struct endpoint *server)
{
	put_endpoint(t, "client", client);
	put(t, ",");
	put_endpoint(t, "server", server);
}

static void put_port(struct answer_text *t, const struct endpoint *announced, const struct endpoint *listener)
{
	put_endpoint(t, "announced", announced);
	put(t, ",");
	put_endpoint(t, "listener", listener);
}

static bool put_status(const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	(void)i;
	put(t, "{\"type\":\"status\",\"version\":\"%s\",\"ct_helper\":\"%s\",\"queues\":{\"control\":%u",
		PASVD_VERSION, a->ct_helper, a->queue);
	if (a->on_demand_syns)
		put(t, ",\"on_demand_syns\":%u", a->tls_queue);
	put(t, "},\"uptime\":%" PRIu64 ",\"known\":%" PRIu32 ",\"known_max\":%" PRIu32 ",\"counters\":{",
		(now - a->since) / 1000, a->engine->tab.live, a->engine->tab.max);
	for (int r = 0; r < REASON_COUNT; r++)
		put(t, "%s\"%s\":%" PRIu64, r ? "," : "", reason_name((enum reason)r), a->engine->count[r]);
	put(t, "},\"endings\":{");
	for (int e = 0; e < ENDING_COUNT; e++)
		put(t, "%s\"%s\":%" PRIu64, e ? "," : "", ending_name((enum ending)e), a->engine->ended[e]);
	put(t, "}}\n");
	return false;
}

static bool put_reason(const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	enum reason r = (enum reason)i;

	(void)now;
	put(t,
		"{\"type\":\"reason\",\"reason\":\"%s\",\"priority\":\"%s\",\"count\":%" PRIu64
		",\"meaning\":\"%s\"}\n",
		reason_name(r), reason_level_name(reason_level(r)), a->engine->count[r], reason_meaning(r));
	return i + 1 < REASON_COUNT;
}

/* Also of a connection that has begun to end: whether it goes on is told by `now`, conntrack's view of this moment. */
static const char *state_of(const struct conn *c, const struct ct_view *now)
{
	if (!now->established)
		return "closing";
	if (!c->view.ours)
		return "no-ct-helper";
	if (c->told)
		return "not-translated";
	if (c->tls)
		return "tls";
	if (c->session.alien)
		return "not-ftp";
	return c->session.greeted ? "login" : "logged-in";
}

/* The port that waits for its connection. */
static bool is_expected(const struct answer_about *a, const struct conn *c, uint32_t *ret_seconds)
{
	return c->last.announce.port && a->expected(a->ct, &c->last.expect, ret_seconds);
}

static void put_session(const struct answer_about *a, const struct conn *c, const struct ct_view *view,
	uint64_t now, struct answer_text *t)
{
	uint32_t seconds;

	put(t, "{\"type\":\"session\",");
	put_parties(t, &view->tuple[DIR_ORIGINAL].src, &view->tuple[DIR_REPLY].src);
	put(t, ",");
	put_endpoint(t, "dialled", &view->tuple[DIR_ORIGINAL].dst);
	put(t,
		",\"state\":\"%s\",\"cleared\":%s,\"shift\":{\"client\":%" PRId32 ",\"server\":%" PRId32
		"},\"port\":",
		state_of(c, view), c->cleared ? "true" : "false", view->seqadj[DIR_ORIGINAL].after,
		view->seqadj[DIR_REPLY].after);
	if (is_expected(a, c, &seconds)) {
		put(t, "{");
		put_port(t, &c->last.announce, &c->last.expect.nat);
		put(t, ",\"seconds\":%" PRIu32 "}", seconds);
	} else {
		put(t, "null");
	}
	put(t, ",\"idle\":%" PRIu64 "}\n", (now - c->seen) / 1000);
}

static bool next_session(const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	const struct engine *h = a->engine;
	const struct conn *c = conntab_at(&h->tab, (uint32_t)i);
	struct ct_view view;

	if (c && h->ct.get(h->ct.ctx, &c->view.tuple[DIR_ORIGINAL], &view) == CT_OK && !view.over)
		put_session(a, c, &view, now, t);
	return i + 1 < h->tab.used;
}

static void put_expectation(const struct conn *c, uint32_t seconds, struct answer_text *t)
{
	const struct expect *e = &c->last.expect;
	struct endpoint from = {.addr = e->tuple.src.addr};
	uint8_t text[ADDR_TEXT_MAX];

	put(t, "{\"type\":\"expectation\",");
	put_parties(t, &c->view.tuple[DIR_ORIGINAL].src, &c->view.tuple[DIR_REPLY].src);
	put(t, ",\"from\":\"%.*s\",", (int)addr_text(&from.addr, text), (const char *)text);
	put_endpoint(t, "to", &e->tuple.dst);
	put(t, ",");
	put_port(t, &c->last.announce, &e->nat);
	put(t, ",\"seconds\":%" PRIu32 "}\n", seconds);
}

static bool next_expectation(const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	const struct conntab *tab = &a->engine->tab;
	const struct conn *c = conntab_at(tab, (uint32_t)i);
	uint32_t seconds;

	(void)now;
	if (c && is_expected(a, c, &seconds))
		put_expectation(c, seconds, t);
	return i + 1 < tab->used;
}

static void put_event(struct answer_text *t, const struct event *e)
{
	put(t, "{\"type\":\"event\",\"time\":%" PRIu64 ".%03u,\"event\":\"%s\"", e->time / 1000,
		(unsigned)(e->time % 1000), e->name);
	if (e->known) {
		put(t, ",");
		put_parties(t, &e->client, &e->server);
	}
	if (e->port) {
		put(t, ",");
		put_port(t, &e->announced, &e->listener);
	}
	if (e->opened)
		put(t, ",\"on_demand\":%s", e->on_demand ? "true" : "false");
	if (e->meaning)
		put(t, ",\"meaning\":\"%s\"", e->meaning);
	put(t, "}\n");
}

static bool next_event(const struct answer_about *a, uint64_t i, uint64_t now, struct answer_text *t)
{
	(void)now;
	if (i < a->history->count)
		put_event(t, history_at(a->history, i));
	return i + 1 < a->history->count;
}

bool answer_is_of_events(answer_fn *answer)
{
	return answer == next_event;
}

answer_fn *answer_to(const char *request, size_t n)
{
	static const struct {
		const char *request;
		answer_fn *fn;
	} answers[] = {
		{"status", put_status},
		{"sessions", next_session},
		{"expectations", next_expectation},
		{"reasons", put_reason},
		{"events", next_event},
		{answer_follow, next_event},
	};

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (strlen(answers[i].request) == n && memcmp(answers[i].request, request, n) == 0)
			return answers[i].fn;
	}
	return NULL;
}

void answer_put_left_out(struct answer_text *t, uint64_t count)
{
	put(t, "{\"type\":\"left-out\",\"count\":%" PRIu64 "}\n", count);
}

void answer_put_end(struct answer_text *t)
{
	put(t, "{\"type\":\"end\"}\n");
}

void answer_put_error(struct answer_text *t, const char *what)
{
	put(t, "{\"type\":\"error\",\"error\":\"%s\"}\n", what);
}
