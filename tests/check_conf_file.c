// SPDX-License-Identifier: GPL-2.0-or-later
/* check_conf_file.c - what the configuration file can say, and what is said about mistakes in it
 *
 * Each test writes a file in a folder of its own. Whatever is refused must leave the settings as they were.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_file.h"
#include "unit.h"

enum { TEXT_MAX = 1 << 17, REPEATED_MAX = 4096, GARBLED_FILES = 3000 };

static const char path[] = "test.conf";
static char error[CONF_FILE_ERROR_MAX];

static void write_bytes(const char *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	ck_assert(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

/* In a folder of its own, where the tests are run. */
static int read_bytes(const char *bytes, size_t n, struct settings *ret)
{
	char folder[] = "/tmp/check_conf_file.XXXXXX";
	int err;

	ck_assert(mkdtemp(folder) && chdir(folder) == 0);
	write_bytes(bytes, n);
	unit_mark(ret, sizeof(*ret));
	error[0] = '\0';
	err = conf_file_read(path, ret, error);
	ck_assert(unlink(path) == 0 && chdir("/") == 0 && rmdir(folder) == 0);
	ck_assert(err ? unit_is_marked(ret, sizeof(*ret)) && error[0] : !error[0]);
	return err;
}

static struct settings good(const char *text)
{
	struct settings s;
	int err = read_bytes(text, strlen(text), &s);

	ck_assert_msg(!err, "%s", error);
	return s;
}

static void bad(const char *text, const char *want)
{
	struct settings s;
	char whole[CONF_FILE_ERROR_MAX + sizeof path];

	ck_assert_int_eq(read_bytes(text, strlen(text), &s), -EINVAL);
	snprintf(whole, sizeof whole, "%s:%s", path, want);
	ck_assert_str_eq(error, whole);
}

/* Until the next call. */
static const char *repeat(const char *text, int times)
{
	static char all[REPEATED_MAX];
	char *p = all;

	ck_assert(strlen(text) * (size_t)times < sizeof all);
	for (int i = 0; i < times; i++)
		p = stpcpy(p, text);
	return all;
}

static bool is_addr(const struct addr *a, const char *text)
{
	struct addr want;

	ck_assert_int_eq(addr_parse((const uint8_t *)text, strlen(text), &want), 0);
	return addr_eq(a, &want);
}

static bool is_default(const struct settings *s)
{
	static const struct quota_limits no_limits;
	const struct policy *p = &s->policy, *d = &policy_default;

	return s->queue == 21 && strcmp(s->control_socket, "/run/pasvd/ctl") == 0 && p->zone == 0 &&
	       p->expect_seconds == d->expect_seconds && !p->announce.low && p->n_deny == d->n_deny &&
	       memcmp(p->deny, d->deny, sizeof p->deny) == 0 && !p->n_foreign && !p->n_external &&
	       !s->watch.n_files && !s->watch.n_interfaces &&
	       memcmp(&p->limits, &no_limits, sizeof no_limits) == 0 && s->tls_queue == 22 &&
	       p->tls_mark == POLICY_TLS_MARK && !p->n_tls_ports && !p->n_tls_rule && !p->n_implicit &&
	       memcmp(&p->strict, &d->strict, sizeof p->strict) == 0;
}

START_TEST(a_file_that_says_nothing_changes_nothing)
{
	static const char *const text[] = {"", "\n", "# comment\n; another\n\n[policy]\n[pasvd]",
		"[policy] ; comment\n[pasvd] # comment\n", "\xef\xbb\xbf[pasvd]\r\n \t \r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		struct settings s = good(text[i]);

		ck_assert(is_default(&s));
	}
}
END_TEST

#define SOCKET ": a path that begins with / and has at most 107 characters is wanted, or nothing"

START_TEST(a_socket_has_a_path_or_is_none)
{
	char name[CTL_PATH_MAX + 1], text[256], want[CONF_FILE_ERROR_MAX];

	ck_assert_str_eq(good("[pasvd]\ncontrol-socket = /run/a b\n").control_socket, "/run/a b");
	ck_assert_str_eq(good("[pasvd]\ncontrol-socket =\n").control_socket, "");
	memset(name, '/', sizeof name);
	name[CTL_PATH_MAX - 1] = '\0';
	snprintf(text, sizeof text, "[pasvd]\ncontrol-socket = %s\n", name);
	ck_assert_str_eq(good(text).control_socket, name);
	name[CTL_PATH_MAX - 1] = '/';
	name[CTL_PATH_MAX] = '\0';
	snprintf(text, sizeof text, "[pasvd]\ncontrol-socket = %s\n", name);
	snprintf(want, sizeof want, "2: [pasvd] control-socket = %s%s", name, SOCKET);
	bad(text, want);
}
END_TEST

START_TEST(numbers_are_taken_to_both_ends)
{
	struct settings low = good("[pasvd]\nqueue = 0\nzone = 0\nexpect-seconds = 1\n"),
			high = good("[pasvd]\nqueue=65535\r\n\tzone: 65535\nexpect-seconds = 300 ; comment");

	ck_assert(low.queue == 0 && low.policy.zone == 0 && low.policy.expect_seconds == 1);
	ck_assert(high.queue == 65535 && high.policy.zone == 65535 && high.policy.expect_seconds == 300);
}
END_TEST

START_TEST(each_scope_has_its_limit)
{
	struct settings s = good("[limits]\nper-session = 1\nper-client = 60000\nper-server = 0\n"),
			one = good("[limits]\nper-server = 30000");
	static const uint16_t want[] = {1, 60000, 0}, want_one[] = {0, 0, 30000};

	ck_assert_mem_eq(s.policy.limits.a_minute, want, sizeof want);
	ck_assert_mem_eq(one.policy.limits.a_minute, want_one, sizeof want_one);
}
END_TEST

START_TEST(denied_ports_take_the_place_of_the_default_ones)
{
	struct settings s = good("[policy]\ndeny-ports = 2049,3306 , 60000-60010\ndeny-ports = 1-65535");
	static const struct port_range want[] = {{2049, 2049}, {3306, 3306}, {60000, 60010}, {1, 65535}};

	ck_assert_uint_eq(s.policy.n_deny, ARRAY_SIZE(want));
	ck_assert(memcmp(s.policy.deny, want, sizeof want) == 0);
}
END_TEST

START_TEST(an_empty_list_denies_nothing)
{
	struct settings s =
		good("[policy]\ndeny-ports =\nallow-foreign =\n[translate]\nexternal-address =\n");

	ck_assert(!s.policy.n_deny && !s.policy.n_foreign && !s.policy.n_external);
}
END_TEST

START_TEST(foreign_networks_are_of_both_families)
{
	struct settings s = good("[policy]\nallow-foreign = 10.0.0.0/24, 2001:db8::/63, 192.0.2.1, ::1, "
				 "0.0.0.0/0, 10.1.2.3/32, ::1/128, 128.0.0.0/1");
	static const struct {
		const char *addr;
		uint8_t bits;
	} want[] = {{"10.0.0.0", 24}, {"2001:db8::", 63}, {"192.0.2.1", 32}, {"::1", 128}, {"0.0.0.0", 0},
		{"10.1.2.3", 32}, {"::1", 128}, {"128.0.0.0", 1}};

	ck_assert_uint_eq(s.policy.n_foreign, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		ck_assert(is_addr(&s.policy.foreign[i].addr, want[i].addr));
		ck_assert_uint_eq(s.policy.foreign[i].bits, want[i].bits);
	}
}
END_TEST

START_TEST(announced_ports_are_one_range)
{
	struct settings s = good("[translate]\nannounce-ports = 60000-60999"),
			one = good("[translate]\nannounce-ports = 1024");

	ck_assert(s.policy.announce.low == 60000 && s.policy.announce.high == 60999);
	ck_assert(one.policy.announce.low == 1024 && one.policy.announce.high == 1024);
}
END_TEST

START_TEST(external_addresses_have_conditions)
{
	struct settings s =
		good("[translate]\nexternal-address = 203.0.113.7 for 10.0.0.0/8\n"
		     "external-address = 203.0.113.8  dialled  192.168.178.2, 203.0.113.9 dialled "
		     "10.0.0.1 for 10.0.0.0/8, 2001:db8::7, 203.0.113.6\n");
	const struct external *e = s.policy.external;

	ck_assert(s.policy.n_external == 5 && !s.watch.n_files && !s.watch.n_interfaces);
	ck_assert(is_addr(&e[0].addr, "203.0.113.7") && is_addr(&e[0].peer.addr, "10.0.0.0"));
	ck_assert(e[0].peer.bits == 8 && e[0].known.family == ADDR_NONE);
	ck_assert(is_addr(&e[1].addr, "203.0.113.8") && is_addr(&e[1].known, "192.168.178.2"));
	ck_assert(e[1].peer.addr.family == ADDR_NONE);
	ck_assert(is_addr(&e[2].known, "10.0.0.1") && is_addr(&e[2].peer.addr, "10.0.0.0"));
	ck_assert(is_addr(&e[3].addr, "2001:db8::7") && is_addr(&e[4].addr, "203.0.113.6"));
}
END_TEST

START_TEST(external_addresses_may_stand_in_files)
{
	struct settings s = good("[translate]\nexternal-address = 203.0.113.7 for 10.0.0.0/8, "
				 "file:/run/a for 2001:db8::/32, file:/run/b\n");

	ck_assert(s.policy.n_external == 3 && s.watch.n_files == 2);
	ck_assert(s.watch.file[0].entry == 1 && s.watch.file[1].entry == 2);
	ck_assert_str_eq(s.watch.file[0].path, "/run/a");
	ck_assert_str_eq(s.watch.file[1].path, "/run/b");
	ck_assert(s.policy.external[2].addr.family == ADDR_NONE && !s.watch.file[0].bad);
	ck_assert(is_addr(&s.policy.external[1].peer.addr, "2001:db8::"));
}
END_TEST

START_TEST(external_addresses_may_be_for_interfaces)
{
	struct settings s =
		good("[translate]\nexternal-address = 203.0.113.7 on ppp0, 203.0.113.8 for 10.0.0.0/8  on "
		     "br-lan.7_x dialled 10.0.0.1, file:/run/a on fifteen-letters, 203.0.113.9\n");
	const struct external *e = s.policy.external;
	const struct external_interface *i = s.watch.interface;

	ck_assert(s.policy.n_external == 4 && s.watch.n_interfaces == 3 && s.watch.n_files == 1);
	ck_assert(i[0].entry == 0 && i[1].entry == 1 && i[2].entry == 2 && s.watch.file[0].entry == 2);
	ck_assert_str_eq(i[0].name, "ppp0");
	ck_assert_str_eq(i[1].name, "br-lan.7_x");
	ck_assert_str_eq(i[2].name, "fifteen-letters");
	ck_assert(e[0].indev == POLICY_NO_INTERFACE && e[1].indev == POLICY_NO_INTERFACE);
	ck_assert(e[2].indev == POLICY_NO_INTERFACE && !e[3].indev);
	ck_assert(is_addr(&e[1].peer.addr, "10.0.0.0") && is_addr(&e[1].known, "10.0.0.1"));
}
END_TEST

static const char *const check_name[STRICT_CHECKS] = {
	"spoofed-reply", "spoofed-command", "pipelined", "long-line", "unprintable", "bare-lf", "bad-offer"};

START_TEST(each_check_has_its_outcome)
{
	static const char *const word[] = {"pass", "log", "refuse", "reset"};
	char text[64];

	for (int i = 0; i < STRICT_CHECKS; i++) {
		for (int j = STRICT_PASS; j <= STRICT_RESET; j++) {
			struct settings s;

			snprintf(text, sizeof text, "[strict]\n%s = %s\n", check_name[i], word[j]);
			s = good(text);
			for (int k = 0; k < STRICT_CHECKS; k++)
				ck_assert_int_eq(s.policy.strict.outcome[k], k == i ? j : STRICT_PASS);
		}
	}
}
END_TEST

/* In the log the checks go by the names of their keys. */
START_TEST(the_checks_have_the_names_of_their_reasons)
{
	for (int i = 0; i < STRICT_BAD_OFFER; i++)
		ck_assert_str_eq(reason_name((enum reason)(REASON_SPOOFED_REPLY + i)), check_name[i]);
}
END_TEST

#define NUMBER(most) ": a number " most " is wanted"
#define LIMIT        ": a number of ports a minute 0..60000 is wanted, 0 for no limit"
#define PORTS        ": ports 1..65535 and ranges are wanted, as in 2049, 60000-60010"
#define NETWORKS     ": networks are wanted, as in 10.0.0.0/24, 2001:db8::/64"
#define RANGE        ": a range of ports 1024..65535 is wanted, as in 60000-60999"
#define SOURCE       ": ADDRESS or file:PATH [for NETWORK] [dialled ADDRESS] [on INTERFACE] is wanted"
#define TLS_PORTS    ": ranges of ports 1024..65535 are wanted, as in 60000-60100 or 60000-60100 for 10.0.0.2"
#define TLS_MODE     ": on-demand, pass or refuse is wanted, alone or as in refuse for 10.0.0.0/24"
#define MARK         ": a number 0..0xffffffff is wanted"
#define INTERFACE    ": an interface name has 1 to 15 letters, digits, '.', '_' or '-'"
#define OUTCOME      ": pass, log, refuse or reset is wanted"
#define MIXED        ": IPv4 and IPv6 do not mix in an entry"

/* Line 2 of a file whose line 1 is the section: what stands there, and what is said; NULL: the line, then `why`. */
static const struct {
	const char *section, *line, *shown, *why;
} mistake[] = {
	{"pasvd", "queue = 65536", NULL, NUMBER("0..65535")},
	{"pasvd", "queue = -1", NULL, NUMBER("0..65535")},
	{"pasvd", "queue = 21 # ftp", NULL, NUMBER("0..65535")},
	{"pasvd", "queue = 18446744073709551637", NULL, NUMBER("0..65535")},
	{"pasvd", "queue =", "queue = ", NUMBER("0..65535")},
	{"pasvd", "control-socket = ctl", NULL, SOCKET},
	{"pasvd", "zone = 0x5", NULL, NUMBER("0..65535")},
	{"pasvd", "zone = 65536", NULL, NUMBER("0..65535")},
	{"pasvd", "expect-seconds = 0", NULL, NUMBER("1..300")},
	{"pasvd", "expect-seconds = 301", NULL, NUMBER("1..300")},
	{"pasvd", "expect-seconds = 60s", NULL, NUMBER("1..300")},
	{"policy", "deny-ports = 2049, 70000, 1", "deny-ports = 70000", PORTS},
	{"policy", "deny-ports = 2049 3306", NULL, PORTS},
	{"policy", "deny-ports = 0-5", NULL, PORTS},
	{"policy", "deny-ports = 5-", NULL, PORTS},
	{"policy", "deny-ports = -5", NULL, PORTS},
	{"policy", "deny-ports = 5-6-7", NULL, PORTS},
	{"policy", "deny-ports = 1:5", NULL, PORTS},
	{"policy", "deny-ports = none", NULL, PORTS},
	{"policy", "deny-ports = 5-4", NULL, ": the first port of a range is the lower one"},
	{"policy", "deny-ports = 5,,6", "deny-ports = ", ": something is missing at a comma"},
	{"policy", "deny-ports = 5,", "deny-ports = ", ": something is missing at a comma"},
	{"policy", "deny-ports = ,", "deny-ports = ", ": something is missing at a comma"},
	{"policy", "allow-foreign = 10.0.0/8", NULL, NETWORKS},
	{"policy", "allow-foreign = ftp.example.org", NULL, NETWORKS},
	{"policy", "allow-foreign = /8", NULL, NETWORKS},
	{"policy", "allow-foreign = 10.0.0.1-10.0.0.9", NULL, NETWORKS},
	{"policy", "allow-foreign = 10.0.0.0/33", NULL, ": a prefix has 0..32 bits"},
	{"policy", "allow-foreign = 10.0.0.0/", NULL, ": a prefix has 0..32 bits"},
	{"policy", "allow-foreign = 10.0.0.0/255.0.0.0", NULL, ": a prefix has 0..32 bits"},
	{"policy", "allow-foreign = 2001:db8::/129", NULL, ": a prefix has 0..128 bits"},
	{"policy", "allow-foreign = 10.0.0.1/24", NULL, ": bits behind the prefix are set"},
	{"policy", "allow-foreign = 2001:db8::/28", NULL, ": bits behind the prefix are set"},
	{"limits", "per-session = 60001", NULL, LIMIT},
	{"limits", "per-client = 10/s", NULL, LIMIT},
	{"limits", "per-server = -1", NULL, LIMIT},
	{"limits", "per-server =", "per-server = ", LIMIT},
	{"limits", "per-minute = 5", NULL, ": no such key, there are per-session, per-client, per-server"},
	{"policy", "per-client = 5", NULL, ": belongs to [limits]"},
	{"translate", "announce-ports = 1023-60000", NULL, RANGE},
	{"translate", "announce-ports =", "announce-ports = ", RANGE},
	{"translate", "announce-ports = 60000-60999, 61000", NULL, RANGE},
	{"translate", "announce-ports = 60999-60000", NULL, ": the first port of a range is the lower one"},
	{"translate", "external-address = dyn.example.org", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7/24", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 in 10.0.0.0/8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 for", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 203.0.113.8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 for 10.0.0.0/8 for 10.0.0.0/8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 dialled 10.0.0.0/8", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on eth0 on eth1", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on eth0 eth1", NULL, SOURCE},
	{"translate", "external-address = 203.0.113.7 on sixteen-letters-", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on ..", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on -eth0", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on eth+", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 on eth0/1", NULL, INTERFACE},
	{"translate", "external-address = 203.0.113.7 for 10.0.0.1/8", NULL,
		": bits behind the prefix are set"},
	{"translate", "external-address = 203.0.113.7 for 2001:db8::/32", NULL, MIXED},
	{"translate", "external-address = 203.0.113.7 dialled ::1", NULL, MIXED},
	{"translate", "external-address = file:/run/a for 10.0.0.0/8 dialled ::1", NULL, MIXED},
	{"translate", "external-address = 0.0.0.0", NULL, ": this address cannot be an external one"},
	{"translate", "external-address = file:wan", NULL, ": the path of a file begins with /"},
	{"translate", "external-address = file:", NULL, ": the path of a file begins with /"},
	{"translate", "external-address = 203.0.113.7, 203.0.113.8 for 10.0.0.0/8",
		"external-address = 203.0.113.8 for 10.0.0.0/8",
		": never counts: an address before it is for everybody"},
	{"translate", "external-address = 203.0.113.7, 203.0.113.8 on eth0",
		"external-address = 203.0.113.8 on eth0",
		": never counts: an address before it is for everybody"},
	{"translate", "external-address = 203.0.113.7, file:/a for 10.0.0.0/8",
		"external-address = file:/a for 10.0.0.0/8",
		": never counts: an address before it is for everybody"},
	{"policy", "deny-port = 5", NULL, ": no such key, there are deny-ports, allow-foreign"},
	{"policy", "Deny-Ports = 5", NULL, ": no such key, there are deny-ports, allow-foreign"},
	{"pasvd", "port = 5", NULL, ": no such key, there are queue, zone, expect-seconds, control-socket"},
	{"pasvd", "ports = 5", NULL, ": belongs to [tls]"},
	{"tls", "ports = 1023-2000", NULL, TLS_PORTS},
	{"tls", "ports = 60000 - 60100", NULL, TLS_PORTS},
	{"tls", "ports = 60000-60100 for", NULL, TLS_PORTS},
	{"tls", "ports = 60000-60100 to 10.0.0.2", NULL, TLS_PORTS},
	{"tls", "ports = 60100-60000 for 10.0.0.2", NULL, ": the first port of a range is the lower one"},
	{"tls", "ports = 60000 for 10.0.0.2/24", NULL, ": bits behind the prefix are set"},
	{"tls", "mode = ondemand", NULL, TLS_MODE},
	{"tls", "mode = refuse for host", NULL, TLS_MODE},
	{"tls", "mode = refuse, pass for 10.0.0.2", "mode = pass for 10.0.0.2",
		": never counts: a mode before it is for all servers"},
	{"tls", "implicit-ports = 0", NULL, ": ports 1..65535 are wanted, as in 990"},
	{"tls", "queue = 65536", NULL, NUMBER("0..65535")},
	{"tls", "mark = 0x", NULL, MARK},
	{"tls", "mark = 0x100000000", NULL, MARK},
	{"tls", "mark = 4294967296", NULL, MARK},
	{"tls", "mark = ff", NULL, MARK},
	{"tls", "mark = -1", NULL, MARK},
	{"tls", "mark = 0x1/0x1", NULL, MARK},
	{"translate", "extern = 5", NULL, ": no such key, there are announce-ports, external-address"},
	{"policy", "announce-ports = 5", NULL, ": belongs to [translate]"},
	{"strict", "spoofed-reply = drop", NULL, OUTCOME},
	{"strict", "spoofed-command = Reset", NULL, OUTCOME},
	{"strict", "pipelined = log, reset", NULL, OUTCOME},
	{"strict", "long-line =", "long-line = ", OUTCOME},
	{"strict", "unprintable = resets", NULL, OUTCOME},
	{"strict", "bare-lf = 1", NULL, OUTCOME},
	{"strict", "bad-offer = res", NULL, OUTCOME},
	{"strict", "bare-cr = log", NULL,
		": no such key, there are spoofed-reply, spoofed-command, pipelined, long-line, unprintable, "
		"bare-lf, "
		"bad-offer"},
	{"policy", "bare-lf = log", NULL, ": belongs to [strict]"},
	{"polcy", "deny-ports = 5", NULL, ": belongs to [policy]"},
	{"polcy", "deny = 5", NULL,
		": no such section, there are [pasvd], [policy], [limits], [translate], [tls], [strict]"},
};

START_TEST(tls_is_set_for_all_servers_or_for_some)
{
	struct settings s = good("[tls]\nports = 60000-60100, 50000-50099 for 10.0.0.3, 1024 for fd00::/8\n"
				 "mode = refuse for 10.0.0.4, pass for fd00::5\nmode = on-demand\n"
				 "implicit-ports = 990, 9900-9999\nqueue = 7\nmark = 0x0000Ff00\n");
	const struct policy *p = &s.policy;

	ck_assert(p->n_tls_ports == 3 && p->n_tls_rule == 3 && p->n_implicit == 2);
	ck_assert(p->tls_ports[0].ports.low == 60000 && p->tls_ports[0].ports.high == 60100);
	ck_assert(p->tls_ports[0].server.addr.family == ADDR_NONE);
	ck_assert(is_addr(&p->tls_ports[1].server.addr, "10.0.0.3") && p->tls_ports[1].server.bits == 32);
	ck_assert(p->tls_ports[2].ports.low == 1024 && p->tls_ports[2].ports.high == 1024);
	ck_assert(p->tls_rule[0].mode == TLS_REFUSE && is_addr(&p->tls_rule[0].server.addr, "10.0.0.4"));
	ck_assert(p->tls_rule[1].mode == TLS_PASS && p->tls_rule[1].server.bits == 128);
	ck_assert(p->tls_rule[2].mode == TLS_ON_DEMAND && p->tls_rule[2].server.addr.family == ADDR_NONE);
	ck_assert(p->implicit[0].low == 990 && p->implicit[1].high == 9999);
	ck_assert(s.tls_queue == 7 && p->tls_mark == 0xff00);
}
END_TEST

START_TEST(marks_are_numbers_of_32_bits)
{
	ck_assert_uint_eq(good("[tls]\nmark = 0\n").policy.tls_mark, 0);
	ck_assert_uint_eq(good("[tls]\nmark = 4294967295\n").policy.tls_mark, UINT32_MAX);
	ck_assert_uint_eq(good("[tls]\nmark = 0xffffffff\n").policy.tls_mark, UINT32_MAX);
	ck_assert_uint_eq(good("[tls]\nmark = 0X1\n").policy.tls_mark, 1);
}
END_TEST

START_TEST(mistakes_are_named)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistake); i++) {
		const char *line = mistake[i].line;
		char text[256], want[512];

		snprintf(text, sizeof text, "[%s]\n%s\n", mistake[i].section, line);
		snprintf(want, sizeof want, "2: [%s] %s%s", mistake[i].section,
			mistake[i].shown ? mistake[i].shown : line, mistake[i].why);
		bad(text, want);
	}
}
END_TEST

START_TEST(the_first_mistake_counts)
{
	bad("[pasvd]\nqueue\n[policy]\ndeny-ports = x\n", "2: neither [section] nor key = value");
	bad("[policy]\ndeny-ports = x\n[pasvd]\nqueue\n", "2: [policy] deny-ports = x" PORTS);
	bad("\n\n[pasvd\nqueue = 5\n", "3: neither [section] nor key = value");
	bad("zone\n[pasvd] queue = 5\n", "1: neither [section] nor key = value");
}
END_TEST

START_TEST(what_inih_would_ignore_is_refused)
{
	bad("[policy] deny-ports = 5\n", "1: only a comment may stand behind a [section]");
	bad("[policy]\ndeny-ports = 5,\n  6\n", "2: [policy] deny-ports = : something is missing at a comma");
	bad("[policy]\ndeny-ports = 5\n  6\n", "3: neither [section] nor key = value");
	bad("queue = 5\n", "1: [] queue = 5: belongs to [pasvd]");
	bad("[pasvd]\nqueue = 5\rzone = 3\n", "2: bytes that are no text");
}
END_TEST

START_TEST(a_key_that_is_no_list_is_given_once)
{
	bad("[pasvd]\nqueue = 5\nzone = 1\nqueue = 5\n", "4: [pasvd] queue = 5: this key was given before");
	bad("[pasvd]\nzone = 5\n[pasvd]\nzone = 5\n", "4: [pasvd] zone = 5: this key was given before");
	bad("[pasvd]\nexpect-seconds = 5\n\nexpect-seconds = 6\n",
		"4: [pasvd] expect-seconds = 6: this key was given before");
	bad("[limits]\nper-client = 5\nper-client = 5\n",
		"3: [limits] per-client = 5: this key was given before");
	bad("[strict]\nbare-lf = log\nbare-lf = log\n",
		"3: [strict] bare-lf = log: this key was given before");
	bad("[translate]\nannounce-ports = 2000-3000\nannounce-ports = 4000\n",
		"3: [translate] announce-ports = 4000: this key was given before");
}
END_TEST

START_TEST(lists_hold_32_entries)
{
	static const struct {
		const char *section, *line;
	} list[] = {{"policy", "deny-ports = 5"}, {"policy", "allow-foreign = ::1"},
		{"translate", "external-address = 203.0.113.7 for 10.0.0.0/8"},
		{"translate", "external-address = file:/run/a"}};
	char text[REPEATED_MAX + 64], line[128], want[256];

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		snprintf(line, sizeof line, "%s\n", list[i].line);
		snprintf(text, sizeof text, "[%s]\n%s", list[i].section, repeat(line, 32));
		good(text);
		snprintf(text, sizeof text, "[%s]\n%s", list[i].section, repeat(line, 33));
		snprintf(want, sizeof want, "34: [%s] %s: one too many, there is room for 32",
			list[i].section, list[i].line);
		bad(text, want);
	}
}
END_TEST

START_TEST(lines_have_a_length_and_a_number)
{
	char text[REPEATED_MAX + 64];

	snprintf(text, sizeof text, "[pasvd]\n#%s\nqueue = 5\n", repeat("x", 196));
	ck_assert_uint_eq(good(text).queue, 5);
	snprintf(text, sizeof text, "[pasvd]\n#%s\nqueue = 5\n", repeat("x", 197));
	bad(text, "2: a line has at most 197 characters; lists may be continued by the same key again");
	bad(repeat(" ", 198),
		"1: a line has at most 197 characters; lists may be continued by the same key again");
	good(repeat("\n", 1000));
	bad(repeat("\n", 1001), "1001: a file has at most 1000 lines");
}
END_TEST

START_TEST(a_path_that_fits_into_a_line_is_taken_or_refused)
{
	char text[REPEATED_MAX + 64];
	struct settings s;

	snprintf(text, sizeof text, "[translate]\nexternal-address=file:/%s\n", repeat("x", 174));
	s = good(text);
	ck_assert_uint_eq(strlen(s.watch.file[0].path), 175);
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
	static const char nul[] = "[pasvd]\nqueue = 5\0 # 6\n", elf[] = "\x7f"
									"ELF\2\1\1";
	struct settings s;

	ck_assert_int_eq(read_bytes(nul, sizeof nul - 1, &s), -EINVAL);
	ck_assert_str_eq(error, "test.conf:2: bytes that are no text");
	ck_assert_int_eq(read_bytes(elf, sizeof elf - 1, &s), -EINVAL);
	ck_assert_str_eq(error, "test.conf:1: bytes that are no text");
	good("# caf\xc3\xa9\n");
}
END_TEST

START_TEST(what_is_no_file_is_refused_at_once)
{
	struct settings s;
	char folder[] = "/tmp/check_conf_file.XXXXXX";

	ck_assert(mkdtemp(folder) && chdir(folder) == 0 && mkfifo("fifo", 0600) == 0);
	ck_assert_int_eq(conf_file_read("missing", &s, error), -ENOENT);
	ck_assert_str_eq(error, "missing: No such file or directory");
	ck_assert_int_eq(conf_file_read("fifo", &s, error), -ENOTSUP);
	ck_assert_str_eq(error, "fifo: not a regular file");
	ck_assert_int_eq(conf_file_read("/dev/zero", &s, error), -ENOTSUP);
	ck_assert_int_eq(conf_file_read(folder, &s, error), -ENOTSUP);
	ck_assert(unlink("fifo") == 0 && chdir("/") == 0 && rmdir(folder) == 0);
}
END_TEST

/* A file of the project, until the next call. */
static char *text_of(const char *name)
{
	static char text[TEXT_MAX];
	char file_path[1024];
	FILE *file;
	size_t n;

	ck_assert_ptr_nonnull(getenv("SOURCE_ROOT"));
	snprintf(file_path, sizeof file_path, "%s/%s", getenv("SOURCE_ROOT"), name);
	file = fopen(file_path, "r");
	ck_assert_msg(file, "%s", file_path);
	n = fread(text, 1, sizeof text - 1, file);
	ck_assert(n > 0 && n < sizeof text - 1 && fclose(file) == 0);
	text[n] = '\0';
	return text;
}

START_TEST(the_example_is_the_default)
{
	struct settings s = good(text_of("systemd/pasvd.conf"));

	ck_assert(is_default(&s));
}
END_TEST

/* Uncomments the keys: lines that begin with # and no blank. */
START_TEST(the_example_has_each_key)
{
	char *text = text_of("systemd/pasvd.conf"), line[64];
	const struct settings_key *key;
	struct settings s;

	for (char *p = text; *p; p = strchr(p, '\n') + 1) {
		if (p[0] == '#' && p[1] >= 'a' && p[1] <= 'z')
			p[0] = ' ';
	}
	for (size_t i = 0; (key = settings_key(i)); i++) {
		snprintf(line, sizeof line, "\n %s = ", key->name);
		ck_assert_msg(strstr(text, line), "%s", key->name);
	}
	s = good(text);
	ck_assert(s.queue == 21 && s.policy.expect_seconds == policy_default.expect_seconds);
	ck_assert(s.policy.limits.a_minute[QUOTA_CLIENT] > 0);
	ck_assert(s.policy.n_deny == 3 && s.policy.deny[2].low == 6379 && s.policy.deny[2].high == 6379);
}
END_TEST

/* Both ways: ".Ss Section NAME" and ".It Ic NAME" are the table's, in its order. */
START_TEST(the_manual_has_the_keys_of_the_table)
{
	const char *p = text_of("man/pasvd.conf.5"), *section = "";
	const struct settings_key *key;
	char want[64];

	for (size_t i = 0; (key = settings_key(i)); i++) {
		if (strcmp(key->section, section) != 0) {
			section = key->section;
			snprintf(want, sizeof want, "\n.Ss Section %s\n", section);
			p = strstr(p, want);
			ck_assert_msg(p, "%s", section);
		}
		p = strstr(p, "\n.It Ic ");
		ck_assert_msg(p, "%s", key->name);
		p += strlen("\n.It Ic ");
		snprintf(want, sizeof want, "%s No = Ar ", key->name);
		ck_assert_msg(strncmp(p, want, strlen(want)) == 0, "%s", key->name);
	}
	ck_assert_ptr_null(strstr(p, "\n.It Ic "));
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

START_TEST(garbled_files_are_read_or_refused)
{
	static const char base[] =
		"[pasvd]\nqueue = 5\n[policy]\ndeny-ports = 1-5, 7\nallow-foreign = ::/8\n"
		"[translate]\nexternal-address = 203.0.113.7 for 10.0.0.0/8 on a1, file:/a\n";
	static const char odd[] = "=:[];#,-/ \t\r\n\0\xff"
				  "019a";
	uint32_t state = 1;
	int refused = 0;

	for (int i = 0; i < GARBLED_FILES; i++) {
		char text[sizeof base];
		struct settings s;

		memcpy(text, base, sizeof base);
		for (int change = 0; change < 1 + i % 4; change++)
			text[next_random(&state) % (sizeof base - 1)] =
				odd[next_random(&state) % (sizeof odd - 1)];
		refused += read_bytes(text, sizeof base - 1, &s) != 0;
	}
	ck_assert(refused > GARBLED_FILES / 2 && refused < GARBLED_FILES);
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		a_file_that_says_nothing_changes_nothing,
		a_socket_has_a_path_or_is_none,
		numbers_are_taken_to_both_ends,
		each_scope_has_its_limit,
		denied_ports_take_the_place_of_the_default_ones,
		an_empty_list_denies_nothing,
		foreign_networks_are_of_both_families,
		announced_ports_are_one_range,
		external_addresses_have_conditions,
		external_addresses_may_stand_in_files,
		external_addresses_may_be_for_interfaces,
		tls_is_set_for_all_servers_or_for_some,
		marks_are_numbers_of_32_bits,
		each_check_has_its_outcome,
		the_checks_have_the_names_of_their_reasons,
		mistakes_are_named,
		the_first_mistake_counts,
		what_inih_would_ignore_is_refused,
		a_key_that_is_no_list_is_given_once,
		lists_hold_32_entries,
		lines_have_a_length_and_a_number,
		a_path_that_fits_into_a_line_is_taken_or_refused,
		bytes_that_are_no_text_are_refused,
		what_is_no_file_is_refused_at_once,
		the_example_is_the_default,
		the_example_has_each_key,
		the_manual_has_the_keys_of_the_table,
		garbled_files_are_read_or_refused,
	};

	return unit_run("conf_file", test, ARRAY_SIZE(test));
}
