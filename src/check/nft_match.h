/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_match.h - what a rule of nft matches */
#ifndef PASVD_NFT_MATCH_H
#define PASVD_NFT_MATCH_H

#include <jansson.h>

#include "ruleset.h"

/* Where a rule is: sets are named there. */
struct nft_place {
	enum addr_family family; /* of the packets that are of interest */
	const json_t *all;       /* the listing */
	const char *table_family, *table;
	struct ruleset *rs; /* takes the elements of sets */
};

const char *nft_string_at(const json_t *object, const char *key);
bool nft_one_port(const json_t *value, uint16_t *ret_port);

/* The name of something in a rule that is not understood; the first one counts. */
void nft_unclear(struct rule *r, const char *kind, const char *name);

/* Adds a match, or makes the rule unsure. */
void nft_match_add(struct rule *r, const struct nft_place *place, const json_t *match);

/* The elements of a set or map, which stands there or is named "@NAME"; NULL: it has none. False:
 * it is not there. */
bool nft_match_elements(
	const struct nft_place *place, const json_t *data, const json_t **ret_elements);

/* An element without its timeout, counter and comment. */
const json_t *nft_match_bare(const json_t *element);

/* Adds that the key of a verdict map is this one of its elements. */
void nft_match_add_key(
	struct rule *r, const struct nft_place *place, const json_t *key, const json_t *element);

#endif
