/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint.h - addresses, endpoints and tuples of TCP connections
 *
 * Values, compared member by member; nothing here refers to memory of others. Ports and zones are
 * in host byte order, address bytes in network byte order. A tuple is one direction of a TCP
 * connection as conntrack knows it (struct nf_conntrack_tuple); the protocol is always TCP.
 */
#ifndef PASVD_ENDPOINT_H
#define PASVD_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum addr_family { ADDR_NONE = 0, ADDR_IP4 = 4, ADDR_IP6 = 6 };

enum { ADDR_IP4_LEN = 4, ADDR_IP6_LEN = 16 };

struct addr {
	uint8_t family;             /* enum addr_family */
	uint8_t byte[ADDR_IP6_LEN]; /* the first 4 for ADDR_IP4, the rest is not looked at */
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* 0: any, where a pattern is meant */
};

struct tuple {
	struct endpoint src, dst;
	uint16_t zone; /* conntrack zone, 0 is the default one */
};

/* Directions of a connection; the values are the kernel's enum ip_conntrack_dir. The client of an
 * FTP control connection sends in the original direction, the server in the reply direction. */
enum dir { DIR_ORIGINAL = 0, DIR_REPLY = 1 };

static inline enum dir dir_opposite(enum dir dir)
{
	return dir == DIR_ORIGINAL ? DIR_REPLY : DIR_ORIGINAL;
}

enum {
	DECIMAL_TEXT_MAX = 5,   /* "65535" */
	ADDR_IP4_TEXT_MAX = 15, /* "255.255.255.255" */
	ADDR_TEXT_MAX = 39,     /* eight groups of four digits */
	ENDPOINT_TEXT_MAX = 48, /* "[address]:65535" and its NUL */
};

bool addr_eq(const struct addr *a, const struct addr *b);
bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
bool tuple_eq(const struct tuple *a, const struct tuple *b);

/* Bytes of the address that count: 4, 16, or 0 for ADDR_NONE. */
size_t addr_len(const struct addr *a);

/* 4, or 16, bytes in network byte order. */
struct addr addr_ip4(const uint8_t byte[ADDR_IP4_LEN]);
struct addr addr_ip6(const uint8_t byte[ADDR_IP6_LEN]);

/* Writes `value` in decimal, without a NUL, to `buf` of DECIMAL_TEXT_MAX bytes; returns how many
 * were written. */
size_t decimal_text(uint16_t value, uint8_t *buf);

/* Writes the four numbers of an ADDR_IP4 address with `separator` between them, without a NUL, to
 * `buf` of ADDR_IP4_TEXT_MAX bytes; returns how many were written. */
size_t addr_ip4_text(const struct addr *a, uint8_t separator, uint8_t *buf);

/* Writes the address, without a NUL, to `buf` of ADDR_TEXT_MAX bytes; returns how many were
 * written. An ADDR_IP6 address in canonical form: RFC 5952 section 4. */
size_t addr_text(const struct addr *a, uint8_t *buf);

/* Reads the `n` bytes at `p` as an address: four decimal numbers with dots, or RFC 4291 section
 * 2.2. 0, or -1 if they are something else; then *ret_addr is untouched. */
int addr_parse(const uint8_t *p, size_t n, struct addr *ret_addr);

/* Writes "192.0.2.1:21" or "[2001:db8::1]:21" and its NUL to `buf` of ENDPOINT_TEXT_MAX bytes;
 * returns `buf`. */
const char *endpoint_text(const struct endpoint *e, char *buf);

#endif
