/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h - what is said about a capture */
#ifndef PASVD_REPORT_H
#define PASVD_REPORT_H

#include <stdio.h>

#include "flow.h"

/* Has libraries make the system calls for a report that the sandbox does not have. */
void report_prepare(void);

/* Lines for people. `complete`: the capture was read to its end. */
void report_text(const struct flows *f, bool complete, FILE *out);

/* One object of JSON, pasvd(8). 0, or -1 if there is no memory for it. */
int report_json(const struct flows *f, bool complete, FILE *out);

#endif
