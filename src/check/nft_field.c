/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_field.c - which field of a packet an expression of nft is, and values of fields */
#include "nft_field.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "pasvd/array.h"

#include "conf_value.h"

const char *nft_string_at(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static bool nft_is_one_of(const char *word, const char *const names[])
{
	while (*names && strcmp(word, *names) != 0)
		names++;
	return *names;
}

/* --- fields --- */

static const struct {
	const char *key;
	enum field field;
} meta_fields[] = {
	{"iifname", FIELD_IN},
	{"iif", FIELD_IN},
	{"oifname", FIELD_OUT},
	{"oif", FIELD_OUT},
	{"l4proto", FIELD_PROTOCOL},
	{"nfproto", FIELD_FAMILY},
	{"protocol", FIELD_FAMILY},
};

static enum nft_left nft_meta_field(const json_t *meta, enum field *ret_field)
{
	for (size_t i = 0; i < ARRAY_SIZE(meta_fields); i++) {
		if (strcmp(meta_fields[i].key, nft_string_at(meta, "key")) == 0) {
			*ret_field = meta_fields[i].field;
			return LEFT_FIELD;
		}
	}
	return LEFT_UNKNOWN;
}

static const struct {
	const char *dir, *key;
	enum field field;
	enum addr_family family; /* ADDR_NONE: either */
} ct_fields[] = {
	{"", "state", FIELD_STATE, ADDR_NONE},
	{"", "direction", FIELD_DIRECTION, ADDR_NONE},
	{"", "l3proto", FIELD_FAMILY, ADDR_NONE},
	{"", "protocol", FIELD_PROTOCOL, ADDR_NONE},
	{"original", "ip saddr", FIELD_ORIG_SRC, ADDR_IP4},
	{"original", "ip daddr", FIELD_ORIG_DST, ADDR_IP4},
	{"original", "ip6 saddr", FIELD_ORIG_SRC, ADDR_IP6},
	{"original", "ip6 daddr", FIELD_ORIG_DST, ADDR_IP6},
	{"original", "saddr", FIELD_ORIG_SRC, ADDR_NONE},
	{"original", "daddr", FIELD_ORIG_DST, ADDR_NONE},
	{"original", "proto-src", FIELD_ORIG_SPORT, ADDR_NONE},
	{"original", "proto-dst", FIELD_ORIG_DPORT, ADDR_NONE},
	{"reply", "ip saddr", FIELD_REPLY_SRC, ADDR_IP4},
	{"reply", "ip daddr", FIELD_REPLY_DST, ADDR_IP4},
	{"reply", "ip6 saddr", FIELD_REPLY_SRC, ADDR_IP6},
	{"reply", "ip6 daddr", FIELD_REPLY_DST, ADDR_IP6},
	{"reply", "saddr", FIELD_REPLY_SRC, ADDR_NONE},
	{"reply", "daddr", FIELD_REPLY_DST, ADDR_NONE},
	{"reply", "proto-src", FIELD_REPLY_SPORT, ADDR_NONE},
	{"reply", "proto-dst", FIELD_REPLY_DPORT, ADDR_NONE},
};

static enum nft_left nft_ct_field(
	const struct nft_place *place, const json_t *ct, enum field *ret_field)
{
	for (size_t i = 0; i < ARRAY_SIZE(ct_fields); i++) {
		if (strcmp(ct_fields[i].key, nft_string_at(ct, "key")) != 0 ||
			strcmp(ct_fields[i].dir, nft_string_at(ct, "dir")) != 0)
			continue;
		*ret_field = ct_fields[i].field;
		return ct_fields[i].family == ADDR_NONE || ct_fields[i].family == place->family
			       ? LEFT_FIELD
			       : LEFT_NEVER;
	}
	return LEFT_UNKNOWN;
}

static const struct {
	const char *protocol, *field;
	enum field is;
} payload_fields[] = {
	{"ip", "saddr", FIELD_SRC},
	{"ip", "daddr", FIELD_DST},
	{"ip", "protocol", FIELD_PROTOCOL},
	{"ip6", "saddr", FIELD_SRC},
	{"ip6", "daddr", FIELD_DST},
	{"ip6", "nexthdr", FIELD_PROTOCOL},
	{"tcp", "sport", FIELD_SPORT},
	{"tcp", "dport", FIELD_DPORT},
	{"th", "sport", FIELD_SPORT},
	{"th", "dport", FIELD_DPORT},
};

static enum nft_left nft_payload_field(
	const struct nft_place *place, const json_t *payload, enum field *ret_field)
{
	static const char *const others[] = {"udp", "udplite", "sctp", "dccp", "icmp", "icmpv6",
		"igmp", "ah", "esp", "comp", "gre", "arp", NULL};
	const char *protocol = nft_string_at(payload, "protocol"),
		   *field = nft_string_at(payload, "field");

	if (nft_is_one_of(protocol, others) ||
		strcmp(protocol, place->family == ADDR_IP6 ? "ip" : "ip6") == 0)
		return LEFT_NEVER;
	for (size_t i = 0; i < ARRAY_SIZE(payload_fields); i++) {
		if (strcmp(payload_fields[i].protocol, protocol) == 0 &&
			strcmp(payload_fields[i].field, field) == 0) {
			*ret_field = payload_fields[i].is;
			return LEFT_FIELD;
		}
	}
	return LEFT_UNKNOWN;
}

static enum nft_left nft_field_of(
	const struct nft_place *place, const json_t *left, enum field *ret_field)
{
	const json_t *meta = json_object_get(left, "meta"), *ct = json_object_get(left, "ct"),
		     *payload = json_object_get(left, "payload");

	if (meta)
		return nft_meta_field(meta, ret_field);
	if (ct)
		return nft_ct_field(place, ct, ret_field);
	return payload ? nft_payload_field(place, payload, ret_field) : LEFT_UNKNOWN;
}

enum nft_left nft_fields_of(const struct nft_place *place, const json_t *left,
	enum field ret_field[LOOKUP_FIELDS_MAX], size_t *ret_n)
{
	const json_t *several = json_object_get(left, "concat");
	size_t n = several ? json_array_size(several) : 1;
	enum nft_left least = LEFT_FIELD;

	if (n > LOOKUP_FIELDS_MAX)
		return LEFT_UNKNOWN;
	for (size_t i = 0; i < n && least == LEFT_FIELD; i++)
		least = nft_field_of(
			place, several ? json_array_get(several, i) : left, &ret_field[i]);
	*ret_n = n;
	return least;
}

/* --- values: false if they are not understood --- */

static struct text nft_text_of(const char *word)
{
	return (struct text){word, strlen(word)};
}

bool nft_one_port(const json_t *value, uint16_t *ret_port)
{
	json_int_t port = json_integer_value(value);

	if (!json_is_integer(value) || port < 0 || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

/* ADDRESS, or {"prefix": {"addr": ADDRESS, "len": BITS}} */
bool nft_network(const json_t *value, struct network *ret_network)
{
	const json_t *prefix = json_object_get(value, "prefix");
	const char *address = prefix ? nft_string_at(prefix, "addr") : json_string_value(value);
	json_int_t bits = json_integer_value(json_object_get(prefix, "len"));
	struct network n;

	if (!address || conf_value_network(nft_text_of(address), &n))
		return false;
	if (prefix && (bits < 0 || bits > n.bits))
		return false;
	if (prefix)
		n.bits = (uint8_t)bits;
	*ret_network = n;
	return true;
}

static bool nft_addresses(const json_t *low, const json_t *high, struct span *ret_span)
{
	struct network first, last;

	if (!nft_network(low, &first) || !nft_network(high, &last))
		return false;
	*ret_span = span_networks(&first, &last);
	return true;
}

static bool nft_ports(const json_t *low, const json_t *high, struct span *ret_span)
{
	struct port_range ports;

	if (!nft_one_port(low, &ports.low) || !nft_one_port(high, &ports.high))
		return false;
	*ret_span = span_port(ports.low, ports.high);
	return true;
}

static bool nft_interface(const char *name, struct span *ret_span)
{
	char start[INTERFACE_MAX + 1];
	size_t len = strlen(name);
	bool prefix = len && name[len - 1] == '*';

	snprintf(start, sizeof(start), "%.*s", (int)(len - prefix), name);
	return span_name(start, prefix, ret_span);
}

/* Words whose number is of interest; those of FIELD_FAMILY stand for a family. */
static const struct {
	const char *word;
	enum field field;
	uint8_t number;
} words[] = {
	{"tcp", FIELD_PROTOCOL, IPPROTO_TCP},
	{"ip", FIELD_FAMILY, ADDR_IP4},
	{"ipv4", FIELD_FAMILY, ADDR_IP4},
	{"ip6", FIELD_FAMILY, ADDR_IP6},
	{"ipv6", FIELD_FAMILY, ADDR_IP6},
	{"new", FIELD_STATE, STATE_NEW},
	{"established", FIELD_STATE, STATE_ESTABLISHED},
	{"related", FIELD_STATE, STATE_RELATED},
	{"invalid", FIELD_STATE, STATE_INVALID},
	{"untracked", FIELD_STATE, STATE_UNTRACKED},
	{"original", FIELD_DIRECTION, DIR_ORIGINAL},
	{"reply", FIELD_DIRECTION, DIR_REPLY},
};

/* Words that are not in the table are of other protocols and families, or not known. */
static bool nft_word(
	const struct nft_place *place, enum field field, const char *word, struct span *ret_span)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].field != field || strcmp(words[i].word, word) != 0)
			continue;
		*ret_span = span_number(words[i].number);
		if (field == FIELD_FAMILY && words[i].number == place->family)
			*ret_span = span_any();
		return true;
	}
	*ret_span = span_number(UINT8_MAX);
	return field == FIELD_PROTOCOL;
}

static bool nft_value(const struct nft_place *place, enum field field, const json_t *low,
	const json_t *high, struct span *ret_span)
{
	json_int_t number = json_integer_value(low);

	switch (field) {
	case FIELD_IN:
	case FIELD_OUT:
		return json_is_string(low) && low == high &&
		       nft_interface(json_string_value(low), ret_span);
	case FIELD_SRC:
	case FIELD_DST:
	case FIELD_ORIG_SRC:
	case FIELD_ORIG_DST:
	case FIELD_REPLY_SRC:
	case FIELD_REPLY_DST:
		return nft_addresses(low, high, ret_span);
	case FIELD_PROTOCOL:
	case FIELD_FAMILY:
	case FIELD_STATE:
	case FIELD_DIRECTION:
		if (json_is_string(low) && low == high)
			return nft_word(place, field, json_string_value(low), ret_span);
		*ret_span = span_number((uint8_t)number);
		return field == FIELD_PROTOCOL && json_is_integer(low) && low == high &&
		       number <= UINT8_MAX;
	default:
		return nft_ports(low, high, ret_span);
	}
}

bool nft_span(
	const struct nft_place *place, enum field field, const json_t *value, struct span *ret_span)
{
	const json_t *range = json_object_get(value, "range");
	const char *word = json_string_value(value);

	if (word && strcmp(word, "*") == 0) {
		*ret_span = span_any();
		return true;
	}
	return nft_value(place, field, range ? json_array_get(range, 0) : value,
		range ? json_array_get(range, 1) : value, ret_span);
}

const json_t *nft_match_bare(const json_t *element)
{
	const json_t *inner = json_object_get(element, "elem");

	return inner ? json_object_get(inner, "val") : element;
}

bool nft_element(const struct nft_place *place, const enum field *field, size_t n,
	const json_t *element, struct span *ret_spans)
{
	const json_t *bare = nft_match_bare(element), *several = json_object_get(bare, "concat");
	bool all = json_is_string(bare) && strcmp(json_string_value(bare), "*") == 0;

	if (!all && (several ? json_array_size(several) : 1) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!nft_span(place, field[i], several ? json_array_get(several, i) : bare,
			    &ret_spans[i]))
			return false;
	}
	return true;
}
