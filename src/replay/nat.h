/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat.h - what is behind NAT, as the command line says
 *
 * A capture shows one side of the router, or both; conntrack knows both. An endpoint has a form
 * inside and one outside, which are the same for whom no rule is given.
 */
#ifndef PASVD_NAT_H
#define PASVD_NAT_H

#include "pasvd/endpoint.h"

enum { NAT_MAX = 64 };

struct nat_rule {
	/* of one family; port 0 in both: each port, and it stays as it is */
	struct endpoint outside, inside;
};

struct nat {
	size_t n;
	struct nat_rule rule[NAT_MAX];
	size_t n_ports;
	uint16_t port[NAT_MAX]; /* control ports; none: 21 */
};

/* "PUBLIC=SERVER", each of them ADDRESS, or each of them ADDRESS:PORT or [ADDRESS]:PORT. False: it
 * is something else, or one too many. The first rule that fits an endpoint counts. */
bool nat_add(struct nat *nat, const char *text);

/* One more control port, in decimal. False: it is none, or one too many. Ports of rules are control
 * ports as well. */
bool nat_add_port(struct nat *nat, const char *text);

/* Whether a packet from tuple->src to tuple->dst is one of a control connection, and in which
 * direction. */
bool nat_is_control(const struct nat *nat, const struct tuple *tuple, enum dir *ret_dir);

/* Both directions of the connection of a control packet, as conntrack on the router would know
 * them, whichever side the packet was captured on. Without rules it is assumed that the server was
 * dialled by the address that it has: the port from which the client comes is then translated, of
 * which nothing depends, so that the connection counts as a translated one. */
void nat_tuples(
	const struct nat *nat, const struct tuple *packet, enum dir dir, struct tuple ret_tuple[2]);

#endif
