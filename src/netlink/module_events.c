/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module_events.c - the kernel's notifications that a module was unloaded */
#include "module_events.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	UEVENTS_OF_KERNEL = 1, /* the group; udev sends to 2 */
	UEVENT_MAX = 4096,     /* more than UEVENT_BUFFER_SIZE and a path */
};

int module_events_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = UEVENTS_OF_KERNEL};
	int fd = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	int err;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* "ACTION@PATH" and a NUL are followed by the variables, which say the same. The modules of
 * netfilter that have anything to do with conntrack begin with nf: nf_conntrack_ftp,
 * nfnetlink_cthelper. */
bool module_event_is_unload(const char *event, size_t n)
{
	static const char unload[] = "remove@/module/nf";

	return n >= sizeof(unload) && memcmp(event, unload, sizeof(unload) - 1) == 0;
}

bool module_events_read(int fd)
{
	struct sockaddr_nl from = {0};
	char event[UEVENT_MAX];
	bool unload = false;
	ssize_t n;

	do {
		socklen_t len = sizeof(from);

		n = recvfrom(fd, event, sizeof(event), 0, (struct sockaddr *)&from, &len);
		if (n < 0)
			unload |= errno == ENOBUFS;
		else if (from.nl_pid == 0)
			unload |= module_event_is_unload(event, (size_t)n);
	} while (n >= 0 || errno == ENOBUFS || errno == EINTR);
	return unload;
}
