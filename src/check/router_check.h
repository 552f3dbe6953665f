/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router_check.h - `pasvd check` */
#ifndef PASVD_CHECK_H
#define PASVD_CHECK_H

#include "options.h"

/* Looks at this router and prints what it finds. The exit status is that of report_status(). */
extern const struct options_command check_command;

#endif
