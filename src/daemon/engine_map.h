/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine_map.h - memory for an engine */
#ifndef PASVD_ENGINE_MAP_H
#define PASVD_ENGINE_MAP_H

#include "pasvd/engine.h"

/* Pages of zeros that the kernel provides as they are touched, for the life of the process. NULL
 * with errno set if there is no address space for them. */
struct engine *engine_map(void);

#endif
