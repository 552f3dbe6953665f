/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_external.c - what of external addresses changes while we run
 *
 * Each test has a file and a log of its own; stderr is that log. The loopback is the interface that
 * is always there.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "external.h"
#include "pasvd/array.h"
#include "unit.h"

enum { LOG_MAX = 4096 };

static char wan[] = "/tmp/check_external.XXXXXX";
static FILE *log_file;
static struct policy policy;
static struct external_watch watch;

/* One file, for everybody. */
static void set_up(void)
{
	int fd = mkstemp(wan);

	ck_assert(fd >= 0 && close(fd) == 0 && unlink(wan) == 0);
	log_file = tmpfile();
	ck_assert(log_file && dup2(fileno(log_file), STDERR_FILENO) == STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	policy = (struct policy){.n_external = 1};
	watch = (struct external_watch){.n_files = 1};
	memcpy(watch.file[0].path, wan, sizeof(wan));
}

static void tear_down(void)
{
	unlink(wan);
	fclose(log_file);
}

static void put(const char *text)
{
	FILE *file = fopen(wan, "w");

	ck_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* Everything logged since the last time is this line, or nothing. */
static void logged_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void logged_line(const char *format, ...)
{
	static long from;
	char text[LOG_MAX], whole[LOG_MAX];
	va_list ap;
	size_t n;

	ck_assert(fseek(log_file, from, SEEK_SET) == 0);
	n = fread(text, 1, sizeof(text) - 1, log_file);
	text[n] = '\0';
	from += (long)n;
	va_start(ap, format);
	vsnprintf(whole, sizeof(whole), format, ap);
	va_end(ap);
	ck_assert_str_eq(text, whole);
}

/* The same about the file. */
static void logged(const char *want)
{
	if (want[0])
		logged_line("pasvd: event=external-address msg=\"file %s%s\"\n", wan, want);
	else
		logged_line("%s", "");
}

static void has(const struct policy *p, const char *text)
{
	struct addr want = {.family = ADDR_NONE};

	if (text)
		ck_assert_int_eq(addr_parse((const uint8_t *)text, strlen(text), &want), 0);
	ck_assert(addr_eq(&p->external[0].addr, &want));
}

START_TEST(the_first_line_is_the_address)
{
	static const char *const text[] = {
		"203.0.113.7", "203.0.113.8\n", " \t203.0.113.9 \r\nmore\n", "2001:db8::7\n"};
	static const char *const want[] = {
		"203.0.113.7", "203.0.113.8", "203.0.113.9", "2001:db8::7"};
	char line[128];

	set_up();
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		put(text[i]);
		external_read(&watch, &policy);
		has(&policy, want[i]);
		snprintf(line, sizeof(line), ": address %s", want[i]);
		logged(line);
	}
	tear_down();
}
END_TEST

START_TEST(an_address_that_stays_is_not_logged_again)
{
	set_up();
	put("203.0.113.7\n");
	external_read(&watch, &policy);
	logged(": address 203.0.113.7");
	put("203.0.113.7");
	external_read(&watch, &policy);
	logged("");
	tear_down();
}
END_TEST

START_TEST(a_missing_file_is_said_once_and_may_come)
{
	set_up();
	external_read(&watch, &policy);
	has(&policy, NULL);
	logged(": No such file or directory; there is no address yet");
	external_read(&watch, &policy);
	logged("");
	put("203.0.113.7\n");
	external_read(&watch, &policy);
	has(&policy, "203.0.113.7");
	logged(": address 203.0.113.7");
	unlink(wan);
	external_read(&watch, &policy);
	has(&policy, "203.0.113.7");
	logged(": No such file or directory; the last address stays");
	external_read(&watch, &policy);
	logged("");
	put("203.0.113.7\n");
	external_read(&watch, &policy);
	unlink(wan);
	external_read(&watch, &policy);
	logged(": No such file or directory; the last address stays");
	tear_down();
}
END_TEST

START_TEST(what_is_no_good_address_leaves_the_last_one)
{
	static const struct {
		const char *text, *why;
	} sample[] = {
		{"", "its first line is empty"},
		{"\n203.0.113.8\n", "its first line is empty"},
		{"203.0.113\n", "its first line is no address"},
		{"203.0.113.8 203.0.113.9\n", "its first line is no address"},
		{"203.0.113.8/24\n", "its first line is no address"},
		{"0.0.0.0\n", "this address cannot be an external one"},
		{"127.0.0.1\n", "this address cannot be an external one"},
		{"169.254.7.7\n", "this address cannot be an external one"},
		{"224.0.0.1\n", "this address cannot be an external one"},
		{"255.255.255.255\n", "this address cannot be an external one"},
		{"::\n", "this address cannot be an external one"},
		{"::1\n", "this address cannot be an external one"},
		{"::ffff:203.0.113.8\n", "this address cannot be an external one"},
		{"fe80::1\n", "this address cannot be an external one"},
		{"febf::1\n", "this address cannot be an external one"},
		{"ff02::1\n", "this address cannot be an external one"},
	};
	char line[128];

	set_up();
	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		put("203.0.113.7\n");
		external_read(&watch, &policy);
		logged(i ? "" : ": address 203.0.113.7");
		put(sample[i].text);
		external_read(&watch, &policy);
		has(&policy, "203.0.113.7");
		snprintf(line, sizeof(line), ": %s; the last address stays", sample[i].why);
		logged(line);
	}
	tear_down();
}
END_TEST

START_TEST(a_nul_byte_in_the_first_line_is_refused)
{
	static const char text[] = "203.0.113.9\0evil", later[] = "203.0.113.9\n\0evil";
	FILE *file;

	set_up();
	file = fopen(wan, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, sizeof(text), file), sizeof(text));
	ck_assert_int_eq(fclose(file), 0);
	external_read(&watch, &policy);
	logged(": its first line has a NUL byte; there is no address yet");
	has(&policy, NULL);
	file = fopen(wan, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(later, 1, sizeof(later), file), sizeof(later));
	ck_assert_int_eq(fclose(file), 0);
	external_read(&watch, &policy);
	logged(": address 203.0.113.9");
	tear_down();
}
END_TEST

START_TEST(a_long_line_and_a_fifo_do_no_harm)
{
	char text[1024];

	set_up();
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	put(text);
	external_read(&watch, &policy);
	logged(": its first line is too long; there is no address yet");
	ck_assert(unlink(wan) == 0 && mkfifo(wan, 0600) == 0);
	watch.file[0].bad = false;
	external_read(&watch, &policy);
	logged(": not a regular file; there is no address yet");
	has(&policy, NULL);
	tear_down();
}
END_TEST

START_TEST(an_entry_has_one_family)
{
	static const uint8_t ten[] = {10, 0, 0, 0};

	set_up();
	policy.external[0].peer = (struct network){addr_ip4(ten), 8};
	put("2001:db8::7\n");
	external_read(&watch, &policy);
	has(&policy, NULL);
	logged(": IPv4 and IPv6 do not mix in an entry; there is no address yet");
	policy.external[0].peer.addr = (struct addr){.family = ADDR_NONE};
	policy.external[0].known = addr_ip4(ten);
	watch.file[0].bad = false;
	external_read(&watch, &policy);
	has(&policy, NULL);
	logged(": IPv4 and IPv6 do not mix in an entry; there is no address yet");
	tear_down();
}
END_TEST

START_TEST(the_last_address_is_carried_over)
{
	struct external_watch next;
	struct policy next_policy = {.n_external = 1};

	set_up();
	put("203.0.113.7\n");
	external_read(&watch, &policy);
	logged(": address 203.0.113.7");
	unlink(wan);
	next = (struct external_watch){.n_files = 1};
	memcpy(next.file[0].path, wan, sizeof(wan));
	external_carry(&next, &next_policy, &watch);
	external_read(&next, &next_policy);
	has(&next_policy, "203.0.113.7");
	logged(": No such file or directory; the last address stays");
	tear_down();
}
END_TEST

START_TEST(nothing_is_carried_over_to_another_file_or_family)
{
	static const uint8_t six[ADDR_IP6_LEN] = {0x20, 1};
	struct external_watch next = {.n_files = 1};
	struct policy next_policy = {.n_external = 1};

	set_up();
	put("203.0.113.7\n");
	external_read(&watch, &policy);
	next.file[0].path[0] = '/';
	external_carry(&next, &next_policy, &watch);
	has(&next_policy, NULL);
	memcpy(next.file[0].path, wan, sizeof(wan));
	next_policy.external[0].known = addr_ip6(six);
	external_carry(&next, &next_policy, &watch);
	has(&next_policy, NULL);
	tear_down();
}
END_TEST

/* The only thing to be looked at is an interface of this name. */
static void name_interface(const char *name)
{
	watch.n_files = 0;
	watch.n_interfaces = 1;
	snprintf(watch.interface[0].name, sizeof(watch.interface[0].name), "%s", name);
}

START_TEST(an_interface_comes_and_goes)
{
	const uint32_t lo = if_nametoindex("lo");

	set_up();
	ck_assert_uint_ne(lo, 0);
	for (int i = 0; i < 2; i++) {
		name_interface("no-such-one");
		external_read(&watch, &policy);
		ck_assert_uint_eq(policy.external[0].indev, POLICY_NO_INTERFACE);
		logged_line("pasvd: event=external-address msg=\"interface no-such-one: "
			    "not there; its entry does not count\"\n");
		external_read(&watch, &policy);
		logged("");
		name_interface("lo");
		external_read(&watch, &policy);
		ck_assert_uint_eq(policy.external[0].indev, lo);
		logged_line("pasvd: event=external-address interface=lo index=%u\n", lo);
		external_read(&watch, &policy);
		logged("");
	}
	tear_down();
}
END_TEST

START_TEST(an_interface_gets_another_index)
{
	const uint32_t lo = if_nametoindex("lo");

	set_up();
	name_interface("lo");
	watch.interface[0].index = policy.external[0].indev = lo + 1;
	external_read(&watch, &policy);
	ck_assert_uint_eq(policy.external[0].indev, lo);
	logged_line("pasvd: event=external-address interface=lo index=%u\n", lo);
	tear_down();
}
END_TEST

START_TEST(an_index_that_was_known_is_not_logged_again)
{
	struct external_watch next;
	struct policy next_policy = {.n_external = 1};

	set_up();
	name_interface("lo");
	next = watch;
	external_read(&watch, &policy);
	logged_line("pasvd: event=external-address interface=lo index=%u\n", if_nametoindex("lo"));
	external_carry(&next, &next_policy, &watch);
	external_read(&next, &next_policy);
	ck_assert_uint_eq(next_policy.external[0].indev, if_nametoindex("lo"));
	logged("");
	watch.interface[0].name[0] = 'x';
	next.interface[0].index = 77;
	external_carry(&next, &next_policy, &watch);
	ck_assert_uint_eq(next.interface[0].index, 0);
	tear_down();
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		the_first_line_is_the_address,
		an_address_that_stays_is_not_logged_again,
		a_missing_file_is_said_once_and_may_come,
		what_is_no_good_address_leaves_the_last_one,
		a_nul_byte_in_the_first_line_is_refused,
		a_long_line_and_a_fifo_do_no_harm,
		an_entry_has_one_family,
		the_last_address_is_carried_over,
		nothing_is_carried_over_to_another_file_or_family,
		an_interface_comes_and_goes,
		an_interface_gets_another_index,
		an_index_that_was_known_is_not_logged_again,
	};

	return unit_run("external", test, ARRAY_SIZE(test));
}
