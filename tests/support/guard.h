/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.h - bytes that end where memory ends
 *
 * A parser that reads one byte too many dies at once, with any compiler and without a sanitizer.
 */
#ifndef PASVD_TESTS_GUARD_H
#define PASVD_TESTS_GUARD_H

#include <stddef.h>
#include <stdint.h>

/* A copy of the `n` bytes at `p` (NULL: zeros) whose last byte lies in front of an unreadable page.
 * Writable. Never NULL: the process ends if there is no memory. */
uint8_t *guard_copy(const void *p, size_t n);

/* Gives back what guard_copy() returned for the same `n`. */
void guard_free(uint8_t *copy, size_t n);

#endif
