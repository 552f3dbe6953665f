/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts.h - what `pasvd check` knows of the router before it checks
 *
 * The probes (probe_*.c) gather them; the checks (checks.h) see nothing else, so what they find can
 * be tested with saved listings.
 */
#ifndef PASVD_FACTS_H
#define PASVD_FACTS_H

#include "ruleset.h"
#include "service.h"

enum { FILTERS_MAX = 6, TARGETS_MAX = 16, PATH_TEXT_MAX = 512, OPTIONS_MAX = 2048 };

/* One packet filter of one family. */
struct filter {
	char command[32]; /* iptables, iptables-legacy, ip6tables-nft …, or nft */
	enum addr_family family;
	bool is_legacy; /* its rules are not among those of nft */
	struct ruleset rules;
};

/* One set of pasvd's rules: what is loaded under one name in one family, or should be. */
struct target {
	enum addr_family family;
	char own[RULE_NAME_MAX];     /* the name of its chains, or of its table of nft */
	const struct filter *filter; /* where it is loaded, or would be */
	bool loaded;                 /* at least one of its chains is there */
	bool known;                  /* what should be loaded: */
	char options[OPTIONS_MAX];   /* of `pasvd rules`; "": none, as configured */
	bool expected_known;
	struct ruleset expected;     /* as if only these rules were loaded */
	char complaint[256];         /* if not: why not */
	struct service service;      /* of what is expected, or else of what is loaded */
	char inside[INTERFACE_MAX];  /* the interface that leads to the server; "": not known */
	char outside[INTERFACE_MAX]; /* that of the default route; "": not known */
	char more_inside[SERVICE_MORE_MAX][INTERFACE_MAX]; /* of the service's other servers */
};

/* pasvd's table of nft. */
struct nft_facts {
	bool loaded;               /* it is there, as it should be or not */
	bool wanted;               /* it should be as the options say: */
	char options[OPTIONS_MAX]; /* of `pasvd rules` */
	int status;                /* of `pasvd rules diff` with them, or -errno */
	char difference[512];      /* the first line of what that says; "": there was none */
	char complaint[256];
};

struct facts {
	bool filters_unread; /* rules of some kind could not be read */
	bool own_unread[2];  /* pasvd's may be among them: of IPv4, of IPv6 */
	bool configured;     /* what should be loaded is what the configuration says */
	bool queue_fails;    /* a queue gets no verdicts, or those of another program */
	size_t flowtables;   /* of nft */
	size_t n_filters, n_targets;
	struct filter filter[FILTERS_MAX];
	struct target target[TARGETS_MAX];
	struct nft_facts nft;
	uint32_t connmark;              /* pasvd's bits */
	char config[PATH_TEXT_MAX];     /* " --config FILE" if it is not the usual one */
	char loader[PATH_TEXT_MAX + 8]; /* "pasvd rules", or that of a build */
	char daemon[PATH_TEXT_MAX * 2]; /* the command that starts pasvd, */
	bool by_systemd;                /* its unit or not */
};

#endif
