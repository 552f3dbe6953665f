/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset.h - rules of a packet filter as far as they are understood, and the ways of packets
 * through them
 *
 * Theory of operation. What iptables-save or nft prints is read into one form (iptables_save.h,
 * nft_list.h). A rule matches a kind of packets (packet.h), or some of them, or none, or it is not
 * understood. Where it matches perhaps, or some of them, the ways of packets part: one goes as the
 * rule says, one goes on after it. All their ends are found.
 */
#ifndef PASVD_RULESET_H
#define PASVD_RULESET_H

#include "packet.h"

enum {
	RULE_NAME_MAX = 64,
	RULE_RANGES_MAX = 16,
	RULE_STATES_MAX = 3,
	RULE_CONDITIONS_MAX = 6,
	RULE_LOOKUPS_MAX = 4,
	RULE_SETS_MAX = 2,
	RULE_FILLERS_MAX = 4,
};

enum rule_action {
	RULE_NONE,     /* the packet goes on, whatever was done to it */
	RULE_TEMPLATE, /* CT: a helper or a zone, and those of rules after it no longer */
	RULE_NOTRACK,
	RULE_RESTORE, /* the connection's mark becomes the packet's */
	RULE_ACCEPT,
	RULE_DROP,
	RULE_QUEUE,
	RULE_DNAT,
	RULE_SNAT, /* MASQUERADE, too */
	RULE_RETURN,
	RULE_JUMP,
	RULE_GOTO,
	RULE_ELSEWHERE, /* ends the way in the table in some other manner */
	RULE_UNKNOWN,   /* not understood: the way ends or goes on */
};

struct interface_match {
	char name[INTERFACE_MAX]; /* "": any */
	bool prefix, negated;
};

struct address_match {
	struct network network; /* ADDR_NONE: any */
	bool negated;
};

struct port_match {
	size_t n; /* 0: any */
	struct port_range range[RULE_RANGES_MAX];
	bool negated;
};

struct state_match {
	unsigned int any_of;
	bool negated;
};

struct flags_match {
	uint8_t mask, value; /* 0: any */
	bool negated;
};

/* An ipset whose elements are not known yet. */
struct set_match {
	char name[32], directions[32]; /* "src,dst" */
	bool negated;
};

struct rule {
	char *text; /* as the rule stands in its listing */
	int handle; /* of nft */
	/* TRI_YES: TCP is asked for, TRI_NO: something that is no TCP of this family, TRI_MAYBE:
	 * nothing is */
	enum tri tcp;
	struct interface_match in, out;
	struct address_match src, dst, orig_dst;
	struct port_match sport, dport, orig_dport;
	size_t n_states;
	struct state_match state[RULE_STATES_MAX];
	char helper[RULE_NAME_MAX]; /* of the connection's master */
	struct flags_match flags;
	size_t n_conditions, n_lookups;
	struct condition condition[RULE_CONDITIONS_MAX];
	const struct lookup *lookup[RULE_LOOKUPS_MAX];
	size_t n_sets; /* not 0: what matches may not match */
	struct set_match set[RULE_SETS_MAX];
	/* it is for certain hosts, or for so many packets or connections, as something says that is
	 * nowhere above; see rule_counts.h */
	bool some;
	uint64_t per_day;   /* packets that are counted as one more or less; 0: none are */
	bool second_counts; /* a host's second connection makes a difference */
	/* lists of hosts, such as a set: what matches is added to the one, and it is asked for the
	 * other, by which `hits` times at least */
	char fills[RULE_NAME_MAX], asks[RULE_NAME_MAX];
	unsigned int hits;
	const struct rule *filler[RULE_FILLERS_MAX]; /* of what it asks for; NULL: no more */
	/* something in it is not understood: what matches may not match */
	bool unsure;
	bool of_data;                /* of pasvd's own: only packets that carry data match */
	char unclear[RULE_NAME_MAX]; /* the name of that; "": it has none */

	enum rule_action action;
	/* the chain of JUMP and GOTO, the ct helper of TEMPLATE, the source's name of others */
	char target[RULE_NAME_MAX];
	struct endpoint to; /* of DNAT; ADDR_NONE: not one address, port 0: as it was */
	uint16_t queue;
	uint32_t connmark; /* bits that it writes into the connection's mark */
	bool marks;        /* it gives packets a mark */
	bool gives_zone;   /* to replies, too: */
	uint16_t zone;
};

enum hook {
	HOOK_NONE,
	HOOK_PREROUTING,
	HOOK_FORWARD,
	HOOK_POSTROUTING,
	HOOK_INPUT,
	HOOK_OUTPUT,
	HOOK_INGRESS,
	HOOK_EGRESS,
	HOOK_ELSEWHERE
};

struct chain {
	char family[8]; /* of nft: ip, ip6, inet; else "" */
	char table[RULE_NAME_MAX], name[RULE_NAME_MAX];
	enum hook hook;
	int priority;
	bool drops;   /* the policy */
	bool dormant; /* its table is: nft has taken it out of force */
	char devices
		[256]; /* of HOOK_INGRESS and HOOK_EGRESS, " eth0 eth1 "; "": any, or too many */
	size_t n;
	struct rule *rule;
};

struct ruleset {
	size_t n;
	struct chain *chain;
	struct lookup *lookup; /* of its rules */
};

/* The chain, made if it is not there; NULL: no memory. Pointers to chains and rules that were there
 * may be invalid then. */
struct chain *ruleset_chain(
	struct ruleset *rs, const char *family, const char *table, const char *name);
const struct chain *ruleset_find(
	const struct ruleset *rs, const char *family, const char *table, const char *name);

/* Copies the rule to the chain's end, `text` too. -ENOMEM, or 0. */
int chain_append(struct chain *c, const struct rule *rule, const char *text);
void ruleset_free(struct ruleset *rs);

/* The rule has packets pass so many routers: where they then end is not known if they are few. */
void rule_shortens_life(struct rule *r, uint64_t hops);

/* A name is cut if it is too long. */
void rule_name(char ret_name[RULE_NAME_MAX], const char *name);

/* Finds out who fills the lists that rules ask for, once all rules are there. */
void ruleset_link_lists(struct ruleset *rs);

/* Packets are TCP. */
enum tri rule_matches(const struct rule *r, const struct rule_packet *p);

struct way {
	/* RULE_NONE: the end of the base chain, where its policy decides */
	enum rule_action end;
	const struct rule *rule;   /* at which it ends; NULL with RULE_NONE */
	const struct chain *chain; /* where that is */
	size_t index;              /* of the rule of the base chain that led there, from 0 */
	/* TRI_YES: all packets go it, unless something was not understood before. TRI_SOME,
	 * TRI_SOME_PORTS: only some do. */
	enum tri taken_by;
	/* the first rule before, or at the end, that is not understood; NULL: all are */
	const struct rule *unclear;
	const struct chain *unclear_chain;
};

typedef void ruleset_end_fn(void *data, const struct way *way);

/* Calls `take` for the end of each way of such packets from the first rule of a base chain. A way
 * ends at the first rule of RULE_TEMPLATE, RULE_NOTRACK or anything that ends the packet's way in
 * the table; and at a jump to the chain `goal`. */
void ruleset_ways(const struct ruleset *rs, const struct chain *base, const struct rule_packet *p,
	const char *goal, ruleset_end_fn *take, void *data);

/* A place for a set's elements that lives as long as the rules; NULL: no memory. */
struct lookup *ruleset_lookup(struct ruleset *rs);

/* The index of the first jump to `goal` in a base chain, or its number of rules if there is
 * none. */
size_t chain_jump(const struct chain *c, const char *goal);

#endif
