/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_value.h - values in the configuration file
 *
 * Text goes in, a value comes out. Functions that read a value return NULL, or what is wrong with
 * it: conf_value_wrong if it is not what the key wants at all. Outputs are untouched then.
 */
#ifndef PASVD_CONF_VALUE_H
#define PASVD_CONF_VALUE_H

#include "pasvd/policy.h"

/* A piece of a line; refers to the line. */
struct text {
	const char *p;
	size_t n;
};

extern const char conf_value_wrong[];

/* Cuts off what is before `separator`, or all there is, without the blanks around it. */
struct text text_cut(struct text *rest, char separator);

/* A decimal number low..high, in 32 bits or 16. */
const char *conf_value_count(struct text t, uint32_t low, uint32_t high, uint32_t *ret_number);
const char *conf_value_number(struct text t, uint16_t low, uint16_t high, uint16_t *ret_number);

/* A time low..high in seconds: a decimal number, then nothing, "s" or "min". */
const char *conf_value_seconds(struct text t, uint16_t low, uint16_t high, uint32_t *ret_seconds);

/* PORT or PORT-PORT; both ends lowest..65535. */
const char *conf_value_ports(struct text t, uint16_t lowest, struct port_range *ret_range);

/* yes or no */
const char *conf_value_bool(struct text t, bool *ret_yes);

/* pass, log, refuse or reset */
const char *conf_value_outcome(struct text t, enum strict_outcome *ret_outcome);

/* ADDRESS, or ADDRESS/BITS with no bits set after the prefix. */
const char *conf_value_network(struct text t, struct network *ret_network);

/* A number 0..2^32-1, decimal or, after 0x, hexadecimal. */
const char *conf_value_mark(struct text t, uint32_t *ret_mark);

/* WORD, then perhaps "for NETWORK", else all networks. */
const char *conf_value_for(struct text t, struct text *ret_word, struct network *ret_network);

/* What an external address names; empty: nothing. */
struct external_names {
	struct text path, interface;
};

/* ADDRESS or file:PATH, then perhaps "for NETWORK", "dialled ADDRESS" and "on INTERFACE". With a
 * path ret_entry->addr is ADDR_NONE, with an interface ret_entry->indev is POLICY_NO_INTERFACE. */
const char *conf_value_external(
	struct text t, struct external *ret_entry, struct external_names *ret_names);

#endif
