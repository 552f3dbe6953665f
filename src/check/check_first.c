/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_first.c - rules of others that come before pasvd's where only the first one counts
 *
 * The first rule that translates a connection says where it goes, and the first that gives it a
 * template in raw says which helper and zone it has. Chains of other tables come first if their
 * priority is lower. At the same one that comes first which was made last: who is that is not
 * known.
 */
#include <string.h>

#include "checks.h"
#include "kinds.h"

static const char about[] = "packets";

enum { RAW = -300, NFT_BEFORE_OTHERS = 10 };

struct first {
	const struct target *target;
	const struct filter *filter;
	const struct kind *kind;
	const struct chain *chain;
	uint16_t port; /* of the server */
	struct report *r;
};

/* Of pasvd's chain where kinds have to get to that table. */
static int check_first_own_priority(const struct target *t, const char *table)
{
	if (strcmp(table, "raw") == 0)
		return RAW;
	return filter_is_nft(t->filter) ? BEFORE_NAT - NFT_BEFORE_OTHERS : BEFORE_NAT;
}

bool check_first_is_before(
	const struct target *t, const struct filter *f, const struct chain *c, const char *table)
{
	return f != t->filter
		       ? c->priority <= check_first_own_priority(t, table)
		       : filter_is_nft(f) && c->priority < check_first_own_priority(t, table);
}

/* Whether a connection goes elsewhere by the end of a way. */
static enum tri check_first_leads_elsewhere(const struct first *f, const struct way *way)
{
	const struct endpoint *to = &way->rule->to;

	if (way->end != RULE_DNAT)
		return way->end == RULE_ELSEWHERE ? TRI_YES : TRI_NO;
	if (to->addr.family == ADDR_NONE)
		return TRI_MAYBE;
	if (!addr_eq(&to->addr, &f->target->service.server))
		return TRI_YES;
	return (to->port ? to->port : f->kind->packet.dport) == f->port ? TRI_NO : TRI_YES;
}

static enum tri check_first_takes(const struct first *f, const struct way *way)
{
	if (!way->rule || way->taken_by == TRI_SOME || way->taken_by == TRI_SOME_PORTS)
		return TRI_NO;
	if (strcmp(f->kind->table, "nat") == 0)
		return check_first_leads_elsewhere(f, way);
	return way->end == RULE_TEMPLATE &&
			       strcmp(way->rule->target, f->target->service.ct_helper) != 0
		       ? TRI_YES
		       : TRI_NO;
}

static void check_first_say(const struct first *f, const struct way *way, bool sure)
{
	bool nat = strcmp(f->kind->table, "nat") == 0;
	char where[FINDING_TEXT_MAX];
	struct finding *found;

	filter_say_rule(f->filter, f->chain, way->rule, where, sizeof(where));
	found = report_add(f->r, sure ? SEVERITY_ERROR : SEVERITY_UNSURE, about,
		"%s: %s %s before pasvd's rules, and %s %s", target_family(f->target), where,
		sure ? "comes" : "may come", nat ? "sends elsewhere" : "gives another template to",
		f->kind->what);
	finding_why(found, "%s%s%s",
		nat ? "the first rule that translates a connection counts"
		    : "the first CT rule or zone counts: pasvd's helper is not attached",
		way->unclear && way->unclear->unclear[0] ? "; not understood: " : "",
		way->unclear ? way->unclear->unclear : "");
	finding_advice(found, "have that rule leave these connections out");
	report_once(f->r);
}

static void check_first_take_end(void *data, const struct way *way)
{
	const struct first *f = data;
	enum tri takes = check_first_takes(f, way);

	if (takes != TRI_NO)
		check_first_say(f, way,
			takes == TRI_YES && !way->unclear &&
				f->chain->priority <
					check_first_own_priority(f->target, f->kind->table));
}

/* Rules of nft give the helper behind conntrack, where a template is of no importance. */
static bool check_first_counts(const struct target *t, const struct kind *k)
{
	if (strcmp(k->table, "raw") == 0)
		return !filter_is_nft(t->filter) && k->hook == HOOK_PREROUTING;
	return strcmp(k->table, "nat") == 0 && t->service.server.family != ADDR_NONE;
}

static void check_first_filter(struct first *f)
{
	for (size_t i = 0; i < f->filter->rules.n; i++) {
		f->chain = &f->filter->rules.chain[i];
		if (f->chain->hook == HOOK_PREROUTING && !chain_is_of_pasvd(f->chain) &&
			check_first_is_before(f->target, f->filter, f->chain, f->kind->table))
			ruleset_ways(&f->filter->rules, f->chain, &f->kind->packet, "",
				check_first_take_end, f);
	}
}

void check_first(const struct facts *facts, const struct target *t, const struct kinds *k,
	uint16_t port, struct report *r)
{
	struct first f = {.target = t, .port = port, .r = r};

	for (size_t i = 0; i < facts->n_filters; i++) {
		f.filter = &facts->filter[i];
		for (size_t j = 0; f.filter->family == t->family && j < k->n; j++) {
			f.kind = &k->kind[j];
			if (check_first_counts(t, f.kind))
				check_first_filter(&f);
		}
	}
}
