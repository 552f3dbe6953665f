/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipset.c - the sets that rules of iptables name, from what `ipset save` prints
 *
 *	create blocked hash:net,port family inet hashsize 1024 …
 *	add blocked 10.0.0.0/8,tcp:21 timeout 99
 *
 * A set becomes a lookup (packet.h), whose fields follow from the set's type and the directions in
 * the rule. What is not understood leaves the rule unsure: sets of sets, MAC addresses, marks,
 * elements that are exceptions.
 */
#include "ipset.h"

#include <stdlib.h>
#include <string.h>

#include "conf_value.h"
#include "pasvd/array.h"

/* --- fields --- */

static bool ipset_field(struct text kind, struct text direction, enum field *ret_field)
{
	static const struct {
		const char *kind;
		enum field src, dst;
	} fields[] = {{"ip", FIELD_SRC, FIELD_DST}, {"net", FIELD_SRC, FIELD_DST},
		{"port", FIELD_SPORT, FIELD_DPORT}, {"iface", FIELD_IN, FIELD_OUT}};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (kind.n != strlen(fields[i].kind) || memcmp(kind.p, fields[i].kind, kind.n) != 0)
			continue;
		*ret_field = direction.n && direction.p[0] == 's' ? fields[i].src : fields[i].dst;
		return direction.n;
	}
	return false;
}

/* "net,port" and "src,dst". False: one of them is not understood. */
static bool ipset_set_fields(struct lookup *l, struct text kinds, const char *directions)
{
	struct text rest = {directions, strlen(directions)};

	while (kinds.n && l->n_fields < LOOKUP_FIELDS_MAX) {
		struct text kind = text_cut(&kinds, ','), direction = text_cut(&rest, ',');

		if (!ipset_field(kind, direction, &l->field[l->n_fields++]))
			return false;
	}
	return l->n_fields && !kinds.n;
}

/* --- elements --- */

/* How much of an element is understood. */
enum ipset_known { IPSET_NOT, IPSET_NOT_TCP, IPSET_WHOLE };

static enum ipset_known ipset_take_port(struct text t, struct span *ret_span)
{
	struct text protocol = memchr(t.p, ':', t.n) ? text_cut(&t, ':') : (struct text){"tcp", 3};
	uint16_t port;

	if (protocol.n != 3 || memcmp(protocol.p, "tcp", 3) != 0)
		return IPSET_NOT_TCP;
	if (conf_value_number(t, 0, UINT16_MAX, &port))
		return IPSET_NOT;
	*ret_span = span_port(port, port);
	return IPSET_WHOLE;
}

static enum ipset_known ipset_take_part(enum field field, struct text t, struct span *ret_span)
{
	char name[INTERFACE_MAX] = "";
	struct network n;

	if (field_is_port(field))
		return ipset_take_port(t, ret_span);
	if (field == FIELD_IN || field == FIELD_OUT) {
		if (t.n >= sizeof(name) || memchr(t.p, ':', t.n))
			return IPSET_NOT;
		memcpy(name, t.p, t.n);
		return span_name(name, false, ret_span) ? IPSET_WHOLE : IPSET_NOT;
	}
	if (conf_value_network(t, &n))
		return IPSET_NOT;
	*ret_span = span_networks(&n, &n);
	return IPSET_WHOLE;
}

static enum ipset_known ipset_take_element(
	const struct lookup *l, struct text t, struct span *ret_spans)
{
	enum ipset_known least = IPSET_WHOLE, known;

	for (size_t i = 0; i < l->n_fields; i++) {
		known = ipset_take_part(l->field[i], text_cut(&t, ','), &ret_spans[i]);
		least = known < least ? known : least;
	}
	return t.n ? IPSET_NOT : least;
}

/* Whether one of the words is among those of a line. */
static bool ipset_has_word(struct text line, const char *const words[])
{
	bool has = false;

	while (line.n && !has) {
		struct text word = text_cut(&line, ' ');

		for (size_t i = 0; words[i]; i++)
			has |= word.n == strlen(words[i]) && memcmp(word.p, words[i], word.n) == 0;
	}
	return has;
}

/* False: it is an exception to others, or an interface's name that others begin with. */
static bool ipset_add(struct lookup *l, struct text line)
{
	static const char *const special[] = {"nomatch", "wildcard", NULL};
	enum ipset_known known =
		ipset_take_element(l, text_cut(&line, ' '), &l->element[l->n * l->n_fields]);

	l->n += known == IPSET_WHOLE;
	l->partly |= known == IPSET_NOT;
	return !ipset_has_word(line, special);
}

/* --- the listing --- */

/* Whether the line begins with these two words, which are taken away. */
static bool ipset_line_is(struct text *line, const char *command, const char *name)
{
	struct text rest = *line, first = text_cut(&rest, ' '), second = text_cut(&rest, ' ');
	bool is = first.n == strlen(command) && memcmp(first.p, command, first.n) == 0 &&
		  second.n == strlen(name) && memcmp(second.p, name, second.n) == 0;

	if (is)
		*line = rest;
	return is;
}

/* "hash:net,port": without what stands before the colon. */
static struct text ipset_kinds(struct text type)
{
	text_cut(&type, ':');
	return type;
}

/* With these an element stands for more addresses than it names. */
static const char *const ipset_masks[] = {"netmask", "bitmask", NULL};

static bool ipset_read(const char *saved, const struct set_match *m, struct lookup *l)
{
	struct text rest = {saved, strlen(saved)};
	bool found = false;

	while (rest.n) {
		struct text line = text_cut(&rest, '\n');

		if (!found && ipset_line_is(&line, "create", m->name)) {
			size_t room = 1;

			for (const char *p = line.p; (p = strchr(p, '\n')); p++)
				room++;
			found = ipset_set_fields(
					l, ipset_kinds(text_cut(&line, ' ')), m->directions) &&
				!ipset_has_word(line, ipset_masks);
			l->element = found ? calloc(room * l->n_fields, sizeof(*l->element)) : NULL;
			if (!l->element)
				return false;
		} else if (found && ipset_line_is(&line, "add", m->name) && !ipset_add(l, line)) {
			return false;
		}
	}
	return found;
}

static bool ipset_resolve_match(struct ruleset *rs, struct rule *r, const char *saved)
{
	const struct set_match *m = &r->set[r->n_sets - 1];
	struct lookup *l = r->n_lookups < RULE_LOOKUPS_MAX ? ruleset_lookup(rs) : NULL;

	if (!l || !ipset_read(saved, m, l))
		return false;
	l->negated = m->negated;
	l->named = true;
	r->lookup[r->n_lookups++] = l;
	return true;
}

bool ipset_any(const struct ruleset *rs)
{
	size_t n = 0;

	for (size_t i = 0; i < rs->n; i++) {
		for (size_t j = 0; j < rs->chain[i].n; j++)
			n += rs->chain[i].rule[j].n_sets;
	}
	return n;
}

static void ipset_resolve_rule(struct ruleset *rs, struct rule *r, const char *saved)
{
	bool partly = r->unsure || !r->n_sets;

	while (r->n_sets && ipset_resolve_match(rs, r, saved)) {
		partly |= r->lookup[r->n_lookups - 1]->partly;
		r->n_sets--;
	}
	if (!partly && !r->n_sets && !r->filler[0])
		r->unclear[0] = '\0';
}

void ipset_resolve(struct ruleset *rs, const char *saved)
{
	for (size_t i = 0; i < rs->n; i++) {
		for (size_t j = 0; j < rs->chain[i].n; j++)
			ipset_resolve_rule(rs, &rs->chain[i].rule[j], saved);
	}
}
