/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dialogue.c - reads dialogue files
 *
 * One statement a line; a table maps its first word to the function that reads the rest.
 * dialogue/README describes the statements.
 */
#include "dialogue.h"

#include "packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasvd/array.h"

enum { FILE_LINE = 1024, WORD = 64 };

struct reader {
	struct dialogue *d;
	unsigned line;
	/* the connection is: only what its last segment leads to may follow */
	bool over;
	bool in_force; /* an expectation is, after the last segment */
	/* where the last line begins in the received text of the last segment */
	size_t last_received;
};

__attribute__((format(printf, 2, 3), noreturn)) static void bad(
	const struct reader *r, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", r->d->name, r->line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static struct step *add_step(struct reader *r, enum step_kind kind)
{
	struct step *s = &r->d->step[r->d->steps];

	if (r->d->steps == DIALOGUE_STEPS)
		bad(r, "more than %d steps", DIALOGUE_STEPS);
	if (r->over)
		bad(r, "stands behind a reset");
	r->d->steps++;
	s->kind = kind;
	s->line = r->line;
	s->expects = r->d->expects;
	s->in_force = r->in_force;
	return s;
}

/* The segment that the statement belongs to. */
static struct step *last_send(struct reader *r)
{
	struct step *s = r->d->steps ? &r->d->step[r->d->steps - 1] : NULL;

	if (!s || (s->kind != STEP_SEND && s->kind != STEP_SYN))
		bad(r, "stands behind no segment");
	return s;
}

static void put_byte(struct reader *r, struct text *t, int byte)
{
	if (t->len == DIALOGUE_SEGMENT)
		bad(r, "segment longer than %d bytes", DIALOGUE_SEGMENT);
	t->byte[t->len++] = (uint8_t)byte;
}

/* "{600 x}": 600 times x. Returns what follows. */
static const char *put_repeated(struct reader *r, struct text *t, const char *p)
{
	unsigned times;
	char byte;
	int end = 0;

	if (sscanf(p, "{%u %c}%n", &times, &byte, &end) != 2 || !end)
		bad(r, "not a repetition: %s", p);
	for (unsigned i = 0; i < times; i++)
		put_byte(r, t, byte);
	return p + end;
}

/* `p` is behind a backslash; returns what follows the escape. */
static const char *put_escape(struct reader *r, struct text *t, const char *p)
{
	static const char letter[] = "rnt\\", meaning[] = "\r\n\t\\";
	const char *at = *p ? strchr(letter, *p) : NULL;
	unsigned byte;

	if (at) {
		put_byte(r, t, meaning[at - letter]);
		return p + 1;
	}
	if (*p == '{')
		return put_repeated(r, t, p);
	if (sscanf(p, "x%2x", &byte) != 1)
		bad(r, "unknown escape: \\%s", p);
	put_byte(r, t, (int)byte);
	return p + 3;
}

/* A line with its end: CR LF unless it says how it ends, by \n or by \c for nothing. */
static void put_line(struct reader *r, struct text *t, const char *p)
{
	size_t len = strlen(p);
	bool cut = len >= 2 && strcmp(p + len - 2, "\\c") == 0;
	bool ends = len >= 2 && strcmp(p + len - 2, "\\n") == 0;
	const char *end = cut ? p + len - 2 : p + len;

	while (p < end) {
		if (*p == '\\')
			p = put_escape(r, t, p + 1);
		else
			put_byte(r, t, *p++);
	}
	if (!cut && !ends) {
		put_byte(r, t, '\r');
		put_byte(r, t, '\n');
	}
}

static void append(struct reader *r, struct step *s, const char *rest)
{
	r->last_received = s->received.len;
	put_line(r, &s->sent, rest);
	put_line(r, &s->received, rest);
}

static void read_send(struct reader *r, const char *rest, enum dir dir)
{
	struct step *s = add_step(r, STEP_SEND);

	s->dir = dir;
	s->reason = REASON_PASSED;
	append(r, s, rest);
}

static void read_more(struct reader *r, const char *rest, enum dir dir)
{
	struct step *s = last_send(r);

	if (s->dir != dir)
		bad(r, "the segment was begun by the other side");
	append(r, s, rest);
}

static void read_client(struct reader *r, const char *rest)
{
	read_send(r, rest, DIR_ORIGINAL);
}

static void read_client_more(struct reader *r, const char *rest)
{
	read_more(r, rest, DIR_ORIGINAL);
}

static void read_server(struct reader *r, const char *rest)
{
	read_send(r, rest, DIR_REPLY);
}

static void read_server_more(struct reader *r, const char *rest)
{
	read_more(r, rest, DIR_REPLY);
}

static void read_received(struct reader *r, const char *rest)
{
	struct step *s = last_send(r);

	s->rewrites++;
	if (strcmp(rest, "*") == 0) {
		s->scrambled = true;
		return;
	}
	s->received.len = r->last_received;
	put_line(r, &s->received, rest);
}

static void read_connection(struct reader *r, const char *rest)
{
	char client[WORD], dialled[WORD], listener[WORD], seen[WORD];
	int end = 0, whole = 0;

	if (sscanf(rest, "%63s > %63s = %63s%n as %63s%n", client, dialled, listener, &end, seen,
		    &whole) < 3)
		bad(r, "not a connection: %s", rest);
	if (rest[whole ? whole : end])
		bad(r, "not a connection: %s", rest);
	r->d->client = packet_endpoint(client);
	r->d->dialled = packet_endpoint(dialled);
	r->d->listener = packet_endpoint(listener);
	r->d->seen = whole ? packet_endpoint(seen) : r->d->client;
}

static void add_expect(struct reader *r, const struct expect *e)
{
	struct step *s = last_send(r);

	if (r->d->expects == DIALOGUE_EXPECTS)
		bad(r, "more than %d expectations", DIALOGUE_EXPECTS);
	r->d->expect[r->d->expects++] = *e;
	s->expects = r->d->expects;
	s->in_force = r->in_force = true;
}

/* "A -> R": `e` is given what they say. */
static void read_ends(struct reader *r, const char *rest, struct expect *e)
{
	char announced[WORD], listener[WORD];
	int end = 0;

	if (sscanf(rest, "%63s -> %63s%n", announced, listener, &end) != 2 || rest[end])
		bad(r, "not an expectation: %s", rest);
	e->master = (struct tuple){.src = r->d->client, .dst = r->d->dialled};
	e->tuple.dst = packet_endpoint(announced);
	e->nat = packet_endpoint(listener);
	e->seconds = last_send(r)->kind == STEP_SYN   ? POLICY_ON_DEMAND_SECONDS
		     : last_send(r)->dir == DIR_REPLY ? r->d->policy.expect_seconds
						      : r->d->policy.expect_seconds_active;
}

/* Who speaks listens, and the other side is going to connect. */
static void read_expect(struct reader *r, const char *rest)
{
	bool passive = last_send(r)->dir == DIR_REPLY;
	struct expect e = {
		.tuple.src.addr = passive ? r->d->client.addr : r->d->listener.addr,
		.translated = !endpoint_eq(&r->d->dialled, &r->d->listener) ||
			      !endpoint_eq(&r->d->client, &r->d->seen),
		.nat_dir = passive ? DIR_ORIGINAL : DIR_REPLY,
	};

	read_ends(r, rest, &e);
	add_expect(r, &e);
}

static void read_gone(struct reader *r, const char *rest)
{
	(void)rest;
	if (!r->in_force)
		bad(r, "nothing is expected that could be gone");
	last_send(r)->in_force = r->in_force = false;
}

static struct port_range ports_of(struct reader *r, const char *text)
{
	unsigned low, high;
	int end = 0;
	int got = sscanf(text, " %5u%n-%5u%n", &low, &end, &high, &end);

	if (got < 1 || text[end])
		bad(r, "not a port, or ports: %s", text);
	return (struct port_range){(uint16_t)low, (uint16_t)(got == 2 ? high : low)};
}

static struct network network_of(struct reader *r, const char *text)
{
	char addr[WORD];
	unsigned bits;
	int end = 0;

	if (sscanf(text, " %63[0-9a-f.:]/%3u%n", addr, &bits, &end) != 2 || text[end])
		bad(r, "not a network: %s", text);
	return (struct network){packet_addr(addr), (uint8_t)bits};
}

static void policy_deny(struct reader *r, const char *rest)
{
	struct policy *p = &r->d->policy;

	p->deny[p->n_deny++] = ports_of(r, rest);
}

static void policy_foreign(struct reader *r, const char *rest)
{
	struct policy *p = &r->d->policy;

	p->foreign[p->n_foreign++] = network_of(r, rest);
}

static void policy_external(struct reader *r, const char *rest)
{
	struct policy *p = &r->d->policy;
	struct external *e = &p->external[p->n_external++];
	char addr[WORD], key[3][WORD], value[3][WORD];
	int words = sscanf(rest, "%63s %63s %63s %63s %63s %63s %63s", addr, key[0], value[0],
		key[1], value[1], key[2], value[2]);

	if (words < 1 || words % 2 == 0)
		bad(r, "not an external address: %s", rest);
	e->addr = packet_addr(addr);
	for (int i = 0; i < words / 2; i++) {
		if (strcmp(key[i], "for") == 0)
			e->peer = network_of(r, value[i]);
		else if (strcmp(key[i], "dialled") == 0)
			e->known = packet_addr(value[i]);
		else if (strcmp(key[i], "on") == 0)
			e->indev = (uint32_t)strtoul(value[i], NULL, 10);
		else
			bad(r, "unknown word: %s", key[i]);
	}
}

static void policy_own(struct reader *r, const char *rest)
{
	struct policy *p = &r->d->policy;

	p->own[p->n_own++] = packet_addr(rest + strspn(rest, " "));
}

static void policy_announce(struct reader *r, const char *rest)
{
	r->d->policy.announce = ports_of(r, rest);
}

static void policy_seconds(struct reader *r, const char *rest)
{
	if (sscanf(rest, "%5u", &r->d->policy.expect_seconds) != 1)
		bad(r, "not a time: %s", rest);
}

static void policy_seconds_active(struct reader *r, const char *rest)
{
	if (sscanf(rest, "%5u", &r->d->policy.expect_seconds_active) != 1)
		bad(r, "not a time: %s", rest);
}

static void policy_limit(struct reader *r, const char *rest, enum quota_scope scope)
{
	if (sscanf(rest, "%5hu", &r->d->policy.limits.a_minute[scope]) != 1)
		bad(r, "not a number of ports: %s", rest);
}

static void policy_session(struct reader *r, const char *rest)
{
	policy_limit(r, rest, QUOTA_SESSION);
}

static void policy_client(struct reader *r, const char *rest)
{
	policy_limit(r, rest, QUOTA_CLIENT);
}

static void policy_server(struct reader *r, const char *rest)
{
	policy_limit(r, rest, QUOTA_SERVER);
}

static enum strict_outcome outcome_of(const struct reader *r, const char *text)
{
	static const char *const word[] = {" pass", " log", " refuse", " reset"};

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		if (strcmp(text, word[i]) == 0)
			return (enum strict_outcome)i;
	bad(r, "no such outcome:%s", text);
}

/* True if the key, of `n` letters, is a check of strict mode. */
static bool read_strict(struct reader *r, const char *key, size_t n, const char *rest)
{
	static const char *const check[STRICT_CHECKS] = {
		[STRICT_SPOOFED_REPLY] = "spoofed-reply",
		[STRICT_SPOOFED_COMMAND] = "spoofed-command",
		[STRICT_PIPELINED] = "pipelined",
		[STRICT_LONG_LINE] = "long-line",
		[STRICT_UNPRINTABLE] = "unprintable",
		[STRICT_BARE_LF] = "bare-lf",
		[STRICT_BAD_OFFER] = "bad-offer",
	};

	for (size_t i = 0; i < STRICT_CHECKS; i++) {
		if (strlen(check[i]) == n && strncmp(key, check[i], n) == 0) {
			r->d->policy.strict.outcome[i] = outcome_of(r, rest);
			return true;
		}
	}
	return false;
}

/* Named as in the configuration file. The lists are long enough for any dialogue. */
static struct network server_of(struct reader *r, const char *text)
{
	return *text ? network_of(r, text) : (struct network){0};
}

static void policy_tls_ports(struct reader *r, const char *rest)
{
	struct tls_ports *t = &r->d->policy.tls_ports[r->d->policy.n_tls_ports++];
	char ports[WORD];
	int end = 0;

	if (sscanf(rest, "%63s%n for %n", ports, &end, &end) != 1)
		bad(r, "not ports: %s", rest);
	*t = (struct tls_ports){server_of(r, rest + end), ports_of(r, ports)};
}

static void policy_tls_mode_of(struct reader *r, const char *rest)
{
	static const char *const modes[] = {
		[TLS_PASS] = "pass", [TLS_ON_DEMAND] = "on-demand", [TLS_REFUSE] = "refuse"};
	struct tls_rule *t = &r->d->policy.tls_rule[r->d->policy.n_tls_rule++];
	char mode[WORD];
	int end = 0;

	if (sscanf(rest, "%63s%n for %n", mode, &end, &end) != 1)
		bad(r, "not a mode: %s", rest);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(mode, modes[i]) == 0) {
			*t = (struct tls_rule){server_of(r, rest + end), (enum tls_mode)i};
			return;
		}
	}
	bad(r, "no such mode: %s", mode);
}

static void policy_implicit(struct reader *r, const char *rest)
{
	r->d->policy.implicit[r->d->policy.n_implicit++] = ports_of(r, rest);
}

static void read_policy(struct reader *r, const char *rest)
{
	static const struct {
		const char *word;
		void (*read)(struct reader *r, const char *rest);
	} key[] = {
		{"deny-ports", policy_deny},
		{"allow-foreign", policy_foreign},
		{"external-address", policy_external},
		{"server", policy_own},
		{"announce-ports", policy_announce},
		{"expect-timeout", policy_seconds},
		{"expect-timeout-active", policy_seconds_active},
		{"ports-per-minute-per-session", policy_session},
		{"ports-per-minute-per-client", policy_client},
		{"ports-per-minute-per-server", policy_server},
		{"tls-ports", policy_tls_ports},
		{"tls-mode", policy_tls_mode_of},
		{"tls-implicit-ports", policy_implicit},
	};
	size_t word = strcspn(rest, " ");

	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		if (strlen(key[i].word) == word && strncmp(rest, key[i].word, word) == 0) {
			key[i].read(r, rest + word);
			return;
		}
	}
	if (!read_strict(r, rest, word, rest + word))
		bad(r, "no such policy: %s", rest);
}

static void read_reason(struct reader *r, const char *rest)
{
	struct step *s = last_send(r);

	s->reason_given = true;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		if (strcmp(reason_name((enum reason)i), rest) == 0) {
			s->reason = (enum reason)i;
			return;
		}
	}
	bad(r, "no such reason: %s", rest);
}

static void read_reset(struct reader *r, const char *rest)
{
	(void)rest;
	last_send(r)->resets = true;
	r->in_force = last_send(r)->in_force = false;
	r->over = true;
}

static void read_busy(struct reader *r, const char *rest)
{
	struct step *s = add_step(r, STEP_BUSY);
	struct port_range ports = ports_of(r, rest);

	s->low = ports.low;
	s->high = ports.high;
}

static void read_free(struct reader *r, const char *rest)
{
	(void)rest;
	add_step(r, STEP_FREE);
}

static void read_refuse(struct reader *r, const char *rest)
{
	static const struct {
		const char *word;
		enum refuse what;
	} table[] = {{"lookups", REFUSE_GET}, {"expectations", REFUSE_EXPECT},
		{"adjustments", REFUSE_ADJUST}};
	struct step *s = add_step(r, STEP_REFUSE);

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(rest, table[i].word) == 0)
			s->refuse |= table[i].what;
	if (!s->refuse)
		bad(r, "conntrack cannot refuse %s", rest);
}

static void read_work(struct reader *r, const char *rest)
{
	(void)rest;
	add_step(r, STEP_WORK);
}

static void read_restart(struct reader *r, const char *rest)
{
	(void)rest;
	add_step(r, STEP_RESTART);
}

static void read_idle(struct reader *r, const char *rest)
{
	struct step *s = add_step(r, STEP_IDLE);
	unsigned seconds;

	if (sscanf(rest, "%6u s", &seconds) != 1)
		bad(r, "not a time: %s", rest);
	s->ms = seconds * (uint64_t)1000;
}

static void read_syn(struct reader *r, const char *rest)
{
	struct step *s = add_step(r, STEP_SYN);

	s->dir = DIR_REPLY;
	s->reason = REASON_OPENED;
	s->low = ports_of(r, rest).low;
}

static void read_ending(struct reader *r, const char *rest)
{
	(void)rest;
	add_step(r, STEP_ENDING);
}

static void read_via(struct reader *r, const char *rest)
{
	struct step *s = add_step(r, STEP_VIA);

	if (sscanf(rest, "%5u %5u", &s->indev[DIR_ORIGINAL], &s->indev[DIR_REPLY]) != 2)
		bad(r, "not two interfaces: %s", rest);
}

static void read_untracked(struct reader *r, const char *rest)
{
	(void)rest;
	r->d->untracked = true;
}

static void read_no_ct_helper(struct reader *r, const char *rest)
{
	(void)rest;
	r->d->no_ct_helper = true;
}

static void read_fresh(struct reader *r, const char *rest)
{
	(void)rest;
	r->d->fresh = true;
}

static void read_uncut(struct reader *r, const char *rest)
{
	(void)rest;
	r->d->uncut = true;
}

static const struct {
	const char *word;
	void (*read)(struct reader *r, const char *rest);
} statement[] = {
	{"C:", read_client},
	{"C+", read_client_more},
	{"S:", read_server},
	{"S+", read_server_more},
	{"=>", read_received},
	{"expect", read_expect},
	{"gone", read_gone},
	{"policy", read_policy},
	{"reason", read_reason},
	{"reset", read_reset},
	{"connection", read_connection},
	{"untracked", read_untracked},
	{"no-ct-helper", read_no_ct_helper},
	{"fresh", read_fresh},
	{"uncut", read_uncut},
	{"busy", read_busy},
	{"free", read_free},
	{"refuse", read_refuse},
	{"work", read_work},
	{"restart", read_restart},
	{"idle", read_idle},
	{"syn", read_syn},
	{"ending", read_ending},
	{"via", read_via},
};

/* A dialogue that begins with a greeting has a login of its own, or none. */
static bool greets(const struct dialogue *d)
{
	const struct step *s = d->step;

	while (s < d->step + d->steps && s->kind != STEP_SEND)
		s++;
	return s < d->step + d->steps && s->dir == DIR_REPLY && s->sent.len >= 3 &&
	       memcmp(s->sent.byte, "220", 3) == 0;
}

static void read_statement(struct reader *r, const char *line)
{
	size_t word = strcspn(line, " ");
	const char *rest = line[word] ? line + word + 1 : line + word;

	for (size_t i = 0; i < ARRAY_SIZE(statement); i++) {
		if (strlen(statement[i].word) == word &&
			strncmp(line, statement[i].word, word) == 0) {
			statement[i].read(r, rest);
			return;
		}
	}
	bad(r, "unknown statement: %s", line);
}

static void read_file(struct reader *r, FILE *f)
{
	char line[FILE_LINE];

	while (fgets(line, sizeof(line), f)) {
		size_t len = strcspn(line, "\n");

		r->line++;
		if (!line[len])
			bad(r, "line too long, or without its end");
		line[len] = '\0';
		if (len && line[0] != '#')
			read_statement(r, line);
	}
}

void dialogue_read(struct dialogue *d, const char *file)
{
	struct reader r = {.d = d};
	FILE *f = fopen(file, "r");

	memset(d, 0, sizeof(*d));
	d->name = file;
	d->policy = policy_default;
	if (!f)
		bad(&r, "cannot be opened");
	read_file(&r, f);
	fclose(f);
	if (!d->client.port || !d->steps)
		bad(&r, "no connection, or nothing said");
	d->fresh |= d->untracked || d->no_ct_helper || greets(d);
}
