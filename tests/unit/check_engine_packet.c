/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_engine_packet.c - packets that a dialogue cannot have: requests for the ct helper, odd
 * segments, full buffers */
#include "talk.h"

START_TEST(a_ct_helper_request_is_disarmed)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcd", 8), REASON_CT_HELPER_REQUEST);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	ck_assert_uint_eq(len, 48);
	ck_assert_mem_ne(buf + 40, "\0\0\0\7", 4);
}
END_TEST

START_TEST(a_ct_helper_request_is_disarmed_again_when_repeated)
{
	struct talk t;

	start();
	t = talk();
	for (int i = 0; i < 3; i++) {
		t.seq[DIR_ORIGINAL] = 1000;
		ck_assert_int_eq(
			say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcd", 8), REASON_CT_HELPER_REQUEST);
		ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	}
}
END_TEST

START_TEST(a_ct_helper_request_is_disarmed_without_nat)
{
	struct talk t;

	start();
	t = talk_to("198.51.100.2:40000", "10.0.0.2:21", "10.0.0.2:21");
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcd", 8), REASON_CT_HELPER_REQUEST);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
}
END_TEST

START_TEST(what_only_resembles_a_ct_helper_request_passes)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abc", 7), REASON_PASSED);
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7abcde", 9), REASON_PASSED);
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\0\0\0\6abcd", 8), REASON_PASSED);
	ck_assert_int_eq(say_bytes(&t, DIR_ORIGINAL, "\7\0\0\0abcd", 8), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(the_ct_helper_listens_to_clients_only)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(say_bytes(&t, DIR_REPLY, "\0\0\0\7abcd", 8), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

/* One byte is held and given up; around its place a "retransmission" of nine bytes would leave as
 * eight. */
START_TEST(a_ct_helper_request_that_comes_of_a_rewrite_is_disarmed)
{
	struct talk t;

	start();
	t = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
	ck_assert_int_eq(client(&t, "PORT 1"), REASON_HELD);
	engine.lossy = true;
	t.seq[DIR_ORIGINAL] = 1100;
	client(&t, "x\r\n");
	t.seq[DIR_ORIGINAL] = 1001;
	ck_assert_int_eq(
		say_bytes(&t, DIR_ORIGINAL, "\0\0\0\7X\1\2\3\4", 9), REASON_CT_HELPER_REQUEST);
	ck_assert_uint_eq(len, 48);
	ck_assert_mem_ne(buf + 40, "\0\0\0\7", 4);
}
END_TEST

/* --- segments that are odd --- */

START_TEST(a_line_whose_beginning_went_past_says_nothing)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "STAT x\r\n");
	client(&t, "PASV\r\n");
	server(&t, "213-status\r\n-rw-r--r-- ");
	engine.lossy = true;
	t.seq[DIR_REPLY] = 3000;
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
	ck_assert_uint_eq(ct.addeds, 0);
}
END_TEST

/* What lies behind a gap comes once more, so long after it came the last time. */
static enum reason again(struct talk *t, enum dir dir, const char *text, uint64_t ms)
{
	t->seq[dir] -= (uint32_t)strlen(text);
	now += ms;
	return dir == DIR_REPLY ? server(t, text) : client(t, text);
}

/* TCP repeats what is missing first, if anybody lacks it. */
static void check_gap(enum dir dir, const char *text)
{
	struct talk t;

	start();
	t = talk();
	t.seq[dir] += 20 + (uint32_t)strlen(text);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(again(&t, dir, text, 0), REASON_REORDERED);
	ck_assert_int_eq(again(&t, dir, text, GAPS_WAIT_MS), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t.seq[dir] -= 30;
	ck_assert_int_eq(say_bytes(&t, dir, "hidden\r\n", 8), REASON_REORDERED);
}

START_TEST(a_gap_that_its_sender_does_not_fill_went_past)
{
	check_gap(DIR_ORIGINAL, "NOOP\r\n");
	check_gap(DIR_REPLY, "226 done\r\n");
}
END_TEST

/* FreeBSD's RACK sends two of them. */
START_TEST(probes_for_the_last_segment_do_not_say_that_a_gap_went_past)
{
	struct talk t;

	start();
	t = talk();
	t.seq[DIR_REPLY] += 20;
	ck_assert_int_eq(server(&t, "226 done\r\n"), REASON_REORDERED);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			again(&t, DIR_REPLY, "226 done\r\n", GAPS_WAIT_MS), REASON_REORDERED);
	t.seq[DIR_REPLY] -= 30;
	ck_assert_int_eq(server(&t, "150 on its way now\r\n"), REASON_PASSED);
	ck_assert_int_eq(server(&t, "226 done\r\n"), REASON_PASSED);
}
END_TEST

START_TEST(each_gap_is_waited_for_anew_and_by_its_first_segment)
{
	struct talk t;

	start();
	t = talk();
	for (int i = 0; i < 3; i++) {
		t.seq[DIR_REPLY] += 4;
		ck_assert_int_eq(server(&t, "226 done\r\n"), REASON_REORDERED);
		ck_assert_int_eq(server(&t, "221 bye\r\n"), REASON_REORDERED);
		for (int n = 0; n < GAPS_COPIES - 2; n++) {
			t.seq[DIR_REPLY] -= 9;
			ck_assert_int_eq(
				again(&t, DIR_REPLY, "226 done\r\n", 500), REASON_REORDERED);
			t.seq[DIR_REPLY] += 9;
			ck_assert_int_eq(
				again(&t, DIR_REPLY, "221 bye\r\n", 500), REASON_REORDERED);
		}
		t.seq[DIR_REPLY] -= 9;
		ck_assert_int_eq(again(&t, DIR_REPLY, "226 done\r\n", 1), REASON_PASSED);
	}
}
END_TEST

/* Its first lines may have been a web page's form, for which any server will do. */
START_TEST(a_client_whose_first_line_went_past_is_not_trusted)
{
	for (uint32_t lost = 0; lost <= 20; lost += 20) {
		struct talk t;

		start();
		logs_in = false;
		t = masqueraded("192.168.1.5:40000", "198.51.100.2:40000");
		server(&t, "220 hello\r\n");
		t.seq[DIR_ORIGINAL] += lost;
		client(&t, "NOOP\r\n");
		for (int i = 1; lost && i < GAPS_COPIES; i++)
			again(&t, DIR_ORIGINAL, "NOOP\r\n", GAPS_WAIT_MS);
		client(&t, "USER x\r\n");
		server(&t, "230 welcome\r\n");
		client(&t, "PORT 192,168,1,5,195,80\r\n");
		ck_assert_uint_eq(ct.addeds, lost == 0);
	}
}
END_TEST

START_TEST(a_gap_is_waited_for_if_the_sender_has_read_something_else)
{
	struct talk t;

	start();
	t = talk();
	t.seq[DIR_REPLY] += 20;
	t.seq[DIR_ORIGINAL] += 1 << 30;
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(server(&t, "226 done\r\n"), REASON_REORDERED);
		t.seq[DIR_REPLY] -= 10;
		now += GAPS_WAIT_MS;
	}
}
END_TEST

/* It could have one put together of which nobody has read the beginning. */
START_TEST(a_client_whose_lines_may_be_refused_has_to_fill_a_gap)
{
	struct policy policies[] = {policy_default, policy_default};

	policies[0].strict.outcome[STRICT_LONG_LINE] = STRICT_MASK;
	policies[1].n_tls_rule = 1;
	policies[1].tls_rule[0].mode = TLS_REFUSE;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		struct talk t;

		start();
		engine.policy = &policies[i];
		t = talk();
		t.seq[DIR_ORIGINAL] += 20;
		ck_assert_int_eq(client(&t, "NOOP\r\n"), REASON_REORDERED);
		for (int n = 0; n < 10; n++)
			ck_assert_int_eq(again(&t, DIR_ORIGINAL, "NOOP\r\n", GAPS_WAIT_MS),
				REASON_REORDERED);
	}
}
END_TEST

START_TEST(what_was_asked_before_a_gap_is_not_answered_behind_it)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	server(&t, "150 x\r\n");
	engine.lossy = true;
	t.seq[DIR_REPLY] = 3000;
	server(&t, "x\r\n");
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_UNPAIRED);
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 (10,0,0,2,195,80)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(nothing_is_held_of_a_last_segment)
{
	static const char text[] = "227 ok (10,0";
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(
		hand_over(build(&t, DIR_REPLY, SEG_ACK | SEG_FIN, text, strlen(text)), CAP),
		REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(what_is_held_goes_with_the_last_segment)
{
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	ck_assert_int_eq(server(&t, "227 ok (10,0"), REASON_HELD);
	hand_over(build(&t, DIR_REPLY, SEG_ACK | SEG_FIN, ",0", 2), CAP);
	ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	payload_is("ok (10,0,0");
}
END_TEST

START_TEST(a_syn_with_data_is_dropped)
{
	struct talk t;

	start();
	t = talk();
	ck_assert_int_eq(hand_over(build(&t, DIR_REPLY, SEG_SYN | SEG_ACK, "220 hi\r\n", 8), CAP),
		REASON_REORDERED);
	ck_assert_int_eq(verdict.action, ACTION_DROP);
	ck_assert_int_eq(server(&t, "331 password\r\n"), REASON_PASSED);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
}
END_TEST

START_TEST(a_syn_with_extension_headers_is_no_lan_client_s)
{
	struct talk t;
	struct packet_spec spec;

	for (size_t extensions = 0; extensions < 3; extensions++) {
		start();
		t = talk_to("[fd00::5]:40000", "[2001:db8::1]:21", "[2001:db8::1]:21");
		spec = (struct packet_spec){.tuple = t.conn->view.tuple[DIR_REPLY],
			.flags = SEG_SYN,
			.extensions = extensions};
		ck_assert_int_eq(hand_over(packet_build(&spec, buf), CAP), REASON_PASSED);
		ck_assert_int_eq(verdict.action, ACTION_PASS);
		ck_assert_int_eq(engine.syns.any, !extensions);
	}
}
END_TEST

START_TEST(extension_headers_stay_as_they_are)
{
	static const char text[] = "EPRT |2|fd00::5|50000|\r\n",
			  want[] = "EPRT |2|2001:db8:1::2|50000|\r\n";
	struct talk t;
	struct packet_spec spec;
	uint8_t headers[CAP];

	start();
	t = talk_as(
		"[fd00::5]:40000", "[2001:db8::1]:21", "[2001:db8::1]:21", "[2001:db8:1::2]:40000");
	spec = (struct packet_spec){.tuple = t.conn->view.tuple[DIR_ORIGINAL],
		.seq = 1000,
		.flags = SEG_ACK,
		.extensions = 3,
		.payload = text,
		.len = strlen(text)};
	ck_assert_int_eq(hand_over(packet_build(&spec, buf), CAP), REASON_OPENED);
	payload_is(want);
	spec.payload = want;
	spec.len = strlen(want);
	ck_assert_uint_eq(packet_build(&spec, headers), len);
	ck_assert_mem_eq(buf, headers, len);
}
END_TEST

/* --- the rest --- */

START_TEST(verdicts_are_counted_by_reason)
{
	uint64_t sum = 0;
	struct talk t;

	start();
	t = talk();
	client(&t, "PASV\r\n");
	server(&t, "227 ok (10,0,0,2,195,80)\r\n");
	server(&t, "227 ok (10,0,0,2,195,80)\r\n");
	hand_over(3, 3);
	ck_assert_uint_eq(engine.count[REASON_PASSED], 1);
	ck_assert_uint_eq(engine.count[REASON_OPENED], 1);
	ck_assert_uint_eq(engine.count[REASON_UNPAIRED], 1);
	ck_assert_uint_eq(engine.count[REASON_BAD_PACKET], 1);
	for (unsigned i = 0; i < REASON_COUNT; i++)
		sum += engine.count[i];
	ck_assert_uint_eq(sum, 4);
}
END_TEST

/* Whatever the room, no byte beyond it is written, and with enough of it the reply is rewritten. */
START_TEST(a_rewrite_keeps_to_its_buffer)
{
	static const char text[] = "227 ok (10,0,0,2,195,80)\r\n";

	for (size_t room = 0; room < 8; room++) {
		struct talk t;
		enum reason reason;

		start();
		t = talk();
		client(&t, "PASV\r\n");
		reason = hand_over(build(&t, DIR_REPLY, SEG_ACK, text, strlen(text)),
			40 + strlen(text) + room);
		if (room < 3)
			ck_assert_int_eq(reason, REASON_NO_ROOM);
		else
			ck_assert_int_eq(verdict.action, ACTION_REPLACE);
	}
}
END_TEST

/* Its receiver drops it, so what it says is not said. */
START_TEST(a_segment_that_nobody_has_checked_is)
{
	struct packet packet = {.p = buf, .cap = CAP, .unverified = true};
	struct talk t;

	start();
	t = talk();
	packet.len = build(&t, DIR_ORIGINAL, SEG_ACK, "PASV\r\n", 6);
	buf[packet.len - 3] ^= 1;
	engine_packet(&engine, &packet, now, &verdict);
	ck_assert_int_eq(verdict.action, ACTION_DROP);
	ck_assert_int_eq(verdict.reason, REASON_BAD_PACKET);
	buf[packet.len - 3] ^= 1;
	engine_packet(&engine, &packet, now, &verdict);
	ck_assert_int_eq(verdict.action, ACTION_PASS);
	t.seq[DIR_ORIGINAL] += 6;
	ck_assert_int_eq(server(&t, "227 x (10,0,0,2,195,80)\r\n"), REASON_OPENED);
}
END_TEST

START_TEST(a_full_table_forgets_nobody_who_talks)
{
	enum { MOST = 1000 };
	struct talk busy, other;
	struct endpoint dialled, listener;

	start();
	conntab_set_max(&engine.tab, MOST);
	busy = talk();
	other = talk_to("198.51.100.9:1", "203.0.113.1:21", "10.0.0.2:21");
	dialled = other.conn->view.tuple[DIR_ORIGINAL].dst;
	listener = other.conn->view.tuple[DIR_REPLY].src;
	for (unsigned i = 1; i < 2 * MOST; i++) {
		struct endpoint from = packet_endpoint("198.51.100.9:0");

		from.port = (uint16_t)i;
		other.conn->view.tuple[DIR_ORIGINAL] = (struct tuple){from, dialled, 0};
		other.conn->view.tuple[DIR_REPLY] = (struct tuple){listener, from, 0};
		ck_assert_int_eq(client(&other, "PASV\r\n"), REASON_PASSED);
		ck_assert_int_eq(client(&busy, "NOOP\r\n"), REASON_PASSED);
	}
	/* of the others each was asked for once, and once more when its place was needed */
	ck_assert_uint_eq(ct.gets, 2 * MOST - 2 + MOST);
}
END_TEST

/* What a segment costs is bounded by what the kernel is asked for it, whoever sends it. */
START_TEST(a_segment_full_of_offers_asks_the_kernel_for_one)
{
	for (unsigned known = 0; known < 2; known++) {
		static const char line[] = "PORT 198,51,100,2,195,80\r\n";
		char text[53 * sizeof(line)] = "";
		struct talk t;

		start();
		logs_in = known;
		t = talk();
		ct.commits = 0;
		for (int i = 0; i < 53; i++)
			memcpy(text + (size_t)i * (sizeof(line) - 1), line, sizeof(line));
		for (int i = 0; i < 3; i++) {
			client(&t, text);
			ck_assert_uint_le(ct.gets, 1);
			ck_assert_uint_eq(ct.commits, known);
			ck_assert_uint_eq(ct.addeds, known);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_ct_helper_request_is_disarmed,
		a_ct_helper_request_is_disarmed_again_when_repeated,
		a_ct_helper_request_is_disarmed_without_nat,
		what_only_resembles_a_ct_helper_request_passes,
		the_ct_helper_listens_to_clients_only,
		a_ct_helper_request_that_comes_of_a_rewrite_is_disarmed,
		a_line_whose_beginning_went_past_says_nothing,
		a_gap_that_its_sender_does_not_fill_went_past,
		probes_for_the_last_segment_do_not_say_that_a_gap_went_past,
		each_gap_is_waited_for_anew_and_by_its_first_segment,
		a_client_whose_first_line_went_past_is_not_trusted,
		a_gap_is_waited_for_if_the_sender_has_read_something_else,
		a_client_whose_lines_may_be_refused_has_to_fill_a_gap,
		what_was_asked_before_a_gap_is_not_answered_behind_it,
		nothing_is_held_of_a_last_segment,
		what_is_held_goes_with_the_last_segment,
		a_syn_with_data_is_dropped,
		a_syn_with_extension_headers_is_no_lan_client_s,
		extension_headers_stay_as_they_are,
		verdicts_are_counted_by_reason,
		a_rewrite_keeps_to_its_buffer,
		a_segment_that_nobody_has_checked_is,
		a_full_table_forgets_nobody_who_talks,
		a_segment_full_of_offers_asks_the_kernel_for_one,
	};

	return unit_run("engine_packet", test, ARRAY_SIZE(test));
}
