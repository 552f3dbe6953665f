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

#include "addr_hash.h"

enum { NS_PER_MS = 1000000 };

static const uint64_t minute = UINT64_C(60000) * NS_PER_MS;

void quota_init(struct quota *q, const uint8_t *key)
{
	memset(q, 0, sizeof(*q));
	memcpy(q->key, key, sizeof(q->key));
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
	switch (scope) {
	case QUOTA_CLIENT:
		return quota_bucket_in(q->client, addr_hash_client(q->key, &party->client));
	case QUOTA_SERVER:
		return quota_bucket_in(q->server, addr_hash(q->key, &party->server));
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
