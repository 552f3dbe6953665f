/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_way.c - whether packets of control and data connections get to pasvd's rules, and through
 * the others
 *
 * For each kind of packet of a target, each base chain at its hook is walked. Where pasvd's own
 * chain has to be reached, a way that ends before the jump is bad, elsewhere one that is dropped.
 * If all ways are bad, that is an error; if some are and a rule before is not understood, it is not
 * certain. A rule for certain hosts or ports is somebody's choice, as long as other packets get
 * through.
 */
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "iptables_save.h"
#include "kinds.h"
#include "mend.h"
#include "shell.h"

static const char about[] = "packets";

/* --- what is found on the way --- */

struct place {
	const struct facts *facts;
	const struct target *target;
	const struct filter *filter;
	const struct chain *chain;
	const struct kind *kind;
	bool ours;         /* our chain has to be reached */
	bool is_elsewhere; /* whether packets come in by the chain's device is not known */
};

/* What our own chain would do as well. */
static bool is_as_ours(const struct place *p, const struct rule *rule)
{
	const struct service *s = &p->target->service;

	for (size_t i = 0; rule->action == RULE_QUEUE && i < s->n_queues; i++) {
		if (rule->queue == s->queue[i])
			return true;
	}
	return rule->action == RULE_TEMPLATE && strcmp(rule->target, s->ct_helper) == 0;
}

static bool check_way_drops(const struct place *p, const struct way *way)
{
	return way->end == RULE_DROP || (way->end == RULE_NONE && p->chain->drops);
}

/* Not, if our own chain in front gives such a packet its template. */
static bool check_way_untracks(const struct place *p, const struct way *way)
{
	const struct rule_packet *packet = &p->kind->packet;
	bool has_template = chain_jump(p->chain, p->target->own) < p->chain->n && !packet->reply &&
			    !packet->dport_to;

	return way->end == RULE_NOTRACK && p->chain->priority <= AFTER_CONNTRACK && !has_template;
}

/* To a proxy, or another server. */
static bool check_way_diverts(const struct place *p, const struct way *way)
{
	return p->kind->stays && (way->end == RULE_DNAT || way->end == RULE_ELSEWHERE);
}

/* Whether the way ends as it should. */
static bool is_good(const struct place *p, const struct way *way)
{
	if (way->end == RULE_TEMPLATE && !p->ours)
		return false;
	if (way->end == RULE_JUMP)
		return true;
	if (chain_is_of_device(p->chain))
		return !check_way_drops(p, way) && way->end != RULE_ELSEWHERE;
	if (!p->ours)
		return !check_way_drops(p, way) && !check_way_untracks(p, way) &&
		       !check_way_diverts(p, way);
	if (way->end == RULE_ACCEPT && p->kind->hook == HOOK_FORWARD)
		return true;
	return way->rule && is_as_ours(p, way->rule);
}

void filter_say_rule(const struct filter *f, const struct chain *c, const struct rule *rule,
	char *buf, size_t cap)
{
	if (!rule)
		snprintf(buf, cap, "the policy of chain %s%s%s %s (%s)", c->family,
			*c->family ? " " : "", c->table, c->name, f->command);
	else if (filter_is_nft(f))
		snprintf(buf, cap, "%s", rule->text);
	else
		snprintf(buf, cap, "\"%s\" of table %s (%s)", rule->text, c->table, f->command);
}

static void check_way_say_where(const struct place *p, const struct way *way, char *buf, size_t cap)
{
	filter_say_rule(p->filter, p->chain, way->rule, buf, cap);
}

static const char *check_way_what_happens(const struct way *way)
{
	switch (way->end) {
	case RULE_TEMPLATE:
		if (way->rule && strcmp(way->rule->target, "ftp") == 0)
			return "the first CT rule counts: the kernel's own helper follows these "
			       "connections, "
			       "and "
			       "pasvd leaves them alone";
		return "the first CT rule counts: these connections do not get pasvd's helper, "
		       "without which "
		       "the "
		       "kernel expects no data connections";
	case RULE_NOTRACK:
		return "what conntrack does not know is neither translated nor expected";
	case RULE_QUEUE:
		return "what comes back from another queue goes on behind this table";
	case RULE_DNAT:
		return "the first DNAT rule counts: the connection goes there";
	case RULE_DROP:
	case RULE_NONE:
		return "nothing that another rule accepts gets past it";
	default:
		return "the rules behind it are not looked at any more";
	}
}

static bool is_jump_to(const struct rule *rule, const char *own)
{
	return rule->action == RULE_JUMP && strcmp(rule->target, own) == 0;
}

void check_way_fix_jumps(struct finding *found, const struct target *t, const struct chain *chain,
	size_t from, size_t to, size_t position)
{
	const char *ipt = t->filter->command;
	struct commands c = {.used = 0};
	char words[FINDING_TEXT_MAX];

	for (size_t i = to; i-- > from;) { /* so their order stays */
		if (!is_jump_to(&chain->rule[i], t->own))
			continue;
		iptables_save_words(chain->rule[i].text, words, sizeof(words));
		commands_add(&c, "%s -t %s -D %s %s", ipt, chain->table, chain->name, words);
		commands_add(&c, "%s -t %s -I %s %zu %s", ipt, chain->table, chain->name, position,
			words);
	}
	finding_fix_by(found, &c);
}

static void check_way_fix_drop(const struct place *p, const struct way *way, struct finding *found)
{
	const struct mend m = {.target = p->target,
		.filter = p->filter,
		.chain = p->chain,
		.position = way->index + 1,
		.at_end = !way->rule,
		.loader = p->facts->loader};

	if (p->kind->hook != HOOK_FORWARD || p->chain->hook == HOOK_EGRESS ||
		!shell_plain(p->chain->table) || !shell_plain(p->chain->name))
		finding_advice(found, "have it let these packets through");
	else
		mend_forward(&m, found);
}

/* --- what the ends of all ways mean --- */

enum { WAYS_ALL, WAYS_SOME_PORTS, WAYS_SOME, WAYS };

/* The first way of each sort. */
struct check_ends {
	const struct place *place;
	bool has[2][WAYS]; /* by whether it is good, and by whom it is taken */
	struct way first[2][WAYS];
};

static void check_way_note(struct check_ends *e, bool good, const struct way *way)
{
	size_t by = way->taken_by == TRI_SOME         ? WAYS_SOME
		    : way->taken_by == TRI_SOME_PORTS ? WAYS_SOME_PORTS
						      : WAYS_ALL;

	if (e->has[good][by])
		return;
	e->has[good][by] = true;
	e->first[good][by] = *way;
}

static bool is_own_zone(const struct target *t, uint16_t zone)
{
	for (size_t i = 0; i < t->filter->rules.n; i++) {
		const struct chain *c = &t->filter->rules.chain[i];

		for (size_t j = 0; j < c->n && strcmp(c->name, t->own) == 0; j++) {
			if (c->rule[j].gives_zone && c->rule[j].zone == zone)
				return true;
		}
	}
	return false;
}

/* Replies in another zone than pasvd's rule gives to their connection. */
static bool check_way_parts(const struct place *p, const struct way *way)
{
	const struct rule_packet *packet = &p->kind->packet;

	return packet->reply && !packet->state && way->end == RULE_TEMPLATE &&
	       way->rule->gives_zone && !is_own_zone(p->target, way->rule->zone);
}

static void check_way_take_end(void *data, const struct way *way)
{
	struct check_ends *e = data;

	if (way->end == RULE_TEMPLATE && !e->place->ours && !check_way_parts(e->place, way))
		return; /* the packet goes on; check_first() */
	if (way->end == RULE_UNKNOWN) {
		check_way_note(e, true, way);
		check_way_note(e, false, way);
	} else {
		check_way_note(e, is_good(e->place, way), way);
	}
}

/* Control connections that carry a helper of our own: queued before conntrack, and after it
 * once more. */
static const struct way *check_way_shifts_twice(const struct check_ends *e)
{
	const struct place *p = e->place;
	const struct way *way = &e->first[true][WAYS_ALL];

	if (!e->has[true][WAYS_ALL] || e->has[false][WAYS_ALL] || way->end != RULE_QUEUE ||
		way->unclear)
		way = &e->first[false][WAYS_ALL];
	return p->target->service.before_conntrack && p->kind->packet.state & STATE_ESTABLISHED &&
			       !p->kind->packet.helper && way->end == RULE_QUEUE && !way->unclear
		       ? way
		       : NULL;
}

static void check_way_say_twice(const struct place *p, const struct way *way, struct report *r)
{
	struct finding *found;
	char where[FINDING_TEXT_MAX];

	check_way_say_where(p, way, where, sizeof(where));
	found = report_add(r, SEVERITY_WARNING, about,
		"%s: %s sends control connections to queue %u", target_family(p->target), where,
		way->rule->queue);
	finding_why(found,
		"they carry the helper %s, and the kernel shifts the sequence numbers of such "
		"packets "
		"once more when they come back from a queue behind conntrack: those connections "
		"hang",
		p->target->service.ct_helper);
	finding_advice(found, "have that rule leave them out, or load nf_conntrack_sane, pasvd's "
			      "rules again, and "
			      "start pasvd again");
	report_once(r);
}

static const char *check_way_verb(const struct place *p, const struct way *way)
{
	return check_way_drops(p, way) ? "drop" : "keep from pasvd's rules";
}

static void check_way_say_bad(const struct place *p, const struct way *way, struct report *r)
{
	char where[FINDING_TEXT_MAX];
	struct finding *found;

	check_way_say_where(p, way, where, sizeof(where));
	found = report_add(r, SEVERITY_ERROR, about, "%s: %s %s %s", target_family(p->target),
		where, check_way_drops(p, way) ? "drops" : "keeps from pasvd's rules",
		p->kind->what);
	finding_why(found, "%s",
		p->kind->packet.reply && way->end == RULE_TEMPLATE
			? "in another zone than their connection's conntrack does not know them"
			: check_way_what_happens(way));
	if (p->ours && way->rule)
		check_way_fix_jumps(
			found, p->target, p->chain, way->index, p->chain->n, way->index + 1);
	else
		check_way_fix_drop(p, way, found);
	report_once(r);
}

/* `bad`: a way that some or all packets take, as a rule is not understood. */
static void check_way_say_unsure(const struct place *p, const struct way *bad,
	const struct rule *rule, const struct chain *chain, struct report *r)
{
	char where[FINDING_TEXT_MAX], unclear[FINDING_TEXT_MAX / 2];
	struct finding *found;

	check_way_say_where(p, bad, where, sizeof(where));
	if (rule)
		filter_say_rule(p->filter, chain, rule, unclear, sizeof(unclear));
	found = report_add(r, SEVERITY_UNSURE, about, "%s: %s may %s %s", target_family(p->target),
		where, check_way_verb(p, bad), p->kind->what);
	if (rule)
		finding_why(found, "what %s matches or does is not understood%s%s", unclear,
			rule->unclear[0] ? ": " : "", rule->unclear);
	else if (p->is_elsewhere)
		finding_why(found, "it is for%s, and by which interface they pass is not known",
			p->chain->devices);
	else
		finding_why(found, "there are too many rules to follow them all");
	report_once(r);
}

static void check_way_say_ports(
	const struct place *p, const struct way *bad, const struct way *good, struct report *r)
{
	char where[FINDING_TEXT_MAX], other[FINDING_TEXT_MAX / 2];
	struct finding *found;

	check_way_say_where(p, bad, where, sizeof(where));
	check_way_say_where(p, good, other, sizeof(other));
	found = report_add(r, SEVERITY_UNSURE, about, "%s: %s may %s %s", target_family(p->target),
		where, check_way_verb(p, bad), p->kind->what);
	finding_why(found, "that depends on its port: %s is for some ports only", other);
	finding_advice(found, "have the rules accept what the helper expects, whatever its port: "
			      "state related");
	report_once(r);
}

static void check_way_say_some(
	const struct place *p, const struct way *bad, const struct way *good, struct report *r)
{
	char where[FINDING_TEXT_MAX / 2], other[FINDING_TEXT_MAX / 2];

	check_way_say_where(p, bad, where, sizeof(where));
	check_way_say_where(p, good, other, sizeof(other));
	report_add(r, SEVERITY_OK, about, "%s: %s lets some get by, and %s %ss the rest",
		target_family(p->target), other, where, check_way_verb(p, bad));
	report_once(r);
}

static void check_way_chain(const struct place *p, struct report *r)
{
	const char *goal = p->ours ? p->target->own : ""; /* elsewhere our chain is one of many */
	struct check_ends e = {.place = p};
	const struct way *bad = &e.first[false][WAYS_ALL], *good = &e.first[true][WAYS_ALL], *twice;
	bool parts;

	ruleset_ways(&p->filter->rules, p->chain, &p->kind->packet, goal, check_way_take_end, &e);
	twice = check_way_shifts_twice(&e);
	parts = bad->end == RULE_TEMPLATE && !bad->unclear; /* it goes on, to no avail */
	if (twice)
		check_way_say_twice(p, twice, r);
	else if (!e.has[false][WAYS_ALL])
		return;
	else if (!parts && (e.has[true][WAYS_ALL] || p->is_elsewhere))
		check_way_say_unsure(p, bad, bad->unclear ? bad->unclear : good->unclear,
			bad->unclear ? bad->unclear_chain : good->unclear_chain, r);
	else if (!parts && e.has[true][WAYS_SOME_PORTS])
		check_way_say_ports(p, bad, &e.first[true][WAYS_SOME_PORTS], r);
	else if (!parts && e.has[true][WAYS_SOME])
		check_way_say_some(p, bad, &e.first[true][WAYS_SOME], r);
	else
		check_way_say_bad(p, bad, r);
}

/* --- all of them --- */

/* Whether the chain has a jump to ours for such packets. */
static bool check_way_has_jump(const struct place *p)
{
	for (size_t i = 0; i < p->chain->n; i++) {
		const struct rule *rule = &p->chain->rule[i];

		if (is_jump_to(rule, p->target->own) &&
			rule_matches(rule, &p->kind->packet) != TRI_NO)
			return true;
	}
	return false;
}

/* Rules of others translate these packets, or let them pass. */
static bool check_way_is_left_to_others(const struct service *s, const struct kind *k)
{
	if (!s->any || s->server.family != ADDR_NONE)
		return false;
	return strcmp(k->table, "nat") == 0 ||
	       (k->hook == HOOK_FORWARD && !s->accept_data && !s->lan[0]);
}

static void check_way_kind(const struct facts *facts, const struct target *t,
	const struct filter *f, const struct kind *k, struct report *r)
{
	for (size_t i = 0; i < f->rules.n; i++) {
		const struct kind there = kind_there(k, &t->service, &f->rules.chain[i]);
		struct place p = {facts, t, f, &f->rules.chain[i], &there, false, false};

		if (!kind_is_at(k, p.chain) || chain_is_of_pasvd(p.chain))
			continue;
		p.ours = f == t->filter && !filter_is_nft(f) && p.chain->hook == k->hook &&
			 strcmp(p.chain->table, k->table) == 0 &&
			 !(t->service.before_conntrack && strcmp(k->table, "mangle") == 0);
		if (p.ours && check_way_is_left_to_others(&t->service, k)) {
			if (!(k->packet.state & STATE_EXPECTED))
				continue; /* which server, and which port, only they know */
			p.ours = false;
		}
		if (p.ours && !check_way_has_jump(&p))
			continue; /* check_rules() says so */
		if (chain_is_of_device(p.chain))
			p.is_elsewhere =
				!p.chain->devices[0] ||
				!(p.chain->hook == HOOK_EGRESS ? k->packet.out : k->packet.in);
		check_way_chain(&p, r);
	}
}

static void check_way_kinds(
	const struct facts *f, const struct target *t, const struct kinds *k, struct report *r)
{
	for (size_t i = 0; i < f->n_filters; i++) {
		if (f->filter[i].family != t->family)
			continue;
		for (size_t j = 0; j < k->n; j++)
			check_way_kind(f, t, &f->filter[i], &k->kind[j], r);
		check_marks_written(f, t, &f->filter[i], k, r);
	}
	if (!t->service.before_conntrack)
		check_marks_restored(t, k, r);
	if (!filter_is_nft(t->filter))
		check_marks_hidden(t, k, r);
}

static void check_way_server(const struct facts *f, const struct target *t, struct report *r)
{
	size_t wans = t->service.n_wans ? t->service.n_wans : 1;

	for (size_t w = 0; w < wans; w++) {
		for (size_t i = 0; i < t->service.n_ports; i++) {
			struct kinds k = {0};

			kinds_add_server(&k, t, t->service.n_wans ? t->service.wan[w] : NULL, i);
			check_way_kinds(f, t, &k, r);
			check_first(f, t, &k, t->service.port[i].server, r);
		}
	}
}

/* Whose servers are behind `outside` (NULL: not known). */
static void check_way_clients(
	const struct facts *f, const struct target *t, const char *outside, struct report *r)
{
	bool translated = family_is_translated(f, t->family);

	for (size_t i = 0; i < t->service.n_lan_ports; i++) {
		struct kinds k = {0};

		kinds_add_clients(&k, t, t->service.lan_port[i], outside, translated);
		check_way_kinds(f, t, &k, r);
		check_first(f, t, &k, 0, r);
	}
}

static size_t check_way_not_well(const struct report *r)
{
	return report_count(r, SEVERITY_UNSURE) + report_count(r, SEVERITY_WARNING) +
	       report_count(r, SEVERITY_ERROR);
}

static void check_way_target(const struct facts *f, const struct target *t, struct report *r)
{
	size_t before = check_way_not_well(r);

	for (size_t m = 0; m <= t->service.n_more; m++) {
		struct target one = target_of_server(t, m);

		if (one.service.server.family != ADDR_NONE || one.service.any)
			check_way_server(f, &one, r);
	}
	if (t->service.lan[0]) {
		check_way_clients(f, t, t->outside[0] ? t->outside : NULL, r);
		for (size_t w = 0; w < t->service.n_wans; w++)
			check_way_clients(f, t, t->service.wan[w], r);
	}
	if (check_way_not_well(r) == before && !f->filters_unread)
		report_add(r, SEVERITY_OK, about, "%s: nothing takes those of FTP away from %s",
			target_family(t), t->own);
}

void check_way(const struct facts *f, struct report *r)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		if (f->target[i].loaded)
			check_way_target(f, &f->target[i], r);
	}
}
