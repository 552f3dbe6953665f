/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_file.h - the configuration file and its drop-ins, pasvd.conf(5) */
#ifndef PASVD_CONF_FILE_H
#define PASVD_CONF_FILE_H

#include "settings.h"

enum { CONF_FILE_ERROR_MAX = 768 };

/* Reads the file, which may be missing if it is not `needed`, and its drop-ins. 0, or -errno
 * (-EINVAL: what stands in one is not right) and one line on the first mistake in `error` of
 * CONF_FILE_ERROR_MAX bytes; *ret_settings is untouched then. */
int conf_file_read(const char *path, bool needed, struct settings *ret_settings, char *error);

#endif
