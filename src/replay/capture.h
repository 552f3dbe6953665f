/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.h - `pasvd replay`: what the daemon would have made of the sessions in a capture */
#ifndef PASVD_CAPTURE_H
#define PASVD_CAPTURE_H

#include <stdio.h>

#include "nat.h"
#include "pasvd/engine.h"

struct capture_options {
	bool json, verbose; /* verbose: verdicts of priority debug are printed too */
	struct nat nat;
	const char *file; /* "-": standard input */
};

/* The file, opened with the caller's privileges; nothing of it has been read. NULL after one line
 * on stderr. */
FILE *capture_open(const char *file);

/* `in` is the open file, which is closed. `engine` is memory for an engine of its own. Prints to
 * stdout, and opens nothing. Returns the exit status: 0, or 1 after one line on stderr if the file
 * cannot be read to its end or stdout not be written. */
int capture_main(const struct capture_options *o, FILE *in, const struct policy *policy,
	struct engine *engine);

#endif
