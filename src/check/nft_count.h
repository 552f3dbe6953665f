/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_count.h - statements of nft that count, and that fill sets */
#ifndef PASVD_NFT_COUNT_H
#define PASVD_NFT_COUNT_H

#include <jansson.h>

#include "ruleset.h"

/* Whether the statement is one of these: then it is added to the rule. */
bool nft_count_add(struct rule *r, const char *name, const json_t *value);

#endif
