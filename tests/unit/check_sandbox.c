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
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

static void call_alloc(void)
{
	free(malloc(1 << 20));
}

static void call_map_code(void)
{
	(void)mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void call_make_code(void)
{
	static char page[1];

	(void)mprotect(page, 0, PROT_READ | PROT_EXEC);
}

static void call_prctl(void)
{
	(void)prctl(PR_SET_DUMPABLE, 1);
}

static void call_kill_another(void)
{
	(void)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void call_kill_another_thread(void)
{
	(void)syscall(SYS_tkill, getppid(), 0);
}

static void call_kill(void)
{
	(void)kill(0, 0);
}

static void call_abort(void)
{
	abort();
}

/* Descriptors can be sent with it. */
static void call_sendmsg(void)
{
	const struct msghdr msg = {0};

	(void)sendmsg(STDERR_FILENO, &msg, 0);
}

static void call_connect(void)
{
	(void)connect(STDERR_FILENO, NULL, 0);
}

static void call_setsockopt(void)
{
	(void)setsockopt(STDERR_FILENO, SOL_SOCKET, SO_RCVBUF, NULL, 0);
}

static void call_netlink(void)
{
	(void)socket(AF_NETLINK, SOCK_RAW, 0);
}

static void call_type_into_terminal(void)
{
	(void)ioctl(STDERR_FILENO, TIOCSTI, "");
}

static void call_set_owner(void)
{
	(void)fcntl(STDERR_FILENO, F_SETOWN, getppid());
}

static void call_truncate(void)
{
	(void)open("/nowhere/at/all", O_RDONLY | O_TRUNC);
}

/* As musl opens a file. Not every architecture has it. */
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

/* As an architecture of 32 bits moves in a file. */
static void call_seek(void)
{
#ifdef SYS__llseek
	loff_t at;

	(void)syscall(SYS__llseek, STDERR_FILENO, 0L, 0L, &at, SEEK_CUR);
#else
	(void)lseek(STDERR_FILENO, 0, SEEK_CUR);
#endif
}

static void call_recv(void)
{
	char byte;

	(void)recv(STDERR_FILENO, &byte, sizeof(byte), 0);
}

static void call_who_asks(void)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	(void)getsockopt(STDERR_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &len);
}

static void call_getsockopt(void)
{
	int type;
	socklen_t len = sizeof(type);

	(void)getsockopt(STDERR_FILENO, SOL_SOCKET, SO_TYPE, &type, &len);
}

/* What none of them may do. */
static call_fn *const never[] = {call_open_to_write, call_plain_open_to_write, call_creat,
	call_truncate, call_unlink, call_socket, call_netlink, call_connect, call_setsockopt,
	call_getsockopt, call_sendmsg, call_fork, call_exec, call_ptrace, call_setuid, call_prctl,
	call_kill, call_kill_another, call_kill_another_thread, call_map_code, call_make_code,
	call_type_into_terminal, call_set_owner};

/* What all of them may do. */
static call_fn *const always[] = {call_nothing, call_write, call_alloc};

static void check_what_all_have_in_common(isolate_fn *isolate)
{
	int status = fate(isolate, call_abort);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		ck_assert_msg(goes_on(isolate, always[i]), "%zu of always", i);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		ck_assert_msg(is_killed(isolate, never[i]), "%zu of never", i);
}

START_TEST(who_parses_opens_nothing)
{
	check_what_all_have_in_common(sandbox_parser);
	ck_assert(goes_on(sandbox_parser, call_recv));
	ck_assert(is_killed(sandbox_parser, call_open));
	ck_assert(is_killed(sandbox_parser, call_nametoindex));
	ck_assert(goes_on(sandbox_parser, call_seek));
	ck_assert(goes_on(sandbox_parser, call_who_asks));
}
END_TEST

START_TEST(who_reads_files_does_nothing_else)
{
	check_what_all_have_in_common(sandbox_config_process);
	ck_assert(goes_on(sandbox_config_process, call_recv));
	ck_assert(goes_on(sandbox_config_process, call_open));
	ck_assert(goes_on(sandbox_config_process, call_plain_open));
	ck_assert(goes_on(sandbox_config_process, call_seek));
	ck_assert(goes_on(sandbox_config_process, call_nametoindex));
}
END_TEST

START_TEST(who_reads_a_capture_opens_nothing)
{
	check_what_all_have_in_common(sandbox_replay);
	ck_assert(goes_on(sandbox_replay, call_seek));
	ck_assert(is_killed(sandbox_replay, call_recv));
	ck_assert(is_killed(sandbox_replay, call_open));
	ck_assert(is_killed(sandbox_replay, call_nametoindex));
}
END_TEST

/* What the parser keeps has to be there. */
int main(void)
{
	const TTest *const test[] = {
		who_parses_opens_nothing,
		who_reads_files_does_nothing_else,
		who_reads_a_capture_opens_nothing,
	};

	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return SKIPPED;
	return unit_run("isolation", test, ARRAY_SIZE(test));
}
