/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset.h - rules of a packet filter as far as they are understood, and a packet's way through
 * them
 *
 * Theory of operation. What iptables-save or nft prints is read into one form (save.h, nft.h). A
 * packet here is the description of a kind of packets, such as "the first one of a data
 * connection": what is not said of it can be anything. So a rule matches such packets, or does not,
 * or matches some of them: TRI_MAYBE, which is also the answer if the rule has something in it that
 * is not understood. A way goes on after rules that match perhaps, and says whether it could have
 * ended at one of them: only what is sure is worth a finding.
 */
#ifndef PASVD_RULESET_H
#define PASVD_RULESET_H

#include "pasvd/policy.h"

enum { RULE_NAME_MAX = 64, RULE_RANGES_MAX = 16, RULE_STATES_MAX = 3, INTERFACE_MAX = 16 };

enum tri { TRI_NO, TRI_MAYBE, TRI_YES };

/* States of a connection, and how it is translated; those of `-m conntrack --ctstate`, and one of
 * --ctstatus. */
enum {
	STATE_NEW = 1,
	STATE_ESTABLISHED = 2,
	STATE_RELATED = 4,
	STATE_INVALID = 8,
	STATE_UNTRACKED = 16,
	STATE_SNAT = 32,
	STATE_DNAT = 64,
	STATE_EXPECTED = 128,
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
	/* something in it is not understood: what matches may not match */
	bool unsure;

	enum rule_action action;
	/* the chain of JUMP and GOTO, the ct helper of TEMPLATE, the source's name of others */
	char target[RULE_NAME_MAX];
	struct endpoint to; /* of DNAT; ADDR_NONE: not one address, port 0: as it was */
	uint16_t queue;
	uint32_t connmark; /* bits that it writes into the connection's mark */
};

enum hook { HOOK_NONE, HOOK_PREROUTING, HOOK_FORWARD, HOOK_POSTROUTING, HOOK_ELSEWHERE };

struct chain {
	char family[8]; /* of nft: ip, ip6, inet; else "" */
	char table[RULE_NAME_MAX], name[RULE_NAME_MAX];
	enum hook hook;
	int priority;
	bool drops; /* the policy */
	size_t n;
	struct rule *rule;
};

struct ruleset {
	size_t n;
	struct chain *chain;
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

/* A name is cut if it is too long. */
void rule_name(char ret_name[RULE_NAME_MAX], const char *name);

struct rule_packet {
	const char *in, *out; /* NULL: not known */
	struct addr src, dst, orig_dst;
	uint16_t sport, dport, orig_dport; /* 0: not known */
	unsigned int state;                /* 0: not known, as in raw */
	const char *helper;                /* of its master; NULL: it has none */
};

/* Packets are TCP. */
enum tri rule_matches(const struct rule *r, const struct rule_packet *p);

struct way {
	/* RULE_NONE: the end of the base chain, where its policy decides */
	enum rule_action end;
	bool sure;               /* it does not end before that */
	const struct rule *rule; /* at which it ends; NULL with RULE_NONE */
	size_t index;            /* of the rule of the base chain that led there, from 0 */
};

/* The way of the packet from the first rule of a base chain. It ends at the first rule of
 * RULE_TEMPLATE, RULE_NOTRACK or anything that ends the packet's way in the table; and at a jump to
 * the chain `goal`. */
struct way ruleset_way(const struct ruleset *rs, const struct chain *base,
	const struct rule_packet *p, const char *goal);

/* The index of the first jump to `goal` in a base chain, or its number of rules if there is
 * none. */
size_t chain_jump(const struct chain *c, const char *goal);

#endif
