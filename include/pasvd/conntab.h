/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntab.h - what is remembered of each control connection
 *
 * A table of fixed size in memory that the caller gives; what was never used of it is not touched.
 * A connection is found by the tuple of either direction (a hash keyed with random bytes, so that
 * nobody outside can aim at one chain). It is a cache: all that a session needs to survive is in
 * the kernel, so when it is full, one goes (evict.c). How long one was idle says nothing: conntrack
 * tells sessions apart.
 *
 * A session of which nothing is under way takes one struct conn. What it needs besides is lent to
 * it: a buffer while a packet or a line is on its way; a place for the port that it has opened;
 * edits until the receiver has what was rewritten, and then until somebody else needs them, for a
 * sender may repeat what has arrived, too.
 */
#ifndef PASVD_CONNTAB_H
#define PASVD_CONNTAB_H

#include "pasvd/crowd.h"
#include "pasvd/ct_ops.h"
#include "pasvd/deadlines.h"
#include "pasvd/edit.h"
#include "pasvd/line.h"
#include "pasvd/policy.h"
#include "pasvd/pool.h"
#include "pasvd/quota.h"
#include "pasvd/session.h"
#include "pasvd/tls.h"

enum {
	CONNTAB_SIZE = CROWD_SIZE,
	CONNTAB_BUCKETS = 1 << 18, /* two entries a connection */
	CONNTAB_KEY_LEN = CROWD_KEY_LEN,
	CONNTAB_EDITS = 2048, /* streams whose rewrites can be repeated */
};

struct stream {
	struct line line;    /* its buf is lent */
	struct edits *edits; /* lent, or NULL */
	bool was_reset : 1;  /* with conn.aborted: the last segment was made a RST */
	/* with conn.tls: what was seen last is an alert, which ends TLS if clear text follows */
	bool closes : 1;
	bool kept : 1; /* its edits are in conntab_edits.kept: the receiver has all of them */
	/* the receiver has all edits that were forgotten, or a predecessor's; view.seqadj is the
	 * shift of what follows */
	bool settled : 1;
	/* its next offers are not compared with what a predecessor of ours did */
	bool compared : 1;
};

/* What a session opened last. */
struct opened {
	struct plan plan;
	uint64_t until; /* ms, when its time is up */
	bool ended;     /* it has; how is to be known by then */
};

struct conn {
	struct ct_view view; /* its seqadj counts while no edits are lent */
	struct session session;
	struct quota_bucket quota;
	struct opened *opened;    /* lent; NULL: nothing, or it has ended as far as we know */
	struct stream stream[2];  /* by enum dir */
	struct tls_place records; /* with conn.tls: of the server */
	/* by enum dir: where the last packet came in, or any of a client in the LAN; 0: unknown */
	uint32_t indev[2];
	/* enum trust, as the mark has it, or is going to with this packet's verdict */
	uint8_t trust;
	/* where the client's stream begins is not known: if the server is elsewhere, a web page's
	 * form may lack its beginning */
	bool unanchored : 1;
	/* something of it passed unread, and its client has not spoken since */
	bool unread : 1;
	bool spoke : 1;     /* a whole line of its client was read, by us or a predecessor */
	bool aborted : 1;   /* it was reset: no new byte passes */
	bool inherited : 1; /* conntrack was asked for what a predecessor of ours opened */
	bool reported : 1;  /* that it has no ct helper */
	bool shifted : 1;   /* as TRUST_SHIFTED */
	bool cleared : 1;   /* it was TLS before */
	bool guessed : 1;   /* with cleared: where TLS ended may be what a client had encrypted */
	/* with conn.tls: the client went on with TLS after the server had closed it */
	bool hides : 1;
	bool tls : 1;      /* nothing of it is read; lines tell what was, before TLS began */
	bool live : 1;     /* false: nothing above is valid, and no bucket leads here */
	uint64_t seen;     /* ms, as given to conntab_find() and conntab_add() */
	uint32_t chain[2]; /* by enum dir: next of the bucket */
};

/* Places that are lent, and to which entry each. */
struct conntab_lines {
	struct pool pool;
	struct list_link link[1 + CONNTAB_SIZE];
	uint32_t owner[1 + CONNTAB_SIZE];
	uint8_t buf[1 + CONNTAB_SIZE][LINE_MAX_LEN];
};

struct conntab_edits {
	struct pool pool;
	struct list kept; /* taken, but their receivers have all; the others are pool.in_use */
	struct list_link link[1 + CONNTAB_EDITS];
	uint32_t owner[1 + CONNTAB_EDITS]; /* times two, plus the direction */
	struct edits edits[1 + CONNTAB_EDITS];
};

struct conntab_ports {
	struct pool pool;
	struct list_link link[1 + CONNTAB_SIZE];
	uint32_t owner[1 + CONNTAB_SIZE];
	struct opened opened[1 + CONNTAB_SIZE];
	struct deadlines due; /* of those that still have a time */
	struct deadline heap[CONNTAB_SIZE];
	uint32_t heap_place[1 + CONNTAB_SIZE];
};

/* Numbers of open ports by the hash of what their expectation takes. */
enum { CONNTAB_TAKEN = 1 << 14 };

struct conntab {
	uint8_t key[CONNTAB_KEY_LEN];
	uint32_t bucket[CONNTAB_BUCKETS];
	struct pool pool;   /* entries, in use in the order of idleness */
	struct list living; /* entries by their last sign of life: a packet, or conntrack's word */
	struct list_link link[1 + CONNTAB_SIZE], living_link[1 + CONNTAB_SIZE];
	struct crowd crowd;   /* those in which nobody has logged in */
	struct crowd openers; /* those that have a port open which nobody has used yet */
	struct conntab_lines lines;
	struct conntab_edits edits;
	struct conntab_ports ports;
	uint32_t taken[CONNTAB_TAKEN];
	struct conn conn[1 + CONNTAB_SIZE];
};

/* `t` is zeros, or has been initialised before: then it costs as much as is remembered. `key`:
 * CONNTAB_KEY_LEN random bytes. */
void conntab_init(struct conntab *t, const uint8_t *key);

/* It has at most `max` entries, 1..CONNTAB_SIZE; before the first one. */
void conntab_set_max(struct conntab *t, uint32_t max);

/* There is no room for another one. */
bool conntab_is_full(const struct conntab *t);

/* The one without a sign of life for longest; the table is not empty. */
struct conn *conntab_doubtful(struct conntab *t);

/* Conntrack has it still. */
void conntab_confirm(struct conntab *t, struct conn *c);

/* The one to go if all have to stay: of those in which nobody has logged in one of the client that
 * has most of them, else the idlest; the table is not empty. */
struct conn *conntab_victim(struct conntab *t);

/* The connection one of whose directions is `tuple`, or NULL; *ret_dir tells which. `now` in ms,
 * never going back. */
struct conn *conntab_find(
	struct conntab *t, const struct tuple *tuple, uint64_t now, enum dir *ret_dir);

/* A fresh entry for `view`, in which nobody has logged in; older ones with one of its tuples go.
 * The table is not full. */
struct conn *conntab_add(struct conntab *t, const struct ct_view *view, uint64_t now);

/* Somebody has logged in. */
void conntab_log_in(struct conntab *t, const struct conn *c);

/* Entry number `i`, NULL if nothing is remembered there. A connection keeps its number; they
 * are 1..t->pool.used. */
const struct conn *conntab_at(const struct conntab *t, uint32_t i);

/* Forgets the entry. */
void conntab_del(struct conntab *t, struct conn *c);

/* Forgets them all. */
void conntab_forget(struct conntab *t);

/* Lends the stream a buffer and edits, unless it has them. False: all are lent, and nothing
 * changed. */
bool conntab_lend(struct conntab *t, struct conn *c, enum dir dir);

/* Who has had for longest what conntab_lend() found to be lent, and is not `c`; rather one in which
 * nobody has logged in. */
struct conn *conntab_borrower(struct conntab *t, const struct conn *c);

/* The packet is over: takes back what the streams do not need until the next one. */
void conntab_settle(struct conntab *t, struct conn *c);

/* It has opened the port, whose time is up at `until`, ms. */
void conntab_open(struct conntab *t, struct conn *c, const struct plan *plan, uint64_t until);

/* Its port has ended, and how is to be known at `until`. */
void conntab_end(struct conntab *t, struct conn *c, uint64_t until);

/* It has none any more, if it had. */
void conntab_close(struct conntab *t, struct conn *c);

/* Whether a session may have a port open that takes what `e` takes. False is certain, for what was
 * opened since conntab_init(). */
bool conntab_is_taken(const struct conntab *t, const struct expect *e);

/* The one whose port's time is up first, NULL if there is none; *ret_until is when. */
struct conn *conntab_due(struct conntab *t, uint64_t *ret_until);

/* Its time is up, and the kernel knew no such port: word of how it ended comes late, or never. It
 * is not due any more. */
void conntab_overdue(struct conntab *t, struct conn *c);

#endif
