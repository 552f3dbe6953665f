/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drop_in.h - FILE.d/NAME.conf: files that are read after FILE */
#ifndef PASVD_DROP_IN_H
#define PASVD_DROP_IN_H

#include <stddef.h>

/* Has `read` called with the path of each drop-in of `file`, in the order of their names, until it
 * returns an error. 0 or that, or -errno with one line of at most `cap` bytes in `error`. That
 * there are none is no error. */
int drop_in_each(const char *file, int (*read)(void *data, const char *path), void *data,
	char *error, size_t cap);

#endif
