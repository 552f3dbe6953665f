/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_options.c - options of `pasvd rules`, checked
 *
 * Options become a struct rules, and that the text of a template of iptables/. Every value is
 * checked against what is allowed, character by character or by being parsed and printed anew,
 * before it gets into the text: no value can add a rule or change the meaning of one.
 *
 * --public and --port belong to the --server before them, --wan to all. Addresses of both families
 * one after the other are one server's. iptables has rules for one family and ip6tables those for
 * the other; a table of nft is for both.
 */
#include "rules.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "ct_helper.h"
#include "ifname.h"
#include "rules_conf.h"
#include "rules_value.h"

#define INTERFACE_NAME "must be an interface name: " IFNAME_ALLOWED
#define PUBLIC_ADDRESS "must be the address that clients dial, such as 203.0.113.1 or 2001:db8::1"
#define CONTROL_PORT   "must be N or N:M, ports from 1 to 65535; each N once, at most 64 of them"
#define NO_SERVER      "must come after the --server that it is for"

/* --- values --- */

/* Puts an address that a host can have into `ret_text`, INET6_ADDRSTRLEN bytes. Returns its family,
 * or -1. */
static int rules_parse_address(const char *value, char *ret_text)
{
	struct in6_addr ip6;
	struct in_addr ip4;

	if (inet_pton(AF_INET, value, &ip4) == 1 && rules_ip4_ok(&ip4))
		return inet_ntop(AF_INET, &ip4, ret_text, INET6_ADDRSTRLEN) ? RULES_IP4 : -1;
	if (inet_pton(AF_INET6, value, &ip6) == 1 && rules_ip6_ok(&ip6))
		return inet_ntop(AF_INET6, &ip6, ret_text, INET6_ADDRSTRLEN) ? RULES_IP6 : -1;
	return -1;
}

static bool rules_has_wan(const struct rules_request *q, const char *name)
{
	for (size_t i = 0; i < q->n_wans; i++) {
		if (strcmp(q->wan[i], name) == 0)
			return true;
	}
	return false;
}

static void rules_set_wans(struct rules_request *q)
{
	for (struct rules_server *s = q->rules.server; s < q->rules.server + q->rules.n_servers;
		s++) {
		s->n_wans = q->n_wans;
		memcpy(s->wan, q->wan, sizeof(s->wan));
	}
}

static const char *rules_take_wan(void *data, const char *value)
{
	struct rules_request *q = data;

	if (q->n_wans == RULES_WANS_MAX || rules_has_wan(q, value) ||
		!ifname_ok(value, strlen(value)))
		return INTERFACE_NAME "; each once, at most 8 of them";
	q->wan[q->n_wans++] = value;
	rules_set_wans(q);
	return NULL;
}

static const char *rules_take_lan(void *data, const char *value)
{
	struct rules_request *q = data;

	if (!ifname_ok(value, strlen(value)))
		return INTERFACE_NAME;
	q->rules.lan = value;
	return NULL;
}

/* The one that an option is about, or NULL. */
static struct rules_server *rules_last_server(struct rules *r)
{
	return r->n_servers ? &r->server[r->n_servers - 1] : NULL;
}

/* Whether it is the other address of the server before it. */
static bool rules_continues_server(const struct rules_server *s, int family)
{
	return s && !s->any && !s->address[family].own[0] && !s->n_ports && !rules_has_public(s);
}

/* NULL: there is no room. */
static struct rules_server *rules_new_server(struct rules_request *q)
{
	struct rules_server *server = &q->rules.server[q->rules.n_servers];

	if (q->rules.n_servers == RULES_SERVERS_MAX)
		return NULL;
	q->rules.n_servers++;
	*server = (struct rules_server){0};
	rules_set_wans(q);
	return server;
}

static const char *rules_take_server(void *data, const char *value)
{
	struct rules_request *q = data;
	struct rules_server *server = rules_last_server(&q->rules);
	bool any = strcmp(value, "any") == 0;
	char text[INET6_ADDRSTRLEN] = "";
	int family = any ? RULES_IP4 : rules_parse_address(value, text);

	if (family < 0)
		return "must be the server's own address, such as 192.168.1.10 or fd00::10, or any";
	if (any || !rules_continues_server(server, family))
		server = rules_new_server(q);
	if (!server)
		return "must be one of 16 servers at most";
	server->any = any;
	memcpy(server->address[family].own, text, sizeof(text));
	return NULL;
}

static const char *rules_take_public(void *data, const char *value)
{
	struct rules_server *s = rules_last_server(&((struct rules_request *)data)->rules);
	char text[INET6_ADDRSTRLEN];
	int family = rules_parse_address(value, text);

	if (family < 0)
		return PUBLIC_ADDRESS;
	if (!s)
		return NO_SERVER;
	if (s->address[family].public[0])
		return "must be one address of each family for a server";
	memcpy(s->address[family].public, text, sizeof(text));
	return NULL;
}

static const char *rules_take_lan_port(void *data, const char *value)
{
	struct rules *r = &((struct rules_request *)data)->rules;
	int32_t port = rules_number(value, strlen(value), UINT16_MAX);

	for (size_t i = 0; i < r->n_lan_ports; i++) {
		if (r->lan_port[i] == port)
			port = 0;
	}
	if (port < 1 || r->n_lan_ports == RULES_PORTS_MAX)
		return "must be a port from 1 to 65535; each once, at most 64 of them";
	r->lan_port[r->n_lan_ports++] = (uint16_t)port;
	return NULL;
}

static bool rules_has_port(const struct rules_server *s, int32_t outside)
{
	for (size_t i = 0; i < s->n_ports; i++) {
		if (s->port[i].outside == outside)
			return true;
	}
	return false;
}

static const char *rules_take_port(void *data, const char *value)
{
	struct rules_server *s = rules_last_server(&((struct rules_request *)data)->rules);
	const char *colon = strchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : strlen(value);
	int32_t outside = rules_number(value, len, UINT16_MAX);
	int32_t server = colon ? rules_number(colon + 1, strlen(colon + 1), UINT16_MAX) : outside;

	if (outside < 1 || server < 1)
		return CONTROL_PORT;
	if (!s)
		return NO_SERVER;
	if (s->n_ports == RULES_PORTS_MAX || rules_has_port(s, outside))
		return CONTROL_PORT;
	s->port[s->n_ports++] = (struct rules_port){(uint16_t)outside, (uint16_t)server};
	return NULL;
}

static const char *rules_take_ip4(void *data, const char *value)
{
	(void)value;
	((struct rules_request *)data)->asked |= RULES_IP4_ONLY;
	return NULL;
}

static const char *rules_take_ip6(void *data, const char *value)
{
	(void)value;
	((struct rules_request *)data)->asked |= RULES_IP6_ONLY;
	return NULL;
}

const struct options_row rules_check_rows[] = {
	{.name = "json",
		.offset = offsetof(struct rules_request, json),
		.help = "prints one JSON object"},
	/* rules_rows begins here */
	{.name = "wan",
		.value = "IF",
		.repeatable = true,
		.take = rules_take_wan,
		.help = "interface on which clients come in"},
	{.name = "server",
		.value = "ADDR",
		.repeatable = true,
		.take = rules_take_server,
		.help = "a server's own address, IPv4 and IPv6; any: of other rules"},
	{.name = "public",
		.value = "ADDR",
		.repeatable = true,
		.take = rules_take_public,
		.help = "the address by which clients dial it, in place of --wan"},
	{.name = "port",
		.value = "PORT[:PORT]",
		.repeatable = true,
		.take = rules_take_port,
		.help = "its control port: outside, and its own (default 21)"},
	{.name = "lan",
		.value = "IF",
		.take = rules_take_lan,
		.help = "interface of clients that visit servers elsewhere"},
	{.name = "lan-port",
		.value = "PORT",
		.repeatable = true,
		.take = rules_take_lan_port,
		.help = "a control port that they dial (default 21)"},
	{.name = "accept-data",
		.offset = offsetof(struct rules_request, rules.accept_data),
		.help = "data connections of --server any pass FORWARD"},
	{.letter = '4',
		.take = rules_take_ip4,
		.help = "rules for IPv4; by default the addresses decide"},
	{.letter = '6', .take = rules_take_ip6, .help = "rules for IPv6"},
	{.name = "nft",
		.offset = offsetof(struct rules_request, rules.nft),
		.help = "rules for nft, not for iptables"},
	CONF_ROW_QUEUE,
	CONF_ROW_FILE,
	{0},
};

const char rules_more[] =
	"--public and --port belong to the --server before them:\n"
	"  --wan eth0 --server 192.168.1.10 --port 21 --server 192.168.1.11 --port 2121:21\n"
	"Interfaces are for all servers.\n"
	"Without --server and --lan the configuration says whom the rules are for: sections\n"
	"[server NAME] and [clients].\n";

/* --- what goes together --- */

unsigned int rules_families_of_servers(const struct rules *r)
{
	unsigned int families = 0;

	for (size_t i = 0; i < r->n_servers; i++) {
		for (unsigned int family = 0; family < RULES_FAMILIES; family++) {
			const struct rules_address *a = &r->server[i].address[family];

			families |= a->own[0] || a->public[0] ? 1U << family : 0;
		}
	}
	return families;
}

/* What the check of a configuration finds, in the words of options. */
static bool rules_fit_together(const struct rules *r)
{
	static const char *const texts[SERVERS_MISTAKES] = {
		[SERVERS_NO_ADDRESS] = "--server: missing",
		[SERVERS_NO_WAY] = "--wan or --public: missing",
		[SERVERS_TWO_WAYS] = "--wan, --public: only one of them can be given",
		[SERVERS_HALF_PUBLIC] = "--server, --public: each family needs both",
		[SERVERS_MOVED_PORT] =
			"--public, --port: a port of a server that is dialled by its "
			"own address stays what it is",
		[SERVERS_WAN_IS_LAN] = "--wan, --lan: must be different interfaces",
		[SERVERS_ACCEPT_OWN] = "--accept-data: needs --server any",
		[SERVERS_ACCEPT_NFT] = "--accept-data, --nft: a table of nft cannot let through "
				       "what others drop",
		[SERVERS_SAME_PORT] = "--server: two servers have the same port outside, give each "
				      "--port or --public",
	};
	static struct servers servers;
	struct servers_finding f;

	rules_to_servers(r, &servers);
	/* rules_coherent() has looked at families. */
	if (!servers_find_mistake(&servers, r->nft, 0, &f))
		return true;
	options_wrong("%s", texts[f.mistake]);
	return false;
}

bool rules_coherent(const struct rules_request *q)
{
	const struct rules *r = &q->rules;
	const struct {
		bool is;
		const char *text;
	} mistakes[] = {
		{q->asked && rules_families_of_servers(r) & ~q->asked,
			"-4, -6, --server: not of one family"},
		{!r->n_servers && q->n_wans,
			"--wan: needs --server ADDR, or --server any if other rules have the DNAT"},
		{!r->n_servers && !r->lan, "--server or --lan: missing"},
		{!r->n_servers && r->accept_data, "--accept-data: needs --server any"},
		{r->n_lan_ports && !r->lan, "--lan-port: needs --lan"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (mistakes[i].is) {
			options_wrong("%s", mistakes[i].text);
			return false;
		}
	}
	return rules_fit_together(r);
}

bool rules_fit_configured(const struct rules_request *q, const struct settings *settings)
{
	unsigned int families = q->asked ? q->asked : settings->families;
	char error[CONF_FILE_ERROR_MAX];

	if (servers_check(&settings->servers, q->rules.nft || settings->nft, families, error,
		    sizeof(error)))
		return true;
	options_wrong("%s", error);
	return false;
}

bool rules_name_somebody(const struct rules_request *q)
{
	return q->rules.n_servers || q->n_wans || q->rules.lan || q->rules.n_lan_ports ||
	       q->rules.accept_data;
}

static void rules_print_server_options(const struct rules_server *s, FILE *out)
{
	fputs(s->any ? " --server any" : "", out);
	for (int family = 0; family < RULES_FAMILIES; family++) {
		if (s->address[family].own[0])
			fprintf(out, " --server %s", s->address[family].own);
	}
	for (int family = 0; family < RULES_FAMILIES; family++) {
		if (s->address[family].public[0])
			fprintf(out, " --public %s", s->address[family].public);
	}
	for (size_t i = 0; i < s->n_ports; i++) {
		fprintf(out, " --port %d", s->port[i].outside);
		if (s->port[i].server != s->port[i].outside)
			fprintf(out, ":%d", s->port[i].server);
	}
}

void rules_print_options(const struct rules_request *q, FILE *out)
{
	const struct rules *r = &q->rules;

	fputs(r->nft ? " --nft" : "", out);
	fputs(q->asked & RULES_IP4_ONLY ? " -4" : "", out);
	fputs(q->asked & RULES_IP6_ONLY ? " -6" : "", out);
	for (size_t i = 0; i < q->n_wans; i++)
		fprintf(out, " --wan %s", q->wan[i]);
	for (size_t i = 0; i < r->n_servers; i++)
		rules_print_server_options(&r->server[i], out);
	if (r->lan)
		fprintf(out, " --lan %s", r->lan);
	for (size_t i = 0; i < r->n_lan_ports; i++)
		fprintf(out, " --lan-port %d", r->lan_port[i]);
	fputs(r->accept_data ? " --accept-data" : "", out);
}
