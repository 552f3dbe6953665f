/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quota.c - how many ports may be opened a minute
 *
 * Buckets count time, not ports: one port of N takes an Nth of a minute, and what is missing in a
 * bucket is the time from now until full_at, at most a minute. In ns, so that a limit of N is N to
 * the port for any N of 16 bits.
 *
 * Slots are never given back: a bucket that is full is the first to be taken over. Thus the least
 * full_at of a set never falls, which is what an address that lost its slot relies on.
 */
#include "pasvd/quota.h"

#include <string.h>

#include "siphash.h"

enum { NS_PER_MS = 1000000, IP6_CLIENT_LEN = 8 };

static const uint64_t minute = UINT64_C(60000) * NS_PER_MS;

void quota_init(struct quota *q, const uint8_t *key)
{
	memset(q, 0, sizeof(*q));
	memcpy(q->key, key, sizeof(q->key));
}

/* Two addresses with the same 64 bits would share a bucket. */
static uint64_t quota_client_id(const struct quota *q, const struct addr *a, size_t len)
{
	uint8_t bytes[1 + ADDR_IP6_LEN] = {a->family};

	memcpy(bytes + 1, a->byte, len);
	return siphash(q->key, bytes, sizeof(bytes));
}

static struct quota_bucket *quota_bucket_in(
	struct quota_slot sets[QUOTA_SETS][QUOTA_WAYS], uint64_t who)
{
	struct quota_slot *set = sets[who & (QUOTA_SETS - 1)], *fullest = set;

	for (struct quota_slot *slot = set; slot < set + QUOTA_WAYS; slot++) {
		if (slot->who == who)
			return &slot->bucket;
		if (slot->bucket.full_at < fullest->bucket.full_at)
			fullest = slot;
	}
	fullest->who = who;
	return &fullest->bucket;
}

static struct quota_bucket *quota_bucket_of(
	struct quota *q, enum quota_scope scope, const struct quota_party *party)
{
	const struct addr *client = &party->client, *server = &party->server;
	size_t client_len = client->family == ADDR_IP6 ? IP6_CLIENT_LEN : addr_len(client);

	switch (scope) {
	case QUOTA_CLIENT:
		return quota_bucket_in(q->client, quota_client_id(q, client, client_len));
	case QUOTA_SERVER:
		return quota_bucket_in(q->server, quota_client_id(q, server, addr_len(server)));
	case QUOTA_SESSION:
	case QUOTA_NONE:
		break;
	}
	return party->session;
}

/* When the bucket will be full if a port more is taken out of it. */
static uint64_t quota_full_after(const struct quota_bucket *b, uint16_t a_minute, uint64_t now)
{
	return (b->full_at > now ? b->full_at : now) + minute / a_minute;
}

enum quota_scope quota_ask(struct quota *q, const struct quota_limits *limits,
	const struct quota_party *party, uint64_t now)
{
	enum quota_scope scope = QUOTA_SESSION;

	now *= NS_PER_MS;
	for (; scope < QUOTA_NONE; scope++) {
		uint16_t a_minute = limits->a_minute[scope];

		if (a_minute && quota_full_after(quota_bucket_of(q, scope, party), a_minute, now) >
					now + minute)
			break;
	}
	return scope;
}

void quota_take(struct quota *q, const struct quota_limits *limits, const struct quota_party *party,
	uint64_t now)
{
	now *= NS_PER_MS;
	for (enum quota_scope scope = QUOTA_SESSION; scope < QUOTA_NONE; scope++) {
		uint16_t a_minute = limits->a_minute[scope];
		struct quota_bucket *b;

		if (!a_minute)
			continue;
		b = quota_bucket_of(q, scope, party);
		b->full_at = quota_full_after(b, a_minute, now);
	}
}
