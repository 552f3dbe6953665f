/* SPDX-License-Identifier: GPL-2.0-or-later */
/* masters.h - control connections that are TLS, whose data connections cannot be foretold
 *
 * Which client has one to which address. They are hints: whether a connection is still there is
 * asked of conntrack when it matters. A table of fixed size; each pair of client and dialled
 * address has a small part of it, by a hash with a key, so that nobody outside can push out whom he
 * likes.
 */
#ifndef PASVD_MASTERS_H
#define PASVD_MASTERS_H

#include <stdbool.h>

#include "pasvd/endpoint.h"

enum {
	MASTERS_KEY_LEN = 16,
	MASTERS_SETS = 2048, /* a power of two */
	MASTERS_WAYS = 16,   /* entries of a set; it is full: the oldest one goes */
};

/* Original tuples of connections, newest first, those after an unused one are unused: src.port is
 * 0. */
struct masters_set {
	struct tuple entry[MASTERS_WAYS];
};

struct masters {
	uint8_t key[MASTERS_KEY_LEN];
	bool any; /* one has been remembered */
	struct masters_set set[MASTERS_SETS];
};

/* `m` is zeros, or has been initialised before. `key`: MASTERS_KEY_LEN random bytes. */
void masters_init(struct masters *m, const uint8_t *key);

/* Remembers the connection; if it is there already it becomes the newest. */
void masters_add(struct masters *m, const struct tuple *original);

/* Forgets it, if it is there. */
void masters_del(struct masters *m, const struct tuple *original);

/* The part of the table in which `t` belongs. */
const struct masters_set *masters_set_of(const struct masters *m, const struct tuple *t);

/* The connections, newest first, of the client with address t->src.addr that dialled t->dst.addr:
 * copies at most MASTERS_WAYS of them, returns how many. Ports of `t` do not matter. */
size_t masters_find(
	const struct masters *m, const struct tuple *t, struct tuple ret_original[MASTERS_WAYS]);

#endif
