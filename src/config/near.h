/* SPDX-License-Identifier: GPL-2.0-or-later */
/* near.h - how far a mistyped word is from another */
#ifndef PASVD_NEAR_H
#define PASVD_NEAR_H

enum {
	NEAR_MAX = 2, /* what may still be a slip of the fingers */
	NEAR_FAR = 99,
};

/* How many letters have to be put in, left out, replaced, or swapped with their neighbour; the case
 * does not count, nor whether it is a dash or an underscore. NEAR_FAR for words that are too long
 * to be any of ours, or so short that nothing of them would be left. */
unsigned near_distance(const char *typed, const char *meant);

#endif
