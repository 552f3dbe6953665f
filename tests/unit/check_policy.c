/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_policy.c - what may be opened; reasons have names
 *
 * The connection of most samples is translated at both ends: the client is 192.168.1.5 behind
 * 198.51.100.2, and the server 10.0.0.2 behind 203.0.113.1.
 */
#include "packet.h"
#include "pasvd/policy.h"
#include "unit.h"

#include <string.h>

static const struct policy bare = {.expect_seconds = 7, .expect_seconds_active = 8};

/* The interface by which the other side's packets come in. */
static uint32_t via;

static struct ct_view view_of(
	const char *client, const char *dialled, const char *listener, const char *seen)
{
	return (struct ct_view){
		.tuple = {{packet_endpoint(client), packet_endpoint(dialled), 5},
			{packet_endpoint(listener), packet_endpoint(seen), 5}},
		.has_helper = true,
	};
}

static struct ct_view view(void)
{
	return view_of(
		"192.168.1.5:40000", "203.0.113.1:2121", "10.0.0.2:21", "198.51.100.2:61000");
}

static struct ct_view view6(void)
{
	return view_of(
		"[fd00::5]:40000", "[2001:db8::1]:21", "[fd01::2]:21", "[2001:db8:1::2]:40000");
}

static struct ftp_offer six(const char *listen)
{
	return (struct ftp_offer){.form = FTP_FORM_SIX, .listen = packet_endpoint(listen)};
}

static struct ftp_offer eprt(const char *listen)
{
	return (struct ftp_offer){
		.form = FTP_FORM_EPRT, .delimiter = '|', .listen = packet_endpoint(listen)};
}

static struct ftp_offer port_only(uint16_t port)
{
	return (struct ftp_offer){.form = FTP_FORM_PORT, .listen = {.port = port}};
}

/* The answer must be the same each time; a refusal must leave the output alone. */
static enum reason plan(const struct policy *policy, struct ftp_offer offer, enum dir speaker,
	struct ct_view v, struct plan *ret_plan)
{
	struct plan again;
	enum reason reason;

	unit_mark(ret_plan, sizeof(*ret_plan));
	reason = policy_plan(policy, &offer, speaker, &v, via, ret_plan);
	if (reason != REASON_OPENED)
		ck_assert(unit_is_marked(ret_plan, sizeof(*ret_plan)));
	ck_assert_int_eq(policy_plan(policy, &offer, speaker, &v, via, &again), reason);
	return reason;
}

static enum reason reason_of(const struct policy *policy, struct ftp_offer offer, enum dir speaker)
{
	struct plan p;

	return plan(policy, offer, speaker, view(), &p);
}

/* What a plan should be: who connects, where it will be seen to arrive, what is announced, and
 * where it really goes. */
struct want {
	const char *from, *at, *told, *listener;
};

static void is_planned(const struct policy *policy, struct ftp_offer offer, enum dir speaker,
	struct ct_view v, struct want want)
{
	struct endpoint at = packet_endpoint(want.at), told = packet_endpoint(want.told),
			listener = packet_endpoint(want.listener);
	struct addr from = packet_addr(want.from);
	bool is_translated = !endpoint_eq(&v.tuple[0].src, &v.tuple[1].dst) ||
			     !endpoint_eq(&v.tuple[0].dst, &v.tuple[1].src);
	bool follows = addr_eq(&listener.addr, &v.tuple[speaker].src.addr) ||
		       addr_eq(&listener.addr, &at.addr);
	struct plan p;

	ck_assert_int_eq(plan(policy, offer, speaker, v, &p), REASON_OPENED);
	ck_assert(endpoint_eq(&p.announce, &told));
	ck_assert(tuple_eq(&p.expect.master, &v.tuple[DIR_ORIGINAL]));
	ck_assert(addr_eq(&p.expect.tuple.src.addr, &from));
	ck_assert_uint_eq(p.expect.tuple.src.port, is_translated && follows ? listener.port : 0);
	ck_assert(endpoint_eq(&p.expect.tuple.dst, &at));
	ck_assert_uint_eq(p.expect.tuple.zone, 5);
	ck_assert_int_eq(p.expect.nat_dir, speaker == DIR_REPLY ? DIR_ORIGINAL : DIR_REPLY);
	ck_assert(endpoint_eq(&p.expect.nat, &listener));
	ck_assert_int_eq(p.expect.translated, is_translated);
	ck_assert_uint_eq(p.expect.seconds,
		speaker == DIR_REPLY ? policy->expect_seconds : policy->expect_seconds_active);
}

static const struct want passive = {
	"192.168.1.5", "203.0.113.1:50000", "203.0.113.1:50000", "10.0.0.2:50000"};
static const struct want active = {
	"10.0.0.2", "198.51.100.2:50000", "198.51.100.2:50000", "192.168.1.5:50000"};

/* --- whose address --- */

START_TEST(the_servers_address_becomes_the_dialled_one)
{
	is_planned(&bare, six("10.0.0.2:50000"), DIR_REPLY, view(), passive);
}
END_TEST

START_TEST(the_dialled_address_is_expected_at_the_server)
{
	is_planned(&bare, six("203.0.113.1:50000"), DIR_REPLY, view(), passive);
}
END_TEST

START_TEST(a_229_is_about_the_server)
{
	is_planned(&bare, port_only(50000), DIR_REPLY, view(), passive);
}
END_TEST

START_TEST(the_clients_address_becomes_the_one_that_the_server_sees)
{
	is_planned(&bare, six("192.168.1.5:50000"), DIR_ORIGINAL, view(), active);
	is_planned(&bare, eprt("192.168.1.5:50000"), DIR_ORIGINAL, view(), active);
}
END_TEST

START_TEST(the_address_that_the_server_sees_is_expected_at_the_client)
{
	is_planned(&bare, six("198.51.100.2:50000"), DIR_ORIGINAL, view(), active);
}
END_TEST

START_TEST(ip6_is_the_same)
{
	static const struct want passive6 = {
		"fd00::5", "[2001:db8::1]:50000", "[2001:db8::1]:50000", "[fd01::2]:50000"};
	static const struct want active6 = {
		"fd01::2", "[2001:db8:1::2]:50000", "[2001:db8:1::2]:50000", "[fd00::5]:50000"};

	is_planned(&bare, port_only(50000), DIR_REPLY, view6(), passive6);
	is_planned(&bare, eprt("[fd00::5]:50000"), DIR_ORIGINAL, view6(), active6);
	is_planned(&bare, eprt("[2001:db8:1::2]:50000"), DIR_ORIGINAL, view6(), active6);
}
END_TEST

START_TEST(any_other_address_is_foreign)
{
	static const char *const sample[] = {
		"10.0.0.3:50000",
		"255.255.255.255:50000",
		"[fd00::5]:50000",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		ck_assert_int_eq(
			reason_of(&bare, eprt(sample[i]), DIR_REPLY), REASON_FOREIGN_ADDRESS);
		ck_assert_int_eq(
			reason_of(&bare, eprt(sample[i]), DIR_ORIGINAL), REASON_FOREIGN_ADDRESS);
	}
}
END_TEST

START_TEST(the_other_sides_address_is_foreign)
{
	ck_assert_int_eq(
		reason_of(&bare, six("192.168.1.5:50000"), DIR_REPLY), REASON_FOREIGN_ADDRESS);
	ck_assert_int_eq(
		reason_of(&bare, six("198.51.100.2:50000"), DIR_REPLY), REASON_FOREIGN_ADDRESS);
	ck_assert_int_eq(
		reason_of(&bare, six("10.0.0.2:50000"), DIR_ORIGINAL), REASON_FOREIGN_ADDRESS);
	ck_assert_int_eq(
		reason_of(&bare, six("203.0.113.1:50000"), DIR_ORIGINAL), REASON_FOREIGN_ADDRESS);
}
END_TEST

/* Behind DNAT the data connection of an outside client leaves with the dialled address: the
 * server's real one is who connects. */
START_TEST(an_outside_client_is_its_own_address)
{
	static const struct want outside = {
		"10.0.0.2", "198.51.100.2:50000", "198.51.100.2:50000", "198.51.100.2:50000"};

	is_planned(&bare, six("198.51.100.2:50000"), DIR_ORIGINAL,
		view_of("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21",
			"198.51.100.2:40000"),
		outside);
}
END_TEST

START_TEST(without_nat_a_plan_is_the_same)
{
	static const struct want same = {
		"198.51.100.2", "10.0.0.2:50000", "10.0.0.2:50000", "10.0.0.2:50000"};

	is_planned(&bare, six("10.0.0.2:50000"), DIR_REPLY,
		view_of("198.51.100.2:40000", "10.0.0.2:21", "10.0.0.2:21", "198.51.100.2:40000"),
		same);
}
END_TEST

START_TEST(without_nat_there_is_no_other_port)
{
	struct policy announce = {.announce = {60000, 60009}};
	struct ct_view v =
		view_of("198.51.100.2:40000", "10.0.0.2:21", "10.0.0.2:21", "198.51.100.2:40000");
	struct endpoint at = packet_endpoint("10.0.0.2:50000");
	struct plan p;

	ck_assert_int_eq(plan(&announce, port_only(50000), DIR_REPLY, v, &p), REASON_OPENED);
	ck_assert(!policy_next_port(&announce, &p));
	ck_assert(endpoint_eq(&p.announce, &at));
	ck_assert(endpoint_eq(&p.expect.tuple.dst, &at));
}
END_TEST

/* --- ports --- */

START_TEST(ports_under_1024_are_refused)
{
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		struct plan p;

		ck_assert_int_eq(plan(&bare, port_only((uint16_t)port), DIR_REPLY, view(), &p),
			port < POLICY_LOWEST_PORT ? REASON_LOW_PORT : REASON_OPENED);
	}
}
END_TEST

START_TEST(a_low_port_is_refused_to_either_side)
{
	ck_assert_int_eq(reason_of(&bare, six("10.0.0.2:1023"), DIR_REPLY), REASON_LOW_PORT);
	ck_assert_int_eq(reason_of(&bare, six("192.168.1.5:1023"), DIR_ORIGINAL), REASON_LOW_PORT);
	ck_assert_int_eq(reason_of(&bare, six("192.168.1.5:1024"), DIR_ORIGINAL), REASON_OPENED);
}
END_TEST

START_TEST(denied_ports_are_refused_to_either_side)
{
	struct policy policy = {.n_deny = 2, .deny = {{5000, 5000}, {6000, 6010}}};

	for (unsigned port = 4990; port <= 6020; port++) {
		bool denied = port == 5000 || (port >= 6000 && port <= 6010);
		struct ftp_offer client = six("192.168.1.5:0");

		client.listen.port = (uint16_t)port;
		ck_assert_int_eq(reason_of(&policy, port_only((uint16_t)port), DIR_REPLY),
			denied ? REASON_DENIED_PORT : REASON_OPENED);
		ck_assert_int_eq(reason_of(&policy, client, DIR_ORIGINAL),
			denied ? REASON_DENIED_PORT : REASON_OPENED);
	}
}
END_TEST

START_TEST(the_last_entry_of_a_full_list_counts)
{
	struct policy policy = {.n_deny = POLICY_LIST_MAX, .n_foreign = POLICY_LIST_MAX};

	for (size_t i = 0; i < POLICY_LIST_MAX; i++)
		policy.deny[i] = (struct port_range){1, 1};
	policy.deny[POLICY_LIST_MAX - 1] = (struct port_range){50000, 50000};
	for (size_t i = 0; i < POLICY_LIST_MAX; i++)
		policy.foreign[i] = (struct network){packet_addr("10.9.9.9"), 32};
	policy.foreign[POLICY_LIST_MAX - 1] = (struct network){packet_addr("10.0.0.3"), 32};
	ck_assert_int_eq(reason_of(&policy, port_only(50000), DIR_REPLY), REASON_DENIED_PORT);
	ck_assert_int_eq(reason_of(&policy, six("10.0.0.3:50001"), DIR_REPLY), REASON_OPENED);
}
END_TEST

START_TEST(no_port_from_1024_on_is_denied_by_default)
{
	for (uint32_t port = POLICY_LOWEST_PORT; port <= UINT16_MAX; port++)
		ck_assert_int_eq(reason_of(&policy_default, port_only((uint16_t)port), DIR_REPLY),
			REASON_OPENED);
	ck_assert_uint_eq(policy_default.expect_seconds, POLICY_EXPECT_SECONDS);
	ck_assert_uint_eq(policy_default.expect_seconds_active, POLICY_EXPECT_SECONDS_ACTIVE);
	ck_assert_uint_eq(policy_default.n_foreign, 0);
	ck_assert_uint_eq(policy_default.n_external, 0);
}
END_TEST

/* --- third parties --- */

START_TEST(an_allowed_third_party_of_the_server_is_reached_by_nat)
{
	static const struct want third = {
		"192.168.1.5", "203.0.113.1:50000", "203.0.113.1:50000", "10.0.0.3:50000"};
	struct policy policy = {.n_foreign = 1, .foreign = {{packet_addr("10.0.0.0"), 24}}};

	is_planned(&policy, six("10.0.0.3:50000"), DIR_REPLY, view(), third);
	ck_assert_int_eq(
		reason_of(&policy, six("10.0.1.3:50000"), DIR_REPLY), REASON_FOREIGN_ADDRESS);
}
END_TEST

START_TEST(an_allowed_third_party_of_the_client_is_where_it_says)
{
	static const struct want third = {
		"10.0.0.2", "192.0.2.77:50000", "192.0.2.77:50000", "192.0.2.77:50000"};
	struct policy policy = {.n_foreign = 1, .foreign = {{packet_addr("192.0.2.0"), 24}}};

	is_planned(&policy, six("192.0.2.77:50000"), DIR_ORIGINAL, view(), third);
	ck_assert_int_eq(
		reason_of(&policy, six("192.0.3.77:50000"), DIR_ORIGINAL), REASON_FOREIGN_ADDRESS);
}
END_TEST

START_TEST(a_third_party_gets_no_low_or_denied_port)
{
	struct policy policy = {.n_foreign = 1, .n_deny = 1, .deny = {{5000, 5000}}};

	ck_assert_int_eq(reason_of(&policy, six("10.0.0.3:22"), DIR_REPLY), REASON_LOW_PORT);
	ck_assert_int_eq(
		reason_of(&policy, six("10.0.0.3:5000"), DIR_ORIGINAL), REASON_DENIED_PORT);
	ck_assert_int_eq(reason_of(&policy, six("10.0.0.3:5001"), DIR_ORIGINAL), REASON_OPENED);
}
END_TEST

/* An address of the other family would make a tuple of two families. */
START_TEST(a_third_party_of_the_other_family_is_refused)
{
	struct policy policy = {.n_foreign = 1};

	ck_assert_int_eq(
		reason_of(&policy, eprt("[fd00::5]:50000"), DIR_ORIGINAL), REASON_FOREIGN_ADDRESS);
}
END_TEST

/* --- networks --- */

static bool has(const char *net, unsigned bits, const char *addr)
{
	struct network n = {packet_addr(net), (uint8_t)bits};
	struct addr a = packet_addr(addr);

	return network_has(&n, &a);
}

START_TEST(a_network_has_what_begins_like_it)
{
	ck_assert(has("10.0.0.0", 8, "10.255.255.255"));
	ck_assert(!has("10.0.0.0", 8, "11.0.0.0"));
	ck_assert(has("10.0.0.0", 9, "10.127.255.255"));
	ck_assert(!has("10.0.0.0", 9, "10.128.0.0"));
	ck_assert(has("10.0.0.1", 32, "10.0.0.1"));
	ck_assert(!has("10.0.0.1", 32, "10.0.0.0"));
	ck_assert(has("10.0.0.1", 31, "10.0.0.0"));
	ck_assert(!has("10.0.0.1", 31, "10.0.0.2"));
	ck_assert(has("0.0.0.0", 0, "255.255.255.255"));
	ck_assert(!has("0.0.0.0", 0, "::"));
	ck_assert(has("2001:db8::", 32, "2001:db8:ffff::1"));
	ck_assert(!has("2001:db8::", 32, "2001:db9::"));
	ck_assert(has("2001:db8::1", 128, "2001:db8::1"));
	ck_assert(!has("2001:db8::1", 128, "2001:db8::"));
	ck_assert(has("2001:db8::1", 127, "2001:db8::"));
	ck_assert(has("::", 0, "ffff::1"));
	ck_assert(!has("::", 0, "0.0.0.0"));
}
END_TEST

START_TEST(a_network_without_an_address_has_every_address)
{
	static const struct network every;
	struct addr a = packet_addr("10.0.0.1"), b = packet_addr("::1");

	ck_assert(network_has(&every, &a));
	ck_assert(network_has(&every, &b));
}
END_TEST

/* Each length of prefix, compared with the bits counted one by one. */
START_TEST(every_bit_of_a_prefix_counts_and_none_behind_it)
{
	for (unsigned bits = 0; bits <= 128; bits++) {
		for (unsigned differs = 0; differs < 128; differs++) {
			struct network n = {packet_addr("2001:db8:1:2:3:4:5:6"), (uint8_t)bits};
			struct addr a = n.addr;

			a.byte[differs / 8] ^= (uint8_t)(0x80 >> differs % 8);
			ck_assert_int_eq(network_has(&n, &a), differs >= bits);
		}
	}
}
END_TEST

/* --- external addresses --- */

static struct external external(const char *addr)
{
	return (struct external){.addr = packet_addr(addr)};
}

START_TEST(an_external_address_is_text_only)
{
	static const struct want out = {
		"192.168.1.5", "203.0.113.1:50000", "192.0.2.9:50000", "10.0.0.2:50000"};
	static const struct want in = {
		"10.0.0.2", "198.51.100.2:50000", "192.0.2.9:50000", "192.168.1.5:50000"};
	struct policy policy = {.n_external = 1, .external = {external("192.0.2.9")}};

	is_planned(&policy, six("10.0.0.2:50000"), DIR_REPLY, view(), out);
	is_planned(&policy, six("203.0.113.1:50000"), DIR_REPLY, view(), out);
	is_planned(&policy, six("192.168.1.5:50000"), DIR_ORIGINAL, view(), in);
}
END_TEST

START_TEST(who_announces_the_external_address_itself_is_understood)
{
	static const struct want out = {
		"192.168.1.5", "203.0.113.1:50000", "192.0.2.9:50000", "10.0.0.2:50000"};
	struct policy policy = {.n_external = 1, .external = {external("192.0.2.9")}};

	is_planned(&policy, six("192.0.2.9:50000"), DIR_REPLY, view(), out);
	ck_assert_int_eq(
		reason_of(&bare, six("192.0.2.9:50000"), DIR_REPLY), REASON_FOREIGN_ADDRESS);
}
END_TEST

START_TEST(an_external_address_may_be_for_some_peers)
{
	static const struct want out = {
		"192.168.1.5", "203.0.113.1:50000", "192.0.2.8:50000", "10.0.0.2:50000"};
	struct policy policy = {
		.n_external = 2, .external = {external("192.0.2.9"), external("192.0.2.8")}};

	policy.external[0].peer = (struct network){packet_addr("198.18.0.0"), 15};
	is_planned(&policy, port_only(50000), DIR_REPLY, view(), out);
	policy.external[1].peer = (struct network){packet_addr("198.18.0.0"), 15};
	is_planned(&policy, port_only(50000), DIR_REPLY, view(), passive);
}
END_TEST

START_TEST(an_external_address_may_stand_for_one_of_ours)
{
	static const struct want out = {
		"192.168.1.5", "203.0.113.1:50000", "192.0.2.8:50000", "10.0.0.2:50000"};
	struct policy policy = {
		.n_external = 2, .external = {external("192.0.2.9"), external("192.0.2.8")}};

	policy.external[0].known = packet_addr("203.0.113.2");
	policy.external[1].known = packet_addr("203.0.113.1");
	is_planned(&policy, port_only(50000), DIR_REPLY, view(), out);
	is_planned(&policy, six("192.168.1.5:50000"), DIR_ORIGINAL, view(), active);
}
END_TEST

START_TEST(an_external_address_may_be_for_who_comes_in_by_an_interface)
{
	static const struct want out[] = {
		{"192.168.1.5", "203.0.113.1:50000", "203.0.113.1:50000", "10.0.0.2:50000"},
		{"192.168.1.5", "203.0.113.1:50000", "192.0.2.7:50000", "10.0.0.2:50000"},
		{"192.168.1.5", "203.0.113.1:50000", "192.0.2.9:50000", "10.0.0.2:50000"}};
	static const uint32_t unlike[] = {0, 8, 0x700, POLICY_NO_INTERFACE - 1};
	struct policy policy = {.n_external = 3,
		.external = {external("192.0.2.5"), external("192.0.2.7"), external("192.0.2.9")}};

	policy.external[0].indev = POLICY_NO_INTERFACE;
	policy.external[1].indev = policy.external[2].indev = 7;
	for (size_t i = 0; i < ARRAY_SIZE(unlike); i++) {
		via = unlike[i];
		is_planned(&policy, port_only(50000), DIR_REPLY, view(), out[0]);
	}
	via = 7;
	is_planned(&policy, port_only(50000), DIR_REPLY, view(), out[1]);
	policy.external[1].known = packet_addr("203.0.113.2");
	is_planned(&policy, port_only(50000), DIR_REPLY, view(), out[2]);
	policy.external[2].peer = (struct network){packet_addr("198.18.0.0"), 15};
	is_planned(&policy, port_only(50000), DIR_REPLY, view(), out[0]);
	via = 0;
}
END_TEST

START_TEST(of_external_addresses_the_first_that_fits_counts)
{
	static const struct want out = {
		"192.168.1.5", "203.0.113.1:50000", "192.0.2.9:50000", "10.0.0.2:50000"};
	struct policy policy = {.n_external = 3,
		.external = {
			external("2001:db8::9"), external("192.0.2.9"), external("192.0.2.8")}};

	is_planned(&policy, port_only(50000), DIR_REPLY, view(), out);
}
END_TEST

/* --- announced ports --- */

static uint16_t announced(const struct policy *policy, uint16_t port)
{
	struct plan p;

	ck_assert_int_eq(plan(policy, port_only(port), DIR_REPLY, view(), &p), REASON_OPENED);
	ck_assert_uint_eq(p.expect.tuple.dst.port, p.announce.port);
	ck_assert_uint_eq(p.expect.nat.port, port);
	return p.announce.port;
}

START_TEST(announced_ports_are_taken_from_their_range)
{
	struct policy policy = {.announce = {40000, 40009}};
	unsigned count[10] = {0};

	for (unsigned port = POLICY_LOWEST_PORT; port <= UINT16_MAX; port++) {
		uint16_t a = announced(&policy, (uint16_t)port);

		ck_assert_uint_ge(a, 40000);
		ck_assert_uint_le(a, 40009);
		if (port >= 40000 && port <= 40009)
			ck_assert_uint_eq(a, port);
		count[a - 40000]++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(count); i++)
		ck_assert_uint_ge(count[i], (UINT16_MAX - POLICY_LOWEST_PORT) / 10);
}
END_TEST

START_TEST(a_range_may_be_one_port_or_all)
{
	struct policy one = {.announce = {40000, 40000}}, all = {.announce = {1024, UINT16_MAX}};

	for (unsigned port = POLICY_LOWEST_PORT; port <= UINT16_MAX; port++) {
		ck_assert_uint_eq(announced(&one, (uint16_t)port), 40000);
		ck_assert_uint_eq(announced(&all, (uint16_t)port), port);
	}
}
END_TEST

/* What is denied is where somebody listens, not what is announced. */
START_TEST(the_listeners_port_is_judged_and_not_the_announced_one)
{
	struct policy policy = {.announce = {5000, 5000}, .n_deny = 1, .deny = {{5000, 5000}}};

	ck_assert_uint_eq(announced(&policy, 50000), 5000);
	ck_assert_int_eq(reason_of(&policy, port_only(5000), DIR_REPLY), REASON_DENIED_PORT);
}
END_TEST

/* --- the next port --- */

START_TEST(the_next_port_moves_the_announcement_alone)
{
	static const struct want next = {
		"192.168.1.5", "203.0.113.1:50001", "203.0.113.1:50001", "10.0.0.2:50000"};
	struct endpoint at = packet_endpoint(next.at), listener = packet_endpoint(next.listener);
	struct plan p;

	ck_assert_int_eq(plan(&bare, six("10.0.0.2:50000"), DIR_REPLY, view(), &p), REASON_OPENED);
	policy_next_port(&bare, &p);
	ck_assert(endpoint_eq(&p.announce, &at));
	ck_assert(endpoint_eq(&p.expect.tuple.dst, &at));
	ck_assert(endpoint_eq(&p.expect.nat, &listener));
}
END_TEST

static uint16_t next_port(const struct policy *policy, uint16_t port)
{
	struct plan p = {.announce.port = port,
		.expect = {.tuple.dst.port = port, .translated = true, .nat.port = port}};

	ck_assert(policy_next_port(policy, &p));
	ck_assert_uint_eq(p.announce.port, p.expect.tuple.dst.port);
	return p.announce.port;
}

START_TEST(the_next_port_has_as_many_digits)
{
	ck_assert_uint_eq(next_port(&bare, 65535), 10000);
	ck_assert_uint_eq(next_port(&bare, 9999), POLICY_LOWEST_PORT);
	ck_assert_uint_eq(next_port(&bare, 65534), 65535);
	ck_assert_uint_eq(next_port(&bare, 1024), 1025);
}
END_TEST

START_TEST(the_end_of_a_range_is_followed_by_its_beginning)
{
	struct policy policy = {.announce = {40000, 40009}}, last = {.announce = {65530, 65535}};

	ck_assert_uint_eq(next_port(&policy, 40000), 40001);
	ck_assert_uint_eq(next_port(&policy, 40009), 40000);
	ck_assert_uint_eq(next_port(&policy, 50000), 40000);
	ck_assert_uint_eq(next_port(&policy, 30000), 40000);
	ck_assert_uint_eq(next_port(&last, 65535), 65530);
}
END_TEST

START_TEST(a_server_that_names_no_address_means_itself)
{
	static const char *const sample[] = {
		"0.0.0.0:50000", "127.0.0.1:50000", "127.255.255.255:50000"};
	static const char *const foreign[] = {
		"0.0.0.1:50000", "128.0.0.1:50000", "126.255.255.255:50000"};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		is_planned(&bare, six(sample[i]), DIR_REPLY, view(), passive);
		ck_assert_int_eq(
			reason_of(&bare, six(sample[i]), DIR_ORIGINAL), REASON_FOREIGN_ADDRESS);
		ck_assert_int_eq(
			reason_of(&bare, six(foreign[i]), DIR_REPLY), REASON_FOREIGN_ADDRESS);
	}
}
END_TEST

/* It is behind a NAT of its own. */
START_TEST(server_at_a_public_address_that_says_a_private_one_means_itself)
{
	static const char *const sample[] = {"10.0.0.1:50000", "10.255.255.255:50000",
		"100.64.0.0:50000", "100.127.255.255:50000", "169.254.0.1:50000",
		"172.16.0.0:50000", "172.31.255.255:50000", "192.168.0.1:50000"};
	static const char *const foreign[] = {"9.255.255.255:50000", "11.0.0.0:50000",
		"100.63.255.255:50000", "100.128.0.0:50000", "169.253.0.1:50000",
		"172.15.255.255:50000", "172.32.0.0:50000", "192.167.0.1:50000"};
	const struct ct_view v = view_of(
		"192.168.1.5:40000", "198.51.100.7:21", "198.51.100.7:21", "203.0.113.1:40000");
	const struct endpoint itself = packet_endpoint("198.51.100.7:50000");
	struct plan p;

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		ck_assert_int_eq(plan(&bare, six(sample[i]), DIR_REPLY, v, &p), REASON_OPENED);
		ck_assert(endpoint_eq(&p.announce, &itself));
		ck_assert(endpoint_eq(&p.expect.tuple.dst, &itself));
		ck_assert(endpoint_eq(&p.expect.nat, &itself));
		ck_assert_int_eq(
			plan(&bare, six(foreign[i]), DIR_REPLY, v, &p), REASON_FOREIGN_ADDRESS);
		ck_assert_int_eq(
			plan(&bare, six(sample[i]), DIR_ORIGINAL, v, &p), REASON_FOREIGN_ADDRESS);
	}
}
END_TEST

START_TEST(a_port_in_a_range_has_as_many_digits_if_it_can)
{
	const struct policy wide = {.announce = {9000, 20000}}, high = {.announce = {60000, 60999}};
	struct plan p;

	for (uint32_t port = POLICY_LOWEST_PORT; port <= UINT16_MAX; port++) {
		ck_assert_int_eq(plan(&wide, port_only((uint16_t)port), DIR_REPLY, view(), &p),
			REASON_OPENED);
		ck_assert((p.announce.port >= 10000) == (port >= 10000));
		ck_assert(p.announce.port >= 9000 && p.announce.port <= 20000);
		ck_assert_int_eq(plan(&high, port_only((uint16_t)port), DIR_REPLY, view(), &p),
			REASON_OPENED);
		ck_assert(p.announce.port >= 60000 && p.announce.port <= 60999);
	}
}
END_TEST

START_TEST(a_denied_port_is_not_opened_on_demand_either)
{
	const struct policy policy = {.n_tls_ports = 1,
		.tls_ports = {{.ports = {60000, 60100}}},
		.n_deny = 1,
		.deny = {{60050, 60060}}};
	const struct ct_view v = view();
	struct plan p;

	ck_assert_int_eq(policy_plan_on_demand(&policy, &v, 0, 60049, &p), REASON_OPENED);
	ck_assert_int_eq(policy_plan_on_demand(&policy, &v, 0, 60050, &p), REASON_DENIED_PORT);
	ck_assert_int_eq(policy_plan_on_demand(&policy, &v, 0, 60101, &p), REASON_NO_RANGE);
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
		the_clients_address_becomes_the_one_that_the_server_sees,
		the_address_that_the_server_sees_is_expected_at_the_client,
		ip6_is_the_same,
		any_other_address_is_foreign,
		the_other_sides_address_is_foreign,
		an_outside_client_is_its_own_address,
		without_nat_a_plan_is_the_same,
		without_nat_there_is_no_other_port,
		ports_under_1024_are_refused,
		a_low_port_is_refused_to_either_side,
		denied_ports_are_refused_to_either_side,
		the_last_entry_of_a_full_list_counts,
		no_port_from_1024_on_is_denied_by_default,
		an_allowed_third_party_of_the_server_is_reached_by_nat,
		an_allowed_third_party_of_the_client_is_where_it_says,
		a_third_party_gets_no_low_or_denied_port,
		a_third_party_of_the_other_family_is_refused,
		a_network_has_what_begins_like_it,
		a_network_without_an_address_has_every_address,
		every_bit_of_a_prefix_counts_and_none_behind_it,
		an_external_address_is_text_only,
		who_announces_the_external_address_itself_is_understood,
		an_external_address_may_be_for_some_peers,
		an_external_address_may_stand_for_one_of_ours,
		an_external_address_may_be_for_who_comes_in_by_an_interface,
		of_external_addresses_the_first_that_fits_counts,
		announced_ports_are_taken_from_their_range,
		a_range_may_be_one_port_or_all,
		the_listeners_port_is_judged_and_not_the_announced_one,
		the_next_port_moves_the_announcement_alone,
		the_next_port_has_as_many_digits,
		a_server_that_names_no_address_means_itself,
		server_at_a_public_address_that_says_a_private_one_means_itself,
		a_port_in_a_range_has_as_many_digits_if_it_can,
		a_denied_port_is_not_opened_on_demand_either,
		the_end_of_a_range_is_followed_by_its_beginning,
		every_reason_has_a_name_of_its_own_and_a_meaning,
	};

	return unit_run("policy", test, ARRAY_SIZE(test));
}
