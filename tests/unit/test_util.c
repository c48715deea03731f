/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_util.c - the tables under the engine: map, timers, names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/names.h"
#include "util/timer.h"

#define KEYS 4096

/* Against an array: a long mix of puts and takes over colliding and far keys; a map with a hole in a probe run loses a follower. */
static void map_agrees_with_an_array(void **state)
{
	static int values[KEYS];
	static void *expected[KEYS];
	struct ht_map map = { 0 };
	uint32_t random = 1;
	size_t cnt = 0;

	(void)state;
	for (int step = 0; step < 200000; step++) {
		uint32_t k;
		uint64_t key;

		random = random * 1664525u + 1013904223u;
		k = (random >> 8) % KEYS;
		key = k & 1 ? k : (uint64_t)k << 40;
		assert_ptr_equal(ht_map_get(&map, key), expected[k]);
		if (random >> 31) {
			cnt += !expected[k];
			expected[k] = &values[k];
			assert_int_equal(ht_map_put(&map, key, expected[k]), 0);
		} else {
			cnt -= !!expected[k];
			assert_ptr_equal(ht_map_take(&map, key), expected[k]);
			expected[k] = NULL;
		}
		assert_int_equal(map.cnt, cnt);
	}
	ht_map_free(&map);
	assert_null(ht_map_get(&map, 1));
	assert_null(ht_map_take(&map, 1));
}

static char fired[64];

static void note(void *object, uint64_t at_ns)
{
	(void)at_ns;
	strcat(fired, object);
}

static void timers_fire_in_order(void **state)
{
	struct ht_timers timers = { 0 };
	struct ht_timer a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	(void)state;
	fired[0] = '\0';
	assert_int_equal(ht_timers_next_ns(&timers), 0);
	ht_timer_set(&timers, &a, 30, note, "a");
	ht_timer_set(&timers, &b, 10, note, "b");
	ht_timer_set(&timers, &c, 20, note, "c");
	ht_timer_set(&timers, &d, 10, note, "d"); /* as early as b, set later */
	assert_int_equal(ht_timers_next_ns(&timers), 10);
	ht_timers_run(&timers, 9);
	assert_string_equal(fired, "");
	ht_timers_run(&timers, 10);
	assert_string_equal(fired, "bd");
	ht_timer_set(&timers, &a, 15, note, "a"); /* moved forward, before c */
	ht_timers_run(&timers, 20);
	assert_string_equal(fired, "bdac");
	ht_timer_set(&timers, &a, 40, note, "a");
	ht_timer_cancel(&timers, &a);
	ht_timer_cancel(&timers, &a);
	assert_false(ht_timer_is_set(&a));
	ht_timers_run(&timers, 100);
	assert_string_equal(fired, "bdac");
	ht_timers_free(&timers);
}

static void timers_sort_many(void **state)
{
	enum { CNT = 1000 };
	static struct ht_timer many[CNT];
	struct ht_timers timers = { 0 };
	uint64_t last = 0;
	uint32_t random = 7;

	(void)state;
	for (int i = 0; i < CNT; i++) {
		random = random * 1664525u + 1013904223u;
		ht_timer_set(&timers, &many[i], 1 + (random >> 12), note, "");
	}
	for (int i = 0; i < CNT; i += 3)
		ht_timer_cancel(&timers, &many[i]);
	while (timers.cnt) {
		uint64_t next = ht_timers_next_ns(&timers);

		assert_true(next >= last);
		last = next;
		ht_timers_run(&timers, next);
	}
	ht_timers_free(&timers);
}

static void addresses_as_text(void **state)
{
	static const struct {
		const char *why;
		struct ht_addr addr;
		const char *host, *host_port;
	} rows[] = {
		{ "IPv4", { .family = HT_AF_INET, .port = 80, .addr = { 127, 0, 0, 1 } }, "127.0.0.1", "127.0.0.1:80" },
		{ "IPv6 stands in brackets before a port",
		  { .family = HT_AF_INET6, .port = 443, .addr = { [15] = 1 } },
		  "::1",
		  "[::1]:443" },
		{ "a zone",
		  { .family = HT_AF_INET6, .port = 1, .scope_id = 3, .addr = { 0xfe, 0x80, [15] = 9 } },
		  "fe80::9%3",
		  "[fe80::9%3]:1" },
		{ "each byte at its widest",
		  { .family = HT_AF_INET, .port = 65535, .addr = { 255, 10, 9, 100 } },
		  "255.10.9.100",
		  "255.10.9.100:65535" },
		{ "the longest there is",
		  { .family = HT_AF_INET6,
		    .port = 65535,
		    .scope_id = 4294967295,
		    .addr = { 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd } },
		  "abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd%4294967295",
		  "[abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd%4294967295]:65535" },
		{ "not known", { .family = 0, .port = 9 }, "", "" },
	};
	char text[HT_ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(ht_addr_text(&rows[i].addr, text, sizeof(text)), rows[i].host);
		assert_string_equal(ht_addr_port_text(&rows[i].addr, text, sizeof(text)), rows[i].host_port);
	}
	assert_string_equal(ht_addr_port_text(&rows[0].addr, text, 8), "127.0.0");
}

static void decimals(void **state)
{
	static const uint64_t values[] = { 0, 9, 10, 99, 100, 65535, 1ull << 32, UINT64_MAX };
	char text[HT_DECIMAL_MAX + 1], expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		*ht_decimal(text, values[i]) = 0;
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)values[i]);
		assert_string_equal(text, expected);
	}
}

static void literal_addresses(void **state)
{
	static const struct {
		const char *why, *host;
		bool expected;
	} rows[] = {
		{ "IPv4", "192.0.2.1", true },
		{ "getaddrinfo takes short forms for addresses too", "127.1", true },
		{ "IPv6", "::1", true },
		{ "in brackets", "[2001:db8::1]", true },
		{ "with a zone", "fe80::1%eth0", true },
		{ "a name", "www.test", false },
		{ "a name of hexadecimal digits", "cafe", false },
		{ "nothing", "", false },
		{ "a name that begins like an address", "1.2.3.4.test", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ht_is_literal_addr(rows[i].host) != rows[i].expected)
			fail_msg("%s: %s", rows[i].why, rows[i].host);
}

static void error_names(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(ht_errno_name(111, buf, sizeof(buf)), "ECONNREFUSED");
	assert_string_equal(ht_errno_name(4095, buf, sizeof(buf)), "ERRNO_4095");
	assert_string_equal(ht_eai_name(-2, buf, sizeof(buf)), "EAI_NONAME");
	assert_string_equal(ht_eai_name(-3, buf, sizeof(buf)), "EAI_AGAIN");
	assert_string_equal(ht_eai_name(-77, buf, sizeof(buf)), "EAI_-77");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_agrees_with_an_array),
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(timers_sort_many),
		cmocka_unit_test(addresses_as_text),
		cmocka_unit_test(decimals),
		cmocka_unit_test(literal_addresses),
		cmocka_unit_test(error_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
