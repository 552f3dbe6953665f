/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowd.h - sessions of some kind, by their client
 *
 * Anybody outside can have as many sessions as he likes. So it is known how many each client has,
 * and who has most: who fills a table pushes out himself. An IPv6 client counts as its /64, which a
 * single host has to itself.
 *
 * Sessions are the numbers of entries in struct conntab.
 */
#ifndef PASVD_CROWD_H
#define PASVD_CROWD_H

#include "pasvd/endpoint.h"
#include "pasvd/list.h"
#include "pasvd/pool.h"

enum {
	CROWD_SIZE = 100000, /* sessions, and clients */
	CROWD_BUCKETS = 1 << 17,
	CROWD_KEY_LEN = 16,
};

struct crowd_client {
	uint64_t id;         /* stands for the address: its hash */
	uint32_t n;          /* sessions, at least one: */
	struct list session; /* the one that was idle for longest is the first */
	uint32_t chain;      /* next of the bucket */
};

struct crowd {
	uint8_t key[CROWD_KEY_LEN];
	uint32_t most; /* sessions that one client has */
	uint32_t bucket[CROWD_BUCKETS];
	uint32_t client_of[1 + CROWD_SIZE]; /* by session; LIST_END: it is not here */
	struct list_link session_link[1 + CROWD_SIZE];
	struct pool clients;
	struct list_link place[1 + CROWD_SIZE];       /* of clients, for the pool */
	struct list with[1 + CROWD_SIZE];             /* clients, by how many sessions they have */
	struct list_link client_link[1 + CROWD_SIZE]; /* in these lists */
	struct crowd_client client[1 + CROWD_SIZE];
};

/* `c` is zeros, or everybody has left. `key`: CROWD_KEY_LEN random bytes. */
void crowd_init(struct crowd *c, const uint8_t *key);

/* How many sessions the client has. */
uint32_t crowd_count(const struct crowd *c, const struct addr *client);

/* Session `i`, which is not here, is one of that client. */
void crowd_join(struct crowd *c, uint32_t i, const struct addr *client);

/* It is none any more, if it was. */
void crowd_leave(struct crowd *c, uint32_t i);

/* There was a packet of it, if it is here. */
void crowd_touch(struct crowd *c, uint32_t i);

/* Of the client with most sessions the one that was idle for longest; LIST_END: there is none. */
uint32_t crowd_victim(const struct crowd *c);

#endif
