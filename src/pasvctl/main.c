/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - asks a running pasvd
 *
 * A command is a row of the table below: what the daemon is asked, and who shows the answer. Needs
 * no privilege but to open the socket.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "pasvd/array.h"
#include "show.h"
#include "table.h"
#include "top.h"

enum { EXIT_USAGE = 2, TIME_DIGITS = 13 /* ms since 1970 */ };

#define SOCKET "/run/pasvd/ctl"

struct pasvctl_command;

struct arguments {
	const char *path;
	bool json, follow;
	const struct pasvctl_command *command;
};

struct pasvctl_command {
	const char *name;
	const char *requests[3]; /* what is asked, one after the other */
	void (*show)(FILE *out, const json_t *answer, size_t width);
	int (*run)(const struct arguments *a); /* in place of show */
	bool whole;                            /* for JSON the answer is its one object */
	bool no_json;
};

static int pasvctl_print_events(const struct arguments *a);
static int pasvctl_run_top(const struct arguments *a);

static const struct pasvctl_command commands[] = {
	{.name = "status", .requests = {"status"}, .show = show_status, .whole = true},
	{.name = "sessions", .requests = {"sessions"}, .show = show_sessions},
	{.name = "expectations", .requests = {"expectations"}, .show = show_expectations},
	{.name = "reasons", .requests = {"reasons"}, .show = show_reasons},
	{.name = "metrics",
		.requests = {"status", "reasons"},
		.show = show_metrics,
		.no_json = true},
	{.name = "events", .run = pasvctl_print_events},
	{.name = "top", .run = pasvctl_run_top, .no_json = true},
};

static const char usage[] =
	"usage: pasvctl [-s PATH] [-j] status|sessions|expectations|reasons\n"
	"       pasvctl [-s PATH] [-j] events [-f]\n"
	"       pasvctl [-s PATH] metrics|top\n"
	"\n"
	"Asks a running pasvd.\n"
	"\n"
	"  status        version, ct helper, queues, counters\n"
	"  sessions      control connections, and the port that each has open\n"
	"  expectations  data connections that are waited for\n"
	"  reasons       all outcomes with their number and meaning\n"
	"  events        what happened last\n"
	"  metrics       numbers for Prometheus\n"
	"  top           sessions, again and again\n"
	"\n"
	"  -s, --socket PATH  the daemon's control socket (default " SOCKET ")\n"
	"  -j, --json         print JSON\n"
	"  -f, --follow       with events: go on with what happens, until interrupted\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n";

static const struct option options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"follow", no_argument, NULL, 'f'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void pasvctl_fail(const char *what, const char *value, const char *why)
{
	fprintf(stderr, "pasvctl: %s '%s': %s; see pasvctl --help\n", what, value, why);
	exit(EXIT_USAGE);
}

/* The status at the end: whether all was printed. */
static int pasvctl_print_answer(void)
{
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "pasvctl: cannot print: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int pasvctl_error(const char *error)
{
	fprintf(stderr, "pasvctl: %s\n", error);
	return EXIT_FAILURE;
}

static void pasvctl_print_json(const json_t *value, size_t flags)
{
	if (json_dumpf(value, stdout, flags | JSON_REAL_PRECISION(TIME_DIGITS)) == 0)
		putchar('\n');
}

/* Those that are followed have no end but the daemon's, which is an error. */
static int pasvctl_print_events(const struct arguments *a)
{
	struct ask ask;
	json_t *event;
	bool open = ask_open(&ask, a->path, a->follow ? "follow" : "events");
	int status = EXIT_SUCCESS;

	while (open && !status && (event = ask_next(&ask, a->follow))) {
		if (a->json)
			pasvctl_print_json(event, JSON_COMPACT);
		else
			show_event(stdout, event);
		json_decref(event);
		status = a->follow ? pasvctl_print_answer() : EXIT_SUCCESS;
	}
	ask_close(&ask);
	if (!status && ask.error[0])
		return pasvctl_error(ask.error);
	return status ? status : pasvctl_print_answer();
}

static int pasvctl_run_top(const struct arguments *a)
{
	char error[ASK_ERROR_MAX];

	return top_run(a->path, error) ? EXIT_SUCCESS : pasvctl_error(error);
}

/* All answers in one array; NULL: an error was told. */
static json_t *pasvctl_ask_for(const struct pasvctl_command *command, const char *path)
{
	json_t *all = json_array(), *answer;
	struct ask ask;

	for (size_t i = 0; all && command->requests[i]; i++) {
		answer = ask_all(&ask, path, command->requests[i]);
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

static int pasvctl_main(const struct arguments *a)
{
	const struct pasvctl_command *command = a->command;
	json_t *answer;

	if (command->run)
		return command->run(a);
	answer = pasvctl_ask_for(command, a->path);
	if (!answer)
		return EXIT_FAILURE;
	if (a->json)
		pasvctl_print_json(
			command->whole ? json_array_get(answer, 0) : answer, JSON_INDENT(2));
	else
		command->show(stdout, answer, table_width());
	json_decref(answer);
	return pasvctl_print_answer();
}

static void pasvctl_print_and_exit(const char *text)
{
	fputs(text, stdout);
	exit(pasvctl_print_answer());
}

static const struct pasvctl_command *pasvctl_find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	pasvctl_fail("command", name, "unknown");
	return NULL;
}

static void pasvctl_take_option(int option, char **argv, struct arguments *a)
{
	switch (option) {
	case 's':
		a->path = optarg;
		break;
	case 'j':
		a->json = true;
		break;
	case 'f':
		a->follow = true;
		break;
	case 'V':
		pasvctl_print_and_exit("pasvctl " PASVD_VERSION "\n");
		break;
	case 'h':
		pasvctl_print_and_exit(usage);
		break;
	case ':':
		pasvctl_fail("option", argv[optind - 1], "a value is missing");
		break;
	default:
		pasvctl_fail("option", argv[optind - 1], "unknown");
	}
}

static struct arguments pasvctl_parse_arguments(int argc, char **argv)
{
	struct arguments a = {.path = SOCKET};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":s:jfVh", options, NULL)) != -1)
		pasvctl_take_option(option, argv, &a);
	if (optind == argc)
		pasvctl_fail("command", "", "one is wanted");
	a.command = pasvctl_find_command(argv[optind]);
	if (optind + 1 < argc)
		pasvctl_fail("argument", argv[optind + 1], "the command takes none");
	if (a.json && a.command->no_json)
		pasvctl_fail("option", "--json", "does not go with this command");
	if (a.follow && a.command->run != pasvctl_print_events)
		pasvctl_fail("option", "--follow", "goes with events only");
	return a;
}

int main(int argc, char **argv)
{
	const struct arguments a = pasvctl_parse_arguments(argc, argv);

	return pasvctl_main(&a);
}
