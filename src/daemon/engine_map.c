/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine_map.c - memory for an engine
 *
 * Its session table is too large for the stack. It is not a global either, so that commands that
 * need no engine do not have one: LeakSanitizer reads all globals of a process when it ends.
 */
#include "engine_map.h"

#include <sys/mman.h>

struct engine *engine_map(void)
{
	void *p = mmap(NULL, sizeof(struct engine), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}
