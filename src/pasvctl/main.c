/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - asks a running pasvd
 *
 * A command is a row of the table below: what the daemon is asked, and who shows the answer. Needs
 * no privilege but to open the socket.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "options.h"
#include "show.h"
#include "table.h"
#include "top.h"
#include "watched.h"

#define SOCKET "/run/pasvd/ctl"

/* A command's options, and how it answers. */
struct ctl_query {
	const char *path;
	bool json, follow;
	const char *requests[4]; /* what is asked, one after the other */
	void (*show)(FILE *out, const json_t *answer, size_t width); /* NULL: nothing to print */
	bool whole; /* for JSON the answer is its one object */
};

static int pasvctl_error(const char *error)
{
	options_wrong("%s", error);
	return EXIT_FAILURE;
}

static void pasvctl_print_json(const json_t *value, size_t flags)
{
	if (json_dumpf(value, stdout, flags) == 0)
		putchar('\n');
}

/* Those that are followed have no end but the daemon's, which is an error. */
static int pasvctl_run_events(void *data)
{
	const struct ctl_query *q = data;
	struct ask ask;
	json_t *event;
	bool open = ask_open(&ask, q->path, q->follow ? "follow" : "events");
	int status = EXIT_SUCCESS;

	while (open && !status && (event = ask_next(&ask, q->follow))) {
		if (q->json)
			pasvctl_print_json(event, JSON_COMPACT);
		else
			show_event(stdout, event);
		json_decref(event);
		status = q->follow ? options_flush() : EXIT_SUCCESS;
	}
	ask_close(&ask);
	if (!status && ask.error[0])
		return pasvctl_error(ask.error);
	return status ? status : options_flush();
}

static int pasvctl_run_top(void *data)
{
	const struct ctl_query *q = data;
	char error[ASK_ERROR_MAX];

	return top_run(q->path, error) ? EXIT_SUCCESS : pasvctl_error(error);
}

/* All answers in one array; NULL: an error was printed. */
static json_t *pasvctl_ask_for(const struct ctl_query *q)
{
	json_t *all = json_array(), *answer;
	struct ask ask;

	for (size_t i = 0; all && q->requests[i]; i++) {
		answer = ask_all(&ask, q->path, q->requests[i]);
		if (answer) {
			json_array_extend(all, answer);
			json_decref(answer);
		} else {
			pasvctl_error(ask.error);
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}

/* What the daemon does not know of its own state. */
static void pasvctl_complete_status(json_t *answer)
{
	json_t *status = json_array_get(answer, 0), *netns = json_object_get(status, "netns");

	if (netns)
		json_object_set_new(status, "rules", watched_rules(json_integer_value(netns)));
}

static int pasvctl_run_query(void *data)
{
	const struct ctl_query *q = data;
	json_t *answer = pasvctl_ask_for(q);

	if (!answer)
		return EXIT_FAILURE;
	pasvctl_complete_status(answer);
	if (q->json)
		pasvctl_print_json(q->whole ? json_array_get(answer, 0) : answer, JSON_INDENT(2));
	else if (q->show)
		q->show(stdout, answer, table_width());
	json_decref(answer);
	return options_flush();
}

#define ROW_SOCKET                                                                                 \
	{                                                                                          \
		.name = "socket", .letter = 's', .value = "PATH",                                  \
		.offset = offsetof(struct ctl_query, path),                                        \
		.help = "the daemon's control socket (default " SOCKET ")"                         \
	}
#define ROW_JSON                                                                                   \
	{                                                                                          \
		.name = "json", .letter = 'j', .help = "print JSON",                               \
		.offset = offsetof(struct ctl_query, json)                                         \
	}

static const struct options_row text_rows[] = {ROW_SOCKET, {0}};
static const struct options_row json_rows[] = {ROW_SOCKET, ROW_JSON, {0}};
static const struct options_row event_rows[] = {ROW_SOCKET, ROW_JSON,
	{.name = "follow",
		.letter = 'f',
		.help = "go on with what happens, until interrupted",
		.offset = offsetof(struct ctl_query, follow)},
	{0}};

static struct ctl_query status_query = {
	.path = SOCKET, .requests = {"status"}, .show = show_status, .whole = true};
static struct ctl_query sessions_query = {
	.path = SOCKET, .requests = {"sessions"}, .show = show_sessions};
static struct ctl_query expectations_query = {
	.path = SOCKET, .requests = {"expectations"}, .show = show_expectations};
static struct ctl_query counters_query = {
	.path = SOCKET, .requests = {"reasons"}, .show = show_reasons};
static struct ctl_query metrics_query = {
	.path = SOCKET, .requests = {"status", "reasons", "sessions"}, .show = show_metrics};
static struct ctl_query config_query = {
	.path = SOCKET, .requests = {"config"}, .show = show_config};
static struct ctl_query reload_query = {.path = SOCKET, .requests = {"reload"}};
static struct ctl_query takeover_query = {.path = SOCKET, .requests = {"takeover"}};
static struct ctl_query other_query = {.path = SOCKET};

static const struct options_command all[] = {
	{.name = "status",
		.summary = "version, ct helper, queues, counters",
		.rows = json_rows,
		.data = &status_query,
		.run = pasvctl_run_query},
	{.name = "sessions",
		.summary = "control connections, and the port that each has open",
		.rows = json_rows,
		.data = &sessions_query,
		.run = pasvctl_run_query},
	{.name = "expectations",
		.summary = "data connections that are expected",
		.rows = json_rows,
		.data = &expectations_query,
		.run = pasvctl_run_query},
	{.name = "events",
		.summary = "the last ports that were opened, and offers that were refused",
		.rows = event_rows,
		.data = &other_query,
		.run = pasvctl_run_events},
	{.name = "counters",
		.summary = "all outcomes with their number and meaning",
		.rows = json_rows,
		.data = &counters_query,
		.run = pasvctl_run_query},
	{.name = "metrics",
		.summary = "numbers for Prometheus",
		.rows = text_rows,
		.data = &metrics_query,
		.run = pasvctl_run_query},
	{.name = "config",
		.summary = "the settings in force, and where each stands",
		.rows = json_rows,
		.data = &config_query,
		.run = pasvctl_run_query},
	{.name = "reload",
		.summary = "have the configuration read again",
		.rows = text_rows,
		.data = &reload_query,
		.run = pasvctl_run_query},
	{.name = "takeover",
		.summary =
			"have it begin anew with what the kernel knows: another router's sessions",
		.rows = text_rows,
		.data = &takeover_query,
		.run = pasvctl_run_query},
	{.name = "top",
		.summary = "sessions, again and again",
		.rows = text_rows,
		.data = &other_query,
		.run = pasvctl_run_top},
};

int main(int argc, char **argv)
{
	static const struct options_command *const commands[] = {&all[0], &all[1], &all[2], &all[3],
		&all[4], &all[5], &all[6], &all[7], &all[8], &all[9], NULL};
	static const struct options_program program = {.name = "pasvctl",
		.version = PASVD_VERSION,
		.about = "Asks a running pasvd.\n",
		.commands = commands};

	return options_main(&program, argc, argv);
}
