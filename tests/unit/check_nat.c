/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_nat.c - what is behind NAT, as the command line says */
#include <string.h>

#include "nat.h"
#include "packet.h"
#include "pasvd/array.h"
#include "unit.h"

static struct nat nat;

static void start(const char *const *rule)
{
	memset(&nat, 0, sizeof(nat));
	for (; *rule; rule++)
		ck_assert_msg(nat_add(&nat, *rule), "%s", *rule);
}

static struct tuple tuple(const char *src, const char *dst)
{
	return (struct tuple){packet_endpoint(src), packet_endpoint(dst), 3};
}

/* The connection of a packet from `src` to `dst` must be client -> dialled, server -> seen. */
static void expect_connection(
	const char *src, const char *dst, enum dir dir, const char *const want[4])
{
	struct tuple packet = tuple(src, dst), got[2];
	struct tuple original = tuple(want[0], want[1]), reply = tuple(want[2], want[3]);

	nat_tuples(&nat, &packet, dir, got);
	ck_assert(tuple_eq(&got[DIR_ORIGINAL], &original) && tuple_eq(&got[DIR_REPLY], &reply));
}

START_TEST(connection_is_the_same_from_either_side)
{
	static const char *const want[] = {
		"198.51.100.2:9", "203.0.113.1:21", "10.0.0.2:21", "198.51.100.2:9"};

	start((const char *[]){"203.0.113.1=10.0.0.2", NULL});
	expect_connection(want[0], want[1], DIR_ORIGINAL, want);
	expect_connection(want[0], want[2], DIR_ORIGINAL, want);
	expect_connection(want[1], want[0], DIR_REPLY, want);
	expect_connection(want[2], want[3], DIR_REPLY, want);
}
END_TEST

START_TEST(client_may_be_behind_nat_as_well)
{
	static const char *const want[] = {
		"[fd00::5]:9", "[2001:db8::9]:21", "[2001:db8::9]:21", "[2001:db8::1]:9"};

	start((const char *[]){"2001:db8::1=fd00::5", NULL});
	expect_connection(want[0], want[1], DIR_ORIGINAL, want);
	expect_connection(want[3], want[2], DIR_ORIGINAL, want);
	expect_connection(want[2], want[0], DIR_REPLY, want);
}
END_TEST

START_TEST(hairpin_is_both)
{
	static const char *const want[] = {
		"10.0.0.5:9", "203.0.113.1:21", "10.0.0.2:21", "10.0.0.1:9"};

	start((const char *[]){"203.0.113.1=10.0.0.2", "10.0.0.1=10.0.0.5", NULL});
	expect_connection("10.0.0.5:9", "203.0.113.1:21", DIR_ORIGINAL, want);
	expect_connection("10.0.0.2:21", "10.0.0.1:9", DIR_REPLY, want);
}
END_TEST

START_TEST(port_of_a_rule_is_translated_and_others_are_not)
{
	static const char *const want[] = {
		"198.51.100.2:9", "203.0.113.1:2121", "10.0.0.2:21", "198.51.100.2:9"};
	static const char *const other[] = {
		"198.51.100.2:9", "203.0.113.1:22", "203.0.113.1:22", "198.51.100.2:9"};

	start((const char *[]){"203.0.113.1:2121=10.0.0.2:21", NULL});
	expect_connection(want[0], want[1], DIR_ORIGINAL, want);
	expect_connection(want[2], want[3], DIR_REPLY, want);
	expect_connection(other[0], other[1], DIR_ORIGINAL, other);
}
END_TEST

START_TEST(without_rules_only_a_port_of_no_meaning_is_translated)
{
	struct tuple packet = tuple("198.51.100.2:9", "10.0.0.2:21"), got[2];

	start((const char *[]){NULL});
	nat_tuples(&nat, &packet, DIR_ORIGINAL, got);
	ck_assert(tuple_eq(&got[DIR_ORIGINAL], &packet));
	ck_assert(endpoint_eq(&got[DIR_REPLY].src, &packet.dst));
	ck_assert(addr_eq(&got[DIR_REPLY].dst.addr, &packet.src.addr));
	ck_assert(got[DIR_REPLY].dst.port != packet.src.port);
}
END_TEST

static void expect_control(const char *src, const char *dst, int want)
{
	struct tuple t = tuple(src, dst);
	enum dir dir = DIR_ORIGINAL;
	bool is = nat_is_control(&nat, &t, &dir);

	ck_assert_int_eq(is ? (int)dir : -1, want);
}

START_TEST(control_ports_are_21_or_those_given_and_those_of_rules)
{
	start((const char *[]){NULL});
	expect_control("10.0.0.1:9", "10.0.0.2:21", DIR_ORIGINAL);
	expect_control("10.0.0.2:21", "10.0.0.1:9", DIR_REPLY);
	expect_control("10.0.0.2:20", "10.0.0.1:9", -1);
	ck_assert(nat_add_port(&nat, "2121"));
	expect_control("10.0.0.1:9", "10.0.0.2:2121", DIR_ORIGINAL);
	expect_control("10.0.0.1:9", "10.0.0.2:21", -1);
	ck_assert(nat_add(&nat, "203.0.113.1:8021=10.0.0.2:9021"));
	expect_control("10.0.0.1:9", "203.0.113.1:8021", DIR_ORIGINAL);
	expect_control("10.0.0.2:9021", "10.0.0.1:9", DIR_REPLY);
}
END_TEST

START_TEST(what_is_no_rule_or_port_is_refused)
{
	static const char *const rule[] = {"", "=", "203.0.113.1", "203.0.113.1=", "=10.0.0.2",
		"203.0.113.1=x", "203.0.113.1=fd00::1", "203.0.113.1:21=10.0.0.2",
		"203.0.113.1=10.0.0.2:21", "203.0.113.1:0=10.0.0.2:21",
		"203.0.113.1:65536=10.0.0.2:21", "203.0.113.1:4294967317=10.0.0.2:21",
		"203.0.113.1:=10.0.0.2:21", "203.0.113.1:2x=10.0.0.2:21", "2001:db8::1=[fd00::1]",
		"[203.0.113.1]:21=10.0.0.2:21", "[2001:db8::1]=[fd00::1]",
		"[2001:db8::1:21=[fd00::1]:21", "203.0.113.1=10.0.0.2=10.0.0.3",
		" 203.0.113.1=10.0.0.2", "[]:21=[]:21", ":21=:21"};
	static const char *const port[] = {"", "0", "65536", "4294967317", "-1", "21 ", "x"};

	start((const char *[]){NULL});
	for (size_t i = 0; i < ARRAY_SIZE(rule); i++)
		ck_assert_msg(!nat_add(&nat, rule[i]), "%s", rule[i]);
	for (size_t i = 0; i < ARRAY_SIZE(port); i++)
		ck_assert_msg(!nat_add_port(&nat, port[i]), "%s", port[i]);
	ck_assert_uint_eq(nat.n + nat.n_ports, 0);
}
END_TEST

START_TEST(there_is_an_end_to_rules_and_ports)
{
	start((const char *[]){NULL});
	for (int i = 0; i < NAT_MAX; i++)
		ck_assert(nat_add(&nat, "203.0.113.1=10.0.0.2") && nat_add_port(&nat, "65535"));
	ck_assert(!nat_add(&nat, "203.0.113.1=10.0.0.2") && !nat_add_port(&nat, "21"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		connection_is_the_same_from_either_side,
		client_may_be_behind_nat_as_well,
		hairpin_is_both,
		port_of_a_rule_is_translated_and_others_are_not,
		without_rules_only_a_port_of_no_meaning_is_translated,
		control_ports_are_21_or_those_given_and_those_of_rules,
		what_is_no_rule_or_port_is_refused,
		there_is_an_end_to_rules_and_ports,
	};

	return unit_run("nat", tests, ARRAY_SIZE(tests));
}
