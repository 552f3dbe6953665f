/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings_keys.c - the keys of the configuration file
 *
 * One table: the file's grammar, the reference in pasvd.conf(5), the example file and
 * `pasvctl config` come from it. `ninja -C build reference` writes the two files anew.
 */
#include "pasvd/array.h"
#include "setters.h"

#include <assert.h>

#define NUMBER         "a number 0..65535"
#define TIMEOUT        "a time 1s..300s, as in 60s or 5min"
#define PORTS_A_MINUTE "a number of ports a minute 0..60000, 0 for no limit"
#define OUTCOME        "pass, log, refuse or reset"

static const struct settings_section sections[] = {
	{"pasvd", "The daemon."},
	{SETTINGS_SERVER,
		"A server behind this router, under a NAME of at most 31 letters, digits, dots, "
		"underscores and hyphens; a section for each, up to 16. pasvd rules load without "
		"options loads the rules of these sections and of [clients], and so does the "
		"service. pasvd itself knows by a section that the server is behind this router, "
		"though nobody translates its address. A section may go on in another file."},
	{"clients", "Clients behind this router that visit servers elsewhere."},
	{"policy", "Which data connections may be opened."},
	{"limits", "How many sessions are remembered, and how many ports a minute are opened. An "
		   "offer over a limit passes unchanged and opens nothing: that transfer fails. "
		   "Each transfer and each listing takes a port, so a mirror of small files takes "
		   "thousands a minute."},
	{"translate", "What is announced to the other side."},
	{"tls", "Once a client and a server have agreed on TLS (AUTH, RFC 4217), the ports that "
		"they negotiate cannot be read. With passive-ports a data connection is expected "
		"on demand, the moment its first packet arrives, if it goes to a port of the "
		"server's passive range, to the address that the client dialled, and comes from "
		"the address of a client that has a control connection to that server which is "
		"TLS and established at that moment. For everybody else these ports are closed.\n"
		"The server has to be configured with the same range, and the rules have to be "
		"loaded with the same configuration: pasvd rules load --config FILE."},
	{"strict",
		"Lines that FTP does not have. Each key names one, and its value is what is done "
		"about it: pass is nothing; log lets the line pass, and counts and logs it; "
		"refuse masks it, so that its receiver refuses it and the session goes on; reset "
		"ends the connection. Try log first."},
};

static const struct settings_key keys[] = {
	{"pasvd", "queue", "21", NUMBER, SETTINGS_ON_RESTART, LIST_NONE, settings_set_queue,
		"The NFQUEUE that the rules send packets to. It has to be the one that was given "
		"to pasvd rules. The option -q overrides it."},
	{"pasvd", "ct-helper", "auto", "auto, sane or own", SETTINGS_ON_RESTART, LIST_NONE,
		settings_set_ct_helper,
		"The ct helper that control connections carry, see pasvd(8): sane is the "
		"kernel's, own is one of our own, named pasvd, and auto is sane if the kernel "
		"has it, else own.\n"
		"The rules depend on it: after a change, restart pasvd and load the rules again. "
		"Control connections that exist then keep the ct helper that they carry, and are "
		"not followed any more."},
	{"pasvd", "ct-zone", "0", NUMBER, SETTINGS_ON_RELOAD, LIST_NONE, settings_set_zone,
		"The conntrack zone of the connections: the one that the rules give them with CT "
		"--zone."},
	{"pasvd", "rules", "watch", "watch, log or ignore", SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_rules,
		"What the service pasvd-rules does when rules that were loaded are missing, "
		"because a firewall has flushed its chains: watch loads them again, log only "
		"logs that they are missing, ignore does not look. See pasvd-rules(8), command "
		"watch."},
	{"pasvd", "fail-open", "yes", "yes or no", SETTINGS_WITH_RULES, LIST_NONE,
		settings_set_fail_open,
		"What becomes of segments while pasvd does not run.\n"
		"If yes, they pass unchanged. Control connections go on, and what they negotiate "
		"then opens nothing: a client gets the private address of the server. Lines that "
		"[tls] mode or section strict would refuse pass too. A session whose server has "
		"not yet acknowledged a PORT or EPRT that became shorter or longer stands still.\n"
		"If no, they are dropped, and repeated by their sender. Control connections "
		"stand still until pasvd is back, or their ends give up; transfers that have "
		"begun go on. No segment passes that was not looked at.\n"
		"The rules do that, so they have to be loaded with the same configuration. While "
		"pasvd runs, segments that would have to wait after 4096 others are dropped in "
		"any case, and TCP repeats them."},
	{"pasvd", "expect-timeout", "60s", TIMEOUT, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_timeout,
		"How long a port that a server has announced waits for the client."},
	{"pasvd", "expect-timeout-active", "300s", TIMEOUT, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_timeout_active,
		"How long a port that a client has announced with PORT or EPRT waits for the "
		"server. It is longer, as in the kernel's own helper, since some servers connect "
		"late: a tape may have to be mounted first."},
	{"pasvd", "connmark", "0xf0000000", "a number of which four bits are set, as in 0xf0000000",
		SETTINGS_ON_RESTART, LIST_NONE, settings_set_connmark,
		"Four bits of the mark of a control connection, decimal or hexadecimal after 0x. "
		"They hold what has to be known of a session if pasvd is started again, or "
		"another router takes over: from the lowest bit on, that it was seen, that a "
		"user is logged in, that it is TLS, and that its client sent what no FTP client "
		"sends. The last one alone, which the rules set, says that data passed while no "
		"pasvd read it. A connection without any is a new session, in which no user is "
		"logged in.\n"
		"Other rules must leave these bits alone, and set marks with a mask; "
		"pasvd-check(8) names rules of iptables that do not. Data connections inherit "
		"the bits."},
	{"pasvd", "control-socket", SETTINGS_CONTROL_SOCKET, SETTINGS_SOCKET_ALLOWED,
		SETTINGS_ON_RESTART, LIST_NONE, settings_set_socket,
		"The socket that pasvctl(8) connects to; without a path there is none. The "
		"option -s overrides it."},

	{"pasvd", "firewall", "iptables", "iptables or nft", SETTINGS_WITH_RULES, LIST_NONE,
		settings_set_firewall,
		"What the rules of [server NAME] and [clients] are for. After a change remove "
		"those that are loaded: pasvd rules remove."},
	{"pasvd", "families", "auto", "auto, ipv4, ipv6 or both", SETTINGS_WITH_RULES, LIST_NONE,
		settings_set_families,
		"Which families these rules are for. By default the addresses of the servers "
		"decide; without any, rules of iptables are for IPv4, those of nft for both. "
		"Each server needs an address of one of them."},

	{SETTINGS_SERVER, "address", "",
		"an IPv4 address, an IPv6 address or both, as in 192.168.1.10, fd00::10; or any",
		SETTINGS_WITH_RULES, LIST_SERVER_ADDRESS, settings_add_server_address,
		"The server's own addresses. any is for whatever servers rules of others "
		"translate connections to, as those of Docker; see pasvd-rules(8)."},
	{SETTINGS_SERVER, "wan", "", "names of interfaces, as in eth0, ppp0", SETTINGS_WITH_RULES,
		LIST_SERVER_WAN, settings_add_server_wan,
		"The interfaces on which its clients come in, whatever address they dial, at "
		"most 8."},
	{SETTINGS_SERVER, "public", "",
		"an IPv4 address, an IPv6 address or both, as in 203.0.113.1, 2001:db8::1",
		SETTINGS_WITH_RULES, LIST_SERVER_PUBLIC, settings_add_server_public,
		"The addresses that its clients dial, from any side, in place of wan."},
	{SETTINGS_SERVER, "ports", "", "ports N or N:M, as in 21, 2121:21", SETTINGS_WITH_RULES,
		LIST_SERVER_PORT, settings_add_server_port,
		"Its control ports: outside, and its own if that is another one. By default 21. "
		"At most 64."},
	{SETTINGS_SERVER, "passive-ports", "", "ranges of ports 1024..65535, as in 60000-60100",
		SETTINGS_WITH_RULES, LIST_SERVER_RANGE, settings_add_server_range,
		"Its passive ports, for clients with TLS: as passive-ports of [tls] for its "
		"addresses, and counted with these."},
	{SETTINGS_SERVER, "accept-data", "no", "yes or no", SETTINGS_WITH_RULES, LIST_NONE,
		settings_set_server_accept,
		"With address = any: FORWARD accepts data connections. Needed if it does not "
		"accept what is RELATED."},

	{"clients", "lan", "", "the name of an interface, as in lan0, or nothing",
		SETTINGS_WITH_RULES, LIST_NONE, settings_set_lan,
		"The interface on which they come in."},
	{"clients", "ports", "", "ports, as in 21, 990", SETTINGS_WITH_RULES, LIST_LAN_PORT,
		settings_add_lan_port,
		"The control ports that they dial. By default 21. At most 64. One that is TLS from "
		"the first byte on has to be among the implicit-ports of [tls], too."},
	{"clients", "passive-ports", "", "ranges of ports 1024..65535, as in 1024-65535",
		SETTINGS_WITH_RULES, LIST_LAN_RANGE, settings_add_lan_range,
		"For a router that filters what goes out: passive ports of servers elsewhere, for "
		"clients with TLS. While a client has an established TLS control connection to a "
		"server, that client's first packet to such a port of that server is expected, as "
		"with passive-ports of [tls]. Every first packet of the interface to a port in "
		"these ranges goes to pasvd, so name no more than the servers use. While no pasvd "
		"runs they pass it by, as your own rules say."},
	{"clients", "active-ports", "",
		"ranges of ports 1024..65535 for an address or a network, as in 50000-50009 for "
		"192.168.1.5",
		SETTINGS_WITH_RULES, LIST_ACTIVE, settings_add_active,
		"For active mode with TLS: the ports on which a client waits, which its own "
		"configuration has to name as well, with the address by which servers see it. "
		"While it has an established TLS control connection to a server, that server's "
		"first packet to such a port of that address is expected, and goes to that client. "
		"Clients that are seen at one address need ranges of their own; what may be for "
		"two of them is refused (log ambiguous). A network is for clients whose addresses "
		"nobody translates."},

	{"policy", "deny-ports", "", "ports 1..65535 and ranges, as in 2049, 60000-60010",
		SETTINGS_ON_RELOAD, LIST_DENY, settings_add_deny,
		"Data ports that are never opened. Those below 1024 never are anyway. By default "
		"none is denied: a server that takes its passive ports at random, as vsftpd does "
		"unless configured, may take one that is named here, and that transfer fails."},
	{"policy", "allow-foreign", "", "networks, as in 10.0.0.0/24, 2001:db8::/64",
		SETTINGS_ON_RELOAD, LIST_FOREIGN, settings_add_foreign,
		"Hosts that a party may name as the end of a data connection although they are "
		"neither of the two parties of the control connection, as for transfers from "
		"server to server (FXP). This is what bounce attacks need (RFC 2577), so there "
		"are none by default. A passive port admits the session's client alone, never "
		"another server."},

	{"limits", "max-sessions", "100000", "a number of sessions 64..100000", SETTINGS_ON_RESTART,
		LIST_NONE, settings_set_sessions,
		"How many control connections are remembered at once. When there is one more, "
		"one is evicted: if possible one that is over, else one in which no user is "
		"logged in, of the client that has most of these, else the one that was idle for "
		"longest. An evicted session goes on, but an open port of its is not followed any "
		"more, and a user has to log in again before another one is opened. Each takes "
		"400 bytes of memory from its first packet on."},
	{"limits", "open-ports-per-client", "300", "a number of ports 0..100000, 0 is no limit",
		SETTINGS_ON_RELOAD, LIST_NONE, settings_set_open_ports,
		"How many ports that nobody has used yet are open at once for one address of a "
		"client, in all its sessions with any server. A client has as many as it runs "
		"transfers at once. The kernel has room for net.netfilter.nf_conntrack_expect_max "
		"of all clients together; if this is "
		"more than half of that, as it is by default on routers with little memory, a line "
		"in the log says so at the start."},
	{"limits", "ports-per-minute-per-session", "0", PORTS_A_MINUTE, SETTINGS_ON_RELOAD,
		LIST_NONE, settings_set_session_limit,
		"How many ports a minute are opened for one control connection. This limit is "
		"against "
		"mistakes: an attacker begins another session."},
	{"limits", "ports-per-minute-per-client", "0", PORTS_A_MINUTE, SETTINGS_ON_RELOAD,
		LIST_NONE, settings_set_client_limit,
		"How many ports a minute are opened for one address of a client, in all its "
		"sessions with "
		"any server. Clients that share an address count as one; so do, over IPv6, those "
		"of a /64."},
	{"limits", "ports-per-minute-per-server", "0", PORTS_A_MINUTE, SETTINGS_ON_RELOAD,
		LIST_NONE, settings_set_server_limit,
		"How many ports a minute are opened for one address of a server, by all its "
		"clients "
		"together. Keep it well above ports-per-minute-per-client, or a single client "
		"can use it up."},

	{"translate", "announce-ports", "",
		"a range of ports 1024..65535, as in 60000-60999, or nothing", SETTINGS_ON_RELOAD,
		LIST_NONE, settings_set_announce,
		"The ports that are announced to the other side, for a router behind a firewall "
		"that forwards only some. Each leads to the port that was really negotiated. If "
		"one is taken, the next one of the range is announced. By default the negotiated "
		"port itself is announced."},
	{"translate", "external-address", "",
		"ADDRESS or file:PATH [for NETWORK] [dialled ADDRESS] [on INTERFACE]",
		SETTINGS_ON_RELOAD, LIST_EXTERNAL, settings_add_external,
		"The address that is announced to the other side in place of the one by which it "
		"knows this side according to conntrack. Needed where that one is private too, "
		"on a router behind a router that translates addresses once more. Expectations "
		"keep the address that conntrack knows.\n"
		"A file has the address in its first line, and is read again when it changes; "
		"PATH is absolute, without blanks, commas and semicolons. Unspecified, loopback, "
		"link-local, multicast and reserved addresses are refused.\n"
		"An entry with a NETWORK is for peers in it only; one with a dialled ADDRESS "
		"counts only where the peer knows us by that address, which for a server is the "
		"address that the client dialled; one with an INTERFACE only where the peer's "
		"packets of the control connection come in by it, which is the uplink if there "
		"are several. Conditions may be combined. An entry is for addresses of one "
		"family. The first entry that fits counts, so entries with conditions come "
		"first. If none fits, the address that conntrack knows is announced.\n"
		"Where the router translates nothing, a line keeps its length: the address is "
		"left as it is where another one does not fit in."},

	{"tls", "passive-ports", "",
		"ranges of ports 1024..65535, as in 60000-60100 or 60000-60100 for 10.0.0.2",
		SETTINGS_ON_RELOAD, LIST_TLS_PORTS, settings_add_tls_ports,
		"The passive ports of the server, or those of the servers in a network only. "
		"Servers behind one public address need ranges that do not overlap."},
	{"tls", "mode", "", "on-demand, pass or refuse, alone or as in refuse for 10.0.0.0/24",
		SETTINGS_ON_RELOAD, LIST_TLS_RULE, settings_add_tls_mode,
		"What becomes of a client's AUTH to a server, or to those in a network. The "
		"default is on-demand if the server has passive-ports, else pass, which lets the "
		"AUTH pass and opens nothing; refuse makes it a command that no server knows, "
		"for sites that must be able to read. The server answers that with 500; a client "
		"that insists on TLS gives up, others go on in clear text. The first entry that "
		"fits counts."},
	{"tls", "implicit-ports", "", "ports 1..65535, as in 990", SETTINGS_ON_RELOAD,
		LIST_IMPLICIT, settings_add_implicit,
		"Control ports, as clients dial them, that are TLS from the first byte on. The "
		"rules have to be given them as --port too."},
	{"tls", "queue", "22", NUMBER, SETTINGS_ON_RESTART, LIST_NONE, settings_set_tls_queue,
		"The NFQUEUE of first packets to passive-ports. While a flood fills it, first "
		"packets of others are dropped as well, and repeated by their clients; control "
		"connections have a queue of their own."},

	{"strict", "spoofed-reply", "pass", OUTCOME, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_spoofed_reply,
		"A client's line that begins like a reply: three digits, and a blank or a hyphen."},
	{"strict", "spoofed-command", "pass", OUTCOME, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_spoofed_command,
		"A server's line, not inside a multi-line reply, that is a PORT, EPRT, PASV, "
		"EPSV, LPRT or LPSV."},
	{"strict", "pipelined", "pass", OUTCOME, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_pipelined,
		"A command that comes before the reply to a PORT, EPRT, PASV or EPSV. ABOR, "
		"STAT, QUIT and what follows Telnet commands are no violation. Some clients do "
		"so to save time, such as lftp(1) with ftp:sync-mode off, which it also chooses "
		"by itself for some servers."},
	{"strict", "long-line", "pass", OUTCOME, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_long_line,
		"A line of more than 512 bytes with its end. Long paths are no attack."},
	{"strict", "unprintable", "pass", OUTCOME, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_unprintable,
		"A control character other than TAB in a command, or a NUL or a CR that no LF "
		"follows in a command or reply. Bytes from 128 on are names in UTF-8, or Telnet "
		"commands."},
	{"strict", "bare-lf", "pass", OUTCOME, SETTINGS_ON_RELOAD, LIST_NONE, settings_set_bare_lf,
		"A command that ends with LF in place of CR LF."},
	{"strict", "bad-offer", "pass", OUTCOME, SETTINGS_ON_RELOAD, LIST_NONE,
		settings_set_bad_offer,
		"A PORT, EPRT, 227 or 229 that opens nothing: one whose reason is unreadable, "
		"unpaired, not-ftp, not-logged-in, foreign-address, low-port or denied-port. "
		"That is also the reason that is counted and logged, whatever the outcome. With "
		"pass the text still reaches the other side, so that refuse is what keeps a PORT "
		"with another host's address from the server (RFC 2577)."},
};

const struct settings_section *settings_section(size_t i)
{
	return i < ARRAY_SIZE(sections) ? &sections[i] : NULL;
}

const struct settings_key *settings_key(size_t i)
{
	static_assert(ARRAY_SIZE(keys) <= SETTINGS_KEYS_MAX, "each key has its source");
	return i < ARRAY_SIZE(keys) ? &keys[i] : NULL;
}
