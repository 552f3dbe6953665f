/* SPDX-License-Identifier: GPL-2.0-or-later */
/* servers.h - sections [server NAME] of the configuration: whom rules are for */
#ifndef PASVD_SERVERS_H
#define PASVD_SERVERS_H

#include <net/if.h>

#include "pasvd/policy.h"

#include "conf_value.h"

enum {
	SERVERS_MAX = 16,
	SERVER_NAME_MAX = 32, /* with its NUL */
	SERVER_FROM_MAX = 192,
	SERVER_WANS_MAX = 8,
	SERVER_PORTS_MAX = 64,
	SERVER_RANGES_MAX = POLICY_LIST_MAX,
};

struct server_port {
	uint16_t outside, server;
};

struct server {
	char name[SERVER_NAME_MAX];
	char from[SERVER_FROM_MAX]; /* PATH:LINE where its section begins first */
	/* At most one of each family. ADDR_NONE alone: any, rules of others say which. */
	size_t n_addresses, n_publics;
	struct addr address[2], public[2];
	size_t n_wans, n_ports, n_ranges;
	char wan[SERVER_WANS_MAX][IF_NAMESIZE];     /* interfaces of its clients */
	struct server_port port[SERVER_PORTS_MAX];  /* none: 21 */
	struct port_range range[SERVER_RANGES_MAX]; /* of its passive ports with TLS */
	bool accept_data;
};

/* Those that are configured. */
struct servers {
	size_t n, now; /* the one whose section is read */
	struct server server[SERVERS_MAX];
	char lan[IF_NAMESIZE]; /* of clients; "": there are none */
	size_t n_lan_ports;
	uint16_t lan_port[SERVER_PORTS_MAX]; /* that clients dial; none: 21 */
};

/* What the name of a section says after "server". NULL, or what is wrong with it. Makes it the one
 * that is read, and a new one if no section was named so before. */
const char *servers_begin(struct servers *s, struct text name, const char *from);

bool server_is_any(const struct server *s);

/* What does not belong together, */
enum servers_mistake {
	SERVERS_NO_ADDRESS,
	SERVERS_NO_WAY,   /* neither wan nor public, */
	SERVERS_TWO_WAYS, /* or both */
	SERVERS_HALF_PUBLIC,
	SERVERS_MOVED_PORT,
	SERVERS_WAN_IS_LAN,
	SERVERS_ACCEPT_OWN,
	SERVERS_ACCEPT_NFT,
	SERVERS_OTHER_FAMILY, /* for which there are no rules */
	SERVERS_SAME_PORT,
	SERVERS_MISTAKES
};

/* and where. */
struct servers_finding {
	enum servers_mistake mistake;
	const struct server *server;
	const struct server *other; /* with SERVERS_SAME_PORT: whose port outside it is as well, */
	uint16_t port;              /* and which one */
};

/* The first mistake, of a configuration or of options, for rules of nft or iptables and of
 * `families`: 1 IPv4, 2 IPv6; 0: as the addresses are. False: there is none. */
bool servers_find_mistake(const struct servers *s, bool nft, unsigned int families,
	struct servers_finding *ret_finding);

/* Whether all belongs together. False: one line of at most `cap` bytes in `error`. */
bool servers_check(
	const struct servers *s, bool nft, unsigned int families, char *error, size_t cap);

/* Adds the passive ports of the servers to those of [tls]. NULL, or the one for which there is no
 * room. */
const struct server *servers_add_ranges(const struct servers *s, struct policy *policy);

/* Makes the servers those that the policy knows to be behind this router. */
void servers_add_own(const struct servers *s, struct policy *policy);

#endif
