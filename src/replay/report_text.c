/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_text.c - what is said about a capture, in lines for people
 *
 * A paragraph for each connection, and one at the end. Nothing is printed as it stands in the
 * capture: what peers sent has become numbers, addresses, letters and names of ours.
 */
#include "report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

static const char *const speakers[] = {[DIR_ORIGINAL] = "client", [DIR_REPLY] = "server"};

/* An endpoint's text, for as long as the expression lasts. */
#define TEXT(e) endpoint_text((e), (char[ENDPOINT_TEXT_MAX]){0})

static const char *report_address_text(const struct addr *a, char buf[ADDR_TEXT_MAX + 1])
{
	buf[addr_text(a, (uint8_t *)buf)] = '\0';
	return buf;
}

#define ADDRESS(a) report_address_text((a), (char[ADDR_TEXT_MAX + 1]){0})

/* --- events --- */

static void report_print_label(const struct event *e, const char *label, FILE *out)
{
	fprintf(out, "  +%" PRIu64 ".%03" PRIu64 "  %-15s ", e->time / US_PER_S,
		e->time / US_PER_MS % 1000, label);
}

static void report_print_offer(const struct event *e, FILE *out)
{
	if (e->offers && e->offer.addr.family)
		fprintf(out, " %s", TEXT(&e->offer));
	else if (e->offers)
		fprintf(out, " port %u", e->offer.port);
	fputc('\n', out);
}

static void report_print_command(const struct event *e, FILE *out)
{
	report_print_label(e, speakers[DIR_ORIGINAL], out);
	fputs(e->word, out);
	report_print_offer(e, out);
}

static void report_print_reply(const struct event *e, FILE *out)
{
	report_print_label(e, speakers[DIR_REPLY], out);
	fprintf(out, "%" PRIu32, e->count);
	report_print_offer(e, out);
}

static void report_print_other(const struct event *e, FILE *out)
{
	report_print_label(e, speakers[e->dir], out);
	fprintf(out, "(lines that are no %s: %" PRIu32 ")\n",
		e->dir == DIR_ORIGINAL ? "command" : "reply", e->count);
}

static void report_print_way(const struct event *e, FILE *out)
{
	fprintf(out, "%s -> %s", ADDRESS(&e->from.addr), TEXT(&e->to));
	if (!endpoint_eq(&e->to, &e->listener))
		fprintf(out, " -> %s", TEXT(&e->listener));
	fputs(e->on_demand ? ", on demand\n" : "\n", out);
}

static void report_print_open(const struct event *e, FILE *out)
{
	report_print_label(e, "open", out);
	report_print_way(e, out);
	if (!e->rewritten)
		return;
	report_print_label(e, "rewrite", out);
	fprintf(out, "the %s reads %s\n", speakers[!e->dir], TEXT(&e->announced));
}

static void report_print_ended(const struct event *e, FILE *out)
{
	report_print_label(e, "shut", out);
	report_print_way(e, out);
}

static void report_print_verdict(const struct event *e, FILE *out)
{
	static const char *const done[] = {[ACTION_PASS] = "",
		[ACTION_REPLACE] = " (rewritten)",
		[ACTION_DROP] = " (dropped)"};

	report_print_label(e, reason_name(e->reason), out);
	fprintf(out, "%s%s\n", reason_meaning(e->reason), done[e->action]);
}

static void report_print_gap(const struct event *e, FILE *out)
{
	report_print_label(e, "gap", out);
	fprintf(out, "bytes of the %s that are not in the capture: %" PRIu32 "\n", speakers[e->dir],
		e->count);
}

static void (*const print_event[])(const struct event *e, FILE *out) = {
	[EVENT_COMMAND] = report_print_command,
	[EVENT_REPLY] = report_print_reply,
	[EVENT_OTHER] = report_print_other,
	[EVENT_OPEN] = report_print_open,
	[EVENT_SHUT] = report_print_ended,
	[EVENT_VERDICT] = report_print_verdict,
	[EVENT_GAP] = report_print_gap,
};

/* --- connections --- */

static void report_print_heading(const struct flow *flow, FILE *out)
{
	const struct tuple *original = &flow->view.tuple[DIR_ORIGINAL],
			   *reply = &flow->view.tuple[DIR_REPLY];
	time_t second = (time_t)(flow->start / US_PER_S);
	char when[sizeof "2026-11-22 00:00:00 and room for years to come"] = "?";
	struct tm tm;

	if (gmtime_r(&second, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	fprintf(out, "%s -> %s", TEXT(&original->src), TEXT(&original->dst));
	if (!endpoint_eq(&original->dst, &reply->src))
		fprintf(out, " -> %s", TEXT(&reply->src));
	fprintf(out, "  %s UTC\n", when);
}

/* A capture from outside has the outside address, and the text has the real one. */
static bool report_is_from_outside(const struct event *e)
{
	if (e->kind == EVENT_VERDICT)
		return e->reason == REASON_FOREIGN_ADDRESS &&
		       e->offer.addr.family == e->listener.addr.family;
	return e->kind == EVENT_OPEN && addr_is_private(&e->offer.addr) &&
	       !addr_eq(&e->offer.addr, &e->listener.addr);
}

static void report_print_advice(const struct flow *flow, FILE *out)
{
	for (size_t i = 0; i < flow->n_events; i++) {
		const struct event *e = &flow->event[i];

		if (!report_is_from_outside(e))
			continue;
		fprintf(out, "  Is %s behind NAT? Then say --nat %s=%s\n", ADDRESS(&e->offer.addr),
			ADDRESS(&e->listener.addr), ADDRESS(&e->offer.addr));
		return;
	}
}

static void report_print_remarks(const struct flows *f, const struct flow *flow, FILE *out)
{
	const struct side *side = flow->side;

	if (!flow->beginning)
		fputs("  Its beginning is not in the capture: it counts as logged in.\n", out);
	if (!side[DIR_ORIGINAL].packets || !side[DIR_REPLY].packets)
		fprintf(out,
			"  Only packets of the %s are in the capture: nothing can be paired.\n",
			speakers[side[DIR_ORIGINAL].packets ? DIR_ORIGINAL : DIR_REPLY]);
	if (flow->cut)
		fprintf(out,
			"  Segments that are cut off by the capture's snapshot length: %" PRIu64
			"\n",
			flow->cut);
	if (flow->left_out)
		fprintf(out, "  Lines that are left out here: %" PRIu64 "\n", flow->left_out);
	if (!f->nat.n)
		report_print_advice(flow, out);
}

static void report_print_flow(const struct flows *f, const struct flow *flow, FILE *out)
{
	report_print_heading(flow, out);
	for (size_t i = 0; i < flow->n_events; i++)
		print_event[flow->event[i].kind](&flow->event[i], out);
	report_print_remarks(f, flow, out);
	fputc('\n', out);
}

static void report_print_summary(const struct flows *f, bool complete, FILE *out)
{
	fprintf(out, "connections=%" PRIu64 " packets=%" PRIu64 " control=%" PRIu64, f->n,
		f->packets, f->control);
	for (int i = 0; i < REASON_COUNT; i++) {
		if (f->count[i])
			fprintf(out, " %s=%" PRIu64, reason_name((enum reason)i), f->count[i]);
	}
	fputc('\n', out);
	if (f->cut)
		fprintf(out, "Packets that are cut off within their headers: %" PRIu64 "\n",
			f->cut);
	if (f->left_out)
		fprintf(out, "Packets of connections for which there was no room: %" PRIu64 "\n",
			f->left_out);
	if (f->n && !f->nat.n)
		fputs("No --nat: each server is taken to be dialled by the address that it has "
		      "here.\n",
			out);
	if (!complete)
		fputs("The capture could not be read to its end.\n", out);
}

void report_text(const struct flows *f, bool complete, FILE *out)
{
	for (const struct flow *flow = f->first; flow; flow = flow->next)
		report_print_flow(f, flow, out);
	report_print_summary(f, complete, out);
}
