/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router_check.h - `pasvd check` */
#ifndef PASVD_CHECK_H
#define PASVD_CHECK_H

#include "conf.h"

/* Looks at this router and prints what it finds; conf->argv[0] is the subcommand's own name, behind
 * it stand options of `pasvd rules`. Returns the exit status: that of report_status(), or
 * EXIT_USAGE after a line on stderr. */
int check_main(const struct conf *conf);

#endif
