/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset.c - rules of a packet filter, and a packet's way through them */
#include "ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

enum {
	DEPTH_MAX = 32,      /* of jumps; nft has 16, iptables refuses loops */
	STEPS_MAX = 1 << 20, /* rules looked at on one way */
};

/* --- to build --- */

void rule_name(char ret_name[RULE_NAME_MAX], const char *name)
{
	strncpy(ret_name, name, RULE_NAME_MAX - 1);
	ret_name[RULE_NAME_MAX - 1] = '\0';
}

static bool ruleset_chain_is(
	const struct chain *c, const char *family, const char *table, const char *name)
{
	return strcmp(c->family, family) == 0 && strncmp(c->table, table, RULE_NAME_MAX - 1) == 0 &&
	       strncmp(c->name, name, RULE_NAME_MAX - 1) == 0;
}

const struct chain *ruleset_find(
	const struct ruleset *rs, const char *family, const char *table, const char *name)
{
	for (size_t i = 0; i < rs->n; i++) {
		if (ruleset_chain_is(&rs->chain[i], family, table, name))
			return &rs->chain[i];
	}
	return NULL;
}

/* Room for one more of what there are `n` of: it doubles at powers of two. */
static void *ruleset_room(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : realloc(array, (n ? 2 * n : 1) * size);
}

struct chain *ruleset_chain(
	struct ruleset *rs, const char *family, const char *table, const char *name)
{
	const struct chain *there = ruleset_find(rs, family, table, name);
	struct chain *chains, *c;

	if (there)
		return &rs->chain[there - rs->chain];
	chains = ruleset_room(rs->chain, rs->n, sizeof(*chains));
	if (!chains)
		return NULL;
	rs->chain = chains;
	c = &rs->chain[rs->n++];
	*c = (struct chain){0};
	strncpy(c->family, family, sizeof(c->family) - 1);
	rule_name(c->table, table);
	rule_name(c->name, name);
	return c;
}

int chain_append(struct chain *c, const struct rule *rule, const char *text)
{
	struct rule *rules = ruleset_room(c->rule, c->n, sizeof(*rules));
	char *copy = strdup(text);

	if (rules)
		c->rule = rules;
	if (!rules || !copy) {
		free(copy);
		return -ENOMEM;
	}
	c->rule[c->n] = *rule;
	c->rule[c->n++].text = copy;
	return 0;
}

void ruleset_free(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		for (size_t j = 0; j < rs->chain[i].n; j++)
			free(rs->chain[i].rule[j].text);
		free(rs->chain[i].rule);
	}
	free(rs->chain);
	*rs = (struct ruleset){0};
}

/* --- one rule --- */

static enum tri ruleset_tri_of(bool yes, bool negated)
{
	return yes != negated ? TRI_YES : TRI_NO;
}

static enum tri ruleset_match_interface(const struct interface_match *m, const char *name)
{
	size_t len = strlen(m->name);

	if (!len)
		return TRI_YES;
	if (!name)
		return TRI_MAYBE;
	return ruleset_tri_of(
		m->prefix ? strncmp(name, m->name, len) == 0 : strcmp(name, m->name) == 0,
		m->negated);
}

static enum tri ruleset_match_network(const struct address_match *m, const struct addr *a)
{
	if (m->network.addr.family == ADDR_NONE)
		return TRI_YES;
	if (a->family == ADDR_NONE)
		return TRI_MAYBE;
	return ruleset_tri_of(network_has(&m->network, a), m->negated);
}

static enum tri ruleset_match_ports(const struct port_match *m, uint16_t port)
{
	bool found = false;

	if (!m->n)
		return TRI_YES;
	if (!port)
		return TRI_MAYBE;
	for (size_t i = 0; i < m->n; i++)
		found |= port >= m->range[i].low && port <= m->range[i].high;
	return ruleset_tri_of(found, m->negated);
}

static enum tri ruleset_match_states(const struct rule *r, unsigned int state)
{
	if (!r->n_states)
		return TRI_YES;
	if (!state)
		return TRI_MAYBE;
	for (size_t i = 0; i < r->n_states; i++) {
		if (ruleset_tri_of(r->state[i].any_of & state, r->state[i].negated) == TRI_NO)
			return TRI_NO;
	}
	return TRI_YES;
}

static enum tri ruleset_match_helper(const struct rule *r, const char *helper)
{
	if (!r->helper[0])
		return TRI_YES;
	return helper && strcmp(helper, r->helper) == 0 ? TRI_YES : TRI_NO;
}

enum tri rule_matches(const struct rule *r, const struct rule_packet *p)
{
	const enum tri parts[] = {r->tcp == TRI_NO ? TRI_NO : TRI_YES,
		r->unsure ? TRI_MAYBE : TRI_YES, ruleset_match_interface(&r->in, p->in),
		ruleset_match_interface(&r->out, p->out), ruleset_match_network(&r->src, &p->src),
		ruleset_match_network(&r->dst, &p->dst),
		ruleset_match_network(&r->orig_dst, &p->orig_dst),
		ruleset_match_ports(&r->sport, p->sport), ruleset_match_ports(&r->dport, p->dport),
		ruleset_match_ports(&r->orig_dport, p->orig_dport),
		ruleset_match_states(r, p->state), ruleset_match_helper(r, p->helper)};
	enum tri least = TRI_YES;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		least = parts[i] < least ? parts[i] : least;
	return least;
}

/* --- the way --- */

struct walk_frame {
	const struct chain *chain;
	size_t next; /* rule */
};

struct walk {
	const struct ruleset *rs;
	const char *goal;
	size_t depth;
	struct walk_frame frame[DEPTH_MAX]; /* the last one is the chain where the packet is */
	bool sure;
};

static bool goes_on(enum rule_action action)
{
	return action == RULE_NONE || action == RULE_RESTORE;
}

/* Into the chain that a rule names; GOTO does not come back to the chain that it leaves. */
static void ruleset_enter(struct walk *w, const struct rule *r)
{
	struct walk_frame *top = &w->frame[w->depth - 1];
	const struct chain *next =
		ruleset_find(w->rs, top->chain->family, top->chain->table, r->target);

	if (next && r->action == RULE_GOTO) {
		*top = (struct walk_frame){next, 0};
	} else if (next && w->depth < DEPTH_MAX) {
		w->frame[w->depth++] = (struct walk_frame){next, 0};
	} else {
		w->sure = false;
	}
}

/* Goes on at a rule that matches. Whether the way ends there. */
static bool ruleset_follow(struct walk *w, const struct rule *r)
{
	bool leads = r->action == RULE_JUMP || r->action == RULE_GOTO;

	if (r->action == RULE_RETURN)
		w->depth--;
	else if (!leads || strcmp(r->target, w->goal) == 0)
		return true;
	else
		ruleset_enter(w, r);
	return false;
}

/* The next rule, or NULL at the end of a chain: then the packet is back in the one before. */
static const struct rule *ruleset_next_rule(struct walk *w)
{
	struct walk_frame *top = &w->frame[w->depth - 1];

	if (top->next < top->chain->n)
		return &top->chain->rule[top->next++];
	w->depth--;
	return NULL;
}

struct way ruleset_way(const struct ruleset *rs, const struct chain *base,
	const struct rule_packet *p, const char *goal)
{
	struct walk w = {.rs = rs, .goal = goal, .depth = 1, .frame = {{base, 0}}, .sure = true};
	struct way way = {.end = RULE_NONE};
	size_t steps = 0;

	while (w.depth > 0 && !way.rule && ++steps < STEPS_MAX) {
		const struct rule *r = ruleset_next_rule(&w);
		enum tri match = r && !goes_on(r->action) ? rule_matches(r, p) : TRI_NO;

		if (r >= base->rule && r < base->rule + base->n)
			way.index = (size_t)(r - base->rule);
		if (match == TRI_MAYBE)
			w.sure = false;
		if (match == TRI_YES && ruleset_follow(&w, r))
			way.rule = r;
	}
	way.end = way.rule ? way.rule->action : RULE_NONE;
	way.sure = w.sure && steps < STEPS_MAX;
	return way;
}

size_t chain_jump(const struct chain *c, const char *goal)
{
	size_t i = 0;

	while (i < c->n &&
		!(c->rule[i].action == RULE_JUMP && strcmp(c->rule[i].target, goal) == 0))
		i++;
	return i;
}
