/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regular.c - regular files, opened without ever waiting */
#include "regular.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Takes over `fd`, unless it fails. */
static int regular_open_stream(int fd, FILE **ret_file)
{
	struct stat st;
	FILE *file;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	file = fdopen(fd, "r");
	if (!file)
		return -errno;
	*ret_file = file;
	return 0;
}

int regular_open(const char *path, FILE **ret_file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	err = regular_open_stream(fd, ret_file);
	if (err)
		close(fd);
	return err;
}

bool is_missing(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT;
	close(fd);
	return false;
}

const char *regular_error(int err)
{
	return err == -ENOTSUP ? "not a regular file" : strerror(-err);
}
