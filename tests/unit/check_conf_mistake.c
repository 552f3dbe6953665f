/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_conf_mistake.c - what is said about mistakes in the configuration file */
#include "conf_text.h"
#include "pasvd/array.h"

#define TIMEOUT      ": must be a time 1s..300s, as in 60s or 5min"
#define NUMBER(most) ": must be a number " most
#define LIMIT        ": must be a number of ports a minute 0..60000, 0 for no limit"
#define OPEN_PORTS   ": must be a number of ports 0..100000, 0 is no limit"
#define PORTS        ": must be ports 1..65535 and ranges, as in 2049, 60000-60010"
#define NETWORKS     ": must be networks, as in 10.0.0.0/24, 2001:db8::/64"
#define RANGE        ": must be a range of ports 1024..65535, as in 60000-60999, or nothing"

#define SOURCE ": must be ADDRESS or file:PATH [for NETWORK] [dialled ADDRESS] [on INTERFACE]"

#define ACTIVE_PORTS                                                                               \
	": must be ranges of ports 1024..65535 for an address or a network, as in 50000-50009 "    \
	"for 192.168.1.5"
#define TLS_PORTS                                                                                  \
	": must be ranges of ports 1024..65535, as in 60000-60100 or 60000-60100 for 10.0.0.2"
#define TLS_MODE  ": must be on-demand, pass or refuse, alone or as in refuse for 10.0.0.0/24"
#define MARK      ": must be a number of which four bits are set, as in 0xf0000000"
#define INTERFACE ": an interface name has 1 to 15 letters, digits, '.', '_' or '-'"
#define OUTCOME   ": must be pass, log, refuse or reset"
#define CT_HELPER ": must be auto, sane or own"
#define ADDRESS                                                                                    \
	": must be an IPv4 address, an IPv6 address or both, as in 192.168.1.10, fd00::10; or any"
#define CONTROL_PORTS ": must be ports N or N:M, as in 21, 2121:21"
#define MIXED         ": IPv4 and IPv6 do not mix in an entry"

/* Line 2 of a file whose line 1 is the section: what stands there, and what is said; NULL: the
 * line, then `why`. */
static const struct {
	const char *section, *line, *shown, *why;
} mistake[] = {
	{"pasvd", "queue = 65536", NULL, NUMBER("0..65535")},
	{"pasvd", "queue = -1", NULL, NUMBER("0..65535")},
	{"pasvd", "queue = 21# ftp", NULL, NUMBER("0..65535")},
	{"pasvd", "queue = 18446744073709551637", NULL, NUMBER("0..65535")},
	{"pasvd", "queue =", "queue = ", NUMBER("0..65535")},
	{"pasvd", "firewall = nftables", NULL, ": must be iptables or nft"},
	{"pasvd", "families = 4", NULL, ": must be auto, ipv4, ipv6 or both"},
	{"server ftp", "address = 10.0.0", NULL, ADDRESS},
	{"server ftp", "address = ftp.example.org", NULL, ADDRESS},
	{"server ftp", "address = 127.0.0.1", NULL, ADDRESS},
	{"server ftp", "address = 10.0.0.2, 10.0.0.3", "address = 10.0.0.3",
		": there may be one address of each family"},
	{"server ftp", "address = 10.0.0.2, any", "address = any",
		": any has no addresses beside it"},
	{"server ftp", "address = any, 10.0.0.2", "address = 10.0.0.2",
		": there may be one address of each family"},
	{"server ftp", "address = 10.0.0.2, fd00::2, fd00::3", "address = fd00::3",
		": one too many, there may be one of each family"},
	{"server ftp", "public = any", NULL,
		": must be an IPv4 address, an IPv6 address or both, as in 203.0.113.1, "
		"2001:db8::1"},
	{"server ftp", "wan = eth 0", NULL, INTERFACE},
	{"server ftp", "wan = eth0, eth0", "wan = eth0", ": each interface can be given once"},
	{"server ftp", "ports = 21:0", NULL, CONTROL_PORTS},
	{"server ftp", "ports = 0", NULL, CONTROL_PORTS},
	{"server ftp", "ports = 21:", NULL, CONTROL_PORTS},
	{"server ftp", "ports = 21:22:23", NULL, CONTROL_PORTS},
	{"server ftp", "ports = 21-22", NULL, CONTROL_PORTS},
	{"server ftp", "ports = 21, 21:22", "ports = 21:22",
		": each port outside can be given once"},
	{"server ftp", "passive-ports = 1000-2000", NULL,
		": must be ranges of ports 1024..65535, as in 60000-60100"},
	{"server ftp", "accept-data = true", NULL, ": must be yes or no"},
	{"server ftp", "adress = 10.0.0.2", NULL,
		": no such key (address?), there are address, wan, public, ports, passive-ports, "
		"accept-data"},
	{"clients", "lan = eth+", NULL,
		": must be the name of an interface, as in lan0, or nothing"},
	{"clients", "ports = 0", NULL, ": must be ports, as in 21, 990"},
	{"clients", "ports = 21:2121", NULL, ": must be ports, as in 21, 990"},
	{"clients", "ports = 21, 21", "ports = 21", ": each port can be given once"},
	{"clients", "passive-ports = 1023-2000", NULL,
		": must be ranges of ports 1024..65535, as in 1024-65535"},
	{"clients", "active-ports = 50000-50009", NULL, ACTIVE_PORTS},
	{"clients", "active-ports = 1000 for 10.0.0.2", NULL, ACTIVE_PORTS},
	{"pasvd", "ports = 21", NULL, ": belongs to [server NAME] or [clients]"},
	{"sever ftp", "addr = 10.0.0.2", NULL,
		": no such section, there are [pasvd], [server NAME], [clients], [policy], "
		"[limits], [translate], [tls], [strict]"},
	{"pasvd", "control-socket = ctl", NULL, SOCKET},
	{"pasvd", "ct-helper = ftp", NULL, CT_HELPER},
	{"pasvd", "ct-helper = Sane", NULL, CT_HELPER},
	{"pasvd", "ct-helper =", "ct-helper = ", CT_HELPER},
	{"pasvd", "ct-zone = 0x5", NULL, NUMBER("0..65535")},
	{"pasvd", "ct-zone = 65536", NULL, NUMBER("0..65535")},
	{"pasvd", "rules = yes", NULL, ": must be watch, log or ignore"},
	{"pasvd", "fail-open = open", NULL, ": must be yes or no"},
	{"pasvd", "fail-open =", "fail-open = ", ": must be yes or no"},
	{"pasvd", "expect-timeout = 0s", NULL, TIMEOUT},
	{"pasvd", "expect-timeout = 301s", NULL, TIMEOUT},
	{"pasvd", "expect-timeout-active = 301", NULL, TIMEOUT},
	{"pasvd", "expect-timeout = 60 seconds", NULL, TIMEOUT},
	{"pasvd", "expect-timeout = s", NULL, TIMEOUT},
	{"pasvd", "expect-timeout = 6min", NULL, TIMEOUT},
	{"pasvd", "expect-timeout = 71582789min", NULL, TIMEOUT}, /* 2^32 + 44 s */
	{"policy", "deny-ports = 2049, 70000, 1", "deny-ports = 70000", PORTS},
	{"policy", "deny-ports = 2049 3306", NULL, PORTS},
	{"policy", "deny-ports = 0-5", NULL, PORTS},
	{"policy", "deny-ports = 5-", NULL, PORTS},
	{"policy", "deny-ports = -5", NULL, PORTS},
	{"policy", "deny-ports = 5-6-7", NULL, PORTS},
	{"policy", "deny-ports = 1:5", NULL, PORTS},
	{"policy", "deny-ports = none", NULL, PORTS},
	{"policy", "deny-ports = 5-4", NULL, ": the first port of a range is the lower one"},
	{"policy", "deny-ports = 5,,6", "deny-ports = ", ": something is missing at a comma"},
	{"policy", "deny-ports = 5,", "deny-ports = ", ": something is missing at a comma"},
	{"policy", "deny-ports = ,", "deny-ports = ", ": something is missing at a comma"},
	{"policy", "allow-foreign = 10.0.0/8", NULL, NETWORKS},
	{"policy", "allow-foreign = ftp.example.org", NULL, NETWORKS},
	{"policy", "allow-foreign = /8", NULL, NETWORKS},
	{"policy", "allow-foreign = 10.0.0.1-10.0.0.9", NULL, NETWORKS},
	{"policy", "allow-foreign = 10.0.0.0/33", NULL, ": a prefix has 0..32 bits"},
	{"policy", "allow-foreign = 10.0.0.0/", NULL, ": a prefix has 0..32 bits"},
	{"policy", "allow-foreign = 10.0.0.0/255.0.0.0", NULL, ": a prefix has 0..32 bits"},
	{"policy", "allow-foreign = 2001:db8::/129", NULL, ": a prefix has 0..128 bits"},
	{"policy", "allow-foreign = 10.0.0.1/24", NULL, ": bits behind the prefix are set"},
	{"policy", "allow-foreign = 2001:db8::/28", NULL, ": bits behind the prefix are set"},
	{"limits", "max-sessions = 63", NULL, NUMBER("of sessions 64..100000")},
	{"limits", "max-sessions = 100001", NULL, NUMBER("of sessions 64..100000")},
	{"limits", "max-sessions = all", NULL, NUMBER("of sessions 64..100000")},
	{"limits", "open-ports-per-client = 100001", NULL, OPEN_PORTS},
	{"limits", "open-ports-per-client = -1", NULL, OPEN_PORTS},
	{"limits", "open-ports-per-client = 4294967596", NULL, OPEN_PORTS},
	{"limits", "open-ports-per-client = 300/s", NULL, OPEN_PORTS},
	{"limits", "ports-per-minute-per-session = 60001", NULL, LIMIT},
	{"limits", "ports-per-minute-per-client = 10/s", NULL, LIMIT},
	{"limits", "ports-per-minute-per-server = -1", NULL, LIMIT},
	{"limits", "ports-per-minute-per-server =", "ports-per-minute-per-server = ", LIMIT},
	{"limits", "per-minute = 5", NULL,
		": no such key, there are max-sessions, open-ports-per-client, "
		"ports-per-minute-per-session, "
		"ports-per-minute-per-client, ports-per-minute-per-server"},
	{"policy", "ports-per-minute-per-client = 5", NULL, ": belongs to [limits]"},
	{"translate", "announce-ports = 1023-60000", NULL, RANGE},
	{"translate", "announce-ports = 60000-60999, 61000", NULL, RANGE},
	{"translate", "announce-ports = 60999-60000", NULL,
		": the first port of a range is the lower one"},
	{"translate", "external-address = dyn.example.org", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7/24", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 in 10.0.0.0/8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 for", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 203.0.113.8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 for 10.0.0.0/8 for 10.0.0.0/8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 dialled 10.0.0.0/8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on eth0 on eth1", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on eth0 eth1", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on sixteen-letters-", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on ..", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on -eth0", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on eth+", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on eth0/1", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 for 10.0.0.1/8", NULL,
		": bits behind the prefix are set"},
	{"translate", "external-address = 203.0.113.7 for 2001:db8::/32", NULL, MIXED},
	{"translate", "external-address = 203.0.113.7 dialled ::1", NULL, MIXED},
	{"translate", "external-address = file:/run/a for 10.0.0.0/8 dialled ::1", NULL, MIXED},
	{"translate", "external-address = 0.0.0.0", NULL,
		": this address cannot be an external one"},
	{"translate", "external-address = file:wan", NULL, ": the path of a file begins with /"},
	{"translate", "external-address = file:", NULL, ": the path of a file begins with /"},
	{"translate", "external-address = 203.0.113.7, 203.0.113.8 for 10.0.0.0/8",
		"external-address = 203.0.113.8 for 10.0.0.0/8",
		": never counts: an address before it is for everybody"},
	{"translate", "external-address = 203.0.113.7, 203.0.113.8 on eth0",
		"external-address = 203.0.113.8 on eth0",
		": never counts: an address before it is for everybody"},
	{"translate", "external-address = 203.0.113.7, file:/a for 10.0.0.0/8",
		"external-address = file:/a for 10.0.0.0/8",
		": never counts: an address before it is for everybody"},
	{"policy", "deny-port = 5", NULL,
		": no such key (deny-ports?), there are deny-ports, allow-foreign"},
	{"policy", "Deny-Ports = 5", NULL,
		": no such key (deny-ports?), there are deny-ports, allow-foreign"},
	{"pasvd", "passive-port = 5", NULL,
		": no such key ([server NAME] passive-ports?), there are queue, ct-helper, "
		"ct-zone, rules, fail-open, "
		"expect-timeout, expect-timeout-active, connmark, "
		"control-socket, firewall, families"},
	{"pasvd", "passive-ports = 5", NULL, ": belongs to [server NAME] or [clients] or [tls]"},
	{"tls", "passive-ports = 1023-2000", NULL, TLS_PORTS},
	{"tls", "passive-ports = 60000 - 60100", NULL, TLS_PORTS},
	{"tls", "passive-ports = 60000-60100 for", NULL, TLS_PORTS},
	{"tls", "passive-ports = 60000-60100 to 10.0.0.2", NULL, TLS_PORTS},
	{"tls", "passive-ports = 60100-60000 for 10.0.0.2", NULL,
		": the first port of a range is the lower one"},
	{"tls", "passive-ports = 60000 for 10.0.0.2/24", NULL, ": bits behind the prefix are set"},
	{"tls", "mode = ondemand", NULL, TLS_MODE},
	{"tls", "mode = refuse for host", NULL, TLS_MODE},
	{"tls", "mode = refuse, pass for 10.0.0.2", "mode = pass for 10.0.0.2",
		": never counts: a mode before it is for all servers"},
	{"tls", "implicit-ports = 0", NULL, ": must be ports 1..65535, as in 990"},
	{"tls", "queue = 65536", NULL, NUMBER("0..65535")},
	{"pasvd", "connmark = 0x", NULL, MARK},
	{"pasvd", "connmark = 0x100000000", NULL, MARK},
	{"pasvd", "connmark = 4294967296", NULL, MARK},
	{"pasvd", "connmark = ff", NULL, MARK},
	{"pasvd", "connmark = -1", NULL, MARK},
	{"pasvd", "connmark = 0", NULL, MARK},
	{"pasvd", "connmark = 0x7", NULL, MARK},
	{"pasvd", "connmark = 0x1f", NULL, MARK},
	{"pasvd", "connmark = 0x1/0x1", NULL, MARK},
	{"translate", "extern = 5", NULL,
		": no such key, there are announce-ports, external-address"},
	{"policy", "announce-ports = 5", NULL, ": belongs to [translate]"},
	{"strict", "spoofed-reply = drop", NULL, OUTCOME},
	{"strict", "spoofed-command = Reset", NULL, OUTCOME},
	{"strict", "pipelined = log, reset", NULL, OUTCOME},
	{"strict", "long-line =", "long-line = ", OUTCOME},
	{"strict", "unprintable = resets", NULL, OUTCOME},
	{"strict", "bare-lf = 1", NULL, OUTCOME},
	{"strict", "bad-offer = res", NULL, OUTCOME},
	{"strict", "bare-cr = log", NULL,
		": no such key (bare-lf?), there are spoofed-reply, spoofed-command, pipelined, "
		"long-line, "
		"unprintable, "
		"bare-lf, "
		"bad-offer"},
	{"policy", "bare-lf = log", NULL, ": belongs to [strict]"},
	{"polcy", "deny-ports = 5", NULL, ": belongs to [policy]"},
	{"policy", "queue = 5", NULL, ": belongs to [pasvd] or [tls]"},
	{"policy", "ports-per-minute-per-clients = 5", NULL,
		": no such key ([limits] ports-per-minute-per-client?), there are deny-ports, "
		"allow-foreign"},
	{"police", "nothing = 5", NULL,
		": no such section ([policy]?), there are [pasvd], [server NAME], [clients], "
		"[policy], [limits], "
		"[translate], [tls], "
		"[strict]"},
	{"other", "nothing = 5", NULL,
		": no such section, there are [pasvd], [server NAME], [clients], [policy], "
		"[limits], [translate], [tls], "
		"[strict]"},
	{"polcy", "deny = 5", NULL,
		": no such section ([policy]?), there are [pasvd], [server NAME], [clients], "
		"[policy], [limits], "
		"[translate], [tls], "
		"[strict]"},
};

START_TEST(mistakes_are_named)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistake); i++) {
		const char *line = mistake[i].line;
		char text[256], want[512];

		snprintf(text, sizeof(text), "[%s]\n%s\n", mistake[i].section, line);
		snprintf(want, sizeof(want), "2: [%s] %s%s", mistake[i].section,
			mistake[i].shown ? mistake[i].shown : line, mistake[i].why);
		bad(text, want);
	}
}
END_TEST

#define SERVER "[server ftp]\naddress = 10.0.0.2\nwan = eth0\n"
#define OTHER_FAMILY                                                                               \
	"address: none is of the families that the rules are for (key families, or -4 and -6)"

START_TEST(what_a_server_lacks_is_named_where_its_section_begins)
{
	static const struct {
		const char *text, *want;
	} bad_server[] = {
		{"[server]\naddress = 10.0.0.2\n", "1: [server]: the name of a server has 1 to 31 "
						   "letters, digits, '.', '_' or "
						   "'-', as in [server ftp]"},
		{"\n[server a b]\n",
			"2: [server a b]: the name of a server has 1 to 31 letters, digits, '.', "
			"'_' or '-', as in [server ftp]"},
		{"[server ftp]\n", "1: [server ftp]: address is missing"},
		{"[server ftp]\naddress = 10.0.0.2\n", "1: [server ftp]: wan or public is missing"},
		{SERVER "public = 203.0.113.1\n",
			"1: [server ftp]: wan and public: only one of them can be given"},
		{"[server ftp]\naddress = 10.0.0.2, fd00::2\npublic = 203.0.113.1\n",
			"1: [server ftp]: address and public: each family needs both"},
		{"[server ftp]\naddress = 10.0.0.2\npublic = 10.0.0.2\nports = 21, 2121:21\n",
			"1: [server ftp]: ports: one of a server that is dialled by its own "
			"address stays what it is"},
		{"[server ftp]\naddress = 10.0.0.2, fd00::2\npublic = 203.0.113.1, FD00:0::2\n"
		 "ports = 2121:21\n",
			"1: [server ftp]: ports: one of a server that is dialled by its own "
			"address stays what it is"},
		{SERVER "[clients]\nlan = eth0\n",
			"1: [server ftp]: wan and lan of [clients] must be different interfaces"},
		{SERVER "accept-data = yes\n", "1: [server ftp]: accept-data needs address = any"},
		{"[server any]\naddress = any\nwan = eth0\naccept-data = yes\n[pasvd]\n"
		 "firewall = nft\n",
			"1: [server any]: accept-data: a table of nft cannot let through what "
			"others drop"},
		{SERVER "[pasvd]\nfamilies = ipv6\n", "1: [server ftp]: " OTHER_FAMILY},
		{"[pasvd]\nfamilies = ipv4\n[server ftp]\naddress = fd00::2\nwan = eth0\n",
			"3: [server ftp]: " OTHER_FAMILY},
		{"[server any]\naddress = any\npublic = 203.0.113.1\n[pasvd]\n"
		 "families = ipv6\n",
			"1: [server any]: " OTHER_FAMILY},
		{SERVER "\n[server www]\naddress = 10.0.0.3\nwan = eth1, eth0\nports = 20, 21\n",
			"5: [server www]: port 21 outside is that of [server ftp] (test.conf:1) as "
			"well"},
		{SERVER "ports = 21\nports = 2121\n[server www]\naddress = any\nwan = eth0\n",
			"6: [server www]: port 21 outside is that of [server ftp] (test.conf:1) as "
			"well"},
		{SERVER "[server ftp]\naddress = 10.0.0.3\n",
			"5: [server ftp] address = 10.0.0.3: there may be one address of each "
			"family"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad_server); i++)
		bad(bad_server[i].text, bad_server[i].want);
	good(SERVER "[server www]\naddress = 10.0.0.3\nwan = eth1\n");
	good(SERVER "[server www]\naddress = fd00::3\nwan = eth0\n");
	good(SERVER "[server www]\naddress = 10.0.0.3\nwan = eth0\nports = 2121:21\n");
}
END_TEST

START_TEST(ports_of_clients_need_their_interface)
{
	static const char *const key[] = {
		"ports = 990", "passive-ports = 50000", "active-ports = 50000 for 10.0.0.2"};
	char text[128], want[128];

	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		snprintf(text, sizeof(text), "[clients]\n%s\n", key[i]);
		snprintf(want, sizeof(want), "2: [clients] %s: needs lan", key[i]);
		bad(text, want);
	}
}
END_TEST

START_TEST(there_may_be_16_servers)
{
	char text[REPEATED_MAX], *p = text;

	for (int i = 0; i < 16; i++)
		p += sprintf(p, "[server ftp%d]\naddress = 10.0.0.%d\nwan = eth%d\n", i, i + 1, i);
	ck_assert_uint_eq(good(text).servers.n, 16);
	sprintf(p, "[server ftp16]\n");
	bad(text, "49: [server ftp16]: one too many, there may be 16 servers");
}
END_TEST

START_TEST(passive_ports_of_servers_have_the_room_of_those_of_tls)
{
	char text[REPEATED_MAX + 128];

	snprintf(text, sizeof(text), SERVER "%s", repeat("passive-ports = 2000-3000\n", 32));
	ck_assert_uint_eq(good(text).policy.n_tls_ports, 32);
	snprintf(text, sizeof(text), SERVER "%s[tls]\npassive-ports = 5000\n",
		repeat("passive-ports = 2000-3000\n", 32));
	bad(text, "1: [server ftp]: passive-ports: one too many, with those of [tls] there is room "
		  "for 32");
}
END_TEST

START_TEST(the_first_mistake_counts)
{
	bad("[pasvd]\nqueue\n[policy]\ndeny-ports = x\n", "2: neither [section] nor key = value");
	bad("[policy]\ndeny-ports = x\n[pasvd]\nqueue\n", "2: [policy] deny-ports = x" PORTS);
	bad("\n\n[pasvd\nqueue = 5\n", "3: neither [section] nor key = value");
	bad("zone\n[pasvd] queue = 5\n", "1: neither [section] nor key = value");
}
END_TEST

START_TEST(what_inih_would_ignore_is_refused)
{
	bad("[policy] deny-ports = 5\n", "1: only a comment may stand behind a [section]");
	bad("\xef\xbb\xbf[policy] deny-ports = 5\n",
		"1: only a comment may stand behind a [section]");
	bad("\xef\xbb\xbf \xef\xbb\xbf[server ftp]\n", "1: bytes that are no text");
	bad("[policy]\ndeny-ports = 5,\n  6\n",
		"2: [policy] deny-ports = : something is missing at a comma");
	bad("[policy]\ndeny-ports = 5\n  6\n", "3: neither [section] nor key = value");
	bad("queue = 5\n", "1: [] queue = 5: belongs to [pasvd] or [tls]");
	bad("[pasvd]\nqueue = 5\rzone = 3\n", "2: bytes that are no text");
}
END_TEST

START_TEST(a_key_that_is_no_list_is_given_once)
{
	bad("[pasvd]\nqueue = 5\nct-zone = 1\nqueue = 5\n",
		"4: [pasvd] queue = 5: this key was given before");
	bad("[pasvd]\nct-zone = 5\n[pasvd]\nct-zone = 5\n",
		"4: [pasvd] ct-zone = 5: this key was given before");
	bad("[pasvd]\nexpect-timeout = 5\n\nexpect-timeout = 6\n",
		"4: [pasvd] expect-timeout = 6: this key was given before");
	bad("[limits]\nports-per-minute-per-client = 5\nports-per-minute-per-client = 5\n",
		"3: [limits] ports-per-minute-per-client = 5: this key was given before");
	bad("[strict]\nbare-lf = log\nbare-lf = log\n",
		"3: [strict] bare-lf = log: this key was given before");
	bad("[translate]\nannounce-ports = 2000-3000\nannounce-ports = 4000\n",
		"3: [translate] announce-ports = 4000: this key was given before");
}
END_TEST

START_TEST(lists_hold_32_entries)
{
	static const struct {
		const char *section, *line;
	} list[] = {{"policy", "deny-ports = 5"}, {"policy", "allow-foreign = ::1"},
		{"translate", "external-address = 203.0.113.7 for 10.0.0.0/8"},
		{"translate", "external-address = file:/run/a"}};
	char text[REPEATED_MAX + 64], line[128], want[256];

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		snprintf(line, sizeof(line), "%s\n", list[i].line);
		snprintf(text, sizeof(text), "[%s]\n%s", list[i].section, repeat(line, 32));
		good(text);
		snprintf(text, sizeof(text), "[%s]\n%s", list[i].section, repeat(line, 33));
		snprintf(want, sizeof(want), "34: [%s] %s: one too many, there is room for 32",
			list[i].section, list[i].line);
		bad(text, want);
	}
}
END_TEST

START_TEST(lines_have_a_length_and_a_number)
{
	char text[REPEATED_MAX + 64];

	snprintf(text, sizeof(text), "[pasvd]\n#%s\nqueue = 5\n", repeat("x", 196));
	ck_assert_uint_eq(good(text).queue, 5);
	snprintf(text, sizeof(text), "[pasvd]\n#%s\nqueue = 5\n", repeat("x", 197));
	bad(text, "2: a line has at most 197 characters; lists may be continued by the same key "
		  "again");
	bad(repeat(" ", 198), "1: a line has at most 197 characters; lists may be continued by the "
			      "same key again");
	good(repeat("\n", 1000));
	bad(repeat("\n", 1001), "1001: a file has at most 1000 lines");
}
END_TEST

START_TEST(a_path_that_fits_into_a_line_is_taken_or_refused)
{
	char text[REPEATED_MAX + 64];
	struct settings s;

	snprintf(text, sizeof(text), "[translate]\nexternal-address=file:/%s\n", repeat("x", 174));
	s = good(text);
	ck_assert_uint_eq(strlen(s.watch.file[0].path), 175);
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
	static const char nul[] = "[pasvd]\nqueue = 5\0 # 6\n", elf[] = "\x7f"
									"ELF\2\1\1";
	struct settings s;

	ck_assert_int_eq(read_bytes(nul, sizeof(nul) - 1, &s), -EINVAL);
	ck_assert_str_eq(error, "test.conf:2: bytes that are no text");
	ck_assert_int_eq(read_bytes(elf, sizeof(elf) - 1, &s), -EINVAL);
	ck_assert_str_eq(error, "test.conf:1: bytes that are no text");
	good("# caf\xc3\xa9\n");
}
END_TEST

START_TEST(what_is_no_file_is_refused_at_once)
{
	struct settings s;
	char folder[] = "/tmp/check_conf_file.XXXXXX";

	ck_assert(mkdtemp(folder) && chdir(folder) == 0 && mkfifo("fifo", 0600) == 0);
	ck_assert_int_eq(conf_file_read("missing", true, &s, error), -ENOENT);
	ck_assert_str_eq(error, "missing: No such file or directory");
	ck_assert_int_eq(conf_file_read("fifo", true, &s, error), -ENOTSUP);
	ck_assert_str_eq(error, "fifo: not a regular file");
	ck_assert_int_eq(conf_file_read("/dev/zero", true, &s, error), -ENOTSUP);
	ck_assert_int_eq(conf_file_read(folder, true, &s, error), -ENOTSUP);
	ck_assert(unlink("fifo") == 0 && chdir("/") == 0 && rmdir(folder) == 0);
}
END_TEST

/* A file of the project, until the next call. */
int main(void)
{
	const TTest *const test[] = {
		mistakes_are_named,
		what_a_server_lacks_is_named_where_its_section_begins,
		ports_of_clients_need_their_interface,
		there_may_be_16_servers,
		passive_ports_of_servers_have_the_room_of_those_of_tls,
		the_first_mistake_counts,
		what_inih_would_ignore_is_refused,
		a_key_that_is_no_list_is_given_once,
		lists_hold_32_entries,
		lines_have_a_length_and_a_number,
		a_path_that_fits_into_a_line_is_taken_or_refused,
		bytes_that_are_no_text_are_refused,
		what_is_no_file_is_refused_at_once,
	};

	return unit_run("conf_mistake", test, ARRAY_SIZE(test));
}
