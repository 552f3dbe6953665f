/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests for src/core/trust.c, and of what the engine has the mark say. */
#include "talk.h"

/* The daemon is killed, and another one begins. */
static void succeed(bool sees_all)
{
	struct ct_ops ops = fake_ct_ops(&ct);

	engine_init(&engine, &ops, &policy_default, key);
	engine.sees_all = sees_all;
}

START_TEST(a_mask_has_four_bits)
{
	ck_assert(trust_mask_is_valid(0xf0000000) && trust_mask_is_valid(0x80010101));
	ck_assert(!trust_mask_is_valid(0) && !trust_mask_is_valid(7) && !trust_mask_is_valid(0x1f));
}
END_TEST

START_TEST(bits_are_spread_over_the_mask_and_collected_again)
{
	ck_assert_uint_eq(trust_to_mark(0x80010101, TRUST_SEEN | TRUST_TLS), 0x00010001);
	for (unsigned trust = 0; trust < 16; trust++) {
		unsigned read = trust_of_mark(0x80010101, trust_to_mark(0x80010101, trust) | 0x6e);

		if (trust == TRUST_TLS)
			ck_assert_uint_eq(read, TRUST_SEEN | TRUST_AGREED);
		else if ((trust & (TRUST_SEEN | TRUST_LOGGED_IN)) != TRUST_LOGGED_IN)
			ck_assert_uint_eq(read, trust);
		else if (trust & TRUST_DISTRUSTED)
			ck_assert_uint_eq(read, TRUST_BEGUN | TRUST_DISTRUSTED);
		else if (trust & TRUST_TLS)
			ck_assert_uint_eq(read, TRUST_SEEN | TRUST_SHIFTED);
		else
			ck_assert_uint_eq(read, TRUST_SEEN | TRUST_LOGGED_IN | TRUST_SHIFTED);
	}
	ck_assert_uint_eq(trust_to_mark(0xf0, TRUST_BEGUN | TRUST_DISTRUSTED), 0xa0);
	ck_assert_uint_eq(trust_to_mark(0xf0, TRUST_SEEN | TRUST_SHIFTED), 0x60);
	ck_assert_uint_eq(trust_to_mark(0xf0, TRUST_SEEN | TRUST_AGREED), 0x40);
}
END_TEST

static unsigned trust_of(const struct talk *t)
{
	return trust_of_mark(POLICY_CONNMARK, t->conn->mark);
}

START_TEST(the_mark_follows_the_session_and_leaves_other_bits)
{
	struct talk t;

	start();
	t = talk();
	t.conn->mark |= 5;
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN | TRUST_LOGGED_IN);
	client(&t, "AUTH TLS\r\n");
	server(&t, "234 go on\r\n");
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN | TRUST_TLS);
	ck_assert_uint_eq(t.conn->mark & 0xff, 5);
}
END_TEST

START_TEST(a_client_of_something_else_stays_distrusted)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "GET / HTTP/1.1 \x01\r\n\xff\r\n: x\r\n");
	ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, TRUST_DISTRUSTED);
}
END_TEST

/* The rest of the reply may have lines that look like one. */
START_TEST(within_a_reply_nobody_is_logged_in_for_a_successor)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "STAT\r\n");
	server(&t, "213-Status\r\n");
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN);
	server(&t, "213 End\r\n");
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN | TRUST_LOGGED_IN);
}
END_TEST

START_TEST(the_mark_is_written_only_when_it_changes)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "NOOP\r\n");
	ck_assert_uint_eq(verdict.mark_mask, 0);
	server(&t, "200 ok\r\n");
	ck_assert_uint_eq(verdict.mark_mask, 0);
}
END_TEST

static const unsigned logged_in = TRUST_SEEN | TRUST_LOGGED_IN;

/* Until its end is acknowledged by a segment that comes by. With fail-open = no it says nothing: no
 * data passes unread. */
START_TEST(the_mark_says_that_a_command_was_made_longer)
{
	for (int sees_all = 0; sees_all < 2; sees_all++) {
		struct talk t;
		uint32_t seq;

		start();
		engine.sees_all = sees_all;
		t = masqueraded("192.168.1.5:40000", "198.51.100.2:61000");
		seq = t.seq[DIR_ORIGINAL];
		client(&t, "PORT 192,168,1,5,195,80\r\n");
		ck_assert_uint_eq(trust_of(&t), logged_in | (sees_all ? 0 : TRUST_SHIFTED));
		ck_assert_uint_eq(verdict.mark_mask, 0);
		for (int i = 0; i < 2; i++) {
			t.seq[DIR_ORIGINAL] = i ? seq + 25 : seq;
			server(&t, "200 ok\r\n");
			ck_assert_uint_eq(
				trust_of(&t), logged_in | (sees_all || i ? 0 : TRUST_SHIFTED));
		}
	}
}
END_TEST

/* For a successor nobody is logged in, and yet the command does not pass unread. */
START_TEST(the_mark_says_so_of_a_command_within_a_reply_as_well)
{
	struct talk t;
	uint32_t seq;

	start();
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:61000");
	client(&t, "STAT\r\n");
	server(&t, "213-Status\r\n");
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN);
	seq = t.seq[DIR_ORIGINAL];
	client(&t, "PORT 192,168,1,5,195,80\r\n");
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN | TRUST_SHIFTED);
	t.seq[DIR_ORIGINAL] = seq;
	server(&t, "213 End\r\n");
	ck_assert_uint_eq(trust_of(&t), logged_in | TRUST_SHIFTED);
	t.seq[DIR_ORIGINAL] = seq + 25;
	server(&t, "200 ok\r\n");
	ck_assert_uint_eq(trust_of(&t), logged_in);
}
END_TEST

START_TEST(a_successor_leaves_the_mark_until_the_command_is_acknowledged)
{
	struct talk t;
	uint32_t seq;

	start();
	t = masqueraded("192.168.1.5:40000", "8.8.4.4:61000");
	seq = t.seq[DIR_ORIGINAL];
	client(&t, "PORT 192,168,1,5,195,80\r\n");
	succeed(false);
	t.seq[DIR_ORIGINAL] = seq;
	server(&t, "200 ok\r\n");
	ck_assert_uint_eq(trust_of(&t), logged_in | TRUST_SHIFTED);
	client(&t, "PORT 192,168,1,5,195,80\r\n");
	payload_is("PORT 8,8,4,4,195,80\r\n");
	ck_assert_uint_eq(trust_of(&t), logged_in | TRUST_SHIFTED);
	succeed(false);
	server(&t, "200 ok\r\n");
	ck_assert_uint_eq(trust_of(&t), logged_in);
}
END_TEST

START_TEST(an_evicted_session_with_a_command_under_way_is_no_new_one)
{
	struct talk t;

	start();
	conntab_set_max(&engine.tab, 1);
	t = masqueraded("192.168.1.5:40000", "8.8.4.4:61000");
	client(&t, "PORT 192,168,1,5,195,80\r\n");
	talk();
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN);
}
END_TEST

/* The whole entry is another one, whose first data may lie anywhere. */
static void comes_again(struct talk *t, uint32_t seq, uint32_t id)
{
	t->conn->mark = 0;
	t->conn->view.id = id;
	t->seq[DIR_ORIGINAL] = seq;
	t->seq[DIR_REPLY] = seq + 5000;
}

START_TEST(a_new_entry_with_the_same_tuple_is_another_session)
{
	for (uint32_t id = 0; id < 2; id++) {
		for (uint32_t seq = 500; seq < 5000; seq += 700) {
			struct talk t;

			start();
			t = talk();
			comes_again(&t, seq, id);
			ck_assert_int_eq(server(&t, "220 again\r\n"), REASON_PASSED);
			client(&t, "PASV\r\n");
			ck_assert_int_ne(server(&t, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
			ck_assert_uint_eq(ct.addeds, 0);
			client(&t, "PASS p\r\n");
			server(&t, "230 in\r\n");
			client(&t, "PASV\r\n");
			ck_assert_int_eq(server(&t, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
		}
	}
}
END_TEST

START_TEST(a_far_segment_changes_nothing)
{
	static const uint32_t far[] = {(1 << 20) + 5000, 1u << 30, 0x80000000, 0u - (1 << 21)};

	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		struct talk t;
		uint32_t seq;

		start();
		t = talk();
		client(&t, "POST / HTTP/1.1\r\n\xff\r\n: x\r\n");
		seq = t.seq[DIR_REPLY];
		t.seq[DIR_REPLY] += far[i];
		server(&t, "230 in\r\n");
		ck_assert_int_eq(verdict.action, ACTION_DROP);
		t.seq[DIR_REPLY] = seq;
		ck_assert_int_eq(client(&t, "PORT 198,51,100,2,195,80\r\n"), REASON_NOT_FTP);
		ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_PASSED);
	}
}
END_TEST

START_TEST(conntrack_is_asked_only_where_a_segment_is_not_the_next_one)
{
	struct talk t;
	unsigned gets;

	start();
	t = talk();
	gets = ct.gets;
	for (int i = 0; i < 10; i++) {
		client(&t, "NOOP\r\n");
		server(&t, "200 ok\r\n");
	}
	ck_assert_uint_eq(ct.gets, gets);
	t.seq[DIR_REPLY] -= 8;
	ck_assert_int_eq(server(&t, "200 ok\r\n"), REASON_REPEATED);
	ck_assert_uint_eq(ct.gets, gets + 1);
}
END_TEST

/* It was not read, so it may be anything: the middle of a name, for one. What did not pass a client
 * may have acknowledged unseen. */
START_TEST(a_successor_takes_nothing_for_a_line_before_it_saw_an_end)
{
	for (int sees_all = 0; sees_all < 2; sees_all++) {
		struct talk t;

		start();
		engine.sees_all = sees_all;
		t = talk();
		succeed(sees_all);
		client(&t, "PASV\r\n");
		ck_assert_int_eq(server(&t, "227 x (10,0,0,2,195,80)\r\n"), REASON_PASSED);
		ck_assert_uint_eq(ct.addeds, 0);
		client(&t, "PASV\r\n");
		ck_assert_int_eq(server(&t, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	}
}
END_TEST

START_TEST(a_successor_trusts_nobody_more_than_the_mark_does)
{
	static const char *const said[] = {"550 no\r\n", "230 in\r\n", "200 ok\r\n"};

	for (unsigned trust = 0; trust < 16; trust++) {
		struct talk t;

		start();
		t = talk();
		succeed(false);
		if (!(trust & TRUST_SEEN) || trust & TRUST_TLS)
			continue;
		t.conn->mark = trust_to_mark(POLICY_CONNMARK, trust);
		server(&t, said[0]);
		client(&t, "NOOP\r\n");
		server(&t, said[2]);
		client(&t, "PASV\r\n");
		ck_assert_int_eq(server(&t, "227 x (10,0,0,2,195,80)\r\n") == REASON_OPENED,
			trust == (TRUST_SEEN | TRUST_LOGGED_IN));
		ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, trust & TRUST_DISTRUSTED);
	}
}
END_TEST

static struct talk talk_of_nobody(bool lan)
{
	struct talk t;

	start();
	logs_in = false;
	t = lan ? masqueraded("192.168.1.5:40000", "198.51.100.2:40000") : talk();
	return t;
}

/* What came before may be anything, so the user has to log in; what the client says then has been
 * read. */
START_TEST(what_passed_unread_is_no_beginning)
{
	struct talk t = talk_of_nobody(false);

	t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_UNREAD);
	client(&t, "PASS p\r\n");
	ck_assert_int_eq(server(&t, "230 in\r\n"), REASON_PASSED);
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN);
	client(&t, "PASV\r\n");
	ck_assert_int_ne(server(&t, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	client(&t, "PASS p\r\n");
	server(&t, "230 in\r\n");
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN | TRUST_LOGGED_IN);
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(client(&t, "PORT 198,51,100,2,195,80\r\n"), REASON_OPENED);
}
END_TEST

/* It may have been the beginning of a web page's form; whatever the server says of a login. */
START_TEST(what_a_client_of_a_server_elsewhere_said_unread_is_distrusted)
{
	for (int server_first = 0; server_first < 2; server_first++) {
		struct talk t = talk_of_nobody(true);

		t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_UNREAD);
		if (server_first)
			server(&t, "220 ready\r\n");
		for (int i = 0; i < 2; i++) {
			client(&t, "USER x\r\n");
			server(&t, "230 in\r\n");
			ck_assert_int_ne(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_OPENED);
			server(&t, "500 no\r\n");
			ck_assert_uint_eq(trust_of(&t) | TRUST_LOGGED_IN,
				TRUST_SEEN | TRUST_LOGGED_IN | TRUST_DISTRUSTED);
			succeed(false);
		}
		ck_assert_uint_eq(ct.addeds, 0);
	}
}
END_TEST

/* The rules mark it at its SYN, of which a successor knows nothing. */
START_TEST(a_connection_whose_syn_nobody_has_seen_may_have_begun_before)
{
	for (int is_seen = 0; is_seen < 2; is_seen++) {
		struct talk t = talk_of_nobody(true);

		t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_BEGUN);
		if (is_seen) {
			t.seq[DIR_ORIGINAL]--;
			hand_over(build(&t, DIR_ORIGINAL, SEG_SYN, "", 0), 40);
			t.seq[DIR_ORIGINAL]++;
		}
		server(&t, "220 ready\r\n");
		client(&t, "USER x\r\n");
		server(&t, "230 in\r\n");
		ck_assert_int_eq(
			client(&t, "PORT 192,168,1,5,195,80\r\n") == REASON_OPENED, is_seen);
		ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, is_seen ? 0 : TRUST_DISTRUSTED);
		ck_assert_uint_eq(ct.addeds, (unsigned)is_seen);
	}
}
END_TEST

enum { LAN = 1, WAN, DMZ };

/* A session of a client on the side `from` with a server at its own address on the side `to`;
 * before it, a client in the LAN connects. */
static struct talk talk_between(uint32_t from, uint32_t to, unsigned trust)
{
	struct talk lan, t;

	start();
	logs_in = false;
	lan = masqueraded("192.168.1.6:4", "198.51.100.2:4");
	indev[DIR_ORIGINAL] = LAN;
	hand_over(build(&lan, DIR_ORIGINAL, SEG_SYN, "", 0), CAP);
	indev[DIR_ORIGINAL] = from;
	indev[DIR_REPLY] = to;
	t = talk_to("198.51.100.2:40000", "203.0.113.1:21", "203.0.113.1:21");
	t.conn->mark = trust_to_mark(POLICY_CONNMARK, trust);
	return t;
}

/* Whether the server is elsewhere its client's packets say, whoever speaks first. The next daemon
 * sees the client first. */
START_TEST(a_server_on_a_third_side_is_none_elsewhere)
{
	for (uint32_t from = LAN; from <= WAN; from++) {
		struct talk t = talk_between(from, DMZ, TRUST_UNREAD);

		server(&t, "220 ready\r\n");
		server(&t, "220 ready\r\n");
		ck_assert_uint_eq(trust_of(&t), TRUST_UNREAD);
		client(&t, "NOOP\r\n");
		ck_assert_uint_eq(trust_of(&t), TRUST_SEEN | (from == LAN ? TRUST_DISTRUSTED : 0));
		server(&t, "200 ok\r\n");
		client(&t, "PASS p\r\n");
		server(&t, "230 in\r\n");
		ck_assert_int_eq(
			client(&t, "PORT 198,51,100,2,195,80\r\n") == REASON_OPENED, from == WAN);
	}
}
END_TEST

START_TEST(tls_begins_with_the_word_of_a_server_on_a_third_side)
{
	for (uint32_t from = LAN; from <= WAN; from++) {
		struct talk t = talk_between(from, DMZ, 0);

		server(&t, "220 ready\r\n");
		client(&t, "AUTH TLS\r\n");
		server(&t, "234 go on\r\n");
		ck_assert_uint_eq(
			trust_of(&t), TRUST_SEEN | (from == WAN ? TRUST_TLS : TRUST_AGREED));
	}
}
END_TEST

static void closes_tls(struct talk *t)
{
	static const char alert[] = "\x15\x03\x03\0\2\1", hello[] = "\x16\x03\x03\0\2\1";

	client(t, "AUTH TLS\r\n");
	server(t, "234 go on\r\n");
	for (int dir = 0; dir < 2; dir++)
		say_bytes(t, (enum dir)dir, hello, sizeof(hello));
	for (int dir = 0; dir < 2; dir++)
		say_bytes(t, (enum dir)dir, alert, sizeof(alert));
}

START_TEST(clear_text_of_a_server_on_a_third_side_is_read_again)
{
	for (uint32_t from = LAN; from <= WAN; from++) {
		struct talk t = talk_between(from, DMZ, 0);

		server(&t, "220 ready\r\n");
		closes_tls(&t);
		server(&t, "200 in the clear\r\n");
		client(&t, "PASV\r\n");
		ck_assert_int_eq(
			server(&t, "227 x (203,0,113,1,195,80)\r\n") == REASON_OPENED, from == WAN);
	}
}
END_TEST

START_TEST(an_evicted_session_has_to_log_in_again)
{
	struct talk first;

	start();
	conntab_set_max(&engine.tab, 2);
	first = talk();
	talk_to("198.51.100.3:40000", "203.0.113.1:21", "10.0.0.2:21");
	talk_to("198.51.100.4:40000", "203.0.113.1:21", "10.0.0.2:21");
	ck_assert_uint_eq(engine.evicted, 1);
	ck_assert_uint_eq(trust_of(&first), TRUST_SEEN);
	client(&first, "NOOP\r\n");
	server(&first, "200 ok\r\n");
	client(&first, "PASV\r\n");
	ck_assert_int_ne(server(&first, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	client(&first, "PASS p\r\n");
	server(&first, "230 in\r\n");
	client(&first, "PASV\r\n");
	ck_assert_int_eq(server(&first, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(data_in_a_syn_never_passes)
{
	struct talk t;

	start();
	t = talk();
	hand_over(build(&t, DIR_ORIGINAL, SEG_SYN, "PORT", 4), CAP);
	ck_assert_int_eq(verdict.action, ACTION_DROP);
	hand_over(build(&t, DIR_REPLY, SEG_SYN | SEG_ACK, "227 ", 4), CAP);
	ck_assert_int_eq(verdict.action, ACTION_DROP);
}
END_TEST

/* As if the first segment of a form, sent by a browser, had been lost on its way to the router. */
START_TEST(a_client_that_speaks_first_has_no_port_opened)
{
	struct endpoint c = packet_endpoint("192.168.1.5:40000"),
			d = packet_endpoint("192.0.2.10:21"),
			seen = packet_endpoint("198.51.100.2:40000");
	struct talk t;

	start();
	t = (struct talk){fake_ct_connect(&ct, &c, &d, &d, &seen), {1000, 2000}};
	client(&t, "NOOP\r\n");
	server(&t, "220 x\r\n");
	client(&t, "PASS x\r\n");
	server(&t, "230 in\r\n");
	ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_NOT_FTP);
	ck_assert_uint_eq(ct.addeds, 0);
}
END_TEST

static void connects(struct talk *t)
{
	hand_over(build(t, DIR_ORIGINAL, SEG_SYN, "", 0), CAP);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t->seq[DIR_ORIGINAL]++;
}

START_TEST(a_client_whose_syn_was_seen_may_speak_first)
{
	struct talk t = talk_of_nobody(true);

	connects(&t);
	client(&t, "USER u\r\n");
	server(&t, "220 x\r\n");
	server(&t, "230 in\r\n");
	ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_OPENED);
}
END_TEST

/* A client whose SYN was seen, and the greeting; its mark is the rules'. */
static struct talk greeted_client(bool sees_all)
{
	struct talk t = talk_of_nobody(true);

	engine.sees_all = sees_all;
	t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_BEGUN);
	connects(&t);
	server(&t, "220 ready\r\n");
	return t;
}

/* The rest of what may be a form. True: a port is opened for it. */
static bool goes_on(struct talk *t)
{
	client(t, "USER x\r\n");
	server(t, "230 in\r\n");
	return client(t, "PORT 192,168,1,5,195,80\r\n") == REASON_OPENED;
}

/* The daemon is killed before a browser sends its form, or within its first line, which may be so
 * long that it looks like nothing. Then the beginning passes unread; or it does not pass, and the
 * page's server, which knows how long it is, acknowledges it. */
START_TEST(a_client_that_nobody_has_heard_is_not_trusted_by_a_successor)
{
	static const char *const heard[] = {
		"", "P", "POST /", "POST / HTTP/1.1\r\n", "post / HTTP/1.0\n"};
	char path[LINE_MAX_LEN + 64];

	snprintf(path, sizeof(path), "POST /%0*d", LINE_MAX_LEN, 0);
	for (size_t i = 0; i < 2 * (ARRAY_SIZE(heard) + 1); i++) {
		struct talk t = greeted_client(i % 2);
		bool is_path = i / 2 == ARRAY_SIZE(heard);

		ck_assert_uint_eq(trust_of(&t), TRUST_BEGUN | TRUST_DISTRUSTED);
		client(&t, is_path ? path : heard[i / 2]);
		if (is_path)
			client(&t, " HTTP/1.1\r\n");
		succeed(i % 2);
		t.seq[DIR_ORIGINAL] += 100;
		client(&t, "x\r\n");
		ck_assert(!goes_on(&t));
		ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, TRUST_DISTRUSTED);
	}
}
END_TEST

/* The page's server sends a SYN and ACK in the connection, at which the rules take its mark away,
 * and goes on far from where it was. */
START_TEST(a_server_that_begins_again_clears_no_distrust)
{
	static const char *const said[] = {"POST / HTTP/1.1\r\n", "AUTH TLS\r\n", "USER x\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		for (int is_killed = 0; is_killed < 2; is_killed++) {
			struct talk t = greeted_client(false);

			client(&t, said[i]);
			server(&t, "234 in\r\n");
			t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_UNREAD);
			if (is_killed)
				succeed(false);
			t.seq[DIR_REPLY] += 1 << 30;
			server(&t, "220 ready\r\n");
			server(&t, "230 in\r\n");
			ck_assert_uint_eq(trust_of(&t), TRUST_UNREAD);
			t.seq[DIR_ORIGINAL] += 1 << 29;
			ck_assert(!goes_on(&t));
			ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, TRUST_DISTRUSTED);
		}
	}
}
END_TEST

/* Whoever sends packets in its name from outside does not make its server one of ours. */
START_TEST(a_client_in_the_lan_stays_there)
{
	for (uint32_t ahead = 0; ahead < 2; ahead++) {
		struct talk t = talk_of_nobody(true), forged;

		indev[DIR_ORIGINAL] = LAN;
		indev[DIR_REPLY] = WAN;
		connects(&t);
		server(&t, "220 x\r\n");
		client(&t, "AUTH TLS\r\n");
		forged = t;
		forged.seq[DIR_ORIGINAL] += ahead;
		indev[DIR_ORIGINAL] = WAN;
		client(&forged, "\r\n");
		ck_assert_int_eq(server(&t, "234 x\r\n"), REASON_PASSED);
		ck_assert_uint_eq(trust_of(&t) & TRUST_TLS, 0);
	}
}
END_TEST

/* It says that the session is TLS, of which nothing was read. */
START_TEST(tls_that_only_a_server_elsewhere_has_begun_is_distrusted)
{
	static const char record[] = "\x16\x03\x03\0\1";
	struct talk t = greeted_client(false);

	succeed(false);
	say_bytes(&t, DIR_REPLY, record, sizeof(record));
	ck_assert_uint_eq(trust_of(&t), TRUST_BEGUN | TRUST_DISTRUSTED);
	say_bytes(&t, DIR_ORIGINAL, record, sizeof(record));
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN | TRUST_TLS | TRUST_DISTRUSTED);
}
END_TEST

/* Its SYN is forgotten with it. */
START_TEST(an_evicted_session_whose_client_was_not_heard_is_distrusted)
{
	struct talk t = greeted_client(false);

	conntab_set_max(&engine.tab, 1);
	logs_in = true;
	talk();
	ck_assert(!goes_on(&t));
	ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, TRUST_DISTRUSTED);
}
END_TEST

START_TEST(a_client_that_was_heard_is_trusted_by_a_successor)
{
	struct talk t = greeted_client(false);

	client(&t, "USER x\r\n");
	ck_assert_uint_eq(trust_of(&t), TRUST_SEEN);
	succeed(false);
	client(&t, "NOOP\r\n");
	server(&t, "200 ok\r\n");
	ck_assert(goes_on(&t));
}
END_TEST

START_TEST(a_greeting_that_comes_twice_is_of_one_session)
{
	struct talk t = greeted_client(false);

	t.seq[DIR_REPLY] -= 11;
	ck_assert_int_eq(server(&t, "220 ready\r\n"), REASON_REPEATED);
	ck_assert(goes_on(&t));
}
END_TEST

/* The first said nothing, and the second one's SYN was one too many; or both were seen. */
START_TEST(a_next_connection_has_a_syn_of_its_own)
{
	for (int is_seen = 0; is_seen < 2; is_seen++) {
		for (uint32_t distance = 5000; distance; distance <<= 4) {
			struct talk t = greeted_client(false);

			connects(&t);
			t.seq[DIR_ORIGINAL] += distance;
			t.seq[DIR_REPLY] += distance;
			if (is_seen)
				connects(&t);
			else
				t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_UNREAD);
			ck_assert_int_eq(server(&t, "220 again\r\n"), REASON_PASSED);
			ck_assert(goes_on(&t) == is_seen);
		}
	}
}
END_TEST

/* Nor was the first one's, of which the client said nothing. */
START_TEST(a_next_connection_whose_syn_was_not_seen_has_other_numbers)
{
	for (int client_first = 0; client_first < 2; client_first++) {
		struct talk t = talk_of_nobody(true);

		t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_BEGUN);
		server(&t, "220 ready\r\n");
		t.seq[DIR_ORIGINAL] += 1 << 30;
		t.seq[DIR_REPLY] += 1 << 30;
		if (client_first)
			ck_assert_int_eq(client(&t, "USER x\r\n"), REASON_PASSED);
		ck_assert_int_eq(server(&t, "220 again\r\n"), REASON_PASSED);
	}
}
END_TEST

/* With rules in front of conntrack the mark does not say that its SYN was one too many. */
START_TEST(a_syn_that_is_far_away_was_an_earlier_connection_s)
{
	struct talk t = talk_of_nobody(true);

	t.conn->mark = trust_to_mark(POLICY_CONNMARK, TRUST_BEGUN);
	connects(&t);
	t.seq[DIR_ORIGINAL] += 1 << 30;
	ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
	ck_assert(!goes_on(&t));
}
END_TEST

/* The first segment is lost, and the server acknowledges it all the same. */
START_TEST(a_client_s_stream_begins_where_its_syn_said)
{
	for (int server_first = 0; server_first < 2; server_first++) {
		struct talk t = talk_of_nobody(true);

		connects(&t);
		t.seq[DIR_ORIGINAL] += 100;
		if (server_first)
			server(&t, "220 x\r\n");
		else
			ck_assert_int_eq(client(&t, "USER u\r\n"), REASON_REORDERED);
		server(&t, "230 in\r\n");
		ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, TRUST_DISTRUSTED);
		ck_assert_int_eq(client(&t, "USER u\r\n"), REASON_PASSED);
		ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_NOT_FTP);
		t.seq[DIR_ORIGINAL] = 1001;
		client(&t, "POST / HTTP/1.1\r\n: x\r\n");
		ck_assert_int_eq(verdict.action, ACTION_DROP);
		ck_assert_uint_eq(ct.addeds, 0);
	}
}
END_TEST

/* What the predecessor saw last has arrived, and what it saw before comes again. */
START_TEST(a_server_goes_on_after_what_a_predecessor_saw)
{
	for (int sees_all = 0; sees_all < 2; sees_all++) {
		struct talk t;
		uint32_t first;

		start();
		t = talk();
		first = t.seq[DIR_REPLY];
		server(&t, "150 x\r\n");
		server(&t, "226 x\r\n");
		succeed(sees_all);
		t.seq[DIR_REPLY] = first;
		server(&t, "150 x\r\n");
		t.seq[DIR_REPLY] += (uint32_t)strlen("226 x\r\n");
		ck_assert_int_eq(server(&t, "226 y\r\n"), REASON_PASSED);
		ck_assert_int_eq(verdict.action, ACTION_PASS);
		client(&t, "NOOP\r\n");
		t.seq[DIR_REPLY] += 7; /* the client has had all: now a gap is one */
		ck_assert_int_eq(server(&t, "200 x\r\n"), REASON_REORDERED);
	}
}
END_TEST

/* Rules that were not there for a while. */
START_TEST(a_session_of_which_lines_went_past_goes_on)
{
	struct talk t;
	uint32_t last;

	start();
	t = talk();
	client(&t, "NOOP\r\n");
	server(&t, "200 x\r\n");
	last = t.seq[DIR_ORIGINAL];
	t.seq[DIR_ORIGINAL] += 100;
	ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_REORDERED);
	t.seq[DIR_ORIGINAL] = last + 100;
	t.seq[DIR_REPLY] += 100;
	ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "200 x\r\n"), REASON_PASSED);
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	t.seq[DIR_ORIGINAL] = last;
	client(&t, "AUTH TLS\r\n");
	ck_assert_int_eq(verdict.action, ACTION_DROP);
}
END_TEST

/* A client that says it has bytes of the server that did not come by is believed. They may have
 * been the beginning of a reply that quotes a name. */
START_TEST(what_follows_in_a_reply_that_went_past_opens_nothing)
{
	static const char *const before[] = {"", "250-x\r\n"};

	for (size_t i = 0; i < 2; i++) {
		struct talk t;
		uint32_t last;

		start();
		t = talk();
		client(&t, "CWD x\r\n");
		if (*before[i])
			server(&t, before[i]);
		last = t.seq[DIR_REPLY];
		t.seq[DIR_REPLY] += 20;
		client(&t, "NOOP\r\n");
		ck_assert_int_eq(trust_of(&t) & TRUST_LOGGED_IN, 0);
		t.seq[DIR_REPLY] = last + 20;
		server(&t, "x\r\n");
		client(&t, "PASV\r\n");
		ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_NOT_LOGGED_IN);
	}
}
END_TEST

/* The server has them, and says so. What a client began with may have been a web page's. */
START_TEST(commands_that_went_past_are_not_waited_for)
{
	struct talk t;

	for (int i = 0; i < 4; i++) {
		bool own = i & 1, spoke = i & 2;

		start();
		logs_in = spoke;
		t = own ? talk() : masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
		client(&t, "NO");
		t.seq[DIR_ORIGINAL] += 100;
		server(&t, "200 x\r\n");
		ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
		ck_assert_int_eq(verdict.action, ACTION_PASS);
		ck_assert_int_eq(!own && !spoke, (trust_of(&t) & TRUST_DISTRUSTED) != 0);
	}
}
END_TEST

/* The server has it. No offer in it was made longer or shorter, so nothing is to be made again. */
START_TEST(what_comes_again_after_a_restart_takes_no_command_away)
{
	struct talk t, again;

	start();
	t = again = talk();
	client(&t, "NOOP\r\n");
	succeed(true);
	client(&t, "TYPE I\r\n");
	server(&t, "200 x\r\n");
	client(&t, "PASV\r\n");
	client(&again, "NOOP\r\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_OPENED);
}
END_TEST

/* It may be the rest of a line that is no FTP. */
START_TEST(an_offer_after_bytes_that_went_past_opens_nothing)
{
	struct talk t;

	start();
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	client(&t, "NOOP\r\n");
	t.seq[DIR_ORIGINAL] += 100;
	server(&t, "200 x\r\n");
	ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_NOT_FTP);
	server(&t, "200 x\r\n");
	ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_OPENED);
}
END_TEST

/* The predecessor read a command in two segments, of which the first comes again. The server has
 * both, and says so. */
START_TEST(what_a_predecessor_has_read_is_not_held_against_a_client)
{
	struct talk t, again;

	start();
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	client(&t, "NOOP\r\n");
	again = t;
	client(&t, "CWD ");
	client(&t, "x\r\n");
	succeed(false);
	ck_assert_int_eq(client(&again, "CWD "), REASON_PASSED);
	server(&t, "250 x\r\n");
	client(&t, "RETR Apache HTTP/1.3\r\n");
	ck_assert_uint_eq(trust_of(&t) & TRUST_DISTRUSTED, 0);
}
END_TEST

/* SYNs come by, but none of this client: the server's word is not enough. */
START_TEST(a_client_whose_syn_was_not_seen_has_no_port_opened)
{
	struct talk t = talk_of_nobody(true),
		    other = masqueraded("192.168.1.6:4", "198.51.100.2:4");

	connects(&other);
	server(&t, "220 x\r\n");
	client(&t, "USER u\r\n");
	server(&t, "230 in\r\n");
	ck_assert_int_eq(client(&t, "PORT 192,168,1,5,195,80\r\n"), REASON_NOT_FTP);
}
END_TEST

/* To a server of our own nobody else's page sends a browser. */
START_TEST(a_client_of_our_own_server_may_speak_first)
{
	struct talk t = talk_of_nobody(false);

	client(&t, "USER u\r\n");
	server(&t, "220 x\r\n");
	server(&t, "230 in\r\n");
	ck_assert_int_eq(client(&t, "PORT 198,51,100,2,195,80\r\n"), REASON_OPENED);
}
END_TEST

/* A first segment far ahead that dies behind the router makes nothing in front of it old. */
START_TEST(what_comes_before_the_first_segment_is_read)
{
	struct talk t = {0};
	struct endpoint c = packet_endpoint("198.51.100.2:40000"),
			d = packet_endpoint("203.0.113.1:21"), r = packet_endpoint("10.0.0.2:21");

	start();
	t = (struct talk){fake_ct_connect(&ct, &c, &d, &r, &c), {1000, 2000}};
	t.seq[DIR_ORIGINAL] = 6000;
	client(&t, "NOOP\r\n");
	t.seq[DIR_ORIGINAL] = 1000;
	ck_assert_int_eq(client(&t, "LPSV\r\n"), REASON_LONG_FORM);
	payload_is("XXXX\r\n");
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_mask_has_four_bits,
		bits_are_spread_over_the_mask_and_collected_again,
		the_mark_follows_the_session_and_leaves_other_bits,
		a_client_of_something_else_stays_distrusted,
		within_a_reply_nobody_is_logged_in_for_a_successor,
		the_mark_is_written_only_when_it_changes,
		the_mark_says_that_a_command_was_made_longer,
		the_mark_says_so_of_a_command_within_a_reply_as_well,
		a_successor_leaves_the_mark_until_the_command_is_acknowledged,
		an_evicted_session_with_a_command_under_way_is_no_new_one,
		a_new_entry_with_the_same_tuple_is_another_session,
		a_far_segment_changes_nothing,
		conntrack_is_asked_only_where_a_segment_is_not_the_next_one,
		a_successor_takes_nothing_for_a_line_before_it_saw_an_end,
		a_successor_trusts_nobody_more_than_the_mark_does,
		what_passed_unread_is_no_beginning,
		what_a_client_of_a_server_elsewhere_said_unread_is_distrusted,
		a_connection_whose_syn_nobody_has_seen_may_have_begun_before,
		a_server_on_a_third_side_is_none_elsewhere,
		tls_begins_with_the_word_of_a_server_on_a_third_side,
		clear_text_of_a_server_on_a_third_side_is_read_again,
		an_evicted_session_has_to_log_in_again,
		data_in_a_syn_never_passes,
		a_client_that_speaks_first_has_no_port_opened,
		a_client_of_our_own_server_may_speak_first,
		a_client_whose_syn_was_seen_may_speak_first,
		a_client_that_nobody_has_heard_is_not_trusted_by_a_successor,
		a_server_that_begins_again_clears_no_distrust,
		a_client_in_the_lan_stays_there,
		tls_that_only_a_server_elsewhere_has_begun_is_distrusted,
		an_evicted_session_whose_client_was_not_heard_is_distrusted,
		a_client_that_was_heard_is_trusted_by_a_successor,
		a_greeting_that_comes_twice_is_of_one_session,
		a_next_connection_has_a_syn_of_its_own,
		a_next_connection_whose_syn_was_not_seen_has_other_numbers,
		a_syn_that_is_far_away_was_an_earlier_connection_s,
		a_client_s_stream_begins_where_its_syn_said,
		a_server_goes_on_after_what_a_predecessor_saw,
		a_session_of_which_lines_went_past_goes_on,
		what_follows_in_a_reply_that_went_past_opens_nothing,
		commands_that_went_past_are_not_waited_for,
		what_comes_again_after_a_restart_takes_no_command_away,
		an_offer_after_bytes_that_went_past_opens_nothing,
		what_a_predecessor_has_read_is_not_held_against_a_client,
		a_client_whose_syn_was_not_seen_has_no_port_opened,
		what_comes_before_the_first_segment_is_read,
	};

	return unit_run("trust", test, ARRAY_SIZE(test));
}
