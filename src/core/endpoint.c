/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint.c - addresses, endpoints and tuples
 *
 * Comparison and text. Compared member by member, since structures have padding.
 */
#include "pasvd/endpoint.h"

#include <string.h>

size_t addr_len(const struct addr *a)
{
	switch (a->family) {
	case ADDR_IP4:
		return ADDR_IP4_LEN;
	case ADDR_IP6:
		return ADDR_IP6_LEN;
	default:
		return 0;
	}
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->byte, b->byte, addr_len(a)) == 0;
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_eq(&a->addr, &b->addr);
}

bool tuple_eq(const struct tuple *a, const struct tuple *b)
{
	return a->zone == b->zone && endpoint_eq(&a->src, &b->src) && endpoint_eq(&a->dst, &b->dst);
}

struct addr addr_ip4(const uint8_t byte[ADDR_IP4_LEN])
{
	struct addr a = {.family = ADDR_IP4};

	memcpy(a.byte, byte, ADDR_IP4_LEN);
	return a;
}

size_t decimal_text(uint16_t value, uint8_t *buf)
{
	uint8_t digit[DECIMAL_TEXT_MAX];
	size_t n = 0;

	do {
		digit[n++] = (uint8_t)('0' + value % 10);
		value = (uint16_t)(value / 10);
	} while (value);
	for (size_t i = 0; i < n; i++)
		buf[i] = digit[n - 1 - i];
	return n;
}

size_t addr_ip4_text(const struct addr *a, uint8_t separator, uint8_t *buf)
{
	size_t n = decimal_text(a->byte[0], buf);

	for (size_t i = 1; i < ADDR_IP4_LEN; i++) {
		buf[n++] = separator;
		n += decimal_text(a->byte[i], buf + n);
	}
	return n;
}

const char *endpoint_text(const struct endpoint *e, char *buf)
{
	uint8_t *p = (uint8_t *)buf;
	size_t n = 0;

	if (e->addr.family == ADDR_IP4)
		n = addr_ip4_text(&e->addr, '.', p);
	else
		p[n++] = '?';
	p[n++] = ':';
	n += decimal_text(e->port, p + n);
	p[n] = '\0';
	return buf;
}
