/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_open.c - what opens the server to everybody although pasvd opens what is needed
 *
 * A range of ports counts as wide from WIDE on, and so does a rule that names no port but sends all
 * that comes to the server.
 */
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "iptables_save.h"
#include "shell.h"

static const char about[] = "open ports";

enum { WIDE = 100 };

static bool is_wide(const struct port_match *m)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->range[i].high - m->range[i].low >= WIDE - 1)
			return true;
	}
	return m->negated && m->n;
}

/* From outside, and not expected. */
static bool check_open_from_outside(const struct target *t, const struct rule *r)
{
	const struct rule_packet p = {.in = t->service.n_wans ? t->service.wan[0] : NULL,
		.dst = t->service.server,
		.state = STATE_NEW};
	struct rule_packet before = p;

	before.dst = t->service.public;
	return rule_matches(r, r->action == RULE_DNAT ? &before : &p) != TRI_NO;
}

static bool names_server(const struct target *t, const struct rule *r)
{
	const struct network *n = &r->dst.network;

	return n->bits == 8 * addr_len(&t->service.server) &&
	       addr_eq(&n->addr, &t->service.server) && !r->dst.negated;
}

static bool is_blanket(const struct target *t, const struct rule *r)
{
	if (t->service.server.family == ADDR_NONE || !check_open_from_outside(t, r))
		return false;
	if (r->action == RULE_DNAT)
		return addr_eq(&r->to.addr, &t->service.server) &&
		       (!r->dport.n || is_wide(&r->dport));
	return r->action == RULE_ACCEPT && names_server(t, r) && is_wide(&r->dport);
}

static void check_open_say_blanket(
	const struct filter *f, const struct chain *c, const struct rule *rule, struct report *r)
{
	char words[FINDING_FIX_MAX / 2];
	bool nft = filter_is_nft(f);
	struct finding *found = report_add(r, SEVERITY_WARNING, about,
		nft ? "%s" : "\"%s\" of table %s", rule->text, c->table);

	finding_why(found,
		"it opens the server's ports to everybody; pasvd opens each data port to the "
		"client that negotiated it");
	iptables_save_words(rule->text, words, sizeof(words));
	if (!shell_plain(c->table) || !shell_plain(c->name))
		finding_advice(found, "take it away");
	else if (nft)
		finding_fix(found, "nft delete rule %s %s %s handle %d", c->family, c->table,
			c->name, rule->handle);
	else if (*words)
		finding_fix(found, "%s -t %s -D %s %s", f->command, c->table, c->name, words);
}

static bool check_open_filter(const struct target *t, const struct filter *f, struct report *r)
{
	size_t before = r->n;

	for (size_t i = 0; i < f->rules.n; i++) {
		const struct chain *c = &f->rules.chain[i];

		for (size_t j = 0; j < c->n && strcmp(c->name, t->own) != 0; j++) {
			if (is_blanket(t, &c->rule[j]))
				check_open_say_blanket(f, c, &c->rule[j], r);
		}
	}
	return r->n == before;
}

bool family_is_translated(const struct facts *f, enum addr_family family)
{
	for (size_t i = 0; i < f->n_filters; i++) {
		const struct ruleset *rs = &f->filter[i].rules;

		for (size_t j = 0; f->filter[i].family == family && j < rs->n; j++) {
			for (size_t k = 0; k < rs->chain[j].n; k++) {
				if (rs->chain[j].rule[k].action == RULE_SNAT)
					return true;
			}
		}
	}
	return false;
}

static void check_open_clients(const struct facts *f, const struct target *t, struct report *r)
{
	const char *ipt = t->filter->command;
	struct finding *found;

	if (!t->service.lan[0] || t->family == ADDR_IP6 || family_is_translated(f, t->family))
		return;
	found = report_add(r, SEVERITY_WARNING, "clients", "%s: no rule translates those on %s",
		target_family(t), t->service.lan);
	finding_why(found,
		"servers outside reach them only by addresses that the outside has a way to");
	if (filter_is_nft(t->filter))
		finding_advice(
			found, "a rule with masquerade in a nat chain of yours at postrouting");
	else
		finding_advice(found, "%s -t nat -A POSTROUTING -o INTERFACE -j MASQUERADE", ipt);
}

static bool check_open_server(const struct facts *f, const struct target *t, struct report *r)
{
	bool none = true;

	for (size_t j = 0; j < f->n_filters; j++) {
		if (f->filter[j].family == t->family)
			none &= check_open_filter(t, &f->filter[j], r);
	}
	return none;
}

void check_open(const struct facts *f, struct report *r)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		const struct target *t = &f->target[i];
		bool none = t->service.server.family != ADDR_NONE || t->service.n_more;

		for (size_t m = 0; m <= t->service.n_more; m++) {
			struct target one = target_of_server(t, m);

			none &= check_open_server(f, &one, r);
		}
		if (none)
			report_add(r, SEVERITY_OK, about, "%s: no wide range leads to the server",
				target_family(t));
		check_open_clients(f, t, r);
	}
}
