/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.h - `pasvd replay`: what the daemon would have made of the sessions in a capture */
#ifndef PASVD_CAPTURE_H
#define PASVD_CAPTURE_H

#include "nat.h"
#include "pasvd/engine.h"

struct capture_options {
	bool json, verbose; /* verbose: verdicts of priority debug are printed too */
	struct nat nat;
	const char *file; /* "-": standard input */
};

/* `engine` is memory for an engine of its own. Prints to stdout, and opens nothing but the file.
 * Returns the exit status: 0, or 1 after one line on stderr if the file cannot be read to its end
 * or stdout not be written. */
int capture_main(
	const struct capture_options *o, const struct policy *policy, struct engine *engine);

#endif
