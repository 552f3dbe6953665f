/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_sandbox.c - a forbidden call ends the process, loudly
 *
 * Each call is made in a process of its own that has shut itself in.
 */
#include "sandbox.h"
#include "unit.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77 };

typedef int isolate_fn(void);
typedef void call_fn(void);

/* The wait status of a process that shuts itself in and makes the call. */
static int fate(isolate_fn *isolate, call_fn *call)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (isolate() != 0)
			_exit(99);
		call();
		_exit(7);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static bool is_killed(isolate_fn *isolate, call_fn *call)
{
	int status = fate(isolate, call);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool goes_on(isolate_fn *isolate, call_fn *call)
{
	int status = fate(isolate, call);

	return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static void call_nothing(void)
{
}

static void call_open(void)
{
	(void)open("/dev/null", O_RDONLY);
}

static void call_open_to_write(void)
{
	(void)open("/dev/null", O_WRONLY);
}

/* As musl opens a file, which has no openat in open() and fopen(); and as an architecture of 32
 * bits moves in one. Not every architecture has the two. */
static void call_plain_open(void)
{
#ifdef SYS_open
	(void)syscall(SYS_open, "/dev/null", O_RDONLY);
#endif
}

static void call_plain_open_to_write(void)
{
#ifdef SYS_open
	(void)syscall(SYS_open, "/dev/null", O_WRONLY);
#else
	call_open_to_write();
#endif
}

static void call_seek(void)
{
#ifdef SYS__llseek
	loff_t at;

	(void)syscall(SYS__llseek, STDIN_FILENO, 0L, 0L, &at, SEEK_SET);
#else
	(void)lseek(STDIN_FILENO, 0, SEEK_SET);
#endif
}

static void call_creat(void)
{
	(void)creat("/nowhere/at/all", 0600);
}

static void call_unlink(void)
{
	(void)unlink("/nowhere/at/all");
}

static void call_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void call_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void call_exec(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
}

static void call_ptrace(void)
{
	(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void call_setuid(void)
{
	(void)!setuid(0);
}

static void call_write(void)
{
	(void)!write(STDERR_FILENO, "", 0);
}

static void call_nametoindex(void)
{
	(void)if_nametoindex("lo");
}

START_TEST(who_parses_opens_nothing)
{
	ck_assert(goes_on(sandbox_parser, call_nothing));
	ck_assert(goes_on(sandbox_parser, call_write));
	ck_assert(is_killed(sandbox_parser, call_open));
	ck_assert(goes_on(sandbox_parser, call_seek));
	ck_assert(is_killed(sandbox_parser, call_creat));
	ck_assert(is_killed(sandbox_parser, call_unlink));
	ck_assert(is_killed(sandbox_parser, call_socket));
	ck_assert(is_killed(sandbox_parser, call_nametoindex));
	ck_assert(is_killed(sandbox_parser, call_fork));
	ck_assert(is_killed(sandbox_parser, call_exec));
	ck_assert(is_killed(sandbox_parser, call_ptrace));
	ck_assert(is_killed(sandbox_parser, call_setuid));
}
END_TEST

START_TEST(who_reads_files_does_nothing_else)
{
	ck_assert(goes_on(sandbox_config_process, call_nothing));
	ck_assert(goes_on(sandbox_config_process, call_open));
	ck_assert(goes_on(sandbox_config_process, call_plain_open));
	ck_assert(goes_on(sandbox_config_process, call_seek));
	ck_assert(goes_on(sandbox_config_process, call_nametoindex));
	ck_assert(is_killed(sandbox_config_process, call_open_to_write));
	ck_assert(is_killed(sandbox_config_process, call_plain_open_to_write));
	ck_assert(is_killed(sandbox_config_process, call_creat));
	ck_assert(is_killed(sandbox_config_process, call_unlink));
	ck_assert(is_killed(sandbox_config_process, call_fork));
	ck_assert(is_killed(sandbox_config_process, call_exec));
	ck_assert(is_killed(sandbox_config_process, call_ptrace));
	ck_assert(is_killed(sandbox_config_process, call_setuid));
}
END_TEST

/* What the parser keeps has to be there. */
int main(void)
{
	const TTest *const test[] = {
		who_parses_opens_nothing,
		who_reads_files_does_nothing_else,
	};

	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return SKIPPED;
	return unit_run("isolation", test, ARRAY_SIZE(test));
}
