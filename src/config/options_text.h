/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options_text.h - help and errors of a command line; for options.c */
#ifndef PASVD_OPTIONS_TEXT_H
#define PASVD_OPTIONS_TEXT_H

#include "options.h"

enum { OPTIONS_NAME_LEN = 64 }; /* of commands and options, with the NUL */

/* Rows that each command has: --help, --version. */
extern const struct options_row options_standard[];

/* Whether it is a row, and not the end of the table. */
bool options_is_row(const struct options_row *row);

/* Whether a command is of the group: "rules load" of "rules". */
bool options_in_group(const struct options_command *command, const char *group);

/* Which program and command help and errors are about. */
void options_begin(const struct options_program *p);
void options_set_command(const char *name);

/* Say that there is no such option of `command` (NULL: of any), or no such command of the group
 * (typed NULL: none was given), and what may have been meant. Return OPTIONS_EXIT_USAGE. */
int options_unknown_option(const struct options_command *command, const char *typed);
int options_unknown_command(const char *group, const char *typed);

/* Print help; return the exit status. */
int options_help_of_group(const char *group);
int options_help_of_command(const struct options_command *command);

#endif
