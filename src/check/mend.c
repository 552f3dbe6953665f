/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend.c - what has a firewall let FTP through, and lasts
 *
 * A rule that is put into the chains of a tool is gone when the tool makes them again. So whose
 * they are is read off their names.
 */
#include "mend.h"

#include <stdio.h>
#include <string.h>

#include "pasvd/array.h"

#include "checks.h"
#include "kinds.h"

/* --- rules --- */

static void mend_accept_data(const struct mend *m, const char *where, struct commands *c)
{
	const char *ct_helper = m->target->service.ct_helper;

	if (filter_is_nft(m->filter))
		commands_add(c, "%s 'ct helper \"%s\" accept'", where, ct_helper);
	else
		commands_add(c, "%s -m helper --helper %s -j ACCEPT", where, ct_helper);
}

/* Of the server, or of clients: those are not translated yet. */
static void mend_accept_control(
	const struct mend *m, const char *where, uint16_t port, bool server, struct commands *c)
{
	if (filter_is_nft(m->filter))
		commands_add(c, "%s 'meta l4proto tcp %sct original proto-dst %u accept'", where,
			server ? "ct status dnat " : "", port);
	else
		commands_add(c, "%s -p tcp -m conntrack --ctorigdstport %u%s -j ACCEPT", where,
			port, server ? " --ctstate DNAT" : "");
}

/* One command for each rule; `where` is how it begins. */
static void mend_accept(const struct mend *m, const char *where, struct commands *c)
{
	const struct service *s = &m->target->service;

	mend_accept_data(m, where, c);
	for (size_t i = 0; i < s->n_ports; i++)
		mend_accept_control(m, where, s->port[i].outside, true, c);
	for (size_t i = 0; s->lan[0] && i < s->n_lan_ports; i++)
		mend_accept_control(m, where, s->lan_port[i], false, c);
}

static void mend_by_rules(const struct mend *m, struct finding *found)
{
	const struct chain *c = m->chain;
	struct commands commands = {.used = 0};
	char where[4 * RULE_NAME_MAX], position[24] = "";

	if (!m->at_end)
		snprintf(position, sizeof(position), " %zu", m->position);
	if (filter_is_nft(m->filter))
		snprintf(where, sizeof(where), "nft insert rule %s %s %s", c->family, c->table,
			c->name);
	else
		snprintf(where, sizeof(where), "%s -t %s %s %s%s", m->filter->command, c->table,
			m->at_end ? "-A" : "-I", c->name, position);
	mend_accept(m, where, &commands);
	finding_fix_by(found, &commands);
}

/* Pasvd's rules of iptables go when a tool flushes all chains. */
static void mend_load_again(const struct mend *m, struct commands *c)
{
	const char *variant = target_variant(m->target);

	if (!filter_is_nft(m->target->filter) && m->target->options[0])
		commands_add(c, "%s%s%s%s load %s", *variant ? "IPTABLES=iptables" : "", variant,
			*variant ? " " : "", m->loader, m->target->options);
}

/* --- tools --- */

static const char *mend_family(const struct mend *m)
{
	return m->target->family == ADDR_IP6 ? "ipv6" : "ipv4";
}

/* What firewalld and ufw always accept is what is established or related. The policy is there if
 * another server was let through before. */
static void mend_firewalld(const struct mend *m, struct finding *found)
{
	static const char policy[] = "firewall-cmd --permanent --policy=pasvd";
	const struct service *s = &m->target->service;
	struct commands c = {.used = 0};
	char server[ADDR_TEXT_MAX + 1];

	commands_add(&c, "{ firewall-cmd --permanent --info-policy=pasvd >/dev/null 2>&1 || "
			 "firewall-cmd --permanent --new-policy=pasvd; }");
	commands_add(&c, "%s --add-ingress-zone=ANY", policy);
	commands_add(&c, "%s --add-egress-zone=ANY", policy);
	for (size_t i = 0; i < s->n_ports; i++)
		commands_add(&c,
			"%s --add-rich-rule='rule family=%s destination address=%s port port=%u "
			"protocol=tcp accept'",
			policy, mend_family(m), service_address(&s->server, server),
			s->port[i].server);
	for (size_t i = 0; s->lan[0] && i < s->n_lan_ports; i++)
		commands_add(&c, "%s --add-port=%u/tcp", policy, s->lan_port[i]);
	commands_add(&c, "firewall-cmd --reload");
	mend_load_again(m, &c);
	finding_fix_by(found, &c);
}

static void mend_ufw(const struct mend *m, struct finding *found)
{
	const struct service *s = &m->target->service;
	struct commands c = {.used = 0};
	char server[ADDR_TEXT_MAX + 1];

	for (size_t i = 0; i < s->n_ports; i++)
		commands_add(&c, "ufw route allow proto tcp from any to %s port %u",
			service_address(&s->server, server), s->port[i].server);
	for (size_t i = 0; s->lan[0] && i < s->n_lan_ports; i++)
		commands_add(&c, "ufw route allow in on %s proto tcp from any to any port %u",
			s->lan, s->lan_port[i]);
	finding_fix_by(found, &c);
}

/* Files that fw4 puts before the other rules of a chain; there may be rules for another server. */
static void mend_fw4(const struct mend *m, struct finding *found)
{
	char folder[FINDING_TEXT_MAX];
	struct commands rules = {.used = 0}, c = {.used = 0};

	snprintf(folder, sizeof(folder), "/usr/share/nftables.d/chain-pre/%s", m->chain->name);
	mend_accept(m, "echo", &rules);
	commands_add(&c, "mkdir -p %s", folder);
	commands_add(&c, "{ %s; } >>%s/pasvd.nft", rules.text, folder);
	commands_add(&c, "fw4 reload");
	if (rules.used < sizeof(rules.text))
		finding_fix_by(found, &c);
}

/* Commands that shorewall runs each time that it has made its chains. */
static void mend_shorewall(const struct mend *m, struct finding *found)
{
	struct commands rules = {.used = 0}, c = {.used = 0};
	const char *tool = m->filter->family == ADDR_IP6 ? "shorewall6" : "shorewall";
	char where[4 * RULE_NAME_MAX];

	snprintf(where, sizeof(where), "%s -t %s -I %s", m->filter->command, m->chain->table,
		m->chain->name);
	mend_load_again(m, &rules);
	mend_accept(m, where, &rules);
	commands_add(&c, "echo '%s' >>/etc/%s/started", rules.text, tool);
	commands_add(&c, "%s reload", tool);
	if (rules.used < sizeof(rules.text) && !strchr(rules.text, '\''))
		finding_fix_by(found, &c);
	else
		mend_by_rules(m, found);
}

/* --- whose chains they are --- */

static bool mend_has_chain(const struct mend *m, const char *name)
{
	return ruleset_find(&m->filter->rules, "", "filter", name);
}

static const struct {
	const char *table; /* of nft, or a chain of iptables that the tool has */
	bool nft;
	void (*mend)(const struct mend *m, struct finding *found);
} owners[] = {
	{"firewalld", true, mend_firewalld},
	{"FORWARD_direct", false, mend_firewalld},
	{"ufw-before-forward", false, mend_ufw},
	{"ufw6-before-forward", false, mend_ufw},
	{"fw4", true, mend_fw4},
	{"shorewall", false, mend_shorewall},
};

/* Tools that have no place for a rule of somebody else's. */
static const struct {
	const char *table; /* its beginning */
	const char *name;
} makers[] = {
	{"libvirt_network", "libvirt"},
	{"nm-shared-", "NetworkManager"},
	{"docker-bridges", "Docker"},
};

static void mend_say_maker(const struct mend *m, struct finding *found)
{
	for (size_t i = 0; filter_is_nft(m->filter) && i < ARRAY_SIZE(makers); i++) {
		const char *table = makers[i].table;

		if (strncmp(m->chain->table, table, strlen(table)) == 0)
			finding_advice(found,
				"%s takes these rules away when it makes its own again: add them "
				"then, too",
				makers[i].name);
	}
}

void mend_forward(const struct mend *m, struct finding *found)
{
	bool nft = filter_is_nft(m->filter);

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		bool is = owners[i].nft == nft &&
			  (nft ? strcmp(m->chain->table, owners[i].table) == 0
			       : strcmp(m->chain->table, "filter") == 0 &&
						  mend_has_chain(m, owners[i].table));

		if (is) {
			owners[i].mend(m, found);
			return;
		}
	}
	mend_by_rules(m, found);
	mend_say_maker(m, found);
}
