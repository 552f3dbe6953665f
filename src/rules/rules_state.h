/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_state.h - what `pasvd rules load` and `remove` leave for `pasvd rules watch`
 *
 * While rules are watched there is a file in RULES_STATE_FOLDER whose name is the number of the
 * network namespace. It has the text of the rules that were loaded last, and nothing once they were
 * removed: so the watcher knows what an administrator wanted from what a firewall did. Without a
 * watcher there is no file.
 *
 * Who changes rules holds the lock of another file, RULES_STATE_LOCK, which stays: two that load at
 * the same time would each find no rules, and both add theirs.
 */
#ifndef PASVD_RULES_STATE_H
#define PASVD_RULES_STATE_H

#include <stdbool.h>

#include "rules_text.h"

#define RULES_STATE_FOLDER "/run/pasvd-rules"
#define RULES_STATE_LOCK   "/run/pasvd-rules.lock"

/* The text of the rules of all their families; free() it. NULL: no memory. */
char *rules_state_text(const struct rules *r);

/* Makes the file. Its descriptor, or -errno: -EBUSY if another watcher has it. */
int rules_state_create(void);

/* Removes the file and closes the descriptor. */
void rules_state_delete(int fd);

/* Waits until nobody else changes rules; until unlocked nobody will. Where /run cannot be written
 * to nobody is waited for. What it returns is for rules_state_unlock(). */
int rules_state_lock(void);
void rules_state_unlock(int lock);

/* Whether these are the rules that were loaded last; "": that they were removed. */
bool rules_state_is(int fd, const char *text);

/* 0 or -errno. Half a text is nobody's: what cannot be kept as a whole counts as removed. */
int rules_state_set(int fd, const char *text);

/* rules_load() and rules_remove() by an administrator. */
int rules_state_load(const struct rules *r);
int rules_state_remove(void);

#endif
