/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.c - what the configuration file can set, pasvd.conf(5)
 *
 * The default of a list is gone with the first value that its key is given.
 */
#include "settings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pasvd/conntab.h"

/* Of the policy, or of the server whose section is read. */
static size_t *settings_count_of(struct settings *s, enum settings_list list)
{
	struct policy *policy = &s->policy;
	struct server *server = &s->servers.server[s->servers.now];
	size_t *const counts[] = {[LIST_DENY] = &policy->n_deny,
		[LIST_FOREIGN] = &policy->n_foreign,
		[LIST_EXTERNAL] = &policy->n_external,
		[LIST_TLS_PORTS] = &policy->n_tls_ports,
		[LIST_TLS_RULE] = &policy->n_tls_rule,
		[LIST_IMPLICIT] = &policy->n_implicit,
		[LIST_SERVER_ADDRESS] = &server->n_addresses,
		[LIST_SERVER_PUBLIC] = &server->n_publics,
		[LIST_SERVER_WAN] = &server->n_wans,
		[LIST_SERVER_PORT] = &server->n_ports,
		[LIST_SERVER_RANGE] = &server->n_ranges,
		[LIST_LAN_PORT] = &s->servers.n_lan_ports,
		[LIST_LAN_RANGE] = &policy->n_lan_ports,
		[LIST_ACTIVE] = &policy->n_active_ports};

	return counts[list];
}

/* NULL, or that there are as many entries as the list has room for. */
static const char *settings_full(size_t n, enum settings_list list)
{
	static_assert(POLICY_LIST_MAX == 32 && SERVER_RANGES_MAX == 32 && SERVER_WANS_MAX == 8 &&
			      SERVER_PORTS_MAX == 64,
		"the texts below say so");
	if (list == LIST_SERVER_ADDRESS || list == LIST_SERVER_PUBLIC)
		return n < 2 ? NULL : "one too many, there may be one of each family";
	if (list == LIST_SERVER_WAN)
		return n < SERVER_WANS_MAX ? NULL : "one too many, there is room for 8";
	if (list == LIST_SERVER_PORT || list == LIST_LAN_PORT)
		return n < SERVER_PORTS_MAX ? NULL : "one too many, there is room for 64";
	return n < POLICY_LIST_MAX ? NULL : "one too many, there is room for 32";
}

static void settings_empty(struct settings *s, enum settings_list list)
{
	*settings_count_of(s, list) = 0;
	if (list == LIST_EXTERNAL)
		s->watch.n_files = s->watch.n_interfaces = 0;
}

static const char *settings_add_entry(
	struct settings *s, const struct settings_key *key, struct text entry)
{
	size_t *count = settings_count_of(s, key->list);
	const char *why = settings_full(*count, key->list);

	if (!entry.n)
		return "something is missing at a comma";
	if (!why)
		why = key->set(s, entry);
	if (!why)
		(*count)++;
	return why;
}

static const char *settings_add_entries(
	struct settings *s, const struct settings_key *key, struct text *value)
{
	struct text rest = *value;
	const char *why = NULL;
	bool more = value->n;

	while (more && !why) {
		more = memchr(rest.p, ',', rest.n);
		*value = text_cut(&rest, ',');
		why = settings_add_entry(s, key, *value);
	}
	return why;
}

static void settings_set_default_sources(struct settings *s)
{
	const struct settings_key *key;

	for (size_t i = 0; (key = settings_key(i)); i++) {
		snprintf(s->source[i].value, SETTINGS_VALUE_MAX, "%s", key->value_default);
		snprintf(s->source[i].from, SETTINGS_FROM_MAX, "default");
	}
}

struct settings settings_default(void)
{
	struct settings s = {.queue = SETTINGS_QUEUE,
		.tls_queue = SETTINGS_TLS_QUEUE,
		.fail_open = true,
		.control_socket = SETTINGS_CONTROL_SOCKET,
		.sessions = CONNTAB_SIZE,
		.policy = policy_default};

	settings_set_default_sources(&s);
	return s;
}

void settings_keep(struct settings *next, const struct settings *now)
{
	const struct settings_key *key;

	next->queue = now->queue;
	next->tls_queue = now->tls_queue;
	next->sessions = now->sessions;
	next->ct_helper = now->ct_helper;
	next->policy.connmark = now->policy.connmark; /* where sessions have their bits */
	memcpy(next->control_socket, now->control_socket, sizeof(next->control_socket));
	for (size_t i = 0; (key = settings_key(i)); i++) {
		if (key->effect == SETTINGS_ON_RESTART)
			next->source[i] = now->source[i];
	}
}

const struct settings_source *settings_source_of(
	const struct settings *s, const char *section, const char *name)
{
	const struct settings_key *key;
	size_t i = 0;

	while ((key = settings_key(i)) &&
		(strcmp(key->section, section) != 0 || strcmp(key->name, name) != 0))
		i++;
	return &s->source[i];
}

/* Of a list that goes on, `text` is added. */
static void settings_add_text(char *to, size_t cap, bool go_on, struct text text)
{
	size_t n = go_on ? strlen(to) : 0;

	snprintf(to + n, cap - n, "%s%.*s", n ? ", " : "", (int)text.n, text.p);
}

bool settings_is_of_server(const struct settings_key *key)
{
	return strcmp(key->section, SETTINGS_SERVER) == 0;
}

static void settings_set_source(struct settings *s, const struct settings_key *key, bool go_on,
	struct text value, const char *from)
{
	struct settings_source *source = &s->source[key - settings_key(0)];
	char named[SETTINGS_VALUE_MAX];

	if (settings_is_of_server(key)) {
		snprintf(named, sizeof(named), "%s: %.*s", s->servers.server[s->servers.now].name,
			(int)value.n, value.p);
		value = (struct text){named, strlen(named)};
		go_on = strcmp(source->from, "default") != 0;
	}
	settings_add_text(source->value, sizeof(source->value), go_on, value);
	settings_add_text(
		source->from, sizeof(source->from), go_on, (struct text){from, strlen(from)});
}

const char *settings_set(struct settings *s, const struct settings_key *key, bool again,
	struct text *value, const char *from)
{
	struct text whole = *value;
	const char *why;

	if (key->list == LIST_NONE) {
		why = again ? "this key was given before" : key->set(s, *value);
	} else {
		if (!again || !value->n)
			settings_empty(s, key->list);
		why = settings_add_entries(s, key, value);
	}
	if (!why)
		settings_set_source(
			s, key, key->list != LIST_NONE && again && whole.n, whole, from);
	return why;
}
