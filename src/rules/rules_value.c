/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_value.c - values of the options of `pasvd rules` */
#include "rules_value.h"

#include <arpa/inet.h>

int32_t rules_number(const char *p, size_t n, int32_t max)
{
	int32_t value = 0;

	if (n == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		value = value * 10 + (p[i] - '0');
		if (value > max)
			return -1;
	}
	return value;
}

bool rules_ip4_ok(const struct in_addr *a)
{
	uint32_t first = ntohl(a->s_addr) >> 24;

	return first != 0 && first != 127 && first < 224;
}

bool rules_ip6_ok(const struct in6_addr *a)
{
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) &&
	       !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_V4MAPPED(a) &&
	       !IN6_IS_ADDR_V4COMPAT(a);
}
