/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.h - what the lines of a connection say, for those who read the report
 *
 * Words of commands, codes of replies, and offered endpoints: the rest of a line, such as a
 * password, goes nowhere.
 */
#ifndef PASVD_LINES_H
#define PASVD_LINES_H

#include "flow.h"

/* The next bytes of a direction. Each whole line becomes an event, but not what stands inside a
 * multi-line reply, unless it is an offer. */
void lines_read(struct flows *f, struct flow *flow, enum dir dir, const uint8_t *p, size_t n);

#endif
