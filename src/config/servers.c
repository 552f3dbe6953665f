/* SPDX-License-Identifier: GPL-2.0-or-later */
/* servers.c - sections [server NAME] of the configuration: whom rules are for
 *
 * Keys are taken one by one by servers_set.c, in any order and from several files; what belongs
 * together is checked when all are there.
 */
#include "servers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pasvd/array.h"

enum { SERVERS_PORT = 21 };

static bool servers_name_ok(struct text name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	for (size_t i = 0; i < name.n; i++) {
		if (!name.p[i] || !strchr(allowed, name.p[i]))
			return false;
	}
	return name.n && name.n < SERVER_NAME_MAX;
}

static struct server *servers_find(struct servers *s, struct text name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strlen(s->server[i].name) == name.n &&
			memcmp(s->server[i].name, name.p, name.n) == 0)
			return &s->server[i];
	}
	return NULL;
}

const char *servers_begin(struct servers *s, struct text name, const char *from)
{
	struct server *server = servers_find(s, name);

	if (!servers_name_ok(name))
		return "the name of a server has 1 to 31 letters, digits, '.', '_' or '-', as in "
		       "[server ftp]";
	if (!server && s->n == SERVERS_MAX)
		return "one too many, there may be 16 servers";
	if (!server) {
		server = &s->server[s->n++];
		*server = (struct server){0};
		memcpy(server->name, name.p, name.n);
		snprintf(server->from, sizeof(server->from), "%s", from);
	}
	s->now = (size_t)(server - s->server);
	return NULL;
}

bool server_is_any(const struct server *s)
{
	return s->n_addresses && s->address[0].family == ADDR_NONE;
}

static const struct addr *servers_of_family(const struct addr *a, size_t n, uint8_t family)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i].family == family)
			return &a[i];
	}
	return NULL;
}

/* Whether clients of the family get to it. */
static bool servers_serve(const struct server *s, uint8_t family)
{
	if (server_is_any(s))
		return !s->n_publics || servers_of_family(s->public, s->n_publics, family);
	return servers_of_family(s->address, s->n_addresses, family);
}

static bool servers_has_port(const struct server *s, uint16_t outside)
{
	bool has = !s->n_ports && outside == SERVERS_PORT;

	for (size_t i = 0; i < s->n_ports; i++)
		has |= s->port[i].outside == outside;
	return has;
}

static bool servers_share_wan(const struct server *a, const struct server *b)
{
	for (size_t i = 0; i < a->n_wans; i++) {
		for (size_t j = 0; j < b->n_wans; j++) {
			if (strcmp(a->wan[i], b->wan[j]) == 0)
				return true;
		}
	}
	return false;
}

/* Whether clients of a family dial both in the same way. */
static bool servers_share_way(const struct server *a, const struct server *b, uint8_t family)
{
	const struct addr *one = servers_of_family(a->public, a->n_publics, family),
			  *other = servers_of_family(b->public, b->n_publics, family);

	return servers_serve(a, family) && servers_serve(b, family) &&
	       (servers_share_wan(a, b) || (one && other && addr_eq(one, other)));
}

/* The port outside that two servers share, so that a connection to one would go to the other; 0:
 * none. */
static uint16_t servers_shared_port(const struct server *a, const struct server *b)
{
	if (!servers_share_way(a, b, ADDR_IP4) && !servers_share_way(a, b, ADDR_IP6))
		return 0;
	for (size_t i = 0; i < a->n_ports; i++) {
		if (servers_has_port(b, a->port[i].outside))
			return a->port[i].outside;
	}
	return !a->n_ports && servers_has_port(b, SERVERS_PORT) ? SERVERS_PORT : 0;
}

/* Whether it is dialled by an address of its own in one family, and not in another. */
static bool servers_has_half_public(const struct server *s)
{
	static const uint8_t families[] = {ADDR_IP4, ADDR_IP6};
	bool half = false;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		half |= !servers_of_family(s->address, s->n_addresses, families[i]) !=
			!servers_of_family(s->public, s->n_publics, families[i]);
	return half && s->n_publics && !server_is_any(s);
}

/* Whether nobody translates it, since clients dial its own address, and a port of it is to become
 * another one all the same. */
static bool servers_moves_port(const struct server *s)
{
	bool routed = false, moves = false;

	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct addr *public =
			servers_of_family(s->public, s->n_publics, s->address[i].family);

		routed |= public && addr_eq(public, &s->address[i]);
	}
	for (size_t i = 0; i < s->n_ports; i++)
		moves |= s->port[i].outside != s->port[i].server;
	return routed && moves;
}

static bool servers_has_wan(const struct server *s, const char *name)
{
	for (size_t i = 0; i < s->n_wans; i++) {
		if (strcmp(s->wan[i], name) == 0)
			return true;
	}
	return false;
}

static bool servers_serve_one_of(const struct server *s, unsigned int families)
{
	return !families || (families & 1 && servers_serve(s, ADDR_IP4)) ||
	       (families & 2 && servers_serve(s, ADDR_IP6));
}

/* SERVERS_MISTAKES: none that is one server's own. */
static enum servers_mistake servers_mistake_of(
	const struct servers *all, const struct server *s, bool nft, unsigned int families)
{
	const bool mistakes[] = {
		[SERVERS_NO_ADDRESS] = !s->n_addresses,
		[SERVERS_NO_WAY] = !s->n_wans && !s->n_publics,
		[SERVERS_TWO_WAYS] = s->n_wans && s->n_publics,
		[SERVERS_HALF_PUBLIC] = servers_has_half_public(s),
		[SERVERS_MOVED_PORT] = servers_moves_port(s),
		[SERVERS_WAN_IS_LAN] = *all->lan && servers_has_wan(s, all->lan),
		[SERVERS_ACCEPT_OWN] = s->accept_data && !server_is_any(s),
		[SERVERS_ACCEPT_NFT] = s->accept_data && nft,
		[SERVERS_OTHER_FAMILY] = !servers_serve_one_of(s, families),
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (mistakes[i])
			return (enum servers_mistake)i;
	}
	return SERVERS_MISTAKES;
}

/* Whether number `i` has a port of one before it. */
static bool servers_find_same_port(
	const struct servers *s, size_t i, struct servers_finding *ret_finding)
{
	for (size_t j = 0; j < i; j++) {
		uint16_t port = servers_shared_port(&s->server[i], &s->server[j]);

		if (!port)
			continue;
		*ret_finding = (struct servers_finding){
			SERVERS_SAME_PORT, &s->server[i], &s->server[j], port};
		return true;
	}
	return false;
}

bool servers_find_mistake(const struct servers *s, bool nft, unsigned int families,
	struct servers_finding *ret_finding)
{
	for (size_t i = 0; i < s->n; i++) {
		enum servers_mistake mistake = servers_mistake_of(s, &s->server[i], nft, families);

		if (mistake == SERVERS_MISTAKES && !servers_find_same_port(s, i, ret_finding))
			continue;
		if (mistake != SERVERS_MISTAKES)
			*ret_finding = (struct servers_finding){mistake, &s->server[i], NULL, 0};
		return true;
	}
	return false;
}

bool servers_check(
	const struct servers *s, bool nft, unsigned int families, char *error, size_t cap)
{
	static const char *const texts[SERVERS_MISTAKES] = {
		[SERVERS_NO_ADDRESS] = "address is missing",
		[SERVERS_NO_WAY] = "wan or public is missing",
		[SERVERS_TWO_WAYS] = "wan and public: only one of them can be given",
		[SERVERS_HALF_PUBLIC] = "address and public: each family needs both",
		[SERVERS_MOVED_PORT] = ("ports: one of a server that is dialled by its own address "
					"stays what it is"),
		[SERVERS_WAN_IS_LAN] = "wan and lan of [clients] must be different interfaces",
		[SERVERS_ACCEPT_OWN] = "accept-data needs address = any",
		[SERVERS_ACCEPT_NFT] =
			"accept-data: a table of nft cannot let through what others drop",
		[SERVERS_OTHER_FAMILY] = ("address: none is of the families that the rules are for "
					  "(key families, or -4 and -6)"),
	};
	struct servers_finding f;

	if (!servers_find_mistake(s, nft, families, &f))
		return true;
	if (f.mistake == SERVERS_SAME_PORT)
		snprintf(error, cap,
			"%s: [server %s]: port %u outside is that of [server %s] (%s) as well",
			f.server->from, f.server->name, f.port, f.other->name, f.other->from);
	else
		snprintf(error, cap, "%s: [server %s]: %s", f.server->from, f.server->name,
			texts[f.mistake]);
	return false;
}

static bool servers_add_range(
	struct policy *policy, const struct addr *a, const struct port_range *range)
{
	struct tls_ports *entry = &policy->tls_ports[policy->n_tls_ports];

	if (policy->n_tls_ports == POLICY_LIST_MAX)
		return false;
	*entry = (struct tls_ports){{*a, (uint8_t)(8 * addr_len(a))}, *range};
	policy->n_tls_ports++;
	return true;
}

static bool servers_add_ranges_of(const struct server *server, struct policy *policy)
{
	bool room = true;

	for (size_t a = 0; a < server->n_addresses; a++) {
		for (size_t r = 0; r < server->n_ranges; r++)
			room = room &&
			       servers_add_range(policy, &server->address[a], &server->range[r]);
	}
	return room;
}

const struct server *servers_add_ranges(const struct servers *s, struct policy *policy)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!servers_add_ranges_of(&s->server[i], policy))
			return &s->server[i];
	}
	return NULL;
}

void servers_add_own(const struct servers *s, struct policy *policy)
{
	static_assert(2 * SERVERS_MAX <= POLICY_LIST_MAX, "each has two addresses at most");
	for (size_t i = 0; i < s->n; i++) {
		const struct server *server = &s->server[i];
		bool any = server_is_any(server);
		size_t n = any ? server->n_publics : server->n_addresses;

		for (size_t a = 0; a < n; a++)
			policy->own[policy->n_own++] = any ? server->public[a] : server->address[a];
	}
}
