/* SPDX-License-Identifier: GPL-2.0-or-later */
/* legacy.h - whether the tables of iptables-legacy have changed
 *
 * The kernel notifies nobody of their changes. It tells the size of a table and where its chains
 * begin, though, for one getsockopt(): rules that are lost change these.
 */
#ifndef PASVD_LEGACY_H
#define PASVD_LEGACY_H

#include <stdint.h>

/* A number that differs once a table of either family has changed; 0: there is no table. */
uint64_t legacy_fingerprint(void);

#endif
