/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quota.h - how many ports may be opened a minute
 *
 * A port counts in three scopes at once: for its session, for the client's address and for the
 * server's. In each there is a bucket: out of a full one as many ports as the limit says can be
 * taken at once, and one comes back each 60/limit seconds. So within t seconds a scope opens at
 * most limit * (1 + t/60) ports.
 *
 * A bucket is one number, the time at which it will be full again. It is not bound to a limit: when
 * that changes, the part that was used stays used.
 *
 * Addresses have their buckets in tables of fixed size, one a scope: a keyed hash leads to a set of
 * QUOTA_WAYS slots. An address that finds no slot takes over the fullest bucket of its set,
 * together with what is missing in it. An address that lost its slot has therefore never used more
 * than any bucket of its set shows, and no address exceeds its limit, however many others there
 * are. The price: where more than QUOTA_WAYS addresses of one set are at work within a minute, they
 * share.
 */
#ifndef PASVD_QUOTA_H
#define PASVD_QUOTA_H

#include "pasvd/endpoint.h"

enum {
	QUOTA_SETS = 256, /* a power of two */
	QUOTA_WAYS = 16,
	QUOTA_KEY_LEN = 16,
};

/* In the order in which they are looked at. */
enum quota_scope {
	QUOTA_SESSION,
	QUOTA_CLIENT,
	QUOTA_SERVER,
	QUOTA_NONE, /* also the number of scopes */
};

struct quota_limits {
	/* ports, by enum quota_scope; 0: as many as they like, and none is counted */
	uint16_t a_minute[QUOTA_NONE];
};

struct quota_bucket {
	uint64_t full_at; /* ns; all 0 is a full bucket */
};

struct quota_slot {
	uint64_t who; /* stands for an address: its hash */
	struct quota_bucket bucket;
};

struct quota {
	uint8_t key[QUOTA_KEY_LEN];
	struct quota_slot client[QUOTA_SETS][QUOTA_WAYS], server[QUOTA_SETS][QUOTA_WAYS];
};

/* Who asks for a port. An IPv6 client counts as its /64, which a single host has to itself. */
struct quota_party {
	struct quota_bucket *session; /* kept by the caller, for as long as the session */
	struct addr client, server;
};

/* `key`: QUOTA_KEY_LEN random bytes. All buckets are full. */
void quota_init(struct quota *q, const uint8_t *key);

/* The first scope that has no port left, or QUOTA_NONE. Takes nothing. `now` in ms, never going
 * back. */
enum quota_scope quota_ask(struct quota *q, const struct quota_limits *limits,
	const struct quota_party *party, uint64_t now);

/* Takes a port out of each scope. quota_ask() has said QUOTA_NONE to the same. */
void quota_take(struct quota *q, const struct quota_limits *limits, const struct quota_party *party,
	uint64_t now);

#endif
