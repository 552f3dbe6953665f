/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_value.c - values in the configuration file */
#include "conf_value.h"
#include "pasvd/array.h"

#include <string.h>

#include "external.h"
#include "ifname.h"

const char conf_value_wrong[] = "";

static const char file_prefix[] = "file:";
static const char mixed[] = "IPv4 and IPv6 do not mix in an entry";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct text value_trim(struct text t)
{
	while (t.n && is_blank(t.p[0])) {
		t.p++;
		t.n--;
	}
	while (t.n && is_blank(t.p[t.n - 1]))
		t.n--;
	return t;
}

struct text text_cut(struct text *rest, char separator)
{
	const char *end = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
	struct text first = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
	size_t taken = first.n + (end ? 1 : 0);

	*rest = (struct text){rest->p + taken, rest->n - taken};
	return value_trim(first);
}

static bool value_is(struct text t, const char *word)
{
	return t.n == strlen(word) && memcmp(t.p, word, t.n) == 0;
}

const char *conf_value_count(struct text t, uint32_t low, uint32_t high, uint32_t *ret_number)
{
	uint64_t value = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9' || value > UINT32_MAX)
			return conf_value_wrong;
		value = value * 10 + (unsigned)(t.p[i] - '0');
	}
	if (!t.n || value < low || value > high)
		return conf_value_wrong;
	*ret_number = (uint32_t)value;
	return NULL;
}

const char *conf_value_number(struct text t, uint16_t low, uint16_t high, uint16_t *ret_number)
{
	uint32_t number;
	const char *error = conf_value_count(t, low, high, &number);

	if (!error)
		*ret_number = (uint16_t)number;
	return error;
}

const char *conf_value_seconds(struct text t, uint16_t low, uint16_t high, uint32_t *ret_seconds)
{
	size_t digits = 0;
	uint16_t number;
	struct text unit;
	unsigned scale;

	while (digits < t.n && t.p[digits] >= '0' && t.p[digits] <= '9')
		digits++;
	unit = value_trim((struct text){t.p + digits, t.n - digits});
	scale = value_is(unit, "min") ? 60 : !unit.n || value_is(unit, "s") ? 1 : 0;
	if (!scale || conf_value_number((struct text){t.p, digits}, 0, UINT16_MAX, &number) ||
		number * scale < low || number * scale > high)
		return conf_value_wrong;
	*ret_seconds = number * scale;
	return NULL;
}

/* The value of a digit, 16 if it is none. */
static unsigned value_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | (c > '9' ? 0x20 : 0)) : NULL;

	return at ? (unsigned)(at - digits) : 16;
}

const char *conf_value_mark(struct text t, uint32_t *ret_mark)
{
	bool hex = t.n > 2 && t.p[0] == '0' && (t.p[1] == 'x' || t.p[1] == 'X');
	unsigned base = hex ? 16 : 10;
	uint64_t value = 0;

	if (!t.n)
		return conf_value_wrong;
	for (size_t i = hex ? 2 : 0; i < t.n; i++) {
		if (value_digit(t.p[i]) >= base || value > UINT32_MAX)
			return conf_value_wrong;
		value = value * base + value_digit(t.p[i]);
	}
	if (value > UINT32_MAX)
		return conf_value_wrong;
	*ret_mark = (uint32_t)value;
	return NULL;
}

const char *conf_value_ports(struct text t, uint16_t lowest, struct port_range *ret_range)
{
	bool one = !t.n || !memchr(t.p, '-', t.n);
	struct text low = text_cut(&t, '-');
	struct port_range range;

	if (conf_value_number(low, lowest, UINT16_MAX, &range.low) ||
		conf_value_number(one ? low : value_trim(t), lowest, UINT16_MAX, &range.high))
		return conf_value_wrong;
	if (range.low > range.high)
		return "the first port of a range is the lower one";
	*ret_range = range;
	return NULL;
}

const char *conf_value_bool(struct text t, bool *ret_yes)
{
	if (!value_is(t, "yes") && !value_is(t, "no"))
		return conf_value_wrong;
	*ret_yes = value_is(t, "yes");
	return NULL;
}

const char *conf_value_outcome(struct text t, enum strict_outcome *ret_outcome)
{
	static const char *const word[] = {
		[STRICT_PASS] = "pass",
		[STRICT_LOG] = "log",
		[STRICT_MASK] = "refuse",
		[STRICT_RESET] = "reset",
	};

	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		if (value_is(t, word[i])) {
			*ret_outcome = (enum strict_outcome)i;
			return NULL;
		}
	}
	return conf_value_wrong;
}

static bool has_host_bits(const struct network *n)
{
	for (size_t i = n->bits; i < 8 * addr_len(&n->addr); i++) {
		if (n->addr.byte[i / 8] & 0x80 >> i % 8)
			return true;
	}
	return false;
}

static const char *value_parse_addr(struct text t, struct addr *ret_addr)
{
	return addr_parse((const uint8_t *)t.p, t.n, ret_addr) < 0 ? conf_value_wrong : NULL;
}

const char *conf_value_network(struct text t, struct network *ret_network)
{
	bool whole = !t.n || !memchr(t.p, '/', t.n);
	struct text addr = text_cut(&t, '/');
	struct network n;
	uint16_t bits, max;

	if (value_parse_addr(addr, &n.addr))
		return conf_value_wrong;
	bits = max = (uint16_t)(8 * addr_len(&n.addr));
	if (!whole && conf_value_number(t, 0, max, &bits))
		return n.addr.family == ADDR_IP4 ? "a prefix has 0..32 bits"
						 : "a prefix has 0..128 bits";
	n.bits = (uint8_t)bits;
	if (has_host_bits(&n))
		return "bits behind the prefix are set";
	*ret_network = n;
	return NULL;
}

static const char *value_parse_source(struct text t, struct addr *ret_addr, struct text *ret_path)
{
	const size_t prefix = sizeof(file_prefix) - 1;

	*ret_path = (struct text){t.p, 0};
	if (t.n < prefix || memcmp(t.p, file_prefix, prefix) != 0) {
		if (value_parse_addr(t, ret_addr))
			return conf_value_wrong;
		return external_usable(ret_addr) ? NULL : "this address cannot be an external one";
	}
	*ret_path = (struct text){t.p + prefix, t.n - prefix};
	if (!ret_path->n || ret_path->p[0] != '/')
		return "the path of a file begins with /";
	return ret_path->n < EXTERNAL_PATH_MAX ? NULL : "the path is too long";
}

/* Cuts off a word and the blanks after it. */
static struct text value_cut_word(struct text *rest)
{
	struct text word = {rest->p, 0};

	while (word.n < rest->n && !is_blank(rest->p[word.n]))
		word.n++;
	*rest = value_trim((struct text){rest->p + word.n, rest->n - word.n});
	return word;
}

const char *conf_value_for(struct text t, struct text *ret_word, struct network *ret_network)
{
	struct text rest = value_trim(t), word = value_cut_word(&rest),
		    condition = value_cut_word(&rest);
	struct network network = {0};
	const char *why = NULL;

	if (condition.n)
		why = value_is(condition, "for") ? conf_value_network(rest, &network)
						 : conf_value_wrong;
	if (why)
		return why;
	*ret_word = word;
	*ret_network = network;
	return NULL;
}

/* Which interface that is will be looked up later: it may come and go. */
static const char *value_parse_interface(
	struct text t, struct external *entry, struct text *ret_interface)
{
	if (!t.n)
		return conf_value_wrong;
	if (!ifname_ok(t.p, t.n))
		return "an interface name has " IFNAME_ALLOWED;
	entry->indev = POLICY_NO_INTERFACE;
	*ret_interface = t;
	return NULL;
}

/* The conditions, in any order, each once. */
static const char *value_parse_conditions(
	struct text rest, struct external *entry, struct text *interface)
{
	const char *why = NULL;

	while (rest.n && !why) {
		struct text word = value_cut_word(&rest), value = value_cut_word(&rest);

		if (value_is(word, "for") && entry->peer.addr.family == ADDR_NONE)
			why = conf_value_network(value, &entry->peer);
		else if (value_is(word, "dialled") && entry->known.family == ADDR_NONE)
			why = value_parse_addr(value, &entry->known);
		else if (value_is(word, "on") && !entry->indev)
			why = value_parse_interface(value, entry, interface);
		else
			why = conf_value_wrong;
	}
	return why;
}

/* With a file it is not known yet of what family its address is. */
static bool is_of_one_family(const struct external *e)
{
	const struct addr *a = e->addr.family != ADDR_NONE ? &e->addr : &e->known;

	return a->family == ADDR_NONE || external_fits(e, a);
}

const char *conf_value_external(
	struct text t, struct external *ret_entry, struct external_names *ret_names)
{
	struct text rest = value_trim(t);
	struct external_names names = {.interface = {t.p, 0}};
	struct external entry = {0};
	const char *why = value_parse_source(value_cut_word(&rest), &entry.addr, &names.path);

	if (!why)
		why = value_parse_conditions(rest, &entry, &names.interface);
	if (!why && !is_of_one_family(&entry))
		why = mixed;
	if (why)
		return why;
	*ret_entry = entry;
	*ret_names = names;
	return NULL;
}
