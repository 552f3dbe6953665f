/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_engine_strict.c - strict mode: what resets a connection, and what is refused */
#include "talk.h"

/* A client that has opened a port, and has said what resets the connection. */
static struct talk reset_by(const char *text)
{
	static const struct policy policy = {
		.expect_seconds = 60, .strict.outcome = {[STRICT_SPOOFED_REPLY] = STRICT_RESET}};
	struct talk t;

	start();
	engine.policy = &policy;
	t = talk();
	server(&t, "200 ok\r\n");
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_OPENED);
	ck_assert_int_eq(client(&t, text), REASON_SPOOFED_REPLY);
	ck_assert_int_eq(verdict.strict, STRICT_RESET);
	return t;
}

/* The packet in buf, after the kernel's adjustment, is an empty one with these flags, `place` bytes
 * on in the stream that began with `isn`. */
static void empty_is(struct talk *t, enum dir dir, uint8_t flags, uint32_t place)
{
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	ck_assert_uint_eq(packet_header_len(buf), len);
	ck_assert_uint_eq(packet_flags(buf), flags);
	fake_ct_adjust(t->conn, dir, buf, len);
	ck_assert_uint_eq(packet_seq(buf), place);
}

enum { CLIENT_SAID = 1000 + 6, SERVER_SAID = 2000 + 8 + 29 }; /* "PASV", and the rewritten reply */

START_TEST(a_reset_takes_the_expectation_back)
{
	struct talk t = reset_by("227 x\r\n");

	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, CLIENT_SAID);
	ck_assert(!t.conn->expecting && !verdict.opened);
	ck_assert_uint_eq(engine.count[REASON_SPOOFED_REPLY], 1);
}
END_TEST

/* Either may have been lost: a RST for who has it not, an empty segment for who is gone and says
 * so. */
START_TEST(what_is_repeated_after_a_reset_is_a_rst_or_empty_by_turns)
{
	struct talk t = reset_by("227 x\r\n");

	for (int i = 0; i < 10; i++) {
		t.seq[DIR_ORIGINAL] = CLIENT_SAID;
		ck_assert_int_eq(client(&t, "227 x\r\n"), REASON_RESET);
		empty_is(&t, DIR_ORIGINAL, i % 2 ? SEG_RST | SEG_ACK : SEG_ACK, CLIENT_SAID);
	}
	ck_assert_uint_eq(engine.count[REASON_SPOOFED_REPLY], 1);
}
END_TEST

/* A tail loss probe sends the last segment; however often it comes, what is in front of it does not
 * pass either. */
START_TEST(what_comes_behind_a_reset_is_no_gap)
{
	struct talk t = reset_by("227 x\r\n");

	for (int i = 0; i < 20; i++) {
		t.seq[DIR_ORIGINAL] = CLIENT_SAID + 50;
		ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_RESET);
		empty_is(&t, DIR_ORIGINAL, i % 2 ? SEG_RST | SEG_ACK : SEG_ACK, CLIENT_SAID);
	}
	t.seq[DIR_ORIGINAL] = CLIENT_SAID;
	ck_assert_int_eq(client(&t, "227 x\r\n"), REASON_RESET);
	empty_is(&t, DIR_ORIGINAL, SEG_ACK, CLIENT_SAID);
}
END_TEST

/* What has passed before passes again: it may have been lost behind the router. */
START_TEST(old_bytes_pass_after_a_reset)
{
	struct talk t = reset_by("227 x\r\n");

	t.seq[DIR_ORIGINAL] = CLIENT_SAID - 6;
	ck_assert_int_eq(client(&t, "PASV\r\n"), REASON_REPEATED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t.seq[DIR_ORIGINAL] = CLIENT_SAID - 6;
	ck_assert_int_eq(client(&t, "PASV\r\n227 x\r\n"), REASON_RESET);
	payload_is("PASV\r\n");
	ck_assert_uint_eq(packet_flags(buf), SEG_ACK);
	t.seq[DIR_ORIGINAL] = CLIENT_SAID - 6;
	ck_assert_int_eq(client(&t, "PASV\r\n227 x\r\n"), REASON_RESET);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, CLIENT_SAID);
	t.seq[DIR_REPLY] = 2000 + 8;
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_REPEATED);
	payload_is("227 ok (203,0,113,1,195,80)\r\n");
}
END_TEST

START_TEST(a_reset_holds_for_the_other_side_too)
{
	struct talk t = reset_by("227 x\r\n");

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,81)\r\n"), REASON_RESET);
		empty_is(&t, DIR_REPLY, i % 2 ? SEG_ACK : SEG_RST | SEG_ACK, SERVER_SAID);
	}
	ck_assert_uint_eq(ct.addeds, 1);
}
END_TEST

START_TEST(a_new_connection_with_the_tuple_of_a_reset_one_is_another)
{
	struct talk t = reset_by("227 x\r\n");

	t.conn->view.id++;
	t.conn->mark = 0;
	t.seq[DIR_ORIGINAL] = 0x40000000;
	ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

/* What is opened in front of the line, and behind it in the segment, counts for nothing. */
START_TEST(nothing_is_read_behind_what_resets)
{
	static const struct policy policy = {
		.strict.outcome = {[STRICT_UNPRINTABLE] = STRICT_RESET}};
	struct talk t;

	start();
	engine.policy = &policy;
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	server(&t, "200 ok\r\n");
	ck_assert_int_eq(client(&t, "\1\r\nPORT 192,168,1,5,195,80\r\n"), REASON_UNPRINTABLE);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, 1000);
	ck_assert_uint_eq(ct.addeds, 0);
}
END_TEST

START_TEST(a_reset_over_ip6_is_sound)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_BARE_LF] = STRICT_RESET}};
	struct packet_spec spec = {.flags = SEG_ACK | SEG_PSH | SEG_URG | SEG_FIN,
		.urgent = 5,
		.extensions = 2,
		.tcp_options = PACKET_TIMESTAMPS,
		.payload = "NOOP\n",
		.len = 5,
		.seq = 1000,
		.ack = 2008};
	struct talk t;

	start();
	engine.policy = &policy;
	t = talk_to("[2001:db8::2]:40000", "[2001:db8::1]:21", "[fd00::2]:21");
	server(&t, "200 ok\r\n");
	spec.tuple = t.conn->view.tuple[DIR_ORIGINAL];
	ck_assert_int_eq(hand_over(packet_build(&spec, buf), CAP), REASON_BARE_LF);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, 1000);
}
END_TEST

START_TEST(a_refusal_that_cannot_be_remembered_is_a_reset)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_BARE_LF] = STRICT_MASK}};
	struct talk t;

	start();
	engine.policy = &policy;
	t = talk();
	server(&t, "200 ok\r\n");
	for (int i = 0; i < EDITS_MAX; i++) {
		ck_assert_int_eq(client(&t, "NOOP\n"), REASON_BARE_LF);
		ck_assert_int_eq(verdict.strict, STRICT_MASK);
		payload_is("XXXX\n");
	}
	ck_assert_int_eq(client(&t, "NOOP\n"), REASON_BARE_LF);
	ck_assert_int_eq(verdict.strict, STRICT_RESET);
	empty_is(&t, DIR_ORIGINAL, SEG_RST | SEG_ACK, 1000 + 5 * EDITS_MAX);
}
END_TEST

/* Of a session met in its middle it may be TLS. */
START_TEST(a_client_is_judged_once_the_server_was_heard)
{
	static const struct policy policy = {
		.strict.outcome = {[STRICT_UNPRINTABLE] = STRICT_RESET}};
	struct talk t;

	start();
	engine.policy = &policy;
	logs_in = false;
	t = talk();
	client(&t, "\x17\3\3\1\1\n\1\2\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	server(&t, "\x17\3\3\1\1\n\1\2\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	client(&t, "\x17\3\3\1\1\n\1\2\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t = talk_to("198.51.100.2:40001", "203.0.113.1:21", "10.0.0.2:21");
	client(&t, "\1\r\n");
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	server(&t, "500 what\r\n");
	ck_assert_int_eq(client(&t, "\1\r\n"), REASON_UNPRINTABLE);
}
END_TEST

/* The server answers it with 500, whatever it was. */
START_TEST(a_refused_command_is_none)
{
	static const struct policy policy = {.strict.outcome = {[STRICT_BARE_LF] = STRICT_MASK}};
	struct talk t;

	start();
	engine.policy = &policy;
	t = talk();
	server(&t, "200 ok\r\n");
	client(&t, "PASV\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
}
END_TEST

/* A client that speaks before the greeting sends the second part of a line first: the server would
 * have a command that nobody read. */
START_TEST(a_command_in_two_parts_is_not_put_together_behind_us)
{
	static const struct {
		struct policy policy;
		bool refuses;
	} sites[] = {
		{{.strict.outcome = {[STRICT_BAD_OFFER] = STRICT_LOG}}, false},
		{{.strict.outcome = {[STRICT_BAD_OFFER] = STRICT_MASK}}, true},
		{{.n_tls_rule = 1, .tls_rule = {{.mode = TLS_PASS}}}, false},
		{{.n_tls_rule = 1, .tls_rule = {{.mode = TLS_REFUSE}}}, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sites); i++) {
		struct talk t;

		start();
		engine.policy = &sites[i].policy;
		logs_in = false;
		t = talk();
		t.seq[DIR_ORIGINAL] += 2;
		client(&t, "TH TLS\r\n");
		ck_assert_int_eq(verdict.action, ACTION_PASS);
		t.seq[DIR_ORIGINAL] = 1000;
		client(&t, "AU");
		ck_assert_int_eq(verdict.action, sites[i].refuses ? ACTION_DROP : ACTION_PASS);
		server(&t, "220 ready\r\n");
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_reset_takes_the_expectation_back,
		what_is_repeated_after_a_reset_is_a_rst_or_empty_by_turns,
		what_comes_behind_a_reset_is_no_gap,
		old_bytes_pass_after_a_reset,
		a_reset_holds_for_the_other_side_too,
		a_new_connection_with_the_tuple_of_a_reset_one_is_another,
		nothing_is_read_behind_what_resets,
		a_reset_over_ip6_is_sound,
		a_refusal_that_cannot_be_remembered_is_a_reset,
		a_client_is_judged_once_the_server_was_heard,
		a_refused_command_is_none,
		a_command_in_two_parts_is_not_put_together_behind_us,
	};

	return unit_run("engine_strict", test, ARRAY_SIZE(test));
}
