/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_option.h - tables that say what is done with the options of a rule of iptables */
#ifndef PASVD_IPTABLES_OPTION_H
#define PASVD_IPTABLES_OPTION_H

#include <string.h>

#include "conf_value.h"
#include "ruleset.h"

enum takes { NO_WORD, ONE_WORD, TWO_WORDS };

struct option {
	const char *name;
	enum takes takes;
	bool (*set)(struct rule *r, const char *word, bool negated); /* false: not understood */
};

/* Those before the target, and those after it. */
extern const struct option iptables_match_options[], iptables_target_options[];

/* Whether the match is for certain hosts, or so many packets in a second: those of its options that
 * are not in the table do not matter. */
bool iptables_counts(const char *match);

/* -j and -g: the target, which may be the name of a chain. */
bool iptables_set_target(struct rule *r, const char *word, bool negated);
bool iptables_set_goto(struct rule *r, const char *word, bool negated);

static inline struct text text_of_word(const char *word)
{
	return (struct text){word, strlen(word)};
}

#endif
