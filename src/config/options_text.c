/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options_text.c - help and errors of a command line */
#include "options_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "near.h"

enum { ERROR_LEN = 512, HELP_COLUMN = 28 };

const struct options_row options_standard[] = {
	{.name = "help", .letter = 'h', .help = "print this"},
	{.name = "version", .letter = 'V', .help = "print the version"},
	{0},
};

static const struct options_program *program;
static char command_name[OPTIONS_NAME_LEN]; /* " rules load" */

void options_begin(const struct options_program *p)
{
	program = p;
	command_name[0] = '\0';
}

void options_set_command(const char *name)
{
	snprintf(command_name, sizeof(command_name), " %.*s", OPTIONS_NAME_LEN - 2, name);
}

int options_wrong(const char *fmt, ...)
{
	char text[ERROR_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		*p = (char)(*p >= ' ' && *p <= '~' ? *p : '?');
	fprintf(stderr, "%s%s: %s\n", program->name, command_name, text);
	return OPTIONS_EXIT_USAGE;
}

int options_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "%s%s: stdout: %s\n", program->name, command_name, strerror(errno));
	return EXIT_FAILURE;
}

bool options_is_row(const struct options_row *row)
{
	return row->name || row->letter;
}

bool options_in_group(const struct options_command *command, const char *group)
{
	size_t n = strlen(group);

	return n && strncmp(command->name, group, n) == 0 && command->name[n] == ' ';
}

/* --- what may have been meant --- */

struct option_guess {
	const char *typed;
	unsigned least;
	char meant[OPTIONS_NAME_LEN];
};

/* A short word has not room for two slips. The beginning of a word counts as one. */
static void guess_word(struct option_guess *g, const char *meant)
{
	unsigned distance = near_distance(g->typed, meant);
	size_t n = strlen(g->typed);

	if (distance > (strlen(meant) < 7 ? 1 : NEAR_MAX))
		distance = n >= 4 && strncmp(g->typed, meant, n) == 0 ? NEAR_MAX : NEAR_FAR;
	if (distance >= g->least)
		return;
	g->least = distance;
	snprintf(g->meant, sizeof(g->meant), "%s", meant);
}

static void guess_row(struct option_guess *g, const struct options_row *rows)
{
	char text[OPTIONS_NAME_LEN];

	for (; rows && options_is_row(rows); rows++) {
		snprintf(text, sizeof(text), "--%s", rows->name ? rows->name : "");
		guess_word(g, text);
	}
}

int options_unknown_option(const struct options_command *command, const char *typed)
{
	struct option_guess g = {.typed = typed, .least = NEAR_FAR};

	for (size_t i = 0; program->commands[i]; i++) {
		if (!command || command == program->commands[i])
			guess_row(&g, program->commands[i]->rows);
	}
	guess_row(&g, options_standard);
	if (g.least < NEAR_FAR)
		return options_wrong("unknown option \"%s\", did you mean \"%s\"?", typed, g.meant);
	return options_wrong(
		"unknown option \"%s\", see %s%s --help", typed, program->name, command_name);
}

/* The next word of a command's name after `group`, or NULL; each once, since those of a group are
 * in a row. */
static const char *next_word(const char *group, size_t *i, char word[OPTIONS_NAME_LEN])
{
	for (; program->commands[*i]; (*i)++) {
		const char *name = program->commands[*i]->name;

		if (*group && !options_in_group(program->commands[*i], group))
			continue;
		name += *group ? strlen(group) + 1 : 0;
		if (!*name || strncmp(word, name, strcspn(name, " ")) == 0)
			continue;
		snprintf(word, OPTIONS_NAME_LEN, "%.*s", (int)strcspn(name, " "), name);
		return word;
	}
	return NULL;
}

int options_unknown_command(const char *group, const char *typed)
{
	struct option_guess g = {.typed = typed, .least = NEAR_FAR};
	char word[OPTIONS_NAME_LEN] = "", all[ERROR_LEN] = "";
	size_t n = 0;

	for (size_t i = 0; next_word(group, &i, word); i++) {
		if (typed)
			guess_word(&g, word);
		if (n < sizeof(all))
			n += (size_t)snprintf(
				all + n, sizeof(all) - n, "%s%s", n ? ", " : "", word);
	}
	if (!typed)
		return options_wrong("a command is missing, there are %s", all);
	if (g.least < NEAR_FAR)
		return options_wrong(
			"unknown command \"%s\", did you mean \"%s\"?", typed, g.meant);
	return options_wrong("unknown command \"%s\", there are %s", typed, all);
}

/* --- help --- */

static void print_row(const struct options_row *row)
{
	char text[OPTIONS_NAME_LEN], letter[] = {'-', row->letter, '\0'};
	int n = snprintf(text, sizeof(text), "  %s%s%s%s%s%s", row->letter ? letter : "  ",
		row->letter && row->name ? ", " : "  ", row->name ? "--" : "",
		row->name ? row->name : "", row->value ? " " : "", row->value ? row->value : "");

	printf("%-*s%s%s\n", n + 2 <= HELP_COLUMN ? HELP_COLUMN : n + 2, text, row->help,
		row->repeatable ? "; repeatable" : "");
}

static void print_command(const struct options_command *command)
{
	printf("  %-*s%s\n", HELP_COLUMN - 2, command->name, command->summary);
}

/* The commands of a group, of all if it is "". */
static void print_commands(const char *group)
{
	for (size_t i = 0; program->commands[i]; i++) {
		const struct options_command *command = program->commands[i];

		if (command->name[0] && (!*group || options_in_group(command, group)))
			print_command(command);
	}
}

int options_help_of_group(const char *group)
{
	printf("usage: %s%s%s COMMAND [OPTION]...\n\n", program->name, *group ? " " : "", group);
	print_commands(group);
	printf("\n`%s%s%s COMMAND --help` explains the options of a command.\n", program->name,
		*group ? " " : "", group);
	return options_flush();
}

int options_help_of_command(const struct options_command *command)
{
	bool whole = !command->name[0];

	printf("usage: %s%s%s [OPTION]...%s%s\n", program->name, whole ? "" : " ", command->name,
		command->arguments ? " " : "", command->arguments ? command->arguments : "");
	if (whole)
		printf("       %s COMMAND [OPTION]...\n\n%s", program->name, program->about);
	printf("\n%s\n\n", command->summary);
	for (const struct options_row *row = command->rows; row && options_is_row(row); row++)
		print_row(row);
	for (const struct options_row *row = options_standard; options_is_row(row); row++)
		print_row(row);
	if (command->more)
		printf("\n%s", command->more);
	if (whole) {
		puts("\ncommands:");
		print_commands("");
	}
	return options_flush();
}
