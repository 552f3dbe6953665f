/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_server.c - whether the servers answer
 *
 * All are asked at once: a connection from the router to each control port, on which the greeting
 * is awaited. Nothing is sent. Whoever has not answered after ANSWER_SECONDS is given up.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "checks.h"
#include "child.h"
#include "probe.h"

enum { PROBED_MAX = 64, ANSWER_SECONDS = 5 };

struct asking {
	size_t n;
	struct server_answer answer[PROBED_MAX];
	struct pollfd poll[PROBED_MAX];
	const struct target *target[PROBED_MAX];
};

static socklen_t probe_server_address(const struct server_answer *a, struct sockaddr_storage *ret)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};

	if (a->server.family == ADDR_IP4) {
		memcpy(&in4.sin_addr, a->server.byte, ADDR_IP4_LEN);
		memcpy(ret, &in4, sizeof(in4));
		return sizeof(in4);
	}
	memcpy(&in6.sin6_addr, a->server.byte, ADDR_IP6_LEN);
	memcpy(ret, &in6, sizeof(in6));
	return sizeof(in6);
}

static void probe_server_begin(
	struct asking *all, const struct target *t, const struct addr *server, uint16_t port)
{
	struct server_answer *a = &all->answer[all->n];
	struct sockaddr_storage to;
	socklen_t len;
	int fd;

	for (size_t i = 0; i < all->n; i++) {
		if (all->answer[i].port == port && addr_eq(&all->answer[i].server, server))
			return;
	}
	if (all->n == PROBED_MAX)
		return;
	*a = (struct server_answer){.server = *server, .port = port, .err = ETIMEDOUT};
	len = probe_server_address(a, &to);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) {
		a->err = errno;
		close(fd);
		fd = -1;
	}
	all->target[all->n] = t;
	all->poll[all->n++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

static void probe_server_begin_all(struct asking *all, const struct facts *f)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		const struct service *s = &f->target[i].service;

		for (size_t j = 0; f->target[i].inside[0] && j < s->n_ports; j++) /* has a route */
			probe_server_begin(all, &f->target[i], &s->server, s->port[j].server);
		for (size_t j = 0; j < s->n_more; j++) {
			for (size_t k = 0; k < s->more[j].n_ports; k++)
				probe_server_begin(all, &f->target[i], &s->more[j].server,
					s->more[j].port[k].server);
		}
	}
}

static void probe_server_give_up(struct pollfd *p)
{
	close(p->fd);
	p->fd = -1;
}

/* Connected, or refused; then the greeting, or the end of the connection. */
static void probe_server_step(struct server_answer *a, struct pollfd *p)
{
	socklen_t len = sizeof(a->err);
	ssize_t n;

	if (p->events == POLLOUT) {
		if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &a->err, &len) < 0)
			a->err = errno;
		p->events = POLLIN;
		if (a->err)
			probe_server_give_up(p);
		return;
	}
	n = read(p->fd, a->greeting, sizeof(a->greeting) - 1);
	a->closed = n <= 0;
	a->greeting[n > 0 ? n : 0] = '\0';
	a->greeting[strcspn(a->greeting, "\r\n")] = '\0';
	probe_server_give_up(p);
}

static int probe_server_milliseconds_to(const struct timespec *end)
{
	struct timespec now;
	long left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

static bool any_waits(const struct asking *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->poll[i].fd >= 0)
			return true;
	}
	return false;
}

static void probe_server_wait(struct asking *all)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ANSWER_SECONDS;
	while (any_waits(all) && poll(all->poll, all->n, probe_server_milliseconds_to(&end)) > 0) {
		for (size_t i = 0; i < all->n; i++) {
			if (all->poll[i].fd >= 0 && all->poll[i].revents)
				probe_server_step(&all->answer[i], &all->poll[i]);
		}
	}
}

/* Whether the router has looked for the host on its network, and nobody was there. */
static bool probe_server_has_no_neighbour(const struct addr *server)
{
	char text[ADDR_TEXT_MAX + 1];
	struct output o;
	bool none = run((const char *const[]){"ip", "neigh", "show", "to",
				service_address(server, text), NULL},
			    NULL, &o) == 0 &&
		    (strstr(o.text, "FAILED") || strstr(o.text, "INCOMPLETE"));

	free(o.text);
	return none;
}

void probe_servers(const struct facts *f, struct report *r)
{
	static struct asking all;

	probe_server_begin_all(&all, f);
	probe_server_wait(&all);
	for (size_t i = 0; i < all.n; i++) {
		struct server_answer *a = &all.answer[i];

		if (a->err)
			a->no_neighbour = probe_server_has_no_neighbour(&a->server);
		if (all.poll[i].fd >= 0)
			probe_server_give_up(&all.poll[i]);
		check_server_answer(f, all.target[i], a, r);
	}
}
