/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list.h - numbers in an order, linked both ways
 *
 * The links are in an array of the caller's, one for each number that can be in the list, so that a
 * number can be in several lists with an array each. Numbers begin with 1: zeros are an empty list,
 * and a table of zeros needs nothing done to it.
 */
#ifndef PASVD_LIST_H
#define PASVD_LIST_H

#include <stdint.h>

enum { LIST_END = 0 }; /* no number */

struct list {
	uint32_t first, last; /* LIST_END: it is empty */
};

struct list_link {
	uint32_t prev, next; /* LIST_END at the ends */
};

/* `i` is in no list that has these links. */
static inline void list_append(struct list *l, struct list_link *links, uint32_t i)
{
	links[i] = (struct list_link){l->last, LIST_END};
	*(l->last == LIST_END ? &l->first : &links[l->last].next) = i;
	l->last = i;
}

static inline void list_remove(struct list *l, struct list_link *links, uint32_t i)
{
	const struct list_link *link = &links[i];

	*(link->prev == LIST_END ? &l->first : &links[link->prev].next) = link->next;
	*(link->next == LIST_END ? &l->last : &links[link->next].prev) = link->prev;
}

/* `i` becomes the last one. */
static inline void list_renew(struct list *l, struct list_link *links, uint32_t i)
{
	list_remove(l, links, i);
	list_append(l, links, i);
}

#endif
