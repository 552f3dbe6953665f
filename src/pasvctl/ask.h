/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask.h - asks the daemon, over its control socket
 *
 * The answer comes as objects of JSON, one a line (src/control/ctl.h).
 */
#ifndef PASVD_CTL_ASK_H
#define PASVD_CTL_ASK_H

#include <jansson.h>
#include <stdbool.h>

enum { ASK_WAIT_MS = 10000, ASK_LINE_MAX = 8192, ASK_ERROR_MAX = 256 };

struct ask {
	int fd;
	size_t n, used; /* bytes in buf, and those of them that are done with */
	char buf[ASK_LINE_MAX];
	/* what went wrong, as a line without its end; "" if nothing did */
	char error[ASK_ERROR_MAX];
};

/* Connects to `path` and sends the request. False: a->error says why. Then ask_close() is due all
 * the same. */
bool ask_open(struct ask *a, const char *path, const char *request);

/* The next object, which belongs to the caller; waits for ASK_WAIT_MS at most, or for ever. NULL:
 * there are no more, or a->error says what is wrong. */
json_t *ask_next(struct ask *a, bool for_ever);

void ask_close(struct ask *a);

/* The whole answer as an array, which belongs to the caller; NULL: a->error says why. */
json_t *ask_all(struct ask *a, const char *path, const char *request);

#endif
