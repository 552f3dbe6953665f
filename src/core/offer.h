/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offer.h - an offer gets its port, until that is shut again */
#ifndef PASVD_CORE_OFFER_H
#define PASVD_CORE_OFFER_H

#include "step.h"

/* An offer that may be made: gets its port, or the next one that nobody waits for. */
enum reason offer_make(struct step *s, const struct ftp_offer *offer);

/* True if a predecessor of ours has made this offer, which is sent again: it gets the text that it
 * got, and opens nothing. */
bool offer_redo(struct step *s, const struct ftp_offer *offer);

/* The kernel may have another session's expectation with the tuple of `e`. */
bool offer_is_contested(const struct engine *h, const struct expect *e, uint64_t now);

/* The server refused the client's port. */
enum reason offer_deny(struct step *s);

/* Shuts the connection's port, if it has one. */
void offer_take_back(struct step *s, enum ending why);

/* How its port ended, if it has, and if that is not known yet: it was used if the control
 * connection is there, else it went with that. */
void offer_name_end(struct engine *h, struct conn *c, bool is_there);

/* Likewise; conntrack is asked whether it is there. */
void offer_ask_end(struct engine *h, struct conn *c);

#endif
