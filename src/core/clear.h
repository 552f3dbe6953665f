/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clear.h - where clear text begins again after TLS */
#ifndef PASVD_CORE_CLEAR_H
#define PASVD_CORE_CLEAR_H

#include "step.h"

/* The place of a segment of a connection that is TLS: LINE_OLD, nothing is read of it, until
 * *ret_skip bytes of it are followed by clear text that is new. */
enum line_place clear_locate(
	struct step *s, const struct seg *seg, const uint8_t *payload, size_t *ret_skip);

#endif
