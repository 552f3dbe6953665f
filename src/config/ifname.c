/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ifname.c - names of network interfaces */
#include "ifname.h"

#include <string.h>

bool ifname_ok(const char *p, size_t n)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (n == 0 || n >= IF_NAMESIZE || p[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!memchr(allowed, p[i], sizeof(allowed) - 1))
			return false;
	}
	return !(p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')));
}
