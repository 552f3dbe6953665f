/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_target.c - what a rule of iptables does, from its target and the options of that */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "iptables_option.h"

static const struct {
	const char *name;
	enum rule_action action;
} targets[] = {
	{"ACCEPT", RULE_ACCEPT}, {"DROP", RULE_DROP}, {"REJECT", RULE_DROP}, {"TARPIT", RULE_DROP},
	{"QUEUE", RULE_ELSEWHERE}, {"NFQUEUE", RULE_QUEUE}, {"DNAT", RULE_DNAT},
	{"SNAT", RULE_SNAT}, {"MASQUERADE", RULE_SNAT}, {"NETMAP", RULE_ELSEWHERE},
	{"REDIRECT", RULE_ELSEWHERE}, {"RETURN", RULE_RETURN}, {"CT", RULE_TEMPLATE},
	{"NOTRACK", RULE_NOTRACK}, {"FULLCONENAT", RULE_SNAT}, {"LOG", RULE_NONE},
	{"NFLOG", RULE_NONE}, {"ULOG", RULE_NONE}, {"TRACE", RULE_NONE}, {"AUDIT", RULE_NONE},
	{"LED", RULE_NONE}, {"MARK", RULE_NONE}, {"CONNMARK", RULE_NONE}, {"SECMARK", RULE_NONE},
	{"CONNSECMARK", RULE_NONE}, {"CLASSIFY", RULE_NONE}, {"CHECKSUM", RULE_NONE},
	{"TCPMSS", RULE_NONE}, {"TCPOPTSTRIP", RULE_NONE}, {"DSCP", RULE_NONE}, {"TOS", RULE_NONE},
	{"ECN", RULE_NONE}, {"TTL", RULE_NONE}, {"HL", RULE_NONE}, {"HMARK", RULE_NONE},
	{"SET", RULE_NONE}, {"TEE", RULE_NONE}, {"RATEEST", RULE_NONE}, {"IDLETIMER", RULE_NONE},
	{"ACCOUNT", RULE_NONE},
	{"FLOWOFFLOAD", RULE_NONE}, /* connections with a ct helper are not offloaded */
};

/* What else there is is a chain, which is known when all chains are, or not understood. */
bool iptables_set_target(struct rule *r, const char *word, bool negated)
{
	rule_name(r->target, word);
	r->action = RULE_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(word, targets[i].name) == 0)
			r->action = targets[i].action;
	}
	return !negated;
}

bool iptables_set_goto(struct rule *r, const char *word, bool negated)
{
	rule_name(r->target, word);
	r->action = RULE_GOTO;
	return !negated;
}

/* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; of a range of addresses or ports nothing is taken. */
static bool iptables_set_destination(struct rule *r, const char *word, bool negated)
{
	struct text rest = text_of_word(word), host;
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
	return !negated && !conf_value_number(text_of_word(word), 0, UINT16_MAX, &r->queue);
}

static bool iptables_set_template_helper(struct rule *r, const char *word, bool negated)
{
	rule_name(r->target, word);
	return !negated;
}

static bool iptables_set_zone(struct rule *r, const char *word, bool negated)
{
	r->gives_zone = true;
	return !negated && !conf_value_number(text_of_word(word), 0, UINT16_MAX, &r->zone);
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
	r->marks = true;
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
	struct text rest = text_of_word(word), value = text_cut(&rest, '/');
	uint32_t bits = UINT32_MAX, mask = UINT32_MAX;

	conf_value_mark(value, &bits);
	if (rest.n)
		conf_value_mark(rest, &mask);
	if (iptables_is_connmark(r))
		r->connmark = bits | mask;
	else
		r->marks = true;
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
		conf_value_mark(text_of_word(word), &r->connmark);
	return !negated;
}

static bool iptables_set_ctmask(struct rule *r, const char *word, bool negated)
{
	uint32_t mask = UINT32_MAX;

	conf_value_mark(text_of_word(word), &mask);
	if (iptables_is_save(r))
		r->connmark |= mask;
	return !negated;
}

static bool iptables_set_filled(struct rule *r, const char *word, bool negated)
{
	snprintf(r->fills, sizeof(r->fills), "ipset %.31s", word);
	return !negated;
}

static bool iptables_set_life(struct rule *r, const char *word, bool negated)
{
	rule_shortens_life(r, strtoul(word, NULL, 10));
	return !negated;
}

const struct option iptables_target_options[] = {
	{"--to-destination", ONE_WORD, iptables_set_destination},
	{"--queue-num", ONE_WORD, iptables_set_queue},
	{"--helper", ONE_WORD, iptables_set_template_helper},
	{"--notrack", NO_WORD, iptables_set_notrack},
	{"--zone", ONE_WORD, iptables_set_zone},
	{"--zone-reply", ONE_WORD, iptables_set_zone},
	{"--restore-mark", NO_WORD, iptables_set_restore},
	{"--set-xmark", ONE_WORD, iptables_set_xmark},
	{"--set-mark", ONE_WORD, iptables_set_xmark},
	{"--save-mark", NO_WORD, iptables_set_save},
	{"--nfmask", ONE_WORD, iptables_set_nfmask},
	{"--ctmask", ONE_WORD, iptables_set_ctmask},
	{"--add-set", TWO_WORDS, iptables_set_filled},
	{"--ttl-set", ONE_WORD, iptables_set_life},
	{"--hl-set", ONE_WORD, iptables_set_life},
	{0},
};
