/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask.c - asks the daemon, over its control socket */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static void ask_error(struct ask *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void ask_error(struct ask *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
}

static const char *ask_reason_text(int err)
{
	switch (err) {
	case ENOENT:
		return "there is no such socket; does pasvd run?";
	case ECONNREFUSED:
		return "nobody listens there; does pasvd run?";
	case EAGAIN:
		return "the daemon does not answer";
	case EACCES:
	case EPERM:
		return "permission denied; it is for root and for the group pasvd";
	default:
		return strerror(err);
	}
}

static bool ask_connect_to(struct ask *a, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct timeval patience = {
		.tv_sec = ASK_WAIT_MS / 1000}; /* a daemon that hangs takes nobody in */
	size_t len = strlen(path);

	if (len >= sizeof(addr.sun_path)) {
		ask_error(a, "%.40s...: longer than a socket's name can be", path);
		return false;
	}
	memcpy(addr.sun_path, path, len);
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0 ||
		setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		connect(a->fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		ask_error(a, "%s: %s", path, ask_reason_text(errno));
		return false;
	}
	return true;
}

/* A daemon that sends us away need not have read the request: then its answer says why. */
bool ask_open(struct ask *a, const char *path, const char *request)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%s\n", request);

	*a = (struct ask){.fd = -1};
	if (!ask_connect_to(a, path))
		return false;
	if (send(a->fd, line, (size_t)n, MSG_NOSIGNAL) != n && errno != EPIPE) {
		ask_error(a, "%s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

void ask_close(struct ask *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

/* More bytes after those that there are. */
static bool ask_receive(struct ask *a, bool for_ever)
{
	struct pollfd fd = {.fd = a->fd, .events = POLLIN};
	ssize_t n;

	memmove(a->buf, a->buf + a->used, a->n - a->used);
	a->n -= a->used;
	a->used = 0;
	if (poll(&fd, 1, for_ever ? -1 : ASK_WAIT_MS) == 0) {
		ask_error(a, "the daemon does not answer");
		return false;
	}
	n = a->n < sizeof(a->buf) ? recv(a->fd, a->buf + a->n, sizeof(a->buf) - a->n, 0) : -1;
	if (n <= 0) {
		ask_error(a, "the daemon's answer breaks off");
		return false;
	}
	a->n += (size_t)n;
	return true;
}

static json_t *ask_parse(struct ask *a, const char *line, size_t n)
{
	json_error_t error;
	json_t *object = json_loadb(line, n, 0, &error);
	const char *type = json_string_value(json_object_get(object, "type"));

	if (!type) {
		ask_error(a, "the daemon's answer makes no sense");
	} else if (strcmp(type, "error") == 0) {
		const char *what = json_string_value(json_object_get(object, "error"));

		ask_error(a, "the daemon refuses: %s", what ? what : "it does not say why");
	} else if (strcmp(type, "end") != 0) {
		return object;
	}
	json_decref(object);
	return NULL;
}

json_t *ask_next(struct ask *a, bool for_ever)
{
	const char *begin, *end;

	do {
		begin = a->buf + a->used;
		end = memchr(begin, '\n', a->n - a->used);
	} while (!end && ask_receive(a, for_ever));
	if (!end)
		return NULL;
	a->used += (size_t)(end - begin) + 1;
	return ask_parse(a, begin, (size_t)(end - begin));
}

json_t *ask_all(struct ask *a, const char *path, const char *request)
{
	json_t *all = json_array(), *object;

	if (ask_open(a, path, request)) {
		while ((object = ask_next(a, false)))
			json_array_append_new(all, object);
	}
	ask_close(a);
	if (!a->error[0])
		return all;
	json_decref(all);
	return NULL;
}
