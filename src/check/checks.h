/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checks.h - facts in, findings out; nothing is looked at here */
#ifndef PASVD_CHECKS_H
#define PASVD_CHECKS_H

#include "facts.h"
#include "findings.h"
#include "queue_counters.h"

/* "ipv4" or "ipv6". */
const char *target_family(const struct target *t);

/* The target as if it were for one of its servers alone: for number 0, the first one, and so on to
 * service.n_more. */
struct target target_of_server(const struct target *t, size_t number);

/* What follows "iptables" in the command of its rules, such as "-legacy"; "" if that is what
 * "iptables" is. */
const char *target_variant(const struct target *t);

/* It is of one of pasvd's sets of rules. */
bool is_own_chain(const struct facts *f, const struct chain *c);
bool filter_is_nft(const struct filter *f);

/* Where a rule is; NULL: the policy of the chain. */
void filter_say_rule(const struct filter *f, const struct chain *c, const struct rule *rule,
	char *buf, size_t cap);
/* Of a table of nft that is pasvd's own. */
bool chain_is_of_pasvd(const struct chain *c);

/* Whether each target's rules are loaded as they should be, once, with their jumps. */
void check_rules(const struct facts *f, struct report *r);

/* The same for pasvd's table of nft, if there is one or should be. */
void check_nft(const struct facts *f, struct report *r);

/* Which DNAT rules of others never count because pasvd's own come first. */
void check_dnat(const struct facts *f, struct report *r);

/* Whether the packets get to those rules, and nothing else takes or drops them. */
void check_way(const struct facts *f, struct report *r);

/* Whether rules in the way of such packets leave pasvd's bits of the connection's mark alone, and
 * whether marks are restored before pasvd's rules. */
struct kinds;
void check_marks_written(const struct facts *f, const struct target *t, const struct filter *filter,
	const struct kinds *k, struct report *r);
void check_marks_restored(const struct target *t, const struct kinds *k, struct report *r);
void check_marks_hidden(const struct target *t, const struct kinds *k, struct report *r);

/* What others decide about a connection before pasvd's rules do, where only the first rule counts.
 * `port`: of the server. */
void check_first(const struct facts *f, const struct target *t, const struct kinds *k,
	uint16_t port, struct report *r);
/* Whether a base chain of a filter comes before pasvd's own of that table, or may do so. */
bool check_first_is_before(
	const struct target *t, const struct filter *f, const struct chain *c, const char *table);

/* The fix: the jumps to our chain among the rules [from, to) of the chain move to `position`, which
 * iptables counts from 1. */
void check_way_fix_jumps(struct finding *found, const struct target *t, const struct chain *chain,
	size_t from, size_t to, size_t position);

/* What opens the server to everybody although it need not any more; whether clients are translated
 * at all. */
void check_open(const struct facts *f, struct report *r);
/* Whether some rule gives connections another source. */
bool family_is_translated(const struct facts *f, enum addr_family family);

/* --- numbers; -1: could not be read --- */

/* `count` of `max` are in use of the thing that `sysctl` limits. */
void check_room(struct report *r, const char *about, const char *things, const char *sysctl,
	long count, long max);
void check_timeout(struct report *r, long established);
void check_events(struct report *r, long events);

/* What does harm to other helpers; said where it is there. */
void check_auto_helper(struct report *r, long value, bool by_nft);
void check_bridge(struct report *r, const char *sysctl, long value);
void check_flowtables(struct report *r, size_t n);
/* `before`: what has to be set first, "" if nothing. */
void check_forwarding(struct report *r, const char *interface, const char *sysctl, long value,
	const char *before);

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

/* How a server answers the router itself. */
struct server_answer {
	struct addr server;
	uint16_t port;
	int err;           /* of the connection; 0: there is one */
	bool no_neighbour; /* if there is none: nobody has the address */
	bool closed;       /* by the server, before its greeting */
	char greeting[64]; /* the beginning of its first line; "": it was silent */
};

void check_server_answer(const struct facts *f, const struct target *t,
	const struct server_answer *a, struct report *r);

/* `link`: of `ip -o -d link show dev`, NULL: there is no such interface; `addresses`: of `ip -o
 * addr show dev`. */
void check_interface(struct report *r, const char *option, const char *name, const char *link,
	const char *addresses);

/* With strict rp_filter, `sysctl`. `route`: the way to anybody outside from an address of the
 * interface, NULL: there is none. */
void check_return(struct report *r, const char *interface, const char *sysctl, const char *route);

#endif
