/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_mark.h - which bits of a connection's mark a statement of nft writes */
#ifndef PASVD_NFT_MARK_H
#define PASVD_NFT_MARK_H

#include <jansson.h>
#include <stdint.h>

/* `value`: what `ct mark set` sets the mark to. */
uint32_t nft_mark_written(const json_t *value);

#endif
