/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.h - the daemon's answers, for people
 *
 * `answer` is an array of its objects, `width` the terminal's, 0 for any.
 */
#ifndef PASVD_CTL_SHOW_H
#define PASVD_CTL_SHOW_H

#include <jansson.h>
#include <stdio.h>

void show_status(FILE *out, const json_t *answer, size_t width);
void show_sessions(FILE *out, const json_t *answer, size_t width);
void show_expectations(FILE *out, const json_t *answer, size_t width);
void show_reasons(FILE *out, const json_t *answer, size_t width);

/* As a configuration file would have them: those that are not the default with where they stand. */
void show_config(FILE *out, const json_t *answer, size_t width);

/* For Prometheus, in its text format; `answer` is that to "status", followed by
 * those to "reasons" and "sessions". */
void show_metrics(FILE *out, const json_t *answer, size_t width);

/* One event, as a line. */
void show_event(FILE *out, const json_t *event);

/* "59 s", "3 min", "5 h" or "2 d", at most SHOW_TIME_MAX bytes with the NUL; returns `buf`. */
enum { SHOW_TIME_MAX = 32 };
const char *show_time(json_int_t seconds, char *buf);

/* A member of an object: "?" or 0 if it is not there. */
const char *show_string(const json_t *object, const char *name);
json_int_t show_number(const json_t *object, const char *name);

#endif
