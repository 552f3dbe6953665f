/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink.h - where the lines of the log go
 *
 * To stderr, in a form that depends on what that is: a terminal gets the time and colours, the
 * journal priorities, anything else "pasvd: " in front; or to syslog. Nobody is waited for: a line
 * that is not taken at once is left out, and a line before the next one that is taken says how many
 * were.
 */
#ifndef PASVD_SINK_H
#define PASVD_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "pasvd/reason.h"

enum { SINK_LINE_MAX = 2048 }; /* bytes of a line, with all that is put in front and after */

/* Looks at what stderr is, before which every line has "pasvd: " in front; `syslog`: goes to
 * /dev/log instead. What is missing of the descriptors 0 to 2 is made /dev/null, and a reader of
 * stderr that goes away is not the end of us. */
void sink_open(bool syslog);

/* Writes a line: `text` has `n` bytes and no line's end; what is too much is cut off. */
void sink_write(enum reason_level level, const char *text, size_t n);

#endif
