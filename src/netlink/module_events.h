/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module_events.h - the kernel's notifications that a module was unloaded
 *
 * They are uevents of kobjects (lib/kobject_uevent.c), which come to each network namespace that
 * belongs to the initial user namespace. Anybody may listen; only root may send, and what did not
 * come from the kernel is skipped.
 */
#ifndef PASVD_MODULE_EVENTS_H
#define PASVD_MODULE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

/* The socket, or -errno. It never waits. */
int module_events_open(void);

/* Reads what has come. Whether a module of netfilter was unloaded, or may have been, since the
 * socket was full. */
bool module_events_read(int fd);

/* Whether this uevent of `n` bytes is that a module of netfilter was unloaded. */
bool module_event_is_unload(const char *event, size_t n);

#endif
