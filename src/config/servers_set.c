/* SPDX-License-Identifier: GPL-2.0-or-later */
/* servers_set.c - a value of [server NAME] or [clients] becomes a setting */
#include <string.h>

#include "ifname.h"
#include "setters.h"

static struct server *server_now(struct settings *s)
{
	return &s->servers.server[s->servers.now];
}

/* Takes an address that a host can have as entry `n`, one of each family. */
static const char *server_add_address(struct text value, struct addr *list, size_t n)
{
	struct addr a;

	if (addr_parse((const uint8_t *)value.p, value.n, &a) < 0 || !external_usable(&a))
		return conf_value_wrong;
	for (size_t i = 0; i < n; i++) {
		if (list[i].family == a.family || list[i].family == ADDR_NONE)
			return "there may be one address of each family";
	}
	list[n] = a;
	return NULL;
}

const char *settings_add_server_address(struct settings *s, struct text value)
{
	struct server *server = server_now(s);

	if (value.n != strlen("any") || memcmp(value.p, "any", value.n) != 0)
		return server_add_address(value, server->address, server->n_addresses);
	if (server->n_addresses)
		return "any has no addresses beside it";
	server->address[0] = (struct addr){.family = ADDR_NONE};
	return NULL;
}

const char *settings_add_server_public(struct settings *s, struct text value)
{
	struct server *server = server_now(s);

	return server_add_address(value, server->public, server->n_publics);
}

const char *settings_add_server_wan(struct settings *s, struct text value)
{
	struct server *server = server_now(s);

	if (!ifname_ok(value.p, value.n))
		return "an interface name has " IFNAME_ALLOWED;
	memset(server->wan[server->n_wans], 0, IF_NAMESIZE);
	memcpy(server->wan[server->n_wans], value.p, value.n);
	for (size_t i = 0; i < server->n_wans; i++) {
		if (strcmp(server->wan[i], server->wan[server->n_wans]) == 0)
			return "each interface can be given once";
	}
	return NULL;
}

const char *settings_add_server_port(struct settings *s, struct text value)
{
	struct server *server = server_now(s);
	struct server_port *port = &server->port[server->n_ports];
	bool one = !memchr(value.p, ':', value.n);
	struct text outside = text_cut(&value, ':');

	if (conf_value_number(outside, 1, UINT16_MAX, &port->outside) ||
		conf_value_number(one ? outside : value, 1, UINT16_MAX, &port->server))
		return conf_value_wrong;
	for (size_t i = 0; i < server->n_ports; i++) {
		if (server->port[i].outside == port->outside)
			return "each port outside can be given once";
	}
	return NULL;
}

const char *settings_add_server_range(struct settings *s, struct text value)
{
	struct server *server = server_now(s);

	return conf_value_ports(value, POLICY_LOWEST_PORT, &server->range[server->n_ranges]);
}

const char *settings_set_server_accept(struct settings *s, struct text value)
{
	return conf_value_bool(value, &server_now(s)->accept_data);
}

const char *settings_set_lan(struct settings *s, struct text value)
{
	if (value.n && !ifname_ok(value.p, value.n))
		return conf_value_wrong;
	memset(s->servers.lan, 0, sizeof(s->servers.lan));
	memcpy(s->servers.lan, value.p, value.n);
	return NULL;
}

const char *settings_add_lan_port(struct settings *s, struct text value)
{
	struct servers *servers = &s->servers;
	uint16_t port;

	if (conf_value_number(value, 1, UINT16_MAX, &port))
		return conf_value_wrong;
	for (size_t i = 0; i < servers->n_lan_ports; i++) {
		if (servers->lan_port[i] == port)
			return "each port can be given once";
	}
	servers->lan_port[servers->n_lan_ports] = port;
	return NULL;
}

const char *settings_add_lan_range(struct settings *s, struct text value)
{
	return conf_value_ports(
		value, POLICY_LOWEST_PORT, &s->policy.lan_ports[s->policy.n_lan_ports]);
}

const char *settings_add_active(struct settings *s, struct text value)
{
	struct active_ports *entry = &s->policy.active_ports[s->policy.n_active_ports];
	struct text ports;
	const char *why = conf_value_for(value, &ports, &entry->client);

	if (!why && entry->client.addr.family == ADDR_NONE)
		why = conf_value_wrong;
	return why ? why : conf_value_ports(ports, POLICY_LOWEST_PORT, &entry->ports);
}
