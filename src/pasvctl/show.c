/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.c - the daemon's answers, for people */
#include "show.h"
#include "pasvd/array.h"

#include <string.h>
#include <time.h>

#include "table.h"

enum { CELL_MAX = 64, CONFIG_COLUMN = 40 };

const char *show_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "?";
}

json_int_t show_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

const char *show_time(json_int_t seconds, char *buf)
{
	static const struct {
		const char *unit;
		json_int_t seconds, until;
	} units[] = {{"s", 1, 120}, {"min", 60, 7200}, {"h", 3600, 172800}, {"d", 86400, 0}};
	size_t i = 0;

	while (units[i].until && seconds >= units[i].until)
		i++;
	snprintf(buf, SHOW_TIME_MAX, "%" JSON_INTEGER_FORMAT " %s", seconds / units[i].seconds,
		units[i].unit);
	return buf;
}

static void show_put_counters(FILE *out, const char *title, json_t *counters)
{
	const char *name, *left = title;
	json_t *count;

	json_object_foreach(counters, name, count)
	{
		if (!json_integer_value(count))
			continue;
		fprintf(out, "%-11s  %-16s %" JSON_INTEGER_FORMAT "\n", left, name,
			json_integer_value(count));
		left = "";
	}
}

static void show_put_rules(FILE *out, const json_t *rules)
{
	json_int_t since_us = show_number(rules, "since_us");
	char text[SHOW_TIME_MAX];

	fprintf(out, "%-11s  %s", "rules", show_string(rules, "state"));
	if (since_us)
		fprintf(out, " for %s",
			show_time((json_int_t)time(NULL) - since_us / 1000000, text));
	fputs("\n", out);
}

void show_status(FILE *out, const json_t *answer, size_t width)
{
	const json_t *s = json_array_get(answer, 0);
	const json_t *queues = json_object_get(s, "queues");
	char text[SHOW_TIME_MAX];

	(void)width;
	fprintf(out, "%-11s  %s\n", "version", show_string(s, "version"));
	fprintf(out, "%-11s  %s\n", "ct-helper", show_string(s, "ct_helper"));
	fprintf(out, "%-11s  %" JSON_INTEGER_FORMAT, "queue", show_number(queues, "control"));
	if (json_object_get(queues, "on_demand_syns"))
		fprintf(out, ", of on-demand SYNs %" JSON_INTEGER_FORMAT,
			show_number(queues, "on_demand_syns"));
	fputs("\n", out);
	show_put_rules(out, json_object_get(s, "rules"));
	fprintf(out, "%-11s  %s\n", "up", show_time(show_number(s, "uptime_s"), text));
	fprintf(out, "%-11s  %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT "\n", "remembered",
		show_number(s, "sessions"), show_number(s, "max_sessions"));
	show_put_counters(out, "counters", json_object_get(s, "counters"));
	show_put_counters(out, "ports ended", json_object_get(s, "endings"));
}

static const char *show_port_of(const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');

	return colon ? colon + 1 : endpoint;
}

static void show_add_session(json_t *rows, const json_t *s)
{
	const json_t *shift = json_object_get(s, "shift"), *port = json_object_get(s, "port");
	char shifts[CELL_MAX], open[CELL_MAX] = "-", idle[SHOW_TIME_MAX];
	const char *cells[] = {show_string(s, "client"), show_string(s, "dialled"),
		show_string(s, "server"), show_string(s, "state"), shifts, open,
		show_time(show_number(s, "idle_s"), idle)};

	snprintf(shifts, sizeof(shifts), "%+" JSON_INTEGER_FORMAT "/%+" JSON_INTEGER_FORMAT,
		show_number(shift, "client"), show_number(shift, "server"));
	if (json_is_object(port))
		snprintf(open, sizeof(open), "%.5s", show_port_of(show_string(port, "announced")));
	table_row(rows, ARRAY_SIZE(cells), cells);
}

void show_sessions(FILE *out, const json_t *answer, size_t width)
{
	static const struct column columns[] = {{"CLIENT", false, 0}, {"DIALLED", false, 2},
		{"SERVER", false, 0}, {"STATE", false, 0}, {"SHIFT", false, 3}, {"OPEN", true, 1},
		{"IDLE", true, 0}};
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(answer); i++)
		show_add_session(rows, json_array_get(answer, i));
	table_print(out, columns, ARRAY_SIZE(columns), rows, width);
	json_decref(rows);
}

static void show_add_expectation(json_t *rows, const json_t *e)
{
	char left[SHOW_TIME_MAX];
	const char *cells[] = {show_string(e, "from"), show_string(e, "to"),
		show_string(e, "listener"), show_string(e, "announced"),
		show_time(show_number(e, "expires_in_s"), left)};

	table_row(rows, ARRAY_SIZE(cells), cells);
}

void show_expectations(FILE *out, const json_t *answer, size_t width)
{
	static const struct column columns[] = {{"FROM", false, 0}, {"TO", false, 0},
		{"LISTENER", false, 0}, {"ANNOUNCED", false, 1}, {"LEFT", true, 0}};
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(answer); i++)
		show_add_expectation(rows, json_array_get(answer, i));
	table_print(out, columns, ARRAY_SIZE(columns), rows, width);
	json_decref(rows);
}

static void show_add_reason(json_t *rows, const json_t *r)
{
	char count[CELL_MAX];
	const char *cells[] = {show_string(r, "reason"), show_string(r, "priority"), count,
		show_string(r, "meaning")};

	snprintf(count, sizeof(count), "%" JSON_INTEGER_FORMAT, show_number(r, "count"));
	table_row(rows, ARRAY_SIZE(cells), cells);
}

void show_reasons(FILE *out, const json_t *answer, size_t width)
{
	static const struct column columns[] = {{"REASON", false, 0}, {"PRIORITY", false, 0},
		{"COUNT", true, 0}, {"MEANING", false, 0}};
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(answer); i++)
		show_add_reason(rows, json_array_get(answer, i));
	table_print(out, columns, ARRAY_SIZE(columns), rows, width);
	json_decref(rows);
}

static void show_put_setting(FILE *out, const json_t *setting)
{
	const char *value = show_string(setting, "value"), *from = show_string(setting, "from");
	bool is_default = strcmp(from, "default") == 0;
	int width = fprintf(out, "%s%s =%s%s", is_default ? "#" : "", show_string(setting, "key"),
		value[0] ? " " : "", value);

	fprintf(out, "%*s # %s\n", width < CONFIG_COLUMN ? CONFIG_COLUMN - width : 0, "", from);
}

void show_config(FILE *out, const json_t *answer, size_t width)
{
	const char *section = "";

	(void)width;
	for (size_t i = 0; i < json_array_size(answer); i++) {
		const json_t *setting = json_array_get(answer, i);
		const char *next = show_string(setting, "section");

		/* Of all servers in one: they concern the rules, not the daemon. */
		if (strcmp(next, "server") == 0)
			continue;
		if (strcmp(section, next) != 0)
			fprintf(out, "%s[%s]\n", i ? "\n" : "", next);
		section = next;
		show_put_setting(out, setting);
	}
}

static void show_put_field(FILE *out, const json_t *event, const char *name)
{
	const char *value = json_string_value(json_object_get(event, name));

	if (value)
		fprintf(out, " %s=%s", name, value);
}

void show_event(FILE *out, const json_t *event)
{
	time_t when = (time_t)(show_number(event, "time_us") / 1000000);
	const char *meaning = json_string_value(json_object_get(event, "meaning"));
	char clock[32] = "?";
	struct tm tm;

	if (strcmp(show_string(event, "type"), "left_out") == 0) {
		fprintf(out, "event=left-out events=%" JSON_INTEGER_FORMAT "\n",
			show_number(event, "count"));
		return;
	}
	if (localtime_r(&when, &tm))
		strftime(clock, sizeof(clock), "%b %e %T", &tm);
	fprintf(out, "%s event=%s", clock, show_string(event, "event"));
	show_put_field(out, event, "reason");
	show_put_field(out, event, "client");
	show_put_field(out, event, "server");
	show_put_field(out, event, "announced");
	show_put_field(out, event, "listener");
	if (json_is_true(json_object_get(event, "on_demand")))
		fputs(" on-demand=yes", out);
	if (meaning)
		fprintf(out, " msg=\"%s\"", meaning);
	fputs("\n", out);
}
