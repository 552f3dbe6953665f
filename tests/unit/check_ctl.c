/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_ctl.c - the socket at which the daemon is asked about itself
 *
 * Real sockets, in a folder of their own; the clock is a number, so nobody waits.
 */
#include "ctl.h"
#include "packet.h"
#include "pasvd/array.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SESSIONS = 4096, TURNS_MAX = 100000, ANSWER_MAX = 8 << 20, PIECE = 16 };

static struct engine engine;
static struct history history;
static struct ctl ctl;
static char folder[32], path[64];
static char text[ANSWER_MAX];
static uint64_t now = 1000000;
static unsigned gets;

/* Of conntrack: each connection is as it was, and goes on. */
static enum ct_result get(void *ctx, const struct tuple *t, struct ct_view *ret_view)
{
	(void)ctx;
	gets++;
	*ret_view = (struct ct_view){.tuple = {*t, {.src = t->dst, .dst = t->src}},
		.has_helper = true,
		.established = true};
	ret_view->seqadj[DIR_REPLY].after = -3;
	return CT_OK;
}

static bool expected(void *ctx, const struct expect *e, uint32_t *ret_seconds)
{
	(void)ctx;
	(void)e;
	*ret_seconds = 59;
	return true;
}

static const struct answer_about about = {.engine = &engine,
	.history = &history,
	.ct_helper = "sane",
	.queue = 21,
	.expected = expected};

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/check-ctl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/ctl", folder);
	atexit(remove_folder);
}

static void begin(unsigned sessions)
{
	const struct ct_ops ops = {.get = get};
	static const uint8_t key[CONNTAB_KEY_LEN];

	make_folder();
	history.count = 0;
	engine_init(&engine, &ops, &policy_default, key);
	for (unsigned i = 0; i < sessions; i++) {
		struct endpoint client = packet_endpoint("[2001:db8::1]:0"),
				server = packet_endpoint("[2001:db8::2]:21");
		struct plan plan = {
			.announce = server, .expect.nat = packet_endpoint("[2001:db8::2]:2121")};
		struct ct_view view = {.has_helper = true};
		struct conn *c;

		client.port = (uint16_t)(i + 1);
		view.tuple[DIR_ORIGINAL] = (struct tuple){client, server, 0};
		view.tuple[DIR_REPLY] = (struct tuple){server, client, 0};
		c = conntab_add(&engine.tab, &view, now - 5000);
		c->session.logged_in = true;
		conntab_open(&engine.tab, c, &plan, now + 1000);
	}
	ck_assert_int_eq(ctl_open(&ctl, path, &about), 0);
}

static int caller(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* What the loop does while there is something to do. */
static void work(void)
{
	struct pollfd fd = {.fd = ctl_fd(&ctl), .events = POLLIN};
	int turns = 0;

	while (poll(&fd, 1, 0) == 1) {
		ctl_work(&ctl, now);
		ck_assert_int_lt(turns++, TURNS_MAX);
	}
}

static int ask(const char *request)
{
	int fd = caller();

	ck_assert_int_eq(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
	work();
	return fd;
}

/* What has come, up to now; *ret_ended: no more will. */
static const char *hear(int fd, bool *ret_ended)
{
	size_t n = 0;
	ssize_t got;

	do {
		got = recv(fd, text + n, sizeof(text) - 1 - n, 0);
		n += got > 0 ? (size_t)got : 0;
		work();
	} while (got > 0 || (got < 0 && errno == EAGAIN && n && text[n - 1] != '\n'));
	text[n] = '\0';
	*ret_ended = got == 0 || errno == ECONNRESET;
	return text;
}

static const char *answer(const char *request)
{
	bool ended;
	int fd = ask(request);
	const char *heard = hear(fd, &ended);

	ck_assert_msg(ended, "%s", heard);
	close(fd);
	return heard;
}

static unsigned count(const char *heard, const char *what)
{
	unsigned n = 0;

	for (const char *at = heard; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static bool ends_with(const char *heard, const char *end)
{
	size_t n = strlen(heard), m = strlen(end);

	return n >= m && strcmp(heard + n - m, end) == 0;
}

#define END         "{\"format\":1,\"type\":\"end\"}\n"
#define ERROR(what) "{\"format\":1,\"type\":\"error\",\"error\":\"" what "\"}\n"

START_TEST(each_request_is_answered_to_its_end)
{
	static const char *const requests[][2] = {{"status\n", "\"type\":\"status\""},
		{"sessions\n", "\"type\":\"session\""},
		{"expectations\n", "\"type\":\"expectation\""},
		{"reasons\n", "\"type\":\"reason\""}};
	static const unsigned objects[] = {1, 3, 3, REASON_COUNT};

	begin(3);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		const char *heard = answer(requests[i][0]);

		ck_assert_uint_eq(count(heard, requests[i][1]), objects[i]);
		ck_assert_uint_eq(count(heard, "\n"), objects[i] + 1);
		ck_assert(ends_with(heard, END));
	}
}
END_TEST

START_TEST(an_empty_table_has_an_end)
{
	begin(0);
	ck_assert_str_eq(answer("sessions\n"), END);
	ck_assert_str_eq(answer("expectations\n"), END);
}
END_TEST

START_TEST(a_session_is_told_as_conntrack_knows_it)
{
	begin(1);
	ck_assert_str_eq(answer("sessions\n"),
		"{\"format\":1,\"type\":\"session\",\"client\":\"[2001:db8::1]:1\",\"server\":\"["
		"2001:db8::2]:"
		"21\","
		"\"dialled\":\"[2001:db8::2]:21\",\"state\":\"logged-in\",\"cleared\":false,"
		"\"shift\":{\"client\":0,\"server\":-3},\"port\":{\"announced\":\"[2001:db8::2]:"
		"21\","
		"\"listener\":\"[2001:db8::2]:2121\",\"expires_in_s\":59},\"idle_s\":5}\n" END);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	static const char *const requests[] = {"\n", "stat\n", "statuss\n", " status\n",
		"status \n", "a line without an end that is too long", "\"}\n"};

	begin(1);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		ck_assert_str_eq(answer(requests[i]), ERROR("no such request"));
}
END_TEST

START_TEST(a_request_may_come_in_pieces)
{
	bool ended;
	int fd;

	begin(0);
	fd = ask("sess");
	ck_assert_str_eq(hear(fd, &ended), "");
	ck_assert(!ended);
	ck_assert_int_eq(send(fd, "ions\n", 5, 0), 5);
	work();
	ck_assert_str_eq(hear(fd, &ended), END);
}
END_TEST

START_TEST(thousands_of_sessions_come_in_pieces)
{
	struct pollfd ready;
	bool ended;
	unsigned before, most = 0;
	int fd;

	begin(SESSIONS);
	fd = caller();
	ck_assert_int_eq(send(fd, "sessions\n", 9, 0), 9);
	ready = (struct pollfd){.fd = ctl_fd(&ctl), .events = POLLIN};
	while (poll(&ready, 1, 0) == 1) {
		before = gets;
		ctl_work(&ctl, now);
		most = gets - before > most ? gets - before : most;
	}
	ck_assert_uint_gt(most, 0);
	ck_assert_uint_le(most, PIECE);
	ck_assert_uint_lt(gets, SESSIONS); /* the rest waits until some is read */
	ck_assert_uint_eq(count(hear(fd, &ended), "\"session\""), SESSIONS);
	ck_assert(ended && ends_with(text, END));
}
END_TEST

START_TEST(who_does_not_read_is_in_nobodys_way)
{
	int fd;

	begin(SESSIONS);
	fd = ask("sessions\n");
	ck_assert_uint_lt(gets, SESSIONS);
	ck_assert(ends_with(answer("status\n"), END));
	close(fd);
	work();
	ck_assert_int_eq(ctl.client[0].fd, -1);
}
END_TEST

START_TEST(one_more_is_sent_away_until_a_place_is_free)
{
	int fd[CTL_CLIENTS];

	begin(1);
	for (int i = 0; i < CTL_CLIENTS; i++)
		fd[i] = ask(i ? "" : "stat");
	ck_assert_str_eq(answer("status\n"), ERROR("too many ask at once"));
	now += CTL_PATIENCE_MS;
	ck_assert_str_eq(answer("status\n"), ERROR("too many ask at once"));
	close(fd[5]);
	work();
	ck_assert(ends_with(answer("status\n"), END));
	fd[5] = ask("");
	now++; /* those in front of number 5 have had their time */
	ck_assert(ends_with(answer("status\n"), END));
}
END_TEST

static const struct verdict refused = {.reason = REASON_LOW_PORT};

static void tell(const struct verdict *v)
{
	if (history_verdict(&history, v, now))
		ctl_tell(&ctl);
}

START_TEST(events_are_told_to_who_follows)
{
	const struct verdict passed = {.reason = REASON_PASSED},
			     again = {.reason = REASON_NO_CT_HELPER, .again = true};
	struct verdict opened = {.reason = REASON_LOW_PORT, .opened = true, .known = true};
	bool ended;
	int fd[2];

	begin(0);
	fd[0] = ask("follow\n");
	fd[1] = ask("follow\n");
	opened.announce = packet_endpoint("203.0.113.1:50000");
	tell(&passed);
	tell(&again);
	tell(&opened);
	work();
	for (int i = 0; i < 2; i++) {
		hear(fd[i], &ended);
		ck_assert(!ended);
		ck_assert_uint_eq(count(text, "\n"), 2);
		ck_assert_uint_eq(count(text, "\"event\":\"opened\""), 1);
		ck_assert_uint_eq(count(text, "\"announced\":\"203.0.113.1:50000\""), 1);
		ck_assert_uint_eq(count(text, "\"event\":\"refused\",\"reason\":\"low-port\""), 1);
	}
}
END_TEST

START_TEST(an_ending_is_an_event)
{
	const struct ct_view view = {.has_helper = true};
	const struct plan plan = {.announce = packet_endpoint("203.0.113.1:50000")};
	const struct ended used = {ENDING_USED, &view, &plan};

	begin(0);
	history_ended(&history, &used, 1234567);
	answer("events\n");
	ck_assert_uint_eq(count(text, "\n"), 2);
	ck_assert_uint_eq(count(text, "\"time_us\":1234567000,\"event\":\"used\",\"client\":"), 1);
	ck_assert_uint_eq(count(text, "\"announced\":\"203.0.113.1:50000\""), 1);
}
END_TEST

START_TEST(the_last_events_are_told_to_who_comes_later)
{
	bool ended;
	int fd;

	begin(0);
	ck_assert_str_eq(answer("events\n"), END);
	for (int i = 0; i < HISTORY_SIZE + 5; i++)
		tell(&refused);
	ck_assert_uint_eq(count(answer("events\n"), "\"type\":\"event\""), HISTORY_SIZE);
	ck_assert(ends_with(text, END) && !count(text, "left_out"));
	fd = ask("follow\n");
	ck_assert_uint_eq(count(hear(fd, &ended), "\"type\":\"event\""), HISTORY_SIZE);
	ck_assert(!ended && !count(text, "left_out"));
	tell(&refused);
	work();
	ck_assert_uint_eq(count(hear(fd, &ended), "\"type\":\"event\""), 1);
}
END_TEST

START_TEST(what_happens_meanwhile_is_not_waited_for)
{
	bool ended;
	int fd;

	begin(0);
	tell(&refused);
	fd = caller();
	ck_assert_int_eq(send(fd, "events\n", 7, 0), 7);
	ctl_work(&ctl, now); /* takes it in */
	tell(&refused);
	ctl_work(&ctl, now); /* reads the request, and answers */
	for (int i = 0; i < 1000; i++)
		tell(&refused);
	work();
	ck_assert_uint_eq(count(hear(fd, &ended), "\"type\":\"event\""), 2);
	ck_assert(ended);
}
END_TEST

START_TEST(events_that_are_forgotten_are_counted)
{
	enum { EVENTS = 6 * HISTORY_SIZE };
	unsigned events, left_out;
	bool ended;
	int fd;

	begin(0);
	fd = ask("follow\n");
	for (int i = 0; i < EVENTS; i++) {
		tell(&refused);
		work(); /* as far as the client's socket takes them */
	}
	events = count(hear(fd, &ended), "\"type\":\"event\"");
	ck_assert_int_eq(sscanf(strstr(text, "{\"format\":1,\"type\":\"left_out\""),
				 "{\"format\":1,\"type\":\"left_out\",\"count\":%u}", &left_out),
		1);
	ck_assert_uint_eq(events + left_out, EVENTS);
	ck_assert(events >= HISTORY_SIZE && !ended);
	ck_assert_uint_eq(count(text, "left_out"), 1);
}
END_TEST

START_TEST(followers_leave_places_for_others)
{
	int fd[CTL_FOLLOWERS];

	begin(0);
	for (int i = 0; i < CTL_FOLLOWERS; i++)
		fd[i] = ask("follow\n");
	now += 10 * CTL_PATIENCE_MS; /* nothing happens, which is no reason to go */
	ck_assert_str_eq(answer("follow\n"), ERROR("too many follow events"));
	ck_assert_uint_eq(ctl.followers, CTL_FOLLOWERS);
	close(fd[0]);
	work();
	ck_assert_uint_eq(ctl.followers, CTL_FOLLOWERS - 1);
	tell(&refused);
	work();
}
END_TEST

START_TEST(the_socket_is_for_its_user_and_group)
{
	struct stat st;

	umask(0);
	begin(0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
}
END_TEST

START_TEST(a_socket_that_is_left_behind_is_replaced)
{
	static struct ctl other;

	begin(0);
	close(ctl.listener);
	ck_assert_int_eq(ctl_open(&other, path, &about), 0);
	close(caller());
}
END_TEST

START_TEST(a_living_socket_is_left_alone)
{
	static struct ctl other;

	begin(0);
	ck_assert_int_eq(ctl_open(&other, path, &about), -EADDRINUSE);
	ck_assert_int_eq(ctl_fd(&other), -1);
	ck_assert_str_eq(answer("sessions\n"), END);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	struct stat st;

	make_folder();
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(ctl_open(&ctl, path, &about), -EADDRINUSE);
	ck_assert(stat(path, &st) == 0 && S_ISREG(st.st_mode));
}
END_TEST

START_TEST(a_missing_folder_is_made)
{
	make_folder();
	rmdir(folder);
	ck_assert_int_eq(ctl_open(&ctl, path, &about), 0);
	close(caller());
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_an_error)
{
	ck_assert_int_eq(ctl_open(&ctl, "/dev/null/pasvd/ctl", &about), -ENOTDIR);
	ck_assert_int_eq(ctl_fd(&ctl), -1);
}
END_TEST

/* The loop polls the descriptor of ctl: it must not stay readable. */
START_TEST(without_a_free_descriptor_the_listener_pauses)
{
	enum { PATIENCE_MS = 600000 };
	struct pollfd fd = {.events = POLLIN};
	struct rlimit was, none;
	int client, lowest;
	bool ended;

	begin(0);
	client = caller();
	ck_assert_int_eq(send(client, "status\n", 7, 0), 7);
	lowest = dup(client);
	close(lowest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){(rlim_t)lowest, was.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	work(); /* ends */
	ck_assert(ctl.paused_before);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	fd.fd = ctl_fd(&ctl);
	ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
	work();
	ck_assert_ptr_nonnull(strstr(hear(client, &ended), "\"end\""));
	ck_assert(ended && !ctl.paused_before);
	close(client);
}
END_TEST

START_TEST(no_path_is_no_socket)
{
	ck_assert_int_eq(ctl_open(&ctl, "", &about), 0);
	ck_assert_int_eq(ctl_fd(&ctl), -1);
	tell(&refused);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_request_is_answered_to_its_end,
		an_empty_table_has_an_end,
		a_session_is_told_as_conntrack_knows_it,
		nonsense_is_refused,
		a_request_may_come_in_pieces,
		thousands_of_sessions_come_in_pieces,
		who_does_not_read_is_in_nobodys_way,
		one_more_is_sent_away_until_a_place_is_free,
		events_are_told_to_who_follows,
		an_ending_is_an_event,
		the_last_events_are_told_to_who_comes_later,
		what_happens_meanwhile_is_not_waited_for,
		events_that_are_forgotten_are_counted,
		followers_leave_places_for_others,
		the_socket_is_for_its_user_and_group,
		a_socket_that_is_left_behind_is_replaced,
		a_living_socket_is_left_alone,
		what_is_no_socket_is_left_alone,
		a_missing_folder_is_made,
		a_folder_that_cannot_be_made_is_an_error,
		without_a_free_descriptor_the_listener_pauses,
		no_path_is_no_socket,
	};

	return unit_run("ctl", tests, ARRAY_SIZE(tests));
}
