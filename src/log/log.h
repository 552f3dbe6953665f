/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h - one line an event
 *
 * In logfmt: "event=EVENT" first, then the fields, then msg="…" for people, see pasvd(8); sink.h
 * has its outputs. Lines that packets cause are limited to LOG_PACKET_RATE a second of each
 * level, and of these to LOG_CLIENT_RATE for a client, so that neither crowds out another; a line
 * then says how many were left out. Nothing that a peer sent is ever printed.
 */
#ifndef PASVD_LOG_H
#define PASVD_LOG_H

#include "pasvd/engine.h"

enum { LOG_PACKET_RATE = 100, LOG_CLIENT_RATE = 50, LOG_RELOAD_RATE = 20 };

/* Lines of a level beyond `most` are left out (REASON_LEVEL_INFO to begin with). */
void log_verbosity(enum reason_level max);

/* event=EVENT msg="…": the text is quoted, whatever it contains. */
void log_at(enum reason_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a line that a reload causes, which members of the group pasvd may ask for without
 * end: limited to LOG_RELOAD_RATE a second of each level. */
void log_reload(enum reason_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* event=EVENT and the fields, "key=value key=value": values are numbers, names and endpoints. */
void log_fields(enum reason_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a line that a packet causes: limited. `client`: of its control connection, or NULL.
 * `msg` may be NULL. */
void log_packet(enum reason_level level, const struct addr *client, const char *event,
	const char *msg, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* An error before the daemon runs, as the command line prints it. */
void log_text(enum reason_level level, const char *text);

/* What there is to say of a packet's verdict, at its reason's level. */
void log_verdict(const struct verdict *v);

/* How a port ended, with the fields of its "opened" line. */
void log_ended(const struct ended *e);

/* What became of an expectation of another router. */
void log_adopted(const struct adopted *a);

/* "event=counters passed=12 opened=1 … used=1 …": one line. */
void log_counters(const struct engine *h);

#endif
