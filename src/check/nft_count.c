/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_count.c - statements of nft that count, and that fill sets
 *
 * libnftables-json(5): those that count have a member "inv" if they match what is over. Where
 * there is a name instead, the numbers are elsewhere. What is counted for each element of a set
 * that packets fill stands in the statement which adds them.
 */
#include "nft_count.h"

#include <stdio.h>
#include <string.h>

#include "pasvd/array.h"

#include "nft_match.h"
#include "rule_counts.h"

static uint64_t nft_count_number(const json_t *value, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(value, key));
}

/* How many bytes "bytes", "kbytes" or "mbytes" are; 0: they are packets. */
static uint64_t nft_count_unit(const json_t *value, const char *key)
{
	const char *unit = nft_string_at(value, key);

	switch (*unit) {
	case 'b':
		return 1;
	case 'k':
		return 1 << 10;
	case 'm':
		return 1 << 20;
	default:
		return 0;
	}
}

static void nft_count_rate(struct rule *r, const json_t *limit, bool over)
{
	uint64_t unit = nft_count_unit(limit, "rate_unit");

	(void)over;
	rule_counts_rate(r, nft_count_number(limit, "rate") * (unit ? unit : 1),
		nft_string_at(limit, "per"), unit);
}

static void nft_count_connections(struct rule *r, const json_t *count, bool over)
{
	rule_counts_connections(r, nft_count_number(count, "val"), over);
}

static void nft_count_bytes(struct rule *r, const json_t *quota, bool over)
{
	rule_counts_bytes(r, nft_count_number(quota, "val") * nft_count_unit(quota, "val_unit"),
		nft_count_number(quota, "used") * nft_count_unit(quota, "used_unit"), over);
}

static const struct {
	const char *name;
	void (*add)(struct rule *r, const json_t *value, bool over);
} counting[] = {
	{"limit", nft_count_rate},
	{"ct count", nft_count_connections},
	{"quota", nft_count_bytes},
};

static bool nft_count_add_one(struct rule *r, const char *name, const json_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(counting); i++) {
		if (strcmp(counting[i].name, name) != 0)
			continue;
		if (json_is_object(value))
			counting[i].add(r, value, json_is_true(json_object_get(value, "inv")));
		else
			nft_unclear(r, name, "that is named elsewhere");
		return true;
	}
	return false;
}

/* {"set": {"op": "add", "elem": …, "set": "@NAME", "stmt": [{"limit": …}]}} */
static void nft_count_fill(struct rule *r, const json_t *set)
{
	const json_t *statements = json_object_get(set, "stmt");
	const char *name = nft_string_at(set, "set");

	if (*name == '@' && strcmp(nft_string_at(set, "op"), "delete") != 0)
		snprintf(r->fills, sizeof(r->fills), "set %.50s", name + 1);
	for (size_t i = 0; i < json_array_size(statements); i++) {
		json_t *statement = json_array_get(statements, i);
		void *member = json_object_iter(statement);

		if (member)
			nft_count_add_one(
				r, json_object_iter_key(member), json_object_iter_value(member));
	}
}

bool nft_count_add(struct rule *r, const char *name, const json_t *value)
{
	if (strcmp(name, "set") != 0)
		return nft_count_add_one(r, name, value);
	nft_count_fill(r, value);
	return true;
}
