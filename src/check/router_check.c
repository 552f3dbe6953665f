/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router_check.c - `pasvd check`: what keeps FTP from working on this router
 *
 * Theory of operation. Probes gather facts (facts.h) from the kernel, /proc, iptables-save, nft
 * and ip. Checks decide what the facts mean and look nowhere themselves. Each finding
 * (findings.h) names its fix.
 *
 *   probe_rules.c   listings -> rules of one form (ruleset.h), by iptables_save.c and nft_list.c;
 *                   service.c reads off the rules whom they serve; scratch.c loads pasvd's rules
 *                   where nothing else is, to see how the kernel lists them
 *   probe_nft.c     the table inet pasvd, for check_nft.c
 *   check_rules.c   whether pasvd's rules are as they should be
 *   check_dnat.c    which DNAT rules of others never count
 *   check_first.c   which rules of others come first where only the first one counts
 *   check_way.c     whether packets get to them
 *   check_open.c    whether more is open than needed
 *
 * Nothing is changed on the router. What is not certain, and what cannot be examined, is reported
 * as that. What is there and does no harm is named:
 *   - flowtables: the kernel does not offload connections that carry a ct helper
 *     (nft_flow_offload_eval());
 *   - the sysctl nf_conntrack_helper of older kernels: a ct helper that CT in raw attached stays;
 *   - bridge-nf-call-iptables: what is bridged is followed like what is routed
 *     (tests/lab/test_bridge.py).
 * Not examined: nf_conntrack_tcp_be_liberal and nf_conntrack_tcp_loose, and `ct helper set` of nft
 * beside CT, which do none either.
 */
#include "router_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "child.h"
#include "probe.h"
#include "rules.h"
#include "shell.h"

/* Large. */
static struct settings settings;
static struct facts facts;
static struct report report;

static void check_error(const struct conf *conf, const char *error)
{
	struct finding *found = report_add(&report, SEVERITY_ERROR, "configuration", "%s", error);

	finding_why(found,
		"pasvd does not start with it; one that runs goes on with what it read before");
	finding_advice(found, "put that right; `pasvd --test-config%s%s` looks at the file alone",
		conf->file ? " --config " : "", conf->file ? conf->file : "");
}

/* Whether the settings could be read. */
static bool check_read_configuration(const struct conf *conf, struct settings *ret_settings)
{
	const char *file = conf->file ? conf->file : CONF_FILE;
	char error[CONF_FILE_ERROR_MAX];

	if (conf_read(conf, ret_settings, error)) {
		check_error(conf, error);
		return false;
	}
	report_add(&report, SEVERITY_OK, "configuration",
		access(file, F_OK) == 0 ? "%s" : "none (no %s)", file);
	return true;
}

static bool has_unit(void)
{
	struct output o = {0};
	bool found = access("/run/systemd/system", F_OK) == 0 &&
		     run((const char *const[]){"systemctl", "cat", "pasvd.service", NULL}, NULL,
			     &o) == 0;

	free(o.text);
	return found;
}

/* " OPTION FILE" for a shell, or nothing. */
static void check_add_file(char *text, size_t cap, const char *option, const char *file)
{
	size_t used = strlen(text);
	FILE *out = file ? fmemopen(text + used, cap - used, "w") : NULL;

	if (!out)
		return;
	fprintf(out, " %s ", option);
	shell_quote(out, file);
	if (fclose(out) != 0)
		text[used] = '\0';
}

/* A build's own program, or the installed one, which a shell finds. */
static void check_find_programs(struct facts *f)
{
	char exe[PATH_TEXT_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	const char *name;

	exe[n > 0 ? n : 0] = '\0';
	name = strrchr(exe, '/');
	snprintf(f->daemon, sizeof(f->daemon), "%s", exe);
	snprintf(f->loader, sizeof(f->loader), "%s rules",
		name && strcmp(name, "/pasvd") == 0 && strstr(exe, "/sbin/") ? "pasvd" : exe);
}

static void check_find_commands(const struct conf *conf)
{
	facts.by_systemd = has_unit();
	if (facts.by_systemd)
		snprintf(facts.daemon, sizeof(facts.daemon), "systemctl restart pasvd");
	else
		check_add_file(facts.daemon, sizeof(facts.daemon), "-c", conf->file);
	check_add_file(facts.config, sizeof(facts.config), "--config", conf->file);
}

static bool wants_colour(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

/* The options that say whom the rules are for, as one text; "" without any. */
static void check_options_text(const struct rules_request *q, char ret_options[OPTIONS_MAX])
{
	char text[OPTIONS_MAX] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	ret_options[0] = '\0';
	if (!out)
		return;
	rules_print_options(q, out);
	if (q->conf.queue_given && rules_name_somebody(q))
		fprintf(out, " --queue %u", q->conf.queue);
	if (fclose(out) == 0 && text[0])
		snprintf(ret_options, OPTIONS_MAX, "%s", text + 1);
}

static int check_run(void *data)
{
	const struct rules_request *q = data;
	const struct conf *conf = &q->conf;
	char options[OPTIONS_MAX];
	bool readable;

	if (rules_name_somebody(q) && !rules_coherent(q))
		return OPTIONS_EXIT_USAGE;
	check_options_text(q, options);
	run_environment();
	readable = check_read_configuration(conf, &settings);
	if (readable && !rules_name_somebody(q) && !rules_fit_configured(q, &settings))
		return OPTIONS_EXIT_USAGE;
	facts.connmark = readable ? settings.policy.connmark : POLICY_CONNMARK;
	probe_kernel(readable ? settings.ct_helper : CT_HELPER_AUTO, &report);
	check_find_programs(&facts);
	probe_rules(conf, readable ? &settings : NULL, options, &facts, &report);
	check_find_commands(conf);
	probe_harmless(&facts, &report);
	probe_queues(&facts, readable ? settings.queue : SETTINGS_QUEUE, &report);
	probe_net(&facts, &report);
	probe_servers(&facts, &report);
	check_rules(&facts, &report);
	check_nft(&facts, &report);
	check_dnat(&facts, &report);
	check_way(&facts, &report);
	check_open(&facts, &report);
	if (!q->json)
		report_print(&report, stdout, wants_colour());
	else if (report_print_json(&report, stdout))
		return EXIT_FAILURE;
	return options_flush() ? EXIT_FAILURE : report_status(&report);
}

static struct rules_request request;

const struct options_command check_command = {
	.name = "check",
	.summary = "looks for what keeps FTP from working on this router; changes nothing",
	.rows = rules_check_rows,
	.more = rules_more,
	.data = &request,
	.run = check_run,
};
