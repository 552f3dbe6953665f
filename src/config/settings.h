/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.h - what the configuration file can set, pasvd.conf(5) */
#ifndef PASVD_SETTINGS_H
#define PASVD_SETTINGS_H

#include "conf_value.h"
#include "ct_helper.h"
#include "external.h"
#include "servers.h"

#define SETTINGS_CONTROL_SOCKET "/run/pasvd/ctl"
#define SETTINGS_SERVER         "server"
#define SETTINGS_SOCKET_ALLOWED                                                                    \
	"a path that begins with / and has at most 107 characters, or nothing"

enum {
	SETTINGS_QUEUE = 21,       /* unless configured otherwise, */
	SETTINGS_TLS_QUEUE = 22,   /* likewise */
	SETTINGS_SOCKET_MAX = 108, /* sun_path; with its NUL */
	SETTINGS_KEYS_MAX = 48,
	SETTINGS_VALUE_MAX = 256, /* with its NUL, as all of these */
	SETTINGS_FROM_MAX = 192,
	SETTINGS_EXPECT_MAX = 300,  /* seconds, what the kernel gives an expectation */
	SETTINGS_LIMIT_MAX = 60000, /* ports a minute */
	SETTINGS_SESSIONS_MIN = 64,
};

/* The value of a key as it was written, and where: "default", "command line", or PATH:LINE, for a
 * list one each. Texts that are too long are cut. */
struct settings_source {
	char value[SETTINGS_VALUE_MAX], from[SETTINGS_FROM_MAX];
};

/* What `pasvd rules watch` does about rules that are missing. */
enum settings_rules { SETTINGS_RULES_WATCH, SETTINGS_RULES_LOG, SETTINGS_RULES_IGNORE };

struct settings {
	uint16_t queue;     /* of control connections */
	uint16_t tls_queue; /* of on_demand_syns at ports on demand */
	enum ct_helper_wanted ct_helper;
	enum settings_rules rules;
	bool fail_open;        /* packets pass that pasvd cannot take */
	bool nft;              /* rules of servers and clients are for nft, not for iptables */
	unsigned int families; /* of these rules: 1 IPv4, 2 IPv6; 0: as the addresses are */
	struct servers servers;
	char control_socket[SETTINGS_SOCKET_MAX]; /* "": none */
	/* control connections that are remembered at most */
	uint32_t sessions;
	struct policy policy;
	struct external_watch watch; /* of policy.external; not looked at yet */
	struct settings_source source[SETTINGS_KEYS_MAX]; /* by the number of the key */
};

/* What holds without a file. */
struct settings settings_default(void);

/* Lists of the policy, and of a server. */
enum settings_list {
	LIST_NONE,
	LIST_DENY,
	LIST_FOREIGN,
	LIST_EXTERNAL,
	LIST_TLS_PORTS,
	LIST_TLS_RULE,
	LIST_IMPLICIT,
	LIST_SERVER_ADDRESS,
	LIST_SERVER_PUBLIC,
	LIST_SERVER_WAN,
	LIST_SERVER_PORT,
	LIST_SERVER_RANGE,
	LIST_LAN_PORT,
	LIST_LAN_RANGE,
	LIST_ACTIVE
};

/* When a change of a key takes effect. */
enum settings_effect {
	SETTINGS_ON_RELOAD,  /* SIGHUP */
	SETTINGS_ON_RESTART, /* of pasvd */
	SETTINGS_WITH_RULES, /* pasvd rules load */
};

/* Takes the value, or an entry for the list. NULL, or what is wrong with it: conf_value_wrong if it
 * is not what the key allows. */
typedef const char *settings_setter(struct settings *s, struct text value);

/* Of a section, or of a key: what pasvd.conf(5) and the example file say about it, see reference.c.
 * Plain English; "\n" ends a paragraph. */
struct settings_section {
	const char *name, *help;
};

struct settings_key {
	/* SETTINGS_SERVER: of each [server NAME] */
	const char *section, *name;
	/* as it would be written; "" if there is none */
	const char *value_default;
	/* with the unit and the range, so that "must be ..." is a sentence */
	const char *allowed;
	enum settings_effect effect;
	/* other than LIST_NONE: commas separate entries, and the key may be repeated; no entry
	 * empties it */
	enum settings_list list;
	settings_setter *set;
	const char *help;
};

/* The section number `i`; NULL if there are not as many. */
const struct settings_section *settings_section(size_t i);

/* The key number `i`, those of a section in a row; NULL if there are not as many. */
const struct settings_key *settings_key(size_t i);

/* Whether it is a key of each [server NAME]; it is then set of the one that servers_begin() named
 * last. */
bool settings_is_of_server(const struct settings_key *key);

/* Where the value of that key stands, and its text. There has to be such a key. */
const struct settings_source *settings_source_of(
	const struct settings *s, const char *section, const char *name);

/* Takes the value of a key that stands at `from`; `again` if the key had one before. NULL, or what
 * is wrong with *value, which then is the entry that is wrong: conf_value_wrong if it is not what
 * key->allowed says. The settings are good for nothing then. */
const char *settings_set(struct settings *s, const struct settings_key *key, bool again,
	struct text *value, const char *from);

/* Keeps what `now` says of the keys that only a restart changes. */
void settings_keep(struct settings *next, const struct settings *now);

#endif
