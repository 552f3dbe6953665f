/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_text.c - the text of the rules
 *
 * A template (iptables/pasvd.rules.in, iptables/pasvd.nft.in) is an array of lines with their
 * conditions. A line is printed for each family, server, --wan, --port and range of [tls] ports for
 * which its conditions hold; what comes out twice of the same line is printed once, and so is a
 * rule of iptables, or a goto of nft, that comes out twice in a table. So a line is repeated for
 * what it names (@SERVER@, @WAN@, @PORT@ ...), and a comment is not.
 */
#include "rules_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

/* The conditions of a line, explained in pasvd.rules.in. */
enum {
	IF_SERVER = 1 << 0,
	IF_WAN = 1 << 1,
	IF_PUBLIC = 1 << 2,
	IF_TLS = 1 << 3,
	IF_LAN = 1 << 4,
	IF_FAIL_OPEN = 1 << 5,
	IF_FAIL_CLOSED = 1 << 6,
	IF_MANGLE = 1 << 7,
	IF_RAW = 1 << 8,
	IF_IPV4 = 1 << 9,
	IF_IPV6 = 1 << 10,
	IF_DNAT = 1 << 11,
	IF_ANY = 1 << 12,
	IF_ACCEPT = 1 << 13,
	IF_ROUTED = 1 << 14,
	IF_OWN = 1 << 15,
	IF_TRANSLATED = 1 << 16,
	IF_LAN_PASSIVE = 1 << 17,
	IF_LAN_ACTIVE = 1 << 18,
	IF_ON_DEMAND = 1 << 19,
};

struct rules_line {
	unsigned int conditions;
	const char *text;
};

static const struct rules_line iptables_template[] = {
#include "iptables_template.h"
};

static const struct rules_line nft_template[] = {
#include "nft_template.h"
};

enum {
	LINE_LEN = 2048,
	NUMBER_LEN = 6,                             /* "65535" and its NUL */
	RANGE_LEN = 2 * NUMBER_LEN,                 /* "60000:60100" and its NUL */
	MARK_LEN = 11,                              /* "0x40000000" and its NUL */
	DESTINATION_LEN = INET6_ADDRSTRLEN + 2 + 6, /* "[address]:65535" and its NUL */
};

static const struct {
	const char *ip, *nfproto, *icmp;
	/* match of iptables for packets that have a byte of it; see the template */
	const char *payload;
	/* likewise, of 7 as a big-endian word in front */
	const char *request;
} names[RULES_FAMILIES] = {
	[RULES_IP4] = {"ip", "ipv4", "icmp",
		"-m bpf --bytecode \"8,177 0 0 0,80 0 0 12,116 0 0 4,100 0 0 2,"
		"12 0 0 0,7 0 0 0,80 0 0 0,6 0 0 65535\"",
		"-m bpf --bytecode \"10,177 0 0 0,80 0 0 12,116 0 0 4,100 0 0 2,"
		"12 0 0 0,7 0 0 0,64 0 0 0,21 0 1 7,6 0 0 65535,6 0 0 0\""},
	[RULES_IP6] = {"ip6", "ipv6", "ipv6-icmp",
		"-m bpf --bytecode \"8,48 0 0 6,21 0 5 6,48 0 0 52,116 0 0 4,"
		"100 0 0 2,7 0 0 0,80 0 0 40,6 0 0 65535\"",
		"-m bpf --bytecode \"10,48 0 0 6,21 0 6 6,48 0 0 52,116 0 0 4,"
		"100 0 0 2,7 0 0 0,64 0 0 40,21 0 1 7,6 0 0 65535,6 0 0 0\""},
};

/* A text that is being made. */
struct rules_output {
	FILE *file; /* writes to */
	char *text;
	size_t len;
	size_t begin; /* of what came of this line of the template */
	size_t table; /* likewise, of this table */
};

/* --- one line --- */

struct value {
	const char *name, *text;
	const size_t *times; /* it is one of so many, which each get a line; or NULL */
};

static const struct value *rules_value_at(const struct value *v, const char *p)
{
	for (; v->name; v++) {
		if (strncmp(p, v->name, strlen(v->name)) == 0)
			return v;
	}
	return NULL;
}

static void rules_fill_in_line(
	const struct value *values, const char *text, char ret_line[LINE_LEN])
{
	size_t n = 0;

	ret_line[0] = '\0';
	while (*text && n < LINE_LEN) {
		const struct value *v = rules_value_at(values, text);

		n += (size_t)snprintf(
			ret_line + n, LINE_LEN - n, "%s", v ? v->text : (char[]){*text, '\0'});
		text += v ? strlen(v->name) : 1;
	}
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		if ((size_t)(end - text) == n && memcmp(text, line, n) == 0)
			return true;
	}
	return false;
}

static bool is_once_in_table(const char *line)
{
	return *line == '-' || strstr(line, " goto ");
}

static void rules_put_line(struct rules_output *out, const char *line)
{
	if (fflush(out->file) != 0)
		return;
	if (*line == '*')
		out->table = out->len;
	if (!has_line(out->text + (is_once_in_table(line) ? out->table : out->begin), line))
		fprintf(out->file, "%s\n", line);
}

static void rules_print_destination(
	const char *server, uint16_t port, char ret_text[DESTINATION_LEN])
{
	snprintf(
		ret_text, DESTINATION_LEN, strchr(server, ':') ? "[%s]:%d" : "%s:%d", server, port);
}

static void rules_print_range(
	const struct port_range *range, char separator, char ret_text[RANGE_LEN])
{
	if (range->low < range->high)
		snprintf(ret_text, RANGE_LEN, "%d%c%d", range->low, separator, range->high);
	else
		snprintf(ret_text, RANGE_LEN, "%d", range->low);
}

/* How often a line comes out for an interface. */
static size_t rules_repetitions(const struct value *v, const char *text)
{
	for (; v->name; v++) {
		if (v->times && strstr(text, v->name))
			return *v->times;
	}
	return 1;
}

/* What is the same in all lines. */
struct constants {
	char queue[NUMBER_LEN], tls_queue[NUMBER_LEN];
	char mark_mask[MARK_LEN], rest_mask[MARK_LEN], tls_mark[MARK_LEN], unread_mark[MARK_LEN],
		begun_mark[MARK_LEN], shifted_mark[MARK_LEN], shifted_mask[MARK_LEN];
};

static void rules_print_constants(const struct rules *r, struct constants *ret)
{
	const struct {
		char *text;
		unsigned trust;
	} marks[] = {
		{ret->tls_mark, TRUST_SEEN | TRUST_TLS},
		{ret->unread_mark, TRUST_UNREAD},
		{ret->begun_mark, TRUST_BEGUN},
		{ret->shifted_mark, TRUST_LOGGED_IN},
		{ret->shifted_mask, TRUST_SEEN | TRUST_LOGGED_IN | TRUST_DISTRUSTED},
	};

	snprintf(ret->queue, NUMBER_LEN, "%d", r->queue);
	snprintf(ret->tls_queue, NUMBER_LEN, "%d", r->tls_queue);
	snprintf(ret->mark_mask, MARK_LEN, "0x%x", r->connmark);
	snprintf(ret->rest_mask, MARK_LEN, "0x%x", ~r->connmark);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		snprintf(marks[i].text, MARK_LEN, "0x%x",
			trust_to_mark(r->connmark, marks[i].trust));
}

/* Puts the line for each port or range. */
static void rules_put_ports(struct rules_output *out, const struct rules *r,
	const struct rules_server *server, int family, const char *wan, const char *text)
{
	const struct rules_address *a = &server->address[family];
	const struct rules_ranges *passive = &r->lan_passive, *active = &r->lan_active[family];
	const char *bypass = r->nft ? " bypass" : " --queue-bypass";
	const char separator = r->nft ? '-' : ':';
	char port[NUMBER_LEN], server_port[NUMBER_LEN], destination[DESTINATION_LEN],
		lan_port[NUMBER_LEN], tls_ports[RANGE_LEN], lan_passive[RANGE_LEN],
		lan_active[RANGE_LEN], line[LINE_LEN];
	struct constants constants;
	const struct value values[] = {
		{"@WAN@", wan, NULL},
		{"@LAN@", r->lan, NULL},
		{"@PUBLIC@", a->public, NULL},
		{"@SERVER@", a->own, NULL},
		{"@PORT@", port, &server->n_ports},
		{"@SERVER_PORT@", server_port, &server->n_ports},
		{"@DESTINATION@", destination, &server->n_ports},
		{"@TLS_PORTS@", tls_ports, &a->n_ranges},
		{"@LAN_PORT@", lan_port, &r->n_lan_ports},
		{"@LAN_PASSIVE@", lan_passive, &passive->n},
		{"@LAN_ACTIVE@", lan_active, &active->n},
		{"@ICMP@", names[family].icmp, NULL},
		{"@IP@", names[family].ip, NULL},
		{"@NFPROTO@", names[family].nfproto, NULL},
		{"@PAYLOAD@", names[family].payload, NULL},
		{"@REQUEST@", names[family].request, NULL},
		{"@CT_HELPER@", r->ct_helper->name, NULL},
		{"@QUEUE@", constants.queue, NULL},
		{"@BYPASS@", r->fail_open ? bypass : "", NULL},
		{"@TLS_QUEUE@", constants.tls_queue, NULL},
		{"@MARK_MASK@", constants.mark_mask, NULL},
		{"@REST_MASK@", constants.rest_mask, NULL},
		{"@TLS_MARK@", constants.tls_mark, NULL},
		{"@UNREAD_MARK@", constants.unread_mark, NULL},
		{"@BEGUN_MARK@", constants.begun_mark, NULL},
		{"@SHIFTED_MARK@", constants.shifted_mark, NULL},
		{"@SHIFTED_MASK@", constants.shifted_mask, NULL},
		{NULL, NULL, NULL},
	};
	size_t times = rules_repetitions(values, text);

	rules_print_constants(r, &constants);
	for (size_t i = 0; i < times; i++) {
		const struct rules_port *pair = &server->port[i < server->n_ports ? i : 0];

		snprintf(port, sizeof(port), "%d", pair->outside);
		snprintf(server_port, sizeof(server_port), "%d", pair->server);
		rules_print_destination(a->own, pair->server, destination);
		snprintf(lan_port, sizeof(lan_port), "%d", r->lan_port[i < r->n_lan_ports ? i : 0]);
		rules_print_range(&a->range[i < a->n_ranges ? i : 0], separator, tls_ports);
		rules_print_range(&passive->range[i < passive->n ? i : 0], separator, lan_passive);
		rules_print_range(&active->range[i < active->n ? i : 0], separator, lan_active);
		rules_fill_in_line(values, text, line);
		rules_put_line(out, line);
	}
}

/* Puts the line for each interface of the server's clients, if it names one. */
static void rules_put_text(struct rules_output *out, const struct rules *r,
	const struct rules_server *server, int family, const char *text)
{
	size_t times = strstr(text, "@WAN@") ? server->n_wans : 1;

	for (size_t i = 0; i < times; i++)
		rules_put_ports(out, r, server, family, server->wan[i], text);
}

/* --- the template --- */

/* Whether its clients dial its own address, so that nothing is translated. */
static bool rules_is_routed(const struct rules_address *address)
{
	return address->own[0] && strcmp(address->own, address->public) == 0;
}

bool rules_has_public(const struct rules_server *s)
{
	return s->address[RULES_IP4].public[0] || s->address[RULES_IP6].public[0];
}

/* Whether clients of the family get to it. */
static bool rules_serves_family(const struct rules_server *s, int family)
{
	if (s->any)
		return s->address[family].public[0] || !rules_has_public(s);
	return s->address[family].own[0];
}

static unsigned int rules_who_translates(
	const struct rules_server *server, const struct rules_address *address)
{
	if (server->any)
		return IF_ANY | IF_TRANSLATED;
	return IF_OWN | (rules_is_routed(address) ? IF_ROUTED : IF_DNAT | IF_TRANSLATED);
}

/* Those that hold for an address of a server, or without one. */
static unsigned int rules_conditions(
	const struct rules *r, int family, const struct rules_server *server)
{
	const struct rules_address *address = &server->address[family];
	unsigned int reached = address->public[0] ? IF_PUBLIC : IF_WAN;
	bool serves = rules_serves_family(server, family);

	return (serves ? IF_SERVER | rules_who_translates(server, address) | reached : 0) |
	       (address->n_ranges ? IF_TLS | IF_ON_DEMAND : 0) |
	       (address->own[0] || r->lan || r->accept_data ? IF_ACCEPT : 0) |
	       (r->lan_passive.n ? IF_LAN_PASSIVE | IF_ON_DEMAND : 0) |
	       (r->lan_active[family].n ? IF_LAN_ACTIVE | IF_ON_DEMAND : 0) |
	       (r->lan ? IF_LAN : 0) | (r->fail_open ? IF_FAIL_OPEN : IF_FAIL_CLOSED) |
	       (r->ct_helper->before_conntrack ? IF_RAW : IF_MANGLE) |
	       (family == RULES_IP6 ? IF_IPV6 : IF_IPV4);
}

static void rules_put_for_address(struct rules_output *out, const struct rules *r,
	const struct rules_server *server, int family, const struct rules_line *line)
{
	unsigned int hold = rules_conditions(r, family, server);

	if (!(line->conditions & ~hold))
		rules_put_text(out, r, server, family, line->text);
}

/* First for those whom it concerns without a server. */
static void rules_put_for_family(
	struct rules_output *out, const struct rules *r, int family, const struct rules_line *line)
{
	static const struct rules_server nobody;

	rules_put_for_address(out, r, &nobody, family, line);
	for (size_t i = 0; i < r->n_servers; i++) {
		if (rules_serves_family(&r->server[i], family))
			rules_put_for_address(out, r, &r->server[i], family, line);
	}
}

static void rules_put_template(
	struct rules_output *out, const struct rules *r, unsigned int families)
{
	const struct rules_line *line = r->nft ? nft_template : iptables_template;
	size_t n = r->nft ? ARRAY_SIZE(nft_template) : ARRAY_SIZE(iptables_template);

	for (const struct rules_line *end = line + n; line < end && fflush(out->file) == 0;
		line++) {
		out->begin = out->len;
		for (int family = 0; family < RULES_FAMILIES; family++) {
			if (families & 1U << family)
				rules_put_for_family(out, r, family, line);
		}
	}
}

char *rules_text(const struct rules *r, unsigned int families)
{
	struct rules_output out = {0};

	out.file = open_memstream(&out.text, &out.len);
	if (!out.file)
		return NULL;
	rules_put_template(&out, r, families);
	if (fclose(out.file) == 0)
		return out.text;
	free(out.text);
	return NULL;
}
