/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_follow.c - packets of a capture in, a report out
 *
 * Sessions are built packet by packet, with what captures do to them: bytes that are missing or
 * come late, one direction alone, both sides of the router, the same ports again. Each test
 * compares what the report says. What real captures look like is in check_capture.py.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_ct.h"
#include "follow.h"
#include "packet.h"
#include "pasvd/array.h"
#include "report.h"
#include "unit.h"

enum { SECOND = 1000000, CAP = 2048 };

#define CLIENT  "198.51.100.2:40000"
#define DIALLED "203.0.113.1:21"
#define SERVER  "10.0.0.2:21"
#define HEADING CLIENT " -> " DIALLED " -> " SERVER "  1970-01-01 00:00:01 UTC\n"

static struct flows flows;
static struct engine engine;
static struct policy policy;
static uint64_t now;
static char *text; /* of the report */

/* A control connection as it is seen at the place of the capture. */
struct talk {
	struct tuple tuple[2];
	uint32_t seq[2];
};

static void start(const char *rule)
{
	static const uint8_t key[CONNTAB_KEY_LEN] = {7};
	struct ct_ops ops;

	policy = policy_default;
	flows_init(&flows, &engine);
	ops = flow_ct_ops(&flows);
	engine_init(&engine, &ops, &policy, key);
	ck_assert(!rule || nat_add(&flows.nat, rule));
	now = SECOND;
}

static void start_outside(void)
{
	start("203.0.113.1=10.0.0.2");
}

static struct talk talk_between(const char *client, const char *server)
{
	struct endpoint c = packet_endpoint(client), s = packet_endpoint(server);

	return (struct talk){{{c, s, 0}, {s, c, 0}}, {1000, 5000}};
}

static void hand_over(const struct packet_spec *spec, size_t missing)
{
	static uint8_t buf[PACKET_MAX];
	size_t n = packet_build(spec, buf);
	struct frame frame = {buf, n - missing, n};

	follow_packet(&flows, &frame, now);
}

/* A segment of that direction at `seq`. */
static void put(
	const struct talk *t, enum dir dir, uint32_t seq, uint8_t flags, const char *payload)
{
	hand_over(&(struct packet_spec){.tuple = t->tuple[dir],
			  .seq = seq,
			  .ack = t->seq[!dir],
			  .flags = flags,
			  .payload = payload,
			  .len = strlen(payload)},
		0);
}

static void say(struct talk *t, enum dir dir, const char *line)
{
	put(t, dir, t->seq[dir], SEG_ACK, line);
	t->seq[dir] += (uint32_t)strlen(line);
}

static void client(struct talk *t, const char *line)
{
	say(t, DIR_ORIGINAL, line);
}

static void server(struct talk *t, const char *line)
{
	say(t, DIR_REPLY, line);
}

/* The receiver has all that was sent to it, and says so. */
static void acknowledge(struct talk *t, enum dir dir)
{
	put(t, dir, t->seq[dir], SEG_ACK, "");
}

static void handshake(struct talk *t)
{
	put(t, DIR_ORIGINAL, t->seq[DIR_ORIGINAL]++, SEG_SYN, "");
	put(t, DIR_REPLY, t->seq[DIR_REPLY]++, SEG_SYN | SEG_ACK, "");
	acknowledge(t, DIR_ORIGINAL);
}

static struct talk connected(void)
{
	struct talk t = talk_between(CLIENT, DIALLED);

	handshake(&t);
	return t;
}

static const char *told(void)
{
	size_t n;
	FILE *out;

	free(text);
	out = open_memstream(&text, &n);
	follow_end(&flows);
	report_text(&flows, true, out);
	fclose(out);
	return text;
}

/* What is printed, to the letter; the summary's line begins with `packets`. */
#define EXPECT(want) ck_assert_str_eq(told(), want)

/* How often it stands in what is printed. */
static unsigned times(const char *what)
{
	unsigned n = 0;

	for (const char *p = told(); (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* As JSON it must be an object, whatever happened. */
static void finish(void)
{
	char *json;
	size_t n;
	FILE *out = open_memstream(&json, &n);
	json_t *object;

	ck_assert_int_eq(report_json(&flows, true, out), 0);
	fclose(out);
	object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json_is_object(object), "%s", json);
	json_decref(object);
	free(json);
	flows_free(&flows);
	free(text);
	text = NULL;
}

START_TEST(passive_offer_is_rewritten_and_opened)
{
	struct talk t;

	start_outside();
	t = connected();
	client(&t, "PASV\r\n");
	now += SECOND + 234567;
	server(&t, "227 Entering Passive Mode (10,0,0,2,195,80).\r\n");
	EXPECT(HEADING
		"  +0.000  client          PASV\n"
		"  +1.234  server          227 10.0.0.2:50000\n"
		"  +1.234  open            198.51.100.2 -> 203.0.113.1:50000 -> 10.0.0.2:50000\n"
		"  +1.234  rewrite         the client reads 203.0.113.1:50000\n"
		"\n"
		"connections=1 packets=5 control=5 passed=1 opened=1\n");
	finish();
}
END_TEST

START_TEST(active_offer_of_a_client_behind_nat)
{
	struct talk t;

	start("203.0.113.1=192.168.1.5");
	t = talk_between("192.168.1.5:40000", "198.51.100.9:21");
	handshake(&t);
	client(&t, "EPRT |1|192.168.1.5|50000|\r\n");
	server(&t, "501 no\r\n");
	EXPECT("192.168.1.5:40000 -> 198.51.100.9:21  1970-01-01 00:00:01 UTC\n"
	       "  +0.000  client          EPRT 192.168.1.5:50000\n"
	       "  +0.000  open            198.51.100.9 -> 203.0.113.1:50000 -> 192.168.1.5:50000\n"
	       "  +0.000  rewrite         the server reads 203.0.113.1:50000\n"
	       "  +0.000  server          501\n"
	       "  +0.000  shut            198.51.100.9 -> 203.0.113.1:50000 -> 192.168.1.5:50000\n"
	       "  +0.000  denied          the server refused a PORT or EPRT: its expectation is "
	       "gone\n"
	       "\n"
	       "connections=1 packets=5 control=5 denied=1 opened=1\n");
	finish();
}
END_TEST

START_TEST(without_nat_the_assumption_is_said_and_advice_given)
{
	struct talk t;

	start(NULL);
	t = connected();
	client(&t, "PASV\r\n");
	server(&t, "227 (10,0,0,2,195,80)\r\n");
	client(&t, "EPSV\r\n");
	server(&t, "229 (|||50001|)\r\n");
	EXPECT(CLIENT
		" -> " DIALLED "  1970-01-01 00:00:01 UTC\n"
		"  +0.000  client          PASV\n"
		"  +0.000  server          227 10.0.0.2:50000\n"
		"  +0.000  open            198.51.100.2 -> 203.0.113.1:50000\n"
		"  +0.000  rewrite         the client reads 203.0.113.1:50000\n"
		"  +0.000  client          EPSV\n"
		"  +0.000  server          229 port 50001\n"
		"  +0.000  shut            198.51.100.2 -> 203.0.113.1:50000\n"
		"  +0.000  open            198.51.100.2 -> 203.0.113.1:50001\n"
		"  Is 10.0.0.2 behind NAT? Then say --nat 203.0.113.1=10.0.0.2\n"
		"\n"
		"connections=1 packets=7 control=7 passed=2 opened=2\n"
		"No --nat: each server is taken to be dialled by the address that it has here.\n");
	finish();
}
END_TEST

START_TEST(connection_that_no_rule_is_about_is_followed_without_nat)
{
	struct talk t;

	start("203.0.113.9=10.0.0.9");
	t = connected();
	client(&t, "PASV\r\n");
	server(&t, "227 (203,0,113,1,195,80)\r\n");
	ck_assert_uint_eq(times("  open            198.51.100.2 -> 203.0.113.1:50000\n"), 1);
	finish();
}
END_TEST

START_TEST(nothing_that_was_sent_is_printed_but_words_and_codes)
{
	struct talk t;

	start_outside();
	t = connected();
	server(&t, "220-hi \x1b[31m\r\n220 there\r\n");
	client(&t, "pass s3cret\r\n");
	client(&t, "abcdefghijklmn secret\r\nnot a-command\x1b[2J\r\n\x1b[2J\r\n");
	client(&t, "\xff\xf4\xff\xf2"
		   "ABOR\r\n");
	server(&t, "nonsense\r\n");
	EXPECT(HEADING "  +0.000  server          220\n"
		       "  +0.000  client          PASS\n"
		       "  +0.000  client          (lines that are no command: 1)\n"
		       "  +0.000  client          NOT\n"
		       "  +0.000  client          (lines that are no command: 1)\n"
		       "  +0.000  client          ABOR\n"
		       "  +0.000  server          (lines that are no reply: 1)\n"
		       "\n"
		       "connections=1 packets=8 control=8 passed=5\n");
	finish();
}
END_TEST

START_TEST(lines_that_are_none_are_counted_together)
{
	struct talk t;

	start_outside();
	t = connected();
	for (int i = 0; i < 1000; i++)
		client(&t, "\x16\x03\x01\n");
	ck_assert_uint_eq(times("(lines that are no command: 1000)"), 1);
	ck_assert_uint_eq(times("  client "), 1);
	finish();
}
END_TEST

START_TEST(offer_in_a_multi_line_reply_is_told)
{
	struct talk t;

	start_outside();
	t = connected();
	client(&t, "PASV\r\n");
	server(&t, "227-Entering\r\n (10,0,0,2,195,80)\r\n");
	server(&t, "227 End\r\n");
	ck_assert_uint_eq(times("server          227 10.0.0.2:50000\n"), 1);
	ck_assert_uint_eq(times("  rewrite "), 1);
	ck_assert_uint_eq(times("server          227\n"), 1);
	finish();
}
END_TEST

START_TEST(several_offers_in_one_segment_are_told_apart)
{
	struct talk t;

	start_outside();
	policy.external[policy.n_external++] = (struct external){
		.known = packet_addr("203.0.113.1"), .addr = packet_addr("192.0.2.77")};
	t = connected();
	client(&t, "PASV\r\nEPSV\r\n");
	server(&t, "227 (10,0,0,2,195,80)\r\n229 (|||50001|)\r\n");
	ck_assert_uint_eq(
		times("  open            198.51.100.2 -> 203.0.113.1:50000 -> 10.0.0.2:50000\n"
		      "  +0.000  rewrite         the client reads 192.0.2.77:50000\n"),
		1);
	ck_assert_uint_eq(
		times("  open            198.51.100.2 -> 203.0.113.1:50001 -> 10.0.0.2:50001\n"),
		1);
	ck_assert_uint_eq(times("  rewrite "), 1);
	finish();
}
END_TEST

/* --- what captures do --- */

START_TEST(segments_out_of_order_are_put_in_order)
{
	struct talk t;

	start_outside();
	t = connected();
	client(&t, "PASV\r\n");
	put(&t, DIR_REPLY, t.seq[DIR_REPLY] + 14, SEG_ACK, "195,80)\r\n");
	put(&t, DIR_REPLY, t.seq[DIR_REPLY] + 5, SEG_ACK, "10,0,0,2,");
	put(&t, DIR_REPLY, t.seq[DIR_REPLY], SEG_ACK, "227 (");
	ck_assert_uint_eq(times("  open "), 1);
	ck_assert_uint_eq(times("  gap "), 0);
	finish();
}
END_TEST

START_TEST(what_the_receiver_acknowledges_is_not_waited_for)
{
	struct talk t;

	start_outside();
	t = connected();
	server(&t, "200 ok\r\n");
	t.seq[DIR_REPLY] += 10;
	server(&t, "230 in\r\n");
	ck_assert_ptr_nonnull(flows.first->side[DIR_REPLY].waiting);
	acknowledge(&t, DIR_ORIGINAL);
	ck_assert_ptr_null(flows.first->side[DIR_REPLY].waiting);
	client(&t, "PASV\r\n");
	server(&t, "227 (10,0,0,2,195,80)\r\n");
	EXPECT(HEADING
		"  +0.000  server          200\n"
		"  +0.000  gap             bytes of the server that are not in the capture: 10\n"
		"  +0.000  client          PASV\n"
		"  +0.000  server          227 10.0.0.2:50000\n"
		"  +0.000  open            198.51.100.2 -> 203.0.113.1:50000 -> 10.0.0.2:50000\n"
		"  +0.000  rewrite         the client reads 203.0.113.1:50000\n"
		"\n"
		"connections=1 packets=8 control=8 passed=3 opened=1\n");
	finish();
}
END_TEST

START_TEST(not_more_than_a_few_segments_wait)
{
	struct talk t;

	start_outside();
	t = talk_between(CLIENT, DIALLED);
	server(&t, "220 a\r\n");
	t.seq[DIR_REPLY] += 10;
	for (int i = 0; i < 20; i++) {
		server(&t, "200 b\r\n");
		ck_assert_uint_le(flows.first->side[DIR_REPLY].n_waiting, 8);
	}
	/* The rest of the line that the gap is in says nothing. */
	ck_assert_uint_eq(times("server          200\n"), 19);
	ck_assert_uint_eq(times("  gap "), 1);
	ck_assert_uint_eq(times("Its beginning is not in the capture"), 1);
	ck_assert_uint_eq(times("Only packets of the server are in the capture"), 1);
	finish();
}
END_TEST

START_TEST(what_waits_at_the_end_is_read)
{
	struct talk t;

	start_outside();
	t = connected();
	t.seq[DIR_ORIGINAL] += 100;
	client(&t, "x\r\nNOOP\r\n");
	ck_assert_uint_eq(
		times("  gap             bytes of the client that are not in the capture: 100\n"),
		1);
	ck_assert_uint_eq(times("client          NOOP\n"), 1);
	finish();
}
END_TEST

START_TEST(segment_that_is_cut_off_is_a_gap)
{
	struct talk t;
	struct packet_spec spec;

	start_outside();
	t = connected();
	client(&t, "PASV\r\n");
	spec = (struct packet_spec){.tuple = t.tuple[DIR_REPLY],
		.seq = t.seq[DIR_REPLY],
		.ack = t.seq[DIR_ORIGINAL],
		.flags = SEG_ACK,
		.payload = "227 (10,0,0,2,195,80)\r\n",
		.len = 23};
	hand_over(&spec, 8);
	t.seq[DIR_REPLY] += 23;
	acknowledge(&t, DIR_ORIGINAL);
	client(&t, "NOOP\r\n");
	server(&t, "200 ok\r\n");
	ck_assert_uint_eq(times("  open "), 0);
	ck_assert_uint_eq(times("snapshot length: 1\n"), 1);
	ck_assert_uint_eq(
		times("  gap             bytes of the server that are not in the capture: 8\n"), 1);
	hand_over(&spec, 30);
	ck_assert_uint_eq(times("cut off within their headers: 1\n"), 1);
	finish();
}
END_TEST

START_TEST(both_sides_of_the_router_are_one)
{
	struct talk out, in;

	start_outside();
	out = talk_between(CLIENT, DIALLED);
	in = talk_between(CLIENT, SERVER);
	handshake(&out);
	handshake(&in);
	client(&out, "PASV\r\n");
	client(&in, "PASV\r\n");
	server(&in, "227 (10,0,0,2,195,80)\r\n");
	server(&out, "227 (203,0,113,1,195,80)\r\n");
	server(&in, "200 ok\r\n");
	server(&out, "200 ok\r\n"); /* two bytes further on */
	ck_assert_uint_eq(times("  client "), 1);
	ck_assert_uint_eq(times("  server          200\n"), 1);
	ck_assert_uint_eq(times("  open "), 1);
	ck_assert_uint_eq(times("  gap "), 0);
	ck_assert_uint_eq(times("connections=1 "), 1);
	finish();
}
END_TEST

START_TEST(connection_of_the_same_ports_is_another_one)
{
	struct talk t;

	start_outside();
	t = connected();
	server(&t, "200 ok\r\n");
	put(&t, DIR_ORIGINAL, 1000, SEG_SYN, ""); /* once more: it is still the first */
	client(&t, "PASV\r\n");
	t = talk_between(CLIENT, DIALLED);
	t.seq[DIR_ORIGINAL] = t.seq[DIR_REPLY] = 3000000000;
	handshake(&t);
	server(&t, "227 (10,0,0,2,195,80)\r\n");
	ck_assert_uint_eq(times("connections=2 "), 1);
	ck_assert_uint_eq(times("  unpaired "), 1);
	finish();
}
END_TEST

START_TEST(time_never_goes_back)
{
	struct talk t;

	start_outside();
	t = connected();
	now += 10 * SECOND;
	client(&t, "NOOP\r\n");
	now = 0;
	client(&t, "PASV\r\n");
	ck_assert_uint_eq(times("  +10.000  client          PASV\n"), 1);
	finish();
}
END_TEST

/* --- conntrack --- */

/* Without the shift of what the receiver would acknowledge, edits would be taken for still under
 * way. */
START_TEST(acknowledgements_are_of_what_was_rewritten)
{
	struct talk t;

	start_outside();
	t = connected();
	for (int i = 0; i < 500; i++) {
		client(&t, "PASV\r\n");
		server(&t, "227 (10,0,0,2,195,80)\r\n");
		client(&t, "RETR x\r\n");
		server(&t, "226 ok\r\n");
	}
	ck_assert_uint_eq(times("  rewrite "), 500);
	ck_assert_uint_eq(times(" opened=500\n"), 1);
	finish();
}
END_TEST

static struct talk visit(const char *from, const char *to)
{
	struct talk t = talk_between(from, to);

	handshake(&t);
	client(&t, "EPSV\r\n");
	server(&t, "229 (|||50000|)\r\n");
	return t;
}

START_TEST(port_that_another_session_has_is_not_given_away)
{
	struct talk first;

	start_outside();
	first = visit("198.51.100.2:40000", DIALLED);
	visit("198.51.100.2:40001", DIALLED);
	ck_assert_uint_eq(times("  rewrite         the client reads 203.0.113.1:50001\n"), 1);
	server(&first, "150 here it comes\r\n"); /* it is used */
	visit("198.51.100.2:40002", DIALLED);
	ck_assert_uint_eq(times(" -> 203.0.113.1:50000 -> 10.0.0.2:50000\n"), 2);
	visit("198.51.100.3:40003", DIALLED); /* another client */
	ck_assert_uint_eq(times("  rewrite "), 1);
	finish();
}
END_TEST

START_TEST(expectation_ends_after_its_time)
{
	start_outside();
	visit("198.51.100.2:40000", DIALLED);
	now += 60 * SECOND;
	visit("198.51.100.2:40001", DIALLED);
	ck_assert_uint_eq(times("  rewrite "), 0);
	now += 59 * SECOND;
	visit("198.51.100.2:40002", DIALLED);
	ck_assert_uint_eq(times("  rewrite "), 1);
	finish();
}
END_TEST

START_TEST(new_offer_takes_the_place_of_the_last)
{
	struct talk t;

	start_outside();
	t = visit("198.51.100.2:40000", DIALLED);
	client(&t, "EPSV\r\n");
	server(&t, "229 (|||50009|)\r\n");
	visit("198.51.100.2:40001", DIALLED);
	ck_assert_uint_eq(times("  rewrite "), 0);
	finish();
}
END_TEST

/* --- TLS --- */

/* Length and bytes of a record, with a line feed among them. */
#define RECORD "\x17\x03\x03\x00\x09xxxx\nxxxx"
#define ALERT  "\x15\x03\x03\0\2\1\0"

static void send_bytes(struct talk *t, enum dir dir, const void *bytes, size_t n)
{
	hand_over(&(struct packet_spec){.tuple = t->tuple[dir],
			  .seq = t->seq[dir],
			  .ack = t->seq[!dir],
			  .flags = SEG_ACK,
			  .payload = bytes,
			  .len = n},
		0);
	t->seq[dir] += (uint32_t)n;
}

static void start_on_demand(const char *rule)
{
	start(rule);
	policy.tls_ports[policy.n_tls_ports++] =
		(struct tls_ports){{packet_addr("10.0.0.2"), 32}, {50000, 50009}};
}

static struct talk secured(const char *from, const char *to)
{
	struct talk t = talk_between(from, to);

	handshake(&t);
	client(&t, "AUTH TLS\r\n");
	server(&t, "234 go on\r\n");
	send_bytes(&t, DIR_ORIGINAL, RECORD, sizeof(RECORD) - 1);
	send_bytes(&t, DIR_REPLY, RECORD, sizeof(RECORD) - 1);
	return t;
}

static uint32_t syn_seq = 1;

static void send_syn(const char *from, const char *to)
{
	struct talk t = talk_between(from, to);

	put(&t, DIR_ORIGINAL, syn_seq, SEG_SYN, "");
}

START_TEST(of_tls_nothing_is_read)
{
	struct talk t;

	start_outside();
	t = secured(CLIENT, DIALLED);
	client(&t, "PASV\n\1");
	EXPECT(HEADING "  +0.000  client          AUTH\n"
		       "  +0.000  server          234\n"
		       "  +0.000  secured         the control connection is TLS from here on\n"
		       "\n"
		       "connections=1 packets=8 control=8 passed=1 encrypted=3 secured=1\n");
	finish();
}
END_TEST

START_TEST(behind_tls_lines_are_read_again)
{
	struct talk t;

	start_outside();
	t = secured(CLIENT, DIALLED);
	send_bytes(&t, DIR_REPLY, ALERT, sizeof(ALERT) - 1);
	send_bytes(&t, DIR_ORIGINAL, ALERT "PASV\r\n", sizeof(ALERT "PASV\r\n") - 1);
	server(&t, "227 (10,0,0,2,195,80)\r\n");
	ck_assert_uint_eq(times("  +0.000  client          PASV\n"
				"  +0.000  server          227 10.0.0.2:50000\n"
				"  +0.000  open "),
		1);
	finish();
}
END_TEST

START_TEST(syn_to_a_port_on_demand_opens_it)
{
	struct talk t;

	start_on_demand("203.0.113.1=10.0.0.2");
	send_syn("198.51.100.2:40001", "203.0.113.1:50000");
	t = secured(CLIENT, DIALLED);
	syn_seq = 2;
	send_syn("198.51.100.2:40001", "203.0.113.1:50000");
	send_syn("198.51.100.2:40001", "10.0.0.2:50000");    /* the same on its way out, */
	send_syn("198.51.100.2:40001", "203.0.113.1:50000"); /* and repeated */
	send_syn("198.51.100.2:40002", "10.0.0.2:50001");    /* in another capture, from inside */
	send_syn("198.51.100.2:40003", "203.0.113.1:50010");
	send_syn("198.51.100.3:40004", "203.0.113.1:50000");
	ck_assert_uint_eq(times("  open "), 2);
	ck_assert_uint_eq(times(" -> 203.0.113.1:50000 -> 10.0.0.2:50000, on demand\n"), 1);
	ck_assert_uint_eq(times(" -> 203.0.113.1:50001 -> 10.0.0.2:50001, on demand\n"), 1);
	ck_assert_uint_eq(times(" no-master=2 "), 1);
	put(&t, DIR_REPLY, t.seq[DIR_REPLY], SEG_ACK | SEG_FIN, "");
	send_syn("198.51.100.2:40005", "203.0.113.1:50002");
	ck_assert_uint_eq(times("  open "), 2);
	finish();
}
END_TEST

START_TEST(syn_to_another_servers_port_is_refused)
{
	start_on_demand("203.0.113.1:21=10.0.0.3:21");
	secured(CLIENT, DIALLED);
	send_syn("198.51.100.2:40001", "203.0.113.1:50000");
	ck_assert_uint_eq(times("  no-range "), 1);
	finish();
}
END_TEST

START_TEST(memory_has_an_end_and_what_is_left_out_is_said)
{
	struct talk t;

	start_outside();
	t = connected();
	flows.room = 0;
	for (int i = 0; i < 10; i++)
		client(&t, "NOOP\r\n");
	t.seq[DIR_ORIGINAL] += 5;
	client(&t, "NOOP\r\n");
	t = talk_between("198.51.100.2:40001", DIALLED);
	handshake(&t);
	ck_assert_uint_eq(times("  client "), 0);
	ck_assert_uint_eq(times("left out here: 10\n"), 1);
	ck_assert_uint_eq(times("no room: 3\n"), 1);
	finish();
}
END_TEST

START_TEST(verbose_tells_every_verdict)
{
	struct talk t;

	start_outside();
	flows.verbose = true;
	t = connected();
	client(&t, "NOOP\r\n");
	put(&t, DIR_ORIGINAL, t.seq[DIR_ORIGINAL] - 6, SEG_ACK, "NOOP\r\n");
	ck_assert_uint_eq(times("  passed "), 1);
	ck_assert_uint_eq(times("  repeated "), 1);
	finish();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		passive_offer_is_rewritten_and_opened,
		active_offer_of_a_client_behind_nat,
		without_nat_the_assumption_is_said_and_advice_given,
		connection_that_no_rule_is_about_is_followed_without_nat,
		nothing_that_was_sent_is_printed_but_words_and_codes,
		lines_that_are_none_are_counted_together,
		offer_in_a_multi_line_reply_is_told,
		several_offers_in_one_segment_are_told_apart,
		segments_out_of_order_are_put_in_order,
		what_the_receiver_acknowledges_is_not_waited_for,
		not_more_than_a_few_segments_wait,
		what_waits_at_the_end_is_read,
		segment_that_is_cut_off_is_a_gap,
		both_sides_of_the_router_are_one,
		connection_of_the_same_ports_is_another_one,
		time_never_goes_back,
		acknowledgements_are_of_what_was_rewritten,
		port_that_another_session_has_is_not_given_away,
		expectation_ends_after_its_time,
		new_offer_takes_the_place_of_the_last,
		of_tls_nothing_is_read,
		behind_tls_lines_are_read_again,
		syn_to_a_port_on_demand_opens_it,
		syn_to_another_servers_port_is_refused,
		memory_has_an_end_and_what_is_left_out_is_said,
		verbose_tells_every_verdict,
	};

	return unit_run("follow", tests, ARRAY_SIZE(tests));
}
