/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shell.c - words for a command that is to be given to a shell */
#include "shell.h"

#include <string.h>

bool shell_plain(const char *word)
{
	static const char harmless[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,+=@%";

	return *word && word[strspn(word, harmless)] == '\0';
}

void shell_quote(FILE *out, const char *word)
{
	if (shell_plain(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, out);
	fputc('\'', out);
}
