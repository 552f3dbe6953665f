/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_text.c - the text of the rules
 *
 * A template (iptables/pasvd.rules.in, iptables/pasvd.nft.in) is an array of lines, each behind the
 * letters of what has to hold for it and a bar. What holds is asked for each family that the text
 * is for. A line that has one of the names in `of_family` is printed for each family of which its
 * letters hold, any other line once. A line that contains @WAN@ is repeated for each --wan, one
 * with @PORT@ for each --port, one with @TLS_PORTS@ for each range.
 *
 * The removal depends on the family alone. For iptables it is made from the same lines: what was
 * added to built-in chains is deleted, then each own chain is emptied and deleted. For nft there is
 * one table to be deleted.
 */
#include "rules_text.h"

#include <stdio.h>
#include <string.h>

static const char *const iptables_template[] = {
#include "iptables_template.h"
};

static const char *const nft_template[] = {
#include "nft_template.h"
};

enum {
	LETTERS_LEN = 11,
	NUMBER_LEN = 6,                             /* "65535" and its NUL */
	RANGE_LEN = 2 * NUMBER_LEN,                 /* "60000:60100" and its NUL */
	MARK_LEN = 11,                              /* "0x40000000" and its NUL */
	DESTINATION_LEN = INET6_ADDRSTRLEN + 2 + 6, /* "[address]:65535" and its NUL */
};

static const struct {
	const char *ip, *nfproto, *icmp;
	/* match of iptables for packets that have a byte of it; see the template */
	const char *payload;
} names[RULES_FAMILIES] = {
	[RULES_IP4] = {"ip", "ipv4", "icmp",
		"-m bpf --bytecode \"8,177 0 0 0,80 0 0 12,116 0 0 4,100 0 0 2,"
		"12 0 0 0,7 0 0 0,80 0 0 0,6 0 0 65535\""},
	[RULES_IP6] = {"ip6", "ipv6", "ipv6-icmp",
		"-m bpf --bytecode \"8,48 0 0 6,21 0 5 6,48 0 0 52,116 0 0 4,"
		"100 0 0 2,7 0 0 0,80 0 0 40,6 0 0 65535\""},
};

static const char *const of_family[] = {
	"@IP@", "@NFPROTO@", "@SERVER@", "@PUBLIC@", "@DESTINATION@"};

/* --- one line --- */

struct value {
	const char *name, *text;
};

static const struct value *rules_value_at(const struct value *v, const char *p)
{
	for (; v->name; v++) {
		if (strncmp(p, v->name, strlen(v->name)) == 0)
			return v;
	}
	return NULL;
}

static void rules_print_line(const struct value *values, const char *line)
{
	while (*line) {
		const struct value *v = rules_value_at(values, line);

		fputs(v ? v->text : (char[]){*line, '\0'}, stdout);
		line += v ? strlen(v->name) : 1;
	}
	putchar('\n');
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

/* How often a line is printed for an interface, and what for. */
static size_t rules_repetitions(const struct rules *r, int family, const char *text)
{
	if (strstr(text, "@TLS_PORTS@"))
		return r->server[family].n_ranges;
	return strstr(text, "PORT@") ? r->n_ports : 1; /* @PORT@ or @SERVER_PORT@ */
}

/* Prints the line for each port or range, if it names one. */
static void rules_print_ports(const struct rules *r, int family, const char *wan, const char *text)
{
	const struct rules_server *server = &r->server[family];
	char queue[NUMBER_LEN], port[NUMBER_LEN], server_port[NUMBER_LEN],
		destination[DESTINATION_LEN];
	char tls_queue[NUMBER_LEN], tls_mark[MARK_LEN], range[RANGE_LEN];
	const char *bypass = r->nft ? " bypass" : " --queue-bypass";
	const struct value values[] = {{"@WAN@", wan}, {"@LAN@", r->lan},
		{"@PUBLIC@", server->public}, {"@SERVER@", server->own}, {"@PORT@", port},
		{"@SERVER_PORT@", server_port}, {"@DESTINATION@", destination},
		{"@ICMP@", names[family].icmp}, {"@IP@", names[family].ip},
		{"@NFPROTO@", names[family].nfproto}, {"@QUEUE@", queue},
		{"@BYPASS@", r->fail_open ? bypass : ""}, {"@PAYLOAD@", names[family].payload},
		{"@CT_HELPER@", r->ct_helper->name}, {"@TLS_QUEUE@", tls_queue},
		{"@TLS_MARK@", tls_mark}, {"@TLS_PORTS@", range}, {NULL, NULL}};
	size_t times = rules_repetitions(r, family, text);

	snprintf(queue, sizeof(queue), "%d", r->queue);
	snprintf(tls_queue, sizeof(tls_queue), "%d", r->tls_queue);
	snprintf(tls_mark, sizeof(tls_mark), "0x%x", r->tls_mark);
	for (size_t i = 0; i < times; i++) {
		const struct rules_port *pair = &r->port[i < r->n_ports ? i : 0];

		snprintf(port, sizeof(port), "%d", pair->outside);
		snprintf(server_port, sizeof(server_port), "%d", pair->server);
		rules_print_destination(server->own, pair->server, destination);
		rules_print_range(
			&server->range[i < server->n_ranges ? i : 0], r->nft ? '-' : ':', range);
		rules_print_line(values, text);
	}
}

/* Prints the line for each --wan, if it names one. */
static void rules_print_text(const struct rules *r, int family, const char *text)
{
	size_t times = strstr(text, "@WAN@") ? r->n_wans : 1;

	for (size_t i = 0; i < times; i++)
		rules_print_ports(r, family, r->wan[i], text);
}

/* --- its removal --- */

/* Whether the line adds a rule to a chain that is not ours. */
static bool is_jump(const char *text)
{
	return text[0] == '-' && strncmp(text, "-A PASVD ", 9) != 0;
}

/* Takes away what a line of the rules has added. */
static void rules_print_undo(const struct rules *r, int family, const char *text)
{
	(void)family;
	(void)r;
	if (text[0] == '*')
		puts(text);
	else if (is_jump(text))
		printf("-D %s\n", text + 3);
	else if (strcmp(text, "COMMIT") == 0)
		puts("-F PASVD\n-X PASVD\nCOMMIT");
}

/* --- the template --- */

/* The letters before the template's bar that hold for a family, each once. */
static void rules_conditions(const struct rules *r, int family, char ret_letters[LETTERS_LEN])
{
	const struct rules_server *server = &r->server[family];
	const char *reached = r->n_wans ? "sw" : "sp";

	snprintf(ret_letters, LETTERS_LEN, " %c%c%c%s%s%s%s", family == RULES_IP6 ? '6' : '4',
		r->ct_helper && r->ct_helper->before_conntrack ? 'r' : 'b',
		r->fail_open ? 'o' : 'x', r->lan ? "c" : "", server->own[0] ? reached : "",
		server->n_ranges ? "t" : "", server->n_ranges && r->tls_mark ? "m" : "");
}

/* What is behind the bar of a line, or NULL if it is not for us. */
static const char *rules_text_of(const char *line, const char *letters)
{
	line += strspn(line, letters);
	return *line == '|' ? line + 1 : NULL;
}

static bool is_of_family(const char *text)
{
	for (size_t i = 0; i < sizeof(of_family) / sizeof(*of_family); i++) {
		if (strstr(text, of_family[i]))
			return true;
	}
	return false;
}

typedef void print_fn(const struct rules *r, int family, const char *text);

static void rules_print_template(const struct rules *r, print_fn *print)
{
	const char *const *line = r->nft ? nft_template : iptables_template;
	size_t n = r->nft ? sizeof(nft_template) : sizeof(iptables_template);
	char letters[RULES_FAMILIES][LETTERS_LEN];

	for (int family = 0; family < RULES_FAMILIES; family++)
		rules_conditions(r, family, letters[family]);
	for (const char *const *end = line + n / sizeof(*line); line < end; line++) {
		bool more = true;

		for (int family = 0; family < RULES_FAMILIES && more; family++) {
			const char *text = r->families & 1U << family
						   ? rules_text_of(*line, letters[family])
						   : NULL;

			if (text)
				print(r, family, text);
			more = !text || is_of_family(text);
		}
	}
}

void rules_print(const struct rules *r)
{
	rules_print_template(r, rules_print_text);
}

void rules_print_removal(const struct rules *r)
{
	if (r->nft)
		puts("table inet pasvd\ndelete table inet pasvd"); /* the first makes it, if it is not there */
	else
		rules_print_template(r, rules_print_undo);
}
