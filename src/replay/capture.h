/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.h - `pasvd replay`: what the daemon would have made of the sessions in a capture */
#ifndef PASVD_CAPTURE_H
#define PASVD_CAPTURE_H

#include "pasvd/engine.h"

/* `argv[0]` is the subcommand's own name, options and the file follow. `engine` is memory for a
 * helper of its own. `verbose`: verdicts of priority debug are told too. Prints to stdout, and
 * opens nothing but the file. Returns the exit status: 0, 1 if the file cannot be read to its end
 * or stdout not be written, 2 for wrong arguments; after 1 and 2 one line on stderr says why. */
int capture_main(
	int argc, char **argv, const struct policy *policy, struct engine *engine, bool verbose);

#endif
