/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.c - bytes that end where memory ends
 *
 * The copy takes whole pages of its own plus one more that is made unreadable; it is moved to the
 * end of its pages. Tests make millions of copies, so a few pages that were given back are kept for
 * the next ones: overwritten, and with AddressSanitizer not to be touched meanwhile.
 */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)
#define ASAN_UNPOISON_MEMORY_REGION(p, n)
#endif

enum { GUARD_KEPT = 8, GUARD_RUBBISH = 0x5a };

/* Given back, each with one page that is readable. */
static uint8_t *guard_kept[GUARD_KEPT];
static size_t guard_kept_count;

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

static uint8_t *guard_map(size_t size)
{
	uint8_t *base = mmap(NULL, size + page_size(), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		give_up("guard: mmap");
	if (mprotect(base + size, page_size(), PROT_NONE) < 0)
		give_up("guard: mprotect");
	return base;
}

/* A page that was given back, if there is one. */
static uint8_t *guard_take(size_t size)
{
	uint8_t *base;

	if (size != page_size() || guard_kept_count == 0)
		return guard_map(size);
	base = guard_kept[--guard_kept_count];
	ASAN_UNPOISON_MEMORY_REGION(base, size);
	return base;
}

uint8_t *guard_copy(const void *p, size_t n)
{
	size_t size = readable(n);
	uint8_t *copy = guard_take(size) + size - n;

	if (p && n)
		memcpy(copy, p, n);
	else
		memset(copy, 0, n);
	return copy;
}

void guard_free(uint8_t *copy, size_t n)
{
	size_t size = readable(n);
	uint8_t *base = copy + n - size;

	if (size == page_size() && guard_kept_count < GUARD_KEPT) {
		memset(copy, GUARD_RUBBISH, n);
		ASAN_POISON_MEMORY_REGION(base, size);
		guard_kept[guard_kept_count++] = base;
	} else if (munmap(base, size + page_size()) < 0) {
		give_up("guard: munmap");
	}
}
