/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp.c - TCP sockets in a given namespace, with deadlines
 *
 * Sockets are non-blocking and without Nagle's delay, so one send is one
 * segment as long as it fits. The functions come back to the namespace that
 * the process was in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "platform.h"

struct endpoint ep(const char *addr, uint16_t port)
{
	struct in_addr in;

	if (inet_pton(AF_INET, addr, &in) != 1)
		broken("not an address: %s", addr);
	return (struct endpoint){.addr = in.s_addr, .port = port};
}

static struct sockaddr_in sockaddr_of(struct endpoint e)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(e.port),
		.sin_addr.s_addr = e.addr,
	};
}

static int tcp_socket(int ns, struct endpoint local)
{
	struct sockaddr_in sa = sockaddr_of(local);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int one = 1;
	int fd;

	netns_enter(ns);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	netns_enter(home);
	close(home);
	if (fd < 0)
		broken("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		broken("bind: %s", strerror(errno));
	return fd;
}

int tcp_listen(int ns, struct endpoint at)
{
	int fd = tcp_socket(ns, at);

	if (listen(fd, 8) < 0)
		broken("listen: %s", strerror(errno));
	return fd;
}

static bool poll_for(int fd, short events, int ms)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	return poll(&pfd, 1, ms) == 1;
}

bool readable(int fd, int ms)
{
	return poll_for(fd, POLLIN, ms);
}

void tcp_send_syn(int ns, struct endpoint from, struct endpoint to)
{
	struct sockaddr_in sa = sockaddr_of(to);

	if (connect(tcp_socket(ns, from), (struct sockaddr *)&sa, sizeof(sa)) == 0 ||
		errno != EINPROGRESS)
		broken("a SYN that nobody has answered yet: %s", strerror(errno));
}

int tcp_connect(int ns, struct endpoint from, struct endpoint to, int ms)
{
	struct sockaddr_in sa = sockaddr_of(to);
	socklen_t len = sizeof(int);
	int fd = tcp_socket(ns, from);
	int err = 0;

	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err = errno;
		if (err == EINPROGRESS && !poll_for(fd, POLLOUT, ms))
			err = ETIMEDOUT;
		else if (err == EINPROGRESS)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	}
	if (!err)
		return fd;
	close(fd);
	return -err;
}

int tcp_accept(int listener, int ms)
{
	int one = 1;
	int fd;

	if (!readable(listener, ms))
		return -ETIMEDOUT;
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static struct endpoint name_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);

	if (get(fd, (struct sockaddr *)&sa, &len) < 0)
		broken("socket name: %s", strerror(errno));
	return (struct endpoint){.addr = sa.sin_addr.s_addr, .port = ntohs(sa.sin_port)};
}

struct endpoint tcp_local(int fd)
{
	return name_of(fd, getsockname);
}

struct endpoint tcp_peer(int fd)
{
	return name_of(fd, getpeername);
}

void tcp_send(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
		broken("send: %s", strerror(errno));
}

bool tcp_expect(int fd, const void *data, size_t len)
{
	uint8_t got[PACKET_MAX];
	size_t have = 0;

	while (have < len && have < sizeof(got) && readable(fd, DEADLINE_MS)) {
		ssize_t n = recv(fd, got + have, len - have, 0);

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return have == len && memcmp(got, data, len) == 0;
}

unsigned int tcp_retransmissions(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		broken("TCP_INFO: %s", strerror(errno));
	return info.tcpi_total_retrans;
}

bool tcp_all_acked(int fd)
{
	int left;

	if (ioctl(fd, SIOCOUTQ, &left) < 0)
		broken("SIOCOUTQ: %s", strerror(errno));
	return left == 0;
}

struct tuple control_tuple(const struct control *ctl)
{
	return (struct tuple){ctl->from, ep(PUBLIC, 21)};
}

void control_again(const struct lab *lab, const struct control *ctl, struct control *ret_ctl)
{
	struct control again = *ctl;

	again.client = tcp_connect(lab->client, ep(CLIENT, 0), ep(PUBLIC, 21), DEADLINE_MS);
	if (again.client < 0)
		broken("control connection: %s", strerror(-again.client));
	again.server = tcp_accept(again.listener, DEADLINE_MS);
	if (again.server < 0)
		broken("accept: %s", strerror(-again.server));
	again.from = tcp_local(again.client);
	*ret_ctl = again;
}

void control_open(const struct lab *lab, struct control *ret_ctl)
{
	const struct control none = {.listener = tcp_listen(lab->server, ep(SERVER, 21))};

	control_again(lab, &none, ret_ctl);
}
