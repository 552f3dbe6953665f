/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.h - what the unit tests of all modules share */
#ifndef PASVD_TESTS_UNIT_H
#define PASVD_TESTS_UNIT_H

#include "pasvd/array.h"
#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* Check writes down where each assertion stands that holds, with a system call, for the case that
 * the next step crashes. There are millions; the name of the test will do. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the name is Check's */
#define _mark_point(file, line) ((void)0)

/* Runs the tests in processes of their own; returns what main() should. */
int unit_run(const char *name, const TTest *const *test, size_t n);

/* Fills an output with a pattern; checks whether it is still there: failure must leave outputs
 * alone. */
void unit_mark(void *p, size_t n);
bool unit_is_marked(const void *p, size_t n);

#endif
