/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_nft.c - pasvd's table of nft: whether it is loaded, and as it should be; and what the
 * listings of others' rules leave out
 *
 * Options say what the table should be, and the comparison is that of `pasvd rules diff`. Left out
 * are the devices of chains at ingress and egress, which tables are dormant, and the elements of
 * ipsets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "ipset.h"
#include "nft_list.h"
#include "probe.h"

enum { WORDS_MAX = 160 };

bool probe_nft_asked(const char *options)
{
	return strncmp(options, "--n", 3) == 0 || strstr(options, " --n");
}

static int probe_nft_compare(
	const struct conf *conf, const char *options, struct output *ret_differences)
{
	const char *argv[WORDS_MAX + 6] = {"/proc/self/exe"}, *word;
	char words[OPTIONS_MAX], *rest = words;
	size_t n = 1;

	snprintf(words, sizeof(words), "%s", options);
	if (conf->file) {
		argv[n++] = "-c";
		argv[n++] = conf->file;
	}
	argv[n++] = "rules";
	argv[n++] = "diff";
	while ((word = strsep(&rest, " ")) && n < WORDS_MAX + 5) {
		if (*word)
			argv[n++] = word;
	}
	return run(argv, NULL, ret_differences);
}

int probe_nft(const struct conf *conf, const char *options, struct nft_facts *ret_facts)
{
	struct nft_facts facts = {.loaded = ret_facts->loaded, .wanted = true};
	struct output o;

	snprintf(facts.options, sizeof(facts.options), "%s", options);
	facts.status = probe_nft_compare(conf, options, &o);
	snprintf(facts.complaint, sizeof(facts.complaint), "%s", o.complaint);
	if (o.len)
		snprintf(facts.difference, sizeof(facts.difference), "%.*s",
			(int)strcspn(o.text, "\n"), o.text);
	free(o.text);
	*ret_facts = facts;
	return facts.status;
}

void probe_nft_devices(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		struct chain *c = &rs->chain[i];
		struct output o;

		if (c->hook != HOOK_INGRESS && c->hook != HOOK_EGRESS)
			continue;
		if (run((const char *const[]){"nft", "list", "chain", c->family, c->table, c->name,
				NULL},
			    NULL, &o) == 0)
			nft_list_read_devices(o.text, c);
		free(o.text);
	}
}

/* nft's JSON does not say it in every version. Terse: without the elements of sets. */
void probe_nft_dormant(struct facts *f)
{
	struct output o;

	if (run((const char *const[]){"nft", "-t", "list", "ruleset", NULL}, NULL, &o) == 0 &&
		o.text) {
		f->flowtables = nft_list_count_flowtables(o.text);
		for (size_t i = 0; i < f->n_filters; i++)
			if (!f->filter[i].is_legacy)
				nft_list_read_dormant(
					o.text, f->filter[i].family, &f->filter[i].rules);
	}
	free(o.text);
}

/* Without the program the rules stay unsure. */
void probe_ipsets(struct ruleset *rs)
{
	struct output o;

	if (!ipset_any(rs))
		return;
	if (run((const char *const[]){"ipset", "save", NULL}, NULL, &o) == 0 && o.text)
		ipset_resolve(rs, o.text);
	free(o.text);
}
