/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kinds.h - the kinds of packets that FTP needs, where they pass, and what is known there */
#ifndef PASVD_CHECK_KINDS_H
#define PASVD_CHECK_KINDS_H

#include "facts.h"

enum { KINDS_MAX = 32, BEFORE_NAT = -100, BEHIND_NAT = 100, AFTER_CONNTRACK = -200 };

struct kind {
	const char *what;
	enum hook hook;
	int from, to;      /* priorities of the chains that see it like this */
	const char *table; /* in which it has to reach our chain; "": in none */
	struct rule_packet packet;
	bool stays; /* nobody may send it elsewhere */
};

struct kinds {
	size_t n;
	struct kind kind[KINDS_MAX];
};

/* Packets of clients that come in by `wan` (NULL: not known) for a port of the target's server. */
void kinds_add_server(struct kinds *k, const struct target *t, const char *wan, size_t port);

/* Those of the target's clients, to servers behind `outside` (NULL: not known); `translated`: they
 * have another address there. */
void kinds_add_clients(struct kinds *k, const struct target *t, uint16_t port, const char *outside,
	bool translated);

/* At ingress and egress nothing is known of a packet's connection. */
bool chain_is_of_device(const struct chain *c);

/* Whether the chain sees packets of the kind as they are described. What is known of those that are
 * forwarded is known behind NAT already. */
bool kind_is_at(const struct kind *k, const struct chain *c);

/* What is known of such packets at the chain: before a route is chosen not by which interface they
 * leave; and what the server sends has, once it is translated, an address of the router. */
struct kind kind_there(const struct kind *k, const struct service *s, const struct chain *c);

#endif
