/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.h - what the command line asks for */
#ifndef PASVD_CONF_H
#define PASVD_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf_file.h"

enum { EXIT_USAGE = 2 };

#define CONF_FILE "/etc/pasvd/pasvd.conf"

enum conf_command {
	CONF_DAEMON,
	CONF_CHECK,
	CONF_CT_HELPER,
	CONF_REPLAY,
	CONF_RULES,
	CONF_ROUTER_CHECK
};

struct conf {
	enum conf_command command;
	const char *file; /* NULL: CONF_FILE, if it is there */
	bool queue_given;
	uint16_t queue;
	const char *socket; /* NULL: not given */
	bool syslog, verbose;
	/* with CONF_REPLAY, CONF_RULES and CONF_ROUTER_CHECK: the subcommand and its own arguments */
	int argc;
	char **argv;
};

/* Fills in *ret_conf, or ends the process: 0 after --help and --version, EXIT_USAGE with one line
 * on stderr.
 */
void conf_parse(int argc, char **argv, struct conf *ret_conf);

/* What the file says, and the command line over it. 0, or -errno and one line in `error` as from
 * conf_file_read(). */
int conf_read(const struct conf *conf, struct settings *ret_settings, char *error);

#endif
