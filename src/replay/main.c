/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - `pasvd replay`, a program of its own
 *
 * pasvd executes it with its own command line. So libpcap, and what that brings along, is no part
 * of the daemon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "conf.h"
#include "external.h"
#include "log.h"
#include "sandbox.h"

/* Too large for the stack. */
static struct engine engine;
static struct settings settings;

/* What is wrong with files and interfaces that are named there is said, but keeps nobody from going
 * on. */
static int replay_configure(const struct conf *conf)
{
	char error[CONF_FILE_ERROR_MAX];

	if (conf_read(conf, &settings, error)) {
		log_at(REASON_LEVEL_ERR, "%s", error);
		return EXIT_USAGE;
	}
	external_read(&settings.watch, &settings.policy);
	return EXIT_SUCCESS;
}

/* A capture may come from anybody. Its file is opened behind the isolation: reading is all that is
 * left. */
static int replay_run(const struct conf *conf)
{
	int status = replay_configure(conf), err;

	if (status)
		return status;
	err = sandbox_config_process();
	if (err) {
		log_at(REASON_LEVEL_ERR, "cannot enter the sandbox: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	return capture_main(conf->argc, conf->argv, &settings.policy, &engine, conf->verbose);
}

int main(int argc, char **argv)
{
	struct conf conf;

	conf_parse(argc, argv, &conf);
	if (conf.command == CONF_REPLAY)
		return replay_run(&conf);
	fputs("pasvd-replay: this is a part of `pasvd replay`\n", stderr);
	return EXIT_USAGE;
}
