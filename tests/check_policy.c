/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_policy.c - what may be opened; reasons have names */
#include "packet.h"
#include "pasvd/policy.h"
#include "unit.h"

#include <string.h>

static struct ct_view view_of(const char *client, const char *dialled, const char *real)
{
	return (struct ct_view){
		.tuple = {{packet_endpoint(client), packet_endpoint(dialled), 5},
			{packet_endpoint(real), packet_endpoint(client), 5}},
		.ours = true,
	};
}

static struct ct_view view(void)
{
	return view_of("198.51.100.2:40000", "203.0.113.1:2121", "10.0.0.2:21");
}

static struct ftp_reply offer_227(const char *listen)
{
	return (struct ftp_reply){.code = 227, .announces = true, .listen = packet_endpoint(listen)};
}

static struct ftp_reply offer_229(uint16_t port)
{
	return (struct ftp_reply){.code = 229, .announces = true, .listen = {.port = port}};
}

/* The answer must be the same each time; a refusal must leave the output alone. */
static enum reason plan(const struct ftp_reply *offer, const struct ct_view *v, struct plan *ret_plan)
{
	struct plan again;
	enum reason reason;

	unit_mark(ret_plan, sizeof(*ret_plan));
	reason = policy_plan(offer, v, ret_plan);
	if (reason != REASON_OPENED)
		ck_assert(unit_is_marked(ret_plan, sizeof(*ret_plan)));
	ck_assert_int_eq(policy_plan(offer, v, &again), reason);
	return reason;
}

static void is_refused(const struct ftp_reply *offer, enum reason want)
{
	struct ct_view v = view();
	struct plan p;

	ck_assert_int_eq(plan(offer, &v, &p), want);
}

static void check_plan(const struct ftp_reply *offer)
{
	struct endpoint dialled = packet_endpoint("203.0.113.1:50000"),
			real = packet_endpoint("10.0.0.2:50000");
	struct endpoint any = packet_endpoint("198.51.100.2:0");
	struct ct_view v = view();
	struct plan p;

	ck_assert_int_eq(plan(offer, &v, &p), REASON_OPENED);
	ck_assert(endpoint_eq(&p.announce, &dialled));
	ck_assert(tuple_eq(&p.expect.master, &v.tuple[DIR_ORIGINAL]));
	ck_assert(endpoint_eq(&p.expect.tuple.src, &any));
	ck_assert(endpoint_eq(&p.expect.tuple.dst, &dialled));
	ck_assert_uint_eq(p.expect.tuple.zone, 5);
	ck_assert_int_eq(p.expect.nat_dir, DIR_ORIGINAL);
	ck_assert(endpoint_eq(&p.expect.nat, &real));
}

START_TEST(the_servers_address_becomes_the_dialled_one)
{
	struct ftp_reply offer = offer_227("10.0.0.2:50000");

	check_plan(&offer);
}
END_TEST

START_TEST(the_dialled_address_is_expected_at_the_server)
{
	struct ftp_reply offer = offer_227("203.0.113.1:50000");

	check_plan(&offer);
}
END_TEST

START_TEST(a_229_is_about_the_server)
{
	struct ftp_reply offer = offer_229(50000);

	check_plan(&offer);
}
END_TEST

START_TEST(any_other_address_is_foreign)
{
	static const char *const sample[] = {
		"10.0.0.3:50000",
		"198.51.100.2:50000",
		"0.0.0.0:50000",
		"127.0.0.1:50000",
		"255.255.255.255:50000",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		struct ftp_reply offer = offer_227(sample[i]);

		is_refused(&offer, REASON_FOREIGN_ADDRESS);
	}
}
END_TEST

START_TEST(ports_under_1024_are_refused)
{
	struct ct_view v = view();

	for (unsigned port = 0; port <= 65535; port++) {
		struct ftp_reply offer = offer_229((uint16_t)port);
		struct plan p;

		ck_assert_int_eq(
			plan(&offer, &v, &p), port < POLICY_LOWEST_PORT ? REASON_LOW_PORT : REASON_OPENED);
	}
}
END_TEST

START_TEST(a_low_port_is_refused_with_an_address_as_well)
{
	struct ftp_reply offer = offer_227("10.0.0.2:1023");

	is_refused(&offer, REASON_LOW_PORT);
}
END_TEST

START_TEST(without_nat_a_plan_is_the_same)
{
	struct ct_view v = view_of("198.51.100.2:40000", "10.0.0.2:21", "10.0.0.2:21");
	struct ftp_reply offer = offer_227("10.0.0.2:50000");
	struct plan p;

	ck_assert_int_eq(plan(&offer, &v, &p), REASON_OPENED);
	ck_assert(endpoint_eq(&p.announce, &offer.listen));
	ck_assert(endpoint_eq(&p.expect.nat, &offer.listen));
}
END_TEST

START_TEST(the_next_port_moves_the_announcement_alone)
{
	struct ftp_reply offer = offer_227("10.0.0.2:50000");
	struct endpoint next = packet_endpoint("203.0.113.1:50001"), real = packet_endpoint("10.0.0.2:50000");
	struct ct_view v = view();
	struct plan p;

	ck_assert_int_eq(plan(&offer, &v, &p), REASON_OPENED);
	policy_next_port(&p);
	ck_assert(endpoint_eq(&p.announce, &next));
	ck_assert(endpoint_eq(&p.expect.tuple.dst, &next));
	ck_assert(endpoint_eq(&p.expect.nat, &real));
	ck_assert(tuple_eq(&p.expect.master, &v.tuple[DIR_ORIGINAL]));
}
END_TEST

START_TEST(port_65535_is_followed_by_1024)
{
	struct ftp_reply offer = offer_229(65535);
	struct ct_view v = view();
	struct plan p;

	ck_assert_int_eq(plan(&offer, &v, &p), REASON_OPENED);
	policy_next_port(&p);
	ck_assert_uint_eq(p.announce.port, POLICY_LOWEST_PORT);
	ck_assert_uint_eq(p.expect.tuple.dst.port, POLICY_LOWEST_PORT);
}
END_TEST

START_TEST(every_reason_has_a_name_of_its_own_and_a_meaning)
{
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);

		ck_assert_uint_gt(strlen(name), 0);
		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		ck_assert_uint_gt(strlen(reason_meaning((enum reason)i)), 0);
		ck_assert_uint_le(reason_level((enum reason)i), REASON_LEVEL_DEBUG);
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(name, reason_name((enum reason)j));
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		the_servers_address_becomes_the_dialled_one,
		the_dialled_address_is_expected_at_the_server,
		a_229_is_about_the_server,
		any_other_address_is_foreign,
		ports_under_1024_are_refused,
		a_low_port_is_refused_with_an_address_as_well,
		without_nat_a_plan_is_the_same,
		the_next_port_moves_the_announcement_alone,
		port_65535_is_followed_by_1024,
		every_reason_has_a_name_of_its_own_and_a_meaning,
	};

	return unit_run("policy", test, ARRAY_SIZE(test));
}
