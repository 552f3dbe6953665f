/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_rule.c - one rule of iptables, from the words that it consists of
 *
 * The tables below say what is done with an option and the word after it. An option or match that
 * is not in them makes the rule unsure: it may then match less than what is understood of it. A
 * target that is not in them only looks at packets or changes them, or is a chain.
 */
#include "iptables_rule.h"

#include <string.h>

#include "pasvd/array.h"

#include "conf_value.h"

/* --- words --- */

/* Takes the word at *from, without its quotes, to *to. */
static void iptables_unquote(const char **from, char **to)
{
	bool quoted = false;

	for (; **from && (quoted || **from != ' '); (*from)++) {
		if (**from == '"') {
			quoted = !quoted;
			continue;
		}
		if (**from == '\\' && (*from)[1])
			(*from)++;
		*(*to)++ = **from;
	}
	*(*to)++ = '\0';
}

/* Each word is as long as in the line at most. */
bool words_split(const char *line, struct words *w)
{
	char *to = w->buf;

	w->n = 0;
	if (strlen(line) >= sizeof(w->buf))
		return false;
	for (line += strspn(line, " "); *line; line += strspn(line, " ")) {
		if (w->n == WORDS_MAX)
			return false;
		w->word[w->n++] = to;
		iptables_unquote(&line, &to);
	}
	return true;
}

/* --- values: false if they are not understood --- */

static struct text iptables_text_of(const char *word)
{
	return (struct text){word, strlen(word)};
}

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
	       !conf_value_network(iptables_text_of(word), &m->network);
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
	struct text rest = iptables_text_of(word);
	bool first = m->n == 0;

	m->negated = negated;
	while (rest.n) {
		if (!iptables_take_range(m, text_cut(&rest, ',')))
			return false;
	}
	return first;
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
	struct text rest = iptables_text_of(word);
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

static bool iptables_set_comment(struct rule *r, const char *word, bool negated)
{
	(void)r;
	(void)word;
	return !negated;
}

/* Those whose own options are all in the table of options, or are unsure one by one. */
static bool iptables_set_match(struct rule *r, const char *word, bool negated)
{
	static const char *const known[] = {
		"tcp", "udp", "multiport", "conntrack", "state", "helper", "comment"};

	(void)r;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(word, known[i]) == 0)
			return !negated;
	}
	return false;
}

/* --- targets --- */

static const struct {
	const char *name;
	enum rule_action action;
} targets[] = {
	{"ACCEPT", RULE_ACCEPT},
	{"DROP", RULE_DROP},
	{"REJECT", RULE_DROP},
	{"TARPIT", RULE_DROP},
	{"QUEUE", RULE_ELSEWHERE},
	{"NFQUEUE", RULE_QUEUE},
	{"DNAT", RULE_DNAT},
	{"SNAT", RULE_SNAT},
	{"MASQUERADE", RULE_SNAT},
	{"NETMAP", RULE_ELSEWHERE},
	{"REDIRECT", RULE_ELSEWHERE},
	{"TPROXY", RULE_ELSEWHERE},
	{"SYNPROXY", RULE_ELSEWHERE},
	{"RETURN", RULE_RETURN},
	{"CT", RULE_TEMPLATE},
	{"NOTRACK", RULE_NOTRACK},
};

/* What else there is only looks at packets or changes them, or is a chain: known when all chains
 * are. */
static bool iptables_set_target(struct rule *r, const char *word, bool negated)
{
	rule_name(r->target, word);
	r->action = RULE_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(word, targets[i].name) == 0)
			r->action = targets[i].action;
	}
	return !negated;
}

static bool iptables_set_goto(struct rule *r, const char *word, bool negated)
{
	rule_name(r->target, word);
	r->action = RULE_GOTO;
	return !negated;
}

/* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; of a range of addresses or ports nothing is taken. */
static bool iptables_set_destination(struct rule *r, const char *word, bool negated)
{
	struct text rest = iptables_text_of(word), host;
	struct endpoint to = {0};

	if (*word == '[') {
		rest.p++;
		rest.n--;
		host = text_cut(&rest, ']');
		text_cut(&rest, ':');
	} else if (strchr(word, '.')) {
		host = text_cut(&rest, ':');
	} else {
		host = rest;
		rest.n = 0;
	}
	if (negated || addr_parse((const uint8_t *)host.p, host.n, &to.addr))
		return true;
	if (rest.n && conf_value_number(rest, 1, UINT16_MAX, &to.port))
		return true;
	r->to = to;
	return true;
}

static bool iptables_set_queue(struct rule *r, const char *word, bool negated)
{
	return !negated && !conf_value_number(iptables_text_of(word), 0, UINT16_MAX, &r->queue);
}

static bool iptables_set_template_helper(struct rule *r, const char *word, bool negated)
{
	rule_name(r->target, word);
	return !negated;
}

static bool iptables_set_notrack(struct rule *r, const char *word, bool negated)
{
	(void)word;
	r->action = RULE_NOTRACK;
	return !negated;
}

static bool iptables_set_restore(struct rule *r, const char *word, bool negated)
{
	(void)word;
	r->action = RULE_RESTORE;
	return !negated;
}

/* MARK and CONNMARK have options of the same names. */
static bool iptables_is_connmark(const struct rule *r)
{
	return strcmp(r->target, "CONNMARK") == 0;
}

/* VALUE, or VALUE/MASK: writes the bits of both. */
static bool iptables_set_xmark(struct rule *r, const char *word, bool negated)
{
	struct text rest = iptables_text_of(word), value = text_cut(&rest, '/');
	uint32_t bits = UINT32_MAX, mask = UINT32_MAX;

	conf_value_mark(value, &bits);
	if (rest.n)
		conf_value_mark(rest, &mask);
	if (iptables_is_connmark(r))
		r->connmark = bits | mask;
	return !negated;
}

/* All bits, as long as no option that follows says less. */
static bool iptables_set_save(struct rule *r, const char *word, bool negated)
{
	(void)word;
	r->connmark = UINT32_MAX;
	return !negated;
}

/* --restore-mark has the same masks. */
static bool iptables_is_save(const struct rule *r)
{
	return iptables_is_connmark(r) && r->action != RULE_RESTORE;
}

/* Of a mark that is saved, --nfmask comes first. */
static bool iptables_set_nfmask(struct rule *r, const char *word, bool negated)
{
	if (iptables_is_save(r))
		conf_value_mark(iptables_text_of(word), &r->connmark);
	return !negated;
}

static bool iptables_set_ctmask(struct rule *r, const char *word, bool negated)
{
	uint32_t mask = UINT32_MAX;

	conf_value_mark(iptables_text_of(word), &mask);
	if (iptables_is_save(r))
		r->connmark |= mask;
	return !negated;
}

/* --- a rule --- */

enum takes { NO_WORD, ONE_WORD };

struct option {
	const char *name;
	enum takes takes;
	bool (*set)(struct rule *r, const char *word, bool negated); /* false: not understood */
};

static const struct option match_options[] = {
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
	{"--helper", ONE_WORD, iptables_set_helper},
	{"--comment", ONE_WORD, iptables_set_comment},
	{"-j", ONE_WORD, iptables_set_target},
	{"-g", ONE_WORD, iptables_set_goto},
	{0},
};

static const struct option target_options[] = {
	{"--to-destination", ONE_WORD, iptables_set_destination},
	{"--queue-num", ONE_WORD, iptables_set_queue},
	{"--helper", ONE_WORD, iptables_set_template_helper},
	{"--notrack", NO_WORD, iptables_set_notrack},
	{"--restore-mark", NO_WORD, iptables_set_restore},
	{"--set-xmark", ONE_WORD, iptables_set_xmark},
	{"--set-mark", ONE_WORD, iptables_set_xmark},
	{"--save-mark", NO_WORD, iptables_set_save},
	{"--nfmask", ONE_WORD, iptables_set_nfmask},
	{"--ctmask", ONE_WORD, iptables_set_ctmask},
	{0},
};

static const struct option *iptables_option_of(const struct option *o, const char *name)
{
	while (o->name && strcmp(o->name, name) != 0)
		o++;
	return o->name ? o : NULL;
}

/* Takes the option at *i, and moves to the next one. Words of options that are not known are
 * options that are not known. */
static void iptables_take_option(
	struct rule *r, const struct words *w, size_t *i, bool behind_target)
{
	const struct option *options = behind_target ? target_options : match_options, *o;
	bool negated = strcmp(w->word[*i], "!") == 0 && *i + 1 < w->n, whole;

	*i += negated;
	o = iptables_option_of(options, w->word[*i]);
	whole = o && (o->takes == NO_WORD || *i + 1 < w->n);
	if (whole && o->takes == ONE_WORD)
		(*i)++;
	if (!whole || !o->set(r, w->word[*i], negated))
		r->unsure |= !behind_target;
	(*i)++;
}

struct rule iptables_rule(const struct words *w)
{
	struct rule r = {.tcp = TRI_MAYBE};
	bool behind_target = false;

	for (size_t i = 2; i < w->n;) {
		bool target = strcmp(w->word[i], "-j") == 0 || strcmp(w->word[i], "-g") == 0;

		iptables_take_option(&r, w, &i, behind_target);
		behind_target |= target;
	}
	return r;
}
