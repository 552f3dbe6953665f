/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_match.c - what a rule of iptables matches, from its options */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "iptables_option.h"
#include "rule_counts.h"

/* --- values: false if they are not understood --- */

static bool iptables_take_interface(struct interface_match *m, const char *word, bool negated)
{
	size_t len = strlen(word);

	if (m->name[0] || !len || len >= INTERFACE_MAX)
		return false;
	m->prefix = word[len - 1] == '+';
	memcpy(m->name, word, len - m->prefix);
	m->name[len - m->prefix] = '\0';
	m->negated = negated;
	return true;
}

static bool iptables_take_network(struct address_match *m, const char *word, bool negated)
{
	m->negated = negated;
	return m->network.addr.family == ADDR_NONE &&
	       !conf_value_network(text_of_word(word), &m->network);
}

static bool iptables_take_range(struct port_match *m, struct text t)
{
	struct text low = text_cut(&t, ':');
	struct port_range range;

	if (m->n == RULE_RANGES_MAX || conf_value_number(low, 0, UINT16_MAX, &range.low))
		return false;
	range.high = range.low;
	if (t.n && conf_value_number(t, 0, UINT16_MAX, &range.high))
		return false;
	m->range[m->n++] = range;
	return true;
}

static bool iptables_take_ports(struct port_match *m, const char *word, bool negated)
{
	struct text rest = text_of_word(word);
	bool first = m->n == 0;

	m->negated = negated;
	while (rest.n) {
		if (!iptables_take_range(m, text_cut(&rest, ',')))
			return false;
	}
	return first;
}

static bool iptables_add_condition(struct rule *r, const struct condition *c)
{
	if (r->n_conditions == RULE_CONDITIONS_MAX)
		return false;
	r->condition[r->n_conditions++] = *c;
	return true;
}

/* ADDRESS, ADDRESS/BITS or ADDRESS-ADDRESS */
static bool iptables_take_addresses(
	struct rule *r, enum field field, const char *word, bool negated)
{
	struct text rest = text_of_word(word), low = text_cut(&rest, '-');
	struct network first, last;

	if (conf_value_network(low, &first))
		return false;
	last = first;
	if (rest.n && conf_value_network(rest, &last))
		return false;
	return iptables_add_condition(
		r, &(struct condition){field, negated, span_networks(&first, &last)});
}

/* PORT or PORT:PORT */
static bool iptables_take_tuple_ports(
	struct rule *r, enum field field, const char *word, bool negated)
{
	struct port_match m = {.n = 0};

	return iptables_take_range(&m, text_of_word(word)) &&
	       iptables_add_condition(r, &(struct condition){field, negated,
						 span_port(m.range[0].low, m.range[0].high)});
}

static const struct {
	const char *name;
	unsigned int bit;
} states[] = {
	{"NEW", STATE_NEW},
	{"ESTABLISHED", STATE_ESTABLISHED},
	{"RELATED", STATE_RELATED},
	{"INVALID", STATE_INVALID},
	{"UNTRACKED", STATE_UNTRACKED},
	{"SNAT", STATE_SNAT},
	{"DNAT", STATE_DNAT},
	{"EXPECTED", STATE_EXPECTED},
};

static unsigned int iptables_state_bit(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strlen(states[i].name) == name.n && memcmp(states[i].name, name.p, name.n) == 0)
			return states[i].bit;
	}
	return 0;
}

static bool iptables_set_state(struct rule *r, const char *word, bool negated)
{
	struct text rest = text_of_word(word);
	struct state_match m = {.negated = negated};

	while (rest.n) {
		unsigned int bit = iptables_state_bit(text_cut(&rest, ','));

		if (!bit)
			return false;
		m.any_of |= bit;
	}
	if (r->n_states == RULE_STATES_MAX)
		return false;
	r->state[r->n_states++] = m;
	return true;
}

static bool iptables_set_protocol(struct rule *r, const char *word, bool negated)
{
	if (strcmp(word, "all") == 0)
		return !negated;
	if (r->tcp == TRI_NO)
		return true;
	r->tcp = (strcmp(word, "tcp") == 0 || strcmp(word, "6") == 0) != negated ? TRI_YES : TRI_NO;
	return true;
}

static bool iptables_set_in(struct rule *r, const char *word, bool negated)
{
	return iptables_take_interface(&r->in, word, negated);
}

static bool iptables_set_out(struct rule *r, const char *word, bool negated)
{
	return iptables_take_interface(&r->out, word, negated);
}

static bool iptables_set_src(struct rule *r, const char *word, bool negated)
{
	return iptables_take_network(&r->src, word, negated);
}

static bool iptables_set_dst(struct rule *r, const char *word, bool negated)
{
	return iptables_take_network(&r->dst, word, negated);
}

static bool iptables_set_orig_dst(struct rule *r, const char *word, bool negated)
{
	return iptables_take_network(&r->orig_dst, word, negated);
}

static bool iptables_set_sport(struct rule *r, const char *word, bool negated)
{
	return iptables_take_ports(&r->sport, word, negated);
}

static bool iptables_set_dport(struct rule *r, const char *word, bool negated)
{
	return iptables_take_ports(&r->dport, word, negated);
}

static bool iptables_set_orig_dport(struct rule *r, const char *word, bool negated)
{
	return iptables_take_ports(&r->orig_dport, word, negated);
}

static bool iptables_set_helper(struct rule *r, const char *word, bool negated)
{
	rule_name(r->helper, word);
	return !negated;
}

static bool iptables_set_orig_src(struct rule *r, const char *word, bool negated)
{
	return iptables_take_addresses(r, FIELD_ORIG_SRC, word, negated);
}

static bool iptables_set_reply_src(struct rule *r, const char *word, bool negated)
{
	return iptables_take_addresses(r, FIELD_REPLY_SRC, word, negated);
}

static bool iptables_set_reply_dst(struct rule *r, const char *word, bool negated)
{
	return iptables_take_addresses(r, FIELD_REPLY_DST, word, negated);
}

static bool iptables_set_src_range(struct rule *r, const char *word, bool negated)
{
	return iptables_take_addresses(r, FIELD_SRC, word, negated);
}

static bool iptables_set_dst_range(struct rule *r, const char *word, bool negated)
{
	return iptables_take_addresses(r, FIELD_DST, word, negated);
}

static bool iptables_set_orig_sport(struct rule *r, const char *word, bool negated)
{
	return iptables_take_tuple_ports(r, FIELD_ORIG_SPORT, word, negated);
}

static bool iptables_set_reply_sport(struct rule *r, const char *word, bool negated)
{
	return iptables_take_tuple_ports(r, FIELD_REPLY_SPORT, word, negated);
}

static bool iptables_set_reply_dport(struct rule *r, const char *word, bool negated)
{
	return iptables_take_tuple_ports(r, FIELD_REPLY_DPORT, word, negated);
}

static bool iptables_set_direction(struct rule *r, const char *word, bool negated)
{
	uint8_t dir = strcmp(word, "REPLY") == 0 ? (uint8_t)DIR_REPLY : (uint8_t)DIR_ORIGINAL;

	return iptables_add_condition(
		r, &(struct condition){FIELD_DIRECTION, negated, span_number(dir)});
}

static const struct {
	const char *name;
	uint8_t bit;
} flags[] = {
	{"FIN", FLAG_FIN},
	{"SYN", FLAG_SYN},
	{"RST", FLAG_RST},
	{"PSH", FLAG_PSH},
	{"ACK", FLAG_ACK},
	{"URG", FLAG_URG},
};

static uint8_t iptables_flags_of(const char *word)
{
	struct text rest = text_of_word(word);
	uint8_t bits = 0;

	while (rest.n) {
		struct text name = text_cut(&rest, ',');

		for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
			if (name.n == strlen(flags[i].name) &&
				memcmp(name.p, flags[i].name, name.n) == 0)
				bits |= flags[i].bit;
		}
	}
	return bits;
}

/* Two words, which follow each other in struct words. */
static bool iptables_set_flags(struct rule *r, const char *word, bool negated)
{
	bool first = !r->flags.mask;

	r->flags = (struct flags_match){
		iptables_flags_of(word), iptables_flags_of(word + strlen(word) + 1), negated};
	return first && r->flags.mask;
}

/* Sources that are no host: no packet of a connection has them. */
static bool iptables_set_src_type(struct rule *r, const char *word, bool negated)
{
	if (negated || strstr(word, "UNICAST") || strstr(word, "LOCAL"))
		return !negated && strstr(word, "UNICAST");
	r->tcp = TRI_NO;
	return true;
}

/* Two words, see iptables_set_flags(). */
static bool iptables_set_ipset(struct rule *r, const char *word, bool negated)
{
	const char *directions = word + strlen(word) + 1;
	struct set_match *m = r->n_sets < RULE_SETS_MAX ? &r->set[r->n_sets] : NULL;

	if (!r->unsure)
		snprintf(r->unclear, sizeof(r->unclear), "the ipset %s", word);
	if (!m || strlen(word) >= sizeof(m->name) || strlen(directions) >= sizeof(m->directions))
		return false;
	*m = (struct set_match){.negated = negated};
	memcpy(m->name, word, strlen(word));
	memcpy(m->directions, directions, strlen(directions));
	snprintf(r->asks, sizeof(r->asks), "ipset %s", word);
	r->n_sets++;
	return true;
}

/* 25/min, or 512kb/s: NUMBER, perhaps bytes, and a time. */
static bool iptables_set_rate(struct rule *r, const char *word, bool negated)
{
	static const char prefixes[] = "kmg";
	const char *time = strchr(word, '/');
	char *unit;
	uint64_t n = strtoull(word, &unit, 10);
	const char *prefix = *unit == '/' ? NULL : strchr(prefixes, *unit);

	if (!time || negated)
		return false;
	rule_counts_rate(
		r, prefix ? n << (10 * (prefix - prefixes + 1)) : n, time + 1, *unit != '/');
	return true;
}

static bool iptables_set_connections_above(struct rule *r, const char *word, bool negated)
{
	rule_counts_connections(r, strtoull(word, NULL, 10), !negated);
	return true;
}

static bool iptables_set_connections_upto(struct rule *r, const char *word, bool negated)
{
	return iptables_set_connections_above(r, word, !negated);
}

/* How much of it is used is not shown. */
static bool iptables_set_quota(struct rule *r, const char *word, bool negated)
{
	uint64_t n = strtoull(word, NULL, 10);

	rule_counts_bytes(r, n, 0, negated);
	return !n;
}

static const char recent[] = "recent";

/* It matches, and adds its host to the list whose name follows. */
static bool iptables_set_recent(struct rule *r, const char *word, bool negated)
{
	(void)word;
	rule_name(r->fills, recent);
	if (negated)
		r->tcp = TRI_NO;
	return true;
}

static bool iptables_set_recent_asked(struct rule *r, const char *word, bool negated)
{
	(void)word;
	rule_name(r->asks, recent);
	r->some = true;
	return !negated;
}

static bool iptables_set_recent_name(struct rule *r, const char *word, bool negated)
{
	char *list = strcmp(r->fills, recent) == 0 ? r->fills : r->asks;

	snprintf(list, RULE_NAME_MAX, "%s %.50s", recent, word);
	return !negated;
}

static bool iptables_set_hits(struct rule *r, const char *word, bool negated)
{
	r->hits = (unsigned int)strtoul(word, NULL, 10);
	return !negated;
}

static bool iptables_set_comment(struct rule *r, const char *word, bool negated)
{
	(void)r;
	(void)word;
	return !negated;
}

static bool iptables_is_one_of(const char *word, const char *const names[])
{
	while (*names && strcmp(word, *names) != 0)
		names++;
	return *names;
}

bool iptables_counts(const char *match)
{
	static const char *const names[] = {
		"limit", "hashlimit", "connlimit", "recent", "quota", NULL};

	return iptables_is_one_of(match, names);
}

/* Those whose own options are all in the table of options, or are unsure one by one. */
static bool iptables_set_match(struct rule *r, const char *word, bool negated)
{
	static const char *const known[] = {"tcp", "udp", "multiport", "conntrack", "state",
		"helper", "comment", "iprange", "addrtype", "set", NULL};

	if (negated || (!iptables_is_one_of(word, known) && !iptables_counts(word))) {
		snprintf(r->unclear, sizeof(r->unclear), "-m %s", word);
		return false;
	}
	return true;
}

/* --- the table --- */

const struct option iptables_match_options[] = {
	{"-p", ONE_WORD, iptables_set_protocol},
	{"-i", ONE_WORD, iptables_set_in},
	{"-o", ONE_WORD, iptables_set_out},
	{"-s", ONE_WORD, iptables_set_src},
	{"-d", ONE_WORD, iptables_set_dst},
	{"-m", ONE_WORD, iptables_set_match},
	{"--sport", ONE_WORD, iptables_set_sport},
	{"--sports", ONE_WORD, iptables_set_sport},
	{"--dport", ONE_WORD, iptables_set_dport},
	{"--dports", ONE_WORD, iptables_set_dport},
	{"--state", ONE_WORD, iptables_set_state},
	{"--ctstate", ONE_WORD, iptables_set_state},
	{"--ctstatus", ONE_WORD, iptables_set_state},
	{"--ctorigdst", ONE_WORD, iptables_set_orig_dst},
	{"--ctorigdstport", ONE_WORD, iptables_set_orig_dport},
	{"--ctorigsrc", ONE_WORD, iptables_set_orig_src},
	{"--ctreplsrc", ONE_WORD, iptables_set_reply_src},
	{"--ctrepldst", ONE_WORD, iptables_set_reply_dst},
	{"--ctorigsrcport", ONE_WORD, iptables_set_orig_sport},
	{"--ctreplsrcport", ONE_WORD, iptables_set_reply_sport},
	{"--ctrepldstport", ONE_WORD, iptables_set_reply_dport},
	{"--ctproto", ONE_WORD, iptables_set_protocol},
	{"--ctdir", ONE_WORD, iptables_set_direction},
	{"--tcp-flags", TWO_WORDS, iptables_set_flags},
	{"--src-range", ONE_WORD, iptables_set_src_range},
	{"--dst-range", ONE_WORD, iptables_set_dst_range},
	{"--src-type", ONE_WORD, iptables_set_src_type},
	{"--match-set", TWO_WORDS, iptables_set_ipset},
	{"--helper", ONE_WORD, iptables_set_helper},
	{"--limit", ONE_WORD, iptables_set_rate},
	{"--hashlimit-above", ONE_WORD, iptables_set_rate},
	{"--hashlimit-upto", ONE_WORD, iptables_set_rate},
	{"--connlimit-above", ONE_WORD, iptables_set_connections_above},
	{"--connlimit-upto", ONE_WORD, iptables_set_connections_upto},
	{"--quota", ONE_WORD, iptables_set_quota},
	{"--set", NO_WORD, iptables_set_recent},
	{"--rcheck", NO_WORD, iptables_set_recent_asked},
	{"--update", NO_WORD, iptables_set_recent_asked},
	{"--remove", NO_WORD, iptables_set_recent_asked},
	{"--name", ONE_WORD, iptables_set_recent_name},
	{"--hitcount", ONE_WORD, iptables_set_hits},
	{"--comment", ONE_WORD, iptables_set_comment},
	{"-j", ONE_WORD, iptables_set_target},
	{"-g", ONE_WORD, iptables_set_goto},
	{0},
};
