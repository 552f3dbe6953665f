/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.h - aligned columns for a terminal
 *
 * Comes in: the columns' titles and rows of text. Goes out: lines. If they would be wider than the
 * terminal, columns are left out, and a line says so. Bytes that are no printable ASCII come out as
 * question marks.
 */
#ifndef PASVD_CTL_TABLE_H
#define PASVD_CTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 8 };

struct column {
	const char *title;
	bool right; /* flushed */
	int rank;   /* 0: stays; of the others the greatest is left out first */
};

/* `rows`: an array of arrays of strings, one for each of the `n` columns. `width` of the terminal,
 * 0 for any. The last column is broken at blanks if it is too wide. */
void table_print(
	FILE *out, const struct column *columns, size_t n, const json_t *rows, size_t width);

/* A row of strings to be appended; the text is copied. */
void table_row(json_t *rows, size_t n, const char *const *cells);

/* The width of the terminal that stdout is, 0 if it is none. */
size_t table_width(void);

#endif
