/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_list.c - what `nft -j list ruleset` prints, as rules
 *
 * libnftables-json(5): an array of objects, of which chains and rules are of interest. A rule is a
 * list of statements: matches, and what is done. A verdict map becomes one rule for each of its
 * elements. What is not in the tables below makes the rule unsure. The rules of a chain follow each
 * other in the array.
 */
#include "nft_list.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "conf_value.h"

struct nft_reading {
	enum addr_family family;
	const struct ruleset *iptables;
	struct ruleset *rs;
	struct chain *chain; /* of the rule that is being read */
	char text[FILENAME_MAX];
};

static const char *nft_list_string_at(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* --- values: false if they are not understood --- */

static struct text nft_list_text_of(const char *word)
{
	return (struct text){word, strlen(word)};
}

static bool nft_list_one_port(const json_t *value, uint16_t *ret_port)
{
	json_int_t port = json_integer_value(value);

	if (!json_is_integer(value) || port < 0 || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static bool nft_list_add_range(struct port_match *m, const json_t *value)
{
	const json_t *range = json_object_get(value, "range");
	struct port_range ports;

	if (m->n == RULE_RANGES_MAX)
		return false;
	if (!nft_list_one_port(range ? json_array_get(range, 0) : value, &ports.low) ||
		!nft_list_one_port(range ? json_array_get(range, 1) : value, &ports.high))
		return false;
	m->range[m->n++] = ports;
	return true;
}

static bool nft_list_take_ports(struct port_match *m, const json_t *value, bool negated)
{
	const json_t *set = json_object_get(value, "set");
	bool good = m->n == 0;

	m->negated = negated;
	if (!set)
		return nft_list_add_range(m, value) && good;
	for (size_t i = 0; i < json_array_size(set); i++)
		good &= nft_list_add_range(m, json_array_get(set, i));
	return good;
}

static bool nft_list_take_network(struct address_match *m, const json_t *value, bool negated)
{
	const json_t *prefix = json_object_get(value, "prefix");
	const char *address =
		prefix ? nft_list_string_at(prefix, "addr") : json_string_value(value);
	json_int_t bits = json_integer_value(json_object_get(prefix, "len"));
	struct network n;

	if (!address || m->network.addr.family != ADDR_NONE ||
		conf_value_network(nft_list_text_of(address), &n))
		return false;
	if (prefix && (bits < 0 || bits > n.bits))
		return false;
	if (prefix)
		n.bits = (uint8_t)bits;
	*m = (struct address_match){n, negated};
	return true;
}

static bool nft_list_take_interface(struct interface_match *m, const json_t *value, bool negated)
{
	const char *name = json_string_value(value);
	size_t len = name ? strlen(name) : 0;

	if (!len || len >= INTERFACE_MAX || m->name[0])
		return false;
	m->prefix = name[len - 1] == '*';
	memcpy(m->name, name, len - m->prefix);
	m->name[len - m->prefix] = '\0';
	m->negated = negated;
	return true;
}

/* Whether a value, or one of its elements, is this word. */
static bool has_word(const json_t *value, const char *word)
{
	const json_t *set = json_is_array(value) ? value : json_object_get(value, "set");

	if (json_is_string(value))
		return strcmp(json_string_value(value), word) == 0;
	for (size_t i = 0; i < json_array_size(set); i++) {
		const char *element = json_string_value(json_array_get(set, i));

		if (element && strcmp(element, word) == 0)
			return true;
	}
	return false;
}

static const struct {
	const char *key, *word;
	unsigned int bit;
} states[] = {
	{"state", "new", STATE_NEW},
	{"state", "established", STATE_ESTABLISHED},
	{"state", "related", STATE_RELATED},
	{"state", "invalid", STATE_INVALID},
	{"state", "untracked", STATE_UNTRACKED},
	{"status", "snat", STATE_SNAT},
	{"status", "dnat", STATE_DNAT},
};

/* States that are not in the table, such as "seen-reply", make the rule unsure. */
static bool nft_list_take_states(struct rule *r, const char *key, const json_t *value, bool negated)
{
	const json_t *set = json_is_array(value) ? value : json_object_get(value, "set");
	struct state_match m = {.negated = negated};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strcmp(states[i].key, key) == 0 && has_word(value, states[i].word)) {
			m.any_of |= states[i].bit;
			found++;
		}
	}
	if (r->n_states == RULE_STATES_MAX || found != (set ? json_array_size(set) : 1))
		return false;
	r->state[r->n_states++] = m;
	return true;
}

/* --- matches --- */

static void nft_list_never_matches(struct rule *r)
{
	r->tcp = TRI_NO;
}

static bool nft_list_take_protocol(struct rule *r, const json_t *value, bool negated)
{
	if (!json_is_string(value) && !json_object_get(value, "set"))
		return false;
	if (has_word(value, "tcp") == negated)
		nft_list_never_matches(r);
	return true;
}

static bool nft_list_take_nfproto(
	struct rule *r, enum addr_family family, const json_t *value, bool negated)
{
	if (!json_is_string(value))
		return false;
	if (has_word(value, family == ADDR_IP6 ? "ipv6" : "ipv4") == negated)
		nft_list_never_matches(r);
	return true;
}

static bool nft_list_match_meta(
	struct rule *r, enum addr_family family, const char *key, const json_t *value, bool negated)
{
	if (strcmp(key, "iifname") == 0 || strcmp(key, "iif") == 0)
		return nft_list_take_interface(&r->in, value, negated);
	if (strcmp(key, "oifname") == 0 || strcmp(key, "oif") == 0)
		return nft_list_take_interface(&r->out, value, negated);
	if (strcmp(key, "l4proto") == 0)
		return nft_list_take_protocol(r, value, negated);
	return strcmp(key, "nfproto") == 0 && nft_list_take_nfproto(r, family, value, negated);
}

static bool nft_list_match_ct(struct rule *r, const json_t *ct, const json_t *value, bool negated)
{
	const char *key = nft_list_string_at(ct, "key"), *dir = nft_list_string_at(ct, "dir");

	if (strcmp(key, "state") == 0 || strcmp(key, "status") == 0)
		return nft_list_take_states(r, key, value, negated);
	if (strcmp(key, "helper") == 0 && json_is_string(value) && !negated) {
		rule_name(r->helper, json_string_value(value));
		return true;
	}
	if (strcmp(dir, "original") != 0)
		return false;
	if (strcmp(key, "proto-dst") == 0)
		return nft_list_take_ports(&r->orig_dport, value, negated);
	return (strcmp(key, "ip daddr") == 0 || strcmp(key, "ip6 daddr") == 0) &&
	       nft_list_take_network(&r->orig_dst, value, negated);
}

static bool nft_list_match_address(
	struct rule *r, const char *field, const json_t *value, bool negated)
{
	if (strcmp(field, "saddr") == 0)
		return nft_list_take_network(&r->src, value, negated);
	if (strcmp(field, "daddr") == 0)
		return nft_list_take_network(&r->dst, value, negated);
	return (strcmp(field, "protocol") == 0 || strcmp(field, "nexthdr") == 0) &&
	       nft_list_take_protocol(r, value, negated);
}

static bool nft_list_match_payload(struct rule *r, enum addr_family family, const json_t *payload,
	const json_t *value, bool negated)
{
	const char *protocol = nft_list_string_at(payload, "protocol"),
		   *field = nft_list_string_at(payload, "field");

	if (strcmp(protocol, family == ADDR_IP6 ? "ip6" : "ip") == 0)
		return nft_list_match_address(r, field, value, negated);
	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "th") != 0) {
		nft_list_never_matches(r);
		return *protocol;
	}
	if (strcmp(field, "sport") == 0)
		return nft_list_take_ports(&r->sport, value, negated);
	return strcmp(field, "dport") == 0 && nft_list_take_ports(&r->dport, value, negated);
}

/* What stands on the left of a match, or is the key of a verdict map, against what stands on the
 * right. */
static bool nft_list_take_match(struct rule *r, enum addr_family family, const json_t *left,
	const json_t *right, bool negated)
{
	const json_t *meta = json_object_get(left, "meta"), *ct = json_object_get(left, "ct");
	const json_t *payload = json_object_get(left, "payload");

	if (meta)
		return nft_list_match_meta(
			r, family, nft_list_string_at(meta, "key"), right, negated);
	if (ct)
		return nft_list_match_ct(r, ct, right, negated);
	return payload && nft_list_match_payload(r, family, payload, right, negated);
}

static void nft_list_add_match(struct rule *r, enum addr_family family, const json_t *match)
{
	const char *op = nft_list_string_at(match, "op");
	bool negated = strcmp(op, "!=") == 0,
	     known = negated || strcmp(op, "==") == 0 || strcmp(op, "in") == 0;

	if (!known || !nft_list_take_match(r, family, json_object_get(match, "left"),
			      json_object_get(match, "right"), negated))
		r->unsure = true;
}

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
	{"tproxy", RULE_ELSEWHERE},
	{"fwd", RULE_ELSEWHERE},
	{"notrack", RULE_NOTRACK},
	{"counter", RULE_NONE},
	{"continue", RULE_NONE},
	{"log", RULE_NONE},
	{"mangle", RULE_NONE},
	{"ct helper", RULE_NONE}, /* does not replace one that CT of iptables gave */
	{"ct timeout", RULE_NONE},
	{"flow", RULE_NONE}, /* connections with a helper are not offloaded */
	{"set", RULE_NONE},
};

static void nft_list_take_destination(struct rule *r, const json_t *dnat)
{
	const char *address = json_string_value(json_object_get(dnat, "addr"));
	struct endpoint to = {0};

	if (!address || addr_parse((const uint8_t *)address, strlen(address), &to.addr))
		return;
	nft_list_one_port(json_object_get(dnat, "port"), &to.port);
	r->to = to;
}

static void nft_list_take_action(struct rule *r, enum rule_action action, const json_t *value)
{
	r->action = action;
	rule_name(r->target, nft_list_string_at(value, "target"));
	if (action == RULE_QUEUE && !nft_list_one_port(json_object_get(value, "num"), &r->queue))
		r->unsure = true;
	if (action == RULE_DNAT)
		nft_list_take_destination(r, value);
}

static void nft_list_add_statement(struct rule *r, const char *name, const json_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		if (strcmp(statements[i].name, name) == 0) {
			if (statements[i].action != RULE_NONE)
				nft_list_take_action(r, statements[i].action, value);
			return;
		}
	}
	r->unsure = true;
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

/* One rule for each element: {"vmap": {"key": LEFT, "data": {"set": [[RIGHT, VERDICT], …]}}}. */
static int nft_list_add_map(struct nft_reading *in, struct rule *r, const json_t *map)
{
	const json_t *key = json_object_get(map, "key"), *data = json_object_get(map, "data");
	const json_t *set = json_object_get(data, "set");
	int err = 0;

	r->unsure |= !set;
	for (size_t i = 0; !err && i < json_array_size(set); i++) {
		const json_t *element = json_array_get(set, i), *value;
		const char *name = nft_list_name_of(json_array_get(element, 1), &value);
		struct rule one = *r;

		one.unsure |= !nft_list_take_match(
			&one, in->family, key, json_array_get(element, 0), false);
		nft_list_add_statement(&one, name, value);
		err = nft_list_put(in, &one);
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
			nft_list_add_match(&r, in->family, value);
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
};

static void nft_list_set_hook(struct chain *c, const json_t *chain)
{
	const char *hook = nft_list_string_at(chain, "hook");

	c->hook = *hook ? HOOK_ELSEWHERE : HOOK_NONE;
	c->drops = strcmp(nft_list_string_at(chain, "policy"), "drop") == 0;
	c->priority = (int)json_integer_value(json_object_get(chain, "prio"));
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (strcmp(hooks[i].name, hook) == 0)
			c->hook = hooks[i].hook;
	}
}

/* Whether tables of this name and family are of interest. */
static bool nft_list_wanted(const struct nft_reading *in, const json_t *object)
{
	const char *family = nft_list_string_at(object, "family"),
		   *table = nft_list_string_at(object, "table");

	if (strcmp(family, "inet") == 0)
		return true;
	if (strcmp(family, in->family == ADDR_IP6 ? "ip6" : "ip") != 0)
		return false;
	for (size_t i = 0; in->iptables && i < in->iptables->n; i++) {
		if (strcmp(in->iptables->chain[i].table, table) == 0)
			return false;
	}
	return true;
}

static struct chain *nft_list_chain_of(
	struct nft_reading *in, const json_t *object, const char *key)
{
	return ruleset_chain(in->rs, nft_list_string_at(object, "family"),
		nft_list_string_at(object, "table"), nft_list_string_at(object, key));
}

static int nft_list_read_object(struct nft_reading *in, const json_t *object)
{
	const json_t *chain = json_object_get(object, "chain"),
		     *rule = json_object_get(object, "rule");

	if (chain && nft_list_wanted(in, chain)) {
		in->chain = nft_list_chain_of(in, chain, "name");
		if (!in->chain)
			return -ENOMEM;
		nft_list_set_hook(in->chain, chain);
	}
	if (!rule || !nft_list_wanted(in, rule))
		return 0;
	in->chain = nft_list_chain_of(in, rule, "chain");
	snprintf(in->text, sizeof(in->text), "the rule with handle %d in chain %s %s %s of nft",
		(int)json_integer_value(json_object_get(rule, "handle")),
		nft_list_string_at(rule, "family"), nft_list_string_at(rule, "table"),
		nft_list_string_at(rule, "chain"));
	return in->chain ? nft_list_add_rule(in, rule) : -ENOMEM;
}

int nft_list_read(const char *text, enum addr_family family, const struct ruleset *iptables,
	struct ruleset *rs)
{
	struct nft_reading in = {.family = family, .iptables = iptables, .rs = rs};
	json_t *root = json_loads(text, 0, NULL);
	const json_t *all = json_object_get(root, "nftables");
	int err = json_is_array(all) ? 0 : -EINVAL;

	for (size_t i = 0; !err && i < json_array_size(all); i++)
		err = nft_list_read_object(&in, json_array_get(all, i));
	json_decref(root);
	return err;
}
