/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_endpoint.c - addresses, endpoints and tuples */
#include "packet.h"
#include "unit.h"

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
			struct addr a = {.family = len == ADDR_IP4_LEN ? ADDR_IP4 : ADDR_IP6}, b = a;

			b.byte[i] = 1;
			ck_assert(addr_eq(&a, &a));
			ck_assert(!addr_eq(&a, &b));
		}
	}
}
END_TEST

START_TEST(families_differ)
{
	struct addr a = {.family = ADDR_IP4}, b = {.family = ADDR_IP6}, none = {.family = ADDR_NONE};

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
	struct addr a = {.family = ADDR_IP4}, b = {.family = ADDR_IP6}, none = {.family = ADDR_NONE};

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
	};

	return unit_run("endpoint", test, ARRAY_SIZE(test));
}
