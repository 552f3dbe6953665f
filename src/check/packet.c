/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - a kind of packets, and what one condition of a rule says of them */
#include "packet.h"

#include <netinet/in.h>
#include <string.h>

/* --- intervals --- */

struct span span_any(void)
{
	struct span s = {.low = {0}};

	memset(s.high, 0xff, sizeof(s.high));
	return s;
}

struct span span_port(uint16_t low, uint16_t high)
{
	return (struct span){.low = {(uint8_t)(low >> 8), (uint8_t)low},
		.high = {(uint8_t)(high >> 8), (uint8_t)high}};
}

struct span span_number(uint8_t value)
{
	return (struct span){.low = {value}, .high = {value}};
}

struct span span_networks(const struct network *first, const struct network *last)
{
	struct span s = {.low = {0}};

	memcpy(s.low, first->addr.byte, addr_len(&first->addr));
	memcpy(s.high, last->addr.byte, addr_len(&last->addr));
	for (size_t bit = last->bits; bit < 8 * addr_len(&last->addr); bit++)
		s.high[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return s;
}

bool span_name(const char *name, bool prefix, struct span *ret_span)
{
	size_t len = strlen(name);

	if (len >= INTERFACE_MAX)
		return false;
	*ret_span = (struct span){.low = {0}};
	if (prefix)
		memset(ret_span->high, 0xff, sizeof(ret_span->high));
	memcpy(ret_span->low, name, len);
	memcpy(ret_span->high, name, len);
	return true;
}

static bool span_of_address(const struct addr *a, struct span *ret_span)
{
	const struct network n = {*a, (uint8_t)(8 * addr_len(a))};

	*ret_span = span_networks(&n, &n);
	return a->family != ADDR_NONE;
}

static bool span_of_ports(uint16_t port, uint16_t to, struct span *ret_span)
{
	*ret_span = span_port(port, to ? to : port);
	return port;
}

static bool span_of_state(unsigned int state, struct span *ret_span)
{
	*ret_span = span_number((uint8_t)(state & STATES_OF_CONNECTION));
	return state & STATES_OF_CONNECTION;
}

static bool span_of_interface(const char *name, struct span *ret_span)
{
	return name && span_name(name, false, ret_span);
}

/* What is known of the packet's field. */
static bool span_of_packet(const struct rule_packet *p, enum field field, struct span *ret_span)
{
	switch (field) {
	case FIELD_IN:
		return span_of_interface(p->in, ret_span);
	case FIELD_OUT:
		return span_of_interface(p->out, ret_span);
	case FIELD_PROTOCOL:
		*ret_span = span_number(IPPROTO_TCP);
		return true;
	case FIELD_FAMILY: /* who reads a rule knows whether it is that of the packets */
		*ret_span = span_number(0);
		return true;
	case FIELD_SRC:
		return span_of_address(&p->src, ret_span);
	case FIELD_DST:
		return span_of_address(&p->dst, ret_span);
	case FIELD_ORIG_DST:
		return span_of_address(&p->orig_dst, ret_span);
	case FIELD_REPLY_SRC:
		return span_of_address(&p->reply_src, ret_span);
	case FIELD_SPORT:
		return span_of_ports(p->sport, p->sport_to, ret_span);
	case FIELD_DPORT:
		return span_of_ports(p->dport, p->dport_to, ret_span);
	case FIELD_ORIG_DPORT:
		return span_of_ports(p->orig_dport, p->orig_dport_to, ret_span);
	case FIELD_REPLY_SPORT:
		return span_of_ports(p->reply_sport, 0, ret_span);
	case FIELD_STATE:
		return span_of_state(p->state, ret_span);
	case FIELD_DIRECTION:
		*ret_span = span_number(p->reply ? DIR_REPLY : DIR_ORIGINAL);
		return p->state;
	default:
		return false;
	}
}

bool field_is_port(enum field f)
{
	return f == FIELD_SPORT || f == FIELD_DPORT || f == FIELD_ORIG_SPORT ||
	       f == FIELD_ORIG_DPORT || f == FIELD_REPLY_SPORT || f == FIELD_REPLY_DPORT;
}

bool packet_begins(const struct rule_packet *p)
{
	if (p->flags_known)
		return (p->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN;
	return !(p->state & STATE_ESTABLISHED);
}

/* --- conditions --- */

/* Yes becomes no, and no becomes yes. */
static enum tri tri_not(enum tri t, bool negated)
{
	if (!negated || (t != TRI_NO && t != TRI_YES))
		return t;
	return t == TRI_YES ? TRI_NO : TRI_YES;
}

static enum tri span_some(enum field field)
{
	/* what conntrack will know is not known before it */
	if (field == FIELD_STATE || field == FIELD_DIRECTION)
		return TRI_MAYBE;
	return field_is_port(field) ? TRI_SOME_PORTS : TRI_SOME;
}

static bool span_is_of_name(const struct span *s, const char *name)
{
	struct span of;

	return name && span_name(name, false, &of) && memcmp(s, &of, sizeof(of)) == 0;
}

static bool span_is_never(const struct span *s, enum field field, const struct rule_packet *p)
{
	if (field != FIELD_IN && field != FIELD_OUT)
		return false;
	return span_is_of_name(s, PACKET_NEVER_BY) ||
	       span_is_of_name(s, field == FIELD_IN ? p->never_in : p->never_out);
}

/* Whether the packet's field is in the interval. */
static enum tri span_holds(const struct span *s, enum field field, const struct rule_packet *p)
{
	const struct span any = span_any();
	struct span of;

	if (memcmp(s, &any, sizeof(any)) == 0)
		return TRI_YES;
	if (!span_of_packet(p, field, &of))
		return span_is_never(s, field, p) ? TRI_NO : span_some(field);
	if (memcmp(of.high, s->low, SPAN_BYTES) < 0 || memcmp(of.low, s->high, SPAN_BYTES) > 0)
		return TRI_NO;
	if (memcmp(of.low, s->low, SPAN_BYTES) >= 0 && memcmp(of.high, s->high, SPAN_BYTES) <= 0)
		return TRI_YES;
	return span_some(field);
}

enum tri condition_holds(const struct condition *c, const struct rule_packet *p)
{
	return tri_not(span_holds(&c->span, c->field, p), c->negated);
}

static enum tri lookup_element_holds(
	const struct lookup *l, const struct span *element, const struct rule_packet *p)
{
	enum tri least = TRI_YES;

	for (size_t i = 0; i < l->n_fields && least != TRI_NO; i++) {
		enum tri t = span_holds(&element[i], l->field[i], p);

		least = t < least ? t : least;
	}
	return least;
}

static unsigned int span_port_at(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/* How many of the packet's ports are in the element of a set of ports. */
static unsigned int lookup_ports_in(const struct span *element, const struct span *of)
{
	unsigned int low = span_port_at(element->low), high = span_port_at(element->high);

	low = low < span_port_at(of->low) ? span_port_at(of->low) : low;
	high = high > span_port_at(of->high) ? span_port_at(of->high) : high;
	return low <= high ? high - low + 1 : 0;
}

/* Whether all elements of a set of ports together have every port of the packet; nft lists no port
 * twice. */
static bool lookup_covers(const struct lookup *l, const struct rule_packet *p)
{
	struct span of;
	unsigned int covered = 0;

	if (l->n_fields != 1 || !field_is_port(l->field[0]) || !span_of_packet(p, l->field[0], &of))
		return false;
	for (size_t i = 0; i < l->n; i++)
		covered += lookup_ports_in(&l->element[i], &of);
	return covered > span_port_at(of.high) - span_port_at(of.low);
}

enum tri lookup_holds(const struct lookup *l, const struct rule_packet *p)
{
	enum tri most = l->partly ? TRI_MAYBE : TRI_NO;

	for (size_t i = 0; i < l->n && most != TRI_YES; i++) {
		enum tri t = lookup_element_holds(l, &l->element[i * l->n_fields], p);

		most = t > most ? t : most;
	}
	if (most == TRI_SOME_PORTS && lookup_covers(l, p))
		most = TRI_YES;
	return tri_not(most, l->negated);
}
