/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_list.c - what `nft -j list ruleset` prints, as rules
 *
 * libnftables-json(5): an array of objects. Chains, rules, sets and maps are of interest. A rule
 * is a list of statements: matches (nft_match.c), and what is done. A verdict map becomes one
 * rule for each of its elements. What is not in the table below makes the rule unsure. The rules of
 * a chain follow each other in the array.
 */
#include "nft_list.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "nft_count.h"
#include "nft_mark.h"
#include "nft_match.h"

struct nft_reading {
	struct nft_place place;
	const struct ruleset *iptables;
	struct chain *chain; /* of the rule that is being read */
	char text[FILENAME_MAX];
};

/* --- statements --- */

static const struct {
	const char *name;
	enum rule_action action;
} statements[] = {
	{"accept", RULE_ACCEPT},
	{"drop", RULE_DROP},
	{"reject", RULE_DROP},
	{"return", RULE_RETURN},
	{"jump", RULE_JUMP},
	{"goto", RULE_GOTO},
	{"queue", RULE_QUEUE},
	{"dnat", RULE_DNAT},
	{"snat", RULE_SNAT},
	{"masquerade", RULE_SNAT},
	{"redirect", RULE_ELSEWHERE},
	{"fwd", RULE_ELSEWHERE},
	{"notrack", RULE_NOTRACK},
	{"counter", RULE_NONE},
	{"continue", RULE_NONE},
	{"log", RULE_NONE},
	{"ct helper", RULE_NONE}, /* does not replace one that CT of iptables gave */
	{"ct timeout", RULE_NONE},
	{"flow", RULE_NONE}, /* connections with a helper are not offloaded */
	{"ct expectation", RULE_NONE},
	{"last", RULE_NONE},
	{"dup", RULE_NONE},
	{"secmark", RULE_NONE},
};

/* "dir": of the connection, for whose packets alone the zone is */
static void nft_list_take_zone(struct rule *r, const json_t *ct, const json_t *zone)
{
	r->action = RULE_TEMPLATE;
	r->gives_zone = strcmp(nft_string_at(ct, "dir"), "original") != 0;
	r->zone = (uint16_t)json_integer_value(zone);
}

/* A zone counts as a template of iptables does. After another address or port the packet is one of
 * which nothing is known. */
static void nft_list_take_change(struct rule *r, const json_t *value)
{
	const json_t *key = json_object_get(value, "key"),
		     *payload = json_object_get(key, "payload");
	const char *of_ct = nft_string_at(json_object_get(key, "ct"), "key"),
		   *field = nft_string_at(payload, "field");

	r->marks |= strcmp(nft_string_at(json_object_get(key, "meta"), "key"), "mark") == 0;
	if (strcmp(of_ct, "mark") == 0)
		r->connmark |= nft_mark_written(json_object_get(value, "value"));
	if (strcmp(of_ct, "zone") == 0 && r->action == RULE_NONE)
		nft_list_take_zone(r, json_object_get(key, "ct"), json_object_get(value, "value"));
	if (strcmp(field, "ttl") == 0 || strcmp(field, "hoplimit") == 0)
		rule_shortens_life(
			r, (uint64_t)json_integer_value(json_object_get(value, "value")));
	if (strcmp(field, "saddr") != 0 && strcmp(field, "daddr") != 0 &&
		strcmp(field, "sport") != 0 && strcmp(field, "dport") != 0)
		return;
	nft_unclear(r, "another", field);
	r->action = RULE_UNKNOWN;
}

/* Whether it is one that changes what belongs to a packet. */
static bool nft_list_changes(struct rule *r, const char *name, const json_t *value)
{
	if (strcmp(name, "mangle") == 0)
		nft_list_take_change(r, value);
	return strcmp(name, "mangle") == 0 || strcmp(name, "set") == 0 || strcmp(name, "map") == 0;
}

static void nft_list_take_destination(struct rule *r, const json_t *dnat)
{
	const char *address = json_string_value(json_object_get(dnat, "addr"));
	struct endpoint to = {0};

	if (!address || addr_parse((const uint8_t *)address, strlen(address), &to.addr))
		return;
	nft_one_port(json_object_get(dnat, "port"), &to.port);
	r->to = to;
}

static void nft_list_take_action(struct rule *r, enum rule_action action, const json_t *value)
{
	if (r->action == RULE_UNKNOWN)
		return; /* what comes before may have had its effect */
	r->action = action;
	rule_name(r->target, nft_string_at(value, "target"));
	if (action == RULE_QUEUE && !nft_one_port(json_object_get(value, "num"), &r->queue))
		nft_unclear(r, "queue", "");
	if (action == RULE_DNAT)
		nft_list_take_destination(r, value);
}

static void nft_list_add_statement(struct rule *r, const char *name, const json_t *value)
{
	if (nft_count_add(r, name, value) || nft_list_changes(r, name, value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		if (strcmp(statements[i].name, name) == 0) {
			if (statements[i].action != RULE_NONE)
				nft_list_take_action(r, statements[i].action, value);
			return;
		}
	}
	nft_unclear(r, name, nft_string_at(value, "name"));
	if (r->action == RULE_NONE)
		r->action = RULE_UNKNOWN;
}

/* A statement is an object of one member: its name and what belongs to it. */
static const char *nft_list_name_of(json_t *statement, const json_t **ret_value)
{
	void *member = json_object_iter(statement);

	*ret_value = member ? json_object_iter_value(member) : NULL;
	return member ? json_object_iter_key(member) : "";
}

static int nft_list_put(struct nft_reading *in, const struct rule *r)
{
	return chain_append(in->chain, r, in->text);
}

/* Whether a verdict map's element is for what no other one is for. */
static bool is_catch_all(const json_t *element)
{
	const char *key = json_string_value(nft_match_bare(json_array_get(element, 0)));

	return key && strcmp(key, "*") == 0;
}

static int nft_list_add_element(
	struct nft_reading *in, const struct rule *r, const json_t *key, const json_t *element)
{
	const json_t *value;
	const char *name = nft_list_name_of(json_array_get(element, 1), &value);
	struct rule one = *r;

	nft_match_add_key(&one, &in->place, key, json_array_get(element, 0));
	nft_list_add_statement(&one, name, value);
	return nft_list_put(in, &one);
}

/* One rule for each element: {"vmap": {"key": LEFT, "data": {"set": [[RIGHT, VERDICT], …]}}}. That
 * for all others comes last. */
static int nft_list_add_map(struct nft_reading *in, const struct rule *r, const json_t *map)
{
	const json_t *key = json_object_get(map, "key"), *data = json_object_get(map, "data");
	const json_t *elements;
	struct rule unknown = *r;
	int err = 0;

	if (!nft_match_elements(&in->place, data, &elements)) {
		nft_unclear(
			&unknown, "the map", json_is_string(data) ? json_string_value(data) : "");
		unknown.action = RULE_UNKNOWN;
		return nft_list_put(in, &unknown);
	}
	for (size_t i = 0; !err && i < 2 * json_array_size(elements); i++) {
		const json_t *element = json_array_get(elements, i % json_array_size(elements));

		if (is_catch_all(element) == (i >= json_array_size(elements)))
			err = nft_list_add_element(in, r, key, element);
	}
	return err;
}

static int nft_list_add_rule(struct nft_reading *in, const json_t *rule)
{
	struct rule r = {.tcp = TRI_MAYBE,
		.handle = (int)json_integer_value(json_object_get(rule, "handle"))};
	const json_t *expr = json_object_get(rule, "expr"), *value;
	int err = 0;

	for (size_t i = 0; !err && i < json_array_size(expr); i++) {
		const char *name = nft_list_name_of(json_array_get(expr, i), &value);

		if (strcmp(name, "match") == 0)
			nft_match_add(&r, &in->place, value);
		else if (strcmp(name, "vmap") == 0)
			err = nft_list_add_map(in, &r, value);
		else
			nft_list_add_statement(&r, name, value);
	}
	return err ? err : nft_list_put(in, &r);
}

/* --- the listing --- */

static const struct {
	const char *name;
	enum hook hook;
} hooks[] = {
	{"prerouting", HOOK_PREROUTING},
	{"forward", HOOK_FORWARD},
	{"postrouting", HOOK_POSTROUTING},
	{"input", HOOK_INPUT},
	{"output", HOOK_OUTPUT},
	{"ingress", HOOK_INGRESS},
	{"egress", HOOK_EGRESS},
};

static void nft_list_set_hook(struct chain *c, const json_t *chain)
{
	const char *hook = nft_string_at(chain, "hook");

	c->hook = *hook ? HOOK_ELSEWHERE : HOOK_NONE;
	c->drops = strcmp(nft_string_at(chain, "policy"), "drop") == 0;
	c->priority = (int)json_integer_value(json_object_get(chain, "prio"));
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (strcmp(hooks[i].name, hook) == 0)
			c->hook = hooks[i].hook;
	}
}

/* The names in quotes: `type filter hook ingress devices = { "eth0", "eth1" } priority …`. One that
 * ends with an asterisk is for any. */
void nft_list_read_devices(const char *text, struct chain *c)
{
	const char *p = strstr(text,
			   c->hook == HOOK_EGRESS ? "hook egress device" : "hook ingress device"),
		   *end = p ? strstr(p, " priority ") : NULL;
	size_t used = 0;

	while (end && used < sizeof(c->devices) && (p = strchr(p, '"')) && p < end) {
		size_t n = strcspn(++p, "\"");

		used += (size_t)snprintf(c->devices + used, sizeof(c->devices) - used, "%s%.*s ",
			used ? "" : " ", (int)n, p);
		p += n + 1;
	}
	if (used >= sizeof(c->devices) || strchr(c->devices, '*'))
		c->devices[0] = '\0';
}

/* Whether a chain is of interest. iptables-save leaves out base chains that iptables does not
 * have. */
static bool nft_list_wanted(const struct nft_reading *in, const json_t *object, const char *chain)
{
	const char *family = nft_string_at(object, "family"),
		   *table = nft_string_at(object, "table");

	if (strcmp(family, "inet") == 0 || strcmp(family, "netdev") == 0)
		return true;
	if (strcmp(family, in->place.family == ADDR_IP6 ? "ip6" : "ip") != 0)
		return false;
	return !in->iptables || !ruleset_find(in->iptables, "", table, chain);
}

static struct chain *nft_list_chain_of(
	struct nft_reading *in, const json_t *object, const char *key)
{
	return ruleset_chain(in->place.rs, nft_string_at(object, "family"),
		nft_string_at(object, "table"), nft_string_at(object, key));
}

static int nft_list_read_object(struct nft_reading *in, const json_t *object)
{
	const json_t *chain = json_object_get(object, "chain"),
		     *rule = json_object_get(object, "rule");

	if (chain && nft_list_wanted(in, chain, nft_string_at(chain, "name"))) {
		in->chain = nft_list_chain_of(in, chain, "name");
		if (!in->chain)
			return -ENOMEM;
		nft_list_set_hook(in->chain, chain);
	}
	if (!rule || !nft_list_wanted(in, rule, nft_string_at(rule, "chain")))
		return 0;
	in->place.table_family = nft_string_at(rule, "family");
	in->place.table = nft_string_at(rule, "table");
	in->chain = nft_list_chain_of(in, rule, "chain");
	snprintf(in->text, sizeof(in->text), "the rule with handle %d in chain %s %s %s of nft",
		(int)json_integer_value(json_object_get(rule, "handle")),
		nft_string_at(rule, "family"), nft_string_at(rule, "table"),
		nft_string_at(rule, "chain"));
	return in->chain ? nft_list_add_rule(in, rule) : -ENOMEM;
}

static void nft_list_set_dormant(
	struct ruleset *rs, enum addr_family family, const char *table_family, const char *table)
{
	bool iptables = strcmp(table_family, family == ADDR_IP6 ? "ip6" : "ip") == 0;

	for (size_t i = 0; i < rs->n; i++) {
		struct chain *c = &rs->chain[i];

		if (strcmp(c->table, table) != 0 ||
			!(*c->family ? strcmp(c->family, table_family) == 0 : iptables))
			continue;
		c->dormant = true;
		c->hook = HOOK_ELSEWHERE;
	}
}

/* "table ip raw {", and "\tflags dormant" below it. */
void nft_list_read_dormant(const char *text, enum addr_family family, struct ruleset *rs)
{
	char table_family[8] = "", table[RULE_NAME_MAX] = "";

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *dormant =
			strncmp(line, "\tflags ", 7) == 0 ? strstr(line, "dormant") : NULL;

		if (strncmp(line, "table ", 6) == 0)
			sscanf(line, "table %7s %63s", table_family, table);
		else if (dormant && dormant < line + strcspn(line, "\n"))
			nft_list_set_dormant(rs, family, table_family, table);
	}
}

size_t nft_list_count_flowtables(const char *text)
{
	static const char line[] = "\n\tflowtable ";
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, line)) != NULL; p++)
		n++;
	return n;
}

int nft_list_read(const char *text, enum addr_family family, const struct ruleset *iptables,
	struct ruleset *rs)
{
	struct nft_reading in = {.place = {.family = family, .rs = rs}, .iptables = iptables};
	json_t *root = json_loads(text, 0, NULL);
	const json_t *all = json_object_get(root, "nftables");
	int err = json_is_array(all) ? 0 : -EINVAL;

	in.place.all = all;
	for (size_t i = 0; !err && i < json_array_size(all); i++)
		err = nft_list_read_object(&in, json_array_get(all, i));
	ruleset_link_lists(rs);
	json_decref(root);
	return err;
}
