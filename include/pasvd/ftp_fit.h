/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ftp_fit.h - another endpoint in a reply that keeps its length
 *
 * Of a 227 or 229 only the endpoint means anything to a client, the text around it is free. So no
 * sequence number has to be shifted: whoever repeats the reply, with us, without us or with our
 * successor in between, repeats as many bytes.
 */
#ifndef PASVD_FTP_FIT_H
#define PASVD_FTP_FIT_H

#include "pasvd/ftp.h"

/* Writes the `len` bytes of `text` over the offer's in the line `p` of `n` bytes, which ends with
 * LF, and changes nothing but the bytes [open, n) of it. False: the line has no room for that, and
 * is as it was. */
bool ftp_fit(uint8_t *p, size_t n, size_t open, const struct ftp_offer *offer, const uint8_t *text,
	size_t len);

#endif
