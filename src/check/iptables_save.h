/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables_save.h - what iptables-save prints, as rules */
#ifndef PASVD_IPTABLES_SAVE_H
#define PASVD_IPTABLES_SAVE_H

#include "ruleset.h"

/* Adds the chains and rules in `text` to *rs. A rule's text is its line: "-A FORWARD -i eth0 -j
 * DROP". 0, or -ENOMEM. What is not understood of a rule makes it unsure, and lines of another form
 * are skipped. */
int iptables_save_read(const char *text, struct ruleset *rs);

/* Whether a chain of this name is pasvd's: PASVD, and a number perhaps. What else pasvd's own rules
 * ask for is for some packets only. */
bool iptables_save_own(const char *name);

/* A rule's text after the name of its chain, as words for a shell; "" if there is no room. */
void iptables_save_words(const char *rule, char *ret_words, size_t cap);

/* The same of a rule that writes a whole mark, with masks that leave the `bits` alone. False: its
 * value or a mask of its own has some of them, or there is no room. */
bool iptables_save_masked(const char *rule, uint32_t bits, char *ret_words, size_t cap);

#endif
