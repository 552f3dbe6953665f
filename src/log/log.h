/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h - one line an event
 *
 * With key=value fields, see pasvd(8); sink.h tells where it goes. Lines that packets cause are
 * limited to LOG_PACKET_RATE a second of each level, and of these to LOG_CLIENT_RATE for a client,
 * so that neither crowds out another; a line then says how many were left out. Nothing that a peer
 * sent is ever printed.
 */
#ifndef PASVD_LOG_H
#define PASVD_LOG_H

#include "pasvd/engine.h"

enum { LOG_PACKET_RATE = 100, LOG_CLIENT_RATE = 50 };

/* Lines of a level beyond `most` are left out (REASON_LEVEL_INFO to begin with). */
void log_verbosity(enum reason_level max);

void log_at(enum reason_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for a line that a packet causes: limited. `client`: of its control connection, or
 * NULL. */
void log_packet(enum reason_level level, const struct addr *client, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What there is to say of a packet's verdict, at its reason's level. */
void log_verdict(const struct verdict *v);

/* How a port ended, with the fields of its "open" line. */
void log_ended(const struct ended *e);

/* "counters passed=12 opened=1 … used=1 …": one line. */
void log_counters(const struct engine *h);

#endif
