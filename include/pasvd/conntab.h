/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntab.h - what is remembered of each control connection
 *
 * A table of fixed size in memory that the caller gives; what was never used of it is not touched.
 * A connection is found by the tuple of either direction (a hash keyed with random bytes, so that
 * nobody outside can aim at one chain). It is a cache: all that a session needs to survive is in
 * the kernel, so when it is full, one goes. How long one was idle says nothing: conntrack tells
 * sessions apart.
 */
#ifndef PASVD_CONNTAB_H
#define PASVD_CONNTAB_H

#include "pasvd/ct_ops.h"
#include "pasvd/edit.h"
#include "pasvd/line.h"
#include "pasvd/policy.h"
#include "pasvd/quota.h"
#include "pasvd/session.h"

enum {
	CONNTAB_SIZE = 16384,
	CONNTAB_BUCKETS = 32768, /* a power of two */
	CONNTAB_KEY_LEN = 16,
};

struct stream {
	struct line line;
	struct edits edits;
	bool reset; /* with conn.aborted: the last segment was made a RST */
	/* with conn.tls: what was seen last is an alert, which ends TLS if clear text follows */
	bool closes;
};

struct conn {
	struct ct_view view;
	struct session session;
	struct quota_bucket quota;
	/* what was opened last; all 0 if nothing was, or it has ended as far as we know */
	struct plan last;
	uint64_t until; /* ms, when the time of that is up */
	/* it was, and the kernel knew no such port: word of how it ended comes late, or never */
	bool overdue;
	struct stream stream[2]; /* by enum dir */
	uint32_t indev[2];       /* by enum dir: where the last packet came in; 0: not known */
	/* enum trust, as the mark has it, or is going to with this packet's verdict */
	uint8_t trust;
	/* the client spoke before the server, as no client of FTP does that says PORT */
	bool client_first;
	bool aborted;   /* it was reset: no new byte passes */
	bool inherited; /* conntrack was asked for what a predecessor of ours opened */
	bool told;      /* that it is not ours, or not translated */
	bool cleared;   /* it was TLS before */
	bool hides; /* with conn.tls: the client went on with TLS after the server had closed it */
	bool tls;   /* nothing of it is read; lines tell what was, before TLS began */
	bool live;  /* false: nothing above is valid, and no bucket leads here */
	uint64_t seen;         /* ms, as given to conntab_find() and conntab_add() */
	uint32_t chain[2];     /* by enum dir: next of the bucket */
	uint32_t older, newer; /* neighbours in order of `seen` */
};

struct conntab {
	uint8_t key[CONNTAB_KEY_LEN];
	uint32_t bucket[CONNTAB_BUCKETS];
	uint32_t max;  /* entries, CONNTAB_SIZE unless lowered before the first one */
	uint32_t live; /* entries that are */
	/* entries [0, used) have been used, and stand in the order of idleness */
	uint32_t used;
	uint32_t oldest, newest; /* its ends; what is forgotten goes to the old one */
	struct conn conn[CONNTAB_SIZE];
};

/* `key`: CONNTAB_KEY_LEN random bytes. */
void conntab_init(struct conntab *t, const uint8_t *key);

/* The one that makes room for another if the table is full, else NULL. */
struct conn *conntab_victim(struct conntab *t);

/* The connection one of whose directions is `tuple`, or NULL; *ret_dir tells which. `now` in ms,
 * never going back. */
struct conn *conntab_find(
	struct conntab *t, const struct tuple *tuple, uint64_t now, enum dir *ret_dir);

/* A fresh entry for `view`; older ones with one of its tuples go. Never fails. */
struct conn *conntab_add(struct conntab *t, const struct ct_view *view, uint64_t now);

/* Entry number `i`, NULL if nothing is remembered there. A connection keeps its number; there is
 * none from t->used on. */
const struct conn *conntab_at(const struct conntab *t, uint32_t i);

/* Forgets the entry. */
void conntab_del(struct conntab *t, struct conn *c);

#endif
