/* SPDX-License-Identifier: GPL-2.0-or-later */
/* near.c - how far a mistyped word is from another
 *
 * The distance of Damerau and Levenshtein, where no part is changed twice.
 */
#include "near.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { LETTERS = 32 };

static unsigned near_least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int near_fold(char c)
{
	return c == '_' ? '-' : tolower((unsigned char)c);
}

static bool near_is_same(char a, char b)
{
	return near_fold(a) == near_fold(b);
}

/* d[i][j]: from the first i letters of one to the first j of the other. */
static unsigned near_step(
	unsigned d[LETTERS + 1][LETTERS + 1], const char *a, const char *b, size_t i, size_t j)
{
	unsigned best = d[i - 1][j - 1] + !near_is_same(a[i - 1], b[j - 1]);

	best = near_least(best, near_least(d[i - 1][j], d[i][j - 1]) + 1);
	if (i > 1 && j > 1 && near_is_same(a[i - 1], b[j - 2]) && near_is_same(a[i - 2], b[j - 1]))
		best = near_least(best, d[i - 2][j - 2] + 1);
	return best;
}

unsigned near_distance(const char *typed, const char *meant)
{
	unsigned d[LETTERS + 1][LETTERS + 1];
	size_t n = strlen(typed), m = strlen(meant);

	if (n > LETTERS || m > LETTERS || n < NEAR_MAX || m <= 2 * NEAR_MAX - 1)
		return NEAR_FAR;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++)
			d[i][j] = i && j ? near_step(d, typed, meant, i, j) : (unsigned)(i + j);
	}
	return d[n][m];
}
