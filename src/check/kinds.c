/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kinds.c - the kinds of packets that FTP needs, where they pass, and what is known of them there
 *
 * A data port is one from POLICY_LOWEST_PORT on; the port of a server that connects to a client can
 * be any.
 */
#include "kinds.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { FIRST = INT_MIN, LAST = INT_MAX, DATA_PORT = 20 };

/* A packet that begins a connection is a SYN; others have no SYN, but an ACK. */
static void kinds_set_flags(struct rule_packet *p, bool begins)
{
	p->flags = begins ? FLAG_SYN : FLAG_ACK;
	p->flags_known = FLAG_SYN | FLAG_RST | FLAG_ACK;
	if (begins)
		p->flags_known |= FLAG_FIN | FLAG_PSH | FLAG_URG;
}

static void kinds_add_at(struct kinds *k, const char *what, enum hook hook, int from, int to,
	const char *table, struct rule_packet packet)
{
	if (!packet.flags)
		kinds_set_flags(&packet, !(packet.state & STATE_ESTABLISHED));
	k->kind[k->n++] = (struct kind){what, hook, from, to, table, packet, false};
}

static void kinds_add(struct kinds *k, const char *what, enum hook hook, const char *table,
	struct rule_packet packet)
{
	if (strcmp(table, "raw") == 0)
		kinds_add_at(k, what, hook, FIRST, AFTER_CONNTRACK, table, packet);
	else if (strcmp(table, "nat") == 0)
		kinds_add_at(k, what, hook, BEFORE_NAT, BEFORE_NAT, table, packet);
	else if (hook == HOOK_FORWARD)
		kinds_add_at(k, what, hook, FIRST, LAST, table, packet);
	else
		kinds_add_at(k, what, hook, AFTER_CONNTRACK + 1, BEFORE_NAT - 1, table, packet);
}

/* Before conntrack, where our chain is not what they have to reach. */
static void kinds_add_untracked(struct kinds *k, const char *what, struct rule_packet packet)
{
	bool begins = !(packet.state & STATE_ESTABLISHED);

	packet.state = 0;
	packet.helper = NULL;
	packet.out = NULL;
	kinds_set_flags(&packet, begins);
	kinds_add_at(k, what, HOOK_PREROUTING, FIRST, AFTER_CONNTRACK, "", packet);
}

/* Answers before conntrack. The first one carries no data, so pasvd's rules let it go on where they
 * queue the others. */
static void kinds_add_answers(struct kinds *k, const char *what, struct rule_packet packet)
{
	kinds_add_untracked(k, what, packet);
	packet = k->kind[k->n - 1].packet;
	packet.bare = true;
	packet.flags = FLAG_SYN | FLAG_ACK;
	packet.flags_known = UINT8_MAX;
	kinds_add_at(k, what, HOOK_PREROUTING, FIRST, AFTER_CONNTRACK, "", packet);
}

/* The second packet of a connection, forwarded. */
static void kinds_add_accepting(struct kinds *k, const char *what, struct rule_packet packet)
{
	packet.flags = FLAG_SYN | FLAG_ACK;
	packet.flags_known = UINT8_MAX;
	kinds_add_at(k, what, HOOK_FORWARD, FIRST, LAST, "filter", packet);
}

/* A data connection as it comes in: before conntrack, and after it. */
static void kinds_add_incoming(struct kinds *k, const char *what, struct rule_packet packet)
{
	const unsigned int state = packet.state;

	packet.out = NULL;
	packet.state = 0;
	kinds_add_at(k, what, HOOK_PREROUTING, FIRST, AFTER_CONNTRACK, "", packet);
	packet.state = state;
	kinds_add(k, what, HOOK_PREROUTING, "", packet);
}

/* What is known of how a connection to the server is translated: not at all, if it is dialled by
 * its own address. */
static unsigned int kinds_dnat(const struct service *s)
{
	bool is_routed = s->server.family != ADDR_NONE && addr_eq(&s->server, &s->public);

	return is_routed ? 0 : STATE_DNAT;
}

/* Control connections to a server: what is known of them before NAT and after. */
static void kinds_add_control(struct kinds *k, const struct target *t, const char *wan, size_t port)
{
	const struct service *s = &t->service;
	uint16_t outside = s->port[port].outside, inside = s->any ? 0 : s->port[port].server;
	const char *lan = t->inside[0] ? t->inside : NULL;
	struct rule_packet dialled = {.in = wan,
		.dst = s->public,
		.sport = POLICY_LOWEST_PORT,
		.sport_to = UINT16_MAX,
		.dport = outside,
		.orig_dst = s->public,
		.orig_dport = outside,
		.reply_src = s->server,
		.reply_sport = inside};
	struct rule_packet forwarded = dialled;
	struct rule_packet answer = {.in = lan,
		.src = s->server,
		.sport = inside,
		.dport = POLICY_LOWEST_PORT,
		.dport_to = UINT16_MAX,
		.orig_dst = s->public,
		.orig_dport = outside,
		.reply_src = s->server,
		.reply_sport = inside,
		.reply = true,
		.state = STATE_ESTABLISHED | kinds_dnat(s)};

	forwarded.out = lan;
	forwarded.dst = s->server;
	forwarded.dport = inside;
	kinds_add(k, "a client's connection", HOOK_PREROUTING, "raw", dialled);
	kinds_add_untracked(k, "a client's connection", dialled);
	kinds_add_answers(k, "the server's replies", answer);
	dialled.state = STATE_NEW;
	kinds_add(k, "a client's connection", HOOK_PREROUTING, "", dialled);
	kinds_add(k, "a client's connection", HOOK_PREROUTING, "nat", dialled);
	dialled.state = STATE_ESTABLISHED | kinds_dnat(s);
	kinds_add(k, "a client's commands", HOOK_PREROUTING, "mangle", dialled);
	kinds_add(k, "the server's replies", HOOK_PREROUTING, "mangle", answer);
	forwarded.state = STATE_NEW | kinds_dnat(s);
	kinds_add(k, "a client's connection", HOOK_FORWARD, "filter", forwarded);
	forwarded.state = STATE_ESTABLISHED | kinds_dnat(s);
	kinds_add(k, "a client's commands", HOOK_FORWARD, "filter", forwarded);
	answer.out = wan;
	kinds_add(k, "the server's replies", HOOK_FORWARD, "filter", answer);
	kinds_add_accepting(k, "the server's answer to a connection", answer);
}

/* Data connections to a server, and those that it begins. */
static void kinds_add_data(struct kinds *k, const struct target *t, const char *wan)
{
	const struct service *s = &t->service;
	const char *lan = t->inside[0] ? t->inside : NULL;
	struct rule_packet to = {.in = wan,
		.out = lan,
		.dst = s->server,
		.sport = POLICY_LOWEST_PORT,
		.sport_to = UINT16_MAX,
		.dport = POLICY_LOWEST_PORT,
		.dport_to = UINT16_MAX,
		.orig_dst = s->public,
		.orig_dport = POLICY_LOWEST_PORT,
		.orig_dport_to = UINT16_MAX,
		.reply_src = s->server,
		.state = STATE_RELATED | STATE_EXPECTED | kinds_dnat(s),
		.helper = s->ct_helper};
	struct rule_packet back = {.in = lan,
		.out = wan,
		.src = s->server,
		.dport = POLICY_LOWEST_PORT,
		.dport_to = UINT16_MAX,
		.orig_dport = POLICY_LOWEST_PORT,
		.orig_dport_to = UINT16_MAX,
		.state = STATE_RELATED | STATE_EXPECTED | (kinds_dnat(s) ? STATE_SNAT : 0),
		.helper = s->ct_helper};
	struct rule_packet incoming = to, from_20 = back;

	incoming.dst = s->public;
	kinds_add_incoming(k, "a data connection to the server", incoming);
	kinds_add_incoming(k, "a data connection of the server", back);
	kinds_add(k, "a data connection to the server", HOOK_FORWARD, "filter", to);
	kinds_add(k, "a data connection of the server", HOOK_FORWARD, "filter", back);
	from_20.sport = DATA_PORT;
	kinds_add_incoming(k, "a data connection of the server from port 20", from_20);
	kinds_add(
		k, "a data connection of the server from port 20", HOOK_FORWARD, "filter", from_20);
	to.state = STATE_ESTABLISHED | STATE_EXPECTED | kinds_dnat(s);
	kinds_add(k, "the packets of a data connection", HOOK_FORWARD, "filter", to);
	back.reply = true;
	back.sport = POLICY_LOWEST_PORT;
	back.sport_to = UINT16_MAX;
	back.reply_src = s->server;
	back.state = to.state;
	kinds_add(k, "the packets of a data connection", HOOK_FORWARD, "filter", back);
	kinds_add_accepting(k, "the answer to a data connection", back);
}

void kinds_add_server(struct kinds *k, const struct target *t, const char *wan, size_t port)
{
	kinds_add_control(k, t, wan, port);
	kinds_add_data(k, t, wan);
}

/* Whoever the servers are: nobody translates a connection to them. */
static void kinds_add_dialling(struct kinds *k, struct rule_packet out)
{
	static const char what[] = "a client's connection";

	out.state = 0;
	out.out = NULL;
	kinds_add(k, what, HOOK_PREROUTING, "raw", out);
	kinds_add_untracked(k, what, out);
	out.state = STATE_NEW;
	kinds_add_at(k, what, HOOK_PREROUTING, AFTER_CONNTRACK + 1, LAST, "", out);
	k->kind[k->n - 1].stays = true;
}

/* Control connections of clients. */
static void kinds_add_client_control(
	struct kinds *k, struct rule_packet out, struct rule_packet back, unsigned int snat)
{
	const char *lan = out.in;

	kinds_add_dialling(k, out);
	out.state = STATE_NEW;
	kinds_add(k, "a client's connection", HOOK_FORWARD, "filter", out);
	out.state = STATE_ESTABLISHED | snat;
	kinds_add(k, "a client's commands", HOOK_PREROUTING, "mangle", out);
	kinds_add(k, "a client's commands", HOOK_FORWARD, "filter", out);
	back.state = STATE_ESTABLISHED | snat;
	kinds_add_answers(k, "the answers to clients", back);
	kinds_add(k, "the answers to clients", HOOK_PREROUTING, "mangle", back);
	back.out = lan;
	kinds_add(k, "the answers to clients", HOOK_FORWARD, "filter", back);
	kinds_add_accepting(k, "the answer to a client's connection", back);
}

/* Data connections to clients from a port of the servers, and from any. */
static void kinds_add_client_active(struct kinds *k, struct rule_packet data)
{
	kinds_add_incoming(k, "a data connection to clients", data);
	kinds_add(k, "a data connection to clients", HOOK_FORWARD, "filter", data);
	data.sport = DATA_PORT;
	kinds_add_incoming(k, "a data connection to clients from port 20", data);
	kinds_add(k, "a data connection to clients from port 20", HOOK_FORWARD, "filter", data);
}

static void kinds_add_client_passive(struct kinds *k, struct rule_packet data, unsigned int snat)
{
	data.sport = POLICY_LOWEST_PORT;
	data.sport_to = UINT16_MAX;
	data.state = STATE_RELATED | STATE_EXPECTED | snat;
	kinds_add_incoming(k, "a data connection of clients", data);
	kinds_add(k, "a data connection of clients", HOOK_FORWARD, "filter", data);
	data.state = STATE_ESTABLISHED | STATE_EXPECTED | snat;
	kinds_add(k, "the packets of a data connection", HOOK_FORWARD, "filter", data);
}

void kinds_add_clients(struct kinds *k, const struct target *t, uint16_t port, const char *outside,
	bool translated)
{
	const char *lan = t->service.lan, *never = outside ? NULL : lan;
	struct rule_packet out = {.in = lan,
		.out = outside,
		.never_out = never,
		.sport = POLICY_LOWEST_PORT,
		.sport_to = UINT16_MAX,
		.dport = port,
		.orig_dport = port,
		.reply_sport = port};
	struct rule_packet back = {.in = outside,
		.never_in = never,
		.sport = port,
		.dport = POLICY_LOWEST_PORT,
		.dport_to = UINT16_MAX,
		.orig_dport = port,
		.reply_sport = port,
		.reply = true};
	struct rule_packet data = {.in = outside,
		.out = lan,
		.never_in = never,
		.dport = POLICY_LOWEST_PORT,
		.dport_to = UINT16_MAX,
		.orig_dport = POLICY_LOWEST_PORT,
		.orig_dport_to = UINT16_MAX,
		.helper = t->service.ct_helper,
		.state = STATE_RELATED | STATE_EXPECTED | (translated ? STATE_DNAT : 0)};

	kinds_add_client_control(k, out, back, translated ? STATE_SNAT : 0);
	kinds_add_client_active(k, data);
	data.never_in = NULL;
	data.never_out = never;
	data.in = lan;
	data.out = outside;
	kinds_add_client_passive(k, data, translated ? STATE_SNAT : 0);
}

/* --- where packets of a kind pass --- */

bool chain_is_of_device(const struct chain *c)
{
	return c->hook == HOOK_INGRESS || c->hook == HOOK_EGRESS;
}

/* Whether such packets may pass by a device of the chain. */
static bool kind_is_on_device(const char *device, const struct chain *c)
{
	char name[INTERFACE_MAX + 3];

	snprintf(name, sizeof(name), " %s ", device ? device : "");
	return !device || !c->devices[0] || strstr(c->devices, name);
}

bool kind_is_at(const struct kind *k, const struct chain *c)
{
	if (k->hook == HOOK_FORWARD && c->hook == HOOK_PREROUTING) /* behind NAT */
		return c->priority > BEFORE_NAT;
	if (k->hook == HOOK_FORWARD && c->hook == HOOK_POSTROUTING)
		return true;
	if (k->hook == HOOK_FORWARD && c->hook == HOOK_EGRESS)
		return kind_is_on_device(k->packet.out, c);
	if (k->hook == HOOK_PREROUTING && c->hook == HOOK_INGRESS)
		return kind_is_on_device(k->packet.in, c);
	return c->hook == k->hook && c->priority >= k->from && c->priority <= k->to;
}

struct kind kind_there(const struct kind *k, const struct service *s, const struct chain *c)
{
	struct kind there = *k;

	if (chain_is_of_device(c)) {
		there.packet.state = 0;
		there.packet.helper = NULL;
	}
	if (c->hook == HOOK_PREROUTING)
		there.packet.out = NULL;
	if (c->hook != HOOK_EGRESS && (c->hook != HOOK_POSTROUTING || c->priority <= BEHIND_NAT))
		return there;
	if (k->packet.src.family != ADDR_NONE)
		there.packet.src = s->public;
	if (k->packet.reply && k->packet.orig_dport && !k->packet.orig_dport_to)
		there.packet.sport = k->packet.orig_dport;
	return there;
}
