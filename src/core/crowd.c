/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowd.c - sessions of some kind, by their client
 *
 * A client stands in the list of those that have as many sessions as he has. With each session that
 * comes or goes he moves by one list, so the greatest number that any client has is known without
 * looking for it.
 */
#include "pasvd/crowd.h"

#include <string.h>

#include "addr_hash.h"

void crowd_init(struct crowd *c, const uint8_t *key)
{
	memcpy(c->key, key, sizeof(c->key));
	pool_init(&c->clients, c->place, CROWD_SIZE);
}

static uint32_t crowd_bucket(uint64_t id)
{
	return id & (CROWD_BUCKETS - 1);
}

/* The client's number; LIST_END: he has no session here. */
static uint32_t crowd_find(const struct crowd *c, uint64_t id)
{
	uint32_t k = c->bucket[crowd_bucket(id)];

	while (k != LIST_END && c->client[k].id != id)
		k = c->client[k].chain;
	return k;
}

uint32_t crowd_count(const struct crowd *c, const struct addr *client)
{
	uint32_t k = crowd_find(c, addr_hash_client(c->key, client));

	return k == LIST_END ? 0 : c->client[k].n;
}

/* A client who has no session yet. */
static uint32_t crowd_add_client(struct crowd *c, uint64_t id)
{
	uint32_t k = pool_take(&c->clients), *bucket = &c->bucket[crowd_bucket(id)];

	c->client[k] = (struct crowd_client){.id = id, .chain = *bucket};
	*bucket = k;
	return k;
}

static void crowd_remove_client(struct crowd *c, uint32_t k)
{
	uint32_t *link = &c->bucket[crowd_bucket(c->client[k].id)];

	while (*link != k)
		link = &c->client[*link].chain;
	*link = c->client[k].chain;
	pool_give(&c->clients, k);
}

/* Client `k` has `n` sessions, one more or one less than before. */
static void crowd_recount(struct crowd *c, uint32_t k, uint32_t n)
{
	struct crowd_client *client = &c->client[k];

	if (client->n)
		list_remove(&c->with[client->n], c->client_link, k);
	client->n = n;
	if (n > c->most)
		c->most = n;
	if (n)
		list_append(&c->with[n], c->client_link, k);
	if (c->most && c->with[c->most].first == LIST_END)
		c->most--;
}

void crowd_join(struct crowd *c, uint32_t i, const struct addr *client)
{
	uint64_t id = addr_hash_client(c->key, client);
	uint32_t k = crowd_find(c, id);

	if (k == LIST_END)
		k = crowd_add_client(c, id);
	c->client_of[i] = k;
	list_append(&c->client[k].session, c->session_link, i);
	crowd_recount(c, k, c->client[k].n + 1);
}

void crowd_leave(struct crowd *c, uint32_t i)
{
	uint32_t k = c->client_of[i];

	if (k == LIST_END)
		return;
	list_remove(&c->client[k].session, c->session_link, i);
	c->client_of[i] = LIST_END;
	crowd_recount(c, k, c->client[k].n - 1);
	if (!c->client[k].n)
		crowd_remove_client(c, k);
}

void crowd_touch(struct crowd *c, uint32_t i)
{
	if (c->client_of[i] != LIST_END)
		list_renew(&c->client[c->client_of[i]].session, c->session_link, i);
}

uint32_t crowd_victim(const struct crowd *c)
{
	return c->most ? c->client[c->with[c->most].first].session.first : LIST_END;
}
