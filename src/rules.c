// SPDX-License-Identifier: GPL-2.0-or-later
/* rules.c - `pasvd rules`: the rule set for iptables-restore, filled in
 *
 * In come options, out goes the text of iptables/pasvd.rules.in with the options' values in it, or with
 * --remove the text that takes those rules away again. Every value is checked against what is allowed,
 * character by character or by being parsed and printed anew, before it gets into the text: nothing that is
 * given can add a rule or change the meaning of one.
 *
 * The template is an array of lines. A line that contains @PORT@ is repeated for each --port. The removal is
 * made from the same lines: what was inserted into built-in chains is deleted, then each own chain is emptied
 * and deleted.
 *
 * Nothing is loaded here, and the text does not depend on what is loaded: see iptables/pasvd-rules for that.
 */
#include "rules.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *const template[] = {
#include "rules_template.h"
};

enum {
	PORTS_MAX = 64,
	DEFAULT_PORT = 21,
	DEFAULT_QUEUE = 21,
	NUMBER_LEN = 6, /* "65535" and its NUL */
	TEMPLATE_LINES = sizeof(template) / sizeof(*template),
	STATUS_WRONG_ARGUMENTS = 2
};

struct port_pair {
	uint16_t outside, server;
};

struct rules {
	const char *wan;
	struct in_addr server; /* 0: not given */
	bool remove;
	const char *carrier;
	uint16_t queue;
	size_t n_ports;
	struct port_pair port[PORTS_MAX];
};

/* --- values --- */

/* The decimal number that the `n` characters at `p` are, or -1 if they are none up to `max` (65535 at most).
 */
static int32_t number(const char *p, size_t n, int32_t max)
{
	int32_t value = 0;

	if (n == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		value = value * 10 + (p[i] - '0');
		if (value > max)
			return -1;
	}
	return value;
}

/* Narrower than the kernel's dev_valid_name(): iptables gives '!' and '+' a meaning of their own. */
static bool interface_name_ok(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && strspn(name, allowed) == len && name[0] != '-' &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* An address that a server can have: not 0.0.0.0/8, not loopback, not multicast or reserved (RFC 6890). */
static bool server_address_ok(struct in_addr a)
{
	uint32_t first = ntohl(a.s_addr) >> 24;

	return first != 0 && first != 127 && first < 224;
}

/* --- options --- */

static bool set_wan(struct rules *r, const char *value)
{
	if (!interface_name_ok(value))
		return false;
	r->wan = value;
	return true;
}

static bool set_server(struct rules *r, const char *value)
{
	struct in_addr a;

	if (inet_pton(AF_INET, value, &a) != 1 || !server_address_ok(a))
		return false;
	r->server = a;
	return true;
}

static bool outside_port_taken(const struct rules *r, int32_t port)
{
	for (size_t i = 0; i < r->n_ports; i++) {
		if (r->port[i].outside == port)
			return true;
	}
	return false;
}

static bool add_port(struct rules *r, const char *value)
{
	const char *colon = strchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : strlen(value);
	int32_t outside = number(value, len, UINT16_MAX);
	int32_t server = colon ? number(colon + 1, strlen(colon + 1), UINT16_MAX) : outside;

	if (outside < 1 || server < 1 || r->n_ports == PORTS_MAX || outside_port_taken(r, outside))
		return false;
	r->port[r->n_ports++] = (struct port_pair){(uint16_t)outside, (uint16_t)server};
	return true;
}

static bool set_queue(struct rules *r, const char *value)
{
	int32_t queue = number(value, strlen(value), UINT16_MAX);

	if (queue < 0)
		return false;
	r->queue = (uint16_t)queue;
	return true;
}

static bool set_remove(struct rules *r, const char *value)
{
	(void)value;
	r->remove = true;
	return true;
}

static const struct rule_option {
	const char *name;
	int has_value;
	bool (*set)(struct rules *r, const char *value); /* false: not allowed */
	const char *allowed;
} rule_options[] = {
	{"wan", required_argument, set_wan,
		"must be an interface name: 1 to 15 letters, digits, '.', '_' or '-'"},
	{"server", required_argument, set_server,
		"must be the server's own IPv4 address, such as 192.168.1.10"},
	{"port", required_argument, add_port,
		"must be N or N:M, ports from 1 to 65535; each N once, at most 64 of them"},
	{"queue", required_argument, set_queue, "must be a queue number from 0 to 65535"},
	{"remove", no_argument, set_remove, "takes no value"},
};

enum { OPTION_COUNT = sizeof(rule_options) / sizeof(*rule_options) };

/* Prints one line, whatever characters `value` has; `option` may be "". Returns false. */
static bool wrong(const char *option, const char *value, const char *why)
{
	fprintf(stderr, *option ? "pasvd rules: --%s " : "pasvd rules: %s", option);
	for (; *value; value++)
		fputc(*value >= ' ' && *value <= '~' ? *value : '?', stderr);
	fprintf(stderr, ": %s\n", why);
	return false;
}

/* Says what is wrong with the argument that getopt_long() refused with `answer`. */
static bool refused(int answer, char **argv)
{
	char letter[] = {'-', (char)optopt, '\0'};

	if (answer == ':')
		return wrong("", argv[optind - 1], "needs a value");
	return wrong("", optopt ? letter : argv[optind - 1],
		"not an option; there are --wan, --server, --port, --queue with a value, and --remove");
}

static int next_option(int argc, char **argv, int *ret_index)
{
	struct option options[OPTION_COUNT + 1] = {0};

	for (size_t i = 0; i < OPTION_COUNT; i++)
		options[i] = (struct option){rule_options[i].name, rule_options[i].has_value, NULL, 0};
	return getopt_long(argc, argv, ":", options, ret_index);
}

static bool parse_options(struct rules *r, int argc, char **argv)
{
	int index, answer;

	optind = 0; /* glibc: begin anew, the caller may have used getopt() */
	while ((answer = next_option(argc, argv, &index)) != -1) {
		if (answer != 0)
			return refused(answer, argv);
		if (!rule_options[index].set(r, optarg))
			return wrong(rule_options[index].name, optarg, rule_options[index].allowed);
	}
	if (optind < argc)
		return wrong("", argv[optind], "not an option");
	return true;
}

/* What was not given. The removal names no interface, no server and no port. */
static bool complete(struct rules *r)
{
	if (!r->wan && !r->remove)
		return wrong("", "--wan", "missing");
	if (r->server.s_addr == 0 && !r->remove)
		return wrong("", "--server", "missing");
	if (r->n_ports == 0)
		r->port[r->n_ports++] = (struct port_pair){DEFAULT_PORT, DEFAULT_PORT};
	return true;
}

/* --- text --- */

struct value {
	const char *name, *text;
};

static const struct value *value_at(const struct value *v, const char *p)
{
	for (; v->name; v++) {
		if (strncmp(p, v->name, strlen(v->name)) == 0)
			return v;
	}
	return NULL;
}

static void print_line(const struct value *values, const char *line)
{
	while (*line) {
		const struct value *v = value_at(values, line);

		fputs(v ? v->text : (char[]){*line, '\0'}, stdout);
		line += v ? strlen(v->name) : 1;
	}
	putchar('\n');
}

static void print_rules(const struct rules *r)
{
	char server[INET_ADDRSTRLEN], queue[NUMBER_LEN], port[NUMBER_LEN], server_port[NUMBER_LEN];
	const struct value values[] = {{"@WAN@", r->wan}, {"@SERVER@", server}, {"@PORT@", port},
		{"@SERVER_PORT@", server_port}, {"@QUEUE@", queue}, {"@CARRIER@", r->carrier}, {NULL, NULL}};

	inet_ntop(AF_INET, &r->server, server, sizeof(server));
	snprintf(queue, sizeof(queue), "%d", r->queue);
	for (size_t i = 0; i < TEMPLATE_LINES; i++) {
		size_t times = strstr(template[i], "@PORT@") ? r->n_ports : 1;

		for (size_t k = 0; k < times; k++) {
			snprintf(port, sizeof(port), "%d", r->port[k].outside);
			snprintf(server_port, sizeof(server_port), "%d", r->port[k].server);
			print_line(values, template[i]);
		}
	}
}

static void print_removal(void)
{
	for (size_t i = 0; i < TEMPLATE_LINES; i++) {
		const char *line = template[i];

		if (line[0] == '*')
			puts(line);
		else if (strncmp(line, "-I ", 3) == 0)
			printf("-D %s\n", line + 3);
		else if (strcmp(line, "COMMIT") == 0)
			puts("-F PASVD\n-X PASVD\nCOMMIT");
	}
}

int rules_main(int argc, char **argv, rules_carrier_fn *carrier)
{
	struct rules r = {.queue = DEFAULT_QUEUE};

	if (!parse_options(&r, argc, argv) || !complete(&r))
		return STATUS_WRONG_ARGUMENTS;
	if (!r.remove)
		r.carrier = carrier();
	if (!r.remove && !r.carrier)
		return 1;
	if (r.remove)
		print_removal();
	else
		print_rules(&r);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	perror("pasvd rules: stdout");
	return 1;
}
