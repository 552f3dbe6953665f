/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_conf_file.c - what the configuration file can say; check_conf_mistake.c has what is said
 * about mistakes in it */
#include "conf_text.h"
#include "pasvd/array.h"

enum { TEXT_MAX = 1 << 17, GARBLED_FILES = 3000 };

static bool is_addr(const struct addr *a, const char *text)
{
	struct addr want;

	ck_assert_int_eq(addr_parse((const uint8_t *)text, strlen(text), &want), 0);
	return addr_eq(a, &want);
}

static bool is_default(const struct settings *s)
{
	static const struct quota_limits no_limits;
	const struct policy *p = &s->policy, *d = &policy_default;

	return s->queue == 21 && !s->servers.n && !s->servers.lan[0] && !s->nft && !s->families &&
	       s->sessions == 100000 && s->fail_open &&
	       strcmp(s->control_socket, "/run/pasvd/ctl") == 0 && p->zone == 0 &&
	       p->expect_seconds == d->expect_seconds &&
	       p->expect_seconds_active == d->expect_seconds_active && !p->announce.low &&
	       p->n_deny == d->n_deny && memcmp(p->deny, d->deny, sizeof(p->deny)) == 0 &&
	       !p->n_foreign && !p->n_external && !s->watch.n_files && !s->watch.n_interfaces &&
	       memcmp(&p->limits, &no_limits, sizeof(no_limits)) == 0 && s->tls_queue == 22 &&
	       p->connmark == POLICY_CONNMARK && !p->n_tls_ports && !p->n_tls_rule &&
	       !p->n_implicit && !p->n_own &&
	       memcmp(&p->strict, &d->strict, sizeof(p->strict)) == 0;
}

START_TEST(a_file_that_says_nothing_changes_nothing)
{
	static const char *const text[] = {"", "\n", "# comment\n; another\n\n[policy]\n[pasvd]",
		"[policy] ; comment\n[pasvd] # comment\n", "\xef\xbb\xbf[pasvd]\r\n \t \r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		struct settings s = good(text[i]);

		ck_assert(is_default(&s));
	}
}
END_TEST

START_TEST(a_socket_has_a_path_or_is_none)
{
	char name[SETTINGS_SOCKET_MAX + 1], text[256], want[CONF_FILE_ERROR_MAX];

	ck_assert_str_eq(good("[pasvd]\ncontrol-socket = /run/a b\n").control_socket, "/run/a b");
	ck_assert_str_eq(good("[pasvd]\ncontrol-socket =\n").control_socket, "");
	memset(name, '/', sizeof(name));
	name[SETTINGS_SOCKET_MAX - 1] = '\0';
	snprintf(text, sizeof(text), "[pasvd]\ncontrol-socket = %s\n", name);
	ck_assert_str_eq(good(text).control_socket, name);
	name[SETTINGS_SOCKET_MAX - 1] = '/';
	name[SETTINGS_SOCKET_MAX] = '\0';
	snprintf(text, sizeof(text), "[pasvd]\ncontrol-socket = %s\n", name);
	snprintf(want, sizeof(want), "2: [pasvd] control-socket = %s%s", name, SOCKET);
	bad(text, want);
}
END_TEST

START_TEST(numbers_are_taken_to_both_ends)
{
	struct settings
		low = good("[pasvd]\nqueue = 0\nct-zone = 0\nexpect-timeout = "
			   "1\nexpect-timeout-active = 2\n"),
		high = good(
			"[pasvd]\nqueue=65535\r\n\tct-zone: 65535\nexpect-timeout = 300 ; comment");

	ck_assert(low.queue == 0 && low.policy.zone == 0 && low.policy.expect_seconds == 1 &&
		  low.policy.expect_seconds_active == 2);
	ck_assert(high.queue == 65535 && high.policy.zone == 65535 &&
		  high.policy.expect_seconds == 300);
}
END_TEST

START_TEST(a_time_has_a_unit)
{
	ck_assert_uint_eq(good("[pasvd]\nexpect-timeout = 90\n").policy.expect_seconds, 90);
	ck_assert_uint_eq(good("[pasvd]\nexpect-timeout = 90s\n").policy.expect_seconds, 90);
	ck_assert_uint_eq(good("[pasvd]\nexpect-timeout = 5 min\n").policy.expect_seconds, 300);
	ck_assert_uint_eq(
		good("[pasvd]\nexpect-timeout-active = 1min\n").policy.expect_seconds_active, 60);
}
END_TEST

START_TEST(a_comment_may_follow_a_value)
{
	struct settings s = good("[pasvd]\nqueue = 5 # of ftp\nct-zone = 6\t#7\n"
				 "control-socket = /run/a#b ; c\n[policy]\ndeny-ports = 7 # 8\n");

	ck_assert(s.queue == 5 && s.policy.zone == 6 && s.policy.n_deny == 1);
	ck_assert_str_eq(s.control_socket, "/run/a#b");
}
END_TEST

START_TEST(defaults_of_the_table_are_in_force)
{
	const struct settings_key *key;

	for (size_t i = 0; (key = settings_key(i)); i++) {
		char text[128];
		struct settings s;

		if (settings_is_of_server(key))
			continue; /* a section of its own, which needs some of its keys */
		snprintf(text, sizeof(text), "[%s]\n%s = %s\n", key->section, key->name,
			key->value_default);
		s = good(text);
		ck_assert_msg(is_default(&s), "%s", key->name);
	}
}
END_TEST

START_TEST(servers_have_sections_of_their_own)
{
	struct settings s = good(
		"[server ftp]\naddress = 192.168.1.10, fd00::10\nwan = eth0, ppp0\n"
		"passive-ports = 60000-60100\n[pasvd]\nfirewall = nft\nfamilies = both\n"
		"[server www]\naddress = fd00::11\npublic = 2001:db8::1\n[clients]\nlan = lan0\n"
		"[server ftp]\nports = 21, 2121:2100\n[server a.b] # any\n"
		"address = any\nwan = eth1\naccept-data = no\n");
	const struct server *ftp = &s.servers.server[0], *www = &s.servers.server[1];

	ck_assert(s.servers.n == 3 && s.nft && s.families == 3);
	ck_assert_str_eq(s.servers.lan, "lan0");
	ck_assert_str_eq(ftp->name, "ftp");
	ck_assert(ftp->n_addresses == 2 && is_addr(&ftp->address[0], "192.168.1.10") &&
		  is_addr(&ftp->address[1], "fd00::10") && !ftp->n_publics);
	ck_assert(ftp->n_wans == 2 && strcmp(ftp->wan[1], "ppp0") == 0);
	ck_assert(ftp->n_ports == 2 && ftp->port[0].server == 21 && ftp->port[1].outside == 2121 &&
		  ftp->port[1].server == 2100);
	ck_assert(www->n_publics == 1 && is_addr(&www->public[0], "2001:db8::1"));
	ck_assert(server_is_any(&s.servers.server[2]) && !server_is_any(ftp));
	ck_assert(s.policy.n_tls_ports == 2 &&
		  is_addr(&s.policy.tls_ports[1].server.addr, "fd00::10") &&
		  s.policy.tls_ports[1].server.bits == 128 &&
		  s.policy.tls_ports[1].ports.high == 60100);
}
END_TEST

START_TEST(clients_have_ports_of_their_own_and_of_their_servers)
{
	struct settings s =
		good("[clients]\nlan = lo\nports = 21, 990\npassive-ports = 1024-65535\n"
		     "active-ports = 50000-50009 for 10.0.0.5, 50010 for fd00::/64\n");
	const struct policy *p = &s.policy;

	ck_assert(s.servers.n_lan_ports == 2 && s.servers.lan_port[1] == 990);
	ck_assert(p->n_lan_ports == 1 && p->lan_ports[0].low == 1024 &&
		  p->lan_ports[0].high == 65535);
	ck_assert(p->n_active_ports == 2 && p->active_ports[0].client.bits == 32 &&
		  is_addr(&p->active_ports[0].client.addr, "10.0.0.5") &&
		  p->active_ports[1].client.bits == 64 && p->active_ports[1].ports.high == 50010);
	external_read(&s.watch, &s.policy);
	ck_assert_uint_eq(s.policy.lan, if_nametoindex("lo"));
	ck_assert(external_any(&s.watch));
}
END_TEST

START_TEST(interface_of_clients_is_looked_for_only_if_it_matters)
{
	struct settings s = good("[clients]\nlan = lo\n");

	external_read(&s.watch, &s.policy);
	ck_assert(!s.policy.lan && !external_any(&s.watch));
}
END_TEST

START_TEST(servers_are_known_to_be_behind_the_router)
{
	struct settings s = good("[server a]\naddress = 192.168.1.10, fd00::10\nwan = eth0\n"
				 "[server b]\naddress = any\npublic = 203.0.113.7\n"
				 "[server c]\naddress = any\nwan = eth1\n");
	const struct policy *p = &s.policy;

	ck_assert_uint_eq(p->n_own, 3);
	ck_assert(is_addr(&p->own[0], "192.168.1.10") && is_addr(&p->own[1], "fd00::10") &&
		  is_addr(&p->own[2], "203.0.113.7"));
}
END_TEST

START_TEST(section_of_a_server_may_come_after_the_mark_of_utf_8)
{
	static const char *const text[] = {"\xef\xbb\xbf[server ftp]\naddress = any\nwan = eth0\n",
		"\xef\xbb\xbf  [server ftp]\naddress = any\nwan = eth0\n"};

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		struct settings s = good(text[i]);

		ck_assert(s.servers.n == 1 && s.servers.server[0].n_wans == 1);
	}
}
END_TEST

static const struct settings_source *source_of(const struct settings *s, const char *name)
{
	const struct settings_key *key;

	for (size_t i = 0; (key = settings_key(i)); i++) {
		if (strcmp(key->name, name) == 0)
			return &s->source[i];
	}
	return NULL;
}

START_TEST(where_a_value_stands_is_known)
{
	struct settings s = good("[pasvd]\nct-zone = 5 # five\n[policy]\ndeny-ports = 1,2\n"
				 "deny-ports = 3\n");

	ck_assert_str_eq(source_of(&s, "ct-zone")->value, "5");
	ck_assert_str_eq(source_of(&s, "ct-zone")->from, "test.conf:2");
	ck_assert_str_eq(source_of(&s, "deny-ports")->value, "1,2, 3");
	ck_assert_str_eq(source_of(&s, "deny-ports")->from, "test.conf:4, test.conf:5");
	ck_assert_str_eq(source_of(&s, "fail-open")->value, "yes");
	ck_assert_str_eq(source_of(&s, "fail-open")->from, "default");
	s = good("[policy]\ndeny-ports = 1,2\ndeny-ports =\n");
	ck_assert_str_eq(source_of(&s, "deny-ports")->value, "");
	ck_assert_str_eq(source_of(&s, "deny-ports")->from, "test.conf:3");
}
END_TEST

START_TEST(values_of_servers_have_their_names)
{
	struct settings s = good("[server a]\naddress = 10.0.0.2, fd00::2\nwan = eth0\n"
				 "[server b]\naddress = any\nwan = eth1\n");

	ck_assert_str_eq(source_of(&s, "address")->value, "a: 10.0.0.2, fd00::2, b: any");
	ck_assert_str_eq(source_of(&s, "address")->from, "test.conf:2, test.conf:5");
}
END_TEST

START_TEST(what_cannot_be_taken_passes_or_not)
{
	ck_assert(good("[pasvd]\nfail-open = yes\n").fail_open);
	ck_assert(!good("[pasvd]\nfail-open = no\n").fail_open);
	ck_assert_int_eq(good("").rules, SETTINGS_RULES_WATCH);
	ck_assert_int_eq(good("[pasvd]\nrules = watch\n").rules, SETTINGS_RULES_WATCH);
	ck_assert_int_eq(good("[pasvd]\nrules = log\n").rules, SETTINGS_RULES_LOG);
	ck_assert_int_eq(good("[pasvd]\nrules = ignore\n").rules, SETTINGS_RULES_IGNORE);
}
END_TEST

START_TEST(the_number_of_sessions_has_a_limit)
{
	ck_assert_uint_eq(good("[limits]\nmax-sessions = 64\n").sessions, 64);
	ck_assert_uint_eq(good("[limits]\nmax-sessions = 100000\n").sessions, 100000);
}
END_TEST

START_TEST(ct_helper_is_one_of_three)
{
	ck_assert_int_eq(good("").ct_helper, CT_HELPER_AUTO);
	ck_assert_int_eq(good("[pasvd]\nct-helper = auto\n").ct_helper, CT_HELPER_AUTO);
	ck_assert_int_eq(good("[pasvd]\nct-helper = sane\n").ct_helper, CT_HELPER_SANE);
	ck_assert_int_eq(good("[pasvd]\nct-helper = own\n").ct_helper, CT_HELPER_OWN);
}
END_TEST

START_TEST(each_scope_has_its_limit)
{
	struct settings
		s = good("[limits]\nports-per-minute-per-session = 1\nports-per-minute-per-client "
			 "= 60000\nports-per-minute-per-server = 0\n"),
		one = good("[limits]\nports-per-minute-per-server = 30000");
	static const uint16_t want[] = {1, 60000, 0}, want_one[] = {0, 0, 30000};

	ck_assert_mem_eq(s.policy.limits.a_minute, want, sizeof(want));
	ck_assert_mem_eq(one.policy.limits.a_minute, want_one, sizeof(want_one));
}
END_TEST

START_TEST(denied_ports_take_the_place_of_the_default_ones)
{
	struct settings s =
		good("[policy]\ndeny-ports = 2049,3306 , 60000-60010\ndeny-ports = 1-65535");
	static const struct port_range want[] = {
		{2049, 2049}, {3306, 3306}, {60000, 60010}, {1, 65535}};

	ck_assert_uint_eq(s.policy.n_deny, ARRAY_SIZE(want));
	ck_assert(memcmp(s.policy.deny, want, sizeof(want)) == 0);
}
END_TEST

START_TEST(an_empty_list_denies_nothing)
{
	struct settings s =
		good("[policy]\ndeny-ports =\nallow-foreign =\n[translate]\nexternal-address =\n");

	ck_assert(!s.policy.n_deny && !s.policy.n_foreign && !s.policy.n_external);
}
END_TEST

START_TEST(foreign_networks_are_of_both_families)
{
	struct settings s =
		good("[policy]\nallow-foreign = 10.0.0.0/24, 2001:db8::/63, 192.0.2.1, ::1, "
		     "0.0.0.0/0, 10.1.2.3/32, ::1/128, 128.0.0.0/1");
	static const struct {
		const char *addr;
		uint8_t bits;
	} want[] = {{"10.0.0.0", 24}, {"2001:db8::", 63}, {"192.0.2.1", 32}, {"::1", 128},
		{"0.0.0.0", 0}, {"10.1.2.3", 32}, {"::1", 128}, {"128.0.0.0", 1}};

	ck_assert_uint_eq(s.policy.n_foreign, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		ck_assert(is_addr(&s.policy.foreign[i].addr, want[i].addr));
		ck_assert_uint_eq(s.policy.foreign[i].bits, want[i].bits);
	}
}
END_TEST

START_TEST(announced_ports_are_one_range)
{
	struct settings s = good("[translate]\nannounce-ports = 60000-60999"),
			one = good("[translate]\nannounce-ports = 1024"),
			none = good("[translate]\nannounce-ports =");

	ck_assert(s.policy.announce.low == 60000 && s.policy.announce.high == 60999);
	ck_assert(one.policy.announce.low == 1024 && one.policy.announce.high == 1024);
	ck_assert(!none.policy.announce.low);
}
END_TEST

START_TEST(external_addresses_have_conditions)
{
	struct settings s =
		good("[translate]\nexternal-address = 203.0.113.7 for 10.0.0.0/8\n"
		     "external-address = 203.0.113.8  dialled  192.168.178.2, 203.0.113.9 dialled "
		     "10.0.0.1 for 10.0.0.0/8, 2001:db8::7, 203.0.113.6\n");
	const struct external *e = s.policy.external;

	ck_assert(s.policy.n_external == 5 && !s.watch.n_files && !s.watch.n_interfaces);
	ck_assert(is_addr(&e[0].addr, "203.0.113.7") && is_addr(&e[0].peer.addr, "10.0.0.0"));
	ck_assert(e[0].peer.bits == 8 && e[0].known.family == ADDR_NONE);
	ck_assert(is_addr(&e[1].addr, "203.0.113.8") && is_addr(&e[1].known, "192.168.178.2"));
	ck_assert(e[1].peer.addr.family == ADDR_NONE);
	ck_assert(is_addr(&e[2].known, "10.0.0.1") && is_addr(&e[2].peer.addr, "10.0.0.0"));
	ck_assert(is_addr(&e[3].addr, "2001:db8::7") && is_addr(&e[4].addr, "203.0.113.6"));
}
END_TEST

START_TEST(external_addresses_may_stand_in_files)
{
	struct settings s = good("[translate]\nexternal-address = 203.0.113.7 for 10.0.0.0/8, "
				 "file:/run/a for 2001:db8::/32, file:/run/b\n");

	ck_assert(s.policy.n_external == 3 && s.watch.n_files == 2);
	ck_assert(s.watch.file[0].entry == 1 && s.watch.file[1].entry == 2);
	ck_assert_str_eq(s.watch.file[0].path, "/run/a");
	ck_assert_str_eq(s.watch.file[1].path, "/run/b");
	ck_assert(s.policy.external[2].addr.family == ADDR_NONE && !s.watch.file[0].bad);
	ck_assert(is_addr(&s.policy.external[1].peer.addr, "2001:db8::"));
}
END_TEST

START_TEST(external_addresses_may_be_for_interfaces)
{
	struct settings s =
		good("[translate]\nexternal-address = 203.0.113.7 on ppp0, 203.0.113.8 for "
		     "10.0.0.0/8  on "
		     "br-lan.7_x dialled 10.0.0.1, file:/run/a on fifteen-letters, 203.0.113.9\n");
	const struct external *e = s.policy.external;
	const struct external_interface *i = s.watch.interface;

	ck_assert(s.policy.n_external == 4 && s.watch.n_interfaces == 3 && s.watch.n_files == 1);
	ck_assert(i[0].entry == 0 && i[1].entry == 1 && i[2].entry == 2 &&
		  s.watch.file[0].entry == 2);
	ck_assert_str_eq(i[0].name, "ppp0");
	ck_assert_str_eq(i[1].name, "br-lan.7_x");
	ck_assert_str_eq(i[2].name, "fifteen-letters");
	ck_assert(e[0].indev == POLICY_NO_INTERFACE && e[1].indev == POLICY_NO_INTERFACE);
	ck_assert(e[2].indev == POLICY_NO_INTERFACE && !e[3].indev);
	ck_assert(is_addr(&e[1].peer.addr, "10.0.0.0") && is_addr(&e[1].known, "10.0.0.1"));
}
END_TEST

static const char *const check_name[STRICT_CHECKS] = {"spoofed-reply", "spoofed-command",
	"pipelined", "long-line", "unprintable", "bare-lf", "bad-offer"};

START_TEST(each_check_has_its_outcome)
{
	static const char *const word[] = {"pass", "log", "refuse", "reset"};
	char text[64];

	for (int i = 0; i < STRICT_CHECKS; i++) {
		for (int j = STRICT_PASS; j <= STRICT_RESET; j++) {
			struct settings s;

			snprintf(text, sizeof(text), "[strict]\n%s = %s\n", check_name[i], word[j]);
			s = good(text);
			for (int k = 0; k < STRICT_CHECKS; k++)
				ck_assert_int_eq(
					s.policy.strict.outcome[k], k == i ? j : STRICT_PASS);
		}
	}
}
END_TEST

/* In the log the checks go by the names of their keys. */
START_TEST(the_checks_have_the_names_of_their_reasons)
{
	for (int i = 0; i < STRICT_BAD_OFFER; i++)
		ck_assert_str_eq(
			reason_name((enum reason)(REASON_SPOOFED_REPLY + i)), check_name[i]);
}
END_TEST

START_TEST(tls_is_set_for_all_servers_or_for_some)
{
	struct settings s = good(
		"[tls]\npassive-ports = 60000-60100, 50000-50099 for 10.0.0.3, 1024 for fd00::/8\n"
		"mode = refuse for 10.0.0.4, pass for fd00::5\nmode = on-demand\n"
		"implicit-ports = 990, 9900-9999\nqueue = 7\n");
	const struct policy *p = &s.policy;

	ck_assert(p->n_tls_ports == 3 && p->n_tls_rule == 3 && p->n_implicit == 2);
	ck_assert(p->tls_ports[0].ports.low == 60000 && p->tls_ports[0].ports.high == 60100);
	ck_assert(p->tls_ports[0].server.addr.family == ADDR_NONE);
	ck_assert(is_addr(&p->tls_ports[1].server.addr, "10.0.0.3") &&
		  p->tls_ports[1].server.bits == 32);
	ck_assert(p->tls_ports[2].ports.low == 1024 && p->tls_ports[2].ports.high == 1024);
	ck_assert(p->tls_rule[0].mode == TLS_REFUSE &&
		  is_addr(&p->tls_rule[0].server.addr, "10.0.0.4"));
	ck_assert(p->tls_rule[1].mode == TLS_PASS && p->tls_rule[1].server.bits == 128);
	ck_assert(p->tls_rule[2].mode == TLS_ON_DEMAND &&
		  p->tls_rule[2].server.addr.family == ADDR_NONE);
	ck_assert(p->implicit[0].low == 990 && p->implicit[1].high == 9999);
	ck_assert(s.tls_queue == 7);
}
END_TEST

START_TEST(a_connmark_has_four_bits)
{
	ck_assert_uint_eq(good("[pasvd]\nconnmark = 0xf0\n").policy.connmark, 0xf0);
	ck_assert_uint_eq(good("[pasvd]\nconnmark = 0XF000000\n").policy.connmark, 0xf000000);
	ck_assert_uint_eq(good("[pasvd]\nconnmark = 2164392192\n").policy.connmark, 0x81020100);
}
END_TEST

static char *text_of(const char *name)
{
	static char text[TEXT_MAX];
	char file_path[1024];
	FILE *file;
	size_t n;

	ck_assert_ptr_nonnull(getenv("SOURCE_ROOT"));
	snprintf(file_path, sizeof(file_path), "%s/%s", getenv("SOURCE_ROOT"), name);
	file = fopen(file_path, "r");
	ck_assert_msg(file, "%s", file_path);
	n = fread(text, 1, sizeof(text) - 1, file);
	ck_assert(n > 0 && n < sizeof(text) - 1 && fclose(file) == 0);
	text[n] = '\0';
	return text;
}

/* Uncomments the keys: lines that begin with # and no blank. There is no server in the example. */
START_TEST(the_example_has_each_key_at_its_default)
{
	char *text = text_of("systemd/pasvd.conf");
	bool of_server = false;
	struct settings s;

	for (char *p = text; *p; p = strchr(p, '\n') + 1) {
		of_server = p[0] != '[' && (of_server || strncmp(p, "#[server NAME]\n", 15) == 0);
		if (!of_server && p[0] == '#' && p[1] >= 'a' && p[1] <= 'z')
			p[0] = ' ';
	}
	s = good(text);
	ck_assert(is_default(&s));
	for (size_t i = 0; settings_key(i); i++)
		ck_assert_msg((strcmp(s.source[i].from, "default") == 0) ==
				      settings_is_of_server(settings_key(i)),
			"%s", settings_key(i)->name);
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

START_TEST(garbled_files_are_read_or_refused)
{
	static const char base[] =
		"[pasvd]\nqueue = 5\n[policy]\ndeny-ports = 1-5, 7\nallow-foreign = ::/8\n"
		"[translate]\nexternal-address = 203.0.113.7 for 10.0.0.0/8 on a1, file:/a\n";
	static const char odd[] = "=:[];#,-/ \t\r\n\0\xff"
				  "019a";
	uint32_t state = 1;
	int refused = 0;

	for (int i = 0; i < GARBLED_FILES; i++) {
		char text[sizeof(base)];
		struct settings s;

		memcpy(text, base, sizeof(base));
		for (int change = 0; change < 1 + i % 4; change++)
			text[next_random(&state) % (sizeof(base) - 1)] =
				odd[next_random(&state) % (sizeof(odd) - 1)];
		refused += read_bytes(text, sizeof(base) - 1, &s) != 0;
	}
	ck_assert(refused > GARBLED_FILES / 2 && refused < GARBLED_FILES);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_file_that_says_nothing_changes_nothing,
		a_socket_has_a_path_or_is_none,
		numbers_are_taken_to_both_ends,
		a_time_has_a_unit,
		a_comment_may_follow_a_value,
		defaults_of_the_table_are_in_force,
		servers_have_sections_of_their_own,
		clients_have_ports_of_their_own_and_of_their_servers,
		interface_of_clients_is_looked_for_only_if_it_matters,
		servers_are_known_to_be_behind_the_router,
		section_of_a_server_may_come_after_the_mark_of_utf_8,
		where_a_value_stands_is_known,
		values_of_servers_have_their_names,
		what_cannot_be_taken_passes_or_not,
		the_number_of_sessions_has_a_limit,
		ct_helper_is_one_of_three,
		each_scope_has_its_limit,
		denied_ports_take_the_place_of_the_default_ones,
		an_empty_list_denies_nothing,
		foreign_networks_are_of_both_families,
		announced_ports_are_one_range,
		external_addresses_have_conditions,
		external_addresses_may_stand_in_files,
		external_addresses_may_be_for_interfaces,
		tls_is_set_for_all_servers_or_for_some,
		a_connmark_has_four_bits,
		each_check_has_its_outcome,
		the_checks_have_the_names_of_their_reasons,
		the_example_has_each_key_at_its_default,
		garbled_files_are_read_or_refused,
	};

	return unit_run("conf_file", test, ARRAY_SIZE(test));
}
