/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules_conf.h - sections of the configuration become rules, and rules sections */
#ifndef PASVD_RULES_CONF_H
#define PASVD_RULES_CONF_H

#include "rules_text.h"
#include "settings.h"

/* Whether there is one of these sections. */
bool rules_are_configured(const struct settings *settings);

/* Takes servers, clients and the kind of the firewall. The rules refer to the settings. */
void rules_from_settings(const struct settings *settings, struct rules *r);

/* The other way, as far as it matters to servers_find_mistake(): names are left out. */
void rules_to_servers(const struct rules *r, struct servers *ret_servers);

#endif
