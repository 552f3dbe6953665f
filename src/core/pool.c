/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.c - which of a fixed number of places are taken, in the order in which they were */
#include "pasvd/pool.h"

void pool_init(struct pool *p, struct list_link *link, uint32_t max)
{
	*p = (struct pool){.max = max, .link = link};
}

uint32_t pool_take(struct pool *p)
{
	uint32_t i = p->given;

	if (p->taken >= p->max)
		return LIST_END;
	if (i == LIST_END)
		i = ++p->used;
	else
		p->given = p->link[i].next;
	list_append(&p->in_use, p->link, i);
	p->taken++;
	return i;
}

void pool_give(struct pool *p, uint32_t i)
{
	list_remove(&p->in_use, p->link, i);
	p->link[i].next = p->given;
	p->given = i;
	p->taken--;
}
