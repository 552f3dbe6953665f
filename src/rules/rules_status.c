/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_status.c - what `pasvd rules watch` knows of the rules, for pasvctl
 *
 * A file that is complete and locked takes the place of the one before, so that a reader has either
 * of them, and cannot keep the watcher from the lock.
 */
#include "rules_status.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct status_file {
	int fd; /* whose lock is held, if there is a file */
	enum rules_status status;
	uint64_t since_us;
} status_file = {.fd = -1};

uintmax_t rules_status_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? (uintmax_t)st.st_ino : 0;
}

static bool status_is_absence(enum rules_status status)
{
	return status == RULES_STATUS_MISSING || status == RULES_STATUS_GIVEN_UP ||
	       status == RULES_STATUS_REMOVED;
}

static uint64_t status_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static bool status_write(int fd, const struct status_file *f)
{
	static const char *const names[] = {[RULES_STATUS_LOADED] = "loaded",
		[RULES_STATUS_MISSING] = "missing",
		[RULES_STATUS_GIVEN_UP] = "given-up",
		[RULES_STATUS_REMOVED] = "removed",
		[RULES_STATUS_LEFT_ALONE] = "left-alone"};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_SETLK, &lock) == 0 &&
	       dprintf(fd, "{\"state\":\"%s\",\"since_us\":%ju}\n", names[f->status],
		       (uintmax_t)f->since_us) > 0 &&
	       fchmod(fd, 0644) == 0;
}

/* The new file in the place of the old one; its descriptor, or -1. */
static int status_replace(const struct status_file *f, const char *path)
{
	char next[RULES_STATUS_PATH_MAX + sizeof(".new")];
	int fd;

	snprintf(next, sizeof(next), "%s.new", path);
	unlink(next);
	fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (status_write(fd, f) && rename(next, path) == 0)
		return fd;
	unlink(next);
	close(fd);
	return -1;
}

void rules_status_set(enum rules_status status)
{
	struct status_file *f = &status_file;
	char path[RULES_STATUS_PATH_MAX];
	int before = f->fd;

	if (status == f->status && (before >= 0 || status == RULES_STATUS_UNKNOWN))
		return;
	if (status != f->status && !(status_is_absence(status) && status_is_absence(f->status)))
		f->since_us = status_now_us();
	f->status = status;
	snprintf(path, sizeof(path), RULES_STATUS_PATH, rules_status_netns());
	f->fd = status == RULES_STATUS_UNKNOWN ? -1 : status_replace(f, path);
	if (f->fd < 0)
		unlink(path);
	if (before >= 0)
		close(before);
}
