/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top.h - sessions in a terminal, again and again */
#ifndef PASVD_CTL_TOP_H
#define PASVD_CTL_TOP_H

#include <stdbool.h>

/* Shows them until q is typed, or it is interrupted. False: that is not possible, and `error` of
 * ASK_ERROR_MAX bytes says why. A daemon that goes away while it runs is waited for. */
bool top_run(const char *path, char *error);

#endif
