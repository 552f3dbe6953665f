/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_server.c - what it means how a server answers the router
 *
 * The router is no client: its own rules at output and input may keep it from asking, and a server
 * may answer others than it. So silence is certain only if nobody has the address.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "kinds.h"

static const char about[] = "server";

enum { IMPLICIT_TLS_PORT = 990 };

/* Looks for a way that ends at a drop, or is not understood. */
static void check_server_take_end(void *data, const struct way *way)
{
	bool *open = data;

	if (way->end == RULE_DROP || way->end == RULE_UNKNOWN || way->unclear ||
		(way->end == RULE_NONE && way->chain->drops))
		*open = false;
}

static const struct chain *check_server_blocked_by(
	const struct filter *f, enum hook hook, const struct rule_packet *p)
{
	for (size_t i = 0; i < f->rules.n; i++) {
		const struct chain *c = &f->rules.chain[i];
		bool open = true;

		if (c->hook == hook)
			ruleset_ways(&f->rules, c, p, "", check_server_take_end, &open);
		if (!open)
			return c;
	}
	return NULL;
}

/* The chain that may drop what the router asks or is answered; NULL: none does. */
static const struct chain *check_server_blocked(
	const struct facts *f, const struct target *t, const struct server_answer *a)
{
	const char *inside =
		addr_eq(&t->service.server, &a->server) && t->inside[0] ? t->inside : NULL;
	struct rule_packet ask = {.out = inside,
		.dst = a->server,
		.orig_dst = a->server,
		.sport = POLICY_LOWEST_PORT,
		.sport_to = UINT16_MAX,
		.dport = a->port,
		.orig_dport = a->port,
		.state = STATE_NEW,
		.flags = FLAG_SYN,
		.flags_known = UINT8_MAX};
	struct rule_packet answer = {.in = inside,
		.src = a->server,
		.orig_dst = a->server,
		.sport = a->port,
		.dport = POLICY_LOWEST_PORT,
		.dport_to = UINT16_MAX,
		.orig_dport = a->port,
		.reply = true,
		.state = STATE_ESTABLISHED,
		.flags = FLAG_ACK,
		.flags_known = FLAG_ACK | FLAG_RST};

	for (size_t i = 0; i < f->n_filters; i++) {
		const struct filter *filter = &f->filter[i];
		const struct chain *c = filter->family == a->server.family
						? check_server_blocked_by(filter, HOOK_OUTPUT, &ask)
						: NULL;

		if (!c && filter->family == a->server.family)
			c = check_server_blocked_by(filter, HOOK_INPUT, &answer);
		if (c)
			return c;
	}
	return NULL;
}

/* Nothing was connected. */
static void check_server_none(const struct facts *f, const struct target *t,
	const struct server_answer *a, const char *address, struct report *r)
{
	const struct chain *c = check_server_blocked(f, t, a);
	struct finding *found;

	if (c) {
		found = report_add(r, SEVERITY_UNSURE, about, "%s port %u: %s", address, a->port,
			strerror(a->err));
		finding_why(found, "chain %s of table %s may be what keeps the router from asking",
			c->name, c->table);
	} else if (a->no_neighbour) {
		found = report_add(r, SEVERITY_ERROR, about,
			"%s is on no host: nobody answers for this address", address);
		finding_why(found, "what is forwarded to the server does not get there");
		finding_advice(found, "is the server up, and its cable plugged in?");
	} else if (a->err == ETIMEDOUT) {
		found = report_add(
			r, SEVERITY_UNSURE, about, "%s port %u does not answer", address, a->port);
		finding_why(found, "it is down or busy, or does not answer this router");
	} else {
		found = report_add(r, SEVERITY_ERROR, about, "%s port %u: %s", address, a->port,
			strerror(a->err));
		finding_why(found, "clients are forwarded there, and get the same answer");
		finding_advice(found, "start the FTP server");
	}
}

static void check_server_odd(const struct server_answer *a, const char *address, struct report *r)
{
	struct finding *found =
		report_add(r, SEVERITY_UNSURE, about, "%s port %u %s%s", address, a->port,
			a->greeting[0] ? "greets with: "
			: a->closed    ? "closes connections without a greeting"
				       : "takes connections, but is silent",
			a->greeting);

	finding_why(found, "an FTP server begins with 220; that it does not may be for this "
			   "router's address only");
}

/* What the server sends to the router is queued as well, if that is done before conntrack. */
static bool check_server_waits(
	const struct facts *f, const struct target *t, const struct server_answer *a)
{
	return f->queue_fails && t->service.before_conntrack && !a->greeting[0] && !a->closed;
}

void check_server_answer(const struct facts *f, const struct target *t,
	const struct server_answer *a, struct report *r)
{
	char address[ADDR_TEXT_MAX + 1];

	service_address(&a->server, address);
	if (a->err)
		check_server_none(f, t, a, address, r);
	else if (strncmp(a->greeting, "220", 3) == 0 || strncmp(a->greeting, "120", 3) == 0)
		report_add(r, SEVERITY_OK, about, "%s port %u answers", address, a->port);
	else if ((a->port == IMPLICIT_TLS_PORT && !a->closed) || check_server_waits(f, t, a))
		report_add(r, SEVERITY_OK, about, "%s port %u takes connections", address, a->port);
	else
		check_server_odd(a, address, r);
}
