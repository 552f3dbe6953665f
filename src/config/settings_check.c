/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings_check.c - whether bytes are settings that a configuration can give
 *
 * The process that reads files has no privilege, and hands settings over to one that has. They are
 * checked as what a stranger sent: entries of a list as far as it goes, after its length; a bool
 * only as the byte that it is, for one that is neither 0 nor 1 is no value at all.
 */
#include "settings_check.h"

#include <assert.h>
#include <string.h>

#include "pasvd/array.h"
#include "pasvd/conntab.h"

static bool is_bool(const bool *b)
{
	unsigned char byte;

	static_assert(sizeof(*b) == sizeof(byte), "a bool is a byte");
	memcpy(&byte, b, sizeof(byte));
	return byte <= 1;
}

static bool is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_family(const struct addr *a)
{
	return a->family == ADDR_NONE || a->family == ADDR_IP4 || a->family == ADDR_IP6;
}

static bool is_network(const struct network *n)
{
	return is_family(&n->addr) && n->bits <= 8 * addr_len(&n->addr);
}

static bool is_range(const struct port_range *range, uint16_t lowest)
{
	return range->low >= lowest && range->low <= range->high;
}

static bool are_ranges(const struct port_range *range, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_range(&range[i], 1))
			return false;
	}
	return true;
}

/* Whether no list is longer than its room. */
static bool has_room_for_lists(const struct settings *s)
{
	const size_t n[] = {s->policy.n_deny, s->policy.n_foreign, s->policy.n_external,
		s->policy.n_tls_ports, s->policy.n_tls_rule, s->policy.n_implicit, s->policy.n_own,
		s->watch.n_files, s->watch.n_interfaces};

	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		if (n[i] > POLICY_LIST_MAX)
			return false;
	}
	return true;
}

static bool are_numbers_sound(const struct settings *s)
{
	const struct policy *p = &s->policy;

	for (int i = 0; i < QUOTA_NONE; i++) {
		if (p->limits.a_minute[i] > SETTINGS_LIMIT_MAX)
			return false;
	}
	for (int i = 0; i < STRICT_CHECKS; i++) {
		if ((unsigned)p->strict.outcome[i] > STRICT_RESET)
			return false;
	}
	return (unsigned)s->ct_helper <= CT_HELPER_OWN &&
	       (unsigned)s->rules <= SETTINGS_RULES_IGNORE && is_bool(&s->fail_open) &&
	       is_bool(&s->nft) && s->sessions >= SETTINGS_SESSIONS_MIN &&
	       s->sessions <= CONNTAB_SIZE && p->expect_seconds >= 1 &&
	       p->expect_seconds <= SETTINGS_EXPECT_MAX && p->expect_seconds_active >= 1 &&
	       p->expect_seconds_active <= SETTINGS_EXPECT_MAX && p->open_ports <= CONNTAB_SIZE &&
	       trust_mask_is_valid(p->connmark);
}

static bool are_networks_sound(const struct policy *p)
{
	for (size_t i = 0; i < p->n_foreign; i++) {
		if (!is_network(&p->foreign[i]))
			return false;
	}
	for (size_t i = 0; i < p->n_external; i++) {
		const struct external *e = &p->external[i];

		if (!is_network(&e->peer) || !is_family(&e->known) || !is_family(&e->addr) ||
			(e->addr.family != ADDR_NONE && !external_usable(&e->addr)))
			return false;
	}
	for (size_t i = 0; i < p->n_own; i++) {
		if (!is_family(&p->own[i]))
			return false;
	}
	return true;
}

static bool are_ports_sound(const struct policy *p)
{
	const struct port_range none = {0};

	return (memcmp(&p->announce, &none, sizeof(none)) == 0 ||
		       is_range(&p->announce, POLICY_LOWEST_PORT)) &&
	       are_ranges(p->deny, p->n_deny) && are_ranges(p->implicit, p->n_implicit);
}

static bool is_tls_sound(const struct policy *p)
{
	for (size_t i = 0; i < p->n_tls_ports; i++) {
		if (!is_network(&p->tls_ports[i].server) ||
			!is_range(&p->tls_ports[i].ports, POLICY_LOWEST_PORT))
			return false;
	}
	for (size_t i = 0; i < p->n_tls_rule; i++) {
		if (!is_network(&p->tls_rule[i].server) ||
			(unsigned)p->tls_rule[i].mode > TLS_REFUSE)
			return false;
	}
	return true;
}

static bool is_watch_sound(const struct external_watch *w, size_t entries)
{
	for (size_t i = 0; i < w->n_files; i++) {
		const struct external_file *file = &w->file[i];

		if (file->entry >= entries || !is_family(&file->addr) || !is_bool(&file->bad) ||
			!is_ended(file->path, sizeof(file->path)))
			return false;
	}
	for (size_t i = 0; i < w->n_interfaces; i++) {
		const struct external_interface *interface = &w->interface[i];

		if (interface->entry >= entries || !is_bool(&interface->missing) ||
			!is_ended(interface->name, sizeof(interface->name)))
			return false;
	}
	return true;
}

static bool are_texts_ended(const struct settings *s)
{
	for (size_t i = 0; i < SETTINGS_KEYS_MAX; i++) {
		if (!is_ended(s->source[i].value, sizeof(s->source[i].value)) ||
			!is_ended(s->source[i].from, sizeof(s->source[i].from)))
			return false;
	}
	return is_ended(s->control_socket, sizeof(s->control_socket));
}

bool settings_are_sound(const struct settings *s)
{
	return has_room_for_lists(s) && are_numbers_sound(s) && are_networks_sound(&s->policy) &&
	       are_ports_sound(&s->policy) && is_tls_sound(&s->policy) &&
	       is_watch_sound(&s->watch, s->policy.n_external) && are_texts_ended(s);
}
