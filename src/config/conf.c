/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.c - what the command line asks for
 *
 * Options of the daemon come first; a subcommand ends them and reads its own.
 */
#include "conf.h"
#include "pasvd/array.h"
#include "rules.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: pasvd [-c FILE] [-l] [-q NUMBER] [-s PATH] [-v]\n"
	"       pasvd -n [-c FILE]\n"
	"       pasvd [-c FILE] ct-helper\n"
	"       pasvd [-c FILE] check [options of pasvd rules]\n"
	"       pasvd [-c FILE] [-v] replay [--json] [--nat PUBLIC=SERVER]... [--port PORT]... "
	"FILE\n"
	"       " RULES_USAGE "\n"
	"\n"
	"FTP connection-tracking helper: rewrites the addresses that FTP servers and clients "
	"behind NAT "
	"announce\n"
	"and has the kernel expect their data connections. Without a subcommand the daemon runs in "
	"the "
	"foreground.\n"
	"\n"
	"  -c, --config FILE   the configuration (default " CONF_FILE ", if there is one)\n"
	"  -n, --check         only check the configuration\n"
	"  -l, --syslog        log to syslog, not to stderr\n"
	"  -q, --queue NUMBER  the NFQUEUE that the rules send packets to, 0..65535 (default 21)\n"
	"  -s, --socket PATH   where pasvctl asks, nowhere if it is empty "
	"(default " SETTINGS_CONTROL_SOCKET ")\n"
	"  -v, --verbose       log every verdict\n"
	"  -V, --version       print the version\n"
	"  -h, --help          print this\n";

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 'n'},
	{"syslog", no_argument, NULL, 'l'},
	{"queue", required_argument, NULL, 'q'},
	{"socket", required_argument, NULL, 's'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const struct {
	const char *name;
	enum conf_command command;
} commands[] = {
	{"ct-helper", CONF_CT_HELPER},
	{"replay", CONF_REPLAY},
	{"rules", CONF_RULES},
	{"check", CONF_ROUTER_CHECK},
};

static void conf_fail(const char *what, const char *value, const char *allowed)
{
	fprintf(stderr, "pasvd: %s '%s': %s\n", what, value, allowed);
	exit(EXIT_USAGE);
}

static void conf_print_and_exit(const char *text)
{
	exit(fputs(text, stdout) == EOF || fflush(stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS);
}

static uint16_t conf_queue_number(const char *text)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || value > UINT16_MAX)
		conf_fail("--queue", text, "a number 0..65535 is wanted");
	return (uint16_t)value;
}

static const char *conf_socket_path(const char *text)
{
	struct settings s;

	if (settings_set_socket(&s, (struct text){text, strlen(text)}))
		conf_fail("--socket", text, settings_socket_allowed);
	return text;
}

static void conf_take_option(int option, char **argv, struct conf *conf)
{
	switch (option) {
	case 'c':
		conf->file = optarg;
		break;
	case 'n':
		conf->command = CONF_CHECK;
		break;
	case 'l':
		conf->syslog = true;
		break;
	case 'q':
		conf->queue = conf_queue_number(optarg);
		conf->queue_given = true;
		break;
	case 's':
		conf->socket = conf_socket_path(optarg);
		break;
	case 'v':
		conf->verbose = true;
		break;
	case 'V':
		conf_print_and_exit("pasvd " PASVD_VERSION "\n");
		break;
	case 'h':
		conf_print_and_exit(usage);
		break;
	case ':':
		conf_fail("option", argv[optind - 1], "a value is missing");
		break;
	default:
		conf_fail("option", argv[optind - 1], "unknown; see pasvd --help");
	}
}

static enum conf_command conf_command_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].command;
	}
	conf_fail("command", name, "unknown; there are ct-helper, check, replay and rules");
	return CONF_DAEMON;
}

void conf_parse(int argc, char **argv, struct conf *ret_conf)
{
	struct conf conf = {.command = CONF_DAEMON};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:c:nlq:s:vVh", options, NULL)) != -1)
		conf_take_option(option, argv, &conf);
	conf.argc = argc - optind;
	conf.argv = argv + optind;
	if (conf.argc && conf.command == CONF_CHECK)
		conf_fail("command", conf.argv[0], "does not go with --check");
	if (conf.argc)
		conf.command = conf_command_of(conf.argv[0]);
	if (conf.command == CONF_CT_HELPER && conf.argc > 1)
		conf_fail("argument", conf.argv[1], "ct-helper takes none");
	*ret_conf = conf;
}

int conf_read(const struct conf *conf, struct settings *ret_settings, char *error)
{
	struct settings s = settings_default();
	int err = conf_file_read(conf->file ? conf->file : CONF_FILE, conf->file, &s, error);

	if (err)
		return err;
	if (conf->queue_given)
		s.queue = conf->queue;
	if (conf->socket)
		settings_set_socket(&s, (struct text){conf->socket, strlen(conf->socket)});
	*ret_settings = s;
	return 0;
}
