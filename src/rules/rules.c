/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.c - `pasvd rules`: options, checked, and what the configuration adds to them
 *
 * In come options, out goes the text of a template of iptables/ with the options' values in it, or
 * with --remove the text that takes those rules away again. Every value is checked against what is
 * allowed, character by character or by being parsed and printed anew, before it gets into the
 * text: nothing that is given can add a rule or change the meaning of one.
 *
 * iptables has rules for one family, so the options have to agree on it. A table of nft is for
 * both, so there can be a server for each.
 *
 * Nothing is loaded here, and the text does not depend on what is loaded: see iptables/pasvd-rules
 * for that.
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
#include "rules_check.h"
#include "rules_text.h"
#include "rules_value.h"

enum { DEFAULT_PORT = 21, STATUS_WRONG_ARGUMENTS = 2 };

/* What was asked for. */
struct request {
	struct rules rules;
	/* sets of families: -4 and -6, and of the addresses */
	unsigned int asked, servers, publics;
	bool remove, help, queue_given;
	enum ct_helper_wanted ct_helper;
	int check;        /* where --check stands in argv; 0: nowhere */
	const char *file; /* NULL: that of struct conf */
};

/* --- values --- */

/* Puts an address that a host can have into `ret_text`, INET6_ADDRSTRLEN bytes. Returns its family,
 * or -1. */
static int rules_take_address(const char *value, char *ret_text)
{
	struct in6_addr ip6;
	struct in_addr ip4;

	if (inet_pton(AF_INET, value, &ip4) == 1 && rules_ip4_ok(&ip4))
		return inet_ntop(AF_INET, &ip4, ret_text, INET6_ADDRSTRLEN) ? RULES_IP4 : -1;
	if (inet_pton(AF_INET6, value, &ip6) == 1 && rules_ip6_ok(&ip6))
		return inet_ntop(AF_INET6, &ip6, ret_text, INET6_ADDRSTRLEN) ? RULES_IP6 : -1;
	return -1;
}

static bool rules_take_interface(const char *value, const char **ret_name)
{
	if (!ifname_ok(value, strlen(value)))
		return false;
	*ret_name = value;
	return true;
}

/* --- options --- */

static bool rules_has_wan(const struct rules *r, const char *name)
{
	for (size_t i = 0; i < r->n_wans; i++) {
		if (strcmp(r->wan[i], name) == 0)
			return true;
	}
	return false;
}

static bool rules_add_wan(struct request *q, const char *value)
{
	struct rules *r = &q->rules;

	if (r->n_wans == RULES_WANS_MAX || rules_has_wan(r, value) ||
		!rules_take_interface(value, &r->wan[r->n_wans]))
		return false;
	r->n_wans++;
	return true;
}

static bool rules_set_clients(struct request *q, const char *value)
{
	return rules_take_interface(value, &q->rules.lan);
}

static bool rules_set_server(struct request *q, const char *value)
{
	char text[INET6_ADDRSTRLEN];
	int family = rules_take_address(value, text);

	if (family < 0)
		return false;
	memcpy(q->rules.server[family].own, text, sizeof(text));
	q->servers |= 1U << family;
	return true;
}

static bool rules_set_public(struct request *q, const char *value)
{
	char text[INET6_ADDRSTRLEN];
	int family = rules_take_address(value, text);

	if (family < 0)
		return false;
	memcpy(q->rules.server[family].public, text, sizeof(text));
	q->publics |= 1U << family;
	return true;
}

static bool rules_outside_port_taken(const struct rules *r, int32_t port)
{
	for (size_t i = 0; i < r->n_ports; i++) {
		if (r->port[i].outside == port)
			return true;
	}
	return false;
}

static bool rules_add_port(struct request *q, const char *value)
{
	struct rules *r = &q->rules;
	const char *colon = strchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : strlen(value);
	int32_t outside = rules_number(value, len, UINT16_MAX);
	int32_t server = colon ? rules_number(colon + 1, strlen(colon + 1), UINT16_MAX) : outside;

	if (outside < 1 || server < 1 || r->n_ports == RULES_PORTS_MAX ||
		rules_outside_port_taken(r, outside))
		return false;
	r->port[r->n_ports++] = (struct rules_port){(uint16_t)outside, (uint16_t)server};
	return true;
}

static bool rules_set_queue(struct request *q, const char *value)
{
	int32_t queue = rules_number(value, strlen(value), UINT16_MAX);

	if (queue < 0)
		return false;
	q->rules.queue = (uint16_t)queue;
	q->queue_given = true;
	return true;
}

static bool rules_set_config(struct request *q, const char *value)
{
	q->file = value;
	return true;
}

static bool rules_set_nft(struct request *q, const char *value)
{
	(void)value;
	q->rules.nft = true;
	return true;
}

static bool rules_set_check(struct request *q, const char *value)
{
	(void)value;
	q->check = optind - 1;
	return true;
}

static bool rules_set_remove(struct request *q, const char *value)
{
	(void)value;
	q->remove = true;
	return true;
}

static bool rules_set_help(struct request *q, const char *value)
{
	(void)value;
	q->help = true;
	return true;
}

#define INTERFACE_NAME "must be an interface name: " IFNAME_ALLOWED

static const struct rule_option {
	const char *name;
	int has_value;
	bool (*set)(struct request *q, const char *value); /* false: not allowed */
	const char *allowed;
} rule_options[] = {
	{"wan", required_argument, rules_add_wan, INTERFACE_NAME "; each once, at most 8 of them"},
	{"public", required_argument, rules_set_public,
		"must be the address that clients dial, such as 203.0.113.1 or 2001:db8::1"},
	{"server", required_argument, rules_set_server,
		"must be the server's own address, such as 192.168.1.10 or fd00::10"},
	{"port", required_argument, rules_add_port,
		"must be N or N:M, ports from 1 to 65535; each N once, at most 64 of them"},
	{"clients", required_argument, rules_set_clients, INTERFACE_NAME},
	{"queue", required_argument, rules_set_queue, "must be a queue number from 0 to 65535"},
	{"config", required_argument, rules_set_config, "takes a path"},
	{"nft", no_argument, rules_set_nft, "takes no value"},
	{"check", no_argument, rules_set_check, "takes no value"},
	{"remove", no_argument, rules_set_remove, "takes no value"},
	{"help", no_argument, rules_set_help, "takes no value"},
};

enum { OPTION_COUNT = sizeof(rule_options) / sizeof(*rule_options) };

/* Prints one line, whatever characters `value` has; `option` may be "". Returns false. */
static bool rules_bad_value(const char *option, const char *value, const char *why)
{
	fprintf(stderr, *option ? "pasvd rules: --%s " : "pasvd rules: %s", option);
	for (; *value; value++)
		fputc(*value >= ' ' && *value <= '~' ? *value : '?', stderr);
	fprintf(stderr, ": %s\n", why);
	return false;
}

/* Says what is wrong with the argument that getopt_long() refused with `answer`. */
static bool rules_refuse(int answer, char **argv)
{
	char letter[] = {'-', (char)optopt, '\0'};

	if (answer == ':')
		return rules_bad_value("", argv[optind - 1], "needs a value");
	return rules_bad_value("", optopt ? letter : argv[optind - 1],
		"not an option; there are --wan, --public, --server, --port, --clients, --queue "
		"and "
		"--config with a value, -4, -6, --nft, --check and --remove");
}

static int rules_next_option(int argc, char **argv, int *ret_index)
{
	struct option options[OPTION_COUNT + 1] = {0};

	for (size_t i = 0; i < OPTION_COUNT; i++)
		options[i] =
			(struct option){rule_options[i].name, rule_options[i].has_value, NULL, 0};
	return getopt_long(argc, argv, ":46", options, ret_index);
}

static bool rules_parse_options(struct request *q, int argc, char **argv)
{
	int index, answer;

	optind = 0; /* glibc: begin anew, the caller may have used getopt() */
	while ((answer = rules_next_option(argc, argv, &index)) != -1) {
		if (answer == '4' || answer == '6')
			q->asked |= answer == '4' ? RULES_IP4_ONLY : RULES_IP6_ONLY;
		else if (answer != 0)
			return rules_refuse(answer, argv);
		else if (!rule_options[index].set(q, optarg))
			return rules_bad_value(
				rule_options[index].name, optarg, rule_options[index].allowed);
	}
	if (optind < argc)
		return rules_bad_value("", argv[optind], "not an option");
	return true;
}

static bool rules_families_differ(const struct request *q)
{
	unsigned int addresses = q->servers | q->publics;

	if (q->rules.nft)
		return q->asked && addresses & ~q->asked;
	return (q->asked | addresses) == RULES_BOTH;
}

/* What is missing, or does not go together. The removal depends on the family alone. */
static bool is_coherent(const struct request *q)
{
	const struct rules *r = &q->rules;
	bool any = !q->remove, server = q->servers, public = q->publics, wan = r->n_wans;
	const struct {
		bool is;
		const char *what, *why;
	} mistakes[] = {
		{q->check && q->remove, "--check, --remove", "only one of them can be given"},
		{rules_families_differ(q), "-4, -6, --server, --public", "not of one family"},
		{any && !server && wan, "--wan", "needs --server"},
		{any && !server && public, "--public", "needs --server"},
		{any && !server && r->n_ports, "--port", "needs --server"},
		{any && !server && !r->lan, "--server or --clients", "missing"},
		{any && server && !wan && !public, "--wan or --public", "missing"},
		{any && wan && public, "--wan, --public", "only one of them can be given"},
		{any && public && q->publics != q->servers, "--server, --public",
			"each family needs both"},
		{any && r->lan && rules_has_wan(r, r->lan), "--wan, --clients",
			"must be different interfaces"},
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		if (mistakes[i].is)
			return rules_bad_value("", mistakes[i].what, mistakes[i].why);
	}
	return true;
}

static void rules_fill_in(struct request *q)
{
	struct rules *r = &q->rules;

	r->families = r->nft ? q->asked : q->asked | q->servers | q->publics;
	if (!r->families)
		r->families = r->nft ? RULES_BOTH : RULES_IP4_ONLY;
	if (r->n_ports == 0)
		r->port[r->n_ports++] = (struct rules_port){DEFAULT_PORT, DEFAULT_PORT};
}

/* The ranges that the server's clients with TLS may on-demand SYN at. */
static void rules_set_ranges(struct rules_server *s, const struct policy *policy)
{
	struct addr own;

	if (addr_parse((const uint8_t *)s->own, strlen(s->own), &own) < 0 ||
		policy_tls_mode(policy, &own) != TLS_ON_DEMAND)
		return;
	for (size_t i = 0; i < policy->n_tls_ports; i++) {
		if (network_has(&policy->tls_ports[i].server, &own))
			s->range[s->n_ranges++] = policy->tls_ports[i].ports;
	}
}

/* What the configuration says; options win. */
static bool rules_configure(struct request *q, const struct conf *conf)
{
	struct conf own = *conf;
	char error[CONF_FILE_ERROR_MAX];
	struct settings settings;

	own.file = q->file ? q->file : conf->file;
	if (conf_read(&own, &settings, error)) {
		fprintf(stderr, "pasvd rules: %s\n", error);
		return false;
	}
	if (!q->queue_given)
		q->rules.queue = settings.queue;
	q->ct_helper = settings.ct_helper;
	q->rules.tls_queue = settings.tls_queue;
	q->rules.fail_open = settings.fail_open;
	q->rules.tls_mark = settings.policy.tls_mark;
	for (int family = 0; family < RULES_FAMILIES; family++)
		rules_set_ranges(&q->rules.server[family], &settings.policy);
	return true;
}

static int rules_close_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	perror("pasvd rules: stdout");
	return 1;
}

static int rules_print_usage(void)
{
	puts("usage: " RULES_USAGE
	     "\n\nPrints rules for iptables-restore, ip6tables-restore or nft; see pasvd(8).");
	return rules_close_output();
}

static int rules_print_all(
	struct request *q, const struct conf *conf, rules_ct_helper_fn *ct_helper)
{
	if (!rules_configure(q, conf))
		return STATUS_WRONG_ARGUMENTS;
	q->rules.ct_helper = ct_helper(q->ct_helper);
	if (!q->rules.ct_helper)
		return 1;
	rules_print(&q->rules);
	return rules_close_output();
}

int rules_main(const struct conf *conf, rules_ct_helper_fn *ct_helper)
{
	struct request q = {0};

	if (!rules_parse_options(&q, conf->argc, conf->argv))
		return STATUS_WRONG_ARGUMENTS;
	if (q.help)
		return rules_print_usage();
	if (!is_coherent(&q))
		return STATUS_WRONG_ARGUMENTS;
	if (q.check)
		return rules_check(conf, q.check);
	rules_fill_in(&q);
	if (!q.remove)
		return rules_print_all(&q, conf, ct_helper);
	rules_print_removal(&q.rules);
	return rules_close_output();
}
