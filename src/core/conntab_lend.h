/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntab_lend.h - takes back from a session what it was lent, if it was */
#ifndef PASVD_CORE_CONNTAB_LEND_H
#define PASVD_CORE_CONNTAB_LEND_H

#include "pasvd/conntab.h"

void conntab_take_buffer(struct conntab *t, struct stream *stream);
void conntab_take_edits(struct conntab *t, struct stream *stream);

#endif
