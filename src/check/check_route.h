/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_route.h - what `ip rule` and `ip route get` say of packets that are forwarded */
#ifndef PASVD_CHECK_ROUTE_H
#define PASVD_CHECK_ROUTE_H

#include "facts.h"
#include "findings.h"

enum {
	ROUTE_COMMAND_MAX = 256,
	ROUTE_MARKS_MAX = 4,
	ROUTE_RULE_PORTS_MAX = 3,
	ROUTE_PORTS_MAX = ROUTE_RULE_PORTS_MAX + 3
};

/* What the rules ask for of which a packet may have more than one. */
struct route_rules {
	size_t n_marks, n_ports;
	uint32_t mark[ROUTE_MARKS_MAX];
	uint16_t port[ROUTE_RULE_PORTS_MAX]; /* those that a data connection can have */
};

struct route_rules route_rules_read(const char *rules);

/* The interface of a route that leads to a host, and not to the router itself or nowhere. */
bool route_device(const char *route, char ret_device[INTERFACE_MAX]);
bool route_is_by(const char *route, const char *device);

/* The address that is so many behind that of the network which a line of `ip route show` begins
 * with; of one host that host. */
bool route_host_in(const char *line, size_t number, char *ret_host, size_t cap);

void route_command(
	const char *const words[], enum addr_family family, char ret_command[ROUTE_COMMAND_MAX]);

/* Packets that are forwarded from one interface to another one. */
struct passage {
	const char *what;
	const char *in, *out;
	const char *from, *to;
	bool any_uplink; /* if they are marked, they may leave by any */
	bool reply;      /* the ports are those of who sends */
	size_t n_ports;  /* the control port, then some of those of data connections */
	uint16_t port[ROUTE_PORTS_MAX];
};

/* What became of them. */
struct route_answers {
	uint32_t mark; /* 0: none */
	size_t n_good, n_bad;
	bool is_control_bad;
	char route[128], command[ROUTE_COMMAND_MAX]; /* of the first bad one */
};

/* What the kernel says of the next one of the passage's ports. */
void route_answers_add(struct route_answers *a, const struct target *t, const struct passage *w,
	const char *route, const char *command);
/* `policies`: of `ip -o xfrm policy`. Whether one is for what the server of the target and
 * everybody else send each other, or for all. */
void check_ipsec(const struct target *t, const char *policies, struct report *r);

/* The router knows nobody behind an interface. */
void check_route_nobody(const struct target *t, const char *wan, struct report *r);
void check_route(const struct facts *f, const struct target *t, const struct passage *w,
	const struct route_answers *a, struct report *r);

#endif
