/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ct_ops.h - the questions that the core asks of connection tracking
 *
 * src/netlink/conntrack.c answers them with the kernel, tests/support/fake_ct.c in memory. This is
 * the only seam at which a fake exists.
 */
#ifndef PASVD_CT_OPS_H
#define PASVD_CT_OPS_H

#include "pasvd/endpoint.h"
#include "pasvd/seqadj.h"

enum ct_result {
	CT_OK,
	CT_BUSY, /* an expectation has that tuple (EEXIST, EBUSY): try another port */
	CT_NONE, /* no such connection (ENOENT), or not any more */
	CT_FAIL  /* anything else */
};

/* What conntrack knows of a control connection. */
struct ct_view {
	struct tuple tuple[2];   /* by enum dir */
	struct seqadj seqadj[2]; /* by enum dir; all 0 if there is none */
	bool has_helper;         /* it carries our ct helper, so it can be given expectations */
	bool established;        /* neither side has begun to end it (TCP_CONNTRACK_ESTABLISHED) */
	uint32_t mark;           /* connmark; of it trust.h has four bits */
	/* CTA_ID: another one is another entry, the same one may be (it hashes an address) */
	uint32_t id;
	bool over; /* a SYN makes a new connection of it (TIME_WAIT, CLOSE) */
};

/* One connection that is going to come (struct nf_conntrack_expect). */
struct expect {
	struct tuple master; /* the control connection's original tuple */
	/* the first packet of the data connection; its source port may be any, and src.port is the
	 * listener's port, for the router that takes over (adopt.h), or 0 */
	struct tuple tuple;
	/* the data connection is translated, as its master is */
	bool translated;
	/* CTA_EXPECT_NAT_DIR: the opposite of the packet that carried the negotiation */
	enum dir nat_dir;
	/* CTA_EXPECT_NAT_TUPLE, source: where the data connection really goes; tuple.dst if it is
	 * not translated */
	struct endpoint nat;
	uint32_t seconds; /* it lives at most, if nobody connects */
	/* another session may have one with the same tuple: ct_ops.commit looks for it first */
	bool contested;
};

struct ct_ops {
	/* The connection one of whose directions is `t`. CT_OK: *ret_view is filled in. CT_NONE,
	 * CT_FAIL: untouched. */
	enum ct_result (*get)(void *ctx, const struct tuple *t, struct ct_view *ret_view);

	/* Installs the expectation `e` (NULL: none) and sets the sequence adjustment `a` (NULL:
	 * leave it) for direction `dir` of the connection `master`, in one go. CT_BUSY: there is an
	 * expectation with that tuple already, of whatever session, which stays as it is. The ct
	 * helper's limit of one makes a new expectation replace the session's last one. Not CT_OK:
	 * the expectation is not there, the adjustment may be: the caller sets the one it wants. */
	enum ct_result (*commit)(void *ctx, const struct tuple *master, enum dir dir,
		const struct expect *e, const struct seqadj *a);

	/* Whose the expectation is that stands in the way of `e`. CT_NONE: it is gone. */
	enum ct_result (*expect_master)(
		void *ctx, const struct expect *e, struct tuple *ret_master);

	/* The expectation of the connection `master`, with the seconds that are left of its time.
	 * CT_NONE: it has none. */
	enum ct_result (*expect_get)(
		void *ctx, const struct tuple *master, struct expect *ret_expect);

	/* Takes back an expectation. False: it is not there any more, or that is not known. */
	bool (*expect_del)(void *ctx, const struct expect *e);

	/* Sets the bits `mask` of the mark of the connection `master` to those of `value`, if
	 * conntrack can. For connections other than the packet's own, whose mark goes with its
	 * verdict. */
	void (*mark)(void *ctx, const struct tuple *master, uint32_t value, uint32_t mask);

	/* Reports all expectations that have ended until now, and were not reported before, with
	 * engine_expect_ended(). NULL: each is reported before a packet comes that was sent after
	 * it. */
	void (*report_ends)(void *ctx);

	void *ctx; /* handed to the functions */
};

static inline void ct_report_ends(const struct ct_ops *ct)
{
	if (ct->report_ends)
		ct->report_ends(ct->ctx);
}

#endif
