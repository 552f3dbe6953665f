/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_rules.c - whether the rules are loaded as they should be
 *
 * Both sides come from the same iptables-save: what is loaded, and the same rules loaded where
 * nothing else is. So texts can be compared as they are.
 */
#include <stdio.h>
#include <string.h>

#include "pasvd/array.h"

#include "checks.h"

static const char about[] = "rules";

static const struct {
	const char *table, *without;
} tables[] = {
	{"raw", "without its rule control connections carry no helper, and the kernel refuses to "
		"expect data "
		"connections"},
	{"mangle", "without its rules pasvd does not see the control connections"},
	{"nat", "without its rules control connections are not sent to the server"},
	{"filter", "without its rules control and data connections are accepted only if other "
		   "rules do so"},
};

static const char *check_rules_without(const char *table)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(tables) && strcmp(tables[i].table, table) != 0)
		i++;
	return tables[i].without;
}

bool is_own_chain(const struct facts *f, const struct chain *c)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		if (strcmp(c->name, f->target[i].own) == 0)
			return true;
	}
	return false;
}

struct target target_of_server(const struct target *t, size_t number)
{
	const struct service_server *more = &t->service.more[number ? number - 1 : 0];
	struct target one = *t;

	one.service.n_more = 0;
	if (!number)
		return one;
	one.service.any = false;
	one.service.server = more->server;
	one.service.public = more->public;
	one.service.n_ports = more->n_ports;
	memcpy(one.service.port, more->port, sizeof(one.service.port));
	memcpy(one.inside, t->more_inside[number - 1], sizeof(one.inside));
	return one;
}

const char *target_family(const struct target *t)
{
	return t->family == ADDR_IP6 ? "ipv6" : "ipv4";
}

const char *target_variant(const struct target *t)
{
	const char *suffix = strchr(t->filter->command, '-');

	return suffix ? suffix : "";
}

static void check_rules_fix_by(const struct facts *f, const struct target *t, struct finding *found,
	const char *what, const char *options)
{
	const char *suffix = target_variant(t);

	finding_fix(found, "%s%s%s%s %s%s%s", *suffix ? "IPTABLES=iptables" : "", suffix,
		*suffix ? " " : "", f->loader, what, *options ? " " : "", options);
}

/* Chains under another name are loaded by hand (sed), and so is what is not known. */
static void check_rules_fix_by_loading(
	const struct facts *f, const struct target *t, struct finding *found)
{
	char options[OPTIONS_MAX + PATH_TEXT_MAX];

	snprintf(options, sizeof(options), "%s%s", t->options,
		t->options[0] || !f->config[0] ? f->config : f->config + 1);
	if (strcmp(t->own, "PASVD") == 0 && t->known)
		check_rules_fix_by(f, t, found, "load", options);
	else
		finding_advice(found, "load these rules again as they were loaded");
}

static bool has_rule(const struct chain *c, const char *text)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->rule[i].text, text) == 0)
			return true;
	}
	return false;
}

/* The first rule of one chain that the other one does not have; NULL: there is none. */
static const struct rule *check_rules_only_in(const struct chain *one, const struct chain *other)
{
	for (size_t i = 0; i < one->n; i++) {
		if (!has_rule(other, one->rule[i].text))
			return &one->rule[i];
	}
	return NULL;
}

static bool check_rules_same_order(const struct chain *a, const struct chain *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->rule[i].text, b->rule[i].text) == 0;
	return same;
}

static struct finding *check_rules_wrong(const struct target *t, const char *table,
	struct report *r, const char *what, const char *rule)
{
	struct finding *found = report_add(r, SEVERITY_ERROR, about,
		"%s: chain %s of table %s %s%s", target_family(t), t->own, table, what, rule);

	finding_why(found, "%s", check_rules_without(table));
	return found;
}

/* Somebody else's, or one of pasvd's for other options. */
static struct finding *check_rules_strange(
	const struct target *t, const char *table, struct report *r, const char *rule)
{
	struct finding *found = check_rules_wrong(t, table, r, "has an additional rule: ", rule);

	finding_why(found,
		"all that is in it decides about FTP; loading the rules removes what is not "
		"of them");
	return found;
}

static struct finding *check_rules_dormant(
	const struct target *t, const char *table, struct report *r)
{
	struct finding *found = report_add(
		r, SEVERITY_ERROR, about, "%s: table %s is dormant", target_family(t), table);

	finding_why(found, "no packet sees what is in it");
	finding_fix(found, "nft add table %s %s", t->family == ADDR_IP6 ? "ip6" : "ip", table);
	return found;
}

/* NULL if the chain is as it should be. */
static struct finding *check_rules_compare_chain(
	const struct target *t, const struct chain *expected, struct report *r)
{
	const struct chain *loaded = ruleset_find(&t->filter->rules, "", expected->table, t->own);
	const struct rule *missing = loaded ? check_rules_only_in(expected, loaded) : NULL;
	const struct rule *strange = loaded ? check_rules_only_in(loaded, expected) : NULL;

	if (!loaded)
		return check_rules_wrong(t, expected->table, r, "is not there", "");
	if (loaded->dormant)
		return check_rules_dormant(t, expected->table, r);
	if (missing)
		return check_rules_wrong(t, expected->table, r, "lacks the rule ", missing->text);
	if (strange)
		return check_rules_strange(t, expected->table, r, strange->text);
	return check_rules_same_order(expected, loaded)
		       ? NULL
		       : check_rules_wrong(t, expected->table, r, "is not in order", "");
}

static bool check_rules_has_jumps(
	const struct target *t, const struct chain *expected, const struct chain *loaded)
{
	for (size_t i = 0; i < expected->n; i++) {
		if (strcmp(expected->rule[i].target, t->own) == 0 &&
			!has_rule(loaded, expected->rule[i].text))
			return false;
	}
	return true;
}

static struct finding *check_rules_compare_jump(
	const struct target *t, const struct chain *expected, struct report *r)
{
	const struct chain *loaded =
		ruleset_find(&t->filter->rules, "", expected->table, expected->name);
	struct finding *found;

	if (!ruleset_find(&t->filter->rules, "", expected->table, t->own))
		return NULL; /* check_rules_compare_chain() says so */
	if (loaded && check_rules_has_jumps(t, expected, loaded))
		return NULL;
	found = report_add(r, SEVERITY_ERROR, about,
		"%s: the jump from %s to %s in table %s is not there", target_family(t),
		expected->name, t->own, expected->table);
	finding_why(found, "%s; whatever flushes %s takes it away",
		check_rules_without(expected->table), expected->name);
	return found;
}

static bool check_rules_compare(const struct facts *f, const struct target *t, struct report *r)
{
	bool good = true;

	for (size_t i = 0; i < t->expected.n; i++) {
		const struct chain *c = &t->expected.chain[i];
		struct finding *found = NULL;

		if (strcmp(c->name, t->own) == 0)
			found = check_rules_compare_chain(t, c, r);
		else if (chain_jump(c, t->own) < c->n)
			found = check_rules_compare_jump(t, c, r);
		if (found && !found->fix[0])
			check_rules_fix_by_loading(f, t, found);
		good &= !found;
	}
	return good;
}

static void check_rules_target(const struct facts *f, const struct target *t, struct report *r)
{
	struct finding *found;

	if (!t->loaded && f->own_unread[t->family == ADDR_IP6])
		return; /* that they could not be read is told already */
	if (!t->loaded) {
		found = report_add(
			r, SEVERITY_ERROR, about, "%s: none is loaded", target_family(t));
		finding_why(found, "packets get to pasvd by these rules alone");
		check_rules_fix_by_loading(f, t, found);
	} else if (!t->expected_known) {
		report_add(r, SEVERITY_UNSEEN, about, "%s: whether they are whole: %s",
			target_family(t), t->complaint);
	} else if (check_rules_compare(f, t, r)) {
		report_add(r, SEVERITY_OK, about, "%s: those %s%s%s are loaded%s%s",
			target_family(t), t->options[0] ? "of `pasvd rules " : "of the ",
			t->options[0] ? t->options : "configuration", t->options[0] ? "`" : "",
			strcmp(t->own, "PASVD") == 0 ? "" : " as ",
			strcmp(t->own, "PASVD") == 0 ? "" : t->own);
	}
}

/* With iptables-legacy and iptables-nft, say. */
static void check_rules_twice(const struct facts *f, const struct target *t, struct report *r)
{
	for (const struct target *other = t + 1; other < f->target + f->n_targets; other++) {
		struct finding *found;

		if (!t->loaded || !other->loaded || t->family != other->family ||
			strcmp(t->own, other->own) != 0)
			continue;
		found = report_add(r, SEVERITY_ERROR, about,
			"%s: loaded twice, with %s and with %s", target_family(t),
			t->filter->command, other->filter->command);
		finding_why(found, "packets go to pasvd twice, and what is changed in one place "
				   "stays in the other");
		check_rules_fix_by(f, other, found, "remove", "");
	}
}

static void check_rules_nothing(const struct facts *f, struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_ERROR, about, "none is loaded");

	finding_why(found, "packets get to pasvd by these rules alone");
	finding_advice(found,
		"a section [server NAME] or [clients] in the configuration, and %s load; or %s "
		"load --wan INTERFACE --server ADDRESS, or --lan INTERFACE",
		f->loader, f->loader);
}

void check_rules(const struct facts *f, struct report *r)
{
	if (!f->n_targets && !f->nft.wanted && !f->nft.loaded &&
		!(f->own_unread[0] && f->own_unread[1]))
		check_rules_nothing(f, r);
	for (size_t i = 0; i < f->n_targets; i++) {
		if (filter_is_nft(f->target[i].filter))
			continue; /* check_nft() */
		check_rules_target(f, &f->target[i], r);
		check_rules_twice(f, &f->target[i], r);
	}
}
