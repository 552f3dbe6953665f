/* SPDX-License-Identifier: GPL-2.0-or-later */
/* budget.h - what is left of the limits for a control connection: quota.h, as the policy has it */
#ifndef PASVD_CORE_BUDGET_H
#define PASVD_CORE_BUDGET_H

#include "pasvd/engine.h"

/* REASON_OPENED if one more port may be opened, or which limit stands in the way. `now` as for
 * engine_packet(). */
enum reason budget_ask(struct engine *h, struct conn *c, uint64_t now);

/* A port was opened. budget_ask() has said so. */
void budget_take(struct engine *h, struct conn *c, uint64_t now);

/* The same for a control connection that may not be in the table; how many ports its client has
 * open is not looked at. */
enum reason budget_ask_for(
	struct engine *h, struct quota_bucket *session, const struct ct_view *view, uint64_t now);
void budget_take_for(
	struct engine *h, struct quota_bucket *session, const struct ct_view *view, uint64_t now);

#endif
