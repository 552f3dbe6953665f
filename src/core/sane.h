/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sane.h - the request on which the ct helper `sane` acts */
#ifndef PASVD_CORE_SANE_H
#define PASVD_CORE_SANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* If the packet `p` of *n bytes carries the request, makes it an unknown command of FTP: true, and
 * *n is the new length. */
bool sane_disarm(uint8_t *p, size_t *n);

#endif
