/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_value.h - values of the options of `pasvd rules` */
#ifndef PASVD_RULES_VALUE_H
#define PASVD_RULES_VALUE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The decimal number that the `n` characters at `p` are, or -1 if they are none up to `max` (65535
 * at most).
 */
int32_t rules_number(const char *p, size_t n, int32_t max);

/* Not 0.0.0.0/8, not loopback, not multicast or reserved (RFC 6890). */
bool rules_ip4_ok(const struct in_addr *a);

/* Not unspecified, loopback or multicast, not one that packets are not forwarded to, and not IPv4
 * in disguise (RFC 4291 section 2.5). */
bool rules_ip6_ok(const struct in6_addr *a);

#endif
