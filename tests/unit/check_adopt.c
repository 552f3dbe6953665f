/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_adopt.c - an expectation of another router gets its NAT here, or goes
 *
 * One engine is the router that opened the port; then another one, whose connection tracking has
 * the same connections, and the expectation as conntrackd brings it.
 */
#include "fake_ct.h"
#include "login.h"
#include "packet.h"
#include "pasvd/adopt.h"
#include "unit.h"

#include <string.h>

enum { NOW = 1000, HELPER_S = 300, SENT_TO_AND_FRO = 9 };

static struct engine engine;
static struct fake_ct ct;
static struct ct_ops ops;
static struct policy policy;
static struct fake_conn *conn;
static uint32_t seq[2];

/* What was reported last, and how often something was. */
static struct {
	unsigned times;
	enum adopt_result result;
	enum reason reason;
	struct expect expect;
} told;

static void on_adopted(const struct adopted *a)
{
	told.times++;
	told.result = a->result;
	told.reason = a->reason;
	told.expect = *a->expect;
}

static void begin_daemon(void)
{
	static const uint8_t key[CONNTAB_KEY_LEN] = {42};

	engine_init(&engine, &ops, &policy, key);
	engine.on_adopted = on_adopted;
	memset(&told, 0, sizeof(told));
}

static struct verdict say(enum dir dir, const char *text)
{
	return say_on(&engine, conn, seq, dir, text, NOW);
}

/* A session of a client outside with a server at `listener`. */
static void start(const char *listener_text)
{
	struct endpoint client = packet_endpoint("198.51.100.2:40000"),
			dialled = packet_endpoint("203.0.113.1:21"),
			listener = packet_endpoint(listener_text);

	fake_ct_init(&ct);
	ops = fake_ct_ops(&ct);
	begin_daemon();
	conn = fake_ct_connect(&ct, &client, &dialled, &listener, &client);
	seq[DIR_ORIGINAL] = 1000;
	seq[DIR_REPLY] = 2000;
	login(&engine, conn, seq, NOW);
}

static void usual_policy(void)
{
	policy = policy_default;
}

/* The other router goes on, with a daemon of its own and the expectation as conntrackd installs it;
 * returns what it was before. */
static struct expect fail_over(void)
{
	struct expect before = conn->expect;

	ck_assert(conn->expecting);
	conn->expect.translated = false;
	conn->expect.nat = conn->expect.tuple.dst;
	conn->expect.seconds = HELPER_S;
	begin_daemon();
	return before;
}

static void adopt(void)
{
	struct expect e = conn->expect;

	e.master.zone = e.tuple.zone = 0; /* ctnetlink does not report them */
	adopt_expect(&engine, &e, true, NOW);
}

static struct expect passive(void)
{
	start("10.0.0.2:21");
	say(DIR_ORIGINAL, "PASV\r\n");
	ck_assert_int_eq(say(DIR_REPLY, "227 ok (10,0,0,2,195,80)\r\n").reason, REASON_OPENED);
	return fail_over();
}

static void assert_adopted(const struct expect *e)
{
	ck_assert_uint_eq(told.times, 1);
	ck_assert_int_eq(told.result, ADOPT_DONE);
	ck_assert(conn->expecting);
	ck_assert(expect_eq(&conn->expect, e));
	ck_assert(expect_eq(&told.expect, e));
}

static void assert_removed(enum adopt_result result, enum reason reason)
{
	ck_assert_uint_eq(told.times, 1);
	ck_assert_int_eq(told.result, result);
	ck_assert_str_eq(reason_name(told.reason), reason_name(reason));
	ck_assert(!conn->expecting);
}

static void assert_left_alone(void)
{
	ck_assert_uint_eq(told.times, 0);
	ck_assert_uint_eq(ct.dels, 0);
	ck_assert(conn->expecting);
}

START_TEST(passive_port_gets_the_nat_that_it_had)
{
	struct expect e;

	usual_policy();
	e = passive();
	adopt();
	assert_adopted(&e);
}
END_TEST

START_TEST(active_port_gets_the_nat_that_it_had)
{
	struct expect e;

	usual_policy();
	start("10.0.0.2:21");
	say(DIR_ORIGINAL, "PORT 198,51,100,2,195,80\r\n");
	ck_assert(conn->expecting);
	e = fail_over();
	adopt();
	assert_adopted(&e);
}
END_TEST

START_TEST(port_that_is_announced_as_another_leads_to_the_listener)
{
	struct expect e;

	usual_policy();
	policy.announce = (struct port_range){60000, 60009};
	e = passive();
	ck_assert_uint_ne(e.tuple.dst.port, e.nat.port);
	adopt();
	assert_adopted(&e);
}
END_TEST

START_TEST(port_after_a_clash_leads_to_the_listener)
{
	struct endpoint taken = packet_endpoint("203.0.113.1:50000");
	struct expect e;

	usual_policy();
	start("10.0.0.2:21");
	fake_ct_take(&ct, &conn->view.tuple[DIR_ORIGINAL].src.addr, &taken);
	say(DIR_ORIGINAL, "PASV\r\n");
	say(DIR_REPLY, "227 ok (10,0,0,2,195,80)\r\n");
	e = fail_over();
	ck_assert_uint_eq(e.tuple.dst.port, 50001);
	ck_assert_uint_eq(e.nat.port, 50000);
	adopt();
	assert_adopted(&e);
}
END_TEST

START_TEST(listener_of_a_third_party_is_not_known)
{
	usual_policy();
	policy.foreign[policy.n_foreign++] = (struct network){packet_addr("10.0.0.3"), 32};
	start("10.0.0.2:21");
	say(DIR_ORIGINAL, "PASV\r\n");
	say(DIR_REPLY, "227 ok (10,0,0,3,195,80)\r\n");
	fail_over();
	adopt();
	assert_removed(ADOPT_UNKNOWN, REASON_OPENED);
}
END_TEST

START_TEST(active_port_of_a_third_party_is_where_it_says)
{
	struct expect e;

	usual_policy();
	policy.foreign[policy.n_foreign++] = (struct network){packet_addr("192.0.2.3"), 32};
	start("10.0.0.2:21");
	say(DIR_ORIGINAL, "PORT 192,0,2,3,195,80\r\n");
	e = fail_over();
	adopt();
	assert_adopted(&e);
}
END_TEST

START_TEST(expectation_without_our_note_is_removed)
{
	usual_policy();
	passive();
	conn->expect.tuple.src.port = 0;
	adopt();
	assert_removed(ADOPT_UNKNOWN, REASON_OPENED);
}
END_TEST

START_TEST(expectation_at_an_address_that_was_not_dialled_is_removed)
{
	usual_policy();
	passive();
	conn->expect.tuple.dst = packet_endpoint("203.0.113.2:50000");
	adopt();
	assert_removed(ADOPT_REFUSED, REASON_FOREIGN_ADDRESS);
}
END_TEST

START_TEST(expectation_of_a_third_party_is_removed)
{
	usual_policy();
	passive();
	conn->expect.tuple.src.addr = packet_addr("192.0.2.3");
	adopt();
	ck_assert(told.times == 1 && told.result != ADOPT_DONE && !conn->expecting);
}
END_TEST

START_TEST(denied_port_stays_closed)
{
	usual_policy();
	passive();
	policy.deny[policy.n_deny++] = (struct port_range){50000, 50000};
	adopt();
	assert_removed(ADOPT_REFUSED, REASON_DENIED_PORT);
}
END_TEST

START_TEST(low_port_stays_closed)
{
	usual_policy();
	passive();
	conn->expect.tuple.src.port = POLICY_LOWEST_PORT - 1;
	adopt();
	assert_removed(ADOPT_REFUSED, REASON_LOW_PORT);
}
END_TEST

START_TEST(ports_of_a_minute_count)
{
	struct expect first;

	usual_policy();
	policy.limits.a_minute[QUOTA_CLIENT] = 1;
	first = passive();
	adopt();
	assert_adopted(&first);
	conn->expect.translated = false;
	told.times = 0;
	adopt();
	assert_removed(ADOPT_REFUSED, REASON_CLIENT_LIMIT);
}
END_TEST

START_TEST(time_that_is_left_is_not_longer)
{
	struct expect e;

	usual_policy();
	e = passive();
	conn->expect.seconds = e.seconds = 7;
	adopt();
	assert_adopted(&e);
}
END_TEST

/* It is in no table: another session's port may be the same. */
START_TEST(expectation_of_a_session_that_is_not_known_is_looked_for)
{
	usual_policy();
	passive();
	conn->expect.seconds = 7;
	adopt();
	ck_assert_uint_eq(engine.contested_until, NOW + 7000);
}
END_TEST

START_TEST(expectation_with_its_nat_is_left_alone)
{
	usual_policy();
	passive();
	conn->expect.translated = true;
	adopt();
	assert_left_alone();
}
END_TEST

START_TEST(session_without_nat_needs_none)
{
	struct tuple *reply;

	usual_policy();
	passive();
	reply = &conn->view.tuple[DIR_REPLY];
	reply->src = conn->view.tuple[DIR_ORIGINAL].dst;
	adopt();
	assert_left_alone();
}
END_TEST

START_TEST(connection_without_our_ct_helper_is_left_alone)
{
	usual_policy();
	passive();
	conn->view.has_helper = false;
	adopt();
	assert_left_alone();
}
END_TEST

START_TEST(session_that_ends_opens_nothing)
{
	usual_policy();
	passive();
	conn->view.established = false;
	adopt();
	assert_left_alone();
}
END_TEST

START_TEST(tls_session_has_ports_of_its_servers_range_only)
{
	struct expect e;

	usual_policy();
	policy.tls_ports[policy.n_tls_ports++] = (struct tls_ports){.ports = {50000, 50000}};
	e = passive();
	e.seconds = POLICY_ON_DEMAND_SECONDS;
	conn->mark = trust_to_mark(policy.connmark, TRUST_SEEN | TRUST_TLS);
	adopt();
	assert_adopted(&e);
	policy.tls_ports[0].ports = (struct port_range){50001, 50009};
	conn->expect.translated = false;
	told.times = 0;
	adopt();
	assert_removed(ADOPT_REFUSED, REASON_NO_RANGE);
}
END_TEST

START_TEST(expectation_that_is_sent_to_and_fro_is_given_up)
{
	usual_policy();
	passive();
	for (int i = 1; i < SENT_TO_AND_FRO; i++) {
		conn->expect.translated = false;
		adopt();
		ck_assert_int_eq(told.result, ADOPT_DONE);
	}
	conn->expect.translated = false;
	adopt();
	ck_assert_int_eq(told.result, ADOPT_TOO_OFTEN);
	ck_assert(conn->expecting && !conn->expect.translated);
	adopt_expect(&engine, &conn->expect, false, NOW);
	ck_assert_int_eq(told.result, ADOPT_DONE);
}
END_TEST

START_TEST(repeated_227_is_the_same_at_the_other_router)
{
	uint32_t before;
	struct verdict v;

	usual_policy();
	policy.announce = (struct port_range){60000, 60009};
	start("10.0.0.2:21");
	say(DIR_ORIGINAL, "PASV\r\n");
	before = seq[DIR_REPLY];
	v = say(DIR_REPLY, "227 ok (10,0,0,2,195,80)\r\n");
	ck_assert_int_eq(v.action, ACTION_REPLACE);
	fail_over();
	adopt();
	seq[DIR_REPLY] = before;
	v = say(DIR_REPLY, "227 ok (10,0,0,2,195,80)\r\n");
	ck_assert_str_eq(reason_name(v.reason), "repeated");
	ck_assert_int_eq(v.action, ACTION_REPLACE);
}
END_TEST

/* A router that had the session before, and gets it back, knows where it was then. Of what went
 * elsewhere the client says nothing here: it is still within a command. */
START_TEST(session_that_went_on_elsewhere_goes_on_here_after_the_take_over)
{
	usual_policy();
	start("10.0.0.2:21");
	seq[DIR_ORIGINAL] += 100;
	ck_assert_int_eq(say(DIR_ORIGINAL, "PASV\r\n").action, ACTION_DROP);
	seq[DIR_ORIGINAL] -= (uint32_t)strlen("PASV\r\n");
	engine_forget(&engine);
	ck_assert_ptr_null(conntab_at(&engine.tab, 0));
	ck_assert_int_eq(say(DIR_ORIGINAL, "NOOP\r\n").action, ACTION_PASS);
	say(DIR_REPLY, "200 ok\r\n");
	ck_assert_int_eq(say(DIR_ORIGINAL, "PASV\r\n").action, ACTION_PASS);
	ck_assert_int_eq(say(DIR_REPLY, "227 ok (10,0,0,2,195,80)\r\n").reason, REASON_OPENED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		passive_port_gets_the_nat_that_it_had,
		active_port_gets_the_nat_that_it_had,
		port_that_is_announced_as_another_leads_to_the_listener,
		port_after_a_clash_leads_to_the_listener,
		listener_of_a_third_party_is_not_known,
		active_port_of_a_third_party_is_where_it_says,
		expectation_without_our_note_is_removed,
		expectation_at_an_address_that_was_not_dialled_is_removed,
		expectation_of_a_third_party_is_removed,
		denied_port_stays_closed,
		low_port_stays_closed,
		ports_of_a_minute_count,
		time_that_is_left_is_not_longer,
		expectation_of_a_session_that_is_not_known_is_looked_for,
		expectation_with_its_nat_is_left_alone,
		session_without_nat_needs_none,
		connection_without_our_ct_helper_is_left_alone,
		session_that_ends_opens_nothing,
		tls_session_has_ports_of_its_servers_range_only,
		expectation_that_is_sent_to_and_fro_is_given_up,
		repeated_227_is_the_same_at_the_other_router,
		session_that_went_on_elsewhere_goes_on_here_after_the_take_over,
	};

	return unit_run("adopt", tests, ARRAY_SIZE(tests));
}
