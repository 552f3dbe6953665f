/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_route.c - the routes of packets that are forwarded
 *
 * What the router sends itself takes another route than what comes in by an interface, if the
 * rules of ip-rule(8) say so. The kernel is asked for that of each kind of packets between the
 * server, or a LAN client, and somebody outside: TEST-NET-1 if the interface leads there, or else
 * a host in a network to which it does. Packets may have one of the marks that those rules ask for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "check_route.h"
#include "checks.h"
#include "child.h"
#include "probe.h"

enum { HOST_TEXT_MAX = ADDR_TEXT_MAX + 1, HOSTS_TRIED = 3 };

struct probe_route {
	const struct facts *f;
	const struct target *t;
	struct report *r;
	struct route_rules rules;
};

static char *probe_route_ip(const struct probe_route *p, const char *const words[])
{
	const char *argv[24] = {"ip", "-o", p->t->family == ADDR_IP6 ? "-6" : "-4"};
	struct output o;
	size_t n = 3;

	while (*words && n < ARRAY_SIZE(argv) - 1)
		argv[n++] = *words++;
	if (run(argv, NULL, &o) == 0 && o.text)
		return o.text;
	free(o.text);
	return strdup(o.complaint);
}

/* --- somebody behind an interface --- */

static bool probe_route_leads(const struct probe_route *p, const char *host, const char *device)
{
	char *route = probe_route_ip(p, (const char *const[]){"route", "get", host, NULL});
	bool leads = route && route_is_by(route, device);

	free(route);
	return leads;
}

/* One of the first addresses of the network that a line of `ip route show` begins with. */
static bool probe_route_host_in(
	const struct probe_route *p, const char *line, const char *device, char *ret_host)
{
	for (size_t i = 1; i <= HOSTS_TRIED; i++) {
		if (route_host_in(line, i, ret_host, HOST_TEXT_MAX) &&
			probe_route_leads(p, ret_host, device))
			return true;
	}
	return false;
}

static bool probe_route_host_by(const struct probe_route *p, const char *device, char *ret_host)
{
	char *routes, *rest, *line;
	bool found;

	snprintf(ret_host, HOST_TEXT_MAX, "%s",
		p->t->family == ADDR_IP6 ? "2001:db8::1" : "192.0.2.1");
	found = probe_route_leads(p, ret_host, device);
	routes = rest = found ? NULL
			      : probe_route_ip(p, (const char *const[]){
							  "route", "show", "dev", device, NULL});
	while (!found && (line = strsep(&rest, "\n")) != NULL)
		found = probe_route_host_in(p, line, device, ret_host);
	free(routes);
	return found;
}

/* The interface of the default route, unless that leads to `inside`. */
static bool probe_route_outside(
	const struct probe_route *p, const char *inside, char ret_device[INTERFACE_MAX])
{
	char *route = probe_route_ip(
		p, (const char *const[]){"route", "get",
			   p->t->family == ADDR_IP6 ? "2001:db8::1" : "192.0.2.1", NULL});
	bool found = route && route_device(route, ret_device) && strcmp(ret_device, inside) != 0;

	free(route);
	return found;
}

/* --- a way --- */

/* What the kernel says of such a packet, and the command that asks; free() it. */
static char *probe_route_ask(const struct probe_route *p, const struct passage *w, uint16_t sport,
	uint16_t dport, uint32_t mark, char ret_command[ROUTE_COMMAND_MAX])
{
	char from[8], to[8], value[16], *copy, *rest;
	const char *words[18] = {"route", "get", w->to, "from", w->from, "iif", w->in, "ipproto",
		"tcp", "sport", from, "dport", to, mark ? "mark" : NULL, value, NULL};

	snprintf(from, sizeof(from), "%u", sport);
	snprintf(to, sizeof(to), "%u", dport);
	snprintf(value, sizeof(value), "0x%x", mark);
	route_command(words, p->t->family, ret_command);
	copy = probe_route_ip(p, words);
	rest = copy;
	strsep(&rest, "\n");
	return copy;
}

static void probe_route_way(const struct probe_route *p, const struct passage *w, uint32_t mark)
{
	char command[ROUTE_COMMAND_MAX];
	struct route_answers a = {.mark = mark};

	for (size_t i = 0; i < w->n_ports; i++) {
		uint16_t port = w->port[i];
		char *route = probe_route_ask(p, w, w->reply ? port : POLICY_LOWEST_PORT,
			w->reply ? POLICY_LOWEST_PORT : port, mark, command);

		route_answers_add(&a, p->t, w, route ? route : "", command);
		free(route);
	}
	check_route(p->f, p->t, w, &a, p->r);
}

/* Both ways between two hosts; `ports` are those of the one at `inside`, or of the other one. */
static void probe_route_between(const struct probe_route *p, struct passage to, const char *back)
{
	struct passage from = to;

	from.what = back;
	from.in = to.out;
	from.out = to.in;
	from.from = to.to;
	from.to = to.from;
	from.reply = true;
	from.any_uplink = false;
	for (size_t i = 0; i <= p->rules.n_marks; i++) {
		uint32_t mark = i ? p->rules.mark[i - 1] : 0;

		probe_route_way(p, &to, mark);
		probe_route_way(p, &from, mark);
	}
}

/* Control port, and data ports. */
static void probe_route_set_ports(const struct probe_route *p, struct passage *w, uint16_t control)
{
	w->port[w->n_ports++] = control;
	w->port[w->n_ports++] = POLICY_LOWEST_PORT;
	for (size_t i = 0; i < p->rules.n_ports; i++)
		w->port[w->n_ports++] = p->rules.port[i];
	w->port[w->n_ports++] = UINT16_MAX;
}

/* Of an interface that is down, or has no address, something else is said. */
static void probe_route_nobody(const struct probe_route *p, const char *wan)
{
	char *addresses =
		probe_route_ip(p, (const char *const[]){"addr", "show", "dev", wan, "up", NULL});

	if (addresses && strstr(addresses, " inet"))
		check_route_nobody(p->t, wan, p->r);
	free(addresses);
}

static void probe_route_server(const struct probe_route *p, const char *wan)
{
	const struct service *s = &p->t->service;
	char client[HOST_TEXT_MAX], server[HOST_TEXT_MAX];
	struct passage to = {.what = "what clients send to the server",
		.in = wan,
		.out = p->t->inside,
		.from = client,
		.to = service_address(&s->server, server)};

	if (!probe_route_host_by(p, wan, client)) {
		probe_route_nobody(p, wan);
		return;
	}
	probe_route_set_ports(p, &to, s->n_ports ? s->port[0].server : 21);
	probe_route_between(p, to, "what the server sends to clients");
}

static void probe_route_clients(const struct probe_route *p)
{
	const struct service *s = &p->t->service;
	char client[HOST_TEXT_MAX], server[HOST_TEXT_MAX];
	struct passage to = {.what = "what LAN clients send",
		.in = s->lan,
		.out = p->t->outside,
		.from = client,
		.to = server,
		.any_uplink = true};

	if (!p->t->outside[0] || !probe_route_host_by(p, s->lan, client) ||
		!probe_route_host_by(p, p->t->outside, server))
		return;
	probe_route_set_ports(p, &to, s->n_lan_ports ? s->lan_port[0] : 21);
	probe_route_between(p, to, "what LAN clients are sent");
}

static void probe_route_servers(const struct probe_route *all, const struct target *t)
{
	struct probe_route p = *all;
	char device[INTERFACE_MAX];

	p.t = t;
	for (size_t w = 0; t->inside[0] && w < t->service.n_wans; w++)
		probe_route_server(&p, t->service.wan[w]);
	if (t->inside[0] && !t->service.n_wans && probe_route_outside(&p, t->inside, device))
		probe_route_server(&p, device);
}

void probe_routes(const struct facts *f, const struct target *t, struct report *r)
{
	struct probe_route p = {.f = f, .t = t, .r = r};
	char *rules = probe_route_ip(&p, (const char *const[]){"rule", "show", NULL});
	char *policies;

	p.rules = route_rules_read(rules ? rules : "");
	free(rules);
	policies = probe_route_ip(&p, (const char *const[]){"xfrm", "policy", NULL});
	for (size_t m = 0; m <= t->service.n_more; m++) {
		struct target one = target_of_server(t, m);

		probe_route_servers(&p, &one);
		check_ipsec(&one, policies ? policies : "", r);
	}
	free(policies);
	if (t->service.lan[0])
		probe_route_clients(&p);
}
