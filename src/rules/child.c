/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.c - another program, run to its end
 *
 * Its input lies in memory before it is started, and what it prints to standard error goes to
 * memory as well, so there is one pipe only and nobody waits for the other.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pasvd/array.h"

enum { CHUNK = 1 << 16 };

static const char lock_variable[] = "XTABLES_LOCKFILE"; /* of iptables */

struct child {
	pid_t pid;
	int in, out[2], err; /* memory, a pipe, memory */
};

static int64_t child_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int child_in_memory(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	int fd = memfd_create("pasvd", MFD_CLOEXEC);

	if (fd >= 0 && len &&
		(write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int child_spawn(struct child *c, const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&actions, c->in, STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, c->out[1], STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, c->err, STDERR_FILENO);
	if (!err)
		err = posix_spawnp(&c->pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* Makes room for one more chunk and the NUL. */
static int child_grow(struct output *o)
{
	size_t room = 2 * (o->len + CHUNK);
	char *text;

	if (o->len + CHUNK > RUN_OUTPUT_MAX)
		return -E2BIG;
	if (o->len + CHUNK < o->room)
		return 0;
	text = realloc(o->text, room);
	if (!text)
		return -ENOMEM;
	o->text = text;
	o->room = room;
	return 0;
}

/* Waits for the next output. 1: some was read, 0: there is no more, or -errno. */
static int child_read_some(int fd, int64_t until, struct output *o)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int64_t left = until - child_milliseconds();
	ssize_t n;

	if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
		return -ETIMEDOUT;
	if (child_grow(o))
		return -E2BIG;
	n = read(fd, o->text + o->len, CHUNK);
	if (n < 0)
		return -errno;
	o->len += (size_t)n;
	o->text[o->len] = '\0';
	return n > 0;
}

static int child_read_all(int fd, int64_t until, struct output *o)
{
	int more;

	do
		more = child_read_some(fd, until, o);
	while (more > 0);
	return more;
}

/* Somebody may close his output and stay. */
static bool child_ends_in_time(pid_t pid, int64_t until)
{
	struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	int64_t left = until - child_milliseconds();
	bool ended = end.fd >= 0 && poll(&end, 1, left > 0 ? (int)left : 0) == 1;

	if (end.fd >= 0)
		close(end.fd);
	return ended;
}

/* The exit status, or -errno. */
static int child_status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* The first line but for comments, such as iptables' that there are rules of another kind. */
static void child_take_complaint(int fd, char complaint[RUN_COMPLAINT_MAX])
{
	ssize_t n = pread(fd, complaint, RUN_COMPLAINT_MAX - 1, 0);

	complaint[n > 0 ? n : 0] = '\0';
	while (complaint[0] == '#') {
		const char *end = strchr(complaint, '\n'), *next = end ? end + 1 : "";

		memmove(complaint, next, strlen(next) + 1);
	}
	for (char *end = complaint; (end = strchr(end, '\n'));) {
		/* iptables-restore */
		bool goes_on = end - complaint > 2 && memcmp(end - 2, ": ", 2) == 0;

		*end = goes_on ? ' ' : '\0';
	}
}

static int child_talk(struct child *c, const char *const argv[], struct output *o)
{
	int64_t until = child_milliseconds() + RUN_SECONDS * 1000;
	int err = child_spawn(c, argv), status;

	close(c->out[1]);
	c->out[1] = -1;
	if (err)
		return err;
	err = child_read_all(c->out[0], until, o);
	if (!err && !child_ends_in_time(c->pid, until))
		err = -ETIMEDOUT;
	if (err)
		kill(c->pid, SIGKILL);
	status = child_status_of(c->pid);
	child_take_complaint(c->err, o->complaint);
	return err ? err : status;
}

static void child_close(struct child *c)
{
	const int fds[] = {c->in, c->out[0], c->out[1], c->err};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

void run_environment(void)
{
	static bool is_set;
	const char *path = getenv("PATH");
	char all[4096];

	if (is_set)
		return;
	is_set = true;
	snprintf(all, sizeof(all), "%s%s/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin",
		path ? path : "", path ? ":" : "");
	setenv("PATH", all, 1);
	setenv("LC_ALL", "C", 1);
}

char *run_leave_lock(void)
{
	const char *file = getenv(lock_variable);
	char *before = file ? strdup(file) : NULL;

	setenv(lock_variable, "/proc/self/fd/0", 1); /* memory, which each program has of its own */
	return before;
}

void run_take_lock(char *before)
{
	if (before)
		setenv(lock_variable, before, 1);
	else
		unsetenv(lock_variable);
	free(before);
}

int run(const char *const argv[], const char *input, struct output *ret_output)
{
	struct child c = {
		.in = child_in_memory(input), .out = {-1, -1}, .err = child_in_memory(NULL)};
	struct output o = {0};
	int status;

	signal(SIGCHLD, SIG_DFL); /* if it was ignored at our start, no status would come back */
	if (c.in < 0 || c.err < 0 || pipe2(c.out, O_CLOEXEC) != 0)
		status = -errno;
	else
		status = child_talk(&c, argv, &o);
	child_close(&c);
	if (status < 0) {
		free(o.text);
		o.text = NULL;
		o.len = 0;
		if (!o.complaint[0])
			strncpy(o.complaint, strerror(-status), RUN_COMPLAINT_MAX - 1);
	}
	*ret_output = o;
	return status;
}
