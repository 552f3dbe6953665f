/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watched.h - what `pasvd rules watch` says about the rules of a network namespace */
#ifndef PASVD_CTL_WATCHED_H
#define PASVD_CTL_WATCHED_H

#include <jansson.h>

/* An object with "state", and with "since_us" unless that is "unknown". */
json_t *watched_rules(json_int_t netns);

#endif
