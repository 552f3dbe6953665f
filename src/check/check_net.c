/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_net.c - interfaces and routes, as ip(8) prints them on a line */
#include <stdio.h>
#include <string.h>

#include "checks.h"

/* The word after `key` in a text of words. */
static bool check_net_word_after(const char *text, const char *key, char *ret_word, size_t cap)
{
	const char *p = text;
	size_t len = strlen(key);

	while ((p = strstr(p, key)) != NULL) {
		if ((p == text || p[-1] == ' ') && p[len] == ' ') {
			p += len + strspn(p + len, " ");
			snprintf(ret_word, cap, "%.*s", (int)strcspn(p, " \n\\"), p);
			return true;
		}
		p += len;
	}
	return false;
}

void check_server(
	struct report *r, const char *server, const char *route, char ret_inside[INTERFACE_MAX])
{
	char device[INTERFACE_MAX];
	struct finding *found;

	if (!route) {
		found = report_add(r, SEVERITY_ERROR, "server", "there is no route to %s", server);
		finding_why(found, "what is forwarded to the server does not get there");
		finding_advice(found, "ip route add %s dev INTERFACE", server);
	} else if (strncmp(route, "local ", 6) == 0) {
		found = report_add(
			r, SEVERITY_ERROR, "server", "%s is an address of this router", server);
		finding_why(found,
			"pasvd is for servers behind the router: what is for itself does not pass "
			"FORWARD, and replies "
			"are not queued");
	} else if (check_net_word_after(route, "dev", device, sizeof(device))) {
		memcpy(ret_inside, device, sizeof(device));
		report_add(r, SEVERITY_OK, "server", "%s is behind %s", server, device);
	}
}

static void check_net_say_interface(
	struct report *r, const char *name, const char *what, const char *why)
{
	finding_why(report_add(r, SEVERITY_ERROR, "interface", "%s %s", name, what), "%s", why);
}

void check_interface(struct report *r, const char *option, const char *name, const char *link,
	const char *addresses)
{
	char master[INTERFACE_MAX], what[FINDING_TEXT_MAX];
	struct finding *found;

	if (!link) {
		snprintf(what, sizeof(what), "(%s) does not exist", option);
		check_net_say_interface(r, name, what,
			"no packet comes in by it; a PPPoE uplink is ppp0, and not the card below "
			"it");
	} else if (strstr(link, " bridge_slave ") &&
		   check_net_word_after(link, "master", master, sizeof(master))) {
		snprintf(what, sizeof(what), "(%s) is a port of the bridge %s", option, master);
		check_net_say_interface(r, name, what,
			"for rules packets come in by the bridge, and not by its ports");
	} else if (!strstr(link, ",UP") && !strstr(link, "<UP")) {
		found = report_add(r, SEVERITY_ERROR, "interface", "%s (%s) is down", name, option);
		finding_why(found, "no packet comes in by it");
		finding_fix(found, "ip link set %s up", name);
	} else if (!addresses || !strstr(addresses, " inet")) {
		found = report_add(
			r, SEVERITY_WARNING, "interface", "%s (%s) has no address", name, option);
		finding_why(found,
			"packets for an address that is on another interface come in by that one; "
			"a PPPoE uplink is ppp0, "
			"and not the card below it");
		finding_advice(found, "look at `ip route`: by which interface do clients come in?");
	} else {
		report_add(r, SEVERITY_OK, "interface", "%s (%s) is up", name, option);
	}
}

void check_return(struct report *r, const char *interface, const char *sysctl, const char *route)
{
	char device[INTERFACE_MAX];
	struct finding *found;

	if (!route || !check_net_word_after(route, "dev", device, sizeof(device)) ||
		strcmp(device, interface) == 0)
		return;
	found = report_add(r, SEVERITY_WARNING, "interface", "%s is 1, and the way back is by %s",
		sysctl, device);
	finding_why(found, "the kernel drops what comes in by %s from where it would send by %s",
		interface, device);
	finding_fix(found, "sysctl -w %s=2", sysctl);
}
