/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntab_lend.h - between conntab.c and conntab_lend.c */
#ifndef PASVD_CORE_CONNTAB_LEND_H
#define PASVD_CORE_CONNTAB_LEND_H

#include "pasvd/conntab.h"

/* The entry's number. */
static inline uint32_t conntab_index(const struct conntab *t, const struct conn *c)
{
	return (uint32_t)(c - t->conn);
}

/* Take back what was lent, if it was. */
void conntab_take_buffer(struct conntab *t, struct stream *stream);
void conntab_take_edits(struct conntab *t, struct stream *stream);

#endif
