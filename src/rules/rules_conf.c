/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_conf.c - sections [server NAME] and [clients] of the configuration become rules */
#include "rules_conf.h"

#include <arpa/inet.h>
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
