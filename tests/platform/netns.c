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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"

enum { SCRIPT_MAX = 4096 };

void run(const char *script)
{
	struct pollfd pfd = {.events = POLLIN};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-ec", script, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		broken("fork: %s", strerror(errno));
	pfd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pfd.fd < 0 || poll(&pfd, 1, DEADLINE_MS) != 1)
		kill(pid, SIGKILL);
	close(pfd.fd);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		broken("status %#x from: %s", (unsigned int)status, script);
}

void rules(const char *text)
{
	char script[SCRIPT_MAX];
	int n = snprintf(
		script, sizeof(script), "iptables-restore --noflush <<'END'\n%sEND\n", text);

	if (n < 0 || n >= SCRIPT_MAX)
		broken("rules too long");
	run(script);
}

int netns_new(void)
{
	int ns;

	if (unshare(CLONE_NEWNET) < 0)
		broken("unshare: %s", strerror(errno));
	ns = open("/proc/self/ns/net", O_RDONLY); /* inherited by run() on purpose */
	if (ns < 0)
		broken("/proc/self/ns/net: %s", strerror(errno));
	run("ip link set lo up");
	return ns;
}

void netns_enter(int ns)
{
	if (setns(ns, CLONE_NEWNET) < 0)
		broken("setns: %s", strerror(errno));
}

static void veth(const char *ifname, int peer_ns)
{
	char script[SCRIPT_MAX];

	snprintf(script, sizeof(script),
		"ip link add %s type veth peer name eth0 netns /proc/self/fd/%d", ifname, peer_ns);
	run(script);
}

void lab_up(struct lab *ret_lab)
{
	struct lab lab;

	lab.client = netns_new();
	lab.server = netns_new();
	lab.router = netns_new();
	veth("wan", lab.client);
	veth("lan", lab.server);
	run("ip addr add 198.51.100.1/24 dev wan; ip addr add " PUBLIC "/32 dev wan\n"
	    "ip addr add " ROUTER_LAN "/24 dev lan; ip link set wan up; ip link set lan up\n"
	    "echo 1 >/proc/sys/net/ipv4/ip_forward");
	netns_enter(lab.client);
	run("ip addr add " CLIENT "/24 dev eth0; ip addr add " STRANGER "/24 dev eth0\n"
	    "ip link set eth0 up; ip route add default via 198.51.100.1");
	netns_enter(lab.server);
	run("ip addr add " SERVER "/24 dev eth0; ip addr add " LANHOST "/24 dev eth0\n"
	    "ip link set eth0 up; ip route add default via " ROUTER_LAN);
	netns_enter(lab.router);
	*ret_lab = lab;
}

void netns_never_repeats(int ns)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	netns_enter(ns);
	run("echo 0 >/proc/sys/net/ipv4/tcp_early_retrans\n"
	    "ip -4 route | while read -r route; do ip route change $route rto_min 60s; done");
	netns_enter(home);
	close(home);
}

void lab_never_repeats(const struct lab *lab)
{
	netns_never_repeats(lab->client);
	netns_never_repeats(lab->server);
}
