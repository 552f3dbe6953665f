// SPDX-License-Identifier: GPL-2.0-or-later
/* rules.c - `pasvd rules`: the rule set for iptables-restore, filled in
 *
 * In come options, out goes the text of iptables/pasvd.rules.in with the options' values in it, or with
 * --remove the text that takes those rules away again. Every value is checked against what is allowed,
 * character by character or by being parsed and printed anew, before it gets into the text: nothing that is
 * given can add a rule or change the meaning of one.
 *
 * The template is an array of lines, each behind the letters of what has to hold for it and a bar. A line that
 * contains @WAN@ is repeated for each --wan, one with @PORT@ for each --port. The removal is made from the same
 * lines, and depends on the family alone: what was added to built-in chains is deleted, then each own chain is
 * emptied and deleted.
 *
 * Nothing is loaded here, and the text does not depend on what is loaded: see iptables/pasvd-rules for that.
 */
#include "rules.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ifname.h"
#include "rules_value.h"

static const char *const template[] = {
#include "rules_template.h"
};

enum {
	PORTS_MAX = 64,
	WANS_MAX = 8,
	DEFAULT_PORT = 21,
	NUMBER_LEN = 6,                             /* "65535" and its NUL */
	RANGE_LEN = 2 * NUMBER_LEN,                 /* "60000:60100" and its NUL */
	MARK_LEN = 2 * 10 + 2,                      /* "0x40000000/0x40000000" and its NUL */
	DESTINATION_LEN = INET6_ADDRSTRLEN + 2 + 6, /* "[address]:65535" and its NUL */
	TEMPLATE_LINES = sizeof(template) / sizeof(*template),
	STATUS_WRONG_ARGUMENTS = 2
};

struct port_pair {
	uint16_t outside, server;
};

/* A set of families: what the addresses are, and what was asked for. */
enum { IP4 = 1, IP6 = 2 };

struct rules {
	size_t n_wans;
	const char *wan[WANS_MAX];
	const char *lan;               /* NULL: not given */
	char server[INET6_ADDRSTRLEN]; /* in the form of inet_ntop(); "": not given */
	char public[INET6_ADDRSTRLEN];
	unsigned int families;
	bool remove, help;
	const char *carrier;
	const char *file; /* NULL: that of struct conf */
	bool queue_given;
	uint16_t queue, tls_queue;
	uint32_t tls_mark;
	size_t n_ports, n_ranges;
	struct port_pair port[PORTS_MAX];
	struct port_range range[POLICY_LIST_MAX]; /* of the server's passive ports with TLS */
};

/* --- values --- */

/* Puts an address that a host can have into `ret_text`, INET6_ADDRSTRLEN bytes, and adds to the families. */
static bool take_address(struct rules *r, const char *value, char *ret_text)
{
	struct in6_addr ip6;
	struct in_addr ip4;

	if (inet_pton(AF_INET, value, &ip4) == 1 && rules_ip4_ok(&ip4)) {
		r->families |= IP4;
		return inet_ntop(AF_INET, &ip4, ret_text, INET6_ADDRSTRLEN);
	}
	if (inet_pton(AF_INET6, value, &ip6) == 1 && rules_ip6_ok(&ip6)) {
		r->families |= IP6;
		return inet_ntop(AF_INET6, &ip6, ret_text, INET6_ADDRSTRLEN);
	}
	return false;
}

/* --- options --- */

static bool take_interface(const char *value, const char **ret_name)
{
	if (!ifname_ok(value, strlen(value)))
		return false;
	*ret_name = value;
	return true;
}

static bool has_wan(const struct rules *r, const char *name)
{
	for (size_t i = 0; i < r->n_wans; i++) {
		if (strcmp(r->wan[i], name) == 0)
			return true;
	}
	return false;
}

static bool add_wan(struct rules *r, const char *value)
{
	if (r->n_wans == WANS_MAX || has_wan(r, value) || !take_interface(value, &r->wan[r->n_wans]))
		return false;
	r->n_wans++;
	return true;
}

static bool set_clients(struct rules *r, const char *value)
{
	return take_interface(value, &r->lan);
}

static bool set_server(struct rules *r, const char *value)
{
	return take_address(r, value, r->server);
}

static bool set_public(struct rules *r, const char *value)
{
	return take_address(r, value, r->public);
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
	int32_t outside = rules_number(value, len, UINT16_MAX);
	int32_t server = colon ? rules_number(colon + 1, strlen(colon + 1), UINT16_MAX) : outside;

	if (outside < 1 || server < 1 || r->n_ports == PORTS_MAX || outside_port_taken(r, outside))
		return false;
	r->port[r->n_ports++] = (struct port_pair){(uint16_t)outside, (uint16_t)server};
	return true;
}

static bool set_queue(struct rules *r, const char *value)
{
	int32_t queue = rules_number(value, strlen(value), UINT16_MAX);

	if (queue < 0)
		return false;
	r->queue = (uint16_t)queue;
	r->queue_given = true;
	return true;
}

static bool set_config(struct rules *r, const char *value)
{
	r->file = value;
	return true;
}

static bool set_remove(struct rules *r, const char *value)
{
	(void)value;
	r->remove = true;
	return true;
}

static bool set_help(struct rules *r, const char *value)
{
	(void)value;
	r->help = true;
	return true;
}

#define INTERFACE_NAME "must be an interface name: " IFNAME_ALLOWED

static const struct rule_option {
	const char *name;
	int has_value;
	bool (*set)(struct rules *r, const char *value); /* false: not allowed */
	const char *allowed;
} rule_options[] = {
	{"wan", required_argument, add_wan, INTERFACE_NAME "; each once, at most 8 of them"},
	{"public", required_argument, set_public,
		"must be the address that clients dial, such as 203.0.113.1 or 2001:db8::1"},
	{"server", required_argument, set_server,
		"must be the server's own address, such as 192.168.1.10 or fd00::10"},
	{"port", required_argument, add_port,
		"must be N or N:M, ports from 1 to 65535; each N once, at most 64 of them"},
	{"clients", required_argument, set_clients, INTERFACE_NAME},
	{"queue", required_argument, set_queue, "must be a queue number from 0 to 65535"},
	{"config", required_argument, set_config, "takes a path"},
	{"remove", no_argument, set_remove, "takes no value"},
	{"help", no_argument, set_help, "takes no value"},
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
		"not an option; there are --wan, --public, --server, --port, --clients, --queue and "
		"--config with a value, -4, -6 and --remove");
}

static int next_option(int argc, char **argv, int *ret_index)
{
	struct option options[OPTION_COUNT + 1] = {0};

	for (size_t i = 0; i < OPTION_COUNT; i++)
		options[i] = (struct option){rule_options[i].name, rule_options[i].has_value, NULL, 0};
	return getopt_long(argc, argv, ":46", options, ret_index);
}

static bool parse_options(struct rules *r, int argc, char **argv)
{
	int index, answer;

	optind = 0; /* glibc: begin anew, the caller may have used getopt() */
	while ((answer = next_option(argc, argv, &index)) != -1) {
		if (answer == '4' || answer == '6')
			r->families |= answer == '4' ? IP4 : IP6;
		else if (answer != 0)
			return refused(answer, argv);
		else if (!rule_options[index].set(r, optarg))
			return wrong(rule_options[index].name, optarg, rule_options[index].allowed);
	}
	if (optind < argc)
		return wrong("", argv[optind], "not an option");
	return true;
}

/* What is missing, or does not go together. The removal depends on the family alone. */
static bool coherent(const struct rules *r)
{
	bool any = !r->remove, server = r->server[0], public = r->public[0];
	bool wan = r->n_wans;
	const struct {
		bool is;
		const char *what, *why;
	} mistakes[] = {
		{r->families == (IP4 | IP6), "-4, -6, --server, --public", "not of one family"},
		{any && !server && wan, "--wan", "needs --server"},
		{any && !server && public, "--public", "needs --server"},
		{any && !server && r->n_ports, "--port", "needs --server"},
		{any && !server && !r->lan, "--server or --clients", "missing"},
		{any && server && !wan && !public, "--wan or --public", "missing"},
		{any && wan && public, "--wan, --public", "only one of them can be given"},
		{any && r->lan && has_wan(r, r->lan), "--wan, --clients", "must be different interfaces"},
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		if (mistakes[i].is)
			return wrong("", mistakes[i].what, mistakes[i].why);
	}
	return true;
}

static void fill_in(struct rules *r)
{
	if (!r->families)
		r->families = IP4;
	if (r->n_ports == 0)
		r->port[r->n_ports++] = (struct port_pair){DEFAULT_PORT, DEFAULT_PORT};
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

/* The letters before the template's bar that hold, each once. */
static void conditions(const struct rules *r, char ret_letters[8])
{
	const char *reached = r->n_wans ? "sw" : "sp";

	snprintf(ret_letters, 8, " %c%s%s%s%s", r->families & IP6 ? '6' : '4', r->lan ? "c" : "",
		r->server[0] ? reached : "", r->n_ranges ? "t" : "", r->n_ranges && r->tls_mark ? "m" : "");
}

/* What is behind the bar of a line, or NULL if it is not for us. */
static const char *text_of(const char *line, const char *letters)
{
	line += strspn(line, letters);
	return *line == '|' ? line + 1 : NULL;
}

static void print_destination(const struct rules *r, uint16_t port, char ret_text[DESTINATION_LEN])
{
	snprintf(ret_text, DESTINATION_LEN, r->families & IP6 ? "[%s]:%d" : "%s:%d", r->server, port);
}

static void print_range(const struct port_range *range, char ret_text[RANGE_LEN])
{
	snprintf(ret_text, RANGE_LEN, range->low < range->high ? "%d:%d" : "%d", range->low, range->high);
}

/* How often a line is printed for an interface, and what for. */
static size_t repetitions(const struct rules *r, const char *text)
{
	if (strstr(text, "@TLS_PORTS@"))
		return r->n_ranges;
	return strstr(text, "@PORT@") ? r->n_ports : 1;
}

/* Prints the line for each port or range, if it names one. */
static void print_ports(const struct rules *r, const char *wan, const char *text)
{
	char queue[NUMBER_LEN], port[NUMBER_LEN], server_port[NUMBER_LEN], destination[DESTINATION_LEN];
	char tls_queue[NUMBER_LEN], tls_mark[MARK_LEN], range[RANGE_LEN];
	const struct value values[] = {{"@WAN@", wan}, {"@LAN@", r->lan}, {"@PUBLIC@", r->public},
		{"@SERVER@", r->server}, {"@PORT@", port}, {"@SERVER_PORT@", server_port},
		{"@DESTINATION@", destination}, {"@ICMP@", r->families & IP6 ? "ipv6-icmp" : "icmp"},
		{"@QUEUE@", queue}, {"@CARRIER@", r->carrier}, {"@TLS_QUEUE@", tls_queue},
		{"@TLS_MARK@", tls_mark}, {"@TLS_PORTS@", range}, {NULL, NULL}};
	size_t times = repetitions(r, text);

	snprintf(queue, sizeof(queue), "%d", r->queue);
	snprintf(tls_queue, sizeof(tls_queue), "%d", r->tls_queue);
	snprintf(tls_mark, sizeof(tls_mark), "0x%x/0x%x", r->tls_mark, r->tls_mark);
	for (size_t i = 0; i < times; i++) {
		const struct port_pair *pair = &r->port[i < r->n_ports ? i : 0];

		snprintf(port, sizeof(port), "%d", pair->outside);
		snprintf(server_port, sizeof(server_port), "%d", pair->server);
		print_destination(r, pair->server, destination);
		print_range(&r->range[i < r->n_ranges ? i : 0], range);
		print_line(values, text);
	}
}

/* Prints the line for each --wan, if it names one. */
static void print_text(const struct rules *r, const char *text)
{
	size_t times = strstr(text, "@WAN@") ? r->n_wans : 1;

	for (size_t i = 0; i < times; i++)
		print_ports(r, r->wan[i], text);
}

/* Whether the line adds a rule to a chain that is not ours. */
static bool is_jump(const char *text)
{
	return text[0] == '-' && strncmp(text, "-A PASVD ", 9) != 0;
}

/* Takes away what a line of the rules has added. */
static void print_undo(const char *text)
{
	if (text[0] == '*')
		puts(text);
	else if (is_jump(text))
		printf("-D %s\n", text + 3);
	else if (strcmp(text, "COMMIT") == 0)
		puts("-F PASVD\n-X PASVD\nCOMMIT");
}

static void print_template(const struct rules *r)
{
	char letters[8];

	conditions(r, letters);
	for (size_t i = 0; i < TEMPLATE_LINES; i++) {
		const char *text = text_of(template[i], letters);

		if (text && r->remove)
			print_undo(text);
		else if (text)
			print_text(r, text);
	}
}

/* The ranges that the server's clients with TLS may knock at. */
static void take_ranges(struct rules *r, const struct policy *policy)
{
	struct addr server;

	if (addr_parse((const uint8_t *)r->server, strlen(r->server), &server) < 0 ||
		policy_tls_mode(policy, &server) != TLS_ON_DEMAND)
		return;
	for (size_t i = 0; i < policy->n_tls_ports; i++) {
		if (network_has(&policy->tls_ports[i].server, &server))
			r->range[r->n_ranges++] = policy->tls_ports[i].ports;
	}
}

/* What the configuration says; options win. */
static bool configure(struct rules *r, const struct conf *conf)
{
	struct conf own = *conf;
	char error[CONF_FILE_ERROR_MAX];
	struct settings settings;

	own.file = r->file ? r->file : conf->file;
	if (conf_read(&own, &settings, error)) {
		fprintf(stderr, "pasvd rules: %s\n", error);
		return false;
	}
	if (!r->queue_given)
		r->queue = settings.queue;
	r->tls_queue = settings.tls_queue;
	r->tls_mark = settings.policy.tls_mark;
	take_ranges(r, &settings.policy);
	return true;
}

static int flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	perror("pasvd rules: stdout");
	return 1;
}

static int print_usage(void)
{
	puts("usage: " RULES_USAGE
	     "\n\nPrints rules for iptables-restore or ip6tables-restore; see pasvd(8).");
	return flush();
}

int rules_main(const struct conf *conf, rules_carrier_fn *carrier)
{
	struct rules r = {0};

	if (!parse_options(&r, conf->argc, conf->argv))
		return STATUS_WRONG_ARGUMENTS;
	if (r.help)
		return print_usage();
	if (!coherent(&r))
		return STATUS_WRONG_ARGUMENTS;
	fill_in(&r);
	if (!r.remove && !configure(&r, conf))
		return STATUS_WRONG_ARGUMENTS;
	if (!r.remove)
		r.carrier = carrier();
	if (!r.remove && !r.carrier)
		return 1;
	print_template(&r);
	return flush();
}
