/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_field.h - which field of a packet an expression of nft is, and values of fields */
#ifndef PASVD_NFT_FIELD_H
#define PASVD_NFT_FIELD_H

#include <jansson.h>

#include "nft_match.h"

/* What an expression on the left is. */
enum nft_left { LEFT_UNKNOWN, LEFT_FIELD, LEFT_NEVER /* these packets have no such field */ };

/* One field, or those of a concatenation. */
enum nft_left nft_fields_of(const struct nft_place *place, const json_t *left,
	enum field ret_field[LOOKUP_FIELDS_MAX], size_t *ret_n);

/* False: the value is not understood. */
bool nft_network(const json_t *value, struct network *ret_network);

/* One value, {"range": [LOW, HIGH]}, or "*". */
bool nft_span(const struct nft_place *place, enum field field, const json_t *value,
	struct span *ret_span);

/* An element of a set as an interval for each field. */
bool nft_element(const struct nft_place *place, const enum field *field, size_t n,
	const json_t *element, struct span *ret_spans);

#endif
