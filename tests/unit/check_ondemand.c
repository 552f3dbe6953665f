/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ondemand.c - data ports of control connections that are TLS
 *
 * What a session looks like is said in dialogue/tls*.ftp; here is what does not fit into one.
 */
#include "fake_ct.h"
#include "packet.h"
#include "pasvd/ondemand.h"
#include "unit.h"

#include <string.h>

static struct fake_ct ct;
static struct engine engine;
static struct policy policy;

static void start(void)
{
	static const uint8_t key[CONNTAB_KEY_LEN] = {1};
	struct ct_ops ops = fake_ct_ops(&ct);

	fake_ct_init(&ct);
	policy = policy_default;
	policy.n_tls_ports = 1;
	policy.tls_ports[0].ports = (struct port_range){60000, 60100};
	engine_init(&engine, &ops, &policy, key);
}

static struct fake_conn *connect_to(const char *client, const char *dialled, const char *listener)
{
	struct endpoint c = packet_endpoint(client), d = packet_endpoint(dialled),
			r = packet_endpoint(listener);

	return fake_ct_connect(&ct, &c, &d, &r, &c);
}

static enum reason on_demand_syn(
	const char *client, const char *dialled, struct verdict *ret_verdict)
{
	uint8_t buf[100];
	const struct packet_spec spec = {
		.tuple = {packet_endpoint(client), packet_endpoint(dialled), 0}, .flags = SEG_SYN};
	struct packet packet = {.p = buf, .len = packet_build(&spec, buf), .cap = sizeof(buf)};

	ondemand_syn(&engine, &packet, 0, ret_verdict);
	ck_assert_int_eq(ret_verdict->action, ACTION_PASS);
	return ret_verdict->reason;
}

START_TEST(the_verdict_tells_whose_port_was_opened)
{
	struct endpoint announced = packet_endpoint("203.0.113.1:60007"),
			listener = packet_endpoint("10.0.0.2:60007");
	struct verdict v;

	start();
	ondemand_add(
		&engine, &connect_to("198.51.100.2:40000", "203.0.113.1:21", "10.0.0.2:21")->view);
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60007", &v), REASON_OPENED);
	ck_assert(v.opened && v.on_demand && v.known);
	ck_assert(endpoint_eq(&v.announce, &announced) && endpoint_eq(&v.listener, &listener));
	ck_assert_uint_eq(engine.count[REASON_OPENED], 1);
}
END_TEST

START_TEST(of_two_servers_the_one_whose_range_it_is_gets_it)
{
	struct endpoint listener = packet_endpoint("10.0.0.3:50001");
	struct verdict v;

	start();
	policy.tls_ports[0].server = (struct network){packet_addr("10.0.0.2"), 32};
	policy.tls_ports[1] = (struct tls_ports){
		{packet_addr("10.0.0.3"), 32}, (struct port_range){50000, 50100}};
	policy.n_tls_ports = 2;
	ondemand_add(
		&engine, &connect_to("198.51.100.2:1", "203.0.113.1:2121", "10.0.0.3:21")->view);
	ondemand_add(&engine, &connect_to("198.51.100.2:2", "203.0.113.1:21", "10.0.0.2:21")->view);
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:50001", &v), REASON_OPENED);
	ck_assert(endpoint_eq(&v.listener, &listener));
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:55000", &v), REASON_NO_RANGE);
}
END_TEST

START_TEST(a_second_syn_finds_the_port_open)
{
	struct verdict v;

	start();
	ondemand_add(&engine, &connect_to("198.51.100.2:1", "203.0.113.1:21", "10.0.0.2:21")->view);
	on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v);
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v), REASON_REPEATED);
	ck_assert(!v.opened);
	ck_assert_uint_eq(ct.addeds, 1);
}
END_TEST

/* An expectation that nothing uses up would outlive the session. */
START_TEST(a_syn_that_is_repeated_opens_nothing)
{
	struct fake_conn *data;
	struct verdict v;

	start();
	ondemand_add(&engine, &connect_to("198.51.100.2:1", "203.0.113.1:21", "10.0.0.2:21")->view);
	data = connect_to("198.51.100.2:5", "203.0.113.1:60000", "10.0.0.2:60000");
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v), REASON_REPEATED);
	ck_assert_uint_eq(ct.addeds, 0);
	data->view.over = true;
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v), REASON_OPENED);
}
END_TEST

/* The server sees both at one address, and so does nobody know for whom it is. */
START_TEST(a_port_that_two_clients_wait_on_is_refused)
{
	struct endpoint seen = packet_endpoint("203.0.113.1:40000"),
			server = packet_endpoint("198.51.100.2:21");
	struct endpoint client[] = {
		packet_endpoint("10.0.0.2:40000"), packet_endpoint("10.0.0.3:40000")};
	struct fake_conn *c[2];
	struct verdict v;

	start();
	for (int i = 0; i < 2; i++) {
		policy.active_ports[i] =
			(struct active_ports){{client[i].addr, 32}, {50000, (uint16_t)(50005 + i)}};
		seen.port++;
		c[i] = fake_ct_connect(&ct, &client[i], &server, &server, &seen);
		ondemand_add(&engine, &c[i]->view);
	}
	policy.n_active_ports = 2;
	ck_assert_int_eq(
		on_demand_syn("198.51.100.2:20", "203.0.113.1:50005", &v), REASON_AMBIGUOUS);
	ck_assert(v.known && !v.opened);
	ck_assert_int_eq(on_demand_syn("198.51.100.2:20", "203.0.113.1:50006", &v), REASON_OPENED);
	ck_assert(addr_eq(&v.listener.addr, &client[1].addr));
	c[1]->view.established = false;
	ck_assert_int_eq(on_demand_syn("198.51.100.2:20", "203.0.113.1:50005", &v), REASON_OPENED);
	ck_assert(addr_eq(&v.listener.addr, &client[0].addr));
	ck_assert_int_eq(
		on_demand_syn("198.51.100.3:20", "203.0.113.1:50004", &v), REASON_NO_MASTER);
	ck_assert_int_eq(
		on_demand_syn("198.51.100.2:20", "203.0.113.2:50004", &v), REASON_NO_MASTER);
}
END_TEST

START_TEST(a_client_that_may_have_no_port_makes_it_none_of_another_one_s)
{
	struct endpoint server = packet_endpoint("198.51.100.2:21"),
			seen = packet_endpoint("203.0.113.1:40000");
	struct verdict v;

	start();
	policy.connmark = 0xf;
	for (; policy.n_active_ports < 3; policy.n_active_ports++) {
		struct endpoint client = packet_endpoint("10.0.0.2:40000");
		struct fake_conn *c;

		client.addr.byte[3] += (uint8_t)policy.n_active_ports;
		seen.port++;
		policy.active_ports[policy.n_active_ports] =
			(struct active_ports){{client.addr, 32}, {50000, 50000}};
		c = fake_ct_connect(&ct, &client, &server, &server, &seen);
		c->mark = trust_to_mark(
			policy.connmark, policy.n_active_ports == 1 ? TRUST_DISTRUSTED : TRUST_TLS);
		ondemand_add(&engine, &c->view);
	}
	ck_assert_int_eq(
		on_demand_syn("198.51.100.2:20", "203.0.113.1:50000", &v), REASON_NO_RANGE);
	ck_assert(!v.opened);
}
END_TEST

/* One whose beginning passed unread, for example, because pasvd was started again just then. */
START_TEST(session_that_may_have_no_port_takes_none_from_an_older_one)
{
	const unsigned trust[] = {TRUST_TLS | TRUST_SEEN, TRUST_TLS | TRUST_DISTRUSTED};
	struct endpoint client = packet_endpoint("10.0.0.2:40000"),
			server = packet_endpoint("198.51.100.2:21"),
			seen = packet_endpoint("203.0.113.1:40000");
	struct fake_conn *c[2];
	struct verdict v;

	start();
	policy.connmark = 0xf;
	policy.n_active_ports = 1;
	policy.active_ports[0] = (struct active_ports){{client.addr, 32}, {50000, 50009}};
	for (int i = 0; i < 2; i++, client.port++, seen.port++) {
		c[i] = fake_ct_connect(&ct, &client, &server, &server, &seen);
		c[i]->mark = trust_to_mark(policy.connmark, trust[i]);
		ondemand_add(&engine, &c[i]->view);
	}
	ck_assert_int_eq(on_demand_syn("198.51.100.2:20", "203.0.113.1:50000", &v), REASON_OPENED);
	ck_assert(tuple_eq(&ct.added[0].master, &c[0]->view.tuple[DIR_ORIGINAL]));
	c[0]->view.established = false;
	ck_assert_int_eq(
		on_demand_syn("198.51.100.2:20", "203.0.113.1:50001", &v), REASON_NO_RANGE);
}
END_TEST

START_TEST(one_that_ends_is_forgotten_and_an_older_one_counts)
{
	struct fake_conn *old, *new;
	struct verdict v;

	start();
	old = connect_to("198.51.100.2:1", "203.0.113.1:21", "10.0.0.2:21");
	new = connect_to("198.51.100.2:2", "203.0.113.1:21", "10.0.0.2:21");
	ondemand_add(&engine, &old->view);
	ondemand_add(&engine, &new->view);
	new->view.established = false;
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v), REASON_OPENED);
	ck_assert(tuple_eq(&ct.added[0].master, &old->view.tuple[DIR_ORIGINAL]));
	new->view.established = true;
	old->view.has_helper = false;
	ck_assert_int_eq(
		on_demand_syn("198.51.100.2:5", "203.0.113.1:60001", &v), REASON_NO_MASTER);
}
END_TEST

START_TEST(on_demand_syns_count_for_the_limits)
{
	struct verdict v;

	start();
	policy.limits.a_minute[QUOTA_CLIENT] = 2;
	ondemand_add(&engine, &connect_to("198.51.100.2:1", "203.0.113.1:21", "10.0.0.2:21")->view);
	ondemand_add(&engine, &connect_to("198.51.100.3:1", "203.0.113.1:21", "10.0.0.2:21")->view);
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v), REASON_OPENED);
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60001", &v), REASON_OPENED);
	ck_assert_int_eq(
		on_demand_syn("198.51.100.2:5", "203.0.113.1:60002", &v), REASON_CLIENT_LIMIT);
	ck_assert(!v.opened && v.known);
	ck_assert_uint_eq(ct.addeds, 2);
	ck_assert_int_eq(on_demand_syn("198.51.100.3:5", "203.0.113.1:60002", &v), REASON_OPENED);
}
END_TEST

/* A client that comes and goes a hundred times does not lose the connection that stays. */
START_TEST(what_is_over_makes_room)
{
	struct fake_conn *stays;
	struct verdict v;

	start();
	stays = connect_to("198.51.100.2:1", "203.0.113.1:21", "10.0.0.2:21");
	ondemand_add(&engine, &stays->view);
	for (uint16_t port = 100; port < 200; port++) {
		struct ct_view gone = stays->view;

		gone.tuple[DIR_ORIGINAL].src.port = port;
		ondemand_add(&engine, &gone);
	}
	ck_assert_int_eq(on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v), REASON_OPENED);
}
END_TEST

START_TEST(what_is_no_segment_is_dropped)
{
	uint8_t byte = 0;
	struct packet packet = {.p = &byte, .len = 1, .cap = 1};
	struct verdict v;

	start();
	ondemand_syn(&engine, &packet, 0, &v);
	ck_assert_int_eq(v.action, ACTION_DROP);
	ck_assert_int_eq(v.reason, REASON_BAD_PACKET);
}
END_TEST

START_TEST(a_kernel_that_refuses_is_told_of)
{
	struct verdict v;

	start();
	ondemand_add(&engine, &connect_to("198.51.100.2:1", "203.0.113.1:21", "10.0.0.2:21")->view);
	ct.refuse_expect = true;
	ck_assert_int_eq(
		on_demand_syn("198.51.100.2:5", "203.0.113.1:60000", &v), REASON_CT_FAILED);
	ck_assert(!v.opened);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		the_verdict_tells_whose_port_was_opened,
		of_two_servers_the_one_whose_range_it_is_gets_it,
		a_second_syn_finds_the_port_open,
		a_syn_that_is_repeated_opens_nothing,
		a_port_that_two_clients_wait_on_is_refused,
		a_client_that_may_have_no_port_makes_it_none_of_another_one_s,
		session_that_may_have_no_port_takes_none_from_an_older_one,
		one_that_ends_is_forgotten_and_an_older_one_counts,
		on_demand_syns_count_for_the_limits,
		what_is_over_makes_room,
		what_is_no_segment_is_dropped,
		a_kernel_that_refuses_is_told_of,
	};

	return unit_run("ondemand", test, ARRAY_SIZE(test));
}
