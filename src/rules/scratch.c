/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch.c - rules loaded where nothing else is */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *scratch_lock; /* for run_take_lock() */

int scratch_enter(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err;

	if (home < 0)
		return -errno;
	if (unshare(CLONE_NEWNET) == 0) {
		scratch_lock = run_leave_lock();
		return home;
	}
	err = -errno;
	close(home);
	return err;
}

/* Whatever would be looked at from somewhere else would be wrong. */
void scratch_leave(int home)
{
	if (setns(home, CLONE_NEWNET) != 0) {
		perror("pasvd: cannot go back to the network namespace");
		exit(EXIT_FAILURE);
	}
	close(home);
	run_take_lock(scratch_lock);
}

static int scratch_load_rules(const char *command, const char *text, struct output *ret_saved)
{
	char restore[64], save[64];
	int status;

	snprintf(restore, sizeof(restore), "%s-restore", command);
	snprintf(save, sizeof(save), "%s-save", command);
	status = run((const char *const[]){restore, "-w", "10", NULL}, text, ret_saved);
	if (status)
		return status;
	free(ret_saved->text);
	return run((const char *const[]){save, NULL}, NULL, ret_saved);
}

int scratch_load(const char *command, const char *text, struct output *ret_saved)
{
	int home = scratch_enter(), status;

	*ret_saved = (struct output){0};
	if (home < 0) {
		snprintf(ret_saved->complaint, sizeof(ret_saved->complaint),
			"no network namespace can be made to try them: %s", strerror(-home));
		return home;
	}
	status = scratch_load_rules(command, text, ret_saved);
	scratch_leave(home);
	return status;
}
