/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.h - a process gives up what it does not need any more
 *
 * For good, in this order: privileges, the ways back to them, system calls. A forbidden call ends
 * the process with SIGSYS: who makes one is not the program that was written here.
 */
#ifndef PASVD_SANDBOX_H
#define PASVD_SANDBOX_H

/* Who parses packets: keeps CAP_NET_ADMIN and the sockets that it has. No file or socket is opened
 * any more, no process made. */
int sandbox_parser(void);

/* Who reads the configuration: has no capability, writes no file, and makes no process. */
int sandbox_config_process(void);

/* Who reads a capture: has no capability, and no more than the files that are open. */
int sandbox_replay(void);

#endif
