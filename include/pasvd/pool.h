/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.h - which of a fixed number of places are taken, in the order in which they were
 *
 * What is given back last is taken first, so that the memory of places that were never needed at
 * once is not touched.
 */
#ifndef PASVD_POOL_H
#define PASVD_POOL_H

#include "pasvd/list.h"

struct pool {
	uint32_t max;       /* places, of which */
	uint32_t used;      /* 1..used have been taken at some time */
	uint32_t taken;     /* are now: */
	struct list in_use; /* those, the one taken first is the first */
	uint32_t given;     /* the one given back last, LIST_END if there is none */
	/* 1 + max of them, of the caller, since no place has the number 0; of free places `next`
	 * is used */
	struct list_link *link;
};

void pool_init(struct pool *p, struct list_link *link, uint32_t max);

/* A place, or LIST_END if all are taken. */
uint32_t pool_take(struct pool *p);

/* Gives place `i` back, which is taken. */
void pool_give(struct pool *p, uint32_t i);

#endif
