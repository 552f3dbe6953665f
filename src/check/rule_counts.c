/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule_counts.c - rules that count: packets in a time, connections of a host, bytes */
#include "rule_counts.h"

enum {
	DAY = 24 * 60 * 60, /* seconds */
	PACKET_BYTES = 1500,
	/* a transfer has more packets in a second, */
	TRANSFER_PER_DAY = 100 * DAY,
	/* and a client more connections in a minute */
	CONNECTIONS_PER_DAY = 60 * 24 * 60 / 60,
};

static uint64_t rule_counts_times_a_day(const char *time)
{
	switch (*time) {
	case 's':
		return DAY;
	case 'm':
		return DAY / 60;
	case 'h':
		return 24;
	case 'd':
		return 1;
	default: /* a week */
		return 0;
	}
}

static void rule_counts_unclear(struct rule *r, const char *what)
{
	if (!r->unclear[0])
		rule_name(r->unclear, what);
}

void rule_counts_rate(struct rule *r, uint64_t n, const char *time, bool bytes)
{
	uint64_t per_day = n * rule_counts_times_a_day(time) / (bytes ? PACKET_BYTES : 1);

	per_day = per_day ? per_day : 1;
	if (!r->per_day || per_day < r->per_day)
		r->per_day = per_day;
	rule_counts_unclear(r, "a limit");
	r->some = true;
}

void rule_counts_connections(struct rule *r, uint64_t n, bool above)
{
	r->second_counts |= n == 1;
	r->some |= n > 0;
	rule_counts_unclear(r, "a limit of connections");
	if (!n && !above)
		r->tcp = TRI_NO;
}

void rule_counts_bytes(struct rule *r, uint64_t n, uint64_t used, bool above)
{
	r->some |= used < n;
	rule_counts_unclear(r, "a quota");
	if (used >= n && !above)
		r->tcp = TRI_NO;
}

/* A data connection is the second one of its client. */
enum tri rule_counts_match(const struct rule *r, const struct rule_packet *p)
{
	uint64_t few = packet_begins(p) ? CONNECTIONS_PER_DAY : TRANSFER_PER_DAY;

	if (r->second_counts && p->state & STATE_EXPECTED)
		return TRI_MAYBE;
	if (r->per_day && r->per_day < few)
		return TRI_MAYBE;
	return r->some ? TRI_SOME : TRI_YES;
}
