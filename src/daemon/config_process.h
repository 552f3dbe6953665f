/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config_process.h - a process that reads files for one that may not
 *
 * Who parses packets of strangers opens nothing any more once it has begun. The configuration, and
 * what it refers to, is read by a child of it that never sees a packet and has no privilege. What
 * it hands over is settings as bytes, for both are the same program. They are checked all the same:
 * the one that reads files has no privilege, and is not to get that of this one.
 */
#ifndef PASVD_CONFIG_PROCESS_H
#define PASVD_CONFIG_PROCESS_H

#include "conf.h"

struct config_process {
	int fd;          /* to the child; -1 if it is gone */
	uint64_t looked; /* when it was asked to look at files, in ms */
};

/* Makes the child; before anything is opened that it should not have. `settings` is what it knows
 * to be in force. 0 or -errno. The child has shut itself in then. It ends when this process does,
 * or closes k->fd. */
int config_process_start(
	struct config_process *k, const struct conf *conf, const struct settings *settings);

/* Has the configuration read again. True: *ret_settings is what it says now. False: it stays; why
 * is logged. A child that answers with what no configuration can say is not asked again. */
bool config_process_reload(struct config_process *k, struct settings *ret_settings);

/* Has a look at what the configuration refers to, if the last one is a second ago. True:
 * *ret_settings is what it says now. `now` in ms, never going back. */
bool config_process_look(struct config_process *k, uint64_t now, struct settings *ret_settings);

#endif
