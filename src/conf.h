/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.h - what the command line asks for */
#ifndef PASVD_CONF_H
#define PASVD_CONF_H

#include <stdbool.h>
#include <stdint.h>

enum { CONF_QUEUE = 21, EXIT_USAGE = 2 };

enum conf_command { CONF_DAEMON, CONF_CARRIER, CONF_RULES };

struct conf {
	enum conf_command command;
	uint16_t queue;
	bool verbose;
	int argc; /* with CONF_RULES: the subcommand and its own arguments */
	char **argv;
};

/* Fills in *ret_conf, or ends the process: 0 after --help and --version, EXIT_USAGE with one line on stderr.
 */
void conf_parse(int argc, char **argv, struct conf *ret_conf);

#endif
