/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules.h - `pasvd rules`: whom the rules are for, and the commands that print, load, compare and
 * remove them */
#ifndef PASVD_RULES_H
#define PASVD_RULES_H

#include <stdio.h>

#include "conf.h"
#include "rules_text.h"

enum { RULES_DEFAULT_PORT = 21 };

/* Data of the commands, and of any other that takes the same options. */
struct rules_request {
	struct conf conf; /* first: see there */
	struct rules rules;
	unsigned int asked;               /* the set of -4 and -6 */
	bool json;                        /* of `pasvd check` alone */
	enum settings_rules when_missing; /* from the configuration */
	size_t n_wans;                    /* of all servers */
	const char *wan[RULES_WANS_MAX];
};

/* The options that say whom the rules are for, those of struct conf with them; for `pasvd check`,
 * after --json. */
extern const struct options_row rules_check_rows[];
#define rules_rows (rules_check_rows + 1)

/* Text for the end of their --help. */
extern const char rules_more[];

/* Whether the options go together. False: one line on stderr says what does not. */
bool rules_coherent(const struct rules_request *q);

/* Whether -4, -6 and --nft go with what is configured, where that counts. Likewise. */
bool rules_fit_configured(const struct rules_request *q, const struct settings *settings);

/* The set of families of which there are addresses. */
unsigned int rules_families_of_servers(const struct rules *r);

/* Whether an option says whom the rules are for. */
bool rules_name_somebody(const struct rules_request *q);

/* Whether neither an option nor the configuration does. Then a line on stderr has said that
 * nothing `undone`. */
bool rules_ask_for_nobody(const struct rules_request *q, const char *undone);

/* Completes the rules from the configuration; what was completed cannot be completed again. 0, or
 * the exit status after a line on stderr. */
int rules_complete(struct rules_request *q);

/* Writes them as options again, each after a blank: the configuration's file and the queue not
 * among them. */
void rules_print_options(const struct rules_request *q, FILE *out);

extern const struct options_command rules_print_command, rules_load_command, rules_diff_command,
	rules_remove_command;

/* Returns what the rules give to connections, or NULL after a line on stderr. */
typedef const struct ct_helper *rules_ct_helper_fn(enum ct_helper_wanted wanted);

/* What asks the kernel; for tests. */
extern rules_ct_helper_fn *rules_ct_helper;

#endif
