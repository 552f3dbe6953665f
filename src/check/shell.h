/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shell.h - words for a command that is to be given to a shell */
#ifndef PASVD_SHELL_H
#define PASVD_SHELL_H

#include <stdbool.h>
#include <stdio.h>

/* Whether the word is the same to a shell with and without quotes. */
bool shell_plain(const char *word);

/* Prints the word so that a shell takes it as it is, whatever is in it. */
void shell_quote(FILE *out, const char *word);

/* Likewise, into ret_word. False: it is too long. */
bool shell_word(const char *word, char *ret_word, size_t cap);

#endif
