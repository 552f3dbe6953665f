/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench.h - what the programs of the benchmark share */
#ifndef PASVD_TESTS_BENCH_H
#define PASVD_TESTS_BENCH_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000LL

/* Says which program it is and what failed, with errno, and ends it. */
static inline _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Nanoseconds. */
static inline int64_t now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		fail("clock_gettime");
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

#endif
