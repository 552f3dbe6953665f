/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.c - network namespaces, and a router between a client and a server
 *
 *   client 198.51.100.2, .3 ── wan router lan ── server 10.0.0.2, .3
 *                                203.0.113.1 (the address that clients dial)
 *
 * All in one process: a socket belongs to the namespace it was made in. The
 * namespaces have no names and end with the process. Needs real root: the
 * kernel refuses payload mangling in namespaces of a user namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"

enum { LINES_MAX = 512 };

/* A file in memory with that in it, to be read from its beginning. */
static int file_of(const char *text)
{
	size_t len = strlen(text);
	int fd = memfd_create("input", 0);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)
		broken("input of a command: %s", strerror(errno));
	return fd;
}

/* `input`: what it reads from its standard input. */
static void execute(const char *const argv[], const char *input)
{
	struct pollfd pfd = {.events = POLLIN};
	int status, in = file_of(input);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(in, STDIN_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0)
		broken("fork: %s", strerror(errno));
	pfd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pfd.fd < 0 || poll(&pfd, 1, DEADLINE_MS) != 1)
		kill(pid, SIGKILL);
	close(pfd.fd);
	close(in);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		broken("status %#x from %s: %s", (unsigned int)status, argv[0], input);
}

void run(const char *script)
{
	execute((const char *const[]){"sh", "-e", NULL}, script);
}

void rules(const char *text)
{
	execute((const char *const[]){"iptables-restore", "--noflush", NULL}, text);
}

/* All in one: in an emulated machine each start of a program takes long. */
static void ip(const char *lines)
{
	execute((const char *const[]){"ip", "-batch", "-", NULL}, lines);
}

int netns_new(void)
{
	int ns;

	if (unshare(CLONE_NEWNET) < 0)
		broken("unshare: %s", strerror(errno));
	ns = open("/proc/self/ns/net", O_RDONLY); /* inherited by ip() on purpose */
	if (ns < 0)
		broken("/proc/self/ns/net: %s", strerror(errno));
	return ns;
}

void netns_enter(int ns)
{
	if (setns(ns, CLONE_NEWNET) < 0)
		broken("setns: %s", strerror(errno));
}

static void router_up(int client, int server)
{
	char lines[LINES_MAX];

	snprintf(lines, sizeof(lines),
		"link set lo up\n"
		"link add wan type veth peer name eth0 netns /proc/self/fd/%d\n"
		"link add lan type veth peer name eth0 netns /proc/self/fd/%d\n"
		"addr add 198.51.100.1/24 dev wan\naddr add " PUBLIC "/32 dev wan\n"
		"addr add " ROUTER_LAN "/24 dev lan\nlink set wan up\nlink set lan up\n",
		client, server);
	ip(lines);
	run("echo 1 >/proc/sys/net/ipv4/ip_forward");
}

void lab_up(struct lab *ret_lab)
{
	struct lab lab;

	lab.client = netns_new();
	lab.server = netns_new();
	lab.router = netns_new();
	router_up(lab.client, lab.server);
	netns_enter(lab.client);
	ip("link set lo up\naddr add " CLIENT "/24 dev eth0\naddr add " STRANGER "/24 dev eth0\n"
	   "link set eth0 up\nroute add default via 198.51.100.1\n");
	netns_enter(lab.server);
	ip("link set lo up\naddr add " SERVER "/24 dev eth0\naddr add " LANHOST "/24 dev eth0\n"
	   "link set eth0 up\nroute add default via " ROUTER_LAN "\n");
	netns_enter(lab.router);
	*ret_lab = lab;
}

void netns_never_repeats(int ns)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	netns_enter(ns);
	run("echo 0 >/proc/sys/net/ipv4/tcp_early_retrans\n"
	    "ip -4 route | sed 's/.*/route change & rto_min 60s/' | ip -batch -");
	netns_enter(home);
	close(home);
}

void lab_never_repeats(const struct lab *lab)
{
	netns_never_repeats(lab->client);
	netns_never_repeats(lab->server);
}
