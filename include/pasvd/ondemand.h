/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ondemand.h - data ports of control connections that are TLS
 *
 * Which port they agree upon cannot be read. But while a client has a live control connection that
 * is TLS, and only then, a connection of it to a port of that server's passive range is expected
 * the moment its SYN arrives: in raw PREROUTING, before conntrack, which then finds the
 * expectation. A client behind this router gets the same for servers elsewhere, and those for the
 * client's own ports that the admin has named (active mode).
 */
#ifndef PASVD_ONDEMAND_H
#define PASVD_ONDEMAND_H

#include "pasvd/engine.h"

/* The control connection turns out to be TLS. */
void ondemand_add(struct engine *h, const struct ct_view *view);

/* Likewise, by its mark when the daemon starts, without a packet of it. `now` as for
 * engine_packet(). */
void ondemand_restore(struct engine *h, const struct ct_view *view, uint64_t now);

/* It is not any more. */
void ondemand_del(struct engine *h, const struct ct_view *view);

/* A SYN to a port of a range. It always passes; ret_verdict says whether a port was
 * opened for it. `packet` is not changed. */
void ondemand_syn(
	struct engine *h, struct packet *packet, uint64_t now, struct verdict *ret_verdict);

#endif
