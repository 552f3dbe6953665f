/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - `pasvd replay`, a program of its own
 *
 * pasvd executes it with its own command line. So libpcap, and what that brings along, is no part
 * of the daemon.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "conf.h"
#include "engine_map.h"
#include "external.h"
#include "log.h"
#include "report.h"
#include "sandbox.h"

static struct settings settings;

static struct replay_line {
	struct conf conf; /* first: see there */
	struct capture_options options;
} line;

/* What is wrong with files and interfaces that are named there is logged, but is no reason not to
 * go on. */
static int replay_configure(const struct conf *conf)
{
	char error[CONF_FILE_ERROR_MAX];

	if (conf_read(conf, &settings, error)) {
		log_text(REASON_LEVEL_ERR, error);
		return OPTIONS_EXIT_USAGE;
	}
	external_read(&settings.watch, &settings.policy);
	return EXIT_SUCCESS;
}

/* A capture may come from anybody: it is opened with the caller's privileges, and read after they
 * are gone. */
static int replay_run(void *data)
{
	const struct replay_line *l = data;
	struct engine *engine;
	int status, err;
	FILE *in;

	if (!l->options.file)
		return options_wrong("FILE: missing; it is a capture as tcpdump(8) writes it, or - "
				     "for standard input");
	status = replay_configure(&l->conf);
	if (status)
		return status;
	engine = engine_map();
	if (!engine) {
		log_at(REASON_LEVEL_ERR, "start", "no memory for the sessions: %s",
			strerror(errno));
		return EXIT_FAILURE;
	}
	in = capture_open(l->options.file);
	if (!in)
		return EXIT_FAILURE;
	report_prepare();
	err = sandbox_replay();
	if (err) {
		log_at(REASON_LEVEL_ERR, "start", "cannot enter the sandbox: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	return capture_main(&l->options, in, &settings.policy, engine);
}

static const char *replay_take_nat(void *data, const char *value)
{
	struct replay_line *l = data;

	return nat_add(&l->options.nat, value)
		       ? NULL
		       : "must be PUBLIC=SERVER, two addresses of one family, or two "
			 "ADDRESS:PORT; at most 64 of them";
}

static const char *replay_take_port(void *data, const char *value)
{
	struct replay_line *l = data;

	return nat_add_port(&l->options.nat, value)
		       ? NULL
		       : "must be a control port from 1 to 65535; at most 64 of them";
}

static const char *replay_take_file(void *data, const char *word)
{
	struct replay_line *l = data;

	if (l->options.file)
		return "one file at a time";
	l->options.file = word;
	return NULL;
}

static const struct options_row rows[] = {
	{.name = "json",
		.help = "print one object of JSON",
		.offset = offsetof(struct replay_line, options.json)},
	{.name = "nat",
		.value = "PUBLIC=SERVER",
		.repeatable = true,
		.take = replay_take_nat,
		.help = "a server behind NAT, and the address that clients dial"},
	{.name = "port",
		.value = "PORT",
		.repeatable = true,
		.take = replay_take_port,
		.help = "a control port (default 21)"},
	{.name = "verbose",
		.letter = 'v',
		.help = "print every verdict",
		.offset = offsetof(struct replay_line, options.verbose)},
	CONF_ROW_FILE,
	{0},
};

static const struct options_command command = {
	.name = "replay",
	.summary = "prints what the daemon would have rewritten and opened for a capture",
	.rows = rows,
	.arguments = "FILE",
	.argument = replay_take_file,
	.more = "FILE is a capture as tcpdump(8) writes it; - is standard input.\n",
	.data = &line,
	.run = replay_run,
};

int main(int argc, char **argv)
{
	static const struct options_command *const commands[] = {&command, NULL};
	static const struct options_program program = {
		.name = "pasvd", .version = PASVD_VERSION, .about = "", .commands = commands};

	return options_main(&program, argc, argv);
}
