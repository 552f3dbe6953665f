/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setters.c - a value becomes a setting */
#include "setters.h"
#include "pasvd/array.h"

#include <assert.h>
#include <string.h>

#include "pasvd/conntab.h"

/* Which of `n` names it is, or n. */
static size_t settings_word_among(struct text word, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && (word.n != strlen(names[i]) || memcmp(word.p, names[i], word.n) != 0))
		i++;
	return i;
}

const char *settings_set_queue(struct settings *s, struct text value)
{
	return conf_value_number(value, 0, UINT16_MAX, &s->queue);
}

const char *settings_set_socket(struct settings *s, struct text value)
{
	static_assert(sizeof(s->control_socket) == 108, "SETTINGS_SOCKET_ALLOWED says so");
	if ((value.n && value.p[0] != '/') || value.n >= sizeof(s->control_socket))
		return conf_value_wrong;
	memset(s->control_socket, 0, sizeof(s->control_socket));
	memcpy(s->control_socket, value.p, value.n);
	return NULL;
}

const char *settings_set_ct_helper(struct settings *s, struct text value)
{
	static const char *const names[] = {
		[CT_HELPER_AUTO] = "auto", [CT_HELPER_SANE] = "sane", [CT_HELPER_OWN] = "own"};
	size_t i = settings_word_among(value, names, ARRAY_SIZE(names));

	if (i == ARRAY_SIZE(names))
		return conf_value_wrong;
	s->ct_helper = (enum ct_helper_wanted)i;
	return NULL;
}

const char *settings_set_rules(struct settings *s, struct text value)
{
	static const char *const names[] = {[SETTINGS_RULES_WATCH] = "watch",
		[SETTINGS_RULES_LOG] = "log",
		[SETTINGS_RULES_IGNORE] = "ignore"};
	size_t i = settings_word_among(value, names, ARRAY_SIZE(names));

	if (i == ARRAY_SIZE(names))
		return conf_value_wrong;
	s->rules = (enum settings_rules)i;
	return NULL;
}

const char *settings_set_fail_open(struct settings *s, struct text value)
{
	return conf_value_bool(value, &s->fail_open);
}

const char *settings_set_firewall(struct settings *s, struct text value)
{
	static const char *const names[] = {[false] = "iptables", [true] = "nft"};
	size_t i = settings_word_among(value, names, ARRAY_SIZE(names));

	if (i == ARRAY_SIZE(names))
		return conf_value_wrong;
	s->nft = i;
	return NULL;
}

const char *settings_set_families(struct settings *s, struct text value)
{
	static const char *const names[] = {"auto", "ipv4", "ipv6", "both"};
	size_t i = settings_word_among(value, names, ARRAY_SIZE(names));

	if (i == ARRAY_SIZE(names))
		return conf_value_wrong;
	s->families = (unsigned int)i;
	return NULL;
}

const char *settings_set_zone(struct settings *s, struct text value)
{
	return conf_value_number(value, 0, UINT16_MAX, &s->policy.zone);
}

const char *settings_set_timeout(struct settings *s, struct text value)
{
	return conf_value_seconds(value, 1, SETTINGS_EXPECT_MAX, &s->policy.expect_seconds);
}

const char *settings_set_timeout_active(struct settings *s, struct text value)
{
	return conf_value_seconds(value, 1, SETTINGS_EXPECT_MAX, &s->policy.expect_seconds_active);
}

const char *settings_set_announce(struct settings *s, struct text value)
{
	if (!value.n) {
		s->policy.announce = (struct port_range){0};
		return NULL;
	}
	return conf_value_ports(value, POLICY_LOWEST_PORT, &s->policy.announce);
}

const char *settings_add_deny(struct settings *s, struct text value)
{
	return conf_value_ports(value, 1, &s->policy.deny[s->policy.n_deny]);
}

const char *settings_add_foreign(struct settings *s, struct text value)
{
	return conf_value_network(value, &s->policy.foreign[s->policy.n_foreign]);
}

const char *settings_set_sessions(struct settings *s, struct text value)
{
	static_assert(CONNTAB_SIZE == 100000, "the table of keys says so");
	return conf_value_count(value, SETTINGS_SESSIONS_MIN, CONNTAB_SIZE, &s->sessions);
}

static const char *settings_set_limit(struct settings *s, enum quota_scope scope, struct text value)
{
	return conf_value_number(value, 0, SETTINGS_LIMIT_MAX, &s->policy.limits.a_minute[scope]);
}

const char *settings_set_session_limit(struct settings *s, struct text value)
{
	return settings_set_limit(s, QUOTA_SESSION, value);
}

const char *settings_set_open_ports(struct settings *s, struct text value)
{
	return conf_value_count(value, 0, CONNTAB_SIZE, &s->policy.open_ports);
}

const char *settings_set_client_limit(struct settings *s, struct text value)
{
	return settings_set_limit(s, QUOTA_CLIENT, value);
}

const char *settings_set_server_limit(struct settings *s, struct text value)
{
	return settings_set_limit(s, QUOTA_SERVER, value);
}

/* ADDR_NONE: a file's, of which nothing is known yet. */
static uint8_t settings_family_of(const struct external *e)
{
	return e->addr.family | e->peer.addr.family | e->known.family;
}

/* Whether an entry that is there already leaves nothing to this one. */
static bool is_never_reached(const struct policy *policy, const struct external *entry)
{
	for (size_t i = 0; i < policy->n_external; i++) {
		const struct external *e = &policy->external[i];

		if (e->peer.addr.family == ADDR_NONE && e->known.family == ADDR_NONE && !e->indev &&
			e->addr.family != ADDR_NONE && e->addr.family == settings_family_of(entry))
			return true;
	}
	return false;
}

/* What the entry names may be another tomorrow. */
static void settings_watch_external(
	struct external_watch *w, size_t entry, const struct external_names *names)
{
	struct external_file *file = &w->file[w->n_files];
	struct external_interface *interface = &w->interface[w->n_interfaces];

	if (names->path.n) {
		*file = (struct external_file){.entry = entry};
		memcpy(file->path, names->path.p, names->path.n);
		w->n_files++;
	}
	if (names->interface.n) {
		*interface = (struct external_interface){.entry = entry};
		memcpy(interface->name, names->interface.p, names->interface.n);
		w->n_interfaces++;
	}
}

const char *settings_add_external(struct settings *s, struct text value)
{
	struct external_names names;
	struct external entry;
	const char *why = conf_value_external(value, &entry, &names);

	if (why)
		return why;
	if (is_never_reached(&s->policy, &entry))
		return "never counts: an address before it is for everybody";
	s->policy.external[s->policy.n_external] = entry;
	settings_watch_external(&s->watch, s->policy.n_external, &names);
	return NULL;
}

const char *settings_set_tls_queue(struct settings *s, struct text value)
{
	return conf_value_number(value, 0, UINT16_MAX, &s->tls_queue);
}

const char *settings_set_connmark(struct settings *s, struct text value)
{
	uint32_t mask;
	const char *why = conf_value_mark(value, &mask);

	if (why || !trust_mask_is_valid(mask))
		return conf_value_wrong;
	s->policy.connmark = mask;
	return NULL;
}

const char *settings_add_tls_ports(struct settings *s, struct text value)
{
	struct tls_ports *entry = &s->policy.tls_ports[s->policy.n_tls_ports];
	struct text ports;
	const char *why = conf_value_for(value, &ports, &entry->server);

	return why ? why : conf_value_ports(ports, POLICY_LOWEST_PORT, &entry->ports);
}

const char *settings_add_tls_mode(struct settings *s, struct text value)
{
	static const char *const names[] = {
		[TLS_PASS] = "pass", [TLS_ON_DEMAND] = "on-demand", [TLS_REFUSE] = "refuse"};
	struct tls_rule *entry = &s->policy.tls_rule[s->policy.n_tls_rule];
	struct text word;
	const char *why = conf_value_for(value, &word, &entry->server);
	size_t i;

	if (why)
		return why;
	if (s->policy.n_tls_rule && entry[-1].server.addr.family == ADDR_NONE)
		return "never counts: a mode before it is for all servers";
	i = settings_word_among(word, names, ARRAY_SIZE(names));
	if (i == ARRAY_SIZE(names))
		return conf_value_wrong;
	entry->mode = (enum tls_mode)i;
	return NULL;
}

const char *settings_add_implicit(struct settings *s, struct text value)
{
	return conf_value_ports(value, 1, &s->policy.implicit[s->policy.n_implicit]);
}

#define SET_STRICT(name, check)                                                                    \
	const char *name(struct settings *s, struct text value)                                    \
	{                                                                                          \
		return conf_value_outcome(value, &s->policy.strict.outcome[check]);                \
	}

SET_STRICT(settings_set_spoofed_reply, STRICT_SPOOFED_REPLY)
SET_STRICT(settings_set_spoofed_command, STRICT_SPOOFED_COMMAND)
SET_STRICT(settings_set_pipelined, STRICT_PIPELINED)
SET_STRICT(settings_set_long_line, STRICT_LONG_LINE)
SET_STRICT(settings_set_unprintable, STRICT_UNPRINTABLE)
SET_STRICT(settings_set_bare_lf, STRICT_BARE_LF)
SET_STRICT(settings_set_bad_offer, STRICT_BAD_OFFER)
