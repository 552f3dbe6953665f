/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.c - `pasvd rules`: what the configuration adds to the options, and the commands
 *
 * Options that say whom the rules are for are all that counts, if there are any. Without them the
 * sections [server NAME] and [clients] say it.
 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules_conf.h"
#include "rules_load.h"
#include "rules_state.h"

/* --- what is not given --- */

/* Refers to what is configured. */
static struct settings settings;

static void rules_fill_in(struct rules_request *q)
{
	struct rules *r = &q->rules;

	r->families = r->nft || q->asked ? q->asked : rules_families_of_servers(r);
	if (!r->families)
		r->families = r->nft ? RULES_BOTH : RULES_IP4_ONLY;
	if (r->lan && !r->n_lan_ports)
		r->lan_port[r->n_lan_ports++] = RULES_DEFAULT_PORT;
	for (size_t i = 0; i < r->n_servers; i++) {
		if (!r->server[i].n_ports)
			r->server[i].port[r->server[i].n_ports++] =
				(struct rules_port){RULES_DEFAULT_PORT, RULES_DEFAULT_PORT};
	}
}

/* The ranges of ports that are opened on demand for the server's clients with TLS; of a server
 * whose address is not known: those of all servers. */
static void rules_set_ranges(
	struct rules_server *s, struct rules_address *a, const struct policy *policy)
{
	struct addr own;

	if (!s->any && (addr_parse((const uint8_t *)a->own, strlen(a->own), &own) < 0 ||
			       policy_tls_mode(policy, &own) != TLS_ON_DEMAND))
		return;
	for (size_t i = 0; i < policy->n_tls_ports; i++) {
		if (s->any || network_has(&policy->tls_ports[i].server, &own))
			a->range[a->n_ranges++] = policy->tls_ports[i].ports;
	}
}

static void rules_add_range(struct rules_ranges *ranges, const struct port_range *range)
{
	ranges->range[ranges->n++] = *range;
}

/* Likewise for clients that come in by the interface that is configured. */
static void rules_set_ranges_of_clients(struct rules *r, const struct settings *s)
{
	const struct policy *policy = &s->policy;

	if (!r->lan || strcmp(r->lan, s->servers.lan) != 0)
		return;
	for (size_t i = 0; i < policy->n_lan_ports; i++)
		rules_add_range(&r->lan_passive, &policy->lan_ports[i]);
	for (size_t i = 0; i < policy->n_active_ports; i++) {
		const struct active_ports *a = &policy->active_ports[i];

		rules_add_range(
			&r->lan_active[a->client.addr.family == ADDR_IP6 ? RULES_IP6 : RULES_IP4],
			&a->ports);
	}
}

static const struct ct_helper *rules_find_ct_helper(enum ct_helper_wanted wanted)
{
	const struct ct_helper *ct_helper;

	return ct_helper_choose(wanted, &ct_helper) ? NULL : ct_helper;
}

rules_ct_helper_fn *rules_ct_helper = rules_find_ct_helper;

int rules_complete(struct rules_request *q)
{
	struct rules *r = &q->rules;
	char error[CONF_FILE_ERROR_MAX];
	bool named = rules_name_somebody(q);

	if (named && !rules_coherent(q))
		return OPTIONS_EXIT_USAGE;
	if (conf_read(&q->conf, &settings, error))
		return options_wrong("%s", error);
	if (!named && !rules_are_configured(&settings))
		return options_wrong("--server or --lan: missing, and neither [server NAME] nor "
				     "[clients] is configured");
	if (!named && !rules_fit_configured(q, &settings))
		return OPTIONS_EXIT_USAGE;
	if (!named) {
		rules_from_settings(&settings, r);
		q->asked = q->asked ? q->asked : settings.families;
	}
	rules_fill_in(q);
	r->queue = settings.queue;
	r->tls_queue = settings.tls_queue;
	r->fail_open = settings.fail_open;
	q->when_missing = settings.rules;
	r->connmark = settings.policy.connmark;
	for (size_t i = 0; i < r->n_servers; i++) {
		for (int family = 0; family < RULES_FAMILIES; family++)
			rules_set_ranges(
				&r->server[i], &r->server[i].address[family], &settings.policy);
	}
	rules_set_ranges_of_clients(r, &settings);
	r->ct_helper = rules_ct_helper(settings.ct_helper);
	return r->ct_helper ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- commands --- */

static struct rules_request request;

static int rules_print(const struct rules *r, unsigned int families)
{
	char *text = rules_text(r, families);

	if (!text)
		return options_wrong("not enough memory");
	fputs(text, stdout);
	free(text);
	return EXIT_SUCCESS;
}

static int rules_run_print(void *data)
{
	struct rules_request *q = data;
	const struct rules *r = &q->rules;
	int status = rules_complete(q);

	if (!status && r->nft)
		status = rules_print(r, r->families);
	for (unsigned int family = 0; !status && !r->nft && family < RULES_FAMILIES; family++) {
		if (r->families & 1U << family)
			status = rules_print(r, 1U << family);
	}
	return status ? status : options_flush();
}

bool rules_ask_for_nobody(const struct rules_request *q, const char *undone)
{
	char error[CONF_FILE_ERROR_MAX];

	if (rules_name_somebody(q) || conf_read(&q->conf, &settings, error) != 0 ||
		rules_are_configured(&settings))
		return false;
	options_wrong(
		"nothing is configured, neither [server NAME] nor [clients]: nothing %s", undone);
	return true;
}

/* The service loads what is configured, and that may be nothing: other rules may be loaded, by hand
 * or by scripts, and they stay. */
static int rules_run_load(void *data)
{
	struct rules_request *q = data;
	int status;

	if (rules_ask_for_nobody(q, "was loaded"))
		return EXIT_SUCCESS;
	status = rules_complete(q);
	return status ? status : rules_state_load(&q->rules);
}

static int rules_run_diff(void *data)
{
	struct rules_request *q = data;
	int status = rules_complete(q);

	return status ? status : rules_diff(&q->rules);
}

static int rules_run_remove(void *data)
{
	(void)data;
	return rules_state_remove();
}

const struct options_command rules_print_command = {
	.name = "rules print",
	.summary = "prints the rules; changes nothing",
	.rows = rules_rows,
	.more = rules_more,
	.data = &request,
	.run = rules_run_print,
};

const struct options_command rules_load_command = {
	.name = "rules load",
	.summary = "loads the rules, in place of those that are loaded",
	.rows = rules_rows,
	.more = rules_more,
	.data = &request,
	.run = rules_run_load,
};

const struct options_command rules_diff_command = {
	.name = "rules diff",
	.summary = "prints how the loaded rules differ, then with status 1; changes nothing",
	.rows = rules_rows,
	.more = rules_more,
	.data = &request,
	.run = rules_run_diff,
};

const struct options_command rules_remove_command = {
	.name = "rules remove",
	.summary = "removes all rules of pasvd",
	.run = rules_run_remove,
};
