/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regular.h - regular files, opened without ever waiting */
#ifndef PASVD_REGULAR_H
#define PASVD_REGULAR_H

#include <stdbool.h>
#include <stdio.h>

/* Opens a regular file to be read. 0 or -errno, -ENOTSUP for what is no regular file: a FIFO or a
 * device might keep its reader waiting, and packets with it. The caller closes *ret_file. */
int regular_open(const char *path, FILE **ret_file);

/* Whether nothing has this name, not even a link that leads nowhere. */
bool is_missing(const char *path);

/* What an error of regular_open() means. */
const char *regular_error(int err);

#endif
