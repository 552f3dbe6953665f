/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.c - the daemon's numbers for Prometheus, in its text format
 *
 * Names follow Prometheus' conventions: base units, counters end with _total. No label has an
 * address: its values would be as many as there are clients.
 */
#include <stdbool.h>
#include <string.h>

#include "pasvd/array.h"
#include "show.h"

/* That sessions have; each has a sample, so that none appears only when it happens. */
static const char *const states[] = {
	"login", "logged-in", "tls", "closing", "not-ftp", "no-ct-helper"};

static void metrics_put_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metrics_put_number(
	FILE *out, const char *name, const char *type, const char *help, json_int_t value)
{
	metrics_put_head(out, name, type, help);
	fprintf(out, "%s %" JSON_INTEGER_FORMAT "\n", name, value);
}

static void metrics_put_info(FILE *out, const json_t *status)
{
	metrics_put_head(out, "pasvd_info", "gauge", "Version and ct helper of the daemon.");
	fprintf(out, "pasvd_info{version=\"%s\",ct_helper=\"%s\"} 1\n",
		show_string(status, "version"), show_string(status, "ct_helper"));
	metrics_put_number(out, "pasvd_start_time_seconds", "gauge",
		"When the daemon was started, since 1970.",
		show_number(status, "started_us") / 1000000);
}

static void metrics_put_reload(FILE *out, const json_t *reload)
{
	metrics_put_number(out, "pasvd_config_last_reload_successful", "gauge",
		"Whether the configuration was right when the daemon read it last.",
		json_is_true(json_object_get(reload, "successful")));
	metrics_put_number(out, "pasvd_config_last_reload_success_timestamp_seconds", "gauge",
		"When a configuration that was right was read last, since 1970.",
		show_number(reload, "success_us") / 1000000);
}

/* Nothing if it is not known: no rules watched, or others than those that are. */
static void metrics_put_rules(FILE *out, const json_t *rules)
{
	static const struct {
		const char *state;
		bool loaded;
	} known[] = {{"loaded", true}, {"missing", false}, {"given-up", false}, {"removed", false}};
	const char *state = show_string(rules, "state");

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(state, known[i].state) == 0)
			metrics_put_number(out, "pasvd_rules_loaded", "gauge",
				"Whether the firewall rules that are watched are loaded.",
				known[i].loaded);
	}
}

static void metrics_put_sessions(FILE *out, const json_t *answer)
{
	json_int_t count[ARRAY_SIZE(states)] = {0};
	const char *state;

	for (size_t i = 0; i < json_array_size(answer); i++) {
		state = show_string(json_array_get(answer, i), "state");
		for (size_t s = 0; s < ARRAY_SIZE(states); s++)
			count[s] += strcmp(state, states[s]) == 0;
	}
	metrics_put_head(out, "pasvd_sessions", "gauge", "Control connections that go on.");
	for (size_t s = 0; s < ARRAY_SIZE(states); s++)
		fprintf(out, "pasvd_sessions{state=\"%s\"} %" JSON_INTEGER_FORMAT "\n", states[s],
			count[s]);
}

static void metrics_put_table(FILE *out, const json_t *status)
{
	metrics_put_number(out, "pasvd_remembered_sessions", "gauge",
		"Control connections in the daemon's table, with those that are over.",
		show_number(status, "sessions"));
	metrics_put_number(out, "pasvd_max_sessions", "gauge",
		"Control connections for which the table has room.",
		show_number(status, "max_sessions"));
	metrics_put_number(out, "pasvd_evicted_sessions_total", "counter",
		"Sessions that had to make room for others, and to log in again.",
		show_number(status, "evicted"));
}

/* Nothing without a queue that the daemon may look at: then there is no number, which is not 0. */
static void metrics_put_waiting(FILE *out, json_t *queues)
{
	const char *name;
	json_t *queue;

	metrics_put_head(
		out, "pasvd_queue_packets", "gauge", "Packets that wait for their verdict.");
	json_object_foreach(queues, name, queue)
	{
		fprintf(out, "pasvd_queue_packets{queue=\"%s\"} %" JSON_INTEGER_FORMAT "\n", name,
			show_number(queue, "waiting"));
	}
}

static void metrics_put_dropped(FILE *out, json_t *queues)
{
	static const struct {
		const char *cause, *member;
	} drops[] = {{"queue_full", "dropped"}, {"socket_full", "undelivered"}};
	const char *name;
	json_t *queue;

	metrics_put_head(out, "pasvd_queue_dropped_packets_total", "counter",
		"Packets that the kernel dropped before the daemon got them.");
	json_object_foreach(queues, name, queue)
	{
		for (size_t i = 0; i < ARRAY_SIZE(drops); i++)
			fprintf(out,
				"pasvd_queue_dropped_packets_total{queue=\"%s\",cause=\"%s\"} "
				"%" JSON_INTEGER_FORMAT "\n",
				name, drops[i].cause, show_number(queue, drops[i].member));
	}
}

static void metrics_put_queues(FILE *out, json_t *queues)
{
	if (!json_object_size(queues))
		return;
	metrics_put_waiting(out, queues);
	metrics_put_dropped(out, queues);
}

static void metrics_put_opened(FILE *out, json_t *ports)
{
	const char *mode;
	json_t *count;

	metrics_put_head(out, "pasvd_expectations_installed_total", "counter",
		"Ports that were opened for a data connection.");
	json_object_foreach(ports, mode, count)
	{
		fprintf(out,
			"pasvd_expectations_installed_total{mode=\"%s\"} %" JSON_INTEGER_FORMAT
			"\n",
			mode, show_number(count, "opened"));
	}
}

static void metrics_put_endings(FILE *out, const char *mode, json_t *count)
{
	const char *ending;
	json_t *n;

	json_object_foreach(count, ending, n)
	{
		if (strcmp(ending, "opened") != 0)
			fprintf(out,
				"pasvd_expectations_ended_total{mode=\"%s\",ending=\"%s\"} "
				"%" JSON_INTEGER_FORMAT "\n",
				mode, ending, json_integer_value(n));
	}
}

static void metrics_put_ended(FILE *out, json_t *ports)
{
	const char *mode;
	json_t *count;

	metrics_put_head(out, "pasvd_expectations_ended_total", "counter",
		"Ports that were opened, by how they ended.");
	json_object_foreach(ports, mode, count)
	{
		metrics_put_endings(out, mode, count);
	}
}

static void metrics_put_verdicts(FILE *out, const json_t *answer)
{
	metrics_put_head(
		out, "pasvd_verdicts_total", "counter", "Packets by the reason of their verdict.");
	for (size_t i = 0; i < json_array_size(answer); i++) {
		const json_t *r = json_array_get(answer, i);

		if (strcmp(show_string(r, "type"), "reason") == 0)
			fprintf(out,
				"pasvd_verdicts_total{reason=\"%s\"} %" JSON_INTEGER_FORMAT "\n",
				show_string(r, "reason"), show_number(r, "count"));
	}
}

void show_metrics(FILE *out, const json_t *answer, size_t width)
{
	const json_t *status = json_array_get(answer, 0);

	(void)width;
	metrics_put_info(out, status);
	metrics_put_reload(out, json_object_get(status, "reload"));
	metrics_put_rules(out, json_object_get(status, "rules"));
	metrics_put_sessions(out, answer);
	metrics_put_table(out, status);
	metrics_put_queues(out, json_object_get(status, "queue_packets"));
	metrics_put_opened(out, json_object_get(status, "ports"));
	metrics_put_ended(out, json_object_get(status, "ports"));
	metrics_put_verdicts(out, answer);
}
