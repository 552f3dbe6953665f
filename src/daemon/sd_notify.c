/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify.c - messages to the service manager, sd_notify(3)
 *
 * Without libsystemd, which brings six more libraries into a process that parses packets: a
 * datagram and two numbers are all that is needed of it.
 */
#include "sd_notify.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int sd_notify_fd = -1;

/* A name that begins with @ is an abstract one. */
void sd_notify_open(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	if (!n || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	sd_notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sd_notify_fd < 0 ||
		connect(sd_notify_fd, (struct sockaddr *)&to,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == 0)
		return;
	close(sd_notify_fd);
	sd_notify_fd = -1;
}

void notify(const char *state)
{
	if (sd_notify_fd >= 0)
		(void)send(sd_notify_fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The number in an environment variable, or 0. */
static unsigned long long sd_notify_parse_number(const char *name)
{
	const char *text = getenv(name);
	unsigned long long value;
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	return *end || errno ? 0 : value;
}

/* WATCHDOG_PID, if it is there, is the process that the other variable is for:
 * sd_watchdog_enabled(3). */
int sd_notify_watchdog_ms(void)
{
	unsigned long long usec = sd_notify_parse_number("WATCHDOG_USEC");

	if (!usec || usec / 2000 > INT_MAX)
		return -1;
	if (getenv("WATCHDOG_PID") &&
		sd_notify_parse_number("WATCHDOG_PID") != (unsigned long long)getpid())
		return -1;
	return (int)(usec / 2000);
}
