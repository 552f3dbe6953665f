/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_ct.h - connection tracking in memory
 *
 * Answers struct ct_ops as the kernel with the ct helper `sane` does: an expectation that is the
 * same as another one, of any master, is refused as busy, a master's new expectation replaces its
 * last one, an adjustment is stored as given, also one that comes with an expectation that is
 * refused. fake_ct_adjust() is the kernel's sequence adjustment at the end of POSTROUTING, so that
 * a test knows what the receiver sees. What happened is counted, and failures can be ordered.
 */
#ifndef PASVD_TESTS_FAKE_CT_H
#define PASVD_TESTS_FAKE_CT_H

#include "pasvd/ct_ops.h"

enum { FAKE_CT_CONNS = 64, FAKE_CT_TAKEN = 512, FAKE_CT_ADDED = 256 };

struct fake_conn {
	struct ct_view view;
	uint32_t mark;
	bool expecting;       /* then: */
	struct expect expect; /* the one in force */
};

struct fake_ct {
	struct fake_conn conn[FAKE_CT_CONNS];
	unsigned conns, takens, addeds;

	bool refuse_get;    /* get() answers CT_FAIL */
	bool refuse_expect; /* commit() with an expectation answers CT_FAIL */
	bool refuse_adjust; /* commit() with an adjustment answers CT_FAIL */

	void (*on_report)(void); /* what is to be done for report_ends(); NULL: nothing */
	/* after each request that has changed something, and was not refused; NULL: nothing */
	void (*on_change)(struct fake_ct *f);

	unsigned gets, commits, dels, reports; /* calls */

	/* what is behind takens and addeds is never read, and fake_ct_init() leaves it: */
	struct expect taken[FAKE_CT_TAKEN]; /* of masters that the test does not play */
	struct expect added[FAKE_CT_ADDED]; /* all that were ever installed, in order */
};

void fake_ct_init(struct fake_ct *f);

/* The functions that the core is given; `f` stays where it is. */
struct ct_ops fake_ct_ops(struct fake_ct *f);

/* A control connection from `client` to `dialled`, which DNAT sends to `real`, and to which SNAT
 * makes the client look like `seen`. It carries our helper. */
struct fake_conn *fake_ct_connect(struct fake_ct *f, const struct endpoint *client,
	const struct endpoint *dialled, const struct endpoint *listener,
	const struct endpoint *seen);

/* An expectation from any port of `src` to `dst` that belongs to somebody else; fake_ct_give_back()
 * ends all. */
void fake_ct_take(struct fake_ct *f, const struct addr *src, const struct endpoint *dst);
void fake_ct_give_back(struct fake_ct *f);

/* Adjusts a packet that goes in direction `dir`, as it leaves the router; the checksums stay
 * right. */
void fake_ct_adjust(const struct fake_conn *c, enum dir dir, uint8_t *p, size_t n);

/* What an ACK of the receiver of direction `dir` becomes on its way to the sender. */
uint32_t fake_ct_ack(const struct fake_conn *c, enum dir dir, uint32_t ack);

bool expect_eq(const struct expect *a, const struct expect *b);

#endif
