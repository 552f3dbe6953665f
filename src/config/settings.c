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

static size_t *settings_count_of(struct policy *policy, enum settings_list list)
{
	switch (list) {
	case LIST_DENY:
		return &policy->n_deny;
	case LIST_FOREIGN:
		return &policy->n_foreign;
	case LIST_EXTERNAL:
		return &policy->n_external;
	case LIST_TLS_PORTS:
		return &policy->n_tls_ports;
	case LIST_TLS_RULE:
		return &policy->n_tls_rule;
	case LIST_IMPLICIT:
		return &policy->n_implicit;
	case LIST_NONE:
		break;
	}
	return NULL;
}

static void settings_empty(struct settings *s, enum settings_list list)
{
	*settings_count_of(&s->policy, list) = 0;
	if (list == LIST_EXTERNAL)
		s->watch.n_files = s->watch.n_interfaces = 0;
}

static const char *settings_add_entry(
	struct settings *s, const struct settings_key *key, struct text entry)
{
	size_t *count = settings_count_of(&s->policy, key->list);
	const char *why;

	static_assert(POLICY_LIST_MAX == 32, "the text below says so");
	if (!entry.n)
		return "something is missing at a comma";
	if (*count == POLICY_LIST_MAX)
		return "one too many, there is room for 32";
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

void settings_keep_sources(struct settings *next, const struct settings *now)
{
	const struct settings_key *key;

	for (size_t i = 0; (key = settings_key(i)); i++) {
		if (key->effect == SETTINGS_ON_RESTART)
			next->source[i] = now->source[i];
	}
}

/* Of a list that goes on, `text` is added. */
static void settings_add_text(char *to, size_t cap, bool go_on, struct text text)
{
	size_t n = go_on ? strlen(to) : 0;

	snprintf(to + n, cap - n, "%s%.*s", n ? ", " : "", (int)text.n, text.p);
}

static void settings_set_source(struct settings *s, const struct settings_key *key, bool go_on,
	struct text value, const char *from)
{
	struct settings_source *source = &s->source[key - settings_key(0)];

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
