/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service.h - whom pasvd's rules serve: the options of `pasvd rules`, read off the rules */
#ifndef PASVD_SERVICE_H
#define PASVD_SERVICE_H

#include "ruleset.h"

enum {
	SERVICE_PORTS_MAX = 64,
	SERVICE_WANS_MAX = 8,
	SERVICE_QUEUES_MAX = 8,
	SERVICE_MORE_MAX = 15
};

struct service_port {
	uint16_t outside, server;
};

/* A server besides the first one. */
struct service_server {
	struct addr server, public; /* ADDR_NONE: any, by way of an interface */
	size_t n_ports;
	struct service_port port[SERVICE_PORTS_MAX];
};

struct service {
	enum addr_family family;
	size_t n_wans, n_ports, n_queues, n_more;
	char wan[SERVICE_WANS_MAX][INTERFACE_MAX];
	char lan[INTERFACE_MAX]; /* of clients; "": there are none */
	size_t n_lan_ports;      /* that they dial */
	uint16_t lan_port[SERVICE_PORTS_MAX];
	bool any;         /* rules of others say who a server is, besides those that follow */
	bool accept_data; /* FORWARD lets data connections pass */
	struct addr server, public; /* of the first server; ADDR_NONE: there is none */
	struct service_port port[SERVICE_PORTS_MAX];
	struct service_server more[SERVICE_MORE_MAX];
	uint16_t queue[SERVICE_QUEUES_MAX]; /* that of control connections first */
	char ct_helper[RULE_NAME_MAX];
	bool before_conntrack; /* control connections are queued in raw */
};

/* What the chains named `own` say. Rules that are missing are made up for by those of other tables
 * that say the same. */
struct service service_of(const struct ruleset *rs, enum addr_family family, const char *own);

/* What pasvd's table of nft says, for the family whose rules were read. It does not say which
 * ct helper. */
struct service service_of_nft(
	const struct ruleset *rs, enum addr_family family, const char *ct_helper);

/* Whether there is somebody to be served. */
bool service_any(const struct service *s);

/* The options of `pasvd rules` that make these rules, with --queue if that is not `usual`; "" if
 * there is no room, or if they cannot be read off the rules. */
void service_options(const struct service *s, int usual, char *ret_options, size_t cap);

/* The address and its NUL, to `buf` of ADDR_TEXT_MAX + 1 bytes; returns `buf`. */
const char *service_address(const struct addr *a, char *buf);

#endif
