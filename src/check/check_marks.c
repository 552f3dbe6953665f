/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_marks.c - whether other rules leave pasvd's bits of a connection's mark alone, restore
 * marks where pasvd's rules do not end the way before, and let its rules write theirs
 */
#include <string.h>

#include "pasvd/array.h"

#include "checks.h"
#include "iptables_save.h"
#include "kinds.h"
#include "shell.h"

static const char about[] = "packets";

static bool check_marks_concern(const struct kinds *k, const struct rule *rule)
{
	for (size_t i = 0; i < k->n; i++) {
		if (strcmp(k->kind[i].table, "mangle") == 0 &&
			rule_matches(rule, &k->kind[i].packet) != TRI_NO)
			return true;
	}
	return false;
}

/* Puts other words in the place of rule number `i`, if that is still the one it was: other fixes
 * and other programs change the numbers. False: that is too long. */
static bool check_marks_fix_rule(struct finding *found, const struct filter *f,
	const struct chain *c, size_t i, const char *words)
{
	char chain[FINDING_TEXT_MAX] = "", rule[FINDING_TEXT_MAX] = "";

	if (!shell_word(c->name, chain, sizeof(chain)) ||
		!shell_word(c->rule[i].text, rule, sizeof(rule)))
		return false;
	finding_fix(found, "%s -t %s -S %s %zu | grep -qxFe %s && %s -t %s -R %s %zu %s",
		f->command, c->table, chain, i + 1, rule, f->command, c->table, chain, i + 1,
		words);
	return true;
}

/* Reports rule number `i` of the chain, which writes pasvd's bits of the mark. */
static void check_marks_overwrites(const struct target *t, const struct filter *f,
	const struct chain *c, size_t i, uint32_t connmark, struct report *r)
{
	const struct rule *rule = &c->rule[i];
	char masked[FINDING_TEXT_MAX], where[FINDING_TEXT_MAX];
	struct finding *found;

	filter_say_rule(f, c, rule, where, sizeof(where));
	found = report_add(r, SEVERITY_WARNING, about,
		"%s: %s overwrites pasvd's bits of the connection's mark", target_family(t), where);
	finding_why(found,
		"a session without its bits, 0x%x, counts as not read once a segment is repeated "
		"or pasvd restarts: nothing is opened for it until its user logs in again, or a "
		"client in the LAN connects again",
		(unsigned)connmark);
	if (filter_is_nft(f))
		finding_advice(found,
			"have that rule keep them (ct mark set ct mark and 0x%x or ...), or the "
			"key connmark use other bits",
			(unsigned)connmark);
	else if (!iptables_save_masked(rule->text, connmark, masked, sizeof(masked)) ||
		 !check_marks_fix_rule(found, f, c, i, masked))
		finding_advice(found, "have that rule, or the key connmark, use other bits");
	report_once(r);
}

void check_marks_written(const struct facts *f, const struct target *t, const struct filter *filter,
	const struct kinds *k, struct report *r)
{
	for (size_t i = 0; i < filter->rules.n; i++) {
		const struct chain *c = &filter->rules.chain[i];

		for (size_t j = 0; j < c->n && !is_own_chain(f, c) && !chain_is_of_pasvd(c); j++) {
			if (c->rule[j].connmark & f->connmark &&
				check_marks_concern(k, &c->rule[j]))
				check_marks_overwrites(t, filter, c, j, f->connmark, r);
		}
	}
}

/* A packet that pasvd has seen goes on after the table, so a mark that is restored after the jump
 * is never restored. */
void check_marks_restored(const struct target *t, const struct kinds *k, struct report *r)
{
	const struct chain *c = ruleset_find(&t->filter->rules, "", "mangle", "PREROUTING");
	struct finding *found;
	size_t last = 0;

	for (size_t i = c ? chain_jump(c, t->own) : 0; c && i < c->n; i++) {
		if (c->rule[i].action == RULE_RESTORE && check_marks_concern(k, &c->rule[i]))
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

static void check_marks_take_end(void *data, const struct way *way)
{
	struct way *accepted = data;

	if (way->end == RULE_ACCEPT && !accepted->rule)
		*accepted = *way;
}

/* Chains whose jump leads to rules that mark what was not read. The second one's also to the queue,
 * unless that is in table raw: then check_way() speaks of it. */
static const struct marking {
	const char *table, *chain;
	enum hook hook;
	bool behind_raw;
	const char *what; /* is not marked */
} markings[] = {
	{"filter", "FORWARD", HOOK_FORWARD, false, "while no pasvd runs"},
	{"mangle", "PREROUTING", HOOK_PREROUTING, true,
		"of a connection that conntrack meets in its middle"},
};

static void check_marks_say_hidden(const struct target *t, const struct marking *m,
	const struct chain *c, const struct way *way, struct report *r)
{
	struct finding *found = report_add(r, way->unclear ? SEVERITY_UNSURE : SEVERITY_WARNING,
		about, "%s: \"%s\" of table %s is before pasvd's rules%s", target_family(t),
		c->rule[way->index].text, m->table,
		way->unclear ? ", and may accept control connections" : "");

	finding_why(found,
		"what it accepts %s gets no mark, so pasvd takes what follows for the beginning "
		"of a session",
		m->what);
	check_way_fix_jumps(found, t, c, way->index, c->n, way->index + 1);
	report_once(r);
}

/* What has to reach the rules, if packets of the kind do. */
static bool check_marks_packet(
	const struct marking *m, const struct kind *k, struct rule_packet *ret_packet)
{
	*ret_packet = k->packet;
	if (k->hook != m->hook || strcmp(k->table, m->table) != 0 ||
		!(k->packet.state & STATE_ESTABLISHED) || k->packet.state & STATE_EXPECTED)
		return false;
	if (m->hook == HOOK_FORWARD)
		return true;
	ret_packet->state = STATE_NEW; /* and no SYN */
	return !k->packet.reply;
}

static void check_marks_at(const struct target *t, const struct marking *m, const struct chain *c,
	const struct kinds *k, struct report *r)
{
	for (size_t i = 0; i < k->n; i++) {
		struct way accepted = {.rule = NULL};
		struct rule_packet packet;

		if (check_marks_packet(m, &k->kind[i], &packet))
			ruleset_ways(&t->filter->rules, c, &packet, t->own, check_marks_take_end,
				&accepted);
		if (accepted.rule)
			check_marks_say_hidden(t, m, c, &accepted, r);
	}
}

void check_marks_hidden(const struct target *t, const struct kinds *k, struct report *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(markings); i++) {
		const struct marking *m = &markings[i];
		const struct chain *c = ruleset_find(&t->filter->rules, "", m->table, m->chain);
		bool concerns_us = !m->behind_raw || t->service.before_conntrack;

		/* without a jump check_rules() says so */
		if (concerns_us && c && chain_jump(c, t->own) < c->n)
			check_marks_at(t, m, c, k, r);
	}
}
