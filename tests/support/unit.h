/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.h - what the unit tests of all modules share */
#ifndef PASVD_TESTS_UNIT_H
#define PASVD_TESTS_UNIT_H

#include "pasvd/array.h"
#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* Runs the tests in processes of their own; returns what main() should. */
int unit_run(const char *name, const TTest *const *test, size_t n);

/* Fills an output with a pattern; checks whether it is still there: failure must leave outputs
 * alone. */
void unit_mark(void *p, size_t n);
bool unit_is_marked(const void *p, size_t n);

#endif
