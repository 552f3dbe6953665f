/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_match.c - what a rule of nft matches
 *
 * libnftables-json(5): a match has an operator, an expression on the left, and on the right a
 * value, a set, or the name of one. An expression is one field of a packet, or several
 * (concatenation).
 */
#include "nft_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "nft_field.h"

void nft_unclear(struct rule *r, const char *kind, const char *name)
{
	if (!r->unsure)
		snprintf(r->unclear, sizeof(r->unclear), "%s%s%.40s", kind, *name ? " " : "", name);
	r->unsure = true;
}

/* --- sets --- */

static bool is_name(const json_t *value)
{
	return json_is_string(value) && *json_string_value(value) == '@';
}

static bool nft_is_named(const struct nft_place *place, const json_t *set, const char *name)
{
	return set && strcmp(nft_string_at(set, "family"), place->table_family) == 0 &&
	       strcmp(nft_string_at(set, "table"), place->table) == 0 &&
	       strcmp(nft_string_at(set, "name"), name) == 0;
}

bool nft_match_elements(
	const struct nft_place *place, const json_t *data, const json_t **ret_elements)
{
	const char *name = json_string_value(data);

	*ret_elements = json_object_get(data, "set");
	if (!is_name(data))
		return *ret_elements;
	for (size_t i = 0; i < json_array_size(place->all); i++) {
		const json_t *object = json_array_get(place->all, i);
		const json_t *set = json_object_get(object, "set"),
			     *map = json_object_get(object, "map");

		if (!nft_is_named(place, set, name + 1) && !nft_is_named(place, map, name + 1))
			continue;
		*ret_elements = json_object_get(set ? set : map, "elem");
		return true;
	}
	return false;
}

static bool nft_add_lookup(struct rule *r, const struct nft_place *place, const enum field *field,
	size_t n_fields, const json_t *elements, bool negated, bool named)
{
	size_t n = json_array_size(elements);
	struct lookup *l = r->n_lookups < RULE_LOOKUPS_MAX ? ruleset_lookup(place->rs) : NULL;

	if (!l)
		return false;
	r->lookup[r->n_lookups++] = l;
	l->negated = negated;
	l->named = named;
	l->n_fields = n_fields;
	memcpy(l->field, field, n_fields * sizeof(*field));
	l->element = calloc(n ? n * n_fields : 1, sizeof(*l->element));
	l->partly = !l->element;
	for (size_t i = 0; i < n && l->element; i++) {
		if (nft_element(place, field, n_fields, json_array_get(elements, i),
			    &l->element[l->n * n_fields]))
			l->n++;
		else
			l->partly = true;
	}
	return true;
}

static bool nft_add_condition(struct rule *r, enum field field, const struct span *s, bool negated)
{
	if (r->n_conditions == RULE_CONDITIONS_MAX)
		return false;
	r->condition[r->n_conditions++] = (struct condition){field, negated, *s};
	return true;
}

/* --- matches that say more than a field's value --- */

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
	{"status", "expected", STATE_EXPECTED},
};

/* Whether a value, or one of its elements, is this word. */
static bool has_word(const json_t *value, const json_t *elements, const char *word)
{
	if (json_is_string(value))
		return strcmp(json_string_value(value), word) == 0;
	for (size_t i = 0; i < json_array_size(elements); i++) {
		const char *element = json_string_value(json_array_get(elements, i));

		if (element && strcmp(element, word) == 0)
			return true;
	}
	return false;
}

/* A state or status is a mask of bits: "in" asks for one of them, "!" for none, and "==" and "!="
 * compare all of it. A connection has one state, but a status has bits that nobody names. */
static bool nft_is_about_bits(const char *key, const char *op, const json_t *value)
{
	bool one = json_is_string(value) || json_object_get(value, "set");

	return strcmp(op, "in") == 0 || strcmp(op, "!") == 0 || (strcmp(key, "state") == 0 && one);
}

/* States that are not in the table, such as "seen-reply", make the rule unsure. */
static bool nft_take_states(struct rule *r, const char *key, const char *op, const json_t *value)
{
	const json_t *set = json_is_array(value) ? value : json_object_get(value, "set");
	struct state_match m = {.negated = *op == '!'};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strcmp(states[i].key, key) == 0 && has_word(value, set, states[i].word)) {
			m.any_of |= states[i].bit;
			found++;
		}
	}
	if (r->n_states == RULE_STATES_MAX || found != (set ? json_array_size(set) : 1) ||
		!nft_is_about_bits(key, op, value))
		return false;
	r->state[r->n_states++] = m;
	return true;
}

static bool nft_take_helper(struct rule *r, const json_t *value, bool negated)
{
	if (!json_is_string(value) || negated || r->helper[0])
		return false;
	rule_name(r->helper, json_string_value(value));
	return true;
}

static const struct {
	const char *name;
	uint8_t bit;
} flags[] = {
	{"fin", FLAG_FIN},
	{"syn", FLAG_SYN},
	{"rst", FLAG_RST},
	{"psh", FLAG_PSH},
	{"ack", FLAG_ACK},
	{"urg", FLAG_URG},
};

static bool nft_flag(const json_t *word, uint8_t *bits)
{
	for (size_t i = 0; json_is_string(word) && i < ARRAY_SIZE(flags); i++) {
		if (strcmp(json_string_value(word), flags[i].name) == 0) {
			*bits |= flags[i].bit;
			return true;
		}
	}
	*bits |= (uint8_t)json_integer_value(word);
	return json_is_integer(word) || (json_is_string(word) && !*bits);
}

/* "syn", a number, ["syn", "ack"], or {"|": [{"|": ["syn", "ack"]}, "fin"]} */
static bool nft_flags(const json_t *value, uint8_t *ret_bits)
{
	const json_t *either;
	uint8_t bits = 0;
	bool good = true;

	for (; (either = json_object_get(value, "|")) != NULL; value = json_array_get(either, 0))
		good &= nft_flag(json_array_get(either, 1), &bits);
	for (size_t i = 0; i < json_array_size(value); i++)
		good &= nft_flag(json_array_get(value, i), &bits);
	if (!json_is_array(value))
		good &= nft_flag(value, &bits);
	*ret_bits = bits;
	return good;
}

static bool is_tcp_flags(const json_t *left)
{
	const json_t *payload = json_object_get(left, "payload");

	return strcmp(nft_string_at(payload, "protocol"), "tcp") == 0 &&
	       strcmp(nft_string_at(payload, "field"), "flags") == 0;
}

/* `masked`: of {"&": [FLAGS, MASK]} */
static bool nft_take_flags(
	struct rule *r, const json_t *masked, const char *op, const json_t *value, bool negated)
{
	struct flags_match m = {.mask = UINT8_MAX, .negated = negated};

	if (r->flags.mask || !nft_flags(value, &m.value))
		return false;
	if (masked && !nft_flags(json_array_get(masked, 1), &m.mask))
		return false;
	if (!masked && strcmp(op, "==") != 0) { /* one of these flags, or with != not these */
		m.mask = m.value;
		if (negated || (m.mask & (m.mask - 1)))
			return false;
	}
	r->flags = m;
	return m.mask;
}

/* The way back to the source is missing, or by another interface: it is forged. */
static bool nft_take_fib(struct rule *r, const json_t *fib, const json_t *value, bool negated)
{
	if (strcmp(nft_string_at(fib, "result"), "oif") != 0 || !json_is_boolean(value) ||
		!has_word(NULL, json_object_get(fib, "flags"), "saddr"))
		return false;
	r->some |= json_is_true(value) == negated;
	return true;
}

/* Whether the match is one of these; then *ret_understood says more. */
static bool nft_take_special(struct rule *r, const json_t *left, const char *op,
	const json_t *right, bool *ret_understood)
{
	const json_t *ct = json_object_get(left, "ct"), *masked = json_object_get(left, "&"),
		     *fib = json_object_get(left, "fib");
	const char *key = nft_string_at(ct, "key");
	bool negated = strcmp(op, "!=") == 0;

	if (strcmp(key, "status") == 0 || (strcmp(key, "state") == 0 && !is_name(right)))
		*ret_understood = nft_take_states(r, key, op, right);
	else if (strcmp(key, "helper") == 0)
		*ret_understood = nft_take_helper(r, right, negated);
	else if (is_tcp_flags(left) || is_tcp_flags(json_array_get(masked, 0)))
		*ret_understood = nft_take_flags(r, masked, op, right, negated);
	else if (fib)
		*ret_understood = nft_take_fib(r, fib, right, negated);
	else
		return false;
	return true;
}

/* --- matches of simple values, as a rule of pasvd has them --- */

static bool nft_simple_ports(struct port_match *m, const json_t *value, bool negated)
{
	struct port_range ports;

	if (m->n || !nft_one_port(value, &ports.low))
		return false;
	ports.high = ports.low;
	*m = (struct port_match){1, {ports}, negated};
	return true;
}

static bool nft_simple_port_set(struct port_match *m, const json_t *set, bool negated)
{
	size_t n = json_array_size(set);

	if (m->n || n > RULE_RANGES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(set, i),
			     *range = json_object_get(value, "range");

		if (!nft_one_port(range ? json_array_get(range, 0) : value, &m->range[i].low) ||
			!nft_one_port(range ? json_array_get(range, 1) : value, &m->range[i].high))
			return false;
	}
	m->n = n;
	m->negated = negated;
	return n;
}

static bool nft_simple_network(struct address_match *m, const json_t *value, bool negated)
{
	struct network n;

	if (m->network.addr.family != ADDR_NONE || !nft_network(value, &n))
		return false;
	*m = (struct address_match){n, negated};
	return true;
}

static bool nft_simple_interface(struct interface_match *m, const json_t *value, bool negated)
{
	const char *name = json_string_value(value);
	size_t len = name ? strlen(name) : 0;

	if (len < 2 || len >= INTERFACE_MAX || m->name[0] || is_name(value))
		return false;
	m->prefix = name[len - 1] == '*';
	memcpy(m->name, name, len - m->prefix);
	m->name[len - m->prefix] = '\0';
	m->negated = negated;
	return true;
}

/* Whether the match is one of these. */
static bool nft_take_simple(struct rule *r, enum field field, const json_t *right, bool negated)
{
	const json_t *set = json_object_get(right, "set"), *range = json_object_get(right, "range");
	struct port_match ports = {.n = 0}, *dport = NULL;

	switch (field) {
	case FIELD_IN:
		return nft_simple_interface(&r->in, right, negated);
	case FIELD_OUT:
		return nft_simple_interface(&r->out, right, negated);
	case FIELD_SRC:
		return nft_simple_network(&r->src, right, negated);
	case FIELD_DST:
		return nft_simple_network(&r->dst, right, negated);
	case FIELD_ORIG_DST:
		return nft_simple_network(&r->orig_dst, right, negated);
	case FIELD_SPORT:
		return nft_simple_ports(&r->sport, right, negated);
	case FIELD_DPORT:
		dport = &r->dport;
		break;
	case FIELD_ORIG_DPORT:
		dport = &r->orig_dport;
		break;
	default:
		return false;
	}
	if (range && !dport->n && nft_one_port(json_array_get(range, 0), &ports.range[0].low) &&
		nft_one_port(json_array_get(range, 1), &ports.range[0].high)) {
		*dport = ports;
		dport->n = 1;
		dport->negated = negated;
		return true;
	}
	if (set && !dport->n && nft_simple_port_set(&ports, set, negated)) {
		*dport = ports;
		return true;
	}
	return nft_simple_ports(dport, right, negated);
}

/* --- any match --- */

static void nft_never_matches(struct rule *r)
{
	r->tcp = TRI_NO;
}

/* A port below or above one. */
static bool nft_take_inequality(
	struct rule *r, enum field field, const char *op, const json_t *right)
{
	bool low = *op == '>', itself = op[1] == '=';
	uint16_t port, from, to;
	struct span s;

	if (!field_is_port(field) || !nft_one_port(right, &port))
		return false;
	from = low ? (uint16_t)(port + !itself) : 0;
	to = low ? UINT16_MAX : (uint16_t)(port - !itself);
	s = span_port(from, to);
	return from <= to && nft_add_condition(r, field, &s, false);
}

/* What stands on the left of a match against what stands on the right. */
static bool nft_take_match(struct rule *r, const struct nft_place *place, const json_t *left,
	const char *op, const json_t *right)
{
	bool negated = strcmp(op, "!=") == 0, understood;
	enum field field[LOOKUP_FIELDS_MAX];
	enum nft_left is;
	const json_t *elements;
	struct span s;
	size_t n;

	if (nft_take_special(r, left, op, right, &understood))
		return understood;
	is = nft_fields_of(place, left, field, &n);
	if (is == LEFT_NEVER)
		nft_never_matches(r);
	if (is != LEFT_FIELD)
		return is == LEFT_NEVER;
	if (!negated && strcmp(op, "==") != 0 && strcmp(op, "in") != 0)
		return n == 1 && nft_take_inequality(r, field[0], op, right);
	if (n == 1 && nft_take_simple(r, field[0], right, negated))
		return true;
	if (is_name(right))
		snprintf(r->asks, sizeof(r->asks), "set %.50s", json_string_value(right) + 1);
	if (nft_match_elements(place, right, &elements))
		return nft_add_lookup(r, place, field, n, elements, negated, is_name(right));
	return n == 1 && !is_name(right) && nft_span(place, field[0], right, &s) &&
	       nft_add_condition(r, field[0], &s, negated);
}

/* "meta mark", "ct mark", "ip dscp" */
static void nft_match_unclear(struct rule *r, const json_t *left)
{
	const json_t *masked = json_object_get(left, "&");
	const json_t *inner = masked ? json_array_get(masked, 0) : left, *value;
	const char *kind = json_object_iter_key(json_object_iter((json_t *)inner));

	value = kind ? json_object_get(inner, kind) : NULL;
	if (kind && strcmp(kind, "payload") == 0)
		nft_unclear(r, nft_string_at(value, "protocol"), nft_string_at(value, "field"));
	else
		nft_unclear(r, kind ? kind : "a match", nft_string_at(value, "key"));
}

void nft_match_add(struct rule *r, const struct nft_place *place, const json_t *match)
{
	const json_t *left = json_object_get(match, "left"),
		     *right = json_object_get(match, "right");
	static const struct rule_packet nothing_known;
	struct rule with = *r;

	if (nft_take_match(&with, place, left, nft_string_at(match, "op"), right))
		*r = with;
	else
		nft_match_unclear(r, left);
	for (size_t i = 0; i < r->n_conditions; i++) {
		if (condition_holds(&r->condition[i], &nothing_known) == TRI_NO)
			nft_never_matches(r);
	}
	for (size_t i = 0; i < r->n_lookups; i++) {
		if (!r->lookup[i]->named && lookup_holds(r->lookup[i], &nothing_known) == TRI_NO)
			nft_never_matches(r);
	}
}

void nft_match_add_key(
	struct rule *r, const struct nft_place *place, const json_t *key, const json_t *element)
{
	enum field field[LOOKUP_FIELDS_MAX];
	struct span spans[LOOKUP_FIELDS_MAX];
	size_t n;
	enum nft_left is = nft_fields_of(place, key, field, &n);

	if (is == LEFT_NEVER)
		nft_never_matches(r);
	if (is == LEFT_NEVER)
		return;
	if (is == LEFT_UNKNOWN || !nft_element(place, field, n, element, spans)) {
		nft_match_unclear(r, key);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!nft_add_condition(r, field[i], &spans[i], false))
			nft_unclear(r, "a long concatenation", "");
	}
}
