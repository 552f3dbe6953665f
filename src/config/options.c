/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - the command line of pasvd, its subcommands and pasvctl
 *
 * Options may stand before or after the command's name. So the command is looked for first: a word
 * that is neither an option nor the value of one. Which options take a value depends on all tables;
 * two commands must not disagree about one option.
 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "options_text.h"

enum { SEEN_MAX = 64 };

static const struct options_program *program;

/* One option of the command line. */
struct option_word {
	const struct options_row *row; /* NULL: unknown */
	char text[OPTIONS_NAME_LEN];   /* as it was typed, without its value */
	const char *value;             /* NULL: none */
	bool value_missing, value_unwanted;
};

/* A place in argv: the next word, and the next letter in a word such as -jf. */
struct option_cursor {
	char **argv;
	int i, argc;
	size_t letter;
	bool ended; /* "--" was there */
};

/* --- tables --- */

static bool row_is_named(const struct options_row *row, const char *name, size_t n)
{
	return row->name && strlen(row->name) == n && memcmp(row->name, name, n) == 0;
}

/* The row of a long option, or with n = 0 of the letter *name. */
static const struct options_row *row_in(const struct options_row *rows, const char *name, size_t n)
{
	for (const struct options_row *row = rows; row && options_is_row(row); row++) {
		if (n ? row_is_named(row, name, n) : row->letter == *name)
			return row;
	}
	return NULL;
}

static const struct options_row *row_of(
	const struct options_command *command, const char *name, size_t n)
{
	const struct options_row *row = command ? row_in(command->rows, name, n) : NULL;

	for (size_t i = 0; !command && !row && program->commands[i]; i++)
		row = row_in(program->commands[i]->rows, name, n);
	return row ? row : row_in(options_standard, name, n);
}

static const struct options_command *options_command_named(const char *name)
{
	for (size_t i = 0; program->commands[i]; i++) {
		if (strcmp(program->commands[i]->name, name) == 0)
			return program->commands[i];
	}
	return NULL;
}

static bool is_group(const char *name)
{
	for (size_t i = 0; program->commands[i]; i++) {
		if (options_in_group(program->commands[i], name))
			return true;
	}
	return false;
}

/* --- words --- */

static bool at_option(const struct option_cursor *c)
{
	const char *word = c->argv[c->i];

	return c->letter || (!c->ended && word[0] == '-' && word[1]);
}

/* The word after the option, if there is one. */
static void take_next(struct option_cursor *c, struct option_word *w)
{
	w->value_missing = c->i == c->argc;
	if (!w->value_missing)
		w->value = c->argv[c->i++];
}

static struct option_word long_option(
	struct option_cursor *c, const struct options_command *command)
{
	const char *word = c->argv[c->i++] + 2;
	size_t n = strcspn(word, "=");
	struct option_word w = {.row = n ? row_of(command, word, n) : NULL};

	snprintf(w.text, sizeof(w.text), "--%.*s", (int)n, word);
	w.value_unwanted = w.row && !w.row->value && word[n];
	if (w.row && w.row->value && word[n])
		w.value = word + n + 1;
	else if (w.row && w.row->value)
		take_next(c, &w);
	return w;
}

static struct option_word short_option(
	struct option_cursor *c, const struct options_command *command)
{
	const char *word = c->argv[c->i], *rest;
	struct option_word w = {0};

	c->letter += c->letter ? 0 : 1;
	w.row = row_of(command, word + c->letter, 0);
	snprintf(w.text, sizeof(w.text), "-%c", word[c->letter++]);
	rest = word + c->letter;
	if (*rest && (!w.row || !w.row->value))
		return w;
	c->letter = 0;
	c->i++;
	if (w.row && w.row->value && *rest)
		w.value = rest;
	else if (w.row && w.row->value)
		take_next(c, &w);
	return w;
}

/* Of `command`, or of any if that is NULL. */
static struct option_word next_option(
	struct option_cursor *c, const struct options_command *command)
{
	return strncmp(c->argv[c->i], "--", 2) == 0 ? long_option(c, command)
						    : short_option(c, command);
}

/* At the next word that is an option, or no option but not "--". False: there is none. */
static bool at_word(struct option_cursor *c)
{
	if (c->i < c->argc && !c->letter && !c->ended && strcmp(c->argv[c->i], "--") == 0) {
		c->ended = true;
		c->i++;
	}
	return c->i < c->argc;
}

static int help_of(const char *name, char **argv)
{
	const struct options_command *command = options_command_named(name);

	if (command && command->run_other)
		return command->run_other(argv);
	if (command)
		return options_help_of_command(command);
	if (!*name) {
		printf("%s\n", program->about);
		return options_help_of_group("");
	}
	return options_help_of_group(name);
}

static int print_version(void)
{
	printf("%s %s\n", program->name, program->version);
	return options_flush();
}

/* --- the command --- */

struct option_search {
	char name[OPTIONS_NAME_LEN];
	int first, last; /* where its words stand in argv; 0: nowhere */
	bool help, version;
	char unknown[OPTIONS_NAME_LEN]; /* the first option that no command has; "": none */
};

static void add_word(struct option_search *s, const char *word, int i)
{
	size_t n = strlen(s->name);

	snprintf(s->name + n, sizeof(s->name) - n, "%s%s", n ? " " : "", word);
	options_set_command(s->name);
	s->first = s->first ? s->first : i;
	s->last = i;
}

/* Takes a word for a part of the command's name, or for an argument if the name is complete. False:
 * it is neither. */
static bool search_word(struct option_search *s, const char *word, int i)
{
	char name[2 * OPTIONS_NAME_LEN];

	if (!s->help && !s->name[0] && strcmp(word, "help") == 0) {
		s->help = true;
		return true;
	}
	if (options_command_named(s->name) && s->name[0])
		return true;
	snprintf(name, sizeof(name), "%s%s%.60s", s->name, s->name[0] ? " " : "", word);
	if (*word && (options_command_named(name) || is_group(name))) {
		add_word(s, word, i);
		return true;
	}
	if (options_command_named("") && options_command_named("")->argument && !s->name[0])
		return true;
	return false;
}

/* Looks through all words. 0, or OPTIONS_EXIT_USAGE. */
static int search_command(struct option_search *s, int argc, char **argv)
{
	struct option_cursor c = {.argv = argv, .argc = argc, .i = 1};

	while (at_word(&c)) {
		if (at_option(&c)) {
			struct option_word w = next_option(&c, NULL);

			s->help |= w.row == &options_standard[0];
			s->version |= w.row == &options_standard[1];
			if (!w.row && !s->unknown[0])
				memcpy(s->unknown, w.text, sizeof(s->unknown));
		} else if (!search_word(s, c.argv[c.i], c.i)) {
			/* The word may be the value of an option that is mistyped. */
			return s->unknown[0] && !s->name[0]
				       ? options_unknown_option(NULL, s->unknown)
				       : options_unknown_command(s->name, c.argv[c.i]);
		} else {
			c.i++;
		}
	}
	return 0;
}

/* --- its options --- */

static const char *options_store(const struct options_command *command, const struct option_word *w)
{
	char *member = (char *)command->data + w->row->offset;

	if (w->row->take)
		return w->row->take(command->data, w->value);
	if (w->row->value)
		memcpy(member, &w->value, sizeof(w->value));
	else
		*(bool *)member = true;
	return NULL;
}

/* Whether the option was given before; flags may be. */
static bool is_again(
	const struct options_command *command, const struct options_row *row, bool seen[SEEN_MAX])
{
	size_t i = (size_t)(row - command->rows);
	bool again = i < SEEN_MAX && seen[i];

	if (i < SEEN_MAX)
		seen[i] = true;
	return again && row->value && !row->repeatable;
}

static int take_option(
	const struct options_command *command, const struct option_word *w, bool seen[SEEN_MAX])
{
	const char *why;

	if (!w->row)
		return options_unknown_option(command, w->text);
	if (w->value_missing)
		return options_wrong("%s: needs a value, %s", w->text, w->row->value);
	if (w->value_unwanted)
		return options_wrong("%s: takes no value", w->text);
	if (is_again(command, w->row, seen))
		return options_wrong("%s \"%s\": given twice", w->text, w->value);
	why = options_store(command, w);
	if (!why)
		return 0;
	return w->value ? options_wrong("%s \"%s\": %s", w->text, w->value, why)
			: options_wrong("%s: %s", w->text, why);
}

static int take_argument(const struct options_command *command, const char *word)
{
	const char *why =
		command->argument ? command->argument(command->data, word) : "takes no arguments";

	return why ? options_wrong("\"%s\": %s", word, why) : 0;
}

/* All words but those of the command's name. */
static int take_words(
	const struct options_command *command, const struct option_search *s, int argc, char **argv)
{
	struct option_cursor c = {.argv = argv, .argc = argc, .i = 1};
	bool seen[SEEN_MAX] = {false};
	int status = 0;

	while (!status && at_word(&c)) {
		if (at_option(&c)) {
			struct option_word w = next_option(&c, command);

			status = take_option(command, &w, seen);
		} else if (c.i == s->first || c.i == s->last) {
			c.i++;
		} else {
			status = take_argument(command, c.argv[c.i++]);
		}
	}
	return status;
}

int options_main(const struct options_program *p, int argc, char **argv)
{
	const struct options_command *command;
	struct option_search s = {0};
	int status;

	program = p;
	options_begin(p);
	status = search_command(&s, argc, argv);
	if (status)
		return status;
	if (s.help)
		return help_of(s.name, argv);
	if (s.version)
		return print_version();
	command = options_command_named(s.name);
	if (!command)
		return options_unknown_command(s.name, NULL);
	if (command->run_other)
		return command->run_other(argv);
	status = take_words(command, &s, argc, argv);
	return status ? status : command->run(command->data);
}
