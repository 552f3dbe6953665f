/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_net.c - interfaces, routes and forwarding, for whom the rules serve */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_route.h"
#include "checks.h"
#include "child.h"
#include "probe.h"

enum { SYSCTL_MAX = 128 };

/* What `probe_net_ip` says; free() it. NULL: an error, such as that there is no such thing. */
static char *probe_net_ip(enum addr_family family, const char *const words[])
{
	const char *argv[12] = {"ip", "-o", family == ADDR_IP6 ? "-6" : "-4"};
	struct output o;
	size_t n = 3;

	while (*words)
		argv[n++] = *words++;
	if (run(argv, NULL, &o) == 0)
		return o.text ? o.text : calloc(1, 1);
	free(o.text);
	return NULL;
}

static char *probe_net_route_to(const struct addr *a)
{
	char text[ADDR_TEXT_MAX + 1];

	return probe_net_ip((enum addr_family)a->family,
		(const char *const[]){"route", "get", service_address(a, text), NULL});
}

/* The way to somebody outside whom only the default route leads to: TEST-NET-1 of RFC 5737. */
static char *probe_net_route_from(const char *addresses)
{
	char from[ADDR_TEXT_MAX + 1] = "";
	const char *inet = addresses ? strstr(addresses, " inet ") : NULL;

	if (!inet)
		return NULL;
	inet += strlen(" inet ");
	snprintf(from, sizeof(from), "%.*s", (int)strcspn(inet, "/ "), inet);
	return probe_net_ip(
		ADDR_IP4, (const char *const[]){"route", "get", "192.0.2.1", "from", from, NULL});
}

/* A dot in an interface's name is a slash in that of a sysctl, and the other way round in
 * /proc/sys. */
static long probe_net_interface(const char *interface, const char *key, char ret_sysctl[SYSCTL_MAX])
{
	char path[SYSCTL_MAX], name[INTERFACE_MAX];

	snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", interface, key);
	snprintf(name, sizeof(name), "%s", interface);
	for (char *dot = name; (dot = strchr(dot, '.')) != NULL;)
		*dot = '/';
	snprintf(ret_sysctl, SYSCTL_MAX, "net.ipv4.conf.%s.%s", name, key);
	return probe_sysctl(path);
}

/* Marks that are looked at here are not known: then nothing is said. */
static void probe_return(struct report *r, const char *wan, const char *addresses)
{
	char sysctl[SYSCTL_MAX], *route;
	long all = probe_net_interface("all", "rp_filter", sysctl);
	long own = probe_net_interface(wan, "rp_filter", sysctl);
	long mark = probe_sysctl("net/ipv4/conf/all/src_valid_mark");

	if ((all > own ? all : own) != 1 || mark != 0)
		return;
	route = probe_net_route_from(addresses);
	check_return(r, wan, sysctl, route);
	free(route);
}

static void probe_interface(struct report *r, enum addr_family family, bool wan, const char *name)
{
	char *link = probe_net_ip(
		family, (const char *const[]){"-d", "link", "show", "dev", name, NULL});
	char *addresses = link ? probe_net_ip(family,
					 (const char *const[]){"addr", "show", "dev", name, NULL})
			       : NULL;

	check_interface(r, wan ? "--wan" : "--lan", name, link, addresses);
	if (link && wan && family == ADDR_IP4)
		probe_return(r, name, addresses);
	free(link);
	free(addresses);
}

static void probe_server(
	const struct addr *server, char ret_inside[INTERFACE_MAX], struct report *r)
{
	char text[ADDR_TEXT_MAX + 1], *route = probe_net_route_to(server);

	check_server(r, service_address(server, text), route, ret_inside);
	free(route);
}

/* To where packets of LAN clients go whose servers are anywhere. */
static void probe_outside(struct target *t)
{
	char *route = probe_net_ip(
		t->family, (const char *const[]){"route", "get",
				   t->family == ADDR_IP6 ? "2001:db8::1" : "192.0.2.1", NULL});

	if (!route || !route_device(route, t->outside) || strcmp(t->outside, t->service.lan) == 0)
		t->outside[0] = '\0';
	free(route);
}

/* "net.ipv6.conf.wan.accept_ra=2", if the default route is one that a router advertises: with 1 a
 * kernel that begins to forward forgets it. */
static void probe_advertised(char ret_setting[SYSCTL_MAX])
{
	static const char *const words[] = {"route", "show", "default", "proto", "ra", NULL};
	char name[INTERFACE_MAX], *route = probe_net_ip(ADDR_IP6, words);
	const char *device = route ? strstr(route, " dev ") : NULL;

	ret_setting[0] = '\0';
	if (device) {
		device += strlen(" dev ");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, " \n"), device);
		for (char *dot = name; (dot = strchr(dot, '.')) != NULL;)
			*dot = '/';
		snprintf(ret_setting, SYSCTL_MAX, "net.ipv6.conf.%s.accept_ra=2", name);
	}
	free(route);
}

/* The kernel looks at the interface by which a packet comes in, for IPv6 at "all". */
static void probe_forwarding(const struct target *t, struct report *r)
{
	const struct service *s = &t->service;
	const char *names[SERVICE_WANS_MAX + SERVICE_MORE_MAX + 3];
	char sysctl[SYSCTL_MAX], before[SYSCTL_MAX] = "";
	size_t n = 0;
	long all = probe_sysctl(
		t->family == ADDR_IP6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward");

	if (t->family == ADDR_IP6)
		probe_advertised(before);
	check_forwarding(r, "",
		t->family == ADDR_IP6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward", all,
		before);
	if (t->family == ADDR_IP6 || all <= 0)
		return;
	for (size_t i = 0; i < s->n_wans; i++)
		names[n++] = s->wan[i];
	names[n++] = s->lan;
	names[n++] = t->inside;
	names[n++] = t->outside;
	for (size_t m = 0; m < s->n_more; m++)
		names[n++] = t->more_inside[m];
	for (size_t i = 0; i < n; i++) {
		long value = *names[i] ? probe_net_interface(names[i], "forwarding", sysctl) : -1;

		if (value == 0)
			check_forwarding(r, names[i], sysctl, value, "");
	}
}

/* Where nothing is forwarded, the kernel knows no routes of packets that are. */
static void probe_forwarded(const struct facts *f, const struct target *t, struct report *r)
{
	size_t errors = report_count(r, SEVERITY_ERROR);

	probe_forwarding(t, r);
	if (report_count(r, SEVERITY_ERROR) == errors)
		probe_routes(f, t, r);
}

static void probe_target(const struct facts *f, struct target *t, struct report *r)
{
	for (size_t w = 0; w < t->service.n_wans; w++)
		probe_interface(r, t->family, true, t->service.wan[w]);
	if (t->service.lan[0]) {
		probe_interface(r, t->family, false, t->service.lan);
		probe_outside(t);
	}
	if (t->service.server.family != ADDR_NONE)
		probe_server(&t->service.server, t->inside, r);
	for (size_t m = 0; m < t->service.n_more; m++)
		probe_server(&t->service.more[m].server, t->more_inside[m], r);
	if (service_any(&t->service))
		probe_forwarded(f, t, r);
}

void probe_net(struct facts *f, struct report *r)
{
	struct output o;

	if (run((const char *const[]){"ip", "-V", NULL}, NULL, &o) != 0)
		report_add(r, SEVERITY_UNSEEN, "interface", "ip: %s", o.complaint);
	else
		for (size_t i = 0; i < f->n_targets; i++)
			probe_target(f, &f->target[i], r);
	free(o.text);
}
