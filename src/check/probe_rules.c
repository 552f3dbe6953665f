/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_rules.c - which packet filters there are, and which rules of pasvd there are and should be
 *
 * A target is a set of pasvd's rules. Options of `pasvd rules` say what it should be: those on the
 * command line; without any, sections [server NAME] and [clients] of the configuration; and for
 * what is loaded and named by neither, options that are read off the rules that are loaded. From
 * the options `pasvd rules` makes the rules, which are loaded where nothing else is (scratch.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "ct_helper.h"
#include "iptables_save.h"
#include "nft_list.h"
#include "probe.h"
#include "rules_conf.h"
#include "scratch.h"

static const char own[] = "PASVD";

enum { WORDS_MAX = 160 };

struct looking {
	const struct conf *conf;
	const struct settings *settings; /* NULL: they cannot be read, and then no rules be made */
	struct facts *f;
	struct report *r;
	char complaint[RUN_COMPLAINT_MAX]; /* of `pasvd rules` */
	bool taken;                        /* rules of pasvd were loaded where nothing else is */
};

/* --- packet filters --- */

static const char *const bases[] = {"iptables", "ip6tables"};

static enum addr_family probe_rules_family_of(size_t base)
{
	return base ? ADDR_IP6 : ADDR_IP4;
}

static struct filter *probe_rules_new_filter(
	struct facts *f, const char *command, enum addr_family family)
{
	struct filter *filter = &f->filter[f->n_filters++];

	*filter = (struct filter){.family = family};
	snprintf(filter->command, sizeof(filter->command), "%s", command);
	return filter;
}

/* What such an iptables is: "-legacy", "-nft", or "" if it does not say. */
static const char *probe_rules_kind_of(const char *command)
{
	struct output o;
	const char *kind = "";

	if (run((const char *const[]){command, "-V", NULL}, NULL, &o) == 0)
		kind = strstr(o.text, "nf_tables") ? "-nft"
		       : strstr(o.text, "legacy")  ? "-legacy"
						   : "";
	free(o.text);
	return kind;
}

static int probe_rules_take_iptables(
	struct looking *l, const char *command, enum addr_family family, const char *saved)
{
	struct filter *filter = probe_rules_new_filter(l->f, command, family);
	int err = iptables_save_read(saved, &filter->rules);

	filter->is_legacy = strcmp(probe_rules_kind_of(command), "-legacy") == 0;
	if (!err)
		probe_ipsets(&filter->rules);
	return err;
}

/* False: there is no such command. */
static bool probe_rules_read_iptables(
	struct looking *l, const char *command, enum addr_family family)
{
	char save[64];
	struct output o;
	int status;

	snprintf(save, sizeof(save), "%s-save", command);
	status = run((const char *const[]){save, NULL}, NULL, &o);
	if (status == 0)
		status = probe_rules_take_iptables(l, command, family, o.text);
	if (status && status != -ENOENT) {
		report_add(l->r, SEVERITY_UNSEEN, "rules", "%s: %s", save, o.complaint);
		l->f->filters_unread = l->f->own_unread[family == ADDR_IP6] = true;
	}
	free(o.text);
	return status != -ENOENT;
}

/* Both kinds of iptables, if both are there: rules of either are in force. The one that is
 * "iptables" is called so. */
static void probe_rules_read_family(struct looking *l, size_t base)
{
	static const char *const kinds[] = {"-nft", "-legacy"};
	const char *plain = probe_rules_kind_of(bases[base]);
	bool any = probe_rules_read_iptables(l, bases[base], probe_rules_family_of(base));

	for (size_t i = 0; *plain && i < 2; i++) {
		char command[32];

		snprintf(command, sizeof(command), "%s%s", bases[base], kinds[i]);
		if (strcmp(kinds[i], plain) != 0)
			any |= probe_rules_read_iptables(l, command, probe_rules_family_of(base));
	}
	if (!any)
		report_add(l->r, SEVERITY_UNSEEN, "rules", "%s-save is not installed", bases[base]);
}

static const struct ruleset *probe_rules_nft_kind(const struct facts *f, enum addr_family family)
{
	for (size_t i = 0; i < f->n_filters; i++) {
		if (f->filter[i].family == family && !f->filter[i].is_legacy)
			return &f->filter[i].rules;
	}
	return NULL;
}

static void probe_rules_read_nft(struct looking *l)
{
	struct output o;
	int status = run((const char *const[]){"nft", "-j", "list", "ruleset", NULL}, NULL, &o);

	for (size_t base = 0; status == 0 && base < 2; base++) {
		enum addr_family family = probe_rules_family_of(base);
		const struct ruleset *iptables = probe_rules_nft_kind(l->f, family);
		struct filter *filter = probe_rules_new_filter(l->f, "nft", family);

		if (nft_list_read(o.text, family, iptables, &filter->rules))
			status = -EINVAL;
		probe_nft_devices(&filter->rules);
	}
	probe_nft_dormant(l->f);
	if (status) {
		report_add(l->r, SEVERITY_UNSEEN, "nftables", "nft: %s",
			*o.complaint ? o.complaint : "cannot be understood");
		l->f->filters_unread = true;
		if (status != -ENOENT) /* else there are none of pasvd's */
			l->f->own_unread[0] = l->f->own_unread[1] = true;
	}
	free(o.text);
}

/* --- what should be loaded --- */

/* Standard output of this program's subcommand `rules print`, or its complaint. */
static int probe_rules_make_rules(const struct conf *conf, char *options, struct output *ret_text)
{
	const char *argv[WORDS_MAX + 6] = {"/proc/self/exe"}, *word;
	size_t n = 1;

	if (conf->file) {
		argv[n++] = "-c";
		argv[n++] = conf->file;
	}
	argv[n++] = "rules";
	argv[n++] = "print";
	while ((word = strsep(&options, " ")) && n < WORDS_MAX + 5) {
		if (*word)
			argv[n++] = word;
	}
	return run(argv, NULL, ret_text);
}

/* The text with another name for the chains; free() it. */
static char *probe_rules_renamed(const char *text, const char *name)
{
	char *result = NULL;
	size_t len;
	FILE *out = open_memstream(&result, &len);
	const char *next;

	if (!out)
		return NULL;
	for (; (next = strstr(text, own)) != NULL; text = next + strlen(own))
		fprintf(out, "%.*s%s", (int)(next - text), text, name);
	fputs(text, out);
	return fclose(out) == 0 ? result : NULL;
}

/* "xt_bpf xt_NFQUEUE" of a rule's matches and target. */
static void probe_rules_modules_of(const char *rule, char *ret_modules, size_t cap)
{
	size_t used = 0;

	ret_modules[0] = '\0';
	for (const char *p = rule; (p = strchr(p, '-')) != NULL; p++) {
		if (p > rule && p[-1] == ' ' && (p[1] == 'm' || p[1] == 'j') && p[2] == ' ' &&
			used < cap)
			used += (size_t)snprintf(ret_modules + used, cap - used, " xt_%.*s",
				(int)strcspn(p + 3, " "), p + 3);
	}
}

static void probe_rules_say_refused(
	struct looking *l, const char *command, const char *rule, const char *complaint)
{
	char modules[FINDING_TEXT_MAX];
	struct finding *found =
		report_add(l->r, SEVERITY_ERROR, "kernel", "%s refuses \"%s\"", command, rule);

	probe_rules_modules_of(rule, modules, sizeof(modules));
	finding_why(
		found, "%s; the rule is needed, and so is what it asks of the kernel", complaint);
	finding_fix(found, "modprobe -a%s", modules);
}

/* Finds the rules that are refused: each is tried alone. */
static void probe_rules_try_each(struct looking *l, const char *command, char *text)
{
	char table[RULE_NAME_MAX] = "", one[FINDING_FIX_MAX], *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		struct output o;

		if (*line == '*')
			rule_name(table, line);
		if (strncmp(line, "-A ", 3) != 0)
			continue;
		snprintf(one, sizeof(one), "%s\n:%s - [0:0]\n%s\nCOMMIT\n", table, own, line);
		if (scratch_load(command, one, &o) > 0)
			probe_rules_say_refused(l, command, line, o.complaint);
		free(o.text);
	}
}

static int probe_rules_expect(struct looking *l, struct target *t, const char *text)
{
	struct output saved;
	char *named = probe_rules_renamed(text, t->own), *again = strdup(text);
	int status = named && again ? scratch_load(t->filter->command, named, &saved) : -ENOMEM;

	l->taken |= status == 0;
	if (status == 0)
		status = iptables_save_read(saved.text, &t->expected);
	else if (status > 0)
		probe_rules_try_each(l, t->filter->command, again);
	t->expected_known = status == 0;
	snprintf(t->complaint, sizeof(t->complaint), "%s",
		status == -ENOMEM ? strerror(ENOMEM) : saved.complaint);
	if (status != -ENOMEM)
		free(saved.text);
	free(named);
	free(again);
	return status;
}

/* --- targets --- */

static const struct filter *probe_rules_first_filter(const struct facts *f, enum addr_family family)
{
	for (size_t i = 0; i < f->n_filters; i++) {
		if (f->filter[i].family == family && !filter_is_nft(&f->filter[i]))
			return &f->filter[i];
	}
	return NULL;
}

static struct target *probe_rules_target_at(
	struct facts *f, const struct filter *filter, const char *name)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		if (f->target[i].filter == filter && strcmp(f->target[i].own, name) == 0)
			return &f->target[i];
	}
	if (f->n_targets == TARGETS_MAX)
		return NULL;
	f->target[f->n_targets] = (struct target){.family = filter->family, .filter = filter};
	rule_name(f->target[f->n_targets].own, name);
	return &f->target[f->n_targets++];
}

static void probe_rules_find_loaded(struct facts *f)
{
	for (size_t i = 0; i < f->n_filters; i++) {
		const struct filter *filter = &f->filter[i];

		for (size_t j = 0; j < filter->rules.n && !filter_is_nft(filter); j++) {
			const struct chain *c = &filter->rules.chain[j];
			struct target *t = iptables_save_own(c->name)
						   ? probe_rules_target_at(f, filter, c->name)
						   : NULL;

			if (t)
				t->loaded = true;
		}
	}
}

/* By default clients are followed in both families, also on a router that has only that of its
 * server, or no IPv6. */
static bool serves_nobody(const struct service *s, bool other_family, bool other_server)
{
	bool is_ip6 = s->family == ADDR_IP6;

	if (!service_any(s))
		return true;
	return s->server.family == ADDR_NONE && (is_ip6 ? other_family : other_server) &&
	       probe_sysctl(is_ip6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward") == 0;
}

/* A server that is translated, or one that is dialled by its own address. */
static bool probe_rules_nft_has_server(const struct filter *filter, const char *ct_helper)
{
	const struct service s = service_of_nft(&filter->rules, filter->family, ct_helper);
	const struct chain *c = ruleset_find(&filter->rules, "inet", "pasvd", "control");
	bool has = s.server.family != ADDR_NONE;

	for (size_t i = 0; c && i < c->n; i++)
		has |= c->rule[i].dst.network.addr.family == filter->family;
	return has;
}

/* A table of nft is for both families: it is a target for each that it serves. */
static void probe_rules_find_loaded_by_nft(struct facts *f, enum ct_helper_wanted wanted)
{
	const struct ct_helper *ct_helper;
	const char *name = ct_helper_find(wanted, &ct_helper) ? "" : ct_helper->name;
	bool server6 = false;

	for (size_t i = 0; i < f->n_filters; i++)
		server6 |= f->filter[i].family == ADDR_IP6 &&
			   probe_rules_nft_has_server(&f->filter[i], name);
	for (size_t i = 0; i < f->n_filters; i++) {
		const struct filter *filter = &f->filter[i];
		struct service s = service_of_nft(&filter->rules, filter->family, name);
		struct target *t = serves_nobody(&s, f->nft.loaded, server6)
					   ? NULL
					   : probe_rules_target_at(f, filter, "pasvd");

		if (!t)
			continue;
		t->service = s;
		t->loaded = true;
		f->nft.loaded = true;
	}
}

/* The target that the options are about: the first of its family that is loaded, or that would
 * be. */
static struct target *probe_rules_given_target(struct facts *f, enum addr_family family)
{
	const struct filter *filter = probe_rules_first_filter(f, family);

	for (size_t i = 0; i < f->n_targets; i++) {
		if (f->target[i].family == family && strcmp(f->target[i].own, own) == 0)
			return &f->target[i];
	}
	return filter ? probe_rules_target_at(f, filter, own) : NULL;
}

static enum addr_family probe_rules_family_of_text(const char *text)
{
	return strstr(text, "ip6tables-restore") ? ADDR_IP6 : ADDR_IP4;
}

/* Takes the text for one family. */
static void probe_rules_take_text(
	struct looking *l, struct target *t, const char *options, const char *text)
{
	if (!t)
		t = probe_rules_given_target(l->f, probe_rules_family_of_text(text));
	if (!t)
		return;
	snprintf(t->options, sizeof(t->options), "%s", options);
	t->known = true;
	probe_rules_expect(l, t, text);
}

/* Takes what `pasvd rules print` prints: for iptables, for ip6tables, or one after the other. */
static void probe_rules_take_texts(
	struct looking *l, struct target *t, const char *options, char *text)
{
	char *ip6 = strstr(text, "# Rules of pasvd for ip6tables-restore"), *copy;

	if (ip6 && ip6 > text && (copy = strndup(text, (size_t)(ip6 - text)))) {
		probe_rules_take_text(l, t, options, copy);
		free(copy);
	}
	probe_rules_take_text(l, t, options, ip6 ? ip6 : text);
}

/* Takes what `pasvd rules` makes of the options. Its exit status. */
static int probe_rules_take_options(struct looking *l, struct target *t, const char *options)
{
	char words[OPTIONS_MAX];
	struct output o;
	int status;

	if (probe_nft_asked(options)) {
		status = probe_nft(l->conf, options, &l->f->nft);
		snprintf(l->complaint, sizeof(l->complaint), "%s", l->f->nft.complaint);
		return status;
	}
	snprintf(words, sizeof(words), "%s", options);
	status = probe_rules_make_rules(l->conf, words, &o);
	if (status == 0)
		probe_rules_take_texts(l, t, options, o.text);
	else
		snprintf(t ? t->complaint : l->complaint, sizeof(l->complaint), "%s", o.complaint);
	free(o.text);
	return status;
}

/* That of rules without --queue: -q is for the daemon, so rules for its queue need the option. */
static int probe_rules_usual_queue(const struct looking *l)
{
	return l->settings && !l->conf->queue_given ? l->settings->queue : -1;
}

/* For what is loaded and no option is about. */
static void probe_rules_derive(struct looking *l)
{
	for (size_t i = 0; i < l->f->n_targets; i++) {
		struct target *t = &l->f->target[i];
		char options[OPTIONS_MAX];

		if (t->known || filter_is_nft(t->filter))
			continue;
		t->service = service_of(&t->filter->rules, t->family, t->own);
		service_options(&t->service, probe_rules_usual_queue(l), options, sizeof(options));
		snprintf(t->complaint, sizeof(t->complaint),
			l->settings ? "they do not say whom they are for"
				    : "that depends on the configuration");
		if (options[0] && l->settings)
			probe_rules_take_options(l, t, options);
	}
}

static void probe_rules_settle_services(struct facts *f)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		struct target *t = &f->target[i];

		if (filter_is_nft(t->filter))
			continue;
		t->service = service_of(
			t->expected_known ? &t->expected : &t->filter->rules, t->family, t->own);
	}
}

/* Whether the kernel could take such rules, if there are none to try. */
static void probe_rules_try_stand_in(struct looking *l)
{
	struct target t = {.family = ADDR_IP4, .filter = probe_rules_first_filter(l->f, ADDR_IP4)};
	char options[] = "--wan eth0 --server 192.0.2.2";
	struct output o;

	rule_name(t.own, own);
	if (t.filter && probe_rules_make_rules(l->conf, options, &o) == 0) {
		probe_rules_expect(l, &t, o.text);
		free(o.text);
	}
	ruleset_free(&t.expected);
}

/* --- where the options come from --- */

/* Options on the command line are all that counts; without any, `pasvd rules` takes what is
 * configured. */
static void probe_rules_from_settings(struct looking *l, const char *given)
{
	l->f->configured = !*given && rules_are_configured(l->settings);
	if (l->f->configured && l->settings->nft)
		probe_nft(l->conf, "", &l->f->nft);
	else if (l->f->configured || *given)
		probe_rules_take_options(l, NULL, given);
}

void probe_rules(const struct conf *conf, const struct settings *settings, const char *options,
	struct facts *ret_facts, struct report *r)
{
	struct looking l = {.conf = conf, .settings = settings, .f = ret_facts, .r = r};

	for (size_t base = 0; base < 2; base++)
		probe_rules_read_family(&l, base);
	probe_rules_read_nft(&l);
	probe_rules_find_loaded(ret_facts);
	probe_rules_find_loaded_by_nft(ret_facts, settings ? settings->ct_helper : CT_HELPER_AUTO);
	if (settings)
		probe_rules_from_settings(&l, options);
	probe_rules_derive(&l);
	probe_rules_settle_services(ret_facts);
	if (!ret_facts->n_targets && !ret_facts->nft.wanted && settings)
		probe_rules_try_stand_in(&l);
	if (l.taken)
		report_add(r, SEVERITY_OK, "kernel", "it has all that the rules ask for");
}
