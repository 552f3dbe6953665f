/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_watch.h - `pasvd rules watch` */
#ifndef PASVD_RULES_WATCH_H
#define PASVD_RULES_WATCH_H

#include "options.h"

extern const struct options_command rules_watch_command;

#endif
