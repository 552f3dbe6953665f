/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.c - what the configuration file can set, pasvd.conf(5)
 *
 * The table of keys is the whole grammar. The default of a list is gone with the first value that
 * its key is given.
 */
#include "settings.h"
#include "pasvd/array.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pasvd/conntab.h"

enum {
	EXPECT_TIMEOUT_MAX = 300, /* seconds, what the kernel gives an expectation */
	LIMIT_MAX = 60000,        /* ports a minute */
	SESSIONS_MIN = 64,
};

/* Which of `n` names it is, or n. */
static size_t settings_word_among(struct text word, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && (word.n != strlen(names[i]) || memcmp(word.p, names[i], word.n) != 0))
		i++;
	return i;
}

static const char *settings_set_queue(struct settings *s, struct text value)
{
	return conf_value_number(value, 0, UINT16_MAX, &s->queue);
}

const char settings_socket_allowed[] =
	"a path that begins with / and has at most 107 characters is wanted, or nothing";

const char *settings_set_socket(struct settings *s, struct text value)
{
	static_assert(sizeof(s->control_socket) == 108, "the text above says so");
	if ((value.n && value.p[0] != '/') || value.n >= sizeof(s->control_socket))
		return conf_value_wrong;
	memset(s->control_socket, 0, sizeof(s->control_socket));
	memcpy(s->control_socket, value.p, value.n);
	return NULL;
}

static const char *settings_set_ct_helper(struct settings *s, struct text value)
{
	static const char *const names[] = {
		[CT_HELPER_AUTO] = "auto", [CT_HELPER_SANE] = "sane", [CT_HELPER_OWN] = "own"};
	size_t i = settings_word_among(value, names, ARRAY_SIZE(names));

	if (i == ARRAY_SIZE(names))
		return conf_value_wrong;
	s->ct_helper = (enum ct_helper_wanted)i;
	return NULL;
}

static const char *settings_set_fail_open(struct settings *s, struct text value)
{
	static const char *const names[] = {[false] = "no", [true] = "yes"};
	size_t i = settings_word_among(value, names, ARRAY_SIZE(names));

	if (i == ARRAY_SIZE(names))
		return conf_value_wrong;
	s->fail_open = i;
	return NULL;
}

static const char *settings_set_zone(struct settings *s, struct text value)
{
	return conf_value_number(value, 0, UINT16_MAX, &s->policy.zone);
}

static const char *settings_set_timeout(struct settings *s, struct text value)
{
	uint16_t seconds;
	const char *why = conf_value_seconds(value, 1, EXPECT_TIMEOUT_MAX, &seconds);

	if (!why)
		s->policy.expect_seconds = seconds;
	return why;
}

static const char *settings_set_timeout_active(struct settings *s, struct text value)
{
	uint16_t seconds;
	const char *why = conf_value_seconds(value, 1, EXPECT_TIMEOUT_MAX, &seconds);

	if (!why)
		s->policy.expect_seconds_active = seconds;
	return why;
}

static const char *settings_set_announce(struct settings *s, struct text value)
{
	return conf_value_ports(value, POLICY_LOWEST_PORT, &s->policy.announce);
}

static const char *settings_add_deny(struct settings *s, struct text value)
{
	return conf_value_ports(value, 1, &s->policy.deny[s->policy.n_deny]);
}

static const char *settings_add_foreign(struct settings *s, struct text value)
{
	return conf_value_network(value, &s->policy.foreign[s->policy.n_foreign]);
}

static const char *settings_set_sessions(struct settings *s, struct text value)
{
	static_assert(CONNTAB_SIZE == 100000, "the table of keys says so");
	return conf_value_count(value, SESSIONS_MIN, CONNTAB_SIZE, &s->sessions);
}

static const char *settings_set_limit(struct settings *s, enum quota_scope scope, struct text value)
{
	return conf_value_number(value, 0, LIMIT_MAX, &s->policy.limits.a_minute[scope]);
}

static const char *settings_set_session_limit(struct settings *s, struct text value)
{
	return settings_set_limit(s, QUOTA_SESSION, value);
}

static const char *settings_set_client_limit(struct settings *s, struct text value)
{
	return settings_set_limit(s, QUOTA_CLIENT, value);
}

static const char *settings_set_server_limit(struct settings *s, struct text value)
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

static const char *settings_add_external(struct settings *s, struct text value)
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

static const char *settings_set_tls_queue(struct settings *s, struct text value)
{
	return conf_value_number(value, 0, UINT16_MAX, &s->tls_queue);
}

static const char *settings_set_connmark(struct settings *s, struct text value)
{
	uint32_t mask;
	const char *why = conf_value_mark(value, &mask);

	if (why || !trust_mask_is_valid(mask))
		return conf_value_wrong;
	s->policy.connmark = mask;
	return NULL;
}

static const char *settings_add_tls_ports(struct settings *s, struct text value)
{
	struct tls_ports *entry = &s->policy.tls_ports[s->policy.n_tls_ports];
	struct text ports;
	const char *why = conf_value_for(value, &ports, &entry->server);

	return why ? why : conf_value_ports(ports, POLICY_LOWEST_PORT, &entry->ports);
}

static const char *settings_add_tls_mode(struct settings *s, struct text value)
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

static const char *settings_add_implicit(struct settings *s, struct text value)
{
	return conf_value_ports(value, 1, &s->policy.implicit[s->policy.n_implicit]);
}

#define SET_STRICT(name, check)                                                                    \
	static const char *name(struct settings *s, struct text value)                             \
	{                                                                                          \
		return conf_value_outcome(value, &s->policy.strict.outcome[check]);                \
	}

SET_STRICT(set_spoofed_reply, STRICT_SPOOFED_REPLY)
SET_STRICT(set_spoofed_command, STRICT_SPOOFED_COMMAND)
SET_STRICT(set_pipelined, STRICT_PIPELINED)
SET_STRICT(set_long_line, STRICT_LONG_LINE)
SET_STRICT(set_unprintable, STRICT_UNPRINTABLE)
SET_STRICT(set_bare_lf, STRICT_BARE_LF)
SET_STRICT(set_bad_offer, STRICT_BAD_OFFER)

static const char a_number[] = "a number 0..65535 is wanted";
static const char a_timeout[] = "a time 1s..300s is wanted, as in 60s or 5min";
static const char a_limit[] = "a number of ports a minute 0..60000 is wanted, 0 for no limit";
static const char an_outcome[] = "pass, log, refuse or reset is wanted";

/* The default is written as a value is; of a list none. */
static const struct settings_key keys[] = {
	{"pasvd", "queue", "21", SETTINGS_ON_RESTART, LIST_NONE, settings_set_queue, a_number},
	{"pasvd", "ct-helper", "auto", SETTINGS_ON_RESTART, LIST_NONE, settings_set_ct_helper,
		"auto, sane or own is wanted"},
	{"pasvd", "ct-zone", "0", SETTINGS_ON_RELOAD, LIST_NONE, settings_set_zone, a_number},
	{"pasvd", "fail-open", "yes", SETTINGS_WITH_RULES, LIST_NONE, settings_set_fail_open,
		"yes or no is wanted"},
	{"pasvd", "expect-timeout", "60s", SETTINGS_ON_RELOAD, LIST_NONE, settings_set_timeout,
		a_timeout},
	{"pasvd", "expect-timeout-active", "300s", SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_timeout_active, a_timeout},
	{"pasvd", "connmark", "0xf0000000", SETTINGS_ON_RESTART, LIST_NONE, settings_set_connmark,
		"a number of which four bits are set is wanted, as in 0xf0000000"},
	{"pasvd", "control-socket", SETTINGS_CONTROL_SOCKET, SETTINGS_ON_RESTART, LIST_NONE,
		settings_set_socket, settings_socket_allowed},
	{"policy", "deny-ports", "", SETTINGS_ON_RELOAD, LIST_DENY, settings_add_deny,
		"ports 1..65535 and ranges are wanted, as in 2049, 60000-60010"},
	{"policy", "allow-foreign", "", SETTINGS_ON_RELOAD, LIST_FOREIGN, settings_add_foreign,
		"networks are wanted, as in 10.0.0.0/24, 2001:db8::/64"},
	{"limits", "max-sessions", "100000", SETTINGS_ON_RESTART, LIST_NONE, settings_set_sessions,
		"a number 64..100000 is wanted"},
	{"limits", "ports-per-minute-per-session", "0", SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_session_limit, a_limit},
	{"limits", "ports-per-minute-per-client", "0", SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_client_limit, a_limit},
	{"limits", "ports-per-minute-per-server", "0", SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_server_limit, a_limit},
	{"translate", "announce-ports", "", SETTINGS_ON_RELOAD, LIST_NONE, settings_set_announce,
		"a range of ports 1024..65535 is wanted, as in 60000-60999"},
	{"translate", "external-address", "", SETTINGS_ON_RELOAD, LIST_EXTERNAL,
		settings_add_external,
		"ADDRESS or file:PATH [for NETWORK] [dialled ADDRESS] [on INTERFACE] is wanted"},
	{"tls", "passive-ports", "", SETTINGS_ON_RELOAD, LIST_TLS_PORTS, settings_add_tls_ports,
		"ranges of ports 1024..65535 are wanted, as in 60000-60100 or 60000-60100 for "
		"10.0.0.2"},
	{"tls", "mode", "", SETTINGS_ON_RELOAD, LIST_TLS_RULE, settings_add_tls_mode,
		"on-demand, pass or refuse is wanted, alone or as in refuse for 10.0.0.0/24"},
	{"tls", "implicit-ports", "", SETTINGS_ON_RELOAD, LIST_IMPLICIT, settings_add_implicit,
		"ports 1..65535 are wanted, as in 990"},
	{"tls", "queue", "22", SETTINGS_ON_RESTART, LIST_NONE, settings_set_tls_queue, a_number},
	{"strict", "spoofed-reply", "pass", SETTINGS_ON_RELOAD, LIST_NONE, set_spoofed_reply,
		an_outcome},
	{"strict", "spoofed-command", "pass", SETTINGS_ON_RELOAD, LIST_NONE, set_spoofed_command,
		an_outcome},
	{"strict", "pipelined", "pass", SETTINGS_ON_RELOAD, LIST_NONE, set_pipelined, an_outcome},
	{"strict", "long-line", "pass", SETTINGS_ON_RELOAD, LIST_NONE, set_long_line, an_outcome},
	{"strict", "unprintable", "pass", SETTINGS_ON_RELOAD, LIST_NONE, set_unprintable,
		an_outcome},
	{"strict", "bare-lf", "pass", SETTINGS_ON_RELOAD, LIST_NONE, set_bare_lf, an_outcome},
	{"strict", "bad-offer", "pass", SETTINGS_ON_RELOAD, LIST_NONE, set_bad_offer, an_outcome},
};

const struct settings_key *settings_key(size_t i)
{
	return i < ARRAY_SIZE(keys) ? &keys[i] : NULL;
}

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
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(s->source[i].value, SETTINGS_VALUE_MAX, "%s", keys[i].value_default);
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
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].effect == SETTINGS_ON_RESTART)
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
	struct settings_source *source = &s->source[key - keys];

	static_assert(ARRAY_SIZE(keys) <= SETTINGS_KEYS_MAX, "each key has its source");
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
	return why == conf_value_wrong ? key->allowed : why;
}
