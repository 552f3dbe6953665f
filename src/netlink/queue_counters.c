/* SPDX-License-Identifier: GPL-2.0-or-later */
/* queue_counters.c - what the kernel counts of each queue
 *
 * A line has: number, netlink port of who has the queue, packets that wait for a verdict, copy
 * mode, copy range, packets dropped because the queue was full, packets dropped because the socket
 * was, packets seen.
 */
#include "queue_counters.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_MAX = 4096 }; /* far more than a line has */

size_t numbers(const char *line, unsigned long *ret_number, size_t max)
{
	size_t n = 0;

	for (line += strspn(line, " "); n < max && *line >= '0' && *line <= '9';
		line += strspn(line, " ")) {
		char *end;

		ret_number[n++] = strtoul(line, &end, 10);
		line = end;
	}
	return n;
}

bool queue_parse(const char *line, struct queue_counters *ret_queue)
{
	unsigned long n[8];

	if (numbers(line, n, 8) != 8)
		return false;
	*ret_queue = (struct queue_counters){n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]};
	return true;
}

/* Looks at the whole lines in `text`; returns where the one begins that has not ended yet, NULL if
 * the queue was among them. */
static const char *queue_counters_find(
	const char *text, uint16_t number, struct queue_counters *ret_queue)
{
	struct queue_counters q;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		if (queue_parse(text, &q) && q.number == number) {
			*ret_queue = q;
			return NULL;
		}
	}
	return text;
}

bool queue_counters_read(int fd, uint16_t number, struct queue_counters *ret_queue)
{
	char text[READ_MAX];
	const char *rest;
	size_t n = 0;
	ssize_t got;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return false;
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0) {
		text[n + (size_t)got] = '\0';
		rest = queue_counters_find(text, number, ret_queue);
		if (!rest)
			return true;
		n = strlen(rest);
		memmove(text, rest, n);
	}
	return false;
}
