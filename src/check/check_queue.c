/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_queue.c - whether somebody listens to the queue, and keeps up
 *
 * What has got its verdict is what was seen without the two kinds of drops and what waits.
 */
#include <string.h>

#include "checks.h"

static const char about[] = "daemon";

enum { COPY_PACKET = 2, LOST_OF = 1000 };

static unsigned long check_queue_settled(const struct queue_counters *q)
{
	return q->seen - q->dropped - q->undelivered - q->waiting;
}

static void check_queue_unbound(const struct queue_facts *q, const char *daemon, struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_ERROR, about,
		"nobody listens to queue %u, where the rules send packets", q->number);

	if (q->others[0])
		finding_why(found,
			"control connections pass unchanged, and nothing is opened; queues with a "
			"listener: "
			"%s",
			q->others);
	else
		finding_why(found, "control connections pass unchanged, and nothing is opened");
	finding_fix(found, "%s", daemon);
}

static void check_queue_other_program(const struct queue_facts *q, struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_ERROR, about,
		"%s listens to queue %u, and not pasvd", q->holder, q->number);

	finding_why(found, "a queue has one listener: pasvd cannot have it");
	finding_advice(found, "end that program, or give pasvd another queue (-q, and --queue of "
			      "pasvd rules load)");
}

static void check_queue_stuck(const struct queue_facts *q, struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_ERROR, about,
		"%lu packets wait in queue %u, and none gets its verdict", q->then.waiting,
		q->number);

	finding_why(found,
		"control connections stand still while their packets wait; whoever listens is "
		"stopped or stuck");
	finding_advice(found, "start pasvd again: sessions survive that");
}

static void check_queue_lost(const struct queue_facts *q, struct report *r)
{
	struct finding *found = report_add(r, SEVERITY_WARNING, about,
		"of %lu packets for queue %u %lu were dropped", q->then.seen, q->number,
		q->then.dropped + q->then.undelivered);

	finding_why(found,
		"more came than pasvd could look at, and TCP had to repeat them; counted since "
		"pasvd was started");
	finding_advice(found, "give pasvd more processor time: Nice= or CPUWeight= in its unit");
}

static bool queue_is_stuck(const struct queue_facts *q)
{
	return q->first.waiting && q->then.waiting &&
	       check_queue_settled(&q->first) == check_queue_settled(&q->then);
}

void check_queue(const struct queue_facts *q, const char *daemon, struct report *r)
{
	unsigned long lost = q->then.dropped + q->then.undelivered;

	if (!q->bound)
		check_queue_unbound(q, daemon, r);
	else if (q->holder[0] && strcmp(q->holder, "pasvd") != 0)
		check_queue_other_program(q, r);
	else if (q->then.mode != COPY_PACKET || queue_is_stuck(q))
		check_queue_stuck(q, r);
	else if (lost && lost >= q->then.seen / LOST_OF)
		check_queue_lost(q, r);
	else
		report_add(r, SEVERITY_OK, about, "listens to queue %u, %lu packets seen",
			q->number, q->then.seen);
}
