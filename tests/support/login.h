/* SPDX-License-Identifier: GPL-2.0-or-later */
/* login.h - what comes first on a control connection */
#ifndef PASVD_TESTS_LOGIN_H
#define PASVD_TESTS_LOGIN_H

#include "fake_ct.h"
#include "pasvd/engine.h"

/* Hands the engine a segment with `text` in direction `dir` of `c`, and does to the mark what its
 * verdict says. The next bytes of the streams are `seq`, by enum dir; that of `dir` goes on. */
struct verdict say_on(struct engine *h, const struct fake_conn *c, uint32_t seq[2], enum dir dir,
	const char *text, uint64_t now);

/* Hands greeting and login of `c` to the helper. The next bytes of its streams are `seq`, by enum
 * dir. */
void login(struct engine *h, const struct fake_conn *c, const uint32_t seq[2], uint64_t now);

/* Does to the connection's mark what the verdict says, as the kernel does before the packet goes
 * on. */
void take_mark(struct engine *h, const struct verdict *v);

#endif
