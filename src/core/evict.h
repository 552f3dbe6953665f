/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evict.h - who goes when there is no room */
#ifndef PASVD_CORE_EVICT_H
#define PASVD_CORE_EVICT_H

#include "pasvd/engine.h"

/* Makes room for another session. */
void evict_make_room(struct engine *h);

/* Lends the stream what a packet needs; a session that borrowed long ago goes for it. */
void evict_lend(struct engine *h, struct conn *c, enum dir dir);

#endif
