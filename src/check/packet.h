/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h - a kind of packets, and what one condition of a rule says of them
 *
 * Theory of operation. A packet here is the description of a kind of packets, such as "the first
 * one of a data connection": what is not said of it can be anything. So a condition holds for such
 * packets, or does not, or holds for some of them. What is not understood of a condition is another
 * matter: it may hold for all of them or for none.
 *
 * A field's value is an interval of bytes, which compare as numbers and names do. A set of nft is a
 * list of elements, each with an interval for each field of its key.
 */
#ifndef PASVD_CHECK_PACKET_H
#define PASVD_CHECK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pasvd/policy.h"

/* The less is certain the smaller; so the least of several is what all of them together say. */
enum tri {
	TRI_NO,
	TRI_MAYBE,      /* it is not understood */
	TRI_SOME_PORTS, /* for some of them, as the port decides that the other side takes */
	TRI_SOME,       /* for some of them: certain hosts, interfaces, or so many in a second */
	TRI_YES,
};

enum { INTERFACE_MAX = 16, SPAN_BYTES = 16, LOOKUP_FIELDS_MAX = 6 };

/* States of a connection, and how it is translated; those of `-m conntrack --ctstate`, and one of
 * --ctstatus. */
enum {
	STATE_NEW = 1,
	STATE_ESTABLISHED = 2,
	STATE_RELATED = 4,
	STATE_INVALID = 8,
	STATE_UNTRACKED = 16,
	STATE_SNAT = 32,
	STATE_DNAT = 64,
	STATE_EXPECTED = 128,
	STATES_OF_CONNECTION = 31,
};

/* Flags of TCP as they stand in its header. */
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_PSH = 8, FLAG_ACK = 16, FLAG_URG = 32 };

/* The interface by which no packet of these kinds comes in or goes out. */
#define PACKET_NEVER_BY "lo"

struct rule_packet {
	const char *in, *out;             /* NULL: not known */
	const char *never_in, *never_out; /* if not known, not this one */
	struct addr src, dst, orig_dst, reply_src;
	uint16_t sport, dport, orig_dport, reply_sport; /* 0: not known */
	/* not 0: the port is anything from the one above to this */
	uint16_t sport_to, dport_to, orig_dport_to;
	unsigned int state;         /* 0: not known, as in raw */
	const char *helper;         /* of its master; NULL: it has none */
	bool reply;                 /* its direction, where a state is known */
	uint8_t flags, flags_known; /* of TCP: which are set, and which are known */
	bool bare;                  /* it carries no data */
};

enum field {
	FIELD_IN,
	FIELD_OUT,
	FIELD_PROTOCOL, /* TCP */
	FIELD_FAMILY,   /* that of the packets is any, and another one is none */
	FIELD_SRC,
	FIELD_DST,
	FIELD_SPORT,
	FIELD_DPORT,
	FIELD_ORIG_SRC,
	FIELD_ORIG_DST,
	FIELD_ORIG_SPORT,
	FIELD_ORIG_DPORT,
	FIELD_REPLY_SRC,
	FIELD_REPLY_DST,
	FIELD_REPLY_SPORT,
	FIELD_REPLY_DPORT,
	FIELD_STATE,     /* one of the states of a connection */
	FIELD_DIRECTION, /* enum dir */
};

struct span {
	uint8_t low[SPAN_BYTES], high[SPAN_BYTES];
};

struct condition {
	enum field field;
	bool negated;
	struct span span;
};

struct lookup {
	struct lookup *next; /* of the same rules */
	bool negated;
	bool partly; /* it has elements that are not understood */
	bool named;  /* packets may add elements to it */
	size_t n_fields, n;
	enum field field[LOOKUP_FIELDS_MAX];
	struct span *element; /* n of them, n_fields each */
};

/* From everything a field can be. */
struct span span_any(void);
struct span span_port(uint16_t low, uint16_t high);
struct span span_number(uint8_t value);
/* From the first address of one network to the last one of the other. */
struct span span_networks(const struct network *first, const struct network *last);
/* `prefix`: every name that begins so. False: it is no name. */
bool span_name(const char *name, bool prefix, struct span *ret_span);

bool field_is_port(enum field f);

/* Whether packets of the kind begin connections. */
bool packet_begins(const struct rule_packet *p);

enum tri condition_holds(const struct condition *c, const struct rule_packet *p);
enum tri lookup_holds(const struct lookup *l, const struct rule_packet *p);

#endif
