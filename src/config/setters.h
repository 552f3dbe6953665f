/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setters.h - a value becomes a setting, one function for each key of settings_keys.c */
#ifndef PASVD_SETTERS_H
#define PASVD_SETTERS_H

#include "settings.h"

settings_setter settings_set_queue, settings_set_ct_helper, settings_set_zone, settings_set_rules,
	settings_set_fail_open, settings_set_timeout, settings_set_timeout_active,
	settings_set_connmark, settings_set_socket;
settings_setter settings_set_firewall, settings_set_families;
settings_setter settings_add_server_address, settings_add_server_public, settings_add_server_wan,
	settings_add_server_port, settings_add_server_range, settings_set_server_accept,
	settings_set_lan, settings_add_lan_port, settings_add_lan_range, settings_add_active;
settings_setter settings_add_deny, settings_add_foreign;
settings_setter settings_set_sessions, settings_set_open_ports, settings_set_session_limit,
	settings_set_client_limit, settings_set_server_limit;
settings_setter settings_set_announce, settings_add_external;
settings_setter settings_add_tls_ports, settings_add_tls_mode, settings_add_implicit,
	settings_set_tls_queue;
settings_setter settings_set_spoofed_reply, settings_set_spoofed_command, settings_set_pipelined,
	settings_set_long_line, settings_set_unprintable, settings_set_bare_lf,
	settings_set_bad_offer;

#endif
