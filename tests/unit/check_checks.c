/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_checks.c - what `pasvd check` makes of facts: saved listings in, findings out
 *
 * A target's expected rules and those that are loaded are texts of iptables-save, as in life.
 * tests/lab/test_check.py has the real router; here is what is hard to bring about there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "iptables_save.h"
#include "nft_list.h"
#include "unit.h"

#define RAW       "*raw\n:PREROUTING ACCEPT [0:0]\n:PASVD - [0:0]\n"
#define RAW_RULES "-A PASVD -i wan -p tcp -m tcp --dport 21 -j CT --helper sane\n"
#define MANGLE    "*mangle\n:PREROUTING ACCEPT [0:0]\n:PASVD - [0:0]\n"
#define MANGLE_RULES                                                                               \
	"-A PASVD -p tcp -m conntrack --ctstate ESTABLISHED --ctorigdstport 21 -m conntrack "      \
	"--ctstate DNAT "                                                                          \
	"-m bpf --bytecode "                                                                       \
	"\"1,6 0 0 65535\" -j NFQUEUE --queue-num 21 --queue-bypass\n"
#define NAT       "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:PASVD - [0:0]\n"
#define NAT_RULES "-A PASVD -i wan -p tcp -m tcp --dport 21 -j DNAT --to-destination 10.77.0.2:21\n"
#define FILTER    "*filter\n:FORWARD DROP [0:0]\n:PASVD - [0:0]\n"
#define FILTER_RULES                                                                               \
	"-A PASVD -d 10.77.0.2/32 -i wan -p tcp -m tcp --dport 21 -m conntrack --ctstate "         \
	"NEW,ESTABLISHED "                                                                         \
	"--ctorigdstport 21 "                                                                      \
	"-m conntrack --ctstate DNAT -j ACCEPT\n"                                                  \
	"-A PASVD -p tcp -m conntrack --ctstate RELATED,ESTABLISHED -m helper --helper sane -j "   \
	"ACCEPT\n"
#define JUMP        "-A PREROUTING -p tcp -m tcp --dport 21 -j PASVD\n"
#define MANGLE_JUMP "-A PREROUTING -p tcp -m conntrack --ctorigdstport 21 -j PASVD\n"
#define FORWARD_JUMP                                                                               \
	"-A FORWARD -p tcp -m conntrack --ctstatus EXPECTED -j PASVD\n"                            \
	"-A FORWARD -p tcp -m conntrack --ctorigdstport 21 -j PASVD\n"                             \
	"-A FORWARD -p icmp -m conntrack --ctstate RELATED -j PASVD\n"
#define COMMIT "COMMIT\n"

#define WHOLE                                                                                      \
	RAW JUMP RAW_RULES COMMIT MANGLE MANGLE_JUMP MANGLE_RULES COMMIT NAT JUMP NAT_RULES COMMIT \
		FILTER FORWARD_JUMP FILTER_RULES COMMIT

#define FORWARD_FIX(match)                                                                         \
	"iptables -t filter -D FORWARD " match                                                     \
	" -j PASVD && iptables -t filter -I FORWARD 1 " match " -j PASVD"

static struct facts f;
static struct report r;

/* A router on which `loaded` is loaded, and WHOLE should be. */
static void router(const char *loaded)
{
	struct target *t = &f.target[0];

	ruleset_free(&f.filter[0].rules);
	ruleset_free(&t->expected);
	f = (struct facts){.n_filters = 1, .n_targets = 1, .loader = "pasvd rules"};
	r = (struct report){0};
	snprintf(f.filter[0].command, sizeof(f.filter[0].command), "iptables");
	f.filter[0].family = ADDR_IP4;
	ck_assert_int_eq(iptables_save_read(loaded, &f.filter[0].rules), 0);
	*t = (struct target){.family = ADDR_IP4,
		.own = "PASVD",
		.filter = &f.filter[0],
		.loaded = true,
		.known = true,
		.options = "--wan wan --server 10.77.0.2",
		.expected_known = true,
		.inside = "lan0"};
	ck_assert_int_eq(iptables_save_read(WHOLE, &t->expected), 0);
	t->service = service_of(&t->expected, ADDR_IP4, "PASVD");
}

static void check_all(void)
{
	check_rules(&f, &r);
	check_way(&f, &r);
	check_open(&f, &r);
}

static void well(void)
{
	check_all();
	for (size_t i = 0; i < r.n; i++)
		ck_assert_msg(r.finding[i].severity == SEVERITY_OK, "%s", r.finding[i].what);
	ck_assert_int_eq(report_status(&r), 0);
}

/* The only finding that is not good; its text begins so. */
static const struct finding *only(enum severity severity, const char *what)
{
	const struct finding *found = &r.spare;
	size_t n = 0;

	for (size_t i = 0; i < r.n; i++) {
		if (r.finding[i].severity != SEVERITY_OK) {
			found = &r.finding[i];
			n++;
		}
	}
	ck_assert_msg(n == 1 && found->severity == severity, "%zu: %s", n, found->what);
	ck_assert_msg(strncmp(found->what, what, strlen(what)) == 0, "%s", found->what);
	return found;
}

static const struct finding *one_that_says(enum severity severity, const char *what)
{
	for (size_t i = 0; i < r.n; i++) {
		if (r.finding[i].severity == severity &&
			strncmp(r.finding[i].what, what, strlen(what)) == 0)
			return &r.finding[i];
	}
	ck_abort_msg("nothing says %s", what);
}

START_TEST(whole_rules_are_well)
{
	router(WHOLE);
	well();
}
END_TEST

/* With a ct helper of our own. */
#define OWN_RAW_RULES                                                                              \
	"-A PASVD -i wan -p tcp -m tcp --dport 21 ! --tcp-flags FIN,SYN,RST,ACK SYN -m bpf "       \
	"--bytecode "                                                                              \
	"\"1,6 0 0 65535\" -j NFQUEUE --queue-num 21 --queue-bypass\n"                             \
	"-A PASVD -s 10.77.0.2/32 -p tcp -m tcp --sport 21 ! --tcp-flags FIN,SYN,RST,ACK SYN -m "  \
	"bpf "                                                                                     \
	"--bytecode \"1,6 0 0 65535\" -j NFQUEUE --queue-num 21 --queue-bypass\n"                  \
	"-A PASVD -i wan -p tcp -m tcp --dport 21 -j CT --helper pasvd\n"
#define OWN_WHOLE(mangle)                                                                          \
	RAW JUMP OWN_RAW_RULES COMMIT MANGLE mangle COMMIT NAT JUMP NAT_RULES COMMIT FILTER        \
		FORWARD_JUMP FILTER_RULES COMMIT
#define OTHER_QUEUE ":FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -j NFQUEUE --queue-num 5\n"

static void own_router(const char *loaded, const char *expected)
{
	struct target *t = &f.target[0];

	router(loaded);
	ruleset_free(&t->expected);
	ck_assert_int_eq(iptables_save_read(expected, &t->expected), 0);
	t->service = service_of(&t->expected, ADDR_IP4, "PASVD");
	ck_assert(t->service.before_conntrack && t->service.queue[0] == 21);
}

START_TEST(whole_rules_with_a_ct_helper_of_our_own_are_well)
{
	own_router(OWN_WHOLE(JUMP), OWN_WHOLE(JUMP));
	well();
}
END_TEST

START_TEST(other_queue_does_harm_with_a_ct_helper_of_our_own_only)
{
	router(RAW JUMP RAW_RULES COMMIT MANGLE OTHER_QUEUE MANGLE_JUMP MANGLE_RULES COMMIT NAT JUMP
			NAT_RULES COMMIT FILTER FORWARD_JUMP FILTER_RULES COMMIT);
	well();
	own_router(OWN_WHOLE(OTHER_QUEUE JUMP), OWN_WHOLE(JUMP));
	check_all();
	only(SEVERITY_WARNING,
		"ipv4: \"-A FORWARD -p tcp -j NFQUEUE --queue-num 5\" of table mangle (iptables) "
		"sends control connections to queue 5");
	own_router(
		OWN_WHOLE("-A PREROUTING -p tcp -j NFQUEUE --queue-num 5\n" JUMP), OWN_WHOLE(JUMP));
	check_all();
	only(SEVERITY_WARNING,
		"ipv4: \"-A PREROUTING -p tcp -j NFQUEUE --queue-num 5\" of table mangle");
}
END_TEST

/* There the rules in mangle mark what conntrack meets in its middle, and the queue is elsewhere. */
START_TEST(rule_that_hides_marks_is_told_with_a_ct_helper_of_our_own)
{
	const struct finding *found;

	own_router(OWN_WHOLE("-A PREROUTING -i wan -j ACCEPT\n" JUMP), OWN_WHOLE(JUMP));
	check_all();
	found = only(SEVERITY_WARNING,
		"ipv4: \"-A PREROUTING -i wan -j ACCEPT\" of table mangle is before pasvd's "
		"rules");
	ck_assert_ptr_nonnull(
		strstr(found->why, "that conntrack meets in its middle gets no mark"));
	ck_assert_ptr_nonnull(strstr(found->fix, "-t mangle "));
	own_router(OWN_WHOLE("-A PREROUTING -i wan -p udp -j ACCEPT\n"
			     "-A PREROUTING -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
			     "-A PREROUTING -i lan0 -j ACCEPT\n" JUMP),
		OWN_WHOLE(JUMP));
	well();
}
END_TEST

/* The server's answer to a SYN carries no data, so it is not queued and goes on in raw. */
START_TEST(drop_behind_the_queue_in_raw_drops_what_carries_no_data)
{
#define RAW_WITH(rules)                                                                            \
	RAW JUMP "-A PREROUTING -p tcp -m tcp --sport 21 -j PASVD\n" rules OWN_RAW_RULES COMMIT    \
		MANGLE JUMP COMMIT NAT JUMP NAT_RULES COMMIT FILTER FORWARD_JUMP FILTER_RULES      \
			COMMIT

	own_router(RAW_WITH("-A PREROUTING -p tcp -m tcp --sport 21 -j DROP\n"), RAW_WITH(""));
	check_all();
	only(SEVERITY_ERROR,
		"ipv4: \"-A PREROUTING -p tcp -m tcp --sport 21 -j DROP\" of table raw "
		"(iptables) drops the server's replies");
	own_router(RAW_WITH("-A PREROUTING -s 10.77.0.9/32 -p tcp -m tcp --sport 21 -j DROP\n"),
		RAW_WITH(""));
	well();
}
END_TEST

/* In mangle nothing of pasvd's ends a packet's way any more. */
START_TEST(marks_are_restored_with_a_ct_helper_of_our_own)
{
	own_router(OWN_WHOLE(JUMP "-A PREROUTING -j CONNMARK --restore-mark\n"), OWN_WHOLE(JUMP));
	well();
}
END_TEST

START_TEST(service_is_read_off_the_rules)
{
	char options[OPTIONS_MAX];
	const struct service *s = &f.target[0].service;

	router(WHOLE);
	ck_assert_str_eq(s->wan[0], "wan");
	ck_assert_str_eq(s->ct_helper, "sane");
	ck_assert(s->n_wans == 1 && s->n_ports == 1 && s->n_queues == 1 && s->queue[0] == 21 &&
		  !s->lan[0]);
	service_options(s, 21, options, sizeof(options));
	ck_assert_str_eq(options, "--wan wan --server 10.77.0.2");
	service_options(s, 5, options, sizeof(options));
	ck_assert_str_eq(options, "--wan wan --server 10.77.0.2 --queue 21");
	service_options(s, -1, options, 10);
	ck_assert_str_eq(options, "");
}
END_TEST

START_TEST(service_is_read_off_half_of_the_rules)
{
	char options[OPTIONS_MAX];

	router(NAT NAT_RULES COMMIT);
	f.target[0].service = service_of(&f.filter[0].rules, ADDR_IP4, "PASVD");
	service_options(&f.target[0].service, 21, options, sizeof(options));
	ck_assert_str_eq(options, "--wan wan --server 10.77.0.2");
	router(FILTER FILTER_RULES COMMIT);
	f.target[0].service = service_of(&f.filter[0].rules, ADDR_IP4, "PASVD");
	service_options(&f.target[0].service, 21, options, sizeof(options));
	ck_assert_str_eq(options, "--wan wan --server 10.77.0.2");
	ck_assert(!service_any(&(struct service){0}));
	router(NAT NAT_RULES "-A PASVD -i dsl -p tcp -m tcp --dport 2121 -j DNAT --to-destination "
			     "10.77.0.3:21\n" COMMIT);
	f.target[0].service = service_of(&f.filter[0].rules, ADDR_IP4, "PASVD");
	service_options(&f.target[0].service, 21, options, sizeof(options));
	ck_assert_str_eq(options,
		"--wan wan --wan dsl --server 10.77.0.2 --server 10.77.0.3 --port 2121:21");
}
END_TEST

START_TEST(server_of_others_is_read_off_the_rules)
{
	static const char before_conntrack[] =
		RAW "-A PASVD -i wan -p tcp -m tcp --dport 21 -j CT --helper pasvd\n"
		    "-A PASVD -i wan -p tcp -m tcp --dport 2121 -j CT --helper pasvd\n"
		    "-A PASVD -p tcp -m tcp --sport 21 -j NFQUEUE --queue-num 21\n"
		    "-A PASVD -p tcp -m tcp --sport 2100 -j NFQUEUE --queue-num 21\n" COMMIT;
	char options[OPTIONS_MAX];

	router(RAW RAW_RULES COMMIT MANGLE MANGLE_RULES COMMIT);
	f.target[0].service = service_of(&f.filter[0].rules, ADDR_IP4, "PASVD");
	ck_assert(service_any(&f.target[0].service));
	service_options(&f.target[0].service, 21, options, sizeof(options));
	ck_assert_str_eq(options, "--wan wan --server any");
	router(before_conntrack);
	f.target[0].service = service_of(&f.filter[0].rules, ADDR_IP6, "PASVD");
	service_options(&f.target[0].service, 21, options, sizeof(options));
	ck_assert_str_eq(options, "--wan wan --server any --port 21 --port 2121:2100 -6");
	router(RAW RAW_RULES COMMIT);
	f.target[0].service = service_of(&f.filter[0].rules, ADDR_IP4, "PASVD");
	ck_assert(!service_any(&f.target[0].service));
}
END_TEST

START_TEST(rule_that_is_missing_is_named)
{
	const struct finding *found;

	router(RAW JUMP COMMIT MANGLE MANGLE_JUMP MANGLE_RULES COMMIT NAT JUMP NAT_RULES COMMIT
			FILTER FORWARD_JUMP FILTER_RULES COMMIT);
	check_rules(&f, &r);
	found = only(SEVERITY_ERROR,
		"ipv4: chain PASVD of table raw lacks the rule -A PASVD -i wan -p tcp");
	ck_assert_str_eq(found->fix, "pasvd rules load --wan wan --server 10.77.0.2");
	ck_assert_str_eq(found->advice, "");
}
END_TEST

START_TEST(command_of_the_other_kind_and_another_configuration)
{
	router(RAW COMMIT);
	snprintf(f.filter[0].command, sizeof(f.filter[0].command), "iptables-legacy");
	snprintf(f.config, sizeof(f.config), " --config /x");
	check_rules(&f, &r);
	ck_assert_str_eq(r.finding[0].fix, "IPTABLES=iptables-legacy pasvd rules load --wan wan "
					   "--server 10.77.0.2 --config /x");
}
END_TEST

START_TEST(rules_under_another_name_are_mended_by_hand)
{
	router(RAW COMMIT);
	snprintf(f.target[0].own, sizeof(f.target[0].own), "PASVD2");
	f.target[0].loaded = false;
	check_rules(&f, &r);
	ck_assert(!*only(SEVERITY_ERROR, "ipv4: none is loaded")->fix && *r.finding[0].advice);
}
END_TEST

START_TEST(rules_that_cannot_be_compared_are_said_to_be_unseen)
{
	router(WHOLE);
	f.target[0].expected_known = false;
	snprintf(f.target[0].complaint, sizeof(f.target[0].complaint), "no ct helper");
	check_all();
	only(SEVERITY_UNSEEN, "ipv4: whether they are whole: no ct helper");
	ck_assert_int_eq(report_status(&r), 3);
}
END_TEST

/* In front of the jump in FORWARD; what is said of them, NULL: nothing. */
static const struct {
	const char *rules;
	enum severity severity;
	const char *said;
} in_front[] = {
	{"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", SEVERITY_WARNING,
		"ipv4: \"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\" of "
		"table filter is before pasvd's rules"},
	{"-A FORWARD -i wan -j ACCEPT\n", SEVERITY_WARNING,
		"ipv4: \"-A FORWARD -i wan -j ACCEPT\" of table filter is before pasvd's rules"},
	{"-A FORWARD -s 192.0.2.0/24 -j ACCEPT\n-A FORWARD -p tcp -m tcp --dport 3306 -j DROP\n",
		SEVERITY_WARNING, "ipv4: \"-A FORWARD -s 192.0.2.0/24 -j ACCEPT\""},
	{"-A FORWARD -m limit --limit 900/sec -j ACCEPT\n-A FORWARD -s 192.0.2.0/24 -j DROP\n",
		SEVERITY_WARNING, "ipv4: \"-A FORWARD -m limit --limit 900/sec -j ACCEPT\""},
	{"-A FORWARD -i wan -m conntrack --ctstate NEW -j ACCEPT\n", SEVERITY_OK, NULL},
	{"-A FORWARD -p udp -j ACCEPT\n", SEVERITY_OK, NULL},
	{"-A FORWARD -m conntrack --ctstate INVALID -j DROP\n", SEVERITY_OK, NULL},
	{"-A FORWARD -i lan9 -j DROP\n", SEVERITY_OK, NULL},
	{"-A FORWARD -d 10.77.0.3/32 -j DROP\n", SEVERITY_OK, NULL},
	{"-A FORWARD -s 192.0.2.0/24 -j DROP\n", SEVERITY_OK, NULL},
	{"-A FORWARD -i wan -p tcp -m tcp ! --dport 21 -m conntrack --ctstate NEW -j DROP\n",
		SEVERITY_OK, NULL},
	{"-A FORWARD -i wan -p tcp -m tcp --dport 21 -j DROP\n", SEVERITY_ERROR,
		"ipv4: \"-A FORWARD -i wan -p tcp -m tcp --dport 21 -j DROP\""},
	{"-A FORWARD -i lan0 -o wan -j REJECT\n", SEVERITY_ERROR,
		"ipv4: \"-A FORWARD -i lan0 -o wan -j REJECT\""},
	{"-A FORWARD -m conntrack --ctstate RELATED -j DROP\n", SEVERITY_ERROR,
		"ipv4: \"-A FORWARD -m conntrack --ctstate RELATED"},
};

/* The matches of the jumps from FORWARD. */
#define DATA    "-p tcp -m conntrack --ctstatus EXPECTED"
#define CONTROL "-p tcp -m conntrack --ctorigdstport 21"
#define RELATED "-p icmp -m conntrack --ctstate RELATED"

START_TEST(rules_in_front_of_the_jump)
{
	for (size_t i = 0; i < ARRAY_SIZE(in_front); i++) {
		char text[4096];

		snprintf(text, sizeof(text), "%s" FILTER "%s" FORWARD_JUMP FILTER_RULES COMMIT,
			RAW JUMP RAW_RULES COMMIT MANGLE MANGLE_JUMP MANGLE_RULES COMMIT NAT JUMP
				NAT_RULES COMMIT,
			in_front[i].rules);
		router(text);
		if (!in_front[i].said) {
			well();
			continue;
		}
		check_all();
		ck_assert_str_eq(only(in_front[i].severity, in_front[i].said)->fix,
			FORWARD_FIX(RELATED) " && " FORWARD_FIX(CONTROL) " && " FORWARD_FIX(DATA));
	}
}
END_TEST

/* The same for what is not certain: what is said, and why. */
static const struct {
	const char *rules, *said, *why;
} unsure_in_front[] = {
	{"-A FORWARD -m set --match-set blocked src -j DROP\n",
		"ipv4: \"-A FORWARD -m set --match-set blocked src -j DROP\" of table filter "
		"(iptables) may drop a client's connection",
		"what \"-A FORWARD -m set --match-set blocked src -j DROP\" of table filter "
		"(iptables) matches or does is not understood: the ipset blocked"},
	{"-A FORWARD -m set --match-set friends src -j ACCEPT\n-A FORWARD -j DROP\n",
		"ipv4: \"-A FORWARD -j DROP\" of table filter (iptables) may drop a client's",
		"what \"-A FORWARD -m set --match-set friends"},
	{"-A FORWARD -j STRANGE --with x\n",
		"ipv4: \"-A FORWARD -j STRANGE --with x\" of table filter (iptables) may keep",
		"what \"-A FORWARD -j STRANGE"},
	{"-A FORWARD -p tcp -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
	 "-A FORWARD -p tcp -m tcp --dport 21 -j ACCEPT\n"
	 "-A FORWARD -p tcp -m tcp --dport 50000:51000 -j ACCEPT\n-A FORWARD -i wan -j DROP\n",
		"ipv4: \"-A FORWARD -i wan -j DROP\" of table filter (iptables) may drop a data "
		"connection to the server",
		"that depends on its port: \"-A FORWARD -p tcp -m tcp --dport 50000:51000"},
};

START_TEST(rules_in_front_of_the_jump_that_are_not_certain)
{
	for (size_t i = 0; i < ARRAY_SIZE(unsure_in_front); i++) {
		const char *why = unsure_in_front[i].why;
		const struct finding *found;
		char text[4096];

		snprintf(text, sizeof(text), "%s" FILTER "%s" FORWARD_JUMP FILTER_RULES COMMIT,
			RAW JUMP RAW_RULES COMMIT MANGLE MANGLE_JUMP MANGLE_RULES COMMIT NAT JUMP
				NAT_RULES COMMIT,
			unsure_in_front[i].rules);
		router(text);
		check_all();
		found = one_that_says(SEVERITY_UNSURE, unsure_in_front[i].said);
		ck_assert_msg(strncmp(found->why, why, strlen(why)) == 0, "%s", found->why);
		ck_assert_int_eq(report_status(&r), 3);
		for (size_t j = 0; j < r.n; j++)
			ck_assert_ptr_null(strstr(r.finding[j].what, "nothing takes those"));
	}
}
END_TEST

START_TEST(rules_for_some_are_a_choice_that_is_said)
{
	router(RAW JUMP RAW_RULES COMMIT MANGLE MANGLE_JUMP MANGLE_RULES COMMIT NAT JUMP NAT_RULES
			COMMIT FILTER "-A FORWARD -s 192.0.2.0/24 -p tcp -m tcp --dport 21 -j "
				      "ACCEPT\n-A FORWARD -i wan -p tcp -m tcp --dport 21 -j "
				      "DROP\n" FORWARD_JUMP FILTER_RULES COMMIT);
	check_all();
	only(SEVERITY_WARNING, "ipv4: \"-A FORWARD -s 192.0.2.0/24");
	ck_assert_msg(strstr(r.finding[1].what, "lets some get by"), "%s", r.finding[1].what);
}
END_TEST

START_TEST(second_server_in_front_does_no_harm)
{
	router(RAW ":PASVD2 - [0:0]\n-A PREROUTING -j PASVD2\n" JUMP RAW_RULES
		   "-A PASVD2 -i wan -p tcp -m tcp --dport 21 -j CT --helper sane\n" COMMIT MANGLE
		   ":PASVD2 - [0:0]\n-A PREROUTING -j PASVD2\n" MANGLE_JUMP MANGLE_RULES
		   "-A PASVD2 -p tcp -j NFQUEUE --queue-num 21\n" COMMIT);
	check_way(&f, &r);
	ck_assert_int_eq(report_status(&r), 0);
	router(RAW ":PASVD2 - [0:0]\n-A PREROUTING -j PASVD2\n" JUMP RAW_RULES
		   "-A PASVD2 -i wan -p tcp -m tcp --dport 21 -j CT --helper ftp\n" COMMIT);
	check_way(&f, &r);
	only(SEVERITY_ERROR, "ipv4: \"-A PASVD2 -i wan");
}
END_TEST

START_TEST(ranges_that_lead_to_the_server)
{
	static const struct {
		const char *rule;
		bool blanket;
	} rules[] = {
		{"-p tcp -m tcp --dport 1024:65535 -j DNAT --to-destination 10.77.0.2", true},
		{"-i wan -p tcp -m tcp --dport 50000:50099 -j DNAT --to-destination 10.77.0.2",
			true},
		{"-i wan -p tcp -m tcp --dport 50000:50098 -j DNAT --to-destination 10.77.0.2",
			false},
		{"-i wan -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.77.0.2", false},
		{"-i wan -p tcp -m multiport --dports 80,443,5000:6000 -j DNAT --to-destination "
		 "10.77.0.2",
			true},
		{"-i wan -p udp -m udp --dport 1024:65535 -j DNAT --to-destination 10.77.0.2",
			false},
		{"-i wan -p tcp -m tcp --dport 1024:65535 -j DNAT --to-destination 10.77.0.3",
			false},
		{"-i lan0 -p tcp -m tcp --dport 1024:65535 -j DNAT --to-destination 10.77.0.2",
			false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		char text[4096], fix[256];

		snprintf(
			text, sizeof(text), WHOLE "*nat\n-A PREROUTING %s\n" COMMIT, rules[i].rule);
		snprintf(fix, sizeof(fix), "iptables -t nat -D PREROUTING %s", rules[i].rule);
		router(text);
		check_open(&f, &r);
		if (rules[i].blanket)
			ck_assert_str_eq(only(SEVERITY_WARNING, "\"-A PREROUTING")->fix, fix);
		else
			ck_assert_int_eq((int)report_count(&r, SEVERITY_OK), 1);
	}
}
END_TEST

/* Whoever may name chains must not be able to have an administrator's shell do something. */
START_TEST(names_that_are_not_plain_are_not_put_into_commands)
{
	static const char nft[] =
		"{\"nftables\":[{\"chain\":{\"family\":\"ip\",\"table\":\"t;reboot\",\"name\":"
		"\"f\","
		"\"type\":\"filter\",\"hook\":\"forward\",\"prio\":0,\"policy\":\"drop\"}}]}";

	router(WHOLE
		"*nat\n:$(reboot) - [0:0]\n-A $(reboot) -p tcp -m tcp --dport 1024:65535 -j DNAT "
		"--to-destination "
		"10.77.0.2\n" COMMIT);
	check_open(&f, &r);
	ck_assert_str_eq(only(SEVERITY_WARNING, "\"-A $(reboot)")->fix, "");
	router(WHOLE);
	f.n_filters = 2;
	f.filter[1].family = ADDR_IP4;
	snprintf(f.filter[1].command, sizeof(f.filter[1].command), "nft");
	ck_assert_int_eq(nft_list_read(nft, ADDR_IP4, NULL, &f.filter[1].rules), 0);
	check_way(&f, &r);
	ck_assert_str_eq(r.finding[0].fix, "");
	ck_assert_msg(strstr(r.finding[0].what, "the policy of chain ip t;reboot f"), "%s",
		r.finding[0].what);
	ruleset_free(&f.filter[1].rules);
}
END_TEST

/* --- numbers --- */

static void fresh(void)
{
	r = (struct report){0};
}

START_TEST(tables_that_are_nearly_full)
{
	static const struct {
		long count, max;
		enum severity severity;
	} rooms[] = {{0, 100, SEVERITY_OK}, {89, 100, SEVERITY_OK}, {90, 100, SEVERITY_WARNING},
		{99, 100, SEVERITY_WARNING}, {100, 100, SEVERITY_ERROR}, {-1, 100, SEVERITY_UNSEEN},
		{5, -1, SEVERITY_UNSEEN}};

	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		fresh();
		check_room(
			&r, "expectations", "expectations", "net.x", rooms[i].count, rooms[i].max);
		ck_assert_int_eq(r.finding[0].severity, rooms[i].severity);
		if (rooms[i].severity >= SEVERITY_WARNING)
			ck_assert_str_eq(r.finding[0].fix, "sysctl -w net.x=200");
	}
}
END_TEST

START_TEST(forwarding_and_timeouts)
{
	fresh();
	check_timeout(&r, 7440);
	check_timeout(&r, -1);
	ck_assert_uint_eq(r.n, 0);
	check_timeout(&r, 7439);
	only(SEVERITY_WARNING, "net.netfilter.nf_conntrack_tcp_timeout_established is 7439");
	fresh();
	check_forwarding(&r, "", "net.ipv4.ip_forward", 0, "");
	ck_assert_str_eq(only(SEVERITY_ERROR, "net.ipv4.ip_forward is off")->fix,
		"sysctl -w net.ipv4.ip_forward=1");
	fresh();
	check_forwarding(&r, "a;reboot", "net.ipv4.conf.a;reboot.forwarding", 0, "");
	ck_assert_str_eq(only(SEVERITY_ERROR, "net.ipv4.conf.a;reboot.forwarding is off")->fix, "");
	fresh();
	check_forwarding(
		&r, "", "net.ipv6.conf.all.forwarding", 0, "net.ipv6.conf.wan.accept_ra=2");
	ck_assert_str_eq(only(SEVERITY_ERROR, "net.ipv6.conf.all.forwarding is off")->fix,
		"sysctl -w net.ipv6.conf.wan.accept_ra=2 && sysctl -w "
		"net.ipv6.conf.all.forwarding=1");
	fresh();
	check_forwarding(&r, "", "net.ipv4.ip_forward", -1, "");
	only(SEVERITY_UNSEEN, "net.ipv4.ip_forward");
}
END_TEST

/* --- queue --- */

START_TEST(what_does_no_harm_is_named_where_it_is)
{
	r = (struct report){0};
	check_auto_helper(&r, 0, true);
	check_auto_helper(&r, -1, true);
	check_bridge(&r, "net.bridge.bridge-nf-call-iptables", 0);
	check_flowtables(&r, 0);
	ck_assert_uint_eq(r.n, 0);
	check_auto_helper(&r, 1, false);
	check_bridge(&r, "net.bridge.bridge-nf-call-iptables", 1);
	check_flowtables(&r, 2);
	ck_assert_uint_eq(report_count(&r, SEVERITY_OK), 3);
	check_auto_helper(&r, 1, true);
	ck_assert_str_eq(only(SEVERITY_WARNING, "net.netfilter.nf_conntrack_helper is 1")->fix,
		"sysctl -w net.netfilter.nf_conntrack_helper=0");
}
END_TEST

START_TEST(queue_lines)
{
	struct queue_counters q;

	ck_assert(queue_parse("   21   1234     2 2 65531     3     4      100  1\n", &q));
	ck_assert(q.number == 21 && q.portid == 1234 && q.waiting == 2 && q.mode == 2 &&
		  q.dropped == 3 && q.undelivered == 4 && q.seen == 100);
	ck_assert(!queue_parse("", &q) && !queue_parse("21 1 2\n", &q) &&
		  !queue_parse("x 1 2 3 4 5 6 7\n", &q));
}
END_TEST

/* More lines than are read at once; the last one is the queue's, and the file is read anew. */
START_TEST(a_queue_is_found_among_many_and_again)
{
	FILE *file = tmpfile();
	struct queue_counters q = {.waiting = 99};
	long at;

	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 1000; i++)
		fprintf(file, "%5d      7     1 2 65531     0     0        1  1\n", i + 100);
	fflush(file);
	at = ftell(file);
	ck_assert(!queue_counters_read(fileno(file), 21, &q));
	ck_assert(!queue_counters_read(-1, 100, &q));
	ck_assert_uint_eq(q.waiting, 99);
	for (unsigned waiting = 2; waiting < 4; waiting++) {
		fseek(file, at, SEEK_SET);
		fprintf(file, "%5d      8     %u 2 65531     3     4       10  1\n", 21, waiting);
		fflush(file);
		ck_assert(queue_counters_read(fileno(file), 21, &q));
		ck_assert_uint_eq(q.waiting, waiting);
		ck_assert_uint_eq(q.dropped, 3);
		ck_assert_uint_eq(q.undelivered, 4);
	}
	fclose(file);
}
END_TEST

static enum severity of_queue(const char *first, const char *then, const char *holder)
{
	struct queue_facts q = {.number = 21, .bound = true};

	fresh();
	ck_assert(queue_parse(first, &q.first) && queue_parse(then, &q.then));
	snprintf(q.holder, sizeof(q.holder), "%s", holder);
	check_queue(&q, "start", &r);
	return r.finding[0].severity;
}

START_TEST(queue_is_bound_read_and_not_lossy)
{
	const char *const idle = "21 9 0 2 65531 0 0 5000 1";

	ck_assert_int_eq(of_queue(idle, idle, "pasvd"), SEVERITY_OK);
	ck_assert_int_eq(of_queue(idle, idle, ""), SEVERITY_OK);
	ck_assert_int_eq(of_queue(idle, idle, "suricata"), SEVERITY_ERROR);
	ck_assert_int_eq(
		of_queue("21 9 7 2 65531 0 0 5000 1", "21 9 7 2 65531 0 0 5000 1", "pasvd"),
		SEVERITY_ERROR);
	ck_assert_int_eq(
		of_queue("21 9 7 2 65531 0 0 5000 1", "21 9 9 2 65531 0 0 5002 1", "pasvd"),
		SEVERITY_ERROR);
	ck_assert_int_eq(
		of_queue("21 9 7 2 65531 0 0 5000 1", "21 9 7 2 65531 0 0 5009 1", "pasvd"),
		SEVERITY_OK);
	ck_assert_int_eq(
		of_queue("21 9 7 2 65531 0 0 5000 1", "21 9 0 2 65531 0 0 5000 1", "pasvd"),
		SEVERITY_OK);
	ck_assert_int_eq(of_queue("21 9 0 0 0 0 0 5000 1", "21 9 0 0 0 0 0 5000 1", "pasvd"),
		SEVERITY_ERROR);
	ck_assert_int_eq(
		of_queue("21 9 0 2 65531 4 0 5000 1", "21 9 0 2 65531 4 0 5000 1", "pasvd"),
		SEVERITY_OK);
	ck_assert_int_eq(
		of_queue("21 9 0 2 65531 4 1 5000 1", "21 9 0 2 65531 4 1 5000 1", "pasvd"),
		SEVERITY_WARNING);
}
END_TEST

/* --- ip(8) --- */

START_TEST(interfaces)
{
	static const char link[] = "2: wan@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc "
				   "noqueue state UP mode DEFAULT ";
	static const char slave[] =
		"2: wan: <BROADCAST,UP> mtu 1500 master br0 state UP \\    link/ether \\ "
		"   bridge_slave state 3";
	static const char vrf[] =
		"2: wan: <BROADCAST,UP> mtu 1500 master red state UP \\    link/ether \\   "
		" vrf_slave table 5";
	static const char down[] = "2: wan: <BROADCAST,MULTICAST> mtu 1500 state DOWN";
	static const char addresses[] =
		"2: wan    inet 198.51.100.1/24 scope global wan\\       valid_lft forever";

	fresh();
	check_interface(&r, "--wan", "wan", link, addresses);
	check_interface(&r, "--wan", "vlan", vrf, addresses);
	ck_assert_uint_eq(report_count(&r, SEVERITY_OK), 2);
	fresh();
	check_interface(&r, "--wan", "wan", NULL, NULL);
	only(SEVERITY_ERROR, "wan (--wan) does not exist");
	fresh();
	check_interface(&r, "--wan", "wan", slave, addresses);
	only(SEVERITY_ERROR, "wan (--wan) is a port of the bridge br0");
	fresh();
	check_interface(&r, "--wan", "wan", down, addresses);
	ck_assert_str_eq(only(SEVERITY_ERROR, "wan (--wan) is down")->fix, "ip link set wan up");
	fresh();
	check_interface(&r, "--wan", "wan", link, "");
	only(SEVERITY_WARNING, "wan (--wan) has no address");
}
END_TEST

START_TEST(ways_to_the_server_and_back)
{
	char inside[INTERFACE_MAX] = "";

	fresh();
	check_server(
		&r, "10.77.0.2", "10.77.0.2 dev lan0 src 10.255.255.1 uid 0 \\    cache ", inside);
	ck_assert_str_eq(inside, "lan0");
	check_server(&r, "10.77.0.3", "10.77.0.3 via 10.77.0.2 dev lan1 src 10.255.255.1", inside);
	ck_assert_str_eq(inside, "lan1");
	ck_assert_uint_eq(report_count(&r, SEVERITY_OK), 2);
	check_return(&r, "wan", "net.ipv4.conf.wan.rp_filter",
		"192.0.2.1 from 198.51.100.1 via 198.51.100.254 dev wan uid 0");
	check_return(&r, "wan", "net.ipv4.conf.wan.rp_filter", NULL);
	ck_assert_uint_eq(r.n, 2);
	fresh();
	check_return(&r, "wan", "net.ipv4.conf.wan.rp_filter",
		"192.0.2.1 from 198.51.100.1 via 10.0.0.1 dev dsl uid 0");
	only(SEVERITY_WARNING, "net.ipv4.conf.wan.rp_filter is 1, and the way back is by dsl");
	fresh();
	check_server(&r, "10.77.0.2", "local 10.77.0.2 dev lo src 10.77.0.2", inside);
	only(SEVERITY_ERROR, "10.77.0.2 is an address of this router");
}
END_TEST

/* --- mends that last --- */

#define CHAIN_OF_NFT(family, table, name)                                                          \
	"{\"nftables\":[{\"chain\":{\"family\":\"" family "\",\"table\":\"" table                  \
	"\",\"name\":\"" name "\",\"type\":\"filter\",\"hook\":\"forward\",\"prio\":0,"            \
	"\"policy\":\"drop\"}}]}"

static const struct {
	const char *nft, *iptables; /* a listing, and chains of filter and their rules */
	const char *fix, *advice;
} mends[] = {
	{CHAIN_OF_NFT("inet", "own", "forward"), "",
		"nft insert rule inet own forward 'ct helper \"sane\" accept' && nft insert rule "
		"inet own forward 'meta l4proto tcp ct status dnat ct original proto-dst 21 "
		"accept'",
		""},
	{CHAIN_OF_NFT("inet", "firewalld", "filter_FORWARD"), "",
		"{ firewall-cmd --permanent --info-policy=pasvd >/dev/null 2>&1 || firewall-cmd "
		"--permanent --new-policy=pasvd; } && firewall-cmd --permanent "
		"--policy=pasvd --add-ingress-zone=ANY && firewall-cmd --permanent "
		"--policy=pasvd --add-egress-zone=ANY && firewall-cmd --permanent --policy=pasvd "
		"--add-rich-rule='rule family=ipv4 destination address=10.77.0.2 port port=21 "
		"protocol=tcp accept' && firewall-cmd --reload && pasvd rules load --wan wan "
		"--server 10.77.0.2",
		""},
	{CHAIN_OF_NFT("inet", "fw4", "forward"), "",
		"mkdir -p /usr/share/nftables.d/chain-pre/forward && { echo 'ct helper \"sane\" "
		"accept' && echo 'meta l4proto tcp ct status dnat ct original proto-dst 21 "
		"accept'; } >>/usr/share/nftables.d/chain-pre/forward/pasvd.nft && fw4 reload",
		""},
	{CHAIN_OF_NFT("ip", "libvirt_network", "forward"), "",
		"nft insert rule ip libvirt_network forward 'ct helper \"sane\" accept' && nft "
		"insert rule ip libvirt_network forward 'meta l4proto tcp ct status dnat ct "
		"original proto-dst 21 accept'",
		"libvirt takes these rules away"},
	{NULL, ":ufw-before-forward - [0:0]\n",
		"ufw route allow proto tcp from any to 10.77.0.2 port 21", ""},
	{NULL, ":shorewall - [0:0]\n",
		"echo 'iptables-legacy -t filter -I FORWARD -m helper --helper sane -j ACCEPT && "
		"iptables-legacy -t filter -I FORWARD -p tcp -m conntrack --ctorigdstport 21 "
		"--ctstate DNAT -j ACCEPT' >>/etc/shorewall/started && shorewall reload",
		""},
};

START_TEST(mends_are_in_the_way_of_whose_chains_they_are)
{
	for (size_t i = 0; i < ARRAY_SIZE(mends); i++) {
		struct filter *other = &f.filter[1];
		const struct finding *found;
		char text[512];

		router(WHOLE);
		f.n_filters = 2;
		other->family = ADDR_IP4;
		snprintf(other->command, sizeof(other->command), "%s",
			mends[i].nft ? "nft" : "iptables-legacy");
		snprintf(text, sizeof(text), "*filter\n:FORWARD DROP [0:0]\n%s" COMMIT,
			mends[i].iptables);
		if (mends[i].nft)
			ck_assert_int_eq(
				nft_list_read(mends[i].nft, ADDR_IP4, NULL, &other->rules), 0);
		else
			ck_assert_int_eq(iptables_save_read(text, &other->rules), 0);
		if (!mends[i].nft)
			f.target[0].options[0] = '\0';
		check_way(&f, &r);
		found = only(SEVERITY_ERROR, "ipv4: the policy of chain");
		ck_assert_str_eq(found->fix, mends[i].fix);
		ck_assert(strncmp(found->advice, mends[i].advice, strlen(mends[i].advice)) == 0);
		ruleset_free(&other->rules);
	}
}
END_TEST

/* --- the server --- */

static const struct {
	const char *rules; /* of the router itself */
	struct server_answer answer;
	enum severity severity;
	const char *said;
} answers[] = {
	{"", {.greeting = "220 ready"}, SEVERITY_OK, "10.77.0.2 port 21 answers"},
	{"", {.greeting = "120 soon"}, SEVERITY_OK, "10.77.0.2 port 21 answers"},
	{"", {.greeting = "421 no"}, SEVERITY_UNSURE, "10.77.0.2 port 21 greets with: 421 no"},
	{"", {.greeting = "SSH-2.0"}, SEVERITY_UNSURE, "10.77.0.2 port 21 greets with: SSH-2.0"},
	{"", {.closed = true}, SEVERITY_UNSURE, "10.77.0.2 port 21 closes"},
	{"", {.err = 0}, SEVERITY_UNSURE, "10.77.0.2 port 21 takes connections, but is silent"},
	{"", {.port = 990}, SEVERITY_OK, "10.77.0.2 port 990 takes connections"},
	{"", {.port = 990, .closed = true}, SEVERITY_UNSURE, "10.77.0.2 port 990 closes"},
	{"", {.err = ECONNREFUSED}, SEVERITY_ERROR, "10.77.0.2 port 21: Connection refused"},
	{"", {.err = EHOSTUNREACH, .no_neighbour = true}, SEVERITY_ERROR,
		"10.77.0.2 is on no host"},
	{"", {.err = ETIMEDOUT, .no_neighbour = true}, SEVERITY_ERROR, "10.77.0.2 is on no host"},
	{"", {.err = ETIMEDOUT}, SEVERITY_UNSURE, "10.77.0.2 port 21 does not answer"},
	{"-A OUTPUT -d 10.77.0.0/24 -j REJECT\n", {.err = ECONNREFUSED}, SEVERITY_UNSURE,
		"10.77.0.2 port 21: Connection refused"},
	{"-A OUTPUT -m mark --mark 0x1 -j REJECT\n", {.err = ECONNREFUSED}, SEVERITY_UNSURE,
		"10.77.0.2 port 21: Connection refused"},
	{"-A OUTPUT -p tcp -m tcp --dport 22 -j REJECT\n", {.err = ECONNREFUSED}, SEVERITY_ERROR,
		"10.77.0.2 port 21: Connection refused"},
	{"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -j DROP\n",
		{.err = ECONNREFUSED}, SEVERITY_ERROR, "10.77.0.2 port 21: Connection refused"},
	{"-A INPUT -j DROP\n", {.err = ETIMEDOUT}, SEVERITY_UNSURE, "10.77.0.2 port 21: "},
	{"-A OUTPUT -j REJECT\n", {.greeting = "220 x"}, SEVERITY_OK, "10.77.0.2 port 21 answers"},
};

START_TEST(answers_of_the_server)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct server_answer a = answers[i].answer;
		char text[4096];

		snprintf(text, sizeof(text),
			WHOLE "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n%s" COMMIT,
			answers[i].rules);
		router(text);
		a.server = f.target[0].service.server;
		a.port = a.port ? a.port : 21;
		check_server_answer(&f, &f.target[0], &a, &r);
		ck_assert_msg(r.finding[0].severity == answers[i].severity, "%zu: %s", i,
			r.finding[0].what);
		ck_assert_msg(
			strncmp(r.finding[0].what, answers[i].said, strlen(answers[i].said)) == 0,
			"%zu: %s", i, r.finding[0].what);
		ck_assert(r.finding[0].severity == SEVERITY_OK || *r.finding[0].why);
	}
}
END_TEST

/* In raw what the server sends to the router itself is queued as well. */
START_TEST(greeting_that_waits_in_a_queue_is_not_missed)
{
	struct server_answer a = {.port = 21};

	for (int own = 0; own < 2; own++) {
		for (int fails = 0; fails < 2; fails++) {
			if (own)
				own_router(OWN_WHOLE(JUMP), OWN_WHOLE(JUMP));
			else
				router(WHOLE);
			f.queue_fails = fails;
			a.server = f.target[0].service.server;
			check_server_answer(&f, &f.target[0], &a, &r);
			ck_assert_int_eq(r.finding[0].severity,
				own && fails ? SEVERITY_OK : SEVERITY_UNSURE);
		}
	}
}
END_TEST

/* --- report --- */

START_TEST(report_is_bounded_and_says_everything_once)
{
	fresh();
	for (int again = 0; again < 2; again++) {
		for (int i = 0; i < FINDINGS_MAX; i++)
			finding_why(
				report_add(&r, SEVERITY_WARNING, "x", "number %d", i), "because");
	}
	ck_assert_uint_eq(report_count(&r, SEVERITY_WARNING), FINDINGS_MAX);
	ck_assert_str_eq(r.finding[FINDINGS_MAX - 1].why, "because");
	finding_why(report_add(&r, SEVERITY_ERROR, "x", "one more"), "because");
	ck_assert_uint_eq(r.n, FINDINGS_MAX);
	ck_assert_int_eq(report_status(&r), 1);
}
END_TEST

/* A router that has no rules of iptables. */
static void router_of_nft(bool loaded)
{
	ruleset_free(&f.filter[0].rules);
	ruleset_free(&f.target[0].expected);
	f = (struct facts){.loader = "pasvd rules", .nft.loaded = loaded};
	r = (struct report){0};
}

static void check_with_nft(void)
{
	check_all();
	check_nft(&f, &r);
}

START_TEST(table_of_nft_that_nobody_asked_for_is_not_missed)
{
	router_of_nft(false);
	check_with_nft();
	ck_assert_str_eq(only(SEVERITY_ERROR, "none is loaded")->about, "rules");
}
END_TEST

/* As without root, while those of iptables-legacy can be read: there are none. */
START_TEST(rules_that_cannot_be_read_are_not_missed)
{
	router("");
	f.target[0].loaded = false;
	f.own_unread[0] = true;
	check_rules(&f, &r);
	ck_assert_uint_eq(r.n, 0);
	f.own_unread[0] = false;
	f.own_unread[1] = true;
	check_rules(&f, &r);
	ck_assert(only(SEVERITY_ERROR, "ipv4: none is loaded"));

	router_of_nft(false);
	f.own_unread[0] = f.own_unread[1] = true;
	check_rules(&f, &r);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(table_of_nft_is_as_it_should_be_or_its_first_difference_is_told)
{
	router_of_nft(true);
	f.nft.wanted = true;
	snprintf(f.nft.options, sizeof(f.nft.options), "--nft --lan lan0");
	snprintf(f.config, sizeof(f.config), " --config tls.conf");
	check_with_nft();
	ck_assert_int_eq(report_status(&r), 0);
	ck_assert_str_eq(
		r.finding[0].what, "nft: those of `pasvd rules --nft --lan lan0` are loaded");

	r = (struct report){0};
	f.nft.status = 1;
	snprintf(f.nft.complaint, sizeof(f.nft.complaint), "no nft");
	check_with_nft();
	ck_assert_str_eq(r.finding[0].what, "nft: whether they are loaded: no nft");

	r = (struct report){0};
	snprintf(f.nft.difference, sizeof(f.nft.difference), "missing: x");
	check_with_nft();
	ck_assert_int_eq(report_status(&r), 1);
	ck_assert_ptr_nonnull(strstr(r.finding[0].what, ": missing: x"));
	ck_assert_str_eq(r.finding[0].fix, "pasvd rules load --nft --lan lan0 --config tls.conf");
}
END_TEST

START_TEST(table_of_nft_of_which_nothing_was_told)
{
	router_of_nft(true);
	check_with_nft();
	only(SEVERITY_UNSEEN, "nft: whether they are whole");
}
END_TEST

START_TEST(half_a_command_is_none)
{
	char longer[FINDING_FIX_MAX + 1];
	struct finding *found;

	fresh();
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	found = report_add(&r, SEVERITY_ERROR, "x", "%s", longer);
	finding_fix(found, "rm %s/y", longer);
	ck_assert_uint_eq(strlen(found->what), FINDING_TEXT_MAX - 1);
	ck_assert_str_eq(found->fix, "");
}
END_TEST

START_TEST(report_is_printed_without_control_characters)
{
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	fresh();
	finding_why(report_add(&r, SEVERITY_ERROR, "rules", "a\033[2Jb\nc \xc3\xa4"), "so");
	report_add(&r, SEVERITY_UNSEEN, "nft", "z");
	report_print(&r, out, false);
	fclose(out);
	ck_assert_str_eq(text, "error   rules          a?[2Jb?c \xc3\xa4\n        why:    "
			       "so\nunseen  nft            z\n"
			       "1 error, 0 warnings, 1 not looked at\n");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {whole_rules_are_well,
		whole_rules_with_a_ct_helper_of_our_own_are_well,
		other_queue_does_harm_with_a_ct_helper_of_our_own_only,
		rule_that_hides_marks_is_told_with_a_ct_helper_of_our_own,
		drop_behind_the_queue_in_raw_drops_what_carries_no_data,
		marks_are_restored_with_a_ct_helper_of_our_own, service_is_read_off_the_rules,
		service_is_read_off_half_of_the_rules, server_of_others_is_read_off_the_rules,
		rule_that_is_missing_is_named, command_of_the_other_kind_and_another_configuration,
		rules_under_another_name_are_mended_by_hand,
		rules_that_cannot_be_compared_are_said_to_be_unseen, rules_in_front_of_the_jump,
		rules_in_front_of_the_jump_that_are_not_certain,
		rules_for_some_are_a_choice_that_is_said, second_server_in_front_does_no_harm,
		ranges_that_lead_to_the_server, names_that_are_not_plain_are_not_put_into_commands,
		tables_that_are_nearly_full, forwarding_and_timeouts,
		what_does_no_harm_is_named_where_it_is, queue_lines,
		a_queue_is_found_among_many_and_again, queue_is_bound_read_and_not_lossy,
		interfaces, ways_to_the_server_and_back, answers_of_the_server,
		greeting_that_waits_in_a_queue_is_not_missed,
		mends_are_in_the_way_of_whose_chains_they_are,
		report_is_bounded_and_says_everything_once,
		table_of_nft_that_nobody_asked_for_is_not_missed,
		rules_that_cannot_be_read_are_not_missed,
		table_of_nft_is_as_it_should_be_or_its_first_difference_is_told,
		table_of_nft_of_which_nothing_was_told, half_a_command_is_none,
		report_is_printed_without_control_characters};

	return unit_run("judge", tests, ARRAY_SIZE(tests));
}
