/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings_check.h - whether bytes are settings that a configuration can give */
#ifndef PASVD_SETTINGS_CHECK_H
#define PASVD_SETTINGS_CHECK_H

#include "settings.h"

/* True if each member is within what its key allows, each list within its room, each text ended,
 * each index that of an entry. The bytes may come from anybody. */
bool settings_are_sound(const struct settings *s);

#endif
