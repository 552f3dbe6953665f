/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ruleset.c - listings of iptables-save and nft as rules, and a packet's way through them
 *
 * The listings are as iptables 1.8.9 and nft 1.0.6 print them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipset.h"
#include "iptables_save.h"
#include "nft_list.h"
#include "unit.h"

enum { LONG = 60000 };

static struct ruleset rs;

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse((const uint8_t *)text, strlen(text), &a), 0);
	return a;
}

/* A packet of a client's connection on its way to the server. */
static struct rule_packet packet(void)
{
	return (struct rule_packet){.in = "wan",
		.out = "lan0",
		.src = address("198.51.100.10"),
		.dst = address("10.77.0.2"),
		.sport = 40000,
		.dport = 21,
		.orig_dport = 21,
		.state = STATE_NEW | STATE_DNAT};
}

/* The ends of all ways, a word for each: the letter says what, the mark behind it that it is the
 * way of some packets (~) or of some ports (:) only, or of those that a rule leads there that is
 * not understood (?). */
static char ends[256];
static size_t first_index;

static void take_end(void *data, const struct way *way)
{
	static const char letters[] = {[RULE_NONE] = 'N',
		[RULE_ACCEPT] = 'A',
		[RULE_DROP] = 'D',
		[RULE_QUEUE] = 'Q',
		[RULE_JUMP] = 'J',
		[RULE_NOTRACK] = 'n',
		[RULE_ELSEWHERE] = 'E',
		[RULE_TEMPLATE] = 'T',
		[RULE_UNKNOWN] = 'U'};
	size_t used = strlen(ends);

	(void)data;
	if (!used)
		first_index = way->index;
	snprintf(ends + used, sizeof(ends) - used, "%s%c%s%s", used ? " " : "",
		letters[way->end] ? letters[way->end] : '-',
		way->taken_by == TRI_SOME         ? "~"
		: way->taken_by == TRI_SOME_PORTS ? ":"
						  : "",
		way->unclear ? "?" : "");
}

static const char *ends_from(const struct chain *base, const struct rule_packet *p)
{
	ends[0] = '\0';
	ruleset_ways(&rs, base, p, "PASVD", take_end, NULL);
	return ends;
}

/* The rules of FORWARD, behind which comes the jump to PASVD. */
static const char *ends_behind(const char *rules, const struct rule_packet *p)
{
	char text[4096];

	ruleset_free(&rs);
	snprintf(text, sizeof(text),
		"# Generated\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [1:2]\n:PASVD - [0:0]\n:A "
		"- "
		"[0:0]\n:B - [0:0]\n%s"
		"-A FORWARD -j PASVD\nCOMMIT\n# Completed\n",
		rules);
	ck_assert_int_eq(iptables_save_read(text, &rs), 0);
	return ends_from(ruleset_find(&rs, "", "filter", "FORWARD"), p);
}

static enum tri matches(const char *rule)
{
	struct rule_packet p = packet();
	char line[512];

	snprintf(line, sizeof(line), "-A FORWARD %s -j DROP\n", rule);
	ends_behind(line, &p);
	return rule_matches(&ruleset_find(&rs, "", "filter", "FORWARD")->rule[0], &p);
}

static const struct {
	const char *rule;
	enum tri matches;
} rules[] = {
	{"", TRI_YES},
	{"-p tcp", TRI_YES},
	{"-p udp", TRI_NO},
	{"! -p tcp", TRI_NO},
	{"! -p udp", TRI_YES},
	{"-p tcp -m tcp --dport 21", TRI_YES},
	{"-p tcp -m tcp ! --dport 21", TRI_NO},
	{"-p tcp -m tcp --dport 22", TRI_NO},
	{"-p tcp -m tcp --dport 20:21", TRI_YES},
	{"-p tcp -m tcp --dport 1024:65535", TRI_NO},
	{"-p tcp -m tcp --sport 1024:65535 --dport 21", TRI_YES},
	{"-p tcp -m multiport --dports 20,21,990", TRI_YES},
	{"-p tcp -m multiport --dports 80,443", TRI_NO},
	{"-p tcp -m multiport ! --dports 80,443", TRI_YES},
	{"-p tcp -m multiport --ports 21", TRI_MAYBE},
	{"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", TRI_SOME},
	{"-i wan", TRI_YES},
	{"! -i wan", TRI_NO},
	{"-i wa+", TRI_YES},
	{"-i w", TRI_NO},
	{"-i lan0 -p tcp", TRI_NO},
	{"-o lan0", TRI_YES},
	{"-o lan+", TRI_YES},
	{"! -o lan+", TRI_NO},
	{"-s 198.51.100.0/24", TRI_YES},
	{"! -s 198.51.100.10/32", TRI_NO},
	{"-s 10.0.0.0/8", TRI_NO},
	{"-d 10.77.0.2/32", TRI_YES},
	{"-d 10.77.0.3/32", TRI_NO},
	{"-d 10.0.0.0/255.0.255.0", TRI_MAYBE},
	{"-m conntrack --ctstate NEW,RELATED", TRI_YES},
	{"-m conntrack --ctstate RELATED,ESTABLISHED", TRI_NO},
	{"-m conntrack ! --ctstate NEW", TRI_NO},
	{"-m conntrack --ctstate DNAT", TRI_YES},
	{"-m conntrack --ctstate NEW -m conntrack --ctstate SNAT", TRI_NO},
	{"-m conntrack --ctstate NEW -m conntrack --ctstate DNAT", TRI_YES},
	{"-m state --state INVALID", TRI_NO},
	{"-m conntrack --ctorigdstport 21", TRI_YES},
	{"-m conntrack --ctorigdstport 2121", TRI_NO},
	{"-m conntrack --ctorigdst 203.0.113.1", TRI_SOME},
	{"-m conntrack --ctdir ORIGINAL", TRI_YES},
	{"-m conntrack --ctdir REPLY", TRI_NO},
	{"-m conntrack --ctproto 6", TRI_YES},
	{"-p icmp -m conntrack --ctproto 6", TRI_NO},
	{"-m conntrack --ctreplsrc 10.77.0.2", TRI_SOME},
	{"-m helper --helper sane", TRI_NO},
	{"-m set --match-set blocked src", TRI_MAYBE},
	{"-m set --match-set blocked src -i lan0", TRI_NO},
	{"-m comment --comment \"-p udp -j ACCEPT \\\" -i lan0\"", TRI_YES},
	{"-m comment --comment", TRI_MAYBE},
	{"-m limit --limit 1/sec", TRI_SOME},
	{"-m limit --limit 1/min", TRI_SOME},
	{"-m limit --limit 59/hour", TRI_MAYBE},
	{"-m hashlimit --hashlimit-above 1kb/s --hashlimit-name x", TRI_SOME},
	{"-m hashlimit --hashlimit-upto 1kb/day --hashlimit-name x", TRI_MAYBE},
	{"-m connlimit --connlimit-above 0", TRI_YES},
	{"-m connlimit --connlimit-upto 0", TRI_NO},
	{"-m connlimit --connlimit-above 1 --connlimit-mask 32", TRI_SOME},
	{"-m quota --quota 0", TRI_NO},
	{"-m quota ! --quota 0", TRI_YES},
	{"-m quota --quota 1", TRI_MAYBE},
	{"-m recent --set --name x", TRI_YES},
	{"-m recent ! --set --name x", TRI_NO},
	{"-m recent --rcheck --name x", TRI_SOME},
	{"-m recent ! --rcheck --name x", TRI_MAYBE},
	{"-m future --what-is-this", TRI_MAYBE},
};

START_TEST(rule_matches_what_it_says)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		enum tri m = matches(rules[i].rule);

		ck_assert_msg(m == rules[i].matches, "%s: %d", rules[i].rule, m);
	}
}
END_TEST

START_TEST(what_is_not_known_of_a_packet_matches_some)
{
	const struct rule_packet p = {.in = "wan", .state = STATE_RELATED};
	struct rule r = {.tcp = TRI_MAYBE, .dport = {1, {{1024, 65535}}, false}};

	ck_assert_int_eq(rule_matches(&r, &p), TRI_SOME_PORTS);
	r.tcp = TRI_NO;
	ck_assert_int_eq(rule_matches(&r, &p), TRI_NO);
}
END_TEST

static const struct {
	const char *rules, *ends;
	size_t index; /* of the rule that led to the first one */
} ways[] = {
	{"", "J", 0},
	{"-A FORWARD -i lan0 -j DROP\n", "J", 1},
	{"-A FORWARD -j DROP\n", "D", 0},
	{"-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n", "D", 0},
	{"-A FORWARD -j LOG --log-prefix \"-j DROP\"\n-A FORWARD -j ACCEPT\n", "A", 1},
	{"-A FORWARD -m set --match-set x src -j ACCEPT\n-A FORWARD -j DROP\n", "A? D?", 0},
	{"-A FORWARD -m set --match-set x src -j LOG\n-A FORWARD -j DROP\n", "D", 1},
	{"-A FORWARD -m set --match-set x src -j RETURN\n-A FORWARD -j DROP\n", "D? N?", 1},
	{"-A FORWARD -m limit --limit 5/sec --limit-burst 7 -j ACCEPT\n-A FORWARD -j DROP\n",
		"A~ D", 0},
	{"-A FORWARD -m recent --update --seconds 60 --name x --mask 255.255.255.255 --rsource -j "
	 "DROP\n",
		"D~ J", 0},
	{"-A FORWARD -m recent --set --name x\n-A FORWARD -m recent --rcheck --name x -j DROP\n",
		"D? J?", 1},
	{"-A FORWARD -p udp -m recent --set --name x\n-A FORWARD -m recent --rcheck --name x -j "
	 "DROP\n",
		"D~ J", 1},
	{"-A A -m recent --set --name x\n-A FORWARD -m recent --rcheck --name x -j DROP\n", "D~ J",
		0},
	{"-A FORWARD -m recent --set --name x\n-A FORWARD -m recent --update --hitcount 2 --name x "
	 "-j DROP\n",
		"D~ J", 1},
	{"-A A -j DROP\n-A FORWARD -i wan -j A\n", "D", 0},
	{"-A A -j DROP\n-A FORWARD -m mark --mark 0x1 -j A\n", "D? J?", 0},
	{"-A A -i wan -j RETURN\n-A A -j DROP\n-A FORWARD -j A\n", "J", 1},
	{"-A A -m mark --mark 0x1 -j RETURN\n-A A -j DROP\n-A FORWARD -j A\n", "D? J?", 0},
	{"-A A -s 198.51.100.0/24 -j RETURN\n-A A -j DROP\n-A FORWARD -j A\n", "J", 1},
	{"-A A -j RETURN\n-A FORWARD -g A\n", "N", 0},
	{"-A A -p udp -j DROP\n-A FORWARD -g A\n", "N", 0},
	{"-A A -m mark --mark 0x1 -j ACCEPT\n-A FORWARD -g A\n", "A? N?", 0},
	{"-A B -j RETURN\n-A A -g B\n-A A -j DROP\n-A FORWARD -j A\n", "J", 1},
	{"-A A -j B\n-A B -j A\n-A FORWARD -j A\n", "U? J?", 0},
	{"-A FORWARD -p tcp -j RETURN\n", "N", 0},
	{"-A FORWARD -j NFQUEUE --queue-num 7 --queue-bypass\n", "Q", 0},
	{"-A FORWARD -j FUTURE --with x\n", "U? J?", 0},
};

START_TEST(ways_end_where_they_can)
{
	const struct rule_packet p = packet();

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ends_behind(ways[i].rules, &p);
		ck_assert_msg(strcmp(ends, ways[i].ends) == 0, "%s: %s", ways[i].rules, ends);
		ck_assert_msg(*ends == 'N' || first_index == ways[i].index, "%s: %zu",
			ways[i].rules, first_index);
	}
}
END_TEST

/* The first packet of a data connection, whose port is not known. */
static struct rule_packet data_packet(void)
{
	struct rule_packet p = packet();

	p.sport = p.dport = p.orig_dport = 1024;
	p.sport_to = p.dport_to = p.orig_dport_to = 65535;
	p.src = (struct addr){0};
	p.state = STATE_RELATED | STATE_EXPECTED | STATE_DNAT;
	p.flags = FLAG_SYN;
	p.flags_known = UINT8_MAX;
	p.helper = "sane";
	return p;
}

static const struct {
	const char *match, *ends;
} of_data[] = {
	{"-p tcp -m tcp --dport 21", "J"},
	{"-p tcp -m tcp --dport 1024:65535", "D"},
	{"-p tcp -m tcp --dport 1023:65535", "D"},
	{"-p tcp -m tcp --dport 1025:65535", "D: J"},
	{"-p tcp -m tcp --dport 50000:51000", "D: J"},
	{"-p tcp -m tcp ! --dport 50000:51000", "D: J"},
	{"-p tcp -m tcp ! --dport 21", "D"},
	{"-p tcp -m multiport --dports 1:1000,2000:3000", "D: J"},
	{"-p tcp -m multiport --dports 2000:65535,1:2000", "D"},
	{"-p tcp -m multiport --dports 20,21,990", "J"},
	{"-p tcp -m tcp --sport 20", "J"},
	{"-s 192.0.2.0/24", "D~ J"},
	{"-s 192.0.2.0/24 -p tcp -m tcp --dport 3306", "D: J"},
	{"! -s 192.0.2.0/24", "D~ J"},
	{"-m conntrack --ctstate ESTABLISHED", "J"},
	{"-m conntrack --ctstate RELATED,ESTABLISHED", "D"},
	{"-m conntrack --ctstatus EXPECTED", "D"},
	{"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", "D"},
	{"-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", "J"},
	{"-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN", "J"},
	{"-m iprange --src-range 192.0.2.1-192.0.2.9", "D~ J"},
	{"-m iprange --dst-range 10.77.0.1-10.77.0.9", "D"},
	{"-m iprange --dst-range 10.77.0.3-10.77.0.9", "J"},
	{"-m addrtype --src-type BROADCAST", "J"},
	{"-m addrtype --dst-type LOCAL", "D? J?"},
	{"-m mark --mark 0x1", "D? J?"},
};

START_TEST(no_such_packet_comes_in_by_lo)
{
	struct rule_packet p = packet();

	p.in = NULL;
	ck_assert_str_eq(ends_behind("-A FORWARD -i lo -j DROP\n", &p), "J");
	ck_assert_str_eq(ends_behind("-A FORWARD ! -i lo -j DROP\n", &p), "D");
	ck_assert_str_eq(ends_behind("-A FORWARD -i lo+ -j DROP\n", &p), "D~ J");
	ck_assert_str_eq(ends_behind("-A FORWARD -i wan -j DROP\n", &p), "D~ J");
}
END_TEST

START_TEST(data_connections_have_any_port_above_1023)
{
	const struct rule_packet p = data_packet();
	char rule[512];

	for (size_t i = 0; i < ARRAY_SIZE(of_data); i++) {
		snprintf(rule, sizeof(rule), "-A FORWARD %s -j DROP\n", of_data[i].match);
		ck_assert_msg(
			strcmp(ends_behind(rule, &p), of_data[i].ends) == 0, "%s: %s", rule, ends);
	}
}
END_TEST

START_TEST(what_is_not_understood_has_a_name)
{
	const struct rule_packet p = packet();

	ends_behind("-A FORWARD -m set --match-set blocked src -j DROP\n-A FORWARD -m geoip "
		    "--source-country XX -j DROP\n",
		&p);
	ck_assert_str_eq(
		ruleset_find(&rs, "", "filter", "FORWARD")->rule[0].unclear, "the ipset blocked");
	ck_assert_str_eq(ruleset_find(&rs, "", "filter", "FORWARD")->rule[1].unclear, "-m geoip");
}
END_TEST

static const struct {
	const char *type, *elements, *match;
	enum tri matches;
} of_sets[] = {
	{"hash:ip", "10.77.0.2|10.77.0.9", "--match-set s dst", TRI_YES},
	{"hash:ip", "10.77.0.9", "--match-set s dst", TRI_NO},
	{"hash:ip", "", "! --match-set s dst", TRI_YES},
	{"hash:ip", "10.77.0.2 timeout 99 comment \"a b\"", "--match-set s dst", TRI_YES},
	{"hash:net", "10.0.0.0/8", "--match-set s src", TRI_NO},
	{"hash:net", "0.0.0.0/1|128.0.0.0/1", "--match-set s src", TRI_YES},
	{"hash:net,port", "10.77.0.0/24,tcp:21", "--match-set s dst,dst", TRI_YES},
	{"hash:net,port", "10.77.0.0/24,tcp:21", "--match-set s dst,src", TRI_NO},
	{"hash:net,port", "10.77.0.0/24,udp:21", "--match-set s dst,dst", TRI_NO},
	{"bitmap:port", "20|21", "--match-set s dst", TRI_YES},
	{"bitmap:port", "20|22", "! --match-set s dst", TRI_YES},
	{"hash:net,iface", "10.77.0.0/24,wan", "--match-set s dst,src", TRI_YES},
	{"hash:net,iface", "10.77.0.0/24,wan", "--match-set s dst,dst", TRI_NO},
	{"hash:net,iface", "10.77.0.0/24,physdev:wan", "--match-set s dst,src", TRI_MAYBE},
	{"hash:net", "10.77.0.0/16|10.77.0.0/24 nomatch", "! --match-set s dst", TRI_MAYBE},
	{"hash:net", "10.0.0.0/16|10.77.0.0/24 nomatch", "--match-set s dst", TRI_MAYBE},
	{"hash:mac", "01:02:03:04:05:06", "--match-set s src", TRI_MAYBE},
	{"list:set", "t", "--match-set s src", TRI_MAYBE},
	{"hash:ip,port", "10.77.0.2,tcp:21", "--match-set s dst", TRI_MAYBE},
	{"hash:ip", "10.77.0.2", "--match-set s dst --return-nomatch", TRI_MAYBE},
	{"hash:ip", "10.77.0.2", "--match-set other dst", TRI_MAYBE},
};

/* As `ipset save` prints it, with another set before. */
static void saved_set(const char *type, const char *elements, char *buf, size_t cap)
{
	size_t n = (size_t)snprintf(buf, cap,
		"create so hash:ip family inet\nadd so 10.77.0.2\ncreate s %s family inet\n", type);

	for (size_t len; *elements; elements += len + (elements[len] == '|')) {
		len = strcspn(elements, "|");
		n += (size_t)snprintf(buf + n, cap - n, "add s %.*s\n", (int)len, elements);
	}
}

START_TEST(ipsets_are_looked_up)
{
	const struct rule_packet p = packet();
	const struct rule *blocked;
	char rule[512], saved[512];

	for (size_t i = 0; i < ARRAY_SIZE(of_sets); i++) {
		saved_set(of_sets[i].type, of_sets[i].elements, saved, sizeof(saved));
		snprintf(rule, sizeof(rule), "-A FORWARD -m set %s -j DROP\n", of_sets[i].match);
		ends_behind(rule, &p);
		blocked = &ruleset_find(&rs, "", "filter", "FORWARD")->rule[0];
		ck_assert_int_eq(rule_matches(blocked, &p), TRI_MAYBE);
		ck_assert(ipset_any(&rs));
		ipset_resolve(&rs, saved);
		ck_assert_msg(rule_matches(blocked, &p) == of_sets[i].matches, "%s %s: %s: %d",
			of_sets[i].type, of_sets[i].elements, rule, rule_matches(blocked, &p));
		ck_assert_int_eq(!blocked->unclear[0], of_sets[i].matches != TRI_MAYBE);
	}
}
END_TEST

START_TEST(deep_chains_end)
{
	const struct rule_packet p = packet();
	char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	fputs("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j C0\n", out);
	for (int i = 0; i < 60; i++)
		fprintf(out, ":C%d - [0:0]\n-A C%d -j C%d\n", i, i, i + 1);
	fclose(out);
	ruleset_free(&rs);
	ck_assert_int_eq(iptables_save_read(text, &rs), 0);
	ck_assert_str_eq(ends_from(ruleset_find(&rs, "", "filter", "FORWARD"), &p), "U? N?");
}
END_TEST

static const struct rule *target(const char *rule)
{
	const struct rule_packet p = packet();
	char line[512];

	snprintf(line, sizeof(line), "-A FORWARD %s\n", rule);
	ends_behind(line, &p);
	return &ruleset_find(&rs, "", "filter", "FORWARD")->rule[0];
}

static const struct {
	const char *rule, *address;
	uint16_t port;
} destinations[] = {
	{"-j DNAT --to-destination 10.0.0.2", "10.0.0.2", 0},
	{"-j DNAT --to-destination 10.0.0.2:2121 --random", "10.0.0.2", 2121},
	{"-j DNAT --to-destination fd00::2", "fd00::2", 0},
	{"-j DNAT --to-destination [fd00::2]:21", "fd00::2", 21},
	{"-j DNAT --to-destination 10.0.0.2-10.0.0.9", NULL, 0},
	{"-j DNAT --to-destination 10.0.0.2:50000-50100", NULL, 0},
	{"-j DNAT --to-destination :21", NULL, 0},
};

START_TEST(destination_of_dnat)
{
	for (size_t i = 0; i < ARRAY_SIZE(destinations); i++) {
		const struct rule *r = target(destinations[i].rule);
		struct addr a = {0};

		if (destinations[i].address)
			a = address(destinations[i].address);
		ck_assert_msg(r->action == RULE_DNAT && addr_eq(&r->to.addr, &a) &&
				      r->to.port == destinations[i].port,
			"%s", destinations[i].rule);
	}
}
END_TEST

START_TEST(targets_with_options)
{
	ck_assert_str_eq(target("-p tcp -j CT --helper sane")->target, "sane");
	ck_assert_int_eq(target("-j CT --zone 5")->action, RULE_TEMPLATE);
	ck_assert_int_eq(target("-j CT --notrack")->action, RULE_NOTRACK);
	ck_assert_int_eq(target("-j CONNMARK --restore-mark --nfmask 0x1 --ctmask 0x1")->action,
		RULE_RESTORE);
	ck_assert_int_eq(target("-j CONNMARK --save-mark")->action, RULE_NONE);
	ck_assert_uint_eq(target("-j NFQUEUE --queue-num 65535")->queue, 65535);
	ck_assert(!target("-j LOG --log-prefix x")->unsure);
}
END_TEST

START_TEST(bits_of_the_connections_mark_that_are_written)
{
	static const struct {
		const char *rule;
		uint32_t bits;
	} written[] = {
		{"-j CONNMARK --set-xmark 0x1/0xffffffff", 0xffffffff},
		{"-j CONNMARK --set-xmark 0x2/0x3", 3},
		{"-j CONNMARK --set-xmark 0x4/0x3", 7},
		{"-j CONNMARK --set-mark 1", 0xffffffff},
		{"-j CONNMARK --set-xmark x/y", 0xffffffff},
		{"-j CONNMARK --save-mark", 0xffffffff},
		{"-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xf00", 0xfff},
		{"-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff", 0xffffffff},
		{"-j CONNMARK --save-mark --nfmask 0x0 --ctmask 0xff", 0xff},
		{"-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff", 0},
		{"-j MARK --set-xmark 0x1/0xffffffff", 0},
		{"-j ACCEPT", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(written); i++)
		ck_assert_msg(target(written[i].rule)->connmark == written[i].bits, "%s: 0x%x",
			written[i].rule, (unsigned)target(written[i].rule)->connmark);
}
END_TEST

START_TEST(bits_are_left_alone_by_masks)
{
	static const char set[] = "-A X -i wan -j CONNMARK --set-xmark ";
	static const struct {
		const char *value, *masked; /* NULL: that rule cannot be put right so */
	} set_marks[] = {
		{"0x1/0xffffffff", "-i wan -j CONNMARK --set-xmark 0x1/0x0fffffff"},
		{"0xf0000001/0xffffffff", NULL},
		{"0x0/0xf0000000", NULL},
	};
	char rule[128], words[128];

	for (size_t i = 0; i < ARRAY_SIZE(set_marks); i++) {
		bool masked;

		snprintf(rule, sizeof(rule), "%s%s", set, set_marks[i].value);
		masked = iptables_save_masked(rule, 0xf0000000, words, sizeof(words));
		ck_assert_msg(masked == !!set_marks[i].masked, "%s", set_marks[i].value);
		if (masked)
			ck_assert_str_eq(words, set_marks[i].masked);
	}
}
END_TEST

/* Whatever stands in a comment, a shell must take it as the words that they are. */
static const struct {
	const char *rule, *words;
} quoted[] = {
	{"-A FORWARD -i wan -p tcp -m tcp --dport 1024:65535 -j DROP",
		"-i wan -p tcp -m tcp --dport 1024:65535 -j DROP"},
	{"-A FORWARD -m comment --comment \"two words\" -j DROP",
		"-m comment --comment 'two words' -j DROP"},
	{"-A FORWARD -m comment --comment \"$(reboot) `reboot`\" -j DROP",
		"-m comment --comment '$(reboot) `reboot`' -j DROP"},
	{"-A FORWARD -m comment --comment \"it\\'s \\\"x\\\" ; reboot\" -j DROP",
		"-m comment --comment 'it'\\''s \"x\" ; reboot' -j DROP"},
	{"-A FORWARD ! -i wan -j DROP", "'!' -i wan -j DROP"},
	{"-A FORWARD -m comment --comment \"\" -j DROP", "-m comment --comment '' -j DROP"},
};

START_TEST(rule_as_words_for_a_shell)
{
	char words[256];

	for (size_t i = 0; i < ARRAY_SIZE(quoted); i++) {
		iptables_save_words(quoted[i].rule, words, sizeof(words));
		ck_assert_str_eq(words, quoted[i].words);
		iptables_save_words(quoted[i].rule, words, strlen(quoted[i].words));
		ck_assert_str_eq(words, "");
	}
}
END_TEST

START_TEST(rule_that_is_too_long_can_be_anything)
{
	static char text[LONG + 256];
	const struct rule_packet p = packet();

	snprintf(text, sizeof(text),
		"*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m comment --comment \"%0*d\" -j "
		"ACCEPT\n-A "
		"FORWARD -j DROP\nCOMMIT\n",
		LONG, 0);
	ruleset_free(&rs);
	ck_assert_int_eq(iptables_save_read(text, &rs), 0);
	ck_assert_str_eq(ends_from(ruleset_find(&rs, "", "filter", "FORWARD"), &p), "U? D?");
}
END_TEST

START_TEST(garbage_is_no_rules)
{
	static const char *const texts[] = {"", "\n\n", "-A", "*", ":", "-A X", "*filter\n:FORWARD",
		"* \n: \n-A  \n", "-A \"",
		"*filter\n-A F !\n-A F -p\n-A F ! -j\n-A F -j\n-A F -j CT --helper\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		ruleset_free(&rs);
		ck_assert_int_eq(iptables_save_read(texts[i], &rs), 0);
	}
}
END_TEST

/* --- nft --- */

#define CHAIN(extra)                                                                               \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"f\",\"handle\":1,\"type\":"    \
	"\"filter\","                                                                              \
	"\"hook\":\"forward\",\"prio\":5,\"policy\":\"drop\"}}" extra

/* Named sets and maps, and a chain that ends with a drop. */
#define NAMED(kind, name, elements)                                                                \
	"{\"" kind "\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"" name                      \
	"\",\"elem\":[" elements "]}},"
static const char nft_sets[] = NAMED("set", "lans", "\"lan*\",\"b\"") NAMED(
	"set", "pairs", "{\"concat\":[\"wan\",\"lan0\"]}") NAMED("set", "ports",
	"21,{\"range\":[1000,2000]},{\"range\":[2001,65535]}") NAMED("set", "few",
	"21,{\"range\":[50000,51000]}") NAMED("set", "blocked",
	"{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}},{\"elem\":{"
	"\"val\":\"192.0.2.1\",\"timeout\":9}},{\"range\":[\"198.51.100."
	"1\",\"198.51.100.20\"]}") "{\"set\":{\"family\":\"inet\",\"table\":\"t\",\"name\":"
				   "\"none\"}},"
				   "{\"set\":{\"family\":\"inet\",\"table\":\"other\",\"name\":"
				   "\"hidden\",\"elem\":["
				   "\"wan\"]}}," NAMED("map", "ways",
					   "[\"wan\",{\"goto\":{\"target\":\"shut\"}}],[\"lan0\",{"
					   "\"accept\":null}]") "{\"chain\":{\"family\":\"inet\","
								"\"table\":\"t\",\"name\":\"shut\"}"
								"},"
								"{\"rule\":{\"family\":\"inet\","
								"\"table\":\"t\",\"chain\":"
								"\"shut\",\"handle\":8,"
								"\"expr\":[{\"reject\":{\"type\":"
								"\"icmpx\"}}]}},";

static const char *nft_ends(const char *expr, enum addr_family family, const struct rule_packet *p)
{
	char text[8192];

	ruleset_free(&rs);
	snprintf(text, sizeof(text),
		"{\"nftables\":[{\"metainfo\":{\"version\":\"1.0.6\"}},{\"table\":{\"family\":"
		"\"inet\","
		"\"name\":\"t\"}},%s" CHAIN(
			",") "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":"
			     "\"f\",\"handle\":7,\"expr\":[%s]}}]}",
		nft_sets, expr);
	ck_assert_int_eq(nft_list_read(text, family, NULL, &rs), 0);
	return ends_from(ruleset_find(&rs, "inet", "t", "f"), p);
}

#define ACCEPT ",{\"accept\":null}"
#define MATCH(op, left, right)                                                                     \
	"{\"match\":{\"op\":\"" op "\",\"left\":{" left "},\"right\":" right "}}"
#define META(key)           "\"meta\":{\"key\":\"" key "\"}"
#define CT(key)             "\"ct\":{\"key\":\"" key "\"}"
#define CONCAT              "\"concat\":[{" META("iifname") "},{" META("oifname") "}]"
#define FIB                 "\"fib\":{\"result\":\"oif\",\"flags\":[\"saddr\",\"iif\"]}"
#define FLAGS               "\"payload\":{\"protocol\":\"tcp\",\"field\":\"flags\"}"
#define MASKED              "\"&\":[{" FLAGS "},[\"fin\",\"syn\",\"rst\",\"ack\"]]"
#define VMAP(key, elements) "{\"vmap\":{\"key\":{" key "},\"data\":{\"set\":[" elements "]}}}"
#define PAYLOAD(protocol, field)                                                                   \
	"\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}"

static const struct {
	const char *expr, *ends;
} nft[] = {
	{"{\"counter\":{\"packets\":0,\"bytes\":0}}" ACCEPT, "A"},
	{MATCH("==", META("l4proto"), "\"tcp\"") ACCEPT, "A"},
	{MATCH("==", META("l4proto"), "{\"set\":[\"tcp\",\"udp\"]}") ACCEPT, "A"},
	{MATCH("==", META("l4proto"), "\"udp\"") ACCEPT, "N"},
	{MATCH("!=", META("l4proto"), "\"tcp\"") ACCEPT, "N"},
	{MATCH("==", META("nfproto"), "\"ipv6\"") ACCEPT, "N"},
	{MATCH("==", META("nfproto"), "\"ipv4\"") ACCEPT, "A"},
	{MATCH("==", META("iifname"), "\"wan\"") ACCEPT, "A"},
	{MATCH("==", META("iifname"), "\"w*\"") ACCEPT, "A"},
	{MATCH("!=", META("oifname"), "\"lan0\"") ACCEPT, "N"},
	{MATCH("==", META("iifname"), "{\"set\":[\"wan\",\"b\"]}") ACCEPT, "A"},
	{MATCH("!=", META("iifname"), "{\"set\":[\"wan\",\"b\"]}") ACCEPT, "N"},
	{MATCH("==", META("iifname"), "\"@lans\"") ACCEPT, "N"},
	{MATCH("==", META("oifname"), "\"@lans\"") ACCEPT, "A"},
	{MATCH("!=", META("oifname"), "\"@lans\"") ACCEPT, "N"},
	{MATCH("==", META("oifname"), "\"@none\"") ACCEPT, "N"},
	{MATCH("==", META("iifname"), "\"@hidden\"") ACCEPT, "A? N?"},
	{MATCH("==", CONCAT, "\"@pairs\"") ACCEPT, "A"},
	{MATCH("==", CONCAT, "{\"set\":[{\"concat\":[\"lan0\",\"wan\"]}]}") ACCEPT, "N"},
	{VMAP(CONCAT, "[{\"concat\":[\"wan\",\"x*\"]},{\"accept\":null}],[{\"concat\":[\"wan\","
		      "\"lan0\"]},{\"drop\":null}]"),
		"D"},
	{VMAP(CONCAT, "[{\"concat\":[\"wan\",\"x*\"]},{\"accept\":null}]"), "N"},
	{VMAP(CONCAT, "[{\"concat\":[\"wan\",{\"odd\":1}]},{\"accept\":null}]"), "A? N?"},
	{"{\"vmap\":{\"key\":{" META("iifname") "},\"data\":\"@ways\"}}" ACCEPT, "D"},
	{"{\"vmap\":{\"key\":{" META("oifname") "},\"data\":\"@ways\"}},{\"drop\":null}", "A"},
	{VMAP(META("mark"), "[1,{\"accept\":null}]"), "A? N?"},
	{VMAP(META("iifname"), "[\"*\",{\"drop\":null}],[\"wan\",{\"accept\":null}]"), "A"},
	{VMAP(META("iifname"), "[\"*\",{\"drop\":null}],[\"lan9\",{\"accept\":null}]"), "D"},
	{VMAP(PAYLOAD("udp", "dport"), "[21,{\"accept\":null}]"), "N"},
	{MATCH("==", META("mark"), "1") ACCEPT, "A? N?"},
	{MATCH("in", CT("state"), "[\"established\",\"related\"]") ACCEPT, "N"},
	{MATCH("==", CT("state"), "{\"set\":[\"new\",\"related\"]}") ACCEPT, "A"},
	{MATCH("in", CT("state"), "\"new\"") ACCEPT, "A"},
	{MATCH("in", CT("status"), "\"dnat\"") ACCEPT, "A"},
	{MATCH("in", CT("status"), "\"seen-reply\"") ACCEPT, "A? N?"},
	{MATCH("==", CT("helper"), "\"sane\"") ACCEPT, "A"},
	{MATCH("==", CT("helper"), "\"ftp\"") ACCEPT, "N"},
	{MATCH("==", "\"ct\":{\"key\":\"proto-dst\",\"dir\":\"original\"}", "21") ACCEPT, "A"},
	{MATCH("==", "\"ct\":{\"key\":\"proto-dst\",\"dir\":\"reply\"}", "21") ACCEPT, "A: N"},
	{MATCH("==", "\"ct\":{\"key\":\"proto-src\",\"dir\":\"reply\"}", "21") ACCEPT, "A"},
	{MATCH("==", "\"ct\":{\"key\":\"ip saddr\",\"dir\":\"reply\"}", "\"10.77.0.2\"") ACCEPT,
		"A"},
	{MATCH("==", "\"ct\":{\"key\":\"ip6 saddr\",\"dir\":\"reply\"}", "\"fd00::2\"") ACCEPT,
		"N"},
	{MATCH("==", CT("direction"), "\"original\"") ACCEPT, "A"},
	{MATCH("==", CT("direction"), "\"reply\"") ACCEPT, "N"},
	{MATCH("==", CT("l3proto"), "\"ipv4\"") ACCEPT, "A"},
	{MATCH("==", META("protocol"), "{\"set\":[\"ip\",\"ip6\"]}") ACCEPT, "A"},
	{MATCH("==", META("protocol"), "\"ip6\"") ACCEPT, "N"},
	{MATCH("==", PAYLOAD("ip", "daddr"), "\"10.77.0.2\"") ACCEPT, "A"},
	{MATCH("==", PAYLOAD("ip", "saddr"), "{\"prefix\":{\"addr\":\"198.51.100.0\",\"len\":24}}")
			ACCEPT,
		"A"},
	{MATCH("==", PAYLOAD("ip", "saddr"), "{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}}")
			ACCEPT,
		"N"},
	{MATCH("==", PAYLOAD("ip", "saddr"), "\"@set\"") ACCEPT, "A? N?"},
	{MATCH("==", PAYLOAD("ip", "protocol"), "\"tcp\"") ACCEPT, "A"},
	{MATCH("==", PAYLOAD("ip6", "daddr"), "\"fd00::2\"") ACCEPT, "N"},
	{MATCH("==", PAYLOAD("tcp", "dport"), "{\"set\":[20,21,{\"range\":[1000,2000]}]}") ACCEPT,
		"A"},
	{MATCH("==", PAYLOAD("th", "dport"), "{\"range\":[22,2000]}") ACCEPT, "N"},
	{MATCH("!=", PAYLOAD("tcp", "dport"), "80") ACCEPT, "A"},
	{MATCH("==", PAYLOAD("udp", "dport"), "21") ACCEPT, "N"},
	{MATCH("in", PAYLOAD("tcp", "flags"), "\"syn\"") ACCEPT, "A"},
	{MATCH("in", PAYLOAD("tcp", "flags"), "[\"syn\",\"ack\"]") ACCEPT, "A? N?"},
	{MATCH("==", MASKED, "\"syn\"") ACCEPT, "A"},
	{MATCH("!=", MASKED, "\"syn\"") ACCEPT, "N"},
	{MATCH("==", MASKED, "[\"fin\",\"syn\"]") ACCEPT, "N"},
	{MATCH("==", MASKED, "{\"|\":[\"fin\",\"syn\"]}") ACCEPT, "N"},
	{MATCH("==", MASKED, "0") ACCEPT, "N"},
	{MATCH("==", FIB, "false") ",{\"drop\":null}", "D~ N"},
	{MATCH("==", FIB, "true") ACCEPT, "A"},
	{MATCH("==", PAYLOAD("ether", "saddr"), "\"00:11:22:33:44:55\"") ACCEPT, "A? N?"},
	{MATCH("==", "\"payload\":{\"base\":\"ih\",\"offset\":0,\"len\":8}", "1") ACCEPT, "A? N?"},
	{"{\"vmap\":{\"key\":{" CT(
		 "state") "},\"data\":{\"set\":[[\"established\",{\"accept\":null}],["
			  "\"new\",{\"drop\":null}]]}}}",
		"D"},
	{"{\"vmap\":{\"key\":{" CT(
		 "state") "},\"data\":{\"set\":[[\"established\",{\"drop\":null}],["
			  "\"related\",{\"accept\":null}]]}}}",
		"N"},
	{"{\"vmap\":{\"key\":{" CT("state") "},\"data\":\"@map\"}}" ACCEPT, "U? A?"},
	{"{\"limit\":{\"rate\":1,\"per\":\"second\"}}" ACCEPT, "A~ N"},
	{"{\"ct count\":{\"val\":5,\"inv\":true}},{\"drop\":null}", "D~ N"},
	{"{\"set\":{\"op\":\"add\",\"elem\":1,\"set\":\"@none\"}},{\"drop\":null}", "D"},
	{"{\"mangle\":{\"key\":{\"ct\":{\"key\":\"mark\"}},\"value\":1}}" ACCEPT, "A"},
	{"{\"future\":null}", "U? N?"},
	{"{\"future\":null}" ACCEPT, "U? N?"},
	{"{\"jump\":{\"target\":\"gone\"}}", "U? N?"},
	{"{\"goto\":{\"target\":\"shut\"}}", "D"},
	{"{\"xt\":{\"type\":\"target\",\"name\":\"DROP\"}}", "U? N?"},
	{"{\"tproxy\":{\"port\":80}}" ACCEPT, "U? N?"},
	{"{\"synproxy\":{\"mss\":1460}}", "U? N?"},
	{"{\"mangle\":{\"key\":{" PAYLOAD("ip", "daddr") "},\"value\":\"192.0.2.1\"}}" ACCEPT,
		"U? N?"},
	{"{\"mangle\":{\"key\":{" PAYLOAD("ip", "dscp") "},\"value\":1}}" ACCEPT, "A"},
	{"{\"mangle\":{\"key\":{" CT("zone") "},\"value\":1}}", "T"},
	{MATCH("!", CT("state"), "[\"new\",\"related\"]") ACCEPT, "N"},
	{MATCH("!", CT("state"), "\"invalid\"") ACCEPT, "A"},
	{MATCH("!=", CT("state"), "{\"|\":[\"new\",\"related\"]}") ACCEPT, "A? N?"},
	{MATCH("==", CT("state"), "[\"new\",\"related\"]") ACCEPT, "A? N?"},
	{MATCH("!=", CT("status"), "\"dnat\"") ACCEPT, "A? N?"},
	{MATCH("!", CT("status"), "\"dnat\"") ACCEPT, "N"},
	{"{\"flow\":{\"op\":\"add\",\"flowtable\":\"@f\"}}", "N"},
	{"{\"queue\":{\"num\":7,\"flags\":\"bypass\"}}", "Q"},
	{"{\"queue\":{\"num\":{\"range\":[0,3]}}}", "Q? N?"},
};

START_TEST(nft_statements)
{
	struct rule_packet p = packet();

	p.helper = "sane";
	p.flags = FLAG_SYN;
	p.flags_known = UINT8_MAX;
	p.reply_src = p.dst;
	p.reply_sport = 21;
	for (size_t i = 0; i < ARRAY_SIZE(nft); i++)
		ck_assert_msg(strcmp(nft_ends(nft[i].expr, ADDR_IP4, &p), nft[i].ends) == 0,
			"%s: %s", nft[i].expr, ends);
}
END_TEST

static const struct {
	const char *expr, *ends;
} nft_data[] = {
	{MATCH("==", PAYLOAD("tcp", "dport"), "21") ACCEPT, "N"},
	{MATCH("!=", PAYLOAD("tcp", "dport"), "21") ACCEPT, "A"},
	{MATCH("==", PAYLOAD("tcp", "dport"), "{\"set\":[21,{\"range\":[1024,65535]}]}") ACCEPT,
		"A"},
	{MATCH("!=", PAYLOAD("tcp", "dport"), "{\"range\":[1,1023]}") ACCEPT, "A"},
	{MATCH(">=", PAYLOAD("tcp", "dport"), "1024") ACCEPT, "A"},
	{MATCH(">", PAYLOAD("tcp", "dport"), "1024") ACCEPT, "A: N"},
	{MATCH("<", PAYLOAD("tcp", "dport"), "1024") ACCEPT, "N"},
	{MATCH("<=", PAYLOAD("tcp", "dport"), "1024") ACCEPT, "A: N"},
	{MATCH("==", PAYLOAD("tcp", "dport"), "\"@ports\"") ACCEPT, "A"},
	{MATCH("!=", PAYLOAD("tcp", "dport"), "\"@ports\"") ACCEPT, "N"},
	{MATCH("==", PAYLOAD("th", "dport"), "\"@few\"") ACCEPT, "A: N"},
	{MATCH("==", "\"concat\":[{" META("l4proto") "},{" PAYLOAD("th", "dport") "}]",
		 "{\"set\":[{\"concat\":[\"tcp\",21]},{\"concat\":[\"udp\",{\"range\":[1,65535]}]}"
		 "]}") ACCEPT,
		"N"},
	{MATCH("==", "\"concat\":[{" META("l4proto") "},{" PAYLOAD("th", "dport") "}]",
		 "{\"set\":[{\"concat\":[\"tcp\",{\"range\":[1000,65535]}]}]}") ACCEPT,
		"A"},
	{"{\"vmap\":{\"key\":{\"concat\":[{" META("l4proto") "},{" PAYLOAD(
		 "th", "dport") "}]},\"data\":{\"set\":[[{\"concat\":[\"tcp\",21]},{\"accept\":"
				"null}]]}}}",
		"N"},
	{"{\"vmap\":{\"key\":{" CT("state") "},\"data\":{\"set\":[[\"established\",{\"accept\":"
					    "null}],[\"*\",{\"drop\":null}]]}}}",
		"D"},
	{"{\"vmap\":{\"key\":{" CT("state") "},\"data\":{\"set\":[[\"*\",{\"drop\":null}],["
					    "\"related\",{\"accept\":null}]]}}}",
		"A"},
	{MATCH("==", CT("state"), "{\"set\":[\"established\"]}") ACCEPT, "N"},
	{MATCH("==", PAYLOAD("ip", "saddr"), "\"@blocked\"") ",{\"drop\":null}", "D~ N"},
	{MATCH("==", "\"concat\":[{" PAYLOAD("ip", "saddr") "},{" PAYLOAD("ip", "daddr") "}]",
		 "{\"set\":[{\"concat\":[{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}},"
		 "\"10.77.0.2\"]}]}") ACCEPT,
		"A~ N"},
};

START_TEST(nft_ports_of_data_connections)
{
	const struct rule_packet p = data_packet();

	for (size_t i = 0; i < ARRAY_SIZE(nft_data); i++)
		ck_assert_msg(
			strcmp(nft_ends(nft_data[i].expr, ADDR_IP4, &p), nft_data[i].ends) == 0,
			"%s: %s", nft_data[i].expr, ends);
}
END_TEST

static const struct {
	const char *value;
	uint32_t written;
} nft_marks[] = {
	{"1", 0xffffffff},
	{"{\"ct\":{\"key\":\"mark\"}}", 0},
	{"{\"meta\":{\"key\":\"mark\"}}", 0xffffffff},
	{"{\"|\":[{\"ct\":{\"key\":\"mark\"}},1]}", 1},
	{"{\"&\":[{\"ct\":{\"key\":\"mark\"}},4294967040]}", 0xff},
	{"{\"^\":[{\"ct\":{\"key\":\"mark\"}},6]}", 6},
	{"{\"|\":[{\"&\":[{\"ct\":{\"key\":\"mark\"}},4294967281]},1]}", 15},
	{"{\"|\":[{\"&\":[{\"meta\":{\"key\":\"mark\"}},511]},256]}", 0xffffffff},
	{"{\"|\":[{\"&\":[{\"ct\":{\"key\":\"mark\"}},4294967040]},{\"&\":[{\"meta\":{\"key\":"
	 "\"mark\"}},255]}]}",
		0xff},
	{"{\"map\":{\"key\":{\"meta\":{\"key\":\"iifname\"}},\"data\":\"@x\"}}", 0xffffffff},
};

START_TEST(nft_bits_of_the_connections_mark_that_are_written)
{
	const struct rule_packet p = packet();
	char expr[512];

	for (size_t i = 0; i < ARRAY_SIZE(nft_marks); i++) {
		const struct chain *c;

		snprintf(expr, sizeof(expr),
			"{\"mangle\":{\"key\":{\"ct\":{\"key\":\"mark\"}},\"value\":%s}}",
			nft_marks[i].value);
		ck_assert_str_eq(nft_ends(expr, ADDR_IP4, &p), "N");
		c = ruleset_find(&rs, "inet", "t", "f");
		ck_assert_msg(c->rule[0].connmark == nft_marks[i].written, "%s: 0x%x",
			nft_marks[i].value, (unsigned)c->rule[0].connmark);
	}
}
END_TEST

START_TEST(nft_chain_and_rule_say_where_they_are)
{
	const struct rule_packet p = packet();
	const struct chain *c;

	nft_ends("{\"drop\":null}", ADDR_IP6, &p);
	c = ruleset_find(&rs, "inet", "t", "f");
	ck_assert(c && c->hook == HOOK_FORWARD && c->priority == 5 && c->drops && c->n == 1);
	ck_assert_int_eq(c->rule[0].handle, 7);
	ck_assert_str_eq(c->rule[0].text, "the rule with handle 7 in chain inet t f of nft");
}
END_TEST

START_TEST(nft_tables_of_others_are_left_out)
{
	static const char text[] =
		"{\"nftables\":[{\"chain\":{\"family\":\"ip\",\"table\":\"filter\",\"name\":"
		"\"FORWARD\"}},"
		"{\"chain\":{\"family\":\"ip6\",\"table\":\"six\",\"name\":\"x\"}},"
		"{\"chain\":{\"family\":\"bridge\",\"table\":\"b\",\"name\":\"x\"}},"
		"{\"chain\":{\"family\":\"ip\",\"table\":\"own\",\"name\":\"x\"}}]}";
	struct ruleset iptables = {0};

	ruleset_free(&rs);
	ck_assert_int_eq(
		iptables_save_read("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", &iptables), 0);
	ck_assert_int_eq(nft_list_read(text, ADDR_IP4, &iptables, &rs), 0);
	ck_assert_uint_eq(rs.n, 1);
	ck_assert_str_eq(rs.chain[0].table, "own");
	ruleset_free(&iptables);
}
END_TEST

START_TEST(nft_garbage_is_refused)
{
	static const char *const texts[] = {"", "x", "[]", "{}", "{\"nftables\":1}"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct ruleset none = {0};

		ck_assert_int_eq(nft_list_read(texts[i], ADDR_IP4, NULL, &none), -EINVAL);
	}
	ruleset_free(&rs);
	ck_assert_int_eq(
		nft_list_read("{\"nftables\":[1,\"x\",{\"rule\":1},{\"rule\":{\"family\":\"ip\","
			      "\"expr\":[1,{}]}}]}",
			ADDR_IP4, NULL, &rs),
		0);
}
END_TEST

START_TEST(nft_tables_that_are_dormant)
{
	static const char listed[] =
		"table inet t {\n\tflags owner,dormant\n\n\tchain f {\n\t}\n}\n"
		"table ip filter {\n\tflags dormant\n}\ntable ip raw {\n\tflowtable x {\n\t}\n"
		"\tset s {\n\t\tflags interval\n\t\tcomment \"dormant\"\n\t}\n}\n";

	nft_ends("{\"drop\":null}", ADDR_IP4, &(struct rule_packet){.in = "wan"});
	ck_assert(
		ruleset_chain(&rs, "", "filter", "FORWARD") && ruleset_chain(&rs, "", "raw", "R"));
	nft_list_read_dormant(listed, ADDR_IP6, &rs);
	ck_assert(!ruleset_find(&rs, "", "filter", "FORWARD")->dormant);
	nft_list_read_dormant(listed, ADDR_IP4, &rs);
	ck_assert(ruleset_find(&rs, "", "filter", "FORWARD")->dormant);
	ck_assert(!ruleset_find(&rs, "", "raw", "R")->dormant);
	ck_assert_int_eq(ruleset_find(&rs, "inet", "t", "f")->hook, HOOK_ELSEWHERE);
	ck_assert_uint_eq(nft_list_count_flowtables(listed), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {rule_matches_what_it_says,
		what_is_not_known_of_a_packet_matches_some, ways_end_where_they_can,
		no_such_packet_comes_in_by_lo, data_connections_have_any_port_above_1023,
		what_is_not_understood_has_a_name, ipsets_are_looked_up, deep_chains_end,
		destination_of_dnat, targets_with_options, bits_are_left_alone_by_masks,
		bits_of_the_connections_mark_that_are_written, rule_as_words_for_a_shell,
		rule_that_is_too_long_can_be_anything, garbage_is_no_rules, nft_statements,
		nft_ports_of_data_connections, nft_bits_of_the_connections_mark_that_are_written,
		nft_chain_and_rule_say_where_they_are, nft_tables_of_others_are_left_out,
		nft_tables_that_are_dormant, nft_garbage_is_refused};

	return unit_run("ruleset", tests, ARRAY_SIZE(tests));
}
