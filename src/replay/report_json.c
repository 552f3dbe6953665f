/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_json.c - what is said about a capture, as JSON
 *
 * The schema is in pasvd(8): what is there stays, new members may come. Each connection is put
 * together and written by itself, so that memory is needed for one of them only. NULL is what
 * jansson could not make; whatever is made of that is NULL too.
 */
#include "report.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

enum { FORMAT = 1 };

/* Numbers of JSON have a sign. */
static json_int_t json_number(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *json_endpoint(const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	return json_string(endpoint_text(e, text));
}

static json_t *json_address(const struct addr *a)
{
	uint8_t text[ADDR_TEXT_MAX];

	return json_stringn((const char *)text, addr_text(a, text));
}

/* --- events --- */

/* An offered address and port, as far as there are any: left out by json_pack()'s o* if not. */
static json_t *json_offered_address(const struct event *e)
{
	return e->offers && e->offer.addr.family ? json_address(&e->offer.addr) : NULL;
}

static json_t *json_offered_port(const struct event *e)
{
	return e->offers ? json_integer(e->offer.port) : NULL;
}

static json_t *json_command(const struct event *e)
{
	return json_pack("{s:s, s:o*, s:o*}", "command", e->word, "address",
		json_offered_address(e), "port", json_offered_port(e));
}

static json_t *json_reply(const struct event *e)
{
	return json_pack("{s:I, s:o*, s:o*}", "code", json_number(e->count), "address",
		json_offered_address(e), "port", json_offered_port(e));
}

static json_t *json_other(const struct event *e)
{
	return json_pack("{s:I}", "lines", json_number(e->count));
}

static json_t *json_ended(const struct event *e)
{
	return json_pack("{s:o, s:o, s:o}", "from", json_address(&e->from.addr), "to",
		json_endpoint(&e->to), "listener", json_endpoint(&e->listener));
}

static json_t *json_open(const struct event *e)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b}", "from", json_address(&e->from.addr),
		"to", json_endpoint(&e->to), "listener", json_endpoint(&e->listener), "announced",
		json_endpoint(&e->announced), "rewritten", e->rewritten, "on_demand", e->on_demand);
}

static json_t *json_verdict(const struct event *e)
{
	static const char *const actions[] = {
		[ACTION_PASS] = "pass", [ACTION_REPLACE] = "rewrite", [ACTION_DROP] = "drop"};

	return json_pack("{s:s, s:s, s:s}", "reason", reason_name(e->reason), "meaning",
		reason_meaning(e->reason), "action", actions[e->action]);
}

static json_t *json_gap(const struct event *e)
{
	return json_pack("{s:I}", "bytes", json_number(e->count));
}

static const struct {
	const char *name;
	json_t *(*members)(const struct event *e);
} kinds[] = {
	[EVENT_COMMAND] = {"command", json_command},
	[EVENT_REPLY] = {"reply", json_reply},
	[EVENT_OTHER] = {"other", json_other},
	[EVENT_OPEN] = {"open", json_open},
	[EVENT_SHUT] = {"shut", json_ended},
	[EVENT_VERDICT] = {"verdict", json_verdict},
	[EVENT_GAP] = {"gap", json_gap},
};

static json_t *json_event(const struct event *e, uint64_t start)
{
	json_t *o = json_pack("{s:s, s:I, s:s}", "event", kinds[e->kind].name, "time_us",
		json_number(start + e->time), "side", e->dir == DIR_ORIGINAL ? "client" : "server");
	json_t *members = kinds[e->kind].members(e);

	if (json_object_update(o, members) < 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(members);
	return o;
}

static json_t *json_events(const struct flow *flow)
{
	json_t *list = json_array();
	int err = 0;

	for (size_t i = 0; i < flow->n_events && !err; i++)
		err = json_array_append_new(list, json_event(&flow->event[i], flow->start));
	if (!err)
		return list;
	json_decref(list);
	return NULL;
}

/* --- connections --- */

static json_t *json_packets(const struct flow *flow)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "client",
		json_number(flow->side[DIR_ORIGINAL].packets), "server",
		json_number(flow->side[DIR_REPLY].packets), "cut", json_number(flow->cut), "twice",
		json_number(flow->twice));
}

static json_t *json_connection(const struct flow *flow)
{
	const struct tuple *original = &flow->view.tuple[DIR_ORIGINAL],
			   *reverse = &flow->view.tuple[DIR_REPLY];

	return json_pack("{s:o, s:o, s:o, s:I, s:b, s:I, s:I, s:o, s:o}", "client",
		json_endpoint(&original->src), "dialled", json_endpoint(&original->dst), "server",
		json_endpoint(&reverse->src), "start_us", json_number(flow->start), "beginning",
		flow->beginning, "missing_bytes", json_number(flow->missing), "events_left_out",
		json_number(flow->left_out), "packets", json_packets(flow), "events",
		json_events(flow));
}

static json_t *json_verdict_counts(const uint64_t count[REASON_COUNT])
{
	json_t *o = json_object();
	int err = 0;

	for (int i = 0; i < REASON_COUNT && !err; i++)
		err = json_object_set_new(
			o, reason_name((enum reason)i), json_integer(json_number(count[i])));
	if (!err)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *json_summary(const struct flows *f, bool complete)
{
	return json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "complete", complete,
		"assumed", !f->nat.n, "connections", json_number(f->n), "packets_left_out",
		json_number(f->left_out), "packets", json_number(f->packets), "control_packets",
		json_number(f->control), "cut_packets", json_number(f->cut), "verdicts",
		json_verdict_counts(f->count));
}

/* Writes `o`, which is gone then. */
static int json_write_object(json_t *o, FILE *out)
{
	int err = json_dumpf(o, out, JSON_COMPACT);

	json_decref(o);
	return err;
}

/* The time zone's, which gmtime_r() reads although it needs none, and /dev/urandom. With a buffer
 * stdout has also been asked whether it is a terminal. */
void report_prepare(void)
{
	tzset();
	json_object_seed(0);
	setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
}

int report_json(const struct flows *f, bool complete, FILE *out)
{
	int err = 0;

	fprintf(out, "{\"format\":%d,\"connections\":[", FORMAT);
	for (const struct flow *flow = f->first; flow && !err; flow = flow->next) {
		fputs(flow == f->first ? "\n" : ",\n", out);
		err = json_write_object(json_connection(flow), out);
	}
	fputs("\n],\"summary\":", out);
	if (!err)
		err = json_write_object(json_summary(f, complete), out);
	fputs("}\n", out);
	return err;
}
