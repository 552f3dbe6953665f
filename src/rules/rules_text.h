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

enum { RULES_PORTS_MAX = 64, RULES_WANS_MAX = 8 };

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

/* What is said of the server, for each family. */
struct rules_server {
	/* its address in the form of inet_ntop(); "": there is none of this family */
	char own[INET6_ADDRSTRLEN];
	/* the one that is dialled; "": any, by way of an interface */
	char public[INET6_ADDRSTRLEN];
	size_t n_ranges;
	struct port_range range[POLICY_LIST_MAX]; /* of its passive ports with TLS */
};

struct rules {
	bool nft;              /* for nft; else for iptables-restore or ip6tables-restore */
	unsigned int families; /* the set that the text is for; only with nft can it be both */
	size_t n_wans;
	const char *wan[RULES_WANS_MAX];
	const char *lan; /* NULL: no clients */
	struct rules_server server[RULES_FAMILIES];
	size_t n_ports;
	struct rules_port port[RULES_PORTS_MAX];
	const struct ct_helper *ct_helper; /* NULL: not known */
	uint16_t queue, tls_queue;
	uint32_t tls_mark;
	bool fail_open; /* what the daemon cannot take passes */
};

/* Prints the rules to stdout. All texts in *r go into them as they are. */
void rules_print(const struct rules *r);

/* Prints what takes away rules of r->nft and r->families; the rest of *r does not matter. */
void rules_print_removal(const struct rules *r);

#endif
