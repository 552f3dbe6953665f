/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syns.h - where the streams of clients begin whose SYN was seen
 *
 * Only the client itself knows that without a doubt. conntrack does not report it, and of an ACK of
 * the server nobody knows whether the server has what it acknowledges. So SYNs of clients come by
 * here, and their sequence numbers are kept until the connection's first data. A table of fixed
 * size that is never full: a SYN takes the place of another one.
 */
#ifndef PASVD_SYNS_H
#define PASVD_SYNS_H

#include "pasvd/endpoint.h"

enum { SYNS_SIZE = 1 << 12, SYNS_KEY_LEN = 16 };

struct syn {
	uint64_t who; /* hash of the tuple; 0: nobody */
	uint32_t first;
};

struct syns {
	uint8_t key[SYNS_KEY_LEN];
	bool any;       /* a SYN has come: those of all clients that it may be about do, ... */
	uint32_t indev; /* ... by the interface of this index; 0: not known */
	struct syn syn[SYNS_SIZE];
};

/* `key`: SYNS_KEY_LEN random bytes. */
void syns_init(struct syns *s, const uint8_t *key);

/* The client of the tuple, in the original direction, begins its stream with the byte `first`. Its
 * SYN came in by the interface `indev`. */
void syns_add(struct syns *s, const struct tuple *t, uint32_t first, uint32_t indev);

/* Whether the SYN of a next connection of the tuple was seen. */
bool syns_have(const struct syns *s, const struct tuple *t);

/* The first byte of the client's stream. False: that is not known, and *ret_first is untouched.
 * Then it is forgotten: the tuple's next connection has a SYN of its own. */
bool syns_take(struct syns *s, const struct tuple *t, uint32_t *ret_first);

#endif
