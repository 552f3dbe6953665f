/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_dnat.c - DNAT rules of others that never count because pasvd's own come first
 *
 * A container that comes back with another address is such a case: its DNAT rule is a new one, and
 * pasvd's still names the old address. Those that come before are for check_first.c.
 */
#include <stdio.h>
#include <string.h>

#include "checks.h"

static const char about[] = "server";

static bool check_dnat_leads_to(
	const struct target *t, const struct filter *f, const struct chain *chain)
{
	const struct ruleset *rs = &f->rules;
	bool leads = chain->hook == HOOK_PREROUTING && !check_first_is_before(t, f, chain, "nat");

	for (size_t i = 0; i < rs->n && !leads; i++) {
		const struct chain *c = &rs->chain[i];

		if (c->hook == HOOK_PREROUTING && check_first_is_before(t, f, c, "nat"))
			continue;
		for (size_t j = 0; j < c->n && strcmp(c->table, chain->table) == 0; j++)
			leads |= strcmp(c->rule[j].target, chain->name) == 0;
	}
	return leads;
}

/* Whether the rule would send connections to the port elsewhere. */
static bool check_dnat_differs(
	const struct service *s, const struct rule *r, const struct service_port *port)
{
	const struct rule_packet packet = {.in = s->n_wans ? s->wan[0] : NULL,
		.dst = s->public,
		.dport = port->outside,
		.state = STATE_NEW};

	return r->action == RULE_DNAT && r->dport.n && r->to.addr.family != ADDR_NONE &&
	       !addr_eq(&r->to.addr, &s->server) && rule_matches(r, &packet) != TRI_NO;
}

static void check_dnat_say(const struct facts *f, const struct target *t, const struct rule *rule,
	uint16_t port, struct report *r)
{
	char server[ADDR_TEXT_MAX + 1], other[ADDR_TEXT_MAX + 1];
	struct finding *found = report_add(r, SEVERITY_WARNING, about, "%s: \"%s\" never counts",
		target_family(t), rule->text);

	service_address(&t->service.server, server);
	service_address(&rule->to.addr, other);
	finding_why(found,
		"pasvd's own DNAT rule comes before it, and sends port %u to %s: if the server is "
		"%s now, nobody gets there",
		port, server, other);
	finding_advice(found,
		"%s load with --server any, which leaves the address to that rule; or with "
		"--server %s; or take that rule away",
		f->loader, other);
	report_once(r);
}

/* Those of a chain that come after pasvd's own rule; in a chain of others all of them. */
static size_t check_dnat_first(const struct target *t, const struct chain *c)
{
	size_t jump = chain_jump(c, t->own);

	return jump < c->n ? jump : 0;
}

static void check_dnat_filter(const struct facts *f, const struct target *t,
	const struct filter *filter, struct report *r)
{
	for (size_t i = 0; i < filter->rules.n; i++) {
		const struct chain *c = &filter->rules.chain[i];

		if (strcmp(c->name, t->own) == 0 || strcmp(c->table, t->own) == 0 ||
			!check_dnat_leads_to(t, filter, c))
			continue;
		for (size_t j = check_dnat_first(t, c); j < c->n; j++) {
			for (size_t p = 0; p < t->service.n_ports; p++) {
				if (check_dnat_differs(
					    &t->service, &c->rule[j], &t->service.port[p]))
					check_dnat_say(
						f, t, &c->rule[j], t->service.port[p].outside, r);
			}
		}
	}
}

static void check_dnat_target(const struct facts *f, const struct target *t, struct report *r)
{
	for (size_t j = 0; j < f->n_filters; j++) {
		if (f->filter[j].family == t->family)
			check_dnat_filter(f, t, &f->filter[j], r);
	}
}

void check_dnat(const struct facts *f, struct report *r)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		for (size_t m = 0; m <= f->target[i].service.n_more; m++) {
			struct target one = target_of_server(&f->target[i], m);

			if (one.service.server.family != ADDR_NONE)
				check_dnat_target(f, &one, r);
		}
	}
}
