/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify.h - messages to the service manager, sd_notify(3)
 *
 * sd_notify() opens a socket each time, which a process that has shut itself in cannot do: here it
 * is opened once.
 */
#ifndef PASVD_SD_NOTIFY_H
#define PASVD_SD_NOTIFY_H

/* Looks for $NOTIFY_SOCKET. Without it, or if it cannot be reached, nothing is sent. */
void sd_notify_open(void);

/* "READY=1" and the like, sd_notify(3). Never waits; what cannot be sent is lost. */
void notify(const char *state);

/* ms between two signs of life that the manager wants (half of $WATCHDOG_USEC), or -1 if it wants
 * none. */
int sd_notify_watchdog_ms(void);

#endif
