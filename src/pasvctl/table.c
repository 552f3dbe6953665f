/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c - aligned columns for a terminal */
#include "table.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GAP = 2, LAST_MIN = 24 }; /* between columns; what the last one needs to be broken */

struct layout {
	const struct column *columns;
	size_t n;
	bool shown[TABLE_COLUMNS_MAX];
	size_t width[TABLE_COLUMNS_MAX];
	size_t last; /* width to which the last column is broken, 0: it is not */
};

size_t table_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void table_row(json_t *rows, size_t n, const char *const *cells)
{
	json_t *row = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(row, json_string(cells[i]));
	json_array_append_new(rows, row);
}

static const char *table_cell(const json_t *row, size_t i)
{
	const char *text = json_string_value(json_array_get(row, i));

	return text ? text : "?";
}

static void table_measure(struct layout *l, const json_t *rows)
{
	for (size_t i = 0; i < l->n; i++) {
		l->shown[i] = true;
		l->width[i] = strlen(l->columns[i].title);
		for (size_t r = 0; r < json_array_size(rows); r++) {
			size_t len = strlen(table_cell(json_array_get(rows, r), i));

			if (len > l->width[i])
				l->width[i] = len;
		}
	}
}

/* Of the columns before number `end` that are shown, each with the gap after it. */
static size_t table_width_until(const struct layout *l, size_t end)
{
	size_t sum = 0;

	for (size_t i = 0; i < end; i++)
		sum += l->shown[i] ? l->width[i] + GAP : 0;
	return sum;
}

/* Leaves out a column. False: all that are left have to stay. */
static bool table_leave_one_out(struct layout *l)
{
	size_t least = l->n;

	for (size_t i = 0; i < l->n; i++) {
		if (l->shown[i] && l->columns[i].rank > (least < l->n ? l->columns[least].rank : 0))
			least = i;
	}
	if (least < l->n)
		l->shown[least] = false;
	return least < l->n;
}

static void table_fit(struct layout *l, size_t width)
{
	size_t front;

	while (width && table_width_until(l, l->n) > width + GAP && table_leave_one_out(l))
		;
	front = table_width_until(l, l->n - 1);
	l->last = width && table_width_until(l, l->n) > width + GAP && front + LAST_MIN <= width
			  ? width - front
			  : 0;
}

static void table_put_text(FILE *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fputc(text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?', out);
}

static void table_put_blanks(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

/* How much of the text goes on a line of `width`, up to a blank if there is one. */
static size_t table_break_at(const char *text, size_t width)
{
	size_t at = width;

	if (!width || strlen(text) <= width)
		return strlen(text);
	while (at && text[at] != ' ')
		at--;
	return at ? at : width;
}

static void table_put_last(FILE *out, const struct layout *l, const char *text)
{
	size_t len = table_break_at(text, l->last);

	table_put_text(out, text, len);
	for (text += len; *text; text += len) {
		text += *text == ' ';
		fputc('\n', out);
		table_put_blanks(out, table_width_until(l, l->n - 1));
		len = table_break_at(text, l->last);
		table_put_text(out, text, len);
	}
	fputc('\n', out);
}

static void table_put_cell(FILE *out, const struct layout *l, size_t i, const char *text)
{
	size_t len = strlen(text), fill = l->width[i] > len ? l->width[i] - len : 0;

	if (l->columns[i].right)
		table_put_blanks(out, fill);
	if (i + 1 == l->n) {
		table_put_last(out, l, text);
		return;
	}
	table_put_text(out, text, len);
	table_put_blanks(out, (l->columns[i].right ? 0 : fill) + GAP);
}

static void table_put_titles(FILE *out, const struct layout *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->shown[i])
			table_put_cell(out, l, i, l->columns[i].title);
	}
}

static void table_put_left_out(FILE *out, const struct layout *l, size_t width)
{
	const char *before = "left out of ";

	for (size_t i = 0; i < l->n; i++) {
		if (l->shown[i])
			continue;
		if (before[0] == 'l')
			fprintf(out, "(%s%zu columns: %s", before, width, l->columns[i].title);
		else
			fprintf(out, "%s%s", before, l->columns[i].title);
		before = ", ";
	}
	if (before[0] == ',')
		fputs(")\n", out);
}

void table_print(
	FILE *out, const struct column *columns, size_t n, const json_t *rows, size_t width)
{
	struct layout l = {.columns = columns, .n = n};

	table_measure(&l, rows);
	table_fit(&l, width);
	table_put_titles(out, &l);
	for (size_t r = 0; r < json_array_size(rows); r++) {
		for (size_t i = 0; i < n; i++) {
			if (l.shown[i])
				table_put_cell(out, &l, i, table_cell(json_array_get(rows, r), i));
		}
	}
	table_put_left_out(out, &l, width);
}
