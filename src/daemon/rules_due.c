/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_due.c - when `pasvd rules watch` looks at the rules, and when it stops to load them */
#include "rules_due.h"

#include <string.h>

void rules_due_deletion(struct rules_due *d, uint64_t now)
{
	if (!d->first)
		d->first = now;
	d->last = now;
}

void rules_due_change(struct rules_due *d, uint64_t now)
{
	d->last = now;
}

bool rules_due_waits(const struct rules_due *d)
{
	return d->first;
}

uint64_t rules_due_at(const struct rules_due *d)
{
	uint64_t quiet = d->last + RULES_DUE_QUIET_MS;
	uint64_t begin = d->rest_until ? d->rest_until : d->first;

	if (!begin || quiet < begin)
		return begin;
	return quiet < begin + RULES_DUE_LATEST_MS ? quiet : begin + RULES_DUE_LATEST_MS;
}

void rules_due_look(struct rules_due *d)
{
	d->first = d->last = 0;
	if (d->rest_until)
		rules_due_forgive(d);
}

bool rules_due_load(struct rules_due *d, uint64_t now)
{
	uint64_t *oldest = &d->load[d->oldest];

	if (*oldest && now - *oldest < RULES_DUE_WITHIN_MS) {
		d->rest_until = now + RULES_DUE_REST_MS;
		return false;
	}
	*oldest = now;
	d->oldest = (d->oldest + 1) % RULES_DUE_LOADS;
	return true;
}

void rules_due_forgive(struct rules_due *d)
{
	d->rest_until = 0;
	memset(d->load, 0, sizeof(d->load));
}
