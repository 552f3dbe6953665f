/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_save.c - what iptables-save prints, as rules
 *
 * The form is that of iptables-restore: "*table", ":CHAIN POLICY [0:0]", "-A CHAIN rule", "COMMIT".
 */
#include "iptables_save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "iptables_rule.h"
#include "shell.h"

void iptables_save_words(const char *rule, char *ret_words, size_t cap)
{
	struct words w = {.n = 0};
	FILE *out = fmemopen(ret_words, cap, "w");
	bool whole = out && words_split(rule, &w);

	for (size_t i = 2; whole && i < w.n; i++) {
		if (i > 2)
			fputc(' ', out);
		shell_quote(out, w.word[i]);
	}
	whole = whole && fflush(out) == 0 && (size_t)ftell(out) < cap;
	if (out && fclose(out) != 0)
		whole = false;
	if (!whole)
		ret_words[0] = '\0';
}

/* Bits of the connection's mark that the rule writes. */
static uint32_t iptables_save_connmark(const char *rule)
{
	struct words w = {.n = 0};

	return words_split(rule, &w) ? iptables_rule(&w).connmark : UINT32_MAX;
}

bool iptables_save_masked(const char *rule, uint32_t bits, char *ret_words, size_t cap)
{
	static const char whole[] = "0xffffffff";
	char masked[1024];
	const char *p = rule, *at;
	size_t n = 0;

	while ((at = strstr(p, whole)) && n < sizeof(masked)) {
		n += (size_t)snprintf(masked + n, sizeof(masked) - n, "%.*s0x%08x", (int)(at - p),
			p, (unsigned)~bits);
		p = at + strlen(whole);
	}
	if (n < sizeof(masked))
		n += (size_t)snprintf(masked + n, sizeof(masked) - n, "%s", p);
	if (n >= sizeof(masked) || iptables_save_connmark(masked) & bits)
		return false;
	iptables_save_words(masked, ret_words, cap);
	return ret_words[0];
}

static const struct {
	const char *table, *chain;
	enum hook hook;
	int priority;
} hooks[] = {
	{"raw", "PREROUTING", HOOK_PREROUTING, -300},
	{"mangle", "PREROUTING", HOOK_PREROUTING, -150},
	{"nat", "PREROUTING", HOOK_PREROUTING, -100},
	{"mangle", "FORWARD", HOOK_FORWARD, -150},
	{"filter", "FORWARD", HOOK_FORWARD, 0},
	{"security", "FORWARD", HOOK_FORWARD, 50},
	{"mangle", "POSTROUTING", HOOK_POSTROUTING, -150},
	{"nat", "POSTROUTING", HOOK_POSTROUTING, 100},
	{"raw", "OUTPUT", HOOK_OUTPUT, -300},
	{"mangle", "OUTPUT", HOOK_OUTPUT, -150},
	{"nat", "OUTPUT", HOOK_OUTPUT, -100},
	{"filter", "OUTPUT", HOOK_OUTPUT, 0},
	{"mangle", "INPUT", HOOK_INPUT, -150},
	{"filter", "INPUT", HOOK_INPUT, 0},
};

static void iptables_save_set_hook(struct chain *c, const char *policy)
{
	c->hook = strcmp(policy, "-") == 0 ? HOOK_NONE : HOOK_ELSEWHERE;
	c->drops = strcmp(policy, "DROP") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(hooks) && c->hook != HOOK_NONE; i++) {
		if (strcmp(hooks[i].table, c->table) == 0 && strcmp(hooks[i].chain, c->name) == 0) {
			c->hook = hooks[i].hook;
			c->priority = hooks[i].priority;
		}
	}
}

static int iptables_save_read_chain(struct ruleset *rs, const char *table, const struct words *w)
{
	struct chain *c;

	if (w->n < 2)
		return 0;
	c = ruleset_chain(rs, "", table, w->word[0] + 1);
	if (c)
		iptables_save_set_hook(c, w->word[1]);
	return c ? 0 : -ENOMEM;
}

static int iptables_save_read_rule(
	struct ruleset *rs, const char *table, const struct words *w, const char *line)
{
	struct chain *c;
	struct rule r;

	if (w->n < 2 || strcmp(w->word[0], "-A") != 0)
		return 0;
	c = ruleset_chain(rs, "", table, w->word[1]);
	r = iptables_rule(w);
	return c ? chain_append(c, &r, line) : -ENOMEM;
}

/* A line that is too long: a rule that can be anything. */
static int iptables_save_read_long(struct ruleset *rs, const char *table, char *line)
{
	struct rule r = {.tcp = TRI_MAYBE, .unsure = true, .action = RULE_UNKNOWN};
	char name[RULE_NAME_MAX] = "";
	struct chain *c;

	if (strncmp(line, "-A ", 3) != 0)
		return 0;
	strncpy(name, line + 3, sizeof(name) - 1);
	name[strcspn(name, " ")] = '\0';
	c = ruleset_chain(rs, "", table, name);
	return c ? chain_append(c, &r, line) : -ENOMEM;
}

static int iptables_save_read_line(struct ruleset *rs, char table[RULE_NAME_MAX], char *line)
{
	struct words w = {.n = 0};

	if (*line == '*') {
		rule_name(table, line + 1);
		return 0;
	}
	if (!words_split(line, &w))
		return iptables_save_read_long(rs, table, line);
	return *line == ':' ? iptables_save_read_chain(rs, table, &w)
			    : iptables_save_read_rule(rs, table, &w, line);
}

bool iptables_save_own(const char *name)
{
	static const char own[] = "PASVD";

	return strncmp(name, own, strlen(own)) == 0 &&
	       strspn(name + strlen(own), "0123456789") == strlen(name + strlen(own));
}

static void iptables_save_resolve_own(struct chain *c)
{
	for (size_t i = 0; iptables_save_own(c->name) && i < c->n; i++) {
		c->rule[i].some |= c->rule[i].unsure;
		c->rule[i].of_data = c->rule[i].unsure && strcmp(c->rule[i].unclear, "-m bpf") == 0;
		c->rule[i].unsure = false;
	}
}

/* Targets that are names of chains. */
static void iptables_save_resolve(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		iptables_save_resolve_own(&rs->chain[i]);
		for (size_t j = 0; j < rs->chain[i].n; j++) {
			struct rule *r = &rs->chain[i].rule[j];

			if (r->action == RULE_UNKNOWN &&
				ruleset_find(rs, "", rs->chain[i].table, r->target))
				r->action = RULE_JUMP;
		}
	}
}

int iptables_save_read(const char *text, struct ruleset *rs)
{
	char table[RULE_NAME_MAX] = "", *copy = strdup(text), *rest = copy, *line;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (line = strsep(&rest, "\n")))
		err = iptables_save_read_line(rs, table, line);
	free(copy);
	if (!err)
		iptables_save_resolve(rs);
	if (!err)
		ruleset_link_lists(rs);
	return err;
}
