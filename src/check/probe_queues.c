/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_queues.c - who listens to the queues
 *
 * The kernel lists the netlink port that each queue is bound to, /proc/net/netlink the inode of the
 * socket with that port, and /proc/PID/fd whose socket that is.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checks.h"
#include "probe.h"

enum { LINE_BYTES = 512, NETFILTER = 12, /* NETLINK_NETFILTER */ STUCK_SECONDS = 1 };

/* Finds the queue; the others' numbers go to `others`. */
static bool probe_queues_find_queue(
	FILE *file, uint16_t number, struct queue_counters *ret_queue, char *others, size_t cap)
{
	char line[LINE_BYTES];
	struct queue_counters q;
	bool found = false;

	while (fgets(line, sizeof(line), file)) {
		size_t used = strlen(others);

		if (!queue_parse(line, &q))
			continue;
		if (q.number == number) {
			*ret_queue = q;
			found = true;
		} else {
			snprintf(others + used, cap - used, "%s%lu", used ? ", " : "", q.number);
		}
	}
	return found;
}

/* 0, or -errno. */
static int probe_queues_read_queue(uint16_t number, bool *ret_bound,
	struct queue_counters *ret_queue, char *others, size_t cap)
{
	FILE *file = fopen(QUEUE_COUNTERS_FILE, "re");

	if (!file)
		return -errno;
	others[0] = '\0';
	*ret_bound = probe_queues_find_queue(file, number, ret_queue, others, cap);
	fclose(file);
	return 0;
}

/* --- whose it is --- */

/* "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode": that of the socket of netfilter with this
 * port, or 0. Groups are hexadecimal. */
static unsigned long probe_queues_inode_in(const char *line, unsigned long portid)
{
	const char *rest = line + strcspn(line, " ");
	unsigned long head[2], tail[6];

	if (numbers(rest, head, 2) != 2 || head[0] != NETFILTER || head[1] != portid)
		return 0;
	for (int i = 0; i < 3; i++) {
		rest += strspn(rest, " ");
		rest += strcspn(rest, " ");
	}
	return numbers(rest, tail, 6) == 6 ? tail[5] : 0;
}

static unsigned long probe_queues_inode_of(unsigned long portid)
{
	FILE *file = fopen("/proc/net/netlink", "re");
	unsigned long found = 0;
	char line[LINE_BYTES];

	while (file && !found && fgets(line, sizeof(line), file))
		found = probe_queues_inode_in(line, portid);
	if (file)
		fclose(file);
	return found;
}

/* Whether an entry of `folder` is a link to `target`. */
static bool has_link(const char *folder, const char *target)
{
	char path[2 * LINE_BYTES], link[LINE_BYTES];
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, target) == 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

static void probe_queues_read_name(const char *pid, char *ret_name, size_t cap)
{
	char path[LINE_BYTES];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.32s/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(ret_name, (int)cap, file))
		ret_name[strcspn(ret_name, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* The name of the program that has the socket; "" if it is not to be seen. */
static void probe_queues_name_holder(unsigned long portid, char *ret_name, size_t cap)
{
	char folder[LINE_BYTES], target[64];
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	snprintf(target, sizeof(target), "socket:[%lu]", probe_queues_inode_of(portid));
	ret_name[0] = '\0';
	while (dir && !ret_name[0] && (entry = readdir(dir))) {
		snprintf(folder, sizeof(folder), "/proc/%.32s/fd", entry->d_name);
		if (isdigit((unsigned char)entry->d_name[0]) && has_link(folder, target))
			probe_queues_read_name(entry->d_name, ret_name, cap);
	}
	if (dir)
		closedir(dir);
}

/* --- */

/* What waits now may have its verdict in a moment. */
static int probe_queue_again(struct queue_facts *q)
{
	const struct timespec moment = {.tv_sec = STUCK_SECONDS};

	q->then = q->first;
	if (!q->bound || !q->first.waiting)
		return 0;
	nanosleep(&moment, NULL);
	return probe_queues_read_queue(
		q->number, &q->bound, &q->then, q->others, sizeof(q->others));
}

static void probe_queues_say_unseen(struct report *r, int err)
{
	struct finding *found;

	if (err != -ENOENT) {
		report_add(r, SEVERITY_UNSEEN, "daemon", "%s: %s", QUEUE_COUNTERS_FILE,
			strerror(-err));
		return;
	}
	found = report_add(r, SEVERITY_ERROR, "daemon", "the kernel has no nfnetlink_queue");
	finding_why(found, "pasvd gets packets by it alone");
	finding_fix(found, "modprobe nfnetlink_queue");
}

/* `usual`: the queue that pasvd takes if nothing is said. */
static void probe_queue(const struct facts *f, uint16_t number, uint16_t usual, struct report *r)
{
	struct queue_facts q = {.number = number};
	char daemon[sizeof(f->daemon) + 16];
	int err = probe_queues_read_queue(number, &q.bound, &q.first, q.others, sizeof(q.others));

	if (!err)
		err = probe_queue_again(&q);
	if (err) {
		probe_queues_say_unseen(r, err);
		return;
	}
	if (q.bound)
		probe_queues_name_holder(q.then.portid, q.holder, sizeof(q.holder));
	if (number == usual || f->by_systemd)
		snprintf(daemon, sizeof(daemon), "%s", f->daemon);
	else
		snprintf(daemon, sizeof(daemon), "%s -q %u", f->daemon, number);
	check_queue(&q, daemon, r);
}

void probe_queues(struct facts *f, uint16_t queue, struct report *r)
{
	size_t before = report_count(r, SEVERITY_ERROR);
	bool any = false;

	for (size_t i = 0; i < f->n_targets; i++) {
		const struct service *s = &f->target[i].service;

		for (size_t j = 0; j < s->n_queues; j++) {
			probe_queue(f, s->queue[j], queue, r);
			any = true;
		}
	}
	if (!any)
		probe_queue(f, queue, queue, r);
	f->queue_fails = report_count(r, SEVERITY_ERROR) > before;
}
