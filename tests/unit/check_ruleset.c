/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ruleset.c - listings of iptables-save and nft as rules, and a packet's way through them
 *
 * The listings are as iptables 1.8.9 and nft 1.0.6 print them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The rules of FORWARD, behind which comes the jump to PASVD. */
static struct way way_behind(const char *rules, const struct rule_packet *p)
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
	return ruleset_way(&rs, ruleset_find(&rs, "", "filter", "FORWARD"), p, "PASVD");
}

static enum tri matches(const char *rule)
{
	struct rule_packet p = packet();
	char line[512];

	snprintf(line, sizeof(line), "-A FORWARD %s -j DROP\n", rule);
	way_behind(line, &p);
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
	{"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", TRI_MAYBE},
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
	{"-m conntrack --ctorigdst 203.0.113.1", TRI_MAYBE},
	{"-m conntrack --ctdir ORIGINAL", TRI_MAYBE},
	{"-m helper --helper sane", TRI_NO},
	{"-m set --match-set blocked src", TRI_MAYBE},
	{"-m set --match-set blocked src -i lan0", TRI_NO},
	{"-m comment --comment \"-p udp -j ACCEPT \\\" -i lan0\"", TRI_YES},
	{"-m comment --comment", TRI_MAYBE},
	{"-m limit --limit 1/sec", TRI_MAYBE},
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

START_TEST(what_is_not_known_of_a_packet_matches_perhaps)
{
	const struct rule_packet p = {.in = "wan", .state = STATE_RELATED};
	struct rule r = {.tcp = TRI_MAYBE, .dport = {1, {{1024, 65535}}, false}};

	ck_assert_int_eq(rule_matches(&r, &p), TRI_MAYBE);
	r.tcp = TRI_NO;
	ck_assert_int_eq(rule_matches(&r, &p), TRI_NO);
}
END_TEST

static const struct {
	const char *rules;
	enum rule_action end;
	bool sure;
	size_t index;
} ways[] = {
	{"", RULE_JUMP, true, 0},
	{"-A FORWARD -i lan0 -j DROP\n", RULE_JUMP, true, 1},
	{"-A FORWARD -j DROP\n", RULE_DROP, true, 0},
	{"-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n", RULE_DROP, true, 0},
	{"-A FORWARD -j LOG --log-prefix \"-j DROP\"\n-A FORWARD -j ACCEPT\n", RULE_ACCEPT, true,
		1},
	{"-A FORWARD -m set --match-set x src -j ACCEPT\n-A FORWARD -j DROP\n", RULE_DROP, false,
		1},
	{"-A FORWARD -m set --match-set x src -j LOG\n-A FORWARD -j DROP\n", RULE_DROP, true, 1},
	{"-A A -j DROP\n-A FORWARD -i wan -j A\n", RULE_DROP, true, 0},
	{"-A A -i wan -j RETURN\n-A A -j DROP\n-A FORWARD -j A\n", RULE_JUMP, true, 1},
	{"-A A -j RETURN\n-A FORWARD -g A\n", RULE_NONE, true, 0},
	{"-A B -j RETURN\n-A A -g B\n-A A -j DROP\n-A FORWARD -j A\n", RULE_JUMP, true, 1},
	{"-A A -j B\n-A B -j A\n-A FORWARD -j A\n", RULE_JUMP, false, 1},
	{"-A FORWARD -p tcp -j RETURN\n", RULE_NONE, true, 0},
	{"-A FORWARD -j NFQUEUE --queue-num 7 --queue-bypass\n", RULE_QUEUE, true, 0},
	{"-A FORWARD -j FUTURE --with x\n", RULE_JUMP, true, 1},
};

START_TEST(way_ends_where_it_must)
{
	const struct rule_packet p = packet();

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct way w = way_behind(ways[i].rules, &p);

		ck_assert_msg(w.end == ways[i].end && w.sure == ways[i].sure, "%s: %d %d",
			ways[i].rules, w.end, w.sure);
		ck_assert_msg(w.end == RULE_NONE || w.index == ways[i].index, "%s: %zu",
			ways[i].rules, w.index);
	}
}
END_TEST

START_TEST(deep_chains_end)
{
	const struct rule_packet p = packet();
	char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");
	struct way w;

	fputs("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j C0\n", out);
	for (int i = 0; i < 60; i++)
		fprintf(out, ":C%d - [0:0]\n-A C%d -j C%d\n", i, i, i + 1);
	fclose(out);
	ruleset_free(&rs);
	ck_assert_int_eq(iptables_save_read(text, &rs), 0);
	w = ruleset_way(&rs, ruleset_find(&rs, "", "filter", "FORWARD"), &p, "PASVD");
	ck_assert(w.end == RULE_NONE && !w.sure);
}
END_TEST

static const struct rule *target(const char *rule)
{
	const struct rule_packet p = packet();
	char line[512];

	snprintf(line, sizeof(line), "-A FORWARD %s\n", rule);
	way_behind(line, &p);
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
	struct way w;

	snprintf(text, sizeof(text),
		"*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m comment --comment \"%0*d\" -j "
		"ACCEPT\n-A "
		"FORWARD -j DROP\nCOMMIT\n",
		LONG, 0);
	ruleset_free(&rs);
	ck_assert_int_eq(iptables_save_read(text, &rs), 0);
	w = ruleset_way(&rs, ruleset_find(&rs, "", "filter", "FORWARD"), &p, "PASVD");
	ck_assert(w.end == RULE_DROP && !w.sure);
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

static struct way nft_way(const char *expr, enum addr_family family)
{
	struct rule_packet p = packet();
	char text[4096];

	ruleset_free(&rs);
	snprintf(text, sizeof(text),
		"{\"nftables\":[{\"metainfo\":{\"version\":\"1.0.6\"}},{\"table\":{\"family\":"
		"\"inet\","
		"\"name\":\"t\"}}," CHAIN(
			",") "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":"
			     "\"f\",\"handle\":7,\"expr\":[%s]}}]}",
		expr);
	p.helper = "sane";
	ck_assert_int_eq(nft_list_read(text, family, NULL, &rs), 0);
	return ruleset_way(&rs, ruleset_find(&rs, "inet", "t", "f"), &p, "PASVD");
}

#define ACCEPT ",{\"accept\":null}"
#define MATCH(op, left, right)                                                                     \
	"{\"match\":{\"op\":\"" op "\",\"left\":{" left "},\"right\":" right "}}"
#define META(key) "\"meta\":{\"key\":\"" key "\"}"
#define CT(key)   "\"ct\":{\"key\":\"" key "\"}"
#define PAYLOAD(protocol, field)                                                                   \
	"\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}"

static const struct {
	const char *expr;
	enum rule_action end;
	bool sure;
} nft[] = {
	{"{\"counter\":{\"packets\":0,\"bytes\":0}}" ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", META("l4proto"), "\"tcp\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", META("l4proto"), "{\"set\":[\"tcp\",\"udp\"]}") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", META("l4proto"), "\"udp\"") ACCEPT, RULE_NONE, true},
	{MATCH("!=", META("l4proto"), "\"tcp\"") ACCEPT, RULE_NONE, true},
	{MATCH("==", META("nfproto"), "\"ipv6\"") ACCEPT, RULE_NONE, true},
	{MATCH("==", META("nfproto"), "\"ipv4\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", META("iifname"), "\"wan\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", META("iifname"), "\"w*\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("!=", META("oifname"), "\"lan0\"") ACCEPT, RULE_NONE, true},
	{MATCH("==", META("iifname"), "{\"set\":[\"wan\",\"b\"]}") ACCEPT, RULE_NONE, false},
	{MATCH("==", META("mark"), "1") ACCEPT, RULE_NONE, false},
	{MATCH("in", CT("state"), "[\"established\",\"related\"]") ACCEPT, RULE_NONE, true},
	{MATCH("==", CT("state"), "{\"set\":[\"new\",\"related\"]}") ACCEPT, RULE_ACCEPT, true},
	{MATCH("in", CT("state"), "\"new\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("in", CT("status"), "\"dnat\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("in", CT("status"), "\"seen-reply\"") ACCEPT, RULE_NONE, false},
	{MATCH("==", CT("helper"), "\"sane\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", CT("helper"), "\"ftp\"") ACCEPT, RULE_NONE, true},
	{MATCH("==", "\"ct\":{\"key\":\"proto-dst\",\"dir\":\"original\"}", "21") ACCEPT,
		RULE_ACCEPT, true},
	{MATCH("==", "\"ct\":{\"key\":\"proto-dst\",\"dir\":\"reply\"}", "21") ACCEPT, RULE_NONE,
		false},
	{MATCH("==", PAYLOAD("ip", "daddr"), "\"10.77.0.2\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", PAYLOAD("ip", "saddr"), "{\"prefix\":{\"addr\":\"198.51.100.0\",\"len\":24}}")
			ACCEPT,
		RULE_ACCEPT, true},
	{MATCH("==", PAYLOAD("ip", "saddr"), "{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}}")
			ACCEPT,
		RULE_NONE, true},
	{MATCH("==", PAYLOAD("ip", "saddr"), "\"@set\"") ACCEPT, RULE_NONE, false},
	{MATCH("==", PAYLOAD("ip", "protocol"), "\"tcp\"") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", PAYLOAD("ip6", "daddr"), "\"fd00::2\"") ACCEPT, RULE_NONE, true},
	{MATCH("==", PAYLOAD("tcp", "dport"), "{\"set\":[20,21,{\"range\":[1000,2000]}]}") ACCEPT,
		RULE_ACCEPT, true},
	{MATCH("==", PAYLOAD("th", "dport"), "{\"range\":[22,2000]}") ACCEPT, RULE_NONE, true},
	{MATCH("!=", PAYLOAD("tcp", "dport"), "80") ACCEPT, RULE_ACCEPT, true},
	{MATCH("==", PAYLOAD("udp", "dport"), "21") ACCEPT, RULE_NONE, true},
	{MATCH("in", PAYLOAD("tcp", "flags"), "\"syn\"") ACCEPT, RULE_NONE, false},
	{"{\"vmap\":{\"key\":{" CT(
		 "state") "},\"data\":{\"set\":[[\"established\",{\"accept\":null}],["
			  "\"new\",{\"drop\":null}]]}}}",
		RULE_DROP, true},
	{"{\"vmap\":{\"key\":{" CT(
		 "state") "},\"data\":{\"set\":[[\"established\",{\"drop\":null}],["
			  "\"related\",{\"accept\":null}]]}}}",
		RULE_NONE, true},
	{"{\"vmap\":{\"key\":{" CT("state") "},\"data\":\"@map\"}}" ACCEPT, RULE_NONE, false},
	{"{\"limit\":{\"rate\":1,\"per\":\"second\"}}" ACCEPT, RULE_NONE, false},
	{"{\"jump\":{\"target\":\"gone\"}}", RULE_NONE, false},
	{"{\"xt\":{\"type\":\"target\",\"name\":\"DROP\"}}", RULE_NONE, true},
	{"{\"flow\":{\"op\":\"add\",\"flowtable\":\"@f\"}}", RULE_NONE, true},
	{"{\"queue\":{\"num\":7,\"flags\":\"bypass\"}}", RULE_QUEUE, true},
	{"{\"queue\":{\"num\":{\"range\":[0,3]}}}", RULE_NONE, false},
};

START_TEST(nft_statements)
{
	for (size_t i = 0; i < ARRAY_SIZE(nft); i++) {
		struct way w = nft_way(nft[i].expr, ADDR_IP4);

		ck_assert_msg(w.end == nft[i].end && w.sure == nft[i].sure, "%s: %d %d",
			nft[i].expr, w.end, w.sure);
	}
}
END_TEST

START_TEST(nft_chain_and_rule_say_where_they_are)
{
	const struct chain *c;

	nft_way("{\"drop\":null}", ADDR_IP6);
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

int main(void)
{
	const TTest *const tests[] = {rule_matches_what_it_says,
		what_is_not_known_of_a_packet_matches_perhaps, way_ends_where_it_must,
		deep_chains_end, destination_of_dnat, targets_with_options,
		bits_are_left_alone_by_masks, bits_of_the_connections_mark_that_are_written,
		rule_as_words_for_a_shell, rule_that_is_too_long_can_be_anything,
		garbage_is_no_rules, nft_statements, nft_chain_and_rule_say_where_they_are,
		nft_tables_of_others_are_left_out, nft_garbage_is_refused};

	return unit_run("ruleset", tests, ARRAY_SIZE(tests));
}
