/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - the command line of pasvd, its subcommands and pasvctl
 *
 * A program is a list of commands, a command is a table of options. Parser, --help and errors are
 * the same for all.
 */
#ifndef PASVD_OPTIONS_H
#define PASVD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_EXIT_USAGE = 2 };

struct options_row {
	/* long, without its dashes; NULL ends a table, unless there is a letter */
	const char *name;
	char letter;       /* '\0': none */
	bool repeatable;   /* may be given more than once */
	const char *value; /* what it takes, as --help shows it; NULL: nothing */
	const char *help;  /* one line */
	/* Takes the value (NULL if the option has none) into the command's data. NULL, or what the
	 * value must be. Without this function a bool is set, or a const char * with a value: */
	const char *(*take)(void *data, const char *value);
	size_t offset; /* of that member in the command's data */
};

struct options_command {
	const char *name;    /* "status", or in a group "rules load"; "": without a command */
	const char *summary; /* one line */
	const struct options_row *rows;
	/* Takes an argument that is no option. NULL, or what is wrong with it. Without it there are
	 * none. */
	const char *(*argument)(void *data, const char *word);
	const char *arguments; /* as --help shows them; NULL: none */
	/* after the options in --help: lines, each with its end; NULL: nothing */
	const char *more;
	void *data;
	int (*run)(void *data); /* returns the exit status */
	/* In place of `rows`: another program does it, and reads the options itself. */
	int (*run_other)(char **argv);
};

struct options_program {
	const char *name, *version;
	const char *about; /* one paragraph for --help, its lines with their ends */
	const struct options_command *const *commands; /* NULL ends them */
};

/* Reads the command line and runs its command. Returns the exit status: 0 after help and --version,
 * OPTIONS_EXIT_USAGE after one line on stderr if the command line is wrong. */
int options_main(const struct options_program *program, int argc, char **argv);

/* Prints "PROGRAM COMMAND: ", what `fmt` says and a newline to stderr; what is not printable ASCII
 * becomes '?'. Returns OPTIONS_EXIT_USAGE. For what is wrong with options together; it may be
 * called by `run`. */
int options_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Flushes stdout. 0, or EXIT_FAILURE after one line on stderr. */
int options_flush(void);

#endif
