/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_endpoint.c - addresses, endpoints and tuples */
#include "guard.h"
#include "packet.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t ip4[] = {192, 0, 2, 1};

START_TEST(bytes_beyond_an_ip4_address_are_not_looked_at)
{
	struct addr a = addr_ip4(ip4), b = a;

	b.byte[4] = 1;
	b.byte[15] = 1;
	ck_assert(addr_eq(&a, &b));
}
END_TEST

START_TEST(every_byte_that_counts_is_compared)
{
	for (size_t len = ADDR_IP4_LEN; len <= ADDR_IP6_LEN; len += ADDR_IP6_LEN - ADDR_IP4_LEN) {
		for (size_t i = 0; i < len; i++) {
			struct addr a = {.family = len == ADDR_IP4_LEN ? ADDR_IP4 : ADDR_IP6},
				    b = a;

			b.byte[i] = 1;
			ck_assert(addr_eq(&a, &a));
			ck_assert(!addr_eq(&a, &b));
		}
	}
}
END_TEST

START_TEST(families_differ)
{
	struct addr a = {.family = ADDR_IP4}, b = {.family = ADDR_IP6},
		    none = {.family = ADDR_NONE};

	ck_assert(!addr_eq(&a, &b));
	ck_assert(!addr_eq(&a, &none));
	ck_assert(addr_eq(&none, &none));
}
END_TEST

START_TEST(an_endpoint_is_address_and_port)
{
	struct endpoint a = packet_endpoint("192.0.2.1:21"), b = a;

	ck_assert(endpoint_eq(&a, &b));
	b.port = 22;
	ck_assert(!endpoint_eq(&a, &b));
	b = a;
	b.addr.byte[0]++;
	ck_assert(!endpoint_eq(&a, &b));
}
END_TEST

START_TEST(a_tuple_is_both_ends_and_the_zone)
{
	struct tuple a = {packet_endpoint("192.0.2.1:1"), packet_endpoint("192.0.2.2:2"), 3}, b = a;

	ck_assert(tuple_eq(&a, &b));
	b.zone++;
	ck_assert(!tuple_eq(&a, &b));
	b = (struct tuple){a.dst, a.src, 3};
	ck_assert(!tuple_eq(&a, &b));
	b = a;
	b.src.port++;
	ck_assert(!tuple_eq(&a, &b));
	b = a;
	b.dst.port++;
	ck_assert(!tuple_eq(&a, &b));
}
END_TEST

START_TEST(length_follows_from_the_family)
{
	struct addr a = {.family = ADDR_IP4}, b = {.family = ADDR_IP6},
		    none = {.family = ADDR_NONE};

	ck_assert_uint_eq(addr_len(&a), 4);
	ck_assert_uint_eq(addr_len(&b), 16);
	ck_assert_uint_eq(addr_len(&none), 0);
}
END_TEST

START_TEST(ip4_bytes_make_an_address)
{
	struct addr a = addr_ip4(ip4);

	ck_assert_int_eq(a.family, ADDR_IP4);
	ck_assert_mem_eq(a.byte, ip4, sizeof(ip4));
}
END_TEST

START_TEST(text_is_dotted_and_has_the_port)
{
	static const char *const text[] = {
		"192.0.2.1:21", "0.0.0.0:0", "255.255.255.255:65535", "10.0.100.9:1024"};
	char buf[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		struct endpoint e = packet_endpoint(text[i]);

		ck_assert_ptr_eq(endpoint_text(&e, buf), buf);
		ck_assert_str_eq(buf, text[i]);
	}
}
END_TEST

START_TEST(text_of_any_address_fits)
{
	struct {
		char text[ENDPOINT_TEXT_MAX];
		uint8_t behind;
	} buf = {.behind = 0x5a};
	struct endpoint e = {.port = 65535};

	memset(e.addr.byte, 0xff, sizeof(e.addr.byte));
	for (int family = 0; family < 8; family++) {
		e.addr.family = (uint8_t)family;
		memset(buf.text, 'x', sizeof(buf.text));
		endpoint_text(&e, buf.text);
		ck_assert_ptr_nonnull(memchr(buf.text, '\0', sizeof(buf.text)));
		ck_assert_uint_eq(buf.behind, 0x5a);
	}
}
END_TEST

/* --- text of addresses --- */

static size_t text_of(const struct addr *a, char *buf)
{
	size_t n;

	memset(buf, 'x', ADDR_TEXT_MAX + 1);
	n = addr_text(a, (uint8_t *)buf);
	ck_assert_uint_le(n, ADDR_TEXT_MAX);
	ck_assert_int_eq(buf[ADDR_TEXT_MAX], 'x');
	buf[n] = '\0';
	return n;
}

/* RFC 5952 section 4: no leading zeros, "::" for the longest run of at least two groups, the first
 * of equals, lower case. */
START_TEST(text_of_an_ip6_address_is_canonical)
{
	static const struct {
		const char *addr, *text;
	} sample[] = {
		{"0:0:0:0:0:0:0:0", "::"},
		{"0:0:0:0:0:0:0:1", "::1"},
		{"1:0:0:0:0:0:0:0", "1::"},
		{"2001:0DB8::0001", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"0:0:1:0:0:1:0:0", "::1:0:0:1:0:0"},
		{"1:0:0:2:0:0:0:0", "1:0:0:2::"},
		{"0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
		{"1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"},
		{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
		{"FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
		struct addr a = packet_addr(sample[i].addr);
		char buf[ADDR_TEXT_MAX + 1];

		text_of(&a, buf);
		ck_assert_str_eq(buf, sample[i].text);
	}
}
END_TEST

START_TEST(text_of_an_ip6_endpoint_has_brackets)
{
	struct endpoint e = packet_endpoint("[2001:db8::1]:21");
	char buf[ENDPOINT_TEXT_MAX];

	ck_assert_str_eq(endpoint_text(&e, buf), "[2001:db8::1]:21");
	memset(e.addr.byte, 0xff, sizeof(e.addr.byte));
	e.port = 65535;
	ck_assert_str_eq(endpoint_text(&e, buf), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(numbers_are_written_in_decimal)
{
	for (unsigned value = 0; value <= UINT16_MAX; value++) {
		char buf[DECIMAL_TEXT_MAX + 1], want[16];
		size_t n = decimal_text((uint16_t)value, (uint8_t *)buf);

		buf[n] = '\0';
		snprintf(want, sizeof(want), "%u", value);
		ck_assert_str_eq(buf, want);
	}
}
END_TEST

/* --- reading, against the C library --- */

static uint32_t random_state = 1;

static unsigned below(unsigned n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

/* At the end of memory. The C library must agree, and a refusal leave the output alone. */
static int parse(const char *text, struct addr *ret_addr)
{
	size_t n = strlen(text);
	uint8_t *p = guard_copy(text, n), byte[ADDR_IP6_LEN];
	bool is_ip4 = inet_pton(AF_INET, text, byte) == 1;
	bool is_ip6 = !is_ip4 && inet_pton(AF_INET6, text, byte) == 1;
	int rc;

	unit_mark(ret_addr, sizeof(*ret_addr));
	rc = addr_parse(p, n, ret_addr);
	guard_free(p, n);
	ck_assert_msg((rc == 0) == (is_ip4 || is_ip6), "%s: %d", text, rc);
	if (rc < 0) {
		ck_assert(unit_is_marked(ret_addr, sizeof(*ret_addr)));
		return rc;
	}
	ck_assert_msg(ret_addr->family == (is_ip4 ? ADDR_IP4 : ADDR_IP6), "%s", text);
	ck_assert_msg(memcmp(ret_addr->byte, byte, is_ip4 ? ADDR_IP4_LEN : ADDR_IP6_LEN) == 0, "%s",
		text);
	return rc;
}

START_TEST(what_is_an_address_is_read)
{
	static const char *const sample[] = {
		"0.0.0.0",
		"255.255.255.255",
		"10.0.0.2",
		"::",
		"::1",
		"1::",
		"1::8",
		"1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8",
		"1:2:3::5:6:7:8",
		"ABCD:ef01::",
		"0001:0002:0003:0004:0005:0006:0007:0008",
		"::1.2.3.4",
		"::ffff:1.2.3.4",
		"1:2:3:4:5:6:1.2.3.4",
		"1::6:1.2.3.4",
	};
	struct addr a;

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(parse(sample[i], &a) == 0, "%s", sample[i]);
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const char *const sample[] = {
		"",
		"1",
		"1.2.3",
		"1.2.3.",
		"1.2.3.4.",
		".1.2.3.4",
		"1.2.3.4.5",
		"1.2.3.256",
		"1.2.3.1000",
		"1.2.3.04",
		"1..3.4",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.+4",
		":",
		":::",
		":1",
		"1:",
		"1:::2",
		"1::2::3",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::",
		"::1:2:3:4:5:6:7:8",
		"1:2:3:4::5:6:7:8",
		"12345::",
		"00001::",
		"g::",
		"::1%eth0",
		"[::1]",
		"::1.2.3",
		"::1.2.3.4.5",
		"::1.2.3.4:5",
		"1:2:3:4:5:6:7:1.2.3.4",
		"1.2.3.4::",
		"::1 ",
	};
	struct addr a;

	for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
		ck_assert_msg(parse(sample[i], &a) == -1, "%s", sample[i]);
}
END_TEST

START_TEST(random_text_is_read_as_the_c_library_does)
{
	static const char letter[] = "0123456789abcdefABF::::....g ";
	struct addr a;
	unsigned good = 0;

	for (int i = 0; i < 20000; i++) {
		char text[64];
		size_t n = below(24);

		for (size_t j = 0; j < n; j++)
			text[j] = letter[below(sizeof(letter) - 1)];
		text[n] = '\0';
		good += parse(text, &a) == 0;
	}
	ck_assert_uint_gt(good, 100);
}
END_TEST

/* An address with many zeros, as text of the C library or of ours. */
static void random_address(char *text)
{
	uint8_t byte[ADDR_IP6_LEN];

	for (size_t i = 0; i < sizeof(byte); i++)
		byte[i] = below(3) ? 0 : (uint8_t)below(256);
	if (below(4) == 0)
		snprintf(text, 64, "%u.%u.%u.%u", byte[0], byte[1], byte[2], byte[3]);
	else
		inet_ntop(AF_INET6, byte, text, 64);
}

START_TEST(damaged_addresses_are_read_as_the_c_library_does)
{
	static const char letter[] = "0123456789abcdef:.";
	struct addr a;

	for (int i = 0; i < 20000; i++) {
		char text[64];
		size_t n, at;

		random_address(text);
		ck_assert_int_eq(parse(text, &a), 0);
		n = strlen(text);
		at = below((unsigned)n);
		if (below(2))
			memmove(text + at, text + at + 1, n - at);
		else
			text[at] = letter[below(sizeof(letter) - 1)];
		parse(text, &a);
	}
}
END_TEST

START_TEST(text_of_any_address_is_that_of_the_c_library)
{
	for (int i = 0; i < 20000; i++) {
		char want[64], got[ADDR_TEXT_MAX + 1];
		struct addr a, again;

		random_address(want);
		a = packet_addr(want);
		ck_assert_uint_gt(text_of(&a, got), 0);
#ifdef __GLIBC__ /* musl may shorten the second of two runs of zeros, against RFC 5952 */
		if (a.family == ADDR_IP4 || !strchr(want, '.')) /* ours knows no IPv4 inside IPv6 */
			ck_assert_str_eq(got, want);
#endif
		ck_assert_int_eq(parse(got, &again), 0);
		ck_assert(addr_eq(&a, &again));
	}
}
END_TEST

int main(void)
{
	const TTest *const test[] = {
		bytes_beyond_an_ip4_address_are_not_looked_at,
		every_byte_that_counts_is_compared,
		families_differ,
		an_endpoint_is_address_and_port,
		a_tuple_is_both_ends_and_the_zone,
		length_follows_from_the_family,
		ip4_bytes_make_an_address,
		text_is_dotted_and_has_the_port,
		text_of_any_address_fits,
		text_of_an_ip6_address_is_canonical,
		text_of_an_ip6_endpoint_has_brackets,
		numbers_are_written_in_decimal,
		what_is_an_address_is_read,
		what_is_no_address_is_refused,
		random_text_is_read_as_the_c_library_does,
		damaged_addresses_are_read_as_the_c_library_does,
		text_of_any_address_is_that_of_the_c_library,
	};

	return unit_run("endpoint", test, ARRAY_SIZE(test));
}
