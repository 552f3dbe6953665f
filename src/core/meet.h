/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meet.h - which session a segment belongs to, and where in it */
#ifndef PASVD_CORE_MEET_H
#define PASVD_CORE_MEET_H

#include "step.h"

/* Finds the segment's connection, s->conn, and its place there; *ret_skip bytes at its front are
 * old if that is LINE_NEW. Not CT_OK: conntrack does not know it, and s->conn is NULL. */
enum ct_result meet_segment(struct step *s, const struct seg *seg, const struct packet *packet,
	enum line_place *ret_place, size_t *ret_skip);

/* The segment acknowledges what the other direction brought. */
void meet_note_ack(const struct step *s, uint32_t ack);

/* Has the verdict say what the connection's mark is to say from now on, if that changes. */
void meet_note_trust(const struct step *s);

#endif
