/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ifname.h - names of network interfaces */
#ifndef PASVD_IFNAME_H
#define PASVD_IFNAME_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#define IFNAME_ALLOWED "1 to 15 letters, digits, '.', '_' or '-'"

/* Whether the `n` characters at `p` are a name that is put into rules or looked for. Narrower than
 * the kernel's dev_valid_name(): iptables gives '!' and '+' a meaning of their own. It fits into
 * IF_NAMESIZE bytes with its NUL. */
bool ifname_ok(const char *p, size_t n);

#endif
