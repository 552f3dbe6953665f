/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checks.h - facts in, findings out; nothing is looked at here */
#ifndef PASVD_CHECKS_H
#define PASVD_CHECKS_H

#include "facts.h"
#include "findings.h"
#include "queue_counters.h"

/* "ipv4" or "ipv6". */
const char *target_family(const struct target *t);
bool filter_is_nft(const struct filter *f);

/* Whether each target's rules are loaded as they should be, once, with their jumps. */
void check_rules(const struct facts *f, struct report *r);

/* The same for pasvd's table of nft, if there is one or should be. */
void check_nft(const struct facts *f, struct report *r);

/* Whether the packets get to those rules, and nothing else takes or drops them. */
void check_way(const struct facts *f, struct report *r);

/* What opens the server to everybody although it need not any more; whether clients are translated
 * at all. */
void check_open(const struct facts *f, struct report *r);

/* --- numbers; -1: could not be read --- */

/* `count` of `max` are in use of the thing that `sysctl` limits. */
void check_room(struct report *r, const char *about, const char *things, const char *sysctl,
	long count, long max);
void check_timeout(struct report *r, long established);
void check_events(struct report *r, long events);
void check_forwarding(struct report *r, const char *interface, const char *sysctl, long value);

/* --- the queue --- */

struct queue_facts {
	uint16_t number; /* that the rules send packets to */
	bool bound;
	struct queue_counters first, then; /* the same queue at two times */
	char holder[32];                   /* the name of the program; "": not known */
	char others[64];                   /* numbers of other queues that are bound; "": none */
};

void check_queue(const struct queue_facts *q, const char *daemon, struct report *r);

/* --- what ip(8) prints --- */

/* `route` is what `ip -o route get SERVER` says (NULL: that there is none); "inside" is set from
 * it. */
void check_server(
	struct report *r, const char *server, const char *route, char ret_inside[INTERFACE_MAX]);

/* `link`: of `ip -o -d link show dev`, NULL: there is no such interface; `addresses`: of `ip -o
 * addr show dev`. */
void check_interface(struct report *r, const char *option, const char *name, const char *link,
	const char *addresses);

/* With strict rp_filter, `sysctl`. `route`: the way to anybody outside from an address of the
 * interface, NULL: there is none. */
void check_return(struct report *r, const char *interface, const char *sysctl, const char *route);

#endif
