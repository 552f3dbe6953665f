/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.c - bytes that end where memory ends
 *
 * The copy takes whole pages of its own plus one more that is made unreadable; it is moved to the
 * end of its pages.
 */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Bytes of the pages that are readable: at least one page, so that 0 bytes have a place too. */
static size_t readable(size_t n)
{
	return (n / page_size() + 1) * page_size();
}

static void give_up(const char *what)
{
	perror(what);
	abort();
}

uint8_t *guard_copy(const void *p, size_t n)
{
	size_t size = readable(n);
	uint8_t *base = mmap(NULL, size + page_size(), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		give_up("guard: mmap");
	if (mprotect(base + size, page_size(), PROT_NONE) < 0)
		give_up("guard: mprotect");
	if (p && n)
		memcpy(base + size - n, p, n);
	return base + size - n;
}

void guard_free(uint8_t *copy, size_t n)
{
	size_t size = readable(n);

	if (munmap(copy + n - size, size + page_size()) < 0)
		give_up("guard: munmap");
}
