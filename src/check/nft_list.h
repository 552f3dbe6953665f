/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_list.h - what `nft -j list ruleset` prints, as rules */
#ifndef PASVD_NFT_LIST_H
#define PASVD_NFT_LIST_H

#include "ruleset.h"

/* Adds the chains and rules in `text` that see packets of the family, those of tables for both
 * included, to *rs. Chains that `iptables` (NULL: nothing) has as well are left out: they are of
 * iptables-nft. A rule's text says where it is. 0, -ENOMEM, or -EINVAL if it is not what nft
 * prints. */
int nft_list_read(const char *text, enum addr_family family, const struct ruleset *iptables,
	struct ruleset *rs);

/* Sets the devices of a chain at ingress from what `nft list chain` prints: not every nft has them
 * in its JSON. */
void nft_list_read_devices(const char *text, struct chain *c);

/* Finds in what `nft list ruleset` prints the tables that are dormant: no packet sees their chains,
 * nor those of iptables-nft. */
void nft_list_read_dormant(const char *text, enum addr_family family, struct ruleset *rs);
size_t nft_list_count_flowtables(const char *text);

#endif
