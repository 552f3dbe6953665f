/* SPDX-License-Identifier: GPL-2.0-or-later */
/* queue_counters.h - what the kernel counts of each queue
 *
 * /proc/net/netfilter/nfnetlink_queue has a line for each queue that is bound. There is no request
 * of netlink for it. Root may open the file, and its group.
 */
#ifndef PASVD_QUEUE_COUNTERS_H
#define PASVD_QUEUE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_COUNTERS_FILE "/proc/net/netfilter/nfnetlink_queue"

struct queue_counters {
	unsigned long number, portid, waiting, mode, range, dropped, undelivered, seen;
};

/* Decimal numbers with blanks between them, `max` at most; returns how many there are up to
 * something else. */
size_t numbers(const char *line, unsigned long *ret_number, size_t max);

/* A line of the file. */
bool queue_parse(const char *line, struct queue_counters *ret_queue);

/* The line of a queue, read anew from the open file. False: there is none, or `fd` is -1. */
bool queue_counters_read(int fd, uint16_t number, struct queue_counters *ret_queue);

#endif
