/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - runs a fuzz target on files, without a fuzzer
 *
 * usage: fuzz_X FILE...
 *
 * Each file is one input, handed over at the end of readable memory. What a target finds wrong it aborts on. With
 * clang's libFuzzer the same targets look for inputs by themselves: HACKING says how.
 */
#include "fuzz.h"

#include "guard.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 1 << 16 };

static void run(const char *file)
{
	static uint8_t buf[INPUT_MAX];
	FILE *f = fopen(file, "rb");
	uint8_t *copy;
	size_t n;

	if (!f) {
		perror(file);
		exit(1);
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	printf("%s: %zu bytes\n", file, n);
	fflush(stdout);
	copy = guard_copy(buf, n);
	LLVMFuzzerTestOneInput(copy, n);
	guard_free(copy, n);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	return 0;
}
