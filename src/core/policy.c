/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c - what may be opened
 *
 * Who listens is what conntrack says, never what the text says: the text may only agree with it,
 * with the address under which the other side knows the listener, or with a network that the admin
 * allows. Both kinds of offer are one: the speaker of the line listens, the other side connects to
 * what NAT makes of the speaker's address. A passive server speaks in the reply direction, an
 * active client in the original one.
 */
#include "pasvd/policy.h"
#include "pasvd/array.h"

#include <string.h>

enum { FIVE_DIGITS = 10000, LOOPBACK_NET = 127 };

const struct policy policy_default = {
	.expect_seconds = POLICY_EXPECT_SECONDS,
	.expect_seconds_active = POLICY_EXPECT_SECONDS_ACTIVE,
	.open_ports = POLICY_OPEN_PORTS,
	.connmark = POLICY_CONNMARK,
};

bool network_has(const struct network *n, const struct addr *a)
{
	size_t whole = n->bits / 8;
	uint8_t rest = (uint8_t)(0xff00 >> n->bits % 8);

	if (n->addr.family == ADDR_NONE)
		return true;
	if (n->addr.family != a->family || memcmp(n->addr.byte, a->byte, whole) != 0)
		return false;
	return !rest || !((n->addr.byte[whole] ^ a->byte[whole]) & rest);
}

bool policy_range_has(const struct port_range *range, uint16_t port)
{
	return port >= range->low && port <= range->high;
}

static bool any_range_has(const struct port_range *range, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++) {
		if (policy_range_has(&range[i], port))
			return true;
	}
	return false;
}

static bool is_allowed_foreign(const struct policy *policy, const struct addr *a)
{
	for (size_t i = 0; i < policy->n_foreign; i++) {
		if (network_has(&policy->foreign[i], a))
			return true;
	}
	return false;
}

static bool is_for(
	const struct external *e, const struct addr *peer, const struct addr *known, uint32_t indev)
{
	return e->addr.family == known->family && network_has(&e->peer, peer) &&
	       (e->known.family == ADDR_NONE || addr_eq(&e->known, known)) &&
	       (!e->indev || e->indev == indev);
}

/* The address that is announced to `peer`, who knows us by `known` and whose packets come in by
 * `indev`. */
static const struct addr *policy_external_of(const struct policy *policy, const struct addr *peer,
	const struct addr *known, uint32_t indev)
{
	for (size_t i = 0; i < policy->n_external; i++) {
		if (is_for(&policy->external[i], peer, known, indev))
			return &policy->external[i].addr;
	}
	return known;
}

/* What may be announced for `port`: with as many digits, so that the text keeps its length, if
 * there are such. */
static struct port_range policy_announced_range(const struct policy *policy, uint16_t port)
{
	const struct port_range all = {POLICY_LOWEST_PORT, UINT16_MAX};
	const struct port_range range = policy->announce.low ? policy->announce : all;
	const bool five = port >= FIVE_DIGITS;
	struct port_range digits = range;

	if (five && digits.low < FIVE_DIGITS)
		digits.low = FIVE_DIGITS;
	if (!five && digits.high >= FIVE_DIGITS)
		digits.high = FIVE_DIGITS - 1;
	return digits.low <= digits.high ? digits : range;
}

bool policy_is_translated(const struct ct_view *view)
{
	const struct tuple *original = &view->tuple[DIR_ORIGINAL], *reply = &view->tuple[DIR_REPLY];

	return !endpoint_eq(&original->src, &reply->dst) ||
	       !endpoint_eq(&original->dst, &reply->src);
}

/* The port that stands for `port`: its place in the announced range, or without one, or without
 * NAT, itself. */
static uint16_t policy_announced_port(const struct policy *policy, uint16_t port, bool translated)
{
	struct port_range range;

	if (!translated || !policy->announce.low || policy_range_has(&policy->announce, port))
		return port;
	range = policy_announced_range(policy, port);
	return (uint16_t)(range.low + port % (range.high - range.low + 1));
}

/* A server that says 0.0.0.0 or 127.0.0.1 does not know its address, or does not want to say it
 * (vsftpd over IPv6): it means itself, and curl, FileZilla and others take it so. */
static bool policy_means_itself(const struct addr *a)
{
	static const uint8_t unspecified[ADDR_IP4_LEN];

	return a->family == ADDR_IP4 &&
	       (a->byte[0] == LOOPBACK_NET || memcmp(a->byte, unspecified, ADDR_IP4_LEN) == 0);
}

/* The parties of an offer. */
struct parties {
	struct addr listener;  /* who listens, */
	struct addr known;     /* at what address the connection will be seen to arrive, */
	struct addr announced; /* and what the other side is to be announced */
};

bool addr_is_private(const struct addr *a)
{
	static const struct network nets[] = {
		{{ADDR_IP4, {10}}, 8},
		{{ADDR_IP4, {100, 64}}, 10},
		{{ADDR_IP4, {169, 254}}, 16},
		{{ADDR_IP4, {172, 16}}, 12},
		{{ADDR_IP4, {192, 168}}, 16},
	};

	for (size_t i = 0; i < ARRAY_SIZE(nets); i++) {
		if (network_has(&nets[i], a))
			return true;
	}
	return false;
}

/* A server at a public address that says a private one is behind a NAT which does not read FTP:
 * clients take it so, too. */
static bool policy_is_behind_nat(const struct addr *text, const struct addr *server)
{
	return server->family == ADDR_IP4 && addr_is_private(text) && !addr_is_private(server);
}

/* Whether the text is an address of its speaker, or stands for it. */
static bool policy_names_speaker(const struct addr *text, enum dir speaker, const struct parties *p)
{
	return text->family == ADDR_NONE || addr_eq(text, &p->listener) ||
	       addr_eq(text, &p->known) || addr_eq(text, &p->announced) ||
	       (speaker == DIR_REPLY && policy_means_itself(text));
}

/* For the router that takes over, which gets the expectation without its NAT (adopt.c): the port to
 * which it leads, in the place of the one that may be any. 0 if the address does not follow from
 * the control connection, or there is no NAT. */
static uint16_t policy_noted_port(
	const struct parties *p, const struct ct_view *view, enum dir speaker, uint16_t port)
{
	bool follows = addr_eq(&p->listener, &view->tuple[speaker].src.addr) ||
		       addr_eq(&p->listener, &p->known);

	return follows && policy_is_translated(view) ? port : 0;
}

static enum reason policy_find_parties(const struct policy *policy, const struct ftp_offer *offer,
	enum dir speaker, const struct ct_view *view, uint32_t indev, struct parties *ret)
{
	const struct tuple *own = &view->tuple[speaker];
	const struct tuple *peer = &view->tuple[dir_opposite(speaker)];
	const struct addr *text = &offer->listen.addr;
	struct parties p = {own->src.addr, peer->dst.addr, peer->dst.addr};
	bool is_speaker;

	p.announced = *policy_external_of(policy, &peer->src.addr, &p.known, indev);
	if (offer->form == FTP_FORM_TWO && p.listener.family == ADDR_IP4)
		return REASON_UNREADABLE;
	is_speaker = policy_names_speaker(text, speaker, &p);
	if (!is_speaker && text->family == p.listener.family && is_allowed_foreign(policy, text)) {
		p.listener = *text;
		/* it is where it says: outside, or nobody translates */
		if (speaker == DIR_ORIGINAL || !policy_is_translated(view))
			p.known = p.announced = *text;
	} else if (!is_speaker &&
		   (speaker == DIR_ORIGINAL || !policy_is_behind_nat(text, &p.listener))) {
		return REASON_FOREIGN_ADDRESS;
	}
	*ret = p;
	return REASON_OPENED;
}

enum reason policy_plan(const struct policy *policy, const struct ftp_offer *offer,
	enum dir speaker, const struct ct_view *view, uint32_t indev, struct plan *ret_plan)
{
	enum dir other = dir_opposite(speaker);
	const struct tuple *peer = &view->tuple[other];
	bool translated = policy_is_translated(view);
	uint16_t port = offer->listen.port,
		 announce = policy_announced_port(policy, port, translated), noted;
	struct parties p;
	enum reason reason = policy_find_parties(policy, offer, speaker, view, indev, &p);

	if (reason != REASON_OPENED)
		return reason;
	if (port < POLICY_LOWEST_PORT)
		return REASON_LOW_PORT;
	if (any_range_has(policy->deny, policy->n_deny, port))
		return REASON_DENIED_PORT;
	noted = policy_noted_port(&p, view, speaker, port);
	*ret_plan = (struct plan){
		.announce = {p.announced, announce},
		.expect =
			{
				.master = view->tuple[DIR_ORIGINAL],
				.tuple = {{peer->src.addr, noted}, {p.known, announce}, peer->zone},
				.translated = translated,
				.nat_dir = other,
				.nat = {p.listener, port},
				.seconds = speaker == DIR_REPLY ? policy->expect_seconds
								: policy->expect_seconds_active,
			},
	};
	return REASON_OPENED;
}

bool policy_next_port(const struct policy *policy, struct plan *plan)
{
	const struct port_range range = policy_announced_range(policy, plan->expect.nat.port);
	uint16_t port = plan->announce.port;

	if (!plan->expect.translated)
		return false;
	port = port >= range.high || port < range.low ? range.low : (uint16_t)(port + 1);
	plan->announce.port = port;
	plan->expect.tuple.dst.port = port;
	return true;
}

bool policy_is_own_server(const struct policy *policy, const struct ct_view *view)
{
	const struct addr *server = &view->tuple[DIR_REPLY].src.addr;

	for (size_t i = 0; i < policy->n_own; i++) {
		if (addr_eq(&policy->own[i], server))
			return true;
	}
	return !addr_eq(&view->tuple[DIR_ORIGINAL].dst.addr, server);
}

static bool has_tls_port(
	const struct policy *policy, const struct addr *server, uint16_t low, uint16_t high)
{
	for (size_t i = 0; i < policy->n_tls_ports; i++) {
		const struct tls_ports *t = &policy->tls_ports[i];

		if (t->ports.low <= high && t->ports.high >= low && network_has(&t->server, server))
			return true;
	}
	return false;
}

/* What the admin says of the server, or `otherwise`. */
static enum tls_mode policy_tls_rule(
	const struct policy *policy, const struct addr *server, enum tls_mode otherwise)
{
	for (size_t i = 0; i < policy->n_tls_rule; i++) {
		if (network_has(&policy->tls_rule[i].server, server))
			return policy->tls_rule[i].mode;
	}
	return otherwise;
}

enum tls_mode policy_tls_mode(const struct policy *policy, const struct addr *server)
{
	bool has_range = has_tls_port(policy, server, 0, UINT16_MAX);

	return policy_tls_rule(policy, server, has_range ? TLS_ON_DEMAND : TLS_PASS);
}

bool policy_tls_opens(const struct policy *policy, const struct addr *server, uint16_t port)
{
	return policy_tls_rule(policy, server, TLS_ON_DEMAND) == TLS_ON_DEMAND &&
	       has_tls_port(policy, server, port, port);
}

bool policy_is_implicit(const struct policy *policy, uint16_t dialled)
{
	return any_range_has(policy->implicit, policy->n_implicit, dialled);
}

bool policy_has_on_demand(const struct policy *policy)
{
	return policy->n_tls_ports || policy->n_lan_ports || policy->n_active_ports;
}

/* A session of a client behind this router with a server elsewhere. What a client of it sent before
 * TLS may have been a web page's, which its server can answer as it likes. */
static bool may_visit(const struct policy *policy, const struct ct_view *view)
{
	return !policy_is_own_server(policy, view) &&
	       !(trust_of_mark(policy->connmark, view->mark) & TRUST_DISTRUSTED);
}

static bool is_lan_port(
	const struct policy *policy, const struct ct_view *view, uint32_t indev, uint16_t port)
{
	return policy->lan && indev == policy->lan && may_visit(policy, view) &&
	       any_range_has(policy->lan_ports, policy->n_lan_ports, port);
}

/* The plan for a connection between the ends of the control connection, `speaker` being the one
 * that listens. */
static enum reason policy_plan_without_offer(const struct policy *policy,
	const struct ct_view *view, enum dir speaker, uint16_t port, struct plan *ret_plan)
{
	const enum dir other = dir_opposite(speaker);
	const struct tuple *peer = &view->tuple[other];
	const struct endpoint announce = {peer->dst.addr, port};
	bool translated = policy_is_translated(view);

	if (any_range_has(policy->deny, policy->n_deny, port))
		return REASON_DENIED_PORT;
	*ret_plan = (struct plan){
		.announce = announce,
		.expect =
			{
				.master = view->tuple[DIR_ORIGINAL],
				.tuple = {{peer->src.addr, translated ? port : 0}, announce,
					peer->zone},
				.translated = translated,
				.nat_dir = other,
				.nat = {view->tuple[speaker].src.addr, port},
				.seconds = POLICY_ON_DEMAND_SECONDS,
			},
	};
	return REASON_OPENED;
}

enum reason policy_plan_on_demand(const struct policy *policy, const struct ct_view *view,
	uint32_t indev, uint16_t port, struct plan *ret_plan)
{
	const struct addr *server = &view->tuple[DIR_REPLY].src.addr;

	if (policy_tls_rule(policy, server, TLS_ON_DEMAND) != TLS_ON_DEMAND ||
		!(has_tls_port(policy, server, port, port) ||
			is_lan_port(policy, view, indev, port)))
		return REASON_NO_RANGE;
	return policy_plan_without_offer(policy, view, DIR_REPLY, port, ret_plan);
}

static bool has_active_port(const struct policy *policy, const struct addr *client, uint16_t port)
{
	for (size_t i = 0; i < policy->n_active_ports; i++) {
		const struct active_ports *a = &policy->active_ports[i];

		if (policy_range_has(&a->ports, port) && network_has(&a->client, client))
			return true;
	}
	return false;
}

enum reason policy_plan_on_demand_active(const struct policy *policy, const struct ct_view *view,
	uint16_t port, struct plan *ret_plan)
{
	const struct addr *client = &view->tuple[DIR_ORIGINAL].src.addr,
			  *server = &view->tuple[DIR_REPLY].src.addr;

	if (policy_tls_rule(policy, server, TLS_ON_DEMAND) != TLS_ON_DEMAND ||
		!may_visit(policy, view) || !has_active_port(policy, client, port))
		return REASON_NO_RANGE;
	return policy_plan_without_offer(policy, view, DIR_ORIGINAL, port, ret_plan);
}
