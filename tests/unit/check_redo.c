/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests for offer_redo() of src/core/offer.c: a daemon opens a port and is killed before its
 * verdict, or the packet is lost behind it, and the offer comes again to a successor. */
#include "talk.h"

/* What clients in the LAN look like outside: shorter, longer. */
static const char *const seen[] = {"8.8.4.4:61000", "198.51.100.2:61000"};

static void succeed(void)
{
	struct ct_ops ops = fake_ct_ops(&ct);

	engine_init(&engine, &ops, &policy_default, key);
	engine.sees_all = true;
}

static void start_masqueraded(struct talk *t, size_t i)
{
	start();
	engine.sees_all = true;
	*t = masqueraded("192.168.1.5:40000", seen[i]);
}

/* Where clients dial a server: its endpoint becomes shorter, longer. */
static const char *const dialled[] = {"8.8.8.8:21", "203.0.113.111:21"};

static void start_translated(struct talk *t, size_t i)
{
	start();
	*t = talk_to("198.51.100.2:40000", dialled[i], "10.10.0.2:21");
}

/* The server has all that the client said. */
static void answer(struct talk *t, const char *text)
{
	const uint32_t said = t->seq[DIR_ORIGINAL];

	t->seq[DIR_ORIGINAL] += (uint32_t)t->conn->view.seqadj[DIR_ORIGINAL].after;
	server(t, text);
	t->seq[DIR_ORIGINAL] = said;
}

/* What the receiver gets of what is said. Returns its length. */
static size_t say(struct talk *t, enum dir dir, const char *text, uint8_t *ret_packet)
{
	say_bytes(t, dir, text, strlen(text));
	fake_ct_adjust(t->conn, dir, buf, len);
	memcpy(ret_packet, buf, len);
	return len;
}

/* An offer that opens a port, and what its receiver should get. */
struct offered {
	enum dir dir;
	const char *text;
	uint32_t seq;
	uint8_t packet[CAP];
	size_t len;
};

static struct offered offer(struct talk *t, enum dir dir, const char *text)
{
	struct offered o = {.dir = dir, .text = text, .seq = t->seq[dir]};

	o.len = say(t, dir, text, o.packet);
	ck_assert(verdict.opened);
	return o;
}

static void check_again(struct talk *t, const struct offered *o)
{
	unsigned addeds = ct.addeds;
	uint8_t again[CAP];

	t->seq[o->dir] = o->seq;
	ck_assert_uint_eq(say(t, o->dir, o->text, again), o->len);
	ck_assert_int_eq(verdict.reason, REASON_REPEATED);
	ck_assert_mem_eq(again, o->packet, o->len);
	ck_assert(t->conn->expecting && ct.addeds == addeds);
}

START_TEST(an_offer_is_made_again)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct talk t;
		struct offered o;

		start_masqueraded(&t, i);
		o = offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		succeed();
		check_again(&t, &o);
	}
}
END_TEST

/* The daemon that gets the second one knows of the first what the kernel has, and by an ACK whether
 * it has arrived. */
START_TEST(an_offer_behind_one_that_changed_its_length_is_made_again)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(seen); i++) {
		struct talk t;
		struct offered o;

		start_masqueraded(&t, i / 2);
		offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		answer(&t, "200 ok\r\n");
		succeed();
		client(&t, "TYPE I\r\n");
		if (i % 2)
			answer(&t, "200 ok\r\n");
		o = offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,81\r\n");
		succeed();
		check_again(&t, &o);
	}
}
END_TEST

/* Else what was sent in front of it, and comes again without it, would be moved. */
START_TEST(what_comes_before_an_offer_stays_where_it_is)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct talk t;
		uint32_t seq;
		uint8_t first[CAP], again[CAP];
		size_t n;

		start_masqueraded(&t, i);
		offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		succeed();
		answer(&t, "200 ok\r\n");
		seq = t.seq[DIR_ORIGINAL];
		n = say(&t, DIR_ORIGINAL, "TYPE I\r\n", first);
		offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,81\r\n");
		succeed();
		t.seq[DIR_ORIGINAL] = seq;
		ck_assert_uint_eq(say(&t, DIR_ORIGINAL, "TYPE I\r\n", again), n);
		ck_assert_mem_eq(again, first, n);
	}
}
END_TEST

/* The client has that, but its ACK was lost. */
START_TEST(an_offer_is_made_again_after_one_of_the_server_came_again)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		static const char reply[] = "227 ok (192,0,2,10,195,80)\r\n";
		struct talk t;
		struct offered o;

		start_masqueraded(&t, i);
		client(&t, "PASV\r\n");
		server(&t, reply);
		o = offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		succeed();
		t.seq[DIR_REPLY] -= (uint32_t)strlen(reply);
		server(&t, reply);
		check_again(&t, &o);
	}
}
END_TEST

START_TEST(an_offer_in_the_text_of_a_reply_is_made_again)
{
	for (size_t i = 0; i < ARRAY_SIZE(dialled); i++) {
		struct talk t;
		struct offered o;

		start_translated(&t, i);
		client(&t, "PASV\r\n");
		o = offer(&t, DIR_REPLY, "227-ok\r\n (10,10,0,2,195,80)\r\n227 end\r\n");
		succeed();
		check_again(&t, &o);
	}
}
END_TEST

/* The client uses the number once more. What looks like an offer has the port known before it is
 * used. */
START_TEST(an_offer_whose_port_was_used_is_a_new_one)
{
	for (int is_known = 0; is_known < 2; is_known++) {
		struct talk t;

		start_masqueraded(&t, 0);
		offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		succeed();
		answer(&t, is_known ? "227 ok (192,0,2,10,195,81)\r\n" : "200 ok\r\n");
		client(&t, "RETR x\r\n");
		t.conn->expecting = false;
		engine_expect_ended(&engine, &t.conn->expect, false, now);
		answer(&t, "150 here\r\n226 done\r\n");
		offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		ck_assert(t.conn->expecting);
	}
}
END_TEST

/* The port gets another time. */
START_TEST(an_offer_that_is_said_again_after_its_answer_is_a_new_one)
{
	struct talk t;

	start();
	t = masqueraded("192.168.1.5:40000", "203.0.113.1:61000"); /* as long */
	offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
	succeed();
	answer(&t, "200 ok\r\n");
	client(&t, "TYPE I\r\n");
	answer(&t, "200 ok\r\n");
	for (int i = 0; i < 2; i++) {
		offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,81\r\n");
		answer(&t, "200 ok\r\n");
	}
}
END_TEST

/* Where the next line of `dir` reaches its receiver. */
static uint32_t place(struct talk *t, enum dir dir, const char *text)
{
	uint8_t packet[CAP];

	say(t, dir, text, packet);
	return packet_seq(packet);
}

/* The announced port is the one behind that of the line, which somebody has, and is written with
 * another number of digits. The server has connected, but its ACK was lost. */
START_TEST(an_offer_after_a_clash_whose_port_was_used_is_made_again)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct endpoint server_end = packet_endpoint("192.0.2.10:21"),
				taken = packet_endpoint(seen[i]);
		struct talk t;
		struct offered o;
		uint8_t again[CAP];

		start_masqueraded(&t, i);
		taken.port = 195 * 256 + 99;
		fake_ct_take(&ct, &server_end.addr, &taken);
		o = offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,99\r\n");
		t.conn->expecting = false;
		succeed();
		t.seq[DIR_ORIGINAL] = o.seq;
		ck_assert_uint_eq(say(&t, o.dir, o.text, again), o.len);
		ck_assert_uint_eq(packet_seq(again), packet_seq(o.packet));
		ck_assert(!verdict.opened);
		ck_assert_uint_eq(place(&t, DIR_ORIGINAL, "RETR x\r\n"),
			packet_seq(o.packet) + o.len - packet_header_len(o.packet));
	}
}
END_TEST

START_TEST(a_repeated_port_that_is_refused_is_shut)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct talk t;
		struct offered o;

		start_masqueraded(&t, i);
		o = offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		succeed();
		t.seq[DIR_REPLY] -= 8;
		server(&t, "230 in\r\n"); /* comes again: lines are read after it */
		check_again(&t, &o);
		answer(&t, "500 no\r\n");
		ck_assert(!t.conn->expecting);
	}
}
END_TEST

START_TEST(a_port_of_a_predecessor_is_shut_at_the_end)
{
	struct talk t;

	start_masqueraded(&t, 0);
	offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
	succeed();
	answer(&t, "200 ok\r\n");
	client(&t, "QUIT\r\n");
	answer(&t, "221 bye\r\n");
	ck_assert(!t.conn->expecting);
}
END_TEST

/* As a tail loss probe does. */
START_TEST(an_offer_is_made_again_after_what_follows_it)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct talk t;
		struct offered o;

		start_masqueraded(&t, i);
		o = offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		succeed();
		client(&t, "RETR x\r\n");
		check_again(&t, &o);
	}
}
END_TEST

/* An address may be written in more than one way. */
START_TEST(an_offer_that_says_what_is_announced_stays_so)
{
	struct talk t;
	struct offered o;

	start();
	t = talk_to("198.51.100.2:40000", "203.0.113.1:21", "203.0.113.1:21");
	client(&t, "PASV\r\n");
	o = offer(&t, DIR_REPLY, "227 ok (203, 000,113,1,195,80)\r\n");
	succeed();
	check_again(&t, &o);
}
END_TEST

/* Each line is a segment; the client has the first one. */
START_TEST(an_offer_in_the_text_of_a_reply_whose_first_line_has_gone_is_made_again)
{
	for (size_t i = 0; i < ARRAY_SIZE(dialled); i++) {
		struct talk t;
		struct offered o;

		start_translated(&t, i);
		client(&t, "PASV\r\n");
		server(&t, "227-ok\r\n");
		o = offer(&t, DIR_REPLY, " (10,10,0,2,195,80)\r\n");
		succeed();
		check_again(&t, &o);
	}
}
END_TEST

/* The client went on within a reply; its rest begins with a quoted name. */
START_TEST(what_looks_like_the_beginning_of_an_offer_is_over_with_the_next_reply)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "STAT d\r\n");
	server(&t, "213-list\r\n");
	succeed();
	client(&t, "NOOP\r\n");
	server(&t, "227-name\r\n213 end\r\n");
	server(&t, "200 ok\r\n");
	client(&t, "USER u\r\n");
	server(&t, "331 password\r\n");
	client(&t, "PASS p\r\n");
	server(&t, "230 in\r\n");
	for (int i = 0; i < 3; i++) {
		client(&t, "PASV\r\n");
		server(&t, "227 ok (10,0,0,2,195,80)\r\n");
	}
	ck_assert(verdict.opened);
}
END_TEST

/* The reply before it, in the same segment, has opened a port that is shut by now. */
START_TEST(an_offer_behind_another_one_is_made_again)
{
	for (size_t i = 0; i < ARRAY_SIZE(dialled); i++) {
		struct talk t;
		struct offered o;

		start_translated(&t, i);
		client(&t, "EPSV\r\nPASV\r\n");
		o = offer(&t, DIR_REPLY, "229 ok (|||50001|)\r\n227 10,10,0,2,195,80\r\n");
		succeed();
		check_again(&t, &o);
	}
}
END_TEST

/* The server has it. */
START_TEST(an_offer_that_passed_as_it_is_stays_so)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct talk t;
		uint32_t seq;
		uint8_t first[CAP], again[CAP];
		size_t n;

		start_masqueraded(&t, i);
		client(&t, "PORT 192,168,1,5,1,1\r\n"); /* a port that may not be opened */
		seq = t.seq[DIR_ORIGINAL];
		n = say(&t, DIR_ORIGINAL, "NOOP\r\nPORT 192,168,1,5,195,80\r\n", first);
		ck_assert(!verdict.opened);
		succeed();
		t.seq[DIR_ORIGINAL] = seq;
		ck_assert_uint_eq(
			say(&t, DIR_ORIGINAL, "NOOP\r\nPORT 192,168,1,5,195,80\r\n", again), n);
		ck_assert_mem_eq(again, first, n);
	}
}
END_TEST

/* The kernel has set the shift of the try that clashed; the daemon is killed before the next. */
static struct ct_ops real;
static struct fake_conn then;
static unsigned commits_left;

static enum ct_result commit_and_die(void *ctx, const struct tuple *master, enum dir dir,
	const struct expect *e, const struct seqadj *a)
{
	enum ct_result result = real.commit(ctx, master, dir, e, a);

	if (commits_left && !--commits_left)
		then = ct.conn[0];
	return result;
}

START_TEST(an_offer_that_clashed_is_not_announced_by_a_successor)
{
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct endpoint server_end = packet_endpoint("192.0.2.10:21"),
				taken = packet_endpoint(seen[i]);
		struct talk t;
		uint32_t seq;

		start_masqueraded(&t, i);
		taken.port = 195 * 256 + 80;
		fake_ct_take(&ct, &server_end.addr, &taken);
		real = fake_ct_ops(&ct);
		engine.ct.commit = commit_and_die;
		commits_left = 1;
		seq = t.seq[DIR_ORIGINAL];
		offer(&t, DIR_ORIGINAL, "PORT 192,168,1,5,195,80\r\n");
		*t.conn = then;
		succeed();
		t.seq[DIR_ORIGINAL] = seq;
		client(&t, "PORT 192,168,1,5,195,80\r\n");
		/* somebody else's */
		ck_assert(!memmem(buf, len, ",195,80\r\n", 9));
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		an_offer_is_made_again,
		an_offer_behind_one_that_changed_its_length_is_made_again,
		what_comes_before_an_offer_stays_where_it_is,
		an_offer_is_made_again_after_one_of_the_server_came_again,
		an_offer_in_the_text_of_a_reply_is_made_again,
		an_offer_whose_port_was_used_is_a_new_one,
		an_offer_that_is_said_again_after_its_answer_is_a_new_one,
		an_offer_after_a_clash_whose_port_was_used_is_made_again,
		a_repeated_port_that_is_refused_is_shut,
		a_port_of_a_predecessor_is_shut_at_the_end,
		an_offer_is_made_again_after_what_follows_it,
		an_offer_that_says_what_is_announced_stays_so,
		an_offer_in_the_text_of_a_reply_whose_first_line_has_gone_is_made_again,
		what_looks_like_the_beginning_of_an_offer_is_over_with_the_next_reply,
		an_offer_behind_another_one_is_made_again,
		an_offer_that_passed_as_it_is_stays_so,
		an_offer_that_clashed_is_not_announced_by_a_successor,
	};

	return unit_run("redo", test, ARRAY_SIZE(test));
}
