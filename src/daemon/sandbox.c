/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.c - a process gives up what it does not need any more
 *
 * The lists hold what the calls in src/ need, together with what the C library makes of them:
 * allocation for stdio (mmap, brk), the fallbacks of the vDSO (clock_gettime), abort(), and what
 * the sanitizers of a test build do (sched_yield, sigaltstack). Musl opens files with open, and an
 * architecture of 32 bits has _llseek and calls whose names end with 64. An entry that a kernel or
 * an architecture does not know is left out by libseccomp.
 *
 * Where a call can do more than is needed its arguments are looked at: no memory becomes code, no
 * signal goes to another process, no file is written, no new socket reaches a network.
 *
 * Written out here and not left to the service manager: the daemon is also started without one, and
 * it can forbid more once everything is open.
 */
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of all. */
static const char *const common[] = {"brk", "clock_gettime", "clock_gettime64", "close", "exit",
	"exit_group", "futex", "futex_time64", "getpid", "getrandom", "gettid", "madvise", "mremap",
	"munmap", "read", "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"sched_yield", "sigaltstack", "sigreturn", "time", "gettimeofday", "write", "writev", NULL};

/* Of the two that log, and that talk to each other. */
static const char *const daemon_calls[] = {
	"poll", "ppoll", "ppoll_time64", "recv", "recvfrom", "send", "sendto", NULL};

/* Clients of the control socket: they come, but nothing new is listened to. Packets come in
 * batches. What the kernel counts of its queues is read again. */
static const char *const parser[] = {"_llseek", "accept4", "epoll_ctl", "epoll_pwait", "epoll_wait",
	"lseek", "recvmmsg", "recvmmsg_time64", "timerfd_settime", "timerfd_settime64", NULL};

/* Of the two that read files. */
static const char *const stream[] = {
	"_llseek", "fstat", "fstat64", "fstatat64", "lseek", "newfstatat", "readv", "statx", NULL};

static const char *const config_process[] = {"getdents64", NULL};

/* A call one of whose arguments, as far as the mask goes, has to be the value. Arguments are
 * numbered from 0 on. */
struct sandbox_argument {
	const char *name;
	unsigned number;
	scmp_datum_t mask, value;
};

static const struct sandbox_argument common_arguments[] = {
#ifdef __s390__ /* where they are in memory */
	{"mmap", 0, 0, 0},
#else
	{"mmap", 2, PROT_EXEC, 0},
#endif
	{"mmap2", 2, PROT_EXEC, 0},
	{"mprotect", 2, PROT_EXEC, 0},
	{NULL, 0, 0, 0},
};

/* Who a client of the control socket is. */
static const struct sandbox_argument parser_arguments[] = {
	{"getsockopt", 2, UINT32_MAX, SO_PEERCRED},
	{NULL, 0, 0, 0},
};

/* A file that is there, and not to write to it. if_nametoindex() asks by way of a socket. */
static const struct sandbox_argument config_process_arguments[] = {
	{"fcntl", 1, UINT32_MAX, F_GETFL},
	{"fcntl", 1, UINT32_MAX, F_SETFD},
	{"fcntl64", 1, UINT32_MAX, F_GETFL},
	{"fcntl64", 1, UINT32_MAX, F_SETFD},
	{"ioctl", 1, UINT32_MAX, SIOCGIFINDEX},
	{"open", 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
	{"openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
	{"socket", 0, UINT32_MAX, AF_UNIX},
	{NULL, 0, 0, 0},
};

static int sandbox_allow(scmp_filter_ctx ctx, const char *const *names)
{
	int err = 0;

	for (; *names && !err; names++) {
		int call = seccomp_syscall_resolve_name(*names);

		if (call != __NR_SCMP_ERROR)
			err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0);
	}
	return err;
}

static int sandbox_allow_argument(scmp_filter_ctx ctx, const struct sandbox_argument *a)
{
	const struct scmp_arg_cmp condition =
		SCMP_CMP64(a->number, SCMP_CMP_MASKED_EQ, a->mask, a->value);
	int call = seccomp_syscall_resolve_name(a->name);

	return call == __NR_SCMP_ERROR ? 0
				       : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, condition);
}

static int sandbox_allow_arguments(scmp_filter_ctx ctx, const struct sandbox_argument *a)
{
	int err = 0;

	for (; a->name && !err; a++)
		err = sandbox_allow_argument(ctx, a);
	return err;
}

/* What a process may call. */
struct sandbox_calls {
	const char *const *names[5]; /* ended by NULL */
	const struct sandbox_argument *arguments;
};

static int sandbox_fill_filter(scmp_filter_ctx ctx, const struct sandbox_calls *calls)
{
	/* abort() sends a signal: glibc's with the one call, musl's with the other. */
	const scmp_datum_t self = (scmp_datum_t)getpid();
	const struct sandbox_argument own[] = {
		{"tgkill", 0, UINT32_MAX, self}, {"tkill", 0, UINT32_MAX, self}, {NULL, 0, 0, 0}};
	int err = sandbox_allow_arguments(ctx, own);

	for (int i = 0; calls->names[i] && !err; i++)
		err = sandbox_allow(ctx, calls->names[i]);
	if (!err)
		err = sandbox_allow_arguments(ctx, common_arguments);
	if (!err && calls->arguments)
		err = sandbox_allow_arguments(ctx, calls->arguments);
	return err;
}

static int sandbox_load_filter(const struct sandbox_calls *calls)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err;

	if (!ctx)
		return -ENOMEM;
	err = sandbox_fill_filter(ctx, calls);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

/* Without CAP_SETPCAP, as under a service manager, the bounding set stays: no_new_privs makes it
 * meaningless. libcap-ng is not asked in vain, for it would complain to the system's log. */
static int sandbox_drop_root(int capability)
{
	bool bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

	capng_clear(CAPNG_SELECT_BOTH);
	if (capability >= 0 &&
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned)capability))
		return -EPERM;
	return capng_apply(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

static int sandbox_enter(int capability, const struct sandbox_calls *calls)
{
	int err = sandbox_drop_root(capability);

	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err = -errno;
	return err ? err : sandbox_load_filter(calls);
}

int sandbox_parser(void)
{
	static const struct sandbox_calls calls = {
		{common, daemon_calls, parser}, parser_arguments};

	return sandbox_enter(CAP_NET_ADMIN, &calls);
}

int sandbox_config_process(void)
{
	static const struct sandbox_calls calls = {
		{common, daemon_calls, stream, config_process}, config_process_arguments};

	return sandbox_enter(-1, &calls);
}

int sandbox_replay(void)
{
	static const struct sandbox_calls calls = {{common, stream}, NULL};

	return sandbox_enter(-1, &calls);
}
