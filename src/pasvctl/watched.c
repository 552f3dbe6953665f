/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watched.c - what `pasvd rules watch` says about the rules of a network namespace
 *
 * See rules_status.h. The daemon cannot say it: it neither loads rules nor may it list them.
 */
#include "watched.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "rules_status.h"

static bool watched_is_locked(int fd)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

json_t *watched_rules(json_int_t netns)
{
	char path[RULES_STATUS_PATH_MAX];
	json_t *rules = NULL;
	int fd;

	snprintf(path, sizeof(path), RULES_STATUS_PATH, (uintmax_t)netns);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && watched_is_locked(fd))
		rules = json_loadfd(fd, 0, NULL);
	if (fd >= 0)
		close(fd);
	return rules ? rules : json_pack("{s:s}", "state", "unknown");
}
