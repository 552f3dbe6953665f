/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend.h - what has a firewall let FTP through, and lasts */
#ifndef PASVD_CHECK_MEND_H
#define PASVD_CHECK_MEND_H

#include "facts.h"
#include "findings.h"

struct mend {
	const struct target *target;
	const struct filter *filter;
	const struct chain *chain; /* at forward; its names are plain words */
	size_t position;           /* of the rule that drops, from 1 */
	bool at_end;               /* its policy does */
	const char *loader;        /* of pasvd's rules */
};

/* Adds the fix: for chains of a known tool by what that tool keeps, else by a rule that lasts until
 * the chain is made again. */
void mend_forward(const struct mend *m, struct finding *found);

#endif
