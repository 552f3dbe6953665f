/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_way.c - whether packets of control and data connections get to pasvd's rules, and through
 * the others
 *
 * For each kind of packet of a target, each base chain at its hook is walked. Where pasvd's own
 * chain has to be reached, a rule that is sure to end the way before the jump is an error.
 * Elsewhere only a sure drop is one.
 */
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "iptables_save.h"
#include "shell.h"

static const char about[] = "packets";

enum { KINDS_MAX = 16, BEFORE_NAT = -100, AFTER_CONNTRACK = -200, CONTROL_PORT = 21 };

struct kind {
	const char *what;
	enum hook hook;
	int from, to;      /* priorities of the chains that see it like this */
	const char *table; /* in which it has to reach our chain; "": in none */
	struct rule_packet packet;
};

struct kinds {
	size_t n;
	struct kind kind[KINDS_MAX];
};

enum { FIRST = -1000, LAST = 1000 };

static const struct rule_packet *check_way_add_packet(struct kinds *k, const char *what,
	enum hook hook, const char *table, struct rule_packet packet)
{
	int from = hook == HOOK_FORWARD ? FIRST : AFTER_CONNTRACK + 1,
	    to = hook == HOOK_FORWARD ? LAST : BEFORE_NAT - 1;

	if (strcmp(table, "raw") == 0) {
		from = FIRST;
		to = AFTER_CONNTRACK;
	} else if (strcmp(table, "nat") == 0) {
		from = to = BEFORE_NAT;
	}
	k->kind[k->n] = (struct kind){what, hook, from, to, table, packet};
	return &k->kind[k->n++].packet;
}

/* On its way to a server: what is known of it before NAT and after. */
static void check_way_add_server(
	struct kinds *k, const struct target *t, const char *wan, size_t port)
{
	const struct service *s = &t->service;
	uint16_t outside = s->port[port].outside, inside = s->port[port].server;
	const char *lan = t->inside[0] ? t->inside : NULL;
	struct rule_packet dialled = {.in = wan,
		.dst = s->public,
		.dport = outside,
		.orig_dst = s->public,
		.orig_dport = outside};
	struct rule_packet forwarded = {.in = wan,
		.out = lan,
		.dst = s->server,
		.dport = inside,
		.orig_dst = s->public,
		.orig_dport = outside};
	struct rule_packet answer = {.in = lan,
		.src = s->server,
		.sport = inside,
		.orig_dst = s->public,
		.orig_dport = outside,
		.state = STATE_ESTABLISHED | STATE_DNAT};
	struct rule_packet to = {.in = wan,
		.out = lan,
		.dst = s->server,
		.state = STATE_RELATED | STATE_EXPECTED | STATE_DNAT,
		.helper = s->ct_helper};
	struct rule_packet back = {.in = lan,
		.out = wan,
		.src = s->server,
		.state = STATE_RELATED | STATE_EXPECTED | STATE_SNAT,
		.helper = s->ct_helper};

	check_way_add_packet(k, "a client's connection", HOOK_PREROUTING, "raw", dialled);
	dialled.state = STATE_NEW;
	check_way_add_packet(k, "a client's connection", HOOK_PREROUTING, "", dialled);
	check_way_add_packet(k, "a client's connection", HOOK_PREROUTING, "nat", dialled);
	dialled.state = STATE_ESTABLISHED | STATE_DNAT;
	check_way_add_packet(k, "a client's commands", HOOK_PREROUTING, "mangle", dialled);
	check_way_add_packet(k, "the server's replies", HOOK_PREROUTING, "mangle", answer);
	forwarded.state = STATE_NEW | STATE_DNAT;
	check_way_add_packet(k, "a client's connection", HOOK_FORWARD, "filter", forwarded);
	forwarded.state = STATE_ESTABLISHED | STATE_DNAT;
	check_way_add_packet(k, "a client's commands", HOOK_FORWARD, "filter", forwarded);
	answer.out = wan;
	check_way_add_packet(k, "the server's replies", HOOK_FORWARD, "filter", answer);
	check_way_add_packet(k, "a data connection to the server", HOOK_FORWARD, "filter", to);
	check_way_add_packet(k, "a data connection of the server", HOOK_FORWARD, "filter", back);
}

static void check_way_add_clients(struct kinds *k, const struct target *t)
{
	const char *lan = t->service.lan;
	const unsigned int translated = STATE_ESTABLISHED | STATE_SNAT;
	struct rule_packet out = {.in = lan, .dport = 21, .orig_dport = 21};
	struct rule_packet back = {.sport = 21, .orig_dport = 21, .state = translated};

	check_way_add_packet(k, "a client's connection", HOOK_PREROUTING, "raw", out);
	out.state = STATE_NEW;
	check_way_add_packet(k, "a client's connection", HOOK_FORWARD, "filter", out);
	out.state = translated;
	check_way_add_packet(k, "a client's commands", HOOK_PREROUTING, "mangle", out);
	check_way_add_packet(k, "a client's commands", HOOK_FORWARD, "filter", out);
	check_way_add_packet(k, "the answers to clients", HOOK_PREROUTING, "mangle", back);
	back.out = lan;
	check_way_add_packet(k, "the answers to clients", HOOK_FORWARD, "filter", back);
	check_way_add_packet(k, "a data connection of clients", HOOK_FORWARD, "filter",
		(struct rule_packet){.in = lan,
			.state = STATE_RELATED | STATE_EXPECTED | STATE_SNAT,
			.helper = t->service.ct_helper});
	check_way_add_packet(k, "a data connection to clients", HOOK_FORWARD, "filter",
		(struct rule_packet){.out = lan,
			.state = STATE_RELATED | STATE_EXPECTED | STATE_DNAT,
			.helper = t->service.ct_helper});
}

/* --- what is found on the way --- */

struct place {
	const struct target *target;
	const struct filter *filter;
	const struct chain *chain;
	const struct kind *kind;
	bool ours; /* our chain has to be reached */
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

/* Whether the way ends as it should, or its end is not certain. */
static bool is_good(const struct place *p, const struct way *way)
{
	if (!way->sure || way->end == RULE_JUMP)
		return true;
	if (!p->ours)
		return !check_way_drops(p, way) &&
		       (way->end != RULE_NOTRACK || p->chain->priority > AFTER_CONNTRACK);
	if (way->end == RULE_ACCEPT && p->kind->hook == HOOK_FORWARD)
		return true;
	return way->rule && is_as_ours(p, way->rule);
}

static void check_way_say_where(const struct place *p, const struct way *way, char *buf, size_t cap)
{
	const struct chain *c = p->chain;

	if (!way->rule)
		snprintf(buf, cap, "the policy of chain %s%s%s %s (%s)", c->family,
			*c->family ? " " : "", c->table, c->name, p->filter->command);
	else if (filter_is_nft(p->filter))
		snprintf(buf, cap, "%s", way->rule->text);
	else
		snprintf(buf, cap, "\"%s\" of table %s (%s)", way->rule->text, c->table,
			p->filter->command);
}

static const char *check_way_what_happens(const struct way *way)
{
	switch (way->end) {
	case RULE_TEMPLATE:
		if (strcmp(way->rule->target, "ftp") == 0)
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

/* The fix: the jumps to our chain among the rules [from, to) of the chain move to `position`, which
 * iptables counts from 1. */
static void check_way_fix_jumps(struct finding *found, const struct target *t,
	const struct chain *chain, size_t from, size_t to, size_t position)
{
	const char *ipt = t->filter->command;
	struct commands c = {.used = 0};
	char words[FINDING_TEXT_MAX];

	for (size_t i = from; i < to; i++) {
		if (!is_jump_to(&chain->rule[i], t->own))
			continue;
		iptables_save_words(chain->rule[i].text, words, sizeof(words));
		commands_add(&c, "%s -t %s -D %s %s", ipt, chain->table, chain->name, words);
		commands_add(&c, "%s -t %s -I %s %zu %s", ipt, chain->table, chain->name, position,
			words);
	}
	finding_fix_by(found, &c);
}

static void check_way_accept_data(const struct place *p, const char *where, struct commands *c)
{
	const char *ct_helper = p->target->service.ct_helper;

	if (filter_is_nft(p->filter))
		commands_add(c, "%s 'ct helper \"%s\" accept'", where, ct_helper);
	else
		commands_add(c, "%s -m helper --helper %s -j ACCEPT", where, ct_helper);
}

/* Of the server, or of clients: those are not translated yet. */
static void check_way_accept_control(
	const struct place *p, const char *where, uint16_t port, bool server, struct commands *c)
{
	if (filter_is_nft(p->filter))
		commands_add(c, "%s 'meta l4proto tcp %sct original proto-dst %u accept'", where,
			server ? "ct status dnat " : "", port);
	else
		commands_add(c, "%s -p tcp -m conntrack --ctorigdstport %u%s -j ACCEPT", where,
			port, server ? " --ctstate DNAT" : "");
}

static void check_way_fix_drop(const struct place *p, const struct way *way, struct finding *found)
{
	const struct service *s = &p->target->service;
	const struct chain *c = p->chain;
	struct commands commands = {.used = 0};
	char where[4 * RULE_NAME_MAX], position[24] = "";

	if (p->kind->hook != HOOK_FORWARD || !shell_plain(c->table) || !shell_plain(c->name)) {
		finding_advice(found, "have it let these packets through");
		return;
	}
	snprintf(position, sizeof(position), " %zu", way->index + 1);
	if (filter_is_nft(p->filter))
		snprintf(where, sizeof(where), "nft insert rule %s %s %s", c->family, c->table,
			c->name);
	else
		snprintf(where, sizeof(where), "%s -t %s %s %s%s", p->filter->command, c->table,
			way->rule ? "-I" : "-A", c->name, way->rule ? position : "");
	check_way_accept_data(p, where, &commands);
	for (size_t i = 0; i < s->n_ports; i++)
		check_way_accept_control(p, where, s->port[i].outside, true, &commands);
	if (s->lan[0])
		check_way_accept_control(p, where, CONTROL_PORT, false, &commands);
	finding_fix_by(found, &commands);
}

/* Control connections that carry a helper of our own: queued before conntrack, and after it
 * once more. */
static bool check_way_shifts_twice(const struct place *p, const struct way *way)
{
	return p->target->service.before_conntrack && p->kind->packet.state & STATE_ESTABLISHED &&
	       way->end == RULE_QUEUE && way->sure;
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

static void check_way_chain(const struct place *p, struct report *r)
{
	const char *goal = p->ours ? p->target->own : ""; /* elsewhere our chain is one of many */
	struct way way = ruleset_way(&p->filter->rules, p->chain, &p->kind->packet, goal);
	char where[FINDING_TEXT_MAX];
	struct finding *found;

	if (check_way_shifts_twice(p, &way)) {
		check_way_say_twice(p, &way, r);
		return;
	}
	if (is_good(p, &way))
		return;
	check_way_say_where(p, &way, where, sizeof(where));
	found = report_add(r, SEVERITY_ERROR, about, "%s: %s %s %s", target_family(p->target),
		where, check_way_drops(p, &way) ? "drops" : "keeps from pasvd's rules",
		p->kind->what);
	finding_why(found, "%s", check_way_what_happens(&way));
	if (p->ours && way.rule)
		check_way_fix_jumps(
			found, p->target, p->chain, way.index, p->chain->n, way.index + 1);
	else
		check_way_fix_drop(p, &way, found);
	report_once(r);
}

/* --- marks --- */

static bool check_way_concerns(const struct kinds *k, const struct rule *rule)
{
	for (size_t i = 0; i < k->n; i++) {
		if (strcmp(k->kind[i].table, "mangle") == 0 &&
			rule_matches(rule, &k->kind[i].packet) != TRI_NO)
			return true;
	}
	return false;
}

/* Reports rule number `i` of the chain, which writes pasvd's bits of the mark. */
static void check_way_overwrites(const struct target *t, const struct filter *f,
	const struct chain *c, size_t i, uint32_t connmark, struct report *r)
{
	const struct rule *rule = &c->rule[i];
	char masked[FINDING_TEXT_MAX];
	struct finding *found = report_add(r, SEVERITY_WARNING, about,
		"%s: \"%s\" of table %s overwrites pasvd's bits of the connection's mark",
		target_family(t), rule->text, c->table);

	finding_why(found,
		"a session without its bits, 0x%x, counts as not read once a segment is repeated "
		"or "
		"pasvd restarts: nothing is opened for it until its user logs in again, or a "
		"client in the LAN connects again",
		(unsigned)connmark);
	if (iptables_save_masked(rule->text, connmark, masked, sizeof(masked)))
		finding_fix(found, "%s -t %s -R %s %zu %s", f->command, c->table, c->name, i + 1,
			masked);
	else
		finding_advice(found, "have that rule, or the key connmark, use other bits");
	report_once(r);
}

static void check_way_connmark(const struct facts *f, const struct target *t,
	const struct filter *filter, const struct kinds *k, struct report *r)
{
	for (size_t i = 0; i < filter->rules.n; i++) {
		const struct chain *c = &filter->rules.chain[i];

		for (size_t j = 0; j < c->n && !is_own_chain(f, c); j++) {
			if (c->rule[j].connmark & f->connmark && check_way_concerns(k, &c->rule[j]))
				check_way_overwrites(t, filter, c, j, f->connmark, r);
		}
	}
}

/* A packet that pasvd has seen goes on after the table, so a mark that is restored after the jump
 * is never restored. */
static void check_way_marks(const struct target *t, const struct kinds *k, struct report *r)
{
	const struct chain *c = ruleset_find(&t->filter->rules, "", "mangle", "PREROUTING");
	struct finding *found;
	size_t last = 0;

	for (size_t i = c ? chain_jump(c, t->own) : 0; c && i < c->n; i++) {
		if (c->rule[i].action == RULE_RESTORE && check_way_concerns(k, &c->rule[i]))
			last = i;
	}
	if (!last)
		return;
	found = report_add(r, SEVERITY_WARNING, about,
		"%s: \"%s\" of table mangle is behind pasvd's rules", target_family(t),
		c->rule[last].text);
	finding_why(found, "a packet that pasvd has seen goes on behind this table, so it does not "
			   "get the mark of its "
			   "connection, and policy routing by marks sends it the wrong way");
	check_way_fix_jumps(found, t, c, 0, last, last + 1);
}

/* --- all of them --- */

static bool check_way_at_hook(const struct kind *k, const struct chain *c)
{
	if (k->hook == HOOK_FORWARD && c->hook == HOOK_POSTROUTING)
		return true;
	return c->hook == k->hook && c->priority >= k->from && c->priority <= k->to;
}

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

static void check_way_kind(
	const struct target *t, const struct filter *f, const struct kind *k, struct report *r)
{
	for (size_t i = 0; i < f->rules.n; i++) {
		struct place p = {t, f, &f->rules.chain[i], k, false};

		if (!check_way_at_hook(k, p.chain))
			continue;
		p.ours = f == t->filter && !filter_is_nft(f) && p.chain->hook == k->hook &&
			 strcmp(p.chain->table, k->table) == 0 &&
			 !(t->service.before_conntrack && strcmp(k->table, "mangle") == 0);
		if (p.ours && !check_way_has_jump(&p))
			continue; /* check_rules() says so */
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
			check_way_kind(t, &f->filter[i], &k->kind[j], r);
		check_way_connmark(f, t, &f->filter[i], k, r);
	}
	if (!t->service.before_conntrack)
		check_way_marks(t, k, r);
}

static void check_way_server(const struct facts *f, const struct target *t, struct report *r)
{
	size_t wans = t->service.n_wans ? t->service.n_wans : 1;

	for (size_t w = 0; w < wans; w++) {
		for (size_t i = 0; i < t->service.n_ports; i++) {
			struct kinds k = {0};

			check_way_add_server(
				&k, t, t->service.n_wans ? t->service.wan[w] : NULL, i);
			check_way_kinds(f, t, &k, r);
		}
	}
}

static void check_way_target(const struct facts *f, const struct target *t, struct report *r)
{
	size_t before = r->n;
	struct kinds k = {0};

	if (t->service.server.family != ADDR_NONE)
		check_way_server(f, t, r);
	if (t->service.lan[0])
		check_way_add_clients(&k, t);
	check_way_kinds(f, t, &k, r);
	if (r->n == before)
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
