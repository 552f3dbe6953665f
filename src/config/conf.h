/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.h - the settings: the configuration, and options over it */
#ifndef PASVD_CONF_H
#define PASVD_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf_file.h"
#include "options.h"

#define CONF_FILE "/etc/pasvd/pasvd.conf"

/* At the beginning of the data of each command that reads the configuration. */
struct conf {
	const char *file; /* NULL: CONF_FILE, if it is there */
	bool queue_given;
	uint16_t queue;
	const char *socket; /* NULL: not given */
};

/* Rows of the options that set them, for tables of such commands. */
#define CONF_ROW_FILE                                                                              \
	{                                                                                          \
		.name = "config", .letter = 'c', .value = "FILE",                                  \
		.offset = offsetof(struct conf, file),                                             \
		.help = "the configuration (default " CONF_FILE ", if there is one)"               \
	}
#define CONF_ROW_QUEUE                                                                             \
	{                                                                                          \
		.name = "queue", .letter = 'q', .value = "NUMBER", .take = conf_take_queue,        \
		.help = "the NFQUEUE of control connections (default: as configured, 21)"          \
	}
#define CONF_ROW_SOCKET                                                                            \
	{                                                                                          \
		.name = "socket", .letter = 's', .value = "PATH", .take = conf_take_socket,        \
		.help = "the control socket, none if PATH is empty "                               \
			"(default " SETTINGS_CONTROL_SOCKET ")"                                    \
	}

const char *conf_take_queue(void *data, const char *value);
const char *conf_take_socket(void *data, const char *value);

/* What the file says, and the command line over it. 0, or -errno and one line in `error` as from
 * conf_file_read(). */
int conf_read(const struct conf *conf, struct settings *ret_settings, char *error);

#endif
