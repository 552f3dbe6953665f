/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.h - another program, run to its end
 *
 * Never by way of a shell. What it prints is read up to RUN_OUTPUT_MAX bytes, and it gets
 * RUN_SECONDS; who says more or takes longer is killed.
 */
#ifndef PASVD_CHILD_H
#define PASVD_CHILD_H

#include <stddef.h>

enum { RUN_SECONDS = 20, RUN_OUTPUT_MAX = 16 << 20, RUN_COMPLAINT_MAX = 256 };

struct output {
	char *text; /* of standard output, with a NUL after it; free() it */
	size_t len;
	size_t room; /* bytes that text has */
	/* the first line of standard error that is no comment, or why there was no output */
	char complaint[RUN_COMPLAINT_MAX];
};

/* Adds the folders of an administrator's programs to PATH, and has them print English. */
void run_environment(void);

/* iptables-legacy has one lock for all network namespaces, and who does not wait for it fails. So
 * what changes no rule of the router's leaves it alone: between these two each program has its
 * standard input for a lock. What the first one returns is for the second. */
char *run_leave_lock(void);
void run_take_lock(char *before);

/* `argv[0]` is looked for in PATH; `input` (NULL: none) is its standard input. Its exit status, or
 * -errno: -ENOENT if there is no such program, -E2BIG, -ETIMEDOUT, -EINTR if a signal ended it.
 * ret_output->text is NULL if that is not 0 or more. */
int run(const char *const argv[], const char *input, struct output *ret_output);

#endif
