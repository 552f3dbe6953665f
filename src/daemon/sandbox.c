/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.c - a process gives up what it does not need any more
 *
 * The lists hold what the calls in src/ need, together with what the C library makes of them:
 * allocation for stdio (mmap, brk), the fallbacks of the vDSO (clock_gettime), and what the
 * sanitizers of a test build do (madvise, sigaltstack and the like). The C library may be glibc or
 * musl, which opens files with open where glibc has openat, and an architecture of 32 bits has
 * _llseek and the calls whose names end with 64. An entry that a kernel or an architecture does not
 * know is left out by libseccomp.
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
#include <sys/prctl.h>

/* Of both. */
static const char *const common[] = {"_llseek", "brk", "clock_gettime", "clock_gettime64", "close",
	"exit", "exit_group", "futex", "futex_time64", "getpid", "getrandom", "gettid", "lseek",
	"madvise", "mmap", "mmap2", "mprotect", "mremap", "munmap", "poll", "ppoll", "ppoll_time64",
	"read", "readv", "recv", "recvfrom", "recvmsg", "restart_syscall", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sched_yield", "send", "sendmsg", "sendto", "sigaltstack",
	"sigreturn", "tgkill", "time", "gettimeofday", "write", "writev", NULL};

/* Clients of the control socket: they come, but nothing new is listened to. Packets come in
 * batches. */
static const char *const parser[] = {"accept4", "epoll_ctl", "epoll_pwait", "epoll_wait",
	"recvmmsg", "recvmmsg_time64", "timerfd_settime", "timerfd_settime64", NULL};

/* if_nametoindex() asks by way of a socket. */
static const char *const config_process[] = {"fcntl", "fcntl64", "fstat", "fstat64", "fstatat64",
	"getdents64", "ioctl", "newfstatat", "socket", "statx", NULL};

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

/* A file that is there, and not to write to it. The flags are the argument number `flags_at`. */
static int sandbox_allow_opening(scmp_filter_ctx ctx, int call, unsigned int flags_at)
{
	const struct scmp_arg_cmp flags =
		SCMP_CMP(flags_at, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY);

	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, flags);
}

static int sandbox_allow_reading(scmp_filter_ctx ctx)
{
	int err = sandbox_allow_opening(ctx, SCMP_SYS(openat), 2);

	return err ? err : sandbox_allow_opening(ctx, SCMP_SYS(open), 1);
}

/* `reader`: of files. */
static int sandbox_load_filter(bool reader)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err;

	if (!ctx)
		return -ENOMEM;
	err = sandbox_allow(ctx, common);
	if (!err)
		err = sandbox_allow(ctx, reader ? config_process : parser);
	if (!err && reader)
		err = sandbox_allow_reading(ctx);
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

static int sandbox_enter(int capability, bool reader)
{
	int err = sandbox_drop_root(capability);

	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err = -errno;
	return err ? err : sandbox_load_filter(reader);
}

int sandbox_parser(void)
{
	return sandbox_enter(CAP_NET_ADMIN, false);
}

int sandbox_config_process(void)
{
	return sandbox_enter(-1, true);
}
