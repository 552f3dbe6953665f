/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_check.h - `pasvd rules --check` */
#ifndef PASVD_RULES_CHECK_H
#define PASVD_RULES_CHECK_H

#include "conf.h"

/* Becomes `pasvd-rules check`, which compares what the rules would be with what is loaded. It gets
 * the options of conf->argv without the one at `check`, which is --check itself. Returns the exit
 * status 1 if it cannot be run, after one line on stderr. */
int rules_check(const struct conf *conf, int check);

#endif
