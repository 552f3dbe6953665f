/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.h - looks at the router: kernel, /proc, and what other programs print; changes nothing */
#ifndef PASVD_PROBE_H
#define PASVD_PROBE_H

#include "conf.h"
#include "facts.h"
#include "findings.h"

/* Reads what packet filters there are and finds out which rules of pasvd there are and should be.
 * `options`: those of `pasvd rules`, the ones in /etc/default/pasvd if it is "". `settings`: the
 * configuration, NULL if it cannot be read; then the options are not looked at. What cannot be
 * read, and what the kernel would refuse, is reported. */
void probe_rules(const struct conf *conf, const struct settings *settings, const char *options,
	struct facts *ret_facts, struct report *r);

/* Whether these options of `pasvd rules` are for nft. */
bool probe_nft_asked(const char *options);
/* Compares the table with what it should be. Returns the exit status of `pasvd rules diff`, or
 * -errno. */
int probe_nft(const struct conf *conf, const char *options, struct nft_facts *ret_facts);

/* Asks for the devices of the chains that are at ingress or egress. */
void probe_nft_devices(struct ruleset *rs);
/* Asks which tables are dormant, and for flowtables. */
void probe_nft_dormant(struct facts *f);

/* Asks for the elements of the ipsets that rules name. */
void probe_ipsets(struct ruleset *rs);

/* Conntrack's helper for pasvd: that one which is wanted; its tables, the owner of the network
 * namespace. */
void probe_kernel(enum ct_helper_wanted wanted, struct report *r);

/* What is said to do harm to helpers and rules: flowtables, bridges, automatic helpers. */
void probe_harmless(const struct facts *f, struct report *r);

/* Who listens to the queues of the rules, or to `queue` if there are none. */
void probe_queues(struct facts *f, uint16_t queue, struct report *r);

/* Interfaces, routes, forwarding; where the server is goes into the facts. */
void probe_net(struct facts *f, struct report *r);

/* Whether packets of the target are forwarded to where they belong. */
void probe_routes(const struct facts *f, const struct target *t, struct report *r);

/* Whether the servers answer the router. */
void probe_servers(const struct facts *f, struct report *r);

/* The number in a file below /proc/sys, or -1. */
long probe_sysctl(const char *path);

#endif
