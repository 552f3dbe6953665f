/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.c - the control connections of a capture, and what happened on them
 *
 * Connections are found through a tree of libc's, whose depth nobody can drive up.
 */
#include "flow.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_FIRST = 16 };

void flows_init(struct flows *f, struct engine *engine)
{
	memset(f, 0, sizeof(*f));
	f->engine = engine;
	f->last = &f->first;
	f->room = FLOWS_ROOM;
}

bool flows_take(struct flows *f, size_t bytes)
{
	if (bytes > f->room)
		return false;
	f->room -= bytes;
	return true;
}

void flows_give(struct flows *f, size_t bytes)
{
	f->room += bytes;
}

struct on_demand_syn {
	struct tuple tuple;
	uint32_t seq;
};

static void flow_keep_data(void *data)
{
	(void)data;
}

static void flow_free(struct flow *flow)
{
	for (int dir = 0; dir < 2; dir++) {
		struct waiting *w = flow->side[dir].waiting, *next;

		for (; w; w = next) {
			next = w->next;
			free(w);
		}
	}
	free(flow->event);
	free(flow);
}

void flows_free(struct flows *f)
{
	struct flow *flow = f->first, *next;

	tdestroy(f->by_tuple, flow_keep_data);
	tdestroy(f->expected, flow_keep_data);
	tdestroy(f->on_demand_syns, free);
	for (; flow; flow = next) {
		next = flow->next;
		flow_free(flow);
	}
	flows_init(f, f->engine);
}

static int flow_compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int flow_endpoint_order(const struct endpoint *a, const struct endpoint *b)
{
	int o = flow_compare(a->addr.family, b->addr.family);

	if (!o)
		o = memcmp(a->addr.byte, b->addr.byte, addr_len(&a->addr));
	return o ? o : flow_compare(a->port, b->port);
}

int flow_tuple_order(const struct tuple *a, const struct tuple *b)
{
	int o = flow_endpoint_order(&a->src, &b->src);

	if (!o)
		o = flow_endpoint_order(&a->dst, &b->dst);
	return o ? o : flow_compare(a->zone, b->zone);
}

static int flow_order(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	return flow_tuple_order(&x->view.tuple[DIR_ORIGINAL], &y->view.tuple[DIR_ORIGINAL]);
}

struct flow *flows_find(const struct flows *f, const struct tuple *original)
{
	const struct flow key = {.view.tuple[DIR_ORIGINAL] = *original};
	struct flow *const *found = tfind(&key, &f->by_tuple, flow_order);

	return found ? *found : NULL;
}

struct flow *flows_add(struct flows *f, const struct tuple tuple[2])
{
	struct flow *flow = flows_take(f, sizeof(*flow)) ? calloc(1, sizeof(*flow)) : NULL;
	struct flow **node;

	if (flow)
		memcpy(flow->view.tuple, tuple, sizeof(flow->view.tuple));
	node = flow ? tsearch(flow, &f->by_tuple, flow_order) : NULL;
	if (!node) {
		free(flow);
		f->left_out++;
		return NULL;
	}
	*node = flow; /* in place of an older one */
	flow->view.has_helper = flow->view.established = true;
	for (int dir = 0; dir < 2; dir++)
		flow->side[dir].line.buf = flow->side[dir].text;
	flow->start = f->now;
	*f->last = flow;
	f->last = &flow->next;
	f->n++;
	return flow;
}

static int on_demand_syn_order(const void *a, const void *b)
{
	const struct on_demand_syn *x = a, *y = b;

	return flow_tuple_order(&x->tuple, &y->tuple);
}

bool flows_first_on_demand_syn(struct flows *f, const struct tuple *tuple, uint32_t seq)
{
	struct on_demand_syn key = {*tuple, seq},
			     *const *found = tfind(&key, &f->on_demand_syns, on_demand_syn_order),
			     *k;
	bool first = !found || (*found)->seq != seq;

	if (found) {
		(*found)->seq = seq;
		return first;
	}
	k = flows_take(f, sizeof(*k)) ? malloc(sizeof(*k)) : NULL;
	if (k)
		*k = key;
	if (k && !tsearch(k, &f->on_demand_syns, on_demand_syn_order))
		free(k);
	return true;
}

static bool flow_grow(struct flows *f, struct flow *flow)
{
	size_t room = flow->room_events ? flow->room_events * 2 : EVENTS_FIRST;
	size_t more = (room - flow->room_events) * sizeof(*flow->event);
	struct event *event;

	if (room > FLOW_EVENTS_MAX || !flows_take(f, more))
		return false;
	event = realloc(flow->event, room * sizeof(*event));
	if (!event)
		return false;
	flow->event = event;
	flow->room_events = room;
	return true;
}

void flow_event(struct flows *f, struct flow *flow, struct event e)
{
	if (flow->n_events == flow->room_events && !flow_grow(f, flow)) {
		flow->left_out++;
		return;
	}
	e.time = f->now - flow->start;
	flow->event[flow->n_events++] = e;
}
