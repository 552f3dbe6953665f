/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - runs a fuzz target on all files of a folder, without a fuzzer
 *
 * usage: fuzz_X FOLDER
 *
 * Each file is one input, handed over at the end of readable memory. What a target finds wrong it
 * aborts on; a folder without inputs is an error. With clang's libFuzzer the same targets look for
 * inputs by themselves: HACKING says how.
 */
#include "fuzz.h"

#include "guard.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 16 };

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* A file of the working directory. */
static void run(const char *file)
{
	static uint8_t buf[INPUT_MAX];
	FILE *f = fopen(file, "rb");
	uint8_t *copy;
	size_t n;

	if (!f)
		give_up(file);
	n = fread(buf, 1, sizeof(buf), f);
	if (ferror(f))
		give_up(file);
	fclose(f);
	printf("%s: %zu bytes\n", file, n);
	fflush(stdout);
	copy = guard_copy(buf, n);
	LLVMFuzzerTestOneInput(copy, n);
	guard_free(copy, n);
}

static int is_no_hidden_one(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int n;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	if (chdir(argv[1]))
		give_up(argv[1]);
	n = scandir(".", &entries, is_no_hidden_one, alphasort);
	if (n < 0)
		give_up(argv[1]);
	for (int i = 0; i < n; i++) {
		run(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
