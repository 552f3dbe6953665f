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
};

struct kinds {
	size_t n;
	struct kind kind[KINDS_MAX];
};

/* Packets of clients that come in by `wan` (NULL: not known) for a port of the target's server. */
void kinds_add_server(struct kinds *k, const struct target *t, const char *wan, size_t port);

/* Those of the target's clients; `translated`: they have another address outside. */
void kinds_add_clients(struct kinds *k, const struct target *t, uint16_t port, bool translated);

#endif
