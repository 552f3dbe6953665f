/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_text.h - the rules that were asked for, and their text */
#ifndef PASVD_RULES_TEXT_H
#define PASVD_RULES_TEXT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ct_helper.h"
#include "pasvd/policy.h"

enum { RULES_SERVERS_MAX = 16, RULES_PORTS_MAX = 64, RULES_WANS_MAX = 8 };

/* Families, as index and as set. */
enum { RULES_IP4, RULES_IP6, RULES_FAMILIES };
enum {
	RULES_IP4_ONLY = 1 << RULES_IP4,
	RULES_IP6_ONLY = 1 << RULES_IP6,
	RULES_BOTH = RULES_IP4_ONLY | RULES_IP6_ONLY
};

struct rules_port {
	uint16_t outside, server;
};

/* One address of a server. */
struct rules_address {
	/* in the form of inet_ntop(); "": there is none of this family */
	char own[INET6_ADDRSTRLEN];
	/* the one that is dialled; "": any, by way of an interface */
	char public[INET6_ADDRSTRLEN];
	size_t n_ranges;
	struct port_range range[POLICY_LIST_MAX]; /* of its passive ports with TLS */
};

struct rules_server {
	/* Not one of ours: whatever rules of others translate connections to. It has no address of
	 * its own. */
	bool any;
	size_t n_wans;
	const char *
		wan[RULES_WANS_MAX]; /* interfaces of its clients, unless it has a public address */
	struct rules_address address[RULES_FAMILIES];
	size_t n_ports;
	struct rules_port port[RULES_PORTS_MAX];
};

struct rules {
	bool nft;              /* for nft; else for iptables-restore and ip6tables-restore */
	unsigned int families; /* the set that they are for */
	bool accept_data;      /* in FORWARD, also if there is nothing else to accept */
	const char *lan;       /* NULL: no clients */
	size_t n_lan_ports;    /* control ports of theirs */
	uint16_t lan_port[RULES_PORTS_MAX];
	/* ranges of ports that are opened on demand: of servers elsewhere, and of clients */
	struct rules_ranges {
		size_t n;
		struct port_range range[POLICY_LIST_MAX];
	} lan_passive, lan_active[RULES_FAMILIES];
	size_t n_servers;
	struct rules_server server[RULES_SERVERS_MAX];
	const struct ct_helper *ct_helper;
	uint16_t queue, tls_queue;
	uint32_t connmark; /* as in struct policy */
	bool fail_open;    /* what the daemon cannot take passes */
};

bool rules_has_public(const struct rules_server *s);

/* The text for the set of families, which is one family unless it is for nft; free() it. NULL: no
 * memory. All texts in *r go into it as they are. */
char *rules_text(const struct rules *r, unsigned int families);

#endif
