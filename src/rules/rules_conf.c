/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_conf.c - sections of the configuration become rules, and rules sections */
#include "rules_conf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static int rules_family_of(const struct addr *a)
{
	return a->family == ADDR_IP6 ? RULES_IP6 : RULES_IP4;
}

/* In the form of inet_ntop(), as that of an option. */
static void rules_print_address(const struct addr *a, char ret_text[INET6_ADDRSTRLEN])
{
	inet_ntop(a->family == ADDR_IP6 ? AF_INET6 : AF_INET, a->byte, ret_text, INET6_ADDRSTRLEN);
}

static void rules_take_configured(const struct server *from, struct rules_server *ret_server)
{
	struct rules_server s = {.any = server_is_any(from), .n_wans = from->n_wans};

	for (size_t i = 0; i < from->n_addresses && !s.any; i++)
		rules_print_address(
			&from->address[i], s.address[rules_family_of(&from->address[i])].own);
	for (size_t i = 0; i < from->n_publics; i++)
		rules_print_address(
			&from->public[i], s.address[rules_family_of(&from->public[i])].public);
	for (size_t i = 0; i < from->n_wans; i++)
		s.wan[i] = from->wan[i];
	for (size_t i = 0; i < from->n_ports; i++)
		s.port[s.n_ports++] =
			(struct rules_port){from->port[i].outside, from->port[i].server};
	*ret_server = s;
}

bool rules_are_configured(const struct settings *settings)
{
	return settings->servers.n || settings->servers.lan[0];
}

void rules_from_settings(const struct settings *settings, struct rules *r)
{
	const struct servers *servers = &settings->servers;

	for (size_t i = 0; i < servers->n; i++) {
		rules_take_configured(&servers->server[i], &r->server[i]);
		r->accept_data |= servers->server[i].accept_data;
	}
	r->n_servers = servers->n;
	r->lan = servers->lan[0] ? servers->lan : NULL;
	r->n_lan_ports = servers->n_lan_ports;
	memcpy(r->lan_port, servers->lan_port, sizeof(r->lan_port));
	r->nft |= settings->nft;
}

/* Takes the address as the next of the list, if there is one. */
static void rules_parse_into(const char *text, struct addr *list, size_t *n)
{
	if (text[0] && addr_parse((const uint8_t *)text, strlen(text), &list[*n]) == 0)
		(*n)++;
}

static void rules_to_server(const struct rules_server *from, struct server *ret_server)
{
	struct server s = {.n_wans = from->n_wans, .n_addresses = from->any};

	static_assert(RULES_WANS_MAX == (int)SERVER_WANS_MAX &&
			      RULES_PORTS_MAX == (int)SERVER_PORTS_MAX &&
			      RULES_SERVERS_MAX == (int)SERVERS_MAX,
		"options and sections have room for as many");
	for (int family = 0; family < RULES_FAMILIES; family++) {
		rules_parse_into(from->address[family].own, s.address, &s.n_addresses);
		rules_parse_into(from->address[family].public, s.public, &s.n_publics);
	}
	for (size_t i = 0; i < from->n_wans; i++)
		snprintf(s.wan[i], sizeof(s.wan[i]), "%s", from->wan[i]);
	for (; s.n_ports < from->n_ports; s.n_ports++)
		s.port[s.n_ports] = (struct server_port){
			from->port[s.n_ports].outside, from->port[s.n_ports].server};
	*ret_server = s;
}

/* --accept-data is of the servers that may be any. If there is none, the first has it, so that the
 * mistake is found. */
void rules_to_servers(const struct rules *r, struct servers *ret_servers)
{
	bool any = false;

	*ret_servers = (struct servers){.n = r->n_servers};
	snprintf(ret_servers->lan, sizeof(ret_servers->lan), "%s", r->lan ? r->lan : "");
	for (size_t i = 0; i < r->n_servers; i++) {
		rules_to_server(&r->server[i], &ret_servers->server[i]);
		ret_servers->server[i].accept_data = r->accept_data && r->server[i].any;
		any |= r->server[i].any;
	}
	if (r->accept_data && !any && r->n_servers)
		ret_servers->server[0].accept_data = true;
}
