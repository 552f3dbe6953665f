/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cthelper_msg.h - netlink bytes of nfnetlink_cthelper, no sockets
 *
 * Kernel source: net/netfilter/nfnetlink_cthelper.c. As in ct_msg.h: the message's length is
 * returned, or -EMSGSIZE.
 */
#ifndef PASVD_CTHELPER_MSG_H
#define PASVD_CTHELPER_MSG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CTHELPER_MSG_MAX = 256 }; /* room enough for it */

/* Registers the helper `name`, of at most 15 characters, for TCP over family AF_*: one that does
 * nothing, of whose connections each may expect one other for 300 s. If there is one of that name,
 * it becomes so. Acknowledged, or EINVAL: the kernel has no nfnetlink_cthelper, EPERM:
 * CAP_NET_ADMIN is missing, or is that of a container only, EEXIST, EBUSY: a helper of that name is
 * another program's. */
ssize_t cthelper_msg_put_new(void *buf, size_t cap, uint8_t family, const char *name);

#endif
