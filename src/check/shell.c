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

bool shell_word(const char *word, char *ret_word, size_t cap)
{
	FILE *out = fmemopen(ret_word, cap, "w");
	bool whole = out;

	if (out)
		shell_quote(out, word);
	whole = whole && fflush(out) == 0 && (size_t)ftell(out) < cap;
	return out && fclose(out) == 0 && whole;
}
