/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service.c - whom pasvd's rules serve
 *
 * The DNAT rule names a server, and so does the rule that accepts new connections of that; the rule
 * that accepts the clients' names their interface. See iptables/pasvd.rules.in. In the table of nft
 * (iptables/pasvd.nft.in) nothing is accepted: the clients' interface is one by which connections
 * come in to get the helper, and which is none of the server's.
 * Where rules of others say who the server is, no rule of pasvd names it: connections get the
 * helper that are none of a server's and none of clients', and those that are translated are
 * queued.
 */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include "pasvd/array.h"

#include "ct_helper.h"

static const char *const tables[] = {"mangle", "raw", "nat", "filter"};

static bool is_single(const struct port_match *m)
{
	return m->n == 1 && m->range[0].low == m->range[0].high && !m->negated;
}

static bool service_has_wan(const struct service *s, const char *name)
{
	for (size_t i = 0; i < s->n_wans; i++) {
		if (strcmp(s->wan[i], name) == 0)
			return true;
	}
	return false;
}

static void service_add_wan(struct service *s, const char *name)
{
	if (!service_has_wan(s, name) && s->n_wans < SERVICE_WANS_MAX)
		memcpy(s->wan[s->n_wans++], name, INTERFACE_MAX);
}

static void service_add_port(
	struct service_port port[SERVICE_PORTS_MAX], size_t *n, uint16_t outside, uint16_t server)
{
	for (size_t i = 0; i < *n; i++) {
		if (port[i].outside == outside)
			return;
	}
	if (*n < SERVICE_PORTS_MAX)
		port[(*n)++] = (struct service_port){outside, server};
}

static void service_add_queue(struct service *s, uint16_t queue)
{
	for (size_t i = 0; i < s->n_queues; i++) {
		if (s->queue[i] == queue)
			return;
	}
	if (s->n_queues < SERVICE_QUEUES_MAX)
		s->queue[s->n_queues++] = queue;
}

/* Another server than the first, known or new; NULL: no room. */
static struct service_server *service_more_server(struct service *s, const struct addr *server)
{
	for (size_t i = 0; i < s->n_more; i++) {
		if (addr_eq(&s->more[i].server, server))
			return &s->more[i];
	}
	if (s->n_more == SERVICE_MORE_MAX)
		return NULL;
	s->more[s->n_more] = (struct service_server){.server = *server};
	return &s->more[s->n_more++];
}

static void service_add_more(struct service *s, const struct rule *r, const struct addr *server,
	const struct addr *public, uint16_t outside, uint16_t port)
{
	struct service_server *more = service_more_server(s, server);

	if (!more)
		return;
	if (!r->in.name[0] && more->public.family == ADDR_NONE)
		more->public = *public;
	service_add_port(more->port, &more->n_ports, outside, port);
}

/* The public address that is found first counts. */
static void service_add_server(struct service *s, const struct rule *r, const struct addr *server,
	const struct addr *public, const struct port_match *outside, uint16_t port)
{
	if (r->in.name[0])
		service_add_wan(s, r->in.name);
	if (s->server.family == ADDR_NONE)
		s->server = *server;
	if (!addr_eq(&s->server, server)) {
		service_add_more(s, r, server, public, outside->range[0].low, port);
		return;
	}
	if (!r->in.name[0] && s->public.family == ADDR_NONE)
		s->public = *public;
	service_add_port(s->port, &s->n_ports, outside->range[0].low, port);
}

/* Clients on the interface dial the port. */
static void service_add_lan(struct service *s, const char *interface, uint16_t port)
{
	bool known = false;

	memcpy(s->lan, interface, sizeof(s->lan));
	for (size_t i = 0; i < s->n_lan_ports; i++)
		known |= s->lan_port[i] == port;
	if (!known && s->n_lan_ports < SERVICE_PORTS_MAX)
		s->lan_port[s->n_lan_ports++] = port;
}

static unsigned int service_states_of(const struct rule *r)
{
	unsigned int all = 0;

	for (size_t i = 0; i < r->n_states; i++)
		all |= r->state[i].any_of;
	return all;
}

static void service_take_nat(struct service *s, const struct rule *r)
{
	if (r->action == RULE_DNAT && r->to.addr.family != ADDR_NONE && is_single(&r->dport))
		service_add_server(s, r, &r->to.addr, &r->dst.network.addr, &r->dport,
			r->to.port ? r->to.port : r->dport.range[0].low);
}

static void service_take_filter(struct service *s, const struct rule *r)
{
	if (r->action != RULE_ACCEPT || !(service_states_of(r) & STATE_NEW) ||
		!is_single(&r->dport))
		return;
	if (r->dst.network.addr.family != ADDR_NONE && is_single(&r->orig_dport))
		service_add_server(s, r, &r->dst.network.addr, &r->orig_dst.network.addr,
			&r->orig_dport, r->dport.range[0].low);
	else if (r->in.name[0])
		service_add_lan(s, r->in.name, r->dport.range[0].low);
}

/* Of which one knows only that somebody translates it: what is queued for it. */
static bool is_queued_for_any(const struct rule *r)
{
	bool answers =
		is_single(&r->sport) && !r->in.name[0] && r->src.network.addr.family == ADDR_NONE;

	return r->action == RULE_QUEUE && (answers || service_states_of(r) & STATE_DNAT);
}

static bool service_has_any(
	const struct ruleset *rs, const char *family, const char *table, const char *chain)
{
	const struct chain *c = ruleset_find(rs, family, table, chain);

	for (size_t i = 0; c && i < c->n; i++) {
		if (is_queued_for_any(&c->rule[i]))
			return true;
	}
	return false;
}

/* Whether connections that a rule is about go to a server that is known. */
static bool service_knows(const struct service *s, const struct rule *r)
{
	uint16_t port = r->dport.range[0].low;
	bool known = false;

	for (size_t i = 0; i < s->n_ports; i++)
		known |= s->port[i].outside == port;
	for (size_t m = 0; m < s->n_more; m++) {
		for (size_t i = 0; i < s->more[m].n_ports; i++)
			known |= s->more[m].port[i].outside == port;
	}
	return known && s->server.family != ADDR_NONE;
}

/* What gives connections to one that rules of others translate the helper. */
static void service_take_any(struct service *s, const struct rule *r)
{
	if (!is_single(&r->dport) || strcmp(r->in.name, s->lan) == 0 || service_knows(s, r))
		return;
	s->any = true;
	if (s->server.family != ADDR_NONE)
		return;
	if (r->in.name[0])
		service_add_wan(s, r->in.name);
	else
		s->public = r->dst.network.addr;
	service_add_port(s->port, &s->n_ports, r->dport.range[0].low, r->dport.range[0].low);
}

/* Where packets are queued before conntrack, answers are known by the servers' ports: one for each
 * port outside, unless two are the same. */
static void service_pair_ports(struct service *s, const struct chain *raw)
{
	size_t n = 0;

	for (size_t i = 0; i < raw->n && s->before_conntrack; i++) {
		if (is_queued_for_any(&raw->rule[i]) && n < s->n_ports)
			s->port[n++].server = raw->rule[i].sport.range[0].low;
	}
}

static void service_find_any(struct service *s, const struct ruleset *rs, const char *own)
{
	const struct chain *raw = ruleset_find(rs, "", "raw", own);

	if (!raw ||
		!(service_has_any(rs, "", "raw", own) || service_has_any(rs, "", "mangle", own)))
		return;
	for (size_t i = 0; i < raw->n; i++) {
		if (raw->rule[i].action == RULE_TEMPLATE)
			service_take_any(s, &raw->rule[i]);
	}
	if (s->any && s->server.family == ADDR_NONE)
		service_pair_ports(s, raw);
}

static void service_take_ct_helper(struct service *s, const char *name)
{
	const struct ct_helper *ct_helper = ct_helper_named(name);

	rule_name(s->ct_helper, name);
	s->before_conntrack = ct_helper && ct_helper->before_conntrack;
}

static void service_take_rule(struct service *s, const char *table, const struct rule *r)
{
	if (strcmp(table, "nat") == 0)
		service_take_nat(s, r);
	if (strcmp(table, "filter") == 0)
		service_take_filter(s, r);
	if (r->action == RULE_TEMPLATE)
		service_take_ct_helper(s, r->target);
	if (r->action == RULE_QUEUE)
		service_add_queue(s, r->queue);
	s->accept_data |= r->action == RULE_ACCEPT && r->helper[0];
}

struct service service_of(const struct ruleset *rs, enum addr_family family, const char *own)
{
	struct service s = {.family = family};

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		const struct chain *c = ruleset_find(rs, "", tables[t], own);

		for (size_t i = 0; c && i < c->n; i++)
			service_take_rule(&s, tables[t], &c->rule[i]);
	}
	service_find_any(&s, rs, own);
	return s;
}

static void service_take_nft_rule(struct service *s, const struct rule *r)
{
	service_take_nat(s, r);
	if (r->action == RULE_QUEUE)
		service_add_queue(s, r->queue);
	if (r->action != RULE_NONE || !r->in.name[0] || !is_single(&r->dport) ||
		service_has_wan(s, r->in.name))
		return;
	if (s->any) {
		service_add_wan(s, r->in.name);
		service_add_port(
			s->port, &s->n_ports, r->dport.range[0].low, r->dport.range[0].low);
	} else {
		service_add_lan(s, r->in.name, r->dport.range[0].low);
	}
}

struct service service_of_nft(
	const struct ruleset *rs, enum addr_family family, const char *ct_helper)
{
	static const char *const chains[] = {"translation", "data", "control", "on_demand"};
	struct service s = {.family = family};

	service_take_ct_helper(&s, ct_helper);
	s.any = !ruleset_find(rs, "inet", "pasvd", "translation") &&
		(service_has_any(rs, "inet", "pasvd", "control") ||
			service_has_any(rs, "inet", "pasvd", "data"));
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		const struct chain *c = ruleset_find(rs, "inet", "pasvd", chains[i]);

		for (size_t j = 0; c && j < c->n; j++) {
			if (c->rule[j].tcp != TRI_NO)
				service_take_nft_rule(&s, &c->rule[j]);
		}
	}
	return s;
}

bool service_any(const struct service *s)
{
	return s->server.family != ADDR_NONE || s->any || s->lan[0];
}

const char *service_address(const struct addr *a, char *buf)
{
	buf[addr_text(a, (uint8_t *)buf)] = '\0';
	return buf;
}

static void service_print_server(const struct addr *server, const struct addr *public,
	const struct service_port *port, size_t n, FILE *out)
{
	char text[ADDR_TEXT_MAX + 1];

	fprintf(out, " --server %s",
		server->family == ADDR_NONE ? "any" : service_address(server, text));
	if (public->family != ADDR_NONE)
		fprintf(out, " --public %s", service_address(public, text));
	if (n == 1 && port[0].outside == 21 && port[0].server == 21)
		return;
	for (size_t i = 0; i < n; i++) {
		fprintf(out, " --port %u", port[i].outside);
		if (port[i].server != port[i].outside)
			fprintf(out, ":%u", port[i].server);
	}
}

static void service_print_servers(const struct service *s, FILE *out)
{
	for (size_t i = 0; i < s->n_wans; i++)
		fprintf(out, " --wan %s", s->wan[i]);
	service_print_server(&s->server, &s->public, s->port, s->n_ports, out);
	for (size_t i = 0; i < s->n_more; i++)
		service_print_server(&s->more[i].server, &s->more[i].public, s->more[i].port,
			s->more[i].n_ports, out);
}

static bool service_has_default_lan_port(const struct service *s)
{
	return s->n_lan_ports == 1 && s->lan_port[0] == 21;
}

void service_options(const struct service *s, int usual, char *ret_options, size_t cap)
{
	char text[4096] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	ret_options[0] = '\0';
	if (!out || !service_any(s) || (s->any && s->server.family != ADDR_NONE))
		return;
	if (s->any || s->server.family != ADDR_NONE)
		service_print_servers(s, out);
	if (s->any && s->accept_data && !s->lan[0])
		fputs(" --accept-data", out);
	if (s->family == ADDR_IP6 && s->server.family == ADDR_NONE)
		fputs(" -6", out);
	if (s->lan[0])
		fprintf(out, " --lan %s", s->lan);
	for (size_t i = 0; s->lan[0] && !service_has_default_lan_port(s) && i < s->n_lan_ports; i++)
		fprintf(out, " --lan-port %u", s->lan_port[i]);
	if (s->n_queues && s->queue[0] != usual)
		fprintf(out, " --queue %u", s->queue[0]);
	if (fclose(out) == 0 && strlen(text) <= cap)
		memcpy(ret_options, text + 1, strlen(text));
}
