/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint.c - addresses, endpoints and tuples
 *
 * Comparison and text. Compared member by member, since structures have padding.
 */
#include "pasvd/endpoint.h"

#include <string.h>

enum { GROUPS = ADDR_IP6_LEN / 2 };

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

struct addr addr_ip6(const uint8_t byte[ADDR_IP6_LEN])
{
	struct addr a = {.family = ADDR_IP6};

	memcpy(a.byte, byte, ADDR_IP6_LEN);
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

static uint16_t addr_put_group(const struct addr *a, size_t i)
{
	return (uint16_t)(a->byte[2 * i] << 8 | a->byte[2 * i + 1]);
}

static size_t addr_hex_text(uint16_t value, uint8_t *buf)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (int shift = 12; shift >= 0; shift -= 4) {
		if (n || shift == 0 || value >> shift)
			buf[n++] = (uint8_t)digits[value >> shift & 15];
	}
	return n;
}

/* RFC 5952 section 4.2: the first of the longest runs of two or more zero groups. Returns its
 * length. */
static size_t addr_longest_zeros(const struct addr *a, size_t *ret_first)
{
	size_t longest = 1, run = 0;

	for (size_t i = 0; i < GROUPS; i++) {
		run = addr_put_group(a, i) ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*ret_first = i + 1 - run;
		}
	}
	return longest > 1 ? longest : 0;
}

static size_t addr_ip6_text(const struct addr *a, uint8_t *buf)
{
	size_t n = 0, first = GROUPS, zeros = addr_longest_zeros(a, &first);

	for (size_t i = 0; i < GROUPS; i++) {
		if (i == first) {
			buf[n++] = ':';
			i += zeros - 1;
			if (i == GROUPS - 1)
				buf[n++] = ':';
			continue;
		}
		if (i)
			buf[n++] = ':';
		n += addr_hex_text(addr_put_group(a, i), buf + n);
	}
	return n;
}

size_t addr_text(const struct addr *a, uint8_t *buf)
{
	return a->family == ADDR_IP4 ? addr_ip4_text(a, '.', buf) : addr_ip6_text(a, buf);
}

/* 0 to 255, without a zero in front; returns how many digits there are, 0 for none or too many. */
static size_t addr_parse_octet(const uint8_t *p, size_t n, uint8_t *ret_octet)
{
	unsigned value = 0;
	size_t i = 0;

	while (i < n && i < 3 && p[i] >= '0' && p[i] <= '9')
		value = value * 10 + (unsigned)(p[i++] - '0');
	if (value > UINT8_MAX || (i > 1 && p[0] == '0'))
		return 0;
	*ret_octet = (uint8_t)value;
	return i;
}

/* Four numbers 0..255, without leading zeros, with dots between them, in all of the `n` bytes. */
static int addr_parse_ip4(const uint8_t *p, size_t n, uint8_t *ret_byte)
{
	uint8_t byte[ADDR_IP4_LEN];
	size_t at = 0, digits;

	for (size_t i = 0; i < ADDR_IP4_LEN; i++) {
		if (i && (at == n || p[at++] != '.'))
			return -1;
		digits = addr_parse_octet(p + at, n - at, &byte[i]);
		if (!digits)
			return -1;
		at += digits;
	}
	if (at != n)
		return -1;
	memcpy(ret_byte, byte, sizeof(byte));
	return 0;
}

static int addr_hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One to four hexadecimal digits; returns how many there are, 0 for none or too many. Writes 2
 * bytes. */
static size_t addr_parse_group(const uint8_t *p, size_t n, uint8_t *ret_byte)
{
	unsigned value = 0;
	size_t i = 0;

	for (; i < n && addr_hex_value(p[i]) >= 0; i++) {
		if (i == 4)
			return 0;
		value = value << 4 | (unsigned)addr_hex_value(p[i]);
	}
	ret_byte[0] = (uint8_t)(value >> 8);
	ret_byte[1] = (uint8_t)value;
	return i;
}

/* The groups from `p` on with colons between them, the last two perhaps as an IPv4 address, up to
 * the end or up to a "::" or something else, which is not taken. Returns how much was taken;
 * *ret_len bytes of address were found. */
static size_t addr_parse_groups(const uint8_t *p, size_t n, uint8_t *ret_byte, size_t *ret_len)
{
	size_t at = 0, len = 0;

	while (at < n && len < ADDR_IP6_LEN) {
		size_t digits = addr_parse_group(p + at, n - at, ret_byte + len);

		if (len <= ADDR_IP6_LEN - ADDR_IP4_LEN &&
			addr_parse_ip4(p + at, n - at, ret_byte + len) == 0) {
			len += ADDR_IP4_LEN;
			at = n;
			break;
		}
		if (!digits)
			break;
		len += 2;
		at += digits;
		if (n - at < 2 || p[at] != ':' || p[at + 1] == ':')
			break;
		at++;
	}
	*ret_len = len;
	return at;
}

/* RFC 4291 section 2.2: groups, and at one place "::" for as many zero groups as are missing. */
static int addr_parse_ip6(const uint8_t *p, size_t n, uint8_t *ret_byte)
{
	uint8_t front[ADDR_IP6_LEN] = {0}, back[ADDR_IP6_LEN] = {0};
	size_t front_len, back_len = 0, at = addr_parse_groups(p, n, front, &front_len);

	if (at == n && front_len < ADDR_IP6_LEN)
		return -1;
	if (at < n) {
		if (n - at < 2 || p[at] != ':' || p[at + 1] != ':')
			return -1;
		if (addr_parse_groups(p + at + 2, n - at - 2, back, &back_len) != n - at - 2)
			return -1;
		if (front_len + back_len > ADDR_IP6_LEN - 2)
			return -1;
	}
	memset(ret_byte, 0, ADDR_IP6_LEN);
	memcpy(ret_byte, front, front_len);
	memcpy(ret_byte + ADDR_IP6_LEN - back_len, back, back_len);
	return 0;
}

int addr_parse(const uint8_t *p, size_t n, struct addr *ret_addr)
{
	uint8_t byte[ADDR_IP6_LEN];

	if (addr_parse_ip4(p, n, byte) == 0)
		*ret_addr = addr_ip4(byte);
	else if (addr_parse_ip6(p, n, byte) == 0)
		*ret_addr = addr_ip6(byte);
	else
		return -1;
	return 0;
}

const char *endpoint_text(const struct endpoint *e, char *buf)
{
	uint8_t *p = (uint8_t *)buf;
	bool brackets = e->addr.family == ADDR_IP6;
	size_t n = 0;

	if (brackets)
		p[n++] = '[';
	if (e->addr.family == ADDR_NONE)
		p[n++] = '?';
	else
		n += addr_text(&e->addr, p + n);
	if (brackets)
		p[n++] = ']';
	p[n++] = ':';
	n += decimal_text(e->port, p + n);
	p[n] = '\0';
	return buf;
}
