/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_config_process.c - settings that no configuration can say are not taken
 *
 * The test is the configuration process: its answer waits in the socket before it is asked.
 */
#include "config_process.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pasvd/conntab.h"
#include "setters.h"
#include "unit.h"

static struct settings sound, sent, taken;
static struct config_process process;
static int child;

static void config_process_add(const char *name, settings_setter *set, size_t *count)
{
	const struct text value = {name, strlen(name)};

	ck_assert_ptr_null(set(&sound, value));
	if (count)
		(*count)++;
}

/* Each list has an entry. */
static void set_up(void)
{
	struct policy *p = &sound.policy;
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	process = (struct config_process){.fd = fd[0]};
	child = fd[1];
	sound = settings_default();
	config_process_add("2049", settings_add_deny, &p->n_deny);
	config_process_add("10.0.0.0/8", settings_add_foreign, &p->n_foreign);
	config_process_add("file:/wan on lo", settings_add_external, &p->n_external);
	config_process_add("40000-40100", settings_set_announce, NULL);
	config_process_add("60000-60100 for 10.0.0.2", settings_add_tls_ports, &p->n_tls_ports);
	config_process_add("refuse for 2001:db8::/32", settings_add_tls_mode, &p->n_tls_rule);
	config_process_add("990", settings_add_implicit, &p->n_implicit);
	p->own[p->n_own++] = p->tls_ports[0].server.addr;
}

static void tear_down(void)
{
	close(child);
	if (process.fd >= 0)
		close(process.fd);
}

/* Whether an answer of `n` bytes is taken. */
static bool is_taken(const void *answer, size_t n)
{
	set_up();
	unit_mark(&taken, sizeof(taken));
	ck_assert_int_eq(send(child, answer, n, 0), (ssize_t)n);
	return config_process_reload(&process, &taken);
}

/* Also that the process is not asked again. */
static void check_refused(const void *answer, size_t n, const char *what)
{
	ck_assert_msg(!is_taken(answer, n), "%s", what);
	ck_assert_msg(unit_is_marked(&taken, sizeof(taken)), "%s", what);
	ck_assert_int_eq(process.fd, -1);
	tear_down();
}

START_TEST(sound_settings_are_taken)
{
	const void *to = &taken, *from = &sent;

	set_up();
	tear_down();
	sent = sound;
	ck_assert(is_taken(&sent, sizeof(sent)));
	ck_assert_int_eq(memcmp(to, from, sizeof(sent)), 0);
	tear_down();
}
END_TEST

START_TEST(one_byte_leaves_them_as_they_are)
{
	ck_assert(!is_taken("", 1));
	ck_assert(unit_is_marked(&taken, sizeof(taken)));
	ck_assert_int_ge(process.fd, 0);
	tear_down();
}
END_TEST

START_TEST(settings_of_another_size_are_refused)
{
	static char longer[sizeof(struct settings) + 1];

	set_up();
	tear_down();
	memcpy(longer, &sound, sizeof(sound));
	check_refused(longer, sizeof(longer), "longer");
	check_refused(longer, sizeof(sound) - 1, "shorter");
	check_refused(longer, 2, "two bytes");
}
END_TEST

#define MEMBER(member) #member, offsetof(struct settings, member), sizeof(sound.member)
#define NUMBER(member, value)                                                                      \
	{                                                                                          \
		MEMBER(member), (value)                                                            \
	}
/* All of its bytes are set: a text without an end. */
#define TEXT(member)                                                                               \
	{                                                                                          \
		MEMBER(member), 0                                                                  \
	}

/* The value that a member must not have, by the order of struct settings. */
static const struct {
	const char *name;
	size_t offset, size;
	uint64_t value;
} bad[] = {
	NUMBER(ct_helper, CT_HELPER_OWN + 1),
	NUMBER(ct_helper, UINT32_MAX),
	NUMBER(fail_open, 2),
	NUMBER(fail_open, 255),
	NUMBER(nft, 2),
	NUMBER(rules, SETTINGS_RULES_IGNORE + 1),
	TEXT(control_socket),
	NUMBER(sessions, SETTINGS_SESSIONS_MIN - 1),
	NUMBER(sessions, CONNTAB_SIZE + 1),
	NUMBER(policy.expect_seconds, 0),
	NUMBER(policy.expect_seconds, SETTINGS_EXPECT_MAX + 1),
	NUMBER(policy.expect_seconds_active, 0),
	NUMBER(policy.expect_seconds_active, UINT32_MAX),
	NUMBER(policy.open_ports, CONNTAB_SIZE + 1),
	NUMBER(policy.limits.a_minute[QUOTA_SESSION], SETTINGS_LIMIT_MAX + 1),
	NUMBER(policy.limits.a_minute[QUOTA_SERVER], UINT16_MAX),
	NUMBER(policy.announce.low, 1023),
	NUMBER(policy.announce.low, 0),
	NUMBER(policy.announce.high, 39999),
	NUMBER(policy.n_deny, POLICY_LIST_MAX + 1),
	NUMBER(policy.n_deny, SIZE_MAX),
	NUMBER(policy.n_foreign, POLICY_LIST_MAX + 1),
	NUMBER(policy.n_external, POLICY_LIST_MAX + 1),
	NUMBER(policy.n_own, POLICY_LIST_MAX + 1),
	NUMBER(policy.deny[0].low, 0),
	NUMBER(policy.deny[0].low, 2050),
	NUMBER(policy.foreign[0].addr.family, 5),
	NUMBER(policy.foreign[0].bits, 33),
	NUMBER(policy.own[0].family, 9),
	NUMBER(policy.external[0].peer.addr.family, 255),
	NUMBER(policy.external[0].peer.bits, 1),
	NUMBER(policy.external[0].known.family, 7),
	NUMBER(policy.external[0].addr.family, 3),
	NUMBER(policy.external[0].addr.family, ADDR_IP4), /* 0.0.0.0 */
	NUMBER(policy.strict.outcome[STRICT_SPOOFED_REPLY], STRICT_RESET + 1),
	NUMBER(policy.strict.outcome[STRICT_BAD_OFFER], UINT32_MAX),
	NUMBER(policy.connmark, 0),
	NUMBER(policy.connmark, 0xf8000000),
	NUMBER(policy.n_tls_ports, POLICY_LIST_MAX + 1),
	NUMBER(policy.n_tls_rule, POLICY_LIST_MAX + 1),
	NUMBER(policy.n_implicit, POLICY_LIST_MAX + 1),
	NUMBER(policy.tls_ports[0].server.bits, 255),
	NUMBER(policy.tls_ports[0].ports.low, 21),
	NUMBER(policy.tls_ports[0].ports.high, 0),
	NUMBER(policy.tls_rule[0].server.bits, 129),
	NUMBER(policy.tls_rule[0].mode, TLS_REFUSE + 1),
	NUMBER(policy.implicit[0].low, 0),
	NUMBER(policy.implicit[0].high, 1),
	NUMBER(watch.n_files, POLICY_LIST_MAX + 1),
	NUMBER(watch.n_interfaces, SIZE_MAX),
	NUMBER(watch.file[0].entry, 1),
	NUMBER(watch.file[0].addr.family, 1),
	NUMBER(watch.file[0].bad, 2),
	TEXT(watch.file[0].path),
	NUMBER(watch.interface[0].entry, SIZE_MAX),
	NUMBER(watch.interface[0].missing, 128),
	TEXT(watch.interface[0].name),
	TEXT(source[0].value),
	TEXT(source[0].from),
	TEXT(source[SETTINGS_KEYS_MAX - 1].from),
};

static void config_process_spoil(size_t i)
{
	char *member = (char *)&sent + bad[i].offset;
	uint32_t u32 = (uint32_t)bad[i].value;
	uint16_t u16 = (uint16_t)bad[i].value;
	uint8_t u8 = (uint8_t)bad[i].value;

	if (bad[i].size == sizeof(uint64_t))
		memcpy(member, &bad[i].value, sizeof(uint64_t));
	else if (bad[i].size == sizeof(u32))
		memcpy(member, &u32, sizeof(u32));
	else if (bad[i].size == sizeof(u16))
		memcpy(member, &u16, sizeof(u16));
	else if (bad[i].size == sizeof(u8))
		memcpy(member, &u8, sizeof(u8));
	else
		memset(member, 'x', bad[i].size);
}

START_TEST(each_member_is_checked)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		set_up();
		tear_down();
		sent = sound;
		config_process_spoil(i);
		check_refused(&sent, sizeof(sent), bad[i].name);
	}
}
END_TEST

START_TEST(garbage_is_refused)
{
	for (int byte = 1; byte < 256; byte++) {
		memset(&sent, byte, sizeof(sent));
		check_refused(&sent, sizeof(sent), "garbage");
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		sound_settings_are_taken,
		one_byte_leaves_them_as_they_are,
		settings_of_another_size_are_refused,
		each_member_is_checked,
		garbage_is_refused,
	};

	return unit_run("config_process", test, ARRAY_SIZE(test));
}
