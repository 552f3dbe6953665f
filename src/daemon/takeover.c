/* SPDX-License-Identifier: GPL-2.0-or-later */
/* takeover.c - what other daemons have left in the kernel: this router's last one, or another
 * router's by conntrackd
 */
#include "takeover.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "loop.h"
#include "pasvd/adopt.h"
#include "pasvd/array.h"
#include "pasvd/ondemand.h"
#include "settings.h"

/* Of one listing: the kernel's own limit, nf_conntrack_expect_max, is 4096 by default. */
static struct {
	size_t n;
	bool more;        /* than there is room for */
	uint32_t seconds; /* that the last one has left */
	struct expect expect[4096];
} found;

static void takeover_take_marked(void *data, const struct ct_view *view)
{
	ondemand_restore(data, view, loop_now());
}

static int takeover_tls(struct engine *h, struct conntrack *ct)
{
	uint32_t mark = trust_to_mark(h->policy->connmark, TRUST_SEEN | TRUST_TLS);

	if (!policy_has_on_demand(h->policy))
		return 0;
	return conntrack_marked(ct, mark, takeover_take_marked, h);
}

static void takeover_take_expect(void *data, const struct expect *e)
{
	(void)data;
	if (e->seconds > found.seconds)
		found.seconds = e->seconds;
	if (e->translated)
		return;
	if (found.n < ARRAY_SIZE(found.expect))
		found.expect[found.n++] = *e;
	else
		found.more = true;
}

static int takeover_expectations(struct engine *h, struct conntrack *ct)
{
	int err;

	found.n = found.seconds = 0;
	found.more = false;
	err = conntrack_expectations(ct, takeover_take_expect, NULL);
	if (err)
		found.seconds = SETTINGS_EXPECT_MAX;
	for (size_t i = 0; i < found.n; i++)
		adopt_expect(h, &found.expect[i], false, loop_now());
	return !err && found.more ? -ENOSPC : err;
}

static bool takeover_log(const char *what, int err)
{
	if (err)
		log_at(REASON_LEVEL_WARNING, "conntrack", "cannot ask for %s: %s", what,
			strerror(-err));
	return !err;
}

bool takeover_inherit(struct engine *h, struct conntrack *ct)
{
	bool tls = takeover_log("the connections marked as TLS", takeover_tls(h, ct)),
	     expectations = takeover_log("all expectations", takeover_expectations(h, ct));

	h->contested_until = loop_now() + ((uint64_t)found.seconds + 1) * 1000;
	return tls && expectations;
}
