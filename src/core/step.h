/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step.h - one packet under way, for the files that take part in its verdict */
#ifndef PASVD_CORE_STEP_H
#define PASVD_CORE_STEP_H

#include "pasvd/engine.h"
#include "pasvd/tls.h"

struct step {
	struct engine *h;
	uint64_t now; /* ms */
	struct conn *conn;
	struct stream *stream; /* conn->stream[dir] */
	enum dir dir;
	uint32_t indev; /* by which the packet came in */
	/* the first sequence number in the packet that was not let through before */
	uint32_t fresh;
	bool last;      /* the packet carries FIN: nothing will follow that could be waited for */
	unsigned tries; /* ports asked of conntrack for the packet's offers */
	bool masked;    /* the line at hand is masked */
	enum tls_content content; /* unless it is plain that the bytes are clear text */
	struct verdict *verdict;
};

/* Of several reasons for a packet the greatest counts. */
static inline enum reason reason_worse(enum reason a, enum reason b)
{
	return a > b ? a : b;
}

/* True if the server of the connection is behind this router: no web page of somebody else's sends
 * a browser there. If only the interfaces say so, it is not known before the client has spoken. */
bool step_is_of_own_server(const struct step *s);

/* True if AUTH must not reach the server. */
bool step_refuses_tls(const struct step *s);

/* struct ct_ops's commit, for this connection and direction. */
enum ct_result step_commit(const struct step *s, const struct expect *e, const struct seqadj *a);

/* The first sequence number that can still be rewritten. */
uint32_t step_first_open(const struct step *s);

/* The bytes [at, end) of the line at hand, and what is held around them, as an edit that leaves
 * them as they are. */
struct edit step_cover(const struct step *s, size_t at, size_t end);

/* Holds back the end of a line that is still coming, if an offer may begin in it. */
enum reason step_hold(struct step *s);

/* Lets the held bytes go as they are. If the kernel does not agree to that they are lost. */
enum reason step_release(struct step *s);

/* Masks the bytes [from, to) of the line at hand, as far as they have not gone. From here on
 * the line is read like that, too. False: they cannot be rewritten. */
bool step_mask(struct step *s, size_t from, size_t to);

#endif
