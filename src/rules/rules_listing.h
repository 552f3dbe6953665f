/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_listing.h - what is loaded, as `iptables -S` prints it, and the texts that change it
 *
 * Ours are the chains PASVD, one in each table, and the rules of built-in chains that jump there.
 */
#ifndef PASVD_RULES_LISTING_H
#define PASVD_RULES_LISTING_H

#include <stdbool.h>
#include <stdio.h>

#include "child.h"

enum { RULES_TABLES = 4, RULES_COMMAND_LEN = 512 };

/* The tables, in the order in which packets pass them. */
extern const char *const rules_tables[RULES_TABLES];

/* The commands of one family. */
struct rules_command {
	char command[RULES_COMMAND_LEN], restore[RULES_COMMAND_LEN];
};

/* The commands for a family (RULES_IP4, RULES_IP6). 0; -EINVAL: $IPTABLES is not a name of
 * iptables; -ENOENT: not installed. Fills in *ret_command, but for -EINVAL, also then. */
int rules_command_of(int family, struct rules_command *ret_command);

/* What is loaded: the text for each table, "" where there is no such table. */
struct rules_listing {
	char *table[RULES_TABLES];
	bool unseen[RULES_TABLES]; /* the text is not all of it: iptables cannot show it */
};

/* 0, or -errno and why in `complaint`: it is not known what is loaded. -ENOTSUP: nft has put rules
 * into a table that iptables cannot show; the other tables are read. rules_listing_free() is due in
 * any case. */
int rules_listing_read(const struct rules_command *command, struct rules_listing *ret_listing,
	char complaint[RUN_COMPLAINT_MAX]);

void rules_listing_free(struct rules_listing *l);

/* Each of these writes text for iptables-restore --noflush. */

/* What replaces ours with `text`, which is that of rules_text(). A jump that is the same stays
 * where it is. */
void rules_listing_change(const struct rules_listing *l, const char *text, FILE *out);

/* What removes ours; nothing if there is nothing. */
void rules_listing_remove(const struct rules_listing *l, FILE *out);

/* What makes `before` of what is loaded now, as far as it is ours. */
void rules_listing_restore(
	const struct rules_listing *now, const struct rules_listing *before, FILE *out);

/* A line "TABLE: RULE" for each rule of ours, after the prefix. */
void rules_listing_print(const struct rules_listing *l, const char *prefix, FILE *out);

#endif
