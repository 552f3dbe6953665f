/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_state.c - what `pasvd rules load` and `remove` leave for `pasvd rules watch` */
#include "rules_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules_load.h"
#include "rules_status.h"

enum { STATE_PATH_MAX = 64 };

char *rules_state_text(const struct rules *r)
{
	char *text = NULL, *part;
	size_t len;
	FILE *out;

	if (r->nft)
		return rules_text(r, r->families);
	out = open_memstream(&text, &len);
	for (unsigned int family = 0; out && family < RULES_FAMILIES; family++) {
		part = r->families & 1U << family ? rules_text(r, 1U << family) : NULL;
		fputs(part ? part : "", out);
		free(part);
	}
	return out && fclose(out) == 0 ? text : NULL;
}

/* --- the file --- */

static int state_path(char ret_path[STATE_PATH_MAX])
{
	uintmax_t netns = rules_status_netns();

	if (!netns)
		return -errno;
	snprintf(ret_path, STATE_PATH_MAX, RULES_STATE_FOLDER "/%ju", netns);
	return 0;
}

static int state_open(int flags)
{
	char path[STATE_PATH_MAX];
	int err = state_path(path), fd;

	if (err)
		return err;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	return fd < 0 ? -errno : fd;
}

/* The watcher's for as long as it lives. */
static int state_own(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int err;

	if (fcntl(fd, F_SETLK, &lock) == 0)
		return fd;
	err = errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	close(fd);
	return err;
}

int rules_state_create(void)
{
	bool made = mkdir(RULES_STATE_FOLDER, 0755) == 0;
	int fd;

	if (made ? chmod(RULES_STATE_FOLDER, 0755) != 0 : errno != EEXIST) /* without the umask */
		return -errno;
	fd = state_open(O_CREAT);
	return fd < 0 ? fd : state_own(fd);
}

void rules_state_delete(int fd)
{
	char path[STATE_PATH_MAX];

	if (state_path(path) == 0)
		unlink(path);
	rmdir(RULES_STATE_FOLDER); /* unless others are in it */
	close(fd);
}

int rules_state_lock(void)
{
	int lock = open(RULES_STATE_LOCK, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	while (lock >= 0 && flock(lock, LOCK_EX) != 0 && errno == EINTR)
		;
	return lock;
}

void rules_state_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

bool rules_state_is(int fd, const char *text)
{
	size_t len = strlen(text);
	char *now = malloc(len + 1);
	ssize_t n = now ? pread(fd, now, len + 1, 0) : -1;
	bool same = n >= 0 && (size_t)n == len && memcmp(now, text, len) == 0;

	free(now);
	return same;
}

int rules_state_set(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;
	int err;

	if (ftruncate(fd, 0) != 0)
		return -errno;
	n = pwrite(fd, text, len, 0);
	if (n == (ssize_t)len)
		return 0;
	err = n < 0 ? -errno : -ENOSPC;
	(void)ftruncate(fd, 0);
	return err;
}

/* --- commands --- */

static void state_leave(const char *text)
{
	int fd = state_open(0);

	if (fd < 0)
		return;
	rules_state_set(fd, text);
	close(fd);
}

int rules_state_load(const struct rules *r)
{
	int lock = rules_state_lock(), status = rules_load(r);
	char *text = rules_state_text(r);

	if (!status && text)
		state_leave(text);
	free(text);
	rules_state_unlock(lock);
	return status;
}

int rules_state_remove(void)
{
	int lock = rules_state_lock(), status;

	state_leave("");
	status = rules_remove();
	rules_state_unlock(lock);
	return status;
}
