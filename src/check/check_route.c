/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_route.c - whether packets are forwarded to where they belong, as ip(8) says */
#include "check_route.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

#include "checks.h"
#include "conf_value.h"

static const char about[] = "forwarding";

/* --- what ip(8) prints --- */

static void route_rules_add_mark(struct route_rules *rules, const char *word)
{
	uint32_t mark = (uint32_t)strtoul(word, NULL, 0);

	for (size_t i = 0; i < rules->n_marks; i++)
		mark = rules->mark[i] == mark ? 0 : mark;
	if (mark && rules->n_marks < ROUTE_MARKS_MAX)
		rules->mark[rules->n_marks++] = mark;
}

static void route_rules_add_port(struct route_rules *rules, const char *word)
{
	unsigned long port = strtoul(word, NULL, 10);

	if (port > POLICY_LOWEST_PORT && port <= UINT16_MAX &&
		rules->n_ports < ROUTE_RULE_PORTS_MAX)
		rules->port[rules->n_ports++] = (uint16_t)port;
}

struct route_rules route_rules_read(const char *rules)
{
	struct route_rules found = {.n_marks = 0};
	static const struct {
		const char *key;
		void (*add)(struct route_rules *rules, const char *word);
	} keys[] = {{" fwmark ", route_rules_add_mark}, {" sport ", route_rules_add_port},
		{" dport ", route_rules_add_port}};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (const char *p = rules; (p = strstr(p, keys[i].key)) != NULL;) {
			p += strlen(keys[i].key);
			keys[i].add(&found, p);
		}
	}
	return found;
}

bool route_device(const char *route, char ret_device[INTERFACE_MAX])
{
	size_t first = strcspn(route, " ");
	const char *device = strstr(route, " dev ");

	if (!device || strcspn(route, ".:") >= first)
		return false; /* it begins with its type: local, unreachable */
	device += strlen(" dev ");
	snprintf(ret_device, INTERFACE_MAX, "%.*s", (int)strcspn(device, " \n\\"), device);
	return true;
}

bool route_is_by(const char *route, const char *device)
{
	char by[INTERFACE_MAX];

	return route_device(route, by) && strcmp(by, device) == 0;
}

bool route_host_in(const char *line, size_t number, char *ret_host, size_t cap)
{
	struct text word = {line, strcspn(line, " ")};
	struct network n;

	if (conf_value_network(word, &n))
		return false;
	if (n.bits < 8 * addr_len(&n.addr))
		n.addr.byte[addr_len(&n.addr) - 1] |= (uint8_t)number;
	return inet_ntop(n.addr.family == ADDR_IP6 ? AF_INET6 : AF_INET, n.addr.byte, ret_host,
		(socklen_t)cap);
}

void route_command(
	const char *const words[], enum addr_family family, char ret_command[ROUTE_COMMAND_MAX])
{
	size_t used = (size_t)snprintf(
		ret_command, ROUTE_COMMAND_MAX, "ip%s", family == ADDR_IP6 ? " -6" : "");

	for (; *words && used < ROUTE_COMMAND_MAX; words++)
		used += (size_t)snprintf(
			ret_command + used, ROUTE_COMMAND_MAX - used, " %s", *words);
}

/* --- what it means --- */

/* By another uplink marked packets may well leave: of those that the server has. */
static bool route_is_good(
	const struct target *t, const struct passage *w, uint32_t mark, const char *route)
{
	char device[INTERFACE_MAX];
	bool good;

	if (!route_device(route, device))
		return false;
	good = strcmp(device, w->out) == 0;
	good |= mark && w->any_uplink && strcmp(device, w->in) != 0;
	for (size_t i = 0; mark && w->reply && i < t->service.n_wans; i++)
		good |= strcmp(device, t->service.wan[i]) == 0;
	return good;
}

void route_answers_add(struct route_answers *a, const struct target *t, const struct passage *w,
	const char *route, const char *command)
{
	if (route_is_good(t, w, a->mark, route)) {
		a->n_good++;
		return;
	}
	if (!a->n_bad++) {
		a->is_control_bad = !a->n_good;
		snprintf(a->route, sizeof(a->route), "%s", route);
		snprintf(a->command, sizeof(a->command), "%s", command);
	}
}

static bool is_of_marks(const struct rule *rule, const struct passage *w)
{
	const struct rule_packet packet = {.in = w->in};

	return rule->marks && rule_matches(rule, &packet) != TRI_NO;
}

/* Whether some rule gives a mark to what comes in there. */
static bool route_may_be_marked(const struct facts *f, const struct target *t, const char *in)
{
	const struct passage w = {.in = in};

	for (size_t i = 0; i < f->n_filters; i++) {
		for (size_t j = 0; j < f->filter[i].rules.n; j++) {
			const struct chain *c = &f->filter[i].rules.chain[j];

			for (size_t k = 0; k < c->n && f->filter[i].family == t->family; k++) {
				if (is_of_marks(&c->rule[k], &w))
					return true;
			}
		}
	}
	return false;
}

static void check_route_say(const struct target *t, const struct passage *w,
	const struct route_answers *a, bool sure, struct report *r)
{
	struct finding *found = report_add(r, sure ? SEVERITY_ERROR : SEVERITY_UNSURE, about,
		"%s: %s, in by %s, %s not leave by %s", target_family(t), w->what, w->in,
		sure ? "does" : "may", w->out);

	finding_why(found, "`%s` says: %.*s", a->command, (int)strcspn(a->route, "\\"), a->route);
	finding_advice(found, "look at `ip rule` and the tables of routes that it names");
	report_once(r);
}

void check_route(const struct facts *f, const struct target *t, const struct passage *w,
	const struct route_answers *a, struct report *r)
{
	bool marked = route_may_be_marked(f, t, w->in);
	bool all = a->is_control_bad || a->n_good == 1;

	if (a->n_bad && (marked || !a->mark))
		check_route_say(t, w, a, all && !marked, r);
}

void check_route_nobody(const struct target *t, const char *wan, struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_UNSURE, about,
		"%s: no route leads to anybody by %s", target_family(t), wan);

	finding_why(found, "clients who come in by it get no answer, unless other tables than main "
			   "have their routes");
	finding_advice(found, "look at `ip route show table all`");
}

/* --- IPsec --- */

static bool ipsec_is_for(const char *policy, const char *key, const struct addr *a, bool *ret_all)
{
	const char *word = strstr(policy, key);
	struct network n;

	if (!word)
		return false;
	word += strlen(key);
	if (conf_value_network((struct text){word, strcspn(word, " \\")}, &n))
		return false;
	*ret_all = n.bits == 0;
	return *ret_all ? n.addr.family == a->family || a->family == ADDR_NONE
			: a->family != ADDR_NONE && network_has(&n, a);
}

/* Those of sockets are not for what is forwarded, and neither are those of direction in. */
static bool ipsec_concerns(const char *policy, const struct addr *server)
{
	bool from_all, to_all;

	return (strstr(policy, "dir fwd ") || strstr(policy, "dir out ")) &&
	       ipsec_is_for(policy, "src ", server, &from_all) &&
	       ipsec_is_for(policy, "dst ", server, &to_all) && (from_all || to_all);
}

void check_ipsec(const struct target *t, const char *policies, struct report *r)
{
	struct finding *found;
	int n;

	for (; *policies; policies += n, policies += *policies == '\n') {
		char policy[256];

		n = (int)strcspn(policies, "\n");
		snprintf(policy, sizeof(policy), "%.*s", n, policies);
		if (!ipsec_concerns(policy, &t->service.server))
			continue;
		found = report_add(r, SEVERITY_UNSURE, about, "%s: an IPsec policy is for %.*s",
			target_family(t), (int)strcspn(policy, "\\"), policy);
		finding_why(found, "what it does to packets that are forwarded is not looked at");
		finding_advice(found, "look at `ip xfrm policy`");
		report_once(r);
	}
}
