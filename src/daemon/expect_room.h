/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_room.h - whether the kernel has room for the ports that the limits allow */
#ifndef PASVD_EXPECT_ROOM_H
#define PASVD_EXPECT_ROOM_H

#include <stdint.h>

/* Logs if one client alone, with `open_ports` of them (0: any number), can have more than half of
 * the kernel's expectations. Reads a file, so it is for the time before the sandbox. */
void expect_room_check(uint32_t open_ports);

#endif
