/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_rule.h - one rule of iptables, from the words that it consists of */
#ifndef PASVD_IPTABLES_RULE_H
#define PASVD_IPTABLES_RULE_H

#include "ruleset.h"

enum { WORDS_MAX = 256, WORDS_BYTES = 8192 };

struct words {
	size_t n;
	char *word[WORDS_MAX];
	char buf[WORDS_BYTES];
};

/* Cuts a line as iptables-save prints it into words, without their quotes. False: there are too
 * many, or it is too long. */
bool words_split(const char *line, struct words *ret_words);

/* The words are "-A", the chain, and those of the rule. A target that may be the name of a chain
 * becomes RULE_NONE. */
struct rule iptables_rule(const struct words *w);

#endif
