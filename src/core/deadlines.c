/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deadlines.c - which number's time is up first
 *
 * Places count from 1: those after place k are 2k and 2k + 1, and none of them is earlier.
 */
#include "pasvd/deadlines.h"

void deadlines_init(struct deadlines *d, struct deadline *heap, uint32_t *place)
{
	d->n = 0;
	d->heap = heap;
	d->place = place;
}

static struct deadline *deadlines_at(const struct deadlines *d, uint32_t place)
{
	return &d->heap[place - 1];
}

static void deadlines_put(struct deadlines *d, uint32_t place, struct deadline deadline)
{
	*deadlines_at(d, place) = deadline;
	d->place[deadline.i] = place;
}

/* `deadline` goes to `place`, or before it. */
static void deadlines_rise(struct deadlines *d, uint32_t place, struct deadline deadline)
{
	for (; place > 1 && deadlines_at(d, place / 2)->time > deadline.time; place /= 2)
		deadlines_put(d, place, *deadlines_at(d, place / 2));
	deadlines_put(d, place, deadline);
}

/* The earlier one of the two after `place`, or 0 if there is none. */
static uint32_t deadlines_after(const struct deadlines *d, uint32_t place)
{
	uint32_t a = 2 * place, b = a + 1;

	if (a > d->n)
		return 0;
	return b <= d->n && deadlines_at(d, b)->time < deadlines_at(d, a)->time ? b : a;
}

/* `deadline` goes to `place`, or after it. */
static void deadlines_sink(struct deadlines *d, uint32_t place, struct deadline deadline)
{
	uint32_t after = deadlines_after(d, place);

	while (after && deadlines_at(d, after)->time < deadline.time) {
		deadlines_put(d, place, *deadlines_at(d, after));
		place = after;
		after = deadlines_after(d, place);
	}
	deadlines_put(d, place, deadline);
}

static bool deadlines_has(const struct deadlines *d, uint32_t i)
{
	uint32_t place = d->place[i];

	return place && place <= d->n && deadlines_at(d, place)->i == i;
}

void deadlines_clear(struct deadlines *d, uint32_t i)
{
	uint32_t place = d->place[i];
	struct deadline last;

	if (!deadlines_has(d, i))
		return;
	last = *deadlines_at(d, d->n--);
	if (place > d->n)
		return;
	if (place > 1 && deadlines_at(d, place / 2)->time > last.time)
		deadlines_rise(d, place, last);
	else
		deadlines_sink(d, place, last);
}

void deadlines_set(struct deadlines *d, uint32_t i, uint64_t time)
{
	deadlines_clear(d, i);
	deadlines_rise(d, ++d->n, (struct deadline){time, i});
}

uint64_t deadlines_first(const struct deadlines *d, uint32_t *ret_i)
{
	if (!d->n)
		return DEADLINES_NONE;
	*ret_i = d->heap[0].i;
	return d->heap[0].time;
}
