/* SPDX-License-Identifier: GPL-2.0-or-later */
/* absent.c - `pasvd replay` in a build without libpcap or jansson */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>

int capture_main(int argc, char **argv, const struct policy *policy, struct helper *helper, bool verbose)
{
	(void)argc, (void)argv, (void)policy, (void)helper, (void)verbose;
	fputs("pasvd replay: this pasvd was built without libpcap or jansson\n", stderr);
	return EXIT_FAILURE;
}
