/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat.c - what is behind NAT, as the command line says
 *
 * One formula for servers behind DNAT, clients behind SNAT, and both at once: who is addressed is
 * addressed by the form that it has outside, who sends sends from the one that it has inside.
 */
#include "nat.h"

#include <string.h>

enum { FTP_PORT_DEFAULT = 21, OTHER_PORT = 0x8000 };

/* 1..65535 in decimal, or 0. */
static uint16_t nat_read_port(const char *p, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9' || value > UINT16_MAX)
			return 0;
		value = value * 10 + (uint32_t)(p[i] - '0');
	}
	return value > UINT16_MAX ? 0 : (uint16_t)value;
}

static bool nat_read_addr(const char *p, size_t n, struct addr *ret_addr)
{
	return addr_parse((const uint8_t *)p, n, ret_addr) == 0;
}

/* "192.0.2.1:21" or "[2001:db8::1]:21" */
static bool nat_read_with_port(const char *p, size_t n, struct endpoint *ret)
{
	const char *colon = memrchr(p, ':', n);
	size_t len = colon ? (size_t)(colon - p) : 0;
	bool brackets = len > 2 && p[0] == '[' && p[len - 1] == ']';
	struct endpoint e;

	if (!len)
		return false;
	e.port = nat_read_port(colon + 1, n - len - 1);
	if (!e.port || !nat_read_addr(p + brackets, len - 2 * (size_t)brackets, &e.addr) ||
		brackets != (e.addr.family == ADDR_IP6))
		return false;
	*ret = e;
	return true;
}

static bool nat_read_endpoint(const char *p, size_t n, struct endpoint *ret)
{
	struct endpoint e = {.port = 0};

	if (nat_read_addr(p, n, &e.addr)) {
		*ret = e;
		return true;
	}
	return nat_read_with_port(p, n, ret);
}

static bool nat_has_port(const struct nat *nat, uint16_t port)
{
	for (size_t i = 0; i < nat->n_ports; i++) {
		if (nat->port[i] == port)
			return true;
	}
	for (size_t i = 0; i < nat->n; i++) {
		if (nat->rule[i].outside.port == port || nat->rule[i].inside.port == port)
			return true;
	}
	return !nat->n_ports && port == FTP_PORT_DEFAULT;
}

bool nat_add(struct nat *nat, const char *text)
{
	const char *sign = strchr(text, '=');
	struct nat_rule rule;

	if (!sign || nat->n == NAT_MAX)
		return false;
	if (!nat_read_endpoint(text, (size_t)(sign - text), &rule.outside) ||
		!nat_read_endpoint(sign + 1, strlen(sign + 1), &rule.inside))
		return false;
	if (rule.outside.addr.family != rule.inside.addr.family ||
		!rule.outside.port != !rule.inside.port)
		return false;
	nat->rule[nat->n++] = rule;
	return true;
}

bool nat_add_port(struct nat *nat, const char *text)
{
	uint16_t port = nat_read_port(text, strlen(text));

	if (!port || nat->n_ports == NAT_MAX)
		return false;
	nat->port[nat->n_ports++] = port;
	return true;
}

bool nat_is_control(const struct nat *nat, const struct tuple *tuple, enum dir *ret_dir)
{
	enum dir dir = nat_has_port(nat, tuple->dst.port) ? DIR_ORIGINAL : DIR_REPLY;

	if (!nat_has_port(nat, dir == DIR_ORIGINAL ? tuple->dst.port : tuple->src.port))
		return false;
	*ret_dir = dir;
	return true;
}

/* `e` in the form `to` if a rule has it in the form `from`. */
static bool nat_translate(
	struct endpoint *e, const struct endpoint *from, const struct endpoint *to)
{
	if (!addr_eq(&e->addr, &from->addr) || (from->port && from->port != e->port))
		return false;
	e->addr = to->addr;
	if (to->port)
		e->port = to->port;
	return true;
}

static struct endpoint nat_inside(const struct nat *nat, struct endpoint e)
{
	for (size_t i = 0; i < nat->n; i++) {
		if (nat_translate(&e, &nat->rule[i].outside, &nat->rule[i].inside))
			break;
	}
	return e;
}

static struct endpoint nat_outside(const struct nat *nat, struct endpoint e)
{
	for (size_t i = 0; i < nat->n; i++) {
		if (nat_translate(&e, &nat->rule[i].inside, &nat->rule[i].outside))
			break;
	}
	return e;
}

void nat_tuples(
	const struct nat *nat, const struct tuple *packet, enum dir dir, struct tuple ret_tuple[2])
{
	const struct endpoint *client = dir == DIR_ORIGINAL ? &packet->src : &packet->dst;
	const struct endpoint *server = dir == DIR_ORIGINAL ? &packet->dst : &packet->src;

	ret_tuple[DIR_ORIGINAL] =
		(struct tuple){nat_inside(nat, *client), nat_outside(nat, *server), packet->zone};
	ret_tuple[DIR_REPLY] =
		(struct tuple){nat_inside(nat, *server), nat_outside(nat, *client), packet->zone};
	if (!nat->n)
		ret_tuple[DIR_REPLY].dst.port ^= OTHER_PORT;
}
