/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.c - what happened last
 *
 * An event is kept as it is, not as text: most are never read.
 */
#include "history.h"

static struct history_event *history_next_event(struct history *h, const char *name, uint64_t time)
{
	struct history_event *event = &h->ring[h->count++ % HISTORY_SIZE];

	*event = (struct history_event){.time = time, .name = name};
	return event;
}

static void history_put_parties(struct history_event *event, const struct ct_view *view)
{
	event->known = true;
	event->client = view->tuple[DIR_ORIGINAL].src;
	event->server = view->tuple[DIR_REPLY].src;
}

static void history_put_port(struct history_event *event, const struct endpoint *announced,
	const struct endpoint *listener)
{
	event->port = true;
	event->announced = *announced;
	event->listener = *listener;
}

static void history_add_opened(struct history *h, const struct verdict *v, uint64_t time)
{
	struct history_event *event = history_next_event(h, "opened", time);

	event->opened = true;
	event->on_demand = v->on_demand;
	history_put_port(event, &v->announce, &v->listener);
	if (v->known)
		history_put_parties(event, &v->view);
}

static void history_add_reason(struct history *h, const struct verdict *v, uint64_t time)
{
	struct history_event *event = history_next_event(h, reason_event(v->reason), time);

	event->reason = reason_name(v->reason);
	event->meaning = reason_meaning(v->reason);
	if (v->known)
		history_put_parties(event, &v->view);
}

bool history_verdict(struct history *h, const struct verdict *v, uint64_t time)
{
	uint64_t before = h->count;

	if (v->opened)
		history_add_opened(h, v, time);
	if (v->reason != REASON_OPENED && !v->again && reason_level(v->reason) < REASON_LEVEL_DEBUG)
		history_add_reason(h, v, time);
	return h->count > before;
}

void history_ended(struct history *h, const struct ended *e, uint64_t time)
{
	struct history_event *event = history_next_event(h, ending_name(e->how), time);

	history_put_port(event, &e->plan->announce, &e->plan->expect.nat);
	history_put_parties(event, e->view);
}

void history_adopted(struct history *h, const struct adopted *a, uint64_t time)
{
	struct history_event *event;

	if (a->result != ADOPT_DONE)
		return;
	event = history_next_event(h, "adopted", time);
	history_put_port(event, &a->expect->tuple.dst, &a->expect->nat);
	history_put_parties(event, a->view);
}

uint64_t history_first(const struct history *h)
{
	return h->count < HISTORY_SIZE ? 0 : h->count - HISTORY_SIZE;
}

const struct history_event *history_at(const struct history *h, uint64_t i)
{
	return &h->ring[i % HISTORY_SIZE];
}
