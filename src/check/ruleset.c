/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset.c - rules of a packet filter, and the ways of packets through them */
#include "ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "rule_counts.h"

enum {
	DEPTH_MAX = 32,      /* of jumps; nft has 16, iptables refuses loops */
	STEPS_MAX = 1 << 20, /* rules looked at on one way */
	HOPS_USUAL = 32,     /* more than there are to anybody */
};

/* --- to build --- */

void rule_name(char ret_name[RULE_NAME_MAX], const char *name)
{
	strncpy(ret_name, name, RULE_NAME_MAX - 1);
	ret_name[RULE_NAME_MAX - 1] = '\0';
}

void rule_shortens_life(struct rule *r, uint64_t hops)
{
	if (hops >= HOPS_USUAL)
		return;
	r->action = RULE_UNKNOWN;
	rule_name(r->unclear, "how far packets get");
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

struct lookup *ruleset_lookup(struct ruleset *rs)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->next = rs->lookup;
	rs->lookup = l;
	return l;
}

void ruleset_free(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		for (size_t j = 0; j < rs->chain[i].n; j++)
			free(rs->chain[i].rule[j].text);
		free(rs->chain[i].rule);
	}
	free(rs->chain);
	while (rs->lookup) {
		struct lookup *l = rs->lookup;

		rs->lookup = l->next;
		free(l->element);
		free(l);
	}
	*rs = (struct ruleset){0};
}

/* --- lists --- */

/* What fills it in a chain to which only some packets are sent is for those. */
static void rule_find_fillers(struct rule *r, const struct ruleset *rs)
{
	size_t n = 0;

	for (size_t i = 0; i < rs->n; i++) {
		const struct chain *c = &rs->chain[i];

		for (size_t j = 0; c->hook != HOOK_NONE && j < c->n; j++) {
			if (n < RULE_FILLERS_MAX && strcmp(c->rule[j].fills, r->asks) == 0)
				r->filler[n++] = &c->rule[j];
		}
	}
	if (n && !r->unclear[0])
		rule_name(r->unclear, r->asks);
}

void ruleset_link_lists(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		for (size_t j = 0; j < rs->chain[i].n; j++) {
			if (rs->chain[i].rule[j].asks[0])
				rule_find_fillers(&rs->chain[i].rule[j], rs);
		}
	}
}

/* --- one rule --- */

static enum tri ruleset_tri_of(bool yes, bool negated)
{
	return yes != negated ? TRI_YES : TRI_NO;
}

static enum tri ruleset_match_interface(
	const struct interface_match *m, const char *name, const char *never)
{
	size_t len = strlen(m->name);

	if (!len)
		return TRI_YES;
	if (!name && !m->prefix &&
		(strcmp(m->name, PACKET_NEVER_BY) == 0 || (never && strcmp(m->name, never) == 0)))
		return ruleset_tri_of(false, m->negated);
	if (!name)
		return TRI_SOME;
	return ruleset_tri_of(
		m->prefix ? strncmp(name, m->name, len) == 0 : strcmp(name, m->name) == 0,
		m->negated);
}

static enum tri ruleset_match_network(const struct address_match *m, const struct addr *a)
{
	if (m->network.addr.family == ADDR_NONE)
		return TRI_YES;
	if (a->family == ADDR_NONE)
		return m->network.bits ? TRI_SOME : ruleset_tri_of(true, m->negated);
	return ruleset_tri_of(network_has(&m->network, a), m->negated);
}

/* Up to which port the ranges have all from `port` on; one less than that: not even that one. */
static unsigned int ports_reach(const struct port_match *m, unsigned int port)
{
	for (size_t round = 0; round < m->n; round++) {
		for (size_t i = 0; i < m->n; i++) {
			if (m->range[i].low <= port && port <= m->range[i].high)
				port = m->range[i].high + 1U;
		}
	}
	return port - 1;
}

static bool ports_touch(const struct port_match *m, unsigned int low, unsigned int high)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->range[i].low <= high && low <= m->range[i].high)
			return true;
	}
	return false;
}

/* Ports from `port` to `to`, which is 0 if it is one. */
static enum tri ruleset_match_ports(const struct port_match *m, uint16_t port, uint16_t to)
{
	uint16_t last = to ? to : port;

	if (!m->n)
		return TRI_YES;
	if (!port)
		return TRI_SOME_PORTS;
	if (ports_touch(m, port, last) && ports_reach(m, port) < last)
		return TRI_SOME_PORTS;
	return ruleset_tri_of(ports_touch(m, port, last), m->negated);
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

static enum tri ruleset_match_flags(const struct flags_match *m, const struct rule_packet *p)
{
	uint8_t known = m->mask & p->flags_known;

	if (!m->mask)
		return TRI_YES;
	if ((p->flags & known) != (m->value & known))
		return ruleset_tri_of(false, m->negated);
	return known == m->mask ? ruleset_tri_of(true, m->negated) : TRI_SOME;
}

/* `filled`: with each such packet something is added to what the rule asks for. */
static enum tri ruleset_match_all(const struct rule *r, const struct rule_packet *p, bool filled)
{
	enum tri least = TRI_YES, t;

	for (size_t i = 0; i < r->n_conditions; i++) {
		t = condition_holds(&r->condition[i], p);
		least = t < least ? t : least;
	}
	for (size_t i = 0; i < r->n_lookups; i++) {
		t = filled && r->lookup[i]->named ? TRI_MAYBE : lookup_holds(r->lookup[i], p);
		least = t < least ? t : least;
	}
	return least;
}

static enum tri ruleset_match_filled(const struct rule *r, const struct rule_packet *p, bool filled)
{
	const enum tri parts[] = {r->tcp == TRI_NO || (r->of_data && p->bare) ? TRI_NO : TRI_YES,
		r->unsure || r->n_sets ? TRI_MAYBE : TRI_YES, rule_counts_match(r, p),
		filled ? TRI_MAYBE : TRI_YES, ruleset_match_interface(&r->in, p->in, p->never_in),
		ruleset_match_interface(&r->out, p->out, p->never_out),
		ruleset_match_network(&r->src, &p->src), ruleset_match_network(&r->dst, &p->dst),
		ruleset_match_network(&r->orig_dst, &p->orig_dst),
		ruleset_match_ports(&r->sport, p->sport, p->sport_to),
		ruleset_match_ports(&r->dport, p->dport, p->dport_to),
		ruleset_match_ports(&r->orig_dport, p->orig_dport, p->orig_dport_to),
		ruleset_match_states(r, p->state), ruleset_match_helper(r, p->helper),
		ruleset_match_flags(&r->flags, p), ruleset_match_all(r, p, filled)};
	enum tri least = TRI_YES;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		least = parts[i] < least ? parts[i] : least;
	return least;
}

/* Who is in a list is somebody's decision, unless a rule adds whoever has sent such a packet. */
static bool ruleset_is_filled(const struct rule *r, const struct rule_packet *p)
{
	for (size_t i = 0; i < RULE_FILLERS_MAX && r->filler[i]; i++) {
		if (!r->filler[i]->asks[0] && (r->hits < 2 || !packet_begins(p)) &&
			ruleset_match_filled(r->filler[i], p, false) == TRI_YES)
			return true;
	}
	return false;
}

enum tri rule_matches(const struct rule *r, const struct rule_packet *p)
{
	return ruleset_match_filled(r, p, ruleset_is_filled(r, p));
}

/* --- the ways --- */

/* Those of the packets that are at one place. */
struct path {
	bool any; /* there are some */
	enum tri taken_by;
	const struct rule *unclear;
	const struct chain *unclear_chain;
};

struct walk_frame {
	const struct chain *chain;
	size_t next;       /* rule */
	struct path path;  /* of packets that get there */
	struct path back;  /* of those that left the chain for the one before */
	bool goes_further; /* what comes back leaves the chain before, too: GOTO */
};

struct walk {
	const struct ruleset *rs;
	const struct rule_packet *packet;
	const char *goal;
	ruleset_end_fn *take;
	void *data;
	size_t depth, steps;
	struct walk_frame frame[DEPTH_MAX]; /* the last one is the chain where packets are */
};

static bool goes_on(enum rule_action action)
{
	return action == RULE_NONE || action == RULE_RESTORE;
}

static void walk_join(struct path *to, const struct path *path)
{
	if (!path->any)
		return;
	if (!to->any || path->taken_by > to->taken_by) {
		*to = *path;
	} else if (path->taken_by == to->taken_by && !to->unclear) {
		to->unclear = path->unclear;
		to->unclear_chain = path->unclear_chain;
	}
}

static void walk_doubt(struct path *path, const struct rule *r, const struct chain *c)
{
	if (path->unclear)
		return;
	path->unclear = r;
	path->unclear_chain = c;
}

static void walk_end(
	const struct walk *w, const struct path *path, const struct rule *r, enum rule_action end)
{
	struct way way = {.end = end,
		.rule = r,
		.chain = w->frame[w->depth ? w->depth - 1 : 0].chain,
		.index = w->frame[0].next ? w->frame[0].next - 1 : 0,
		.taken_by = path->taken_by,
		.unclear = path->unclear,
		.unclear_chain = path->unclear_chain};

	if (path->any)
		w->take(w->data, &way);
}

/* Not understood, or too deep: the way ends there or goes on. */
static void walk_unknown(struct walk *w, struct path *path, const struct rule *r)
{
	struct walk_frame *top = &w->frame[w->depth - 1];

	walk_doubt(path, r, top->chain);
	walk_end(w, path, r, RULE_UNKNOWN);
	walk_join(&top->path, path);
	walk_doubt(&top->path, r, top->chain);
}

/* Into the chain that a rule names. */
static void walk_enter(struct walk *w, struct path *path, const struct rule *r)
{
	struct walk_frame *top = &w->frame[w->depth - 1];
	const struct chain *next =
		ruleset_find(w->rs, top->chain->family, top->chain->table, r->target);

	if (next && w->depth < DEPTH_MAX)
		w->frame[w->depth++] = (struct walk_frame){
			.chain = next, .path = *path, .goes_further = r->action == RULE_GOTO};
	else
		walk_unknown(w, path, r);
}

/* Packets at a rule that matches them so. */
static void walk_match(struct walk *w, const struct rule *r, enum tri match)
{
	struct walk_frame *top = &w->frame[w->depth - 1];
	struct path path = top->path;

	if (match == TRI_MAYBE) {
		walk_doubt(&path, r, top->chain);
		top->path = path;
	} else if (match == TRI_YES) {
		top->path.any = false;
	} else if (match < path.taken_by) {
		path.taken_by = match;
	}
	if (r->action == RULE_RETURN)
		walk_join(&top->back, &path);
	else if (r->action == RULE_UNKNOWN)
		walk_unknown(w, &path, r);
	else if ((r->action == RULE_JUMP || r->action == RULE_GOTO) &&
		 strcmp(r->target, w->goal) != 0)
		walk_enter(w, &path, r);
	else
		walk_end(w, &path, r, r->action);
	if (r->action == RULE_TEMPLATE && !*w->goal) /* the packet goes on */
		walk_join(&top->path, &path);
}

/* Packets that are at the end of a chain are back in the one before. */
static void walk_leave(struct walk *w)
{
	struct walk_frame *top = &w->frame[--w->depth];

	walk_join(&top->back, &top->path);
	if (!w->depth)
		walk_end(w, &top->back, NULL, RULE_NONE);
	else if (top->goes_further)
		walk_join(&top[-1].back, &top->back);
	else
		walk_join(&top[-1].path, &top->back);
}

static void walk_step(struct walk *w)
{
	struct walk_frame *top = &w->frame[w->depth - 1];
	const struct rule *r;
	enum tri match;

	if (top->next == top->chain->n || !top->path.any) {
		walk_leave(w);
		return;
	}
	r = &top->chain->rule[top->next++];
	match = goes_on(r->action) ? TRI_NO : rule_matches(r, w->packet);
	if (match != TRI_NO)
		walk_match(w, r, match);
}

void ruleset_ways(const struct ruleset *rs, const struct chain *base, const struct rule_packet *p,
	const char *goal, ruleset_end_fn *take, void *data)
{
	struct walk w = {.rs = rs,
		.packet = p,
		.goal = goal,
		.take = take,
		.data = data,
		.depth = 1,
		.frame = {{.chain = base, .path = {.any = true, .taken_by = TRI_YES}}}};

	while (w.depth > 0 && ++w.steps < STEPS_MAX)
		walk_step(&w);
	if (w.depth > 0) {
		struct path lost = {.any = true, .taken_by = TRI_YES};

		walk_unknown(&w, &lost, NULL);
	}
}

size_t chain_jump(const struct chain *c, const char *goal)
{
	size_t i = 0;

	while (i < c->n &&
		!(c->rule[i].action == RULE_JUMP && strcmp(c->rule[i].target, goal) == 0))
		i++;
	return i;
}
