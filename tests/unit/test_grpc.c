/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_grpc.c - messages counted through their prefixes at every split, with bytes that were not captured; names, paths, percent-encoding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/grpc.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SPAN(text)    ((struct ht_span){ text, sizeof(text) - 1 })

static struct ht_span span(const char *text)
{
	return (struct ht_span){ text, strlen(text) };
}

static void test_messages(void **state)
{
	static const struct {
		const char *why;
		const char *bytes;
		size_t len;
		int64_t expected;
	} cases[] = {
		{ "nothing", "", 0, 0 },
		{ "one empty message", "\0\0\0\0\0", 5, 1 },
		{ "one", "\0\0\0\0\3abc", 8, 1 },
		{ "a compressed one", "\1\0\0\0\3abc", 8, 1 },
		{ "three", "\0\0\0\0\1a\0\0\0\0\0\0\0\0\0\2bc", 18, 3 },
		{ "one that is not whole", "\0\0\0\0\3ab", 7, 0 },
		{ "a prefix that is not whole", "\0\0\0\0\1a\0\0\0", 9, 1 },
		{ "content that looks like a prefix", "\0\0\0\0\5\0\0\0\0\0", 10, 1 },
		{ "no gRPC: flags that there are not", "\2\0\0\0\1a", 6, -1 },
	};
	size_t i, first, step;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (first = 0; first <= cases[i].len; first++) {
			for (step = 1; step < 4; step++) {
				struct ht_grpc_messages messages = { 0 };
				size_t off = 0, piece = first;

				while (off < cases[i].len) {
					/* A block of its own: reading past it is found by the sanitizers. */
					char *copy;

					if (piece > cases[i].len - off)
						piece = cases[i].len - off;
					copy = malloc(piece + 1);
					assert_non_null(copy);
					memcpy(copy, cases[i].bytes + off, piece);
					ht_grpc_messages_feed(&messages, copy, piece, piece);
					free(copy);
					off += piece;
					piece = step;
				}
				if (ht_grpc_messages_count(&messages) != cases[i].expected)
					fail_msg("%s, cut at %zu, then every %zu: %lld", cases[i].why, first, step,
						 (long long)ht_grpc_messages_count(&messages));
			}
		}
	}
}

/* bytes: the captured ones; then the rest of n. */
static void test_messages_not_captured(void **state)
{
	static const struct {
		const char *why;
		struct {
			const char *bytes;
			size_t captured_len;
			uint64_t n;
		} pieces[4];
		int64_t expected;
	} cases[] = {
		{ "the end of a message", { { "\0\0\0\0\12abc", 8, 15 }, { "\0\0\0\0\0", 5, 5 } }, 2 },
		{ "a message in many pieces",
		  { { "\0\0\1\0\0", 5, 5 }, { NULL, 0, 30000 }, { NULL, 0, 35536 }, { "\0\0\0\0\0", 5, 5 } },
		  2 },
		{ "a message of 4 GB", { { "\0\377\377\377\377", 5, 5 }, { NULL, 0, (1ULL << 32) - 1 } }, 1 },
		{ "one byte less", { { "\0\377\377\377\377", 5, 5 }, { NULL, 0, (1ULL << 32) - 2 } }, 0 },
		{ "a prefix behind a message", { { "\0\0\0\0\1a", 6, 11 } }, -1 },
		{ "a part of a prefix", { { "\0\0\0", 3, 5 } }, -1 },
		{ "a prefix, once and for all", { { NULL, 0, 5 }, { "\0\0\0\0\0", 5, 5 } }, -1 },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ht_grpc_messages messages = { 0 };

		for (k = 0; k < ARRAY_SIZE(cases[i].pieces); k++)
			ht_grpc_messages_feed(&messages, cases[i].pieces[k].bytes, cases[i].pieces[k].captured_len, cases[i].pieces[k].n);
		if (ht_grpc_messages_count(&messages) != cases[i].expected)
			fail_msg("%s: %lld", cases[i].why, (long long)ht_grpc_messages_count(&messages));
		ht_grpc_messages_lose(&messages);
		assert_int_equal(ht_grpc_messages_count(&messages), -1);
	}
}

static void test_content_type(void **state)
{
	static const struct {
		const char *value;
		bool is_grpc;
	} cases[] = {
		{ "application/grpc", true },
		{ "application/grpc+proto", true },
		{ "application/grpc;charset=utf-8", true },
		{ "application/grpc ;a=b", true },
		{ "Application/gRPC", true },
		{ "application/grpc-web", false },
		{ "application/grpc-web+proto", false },
		{ "application/grp", false },
		{ "application/json", false },
		{ "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (ht_grpc_is_content_type(span(cases[i].value)) != cases[i].is_grpc)
			fail_msg("%s", cases[i].value);
	}
	assert_false(ht_grpc_is_content_type(SPAN("application/grpc\0")));
	assert_false(ht_grpc_is_content_type((struct ht_span){ NULL, 0 }));
}

static void test_path(void **state)
{
	static const struct {
		const char *path;
		const char *service; /* NULL: none */
		const char *method;
	} cases[] = {
		{ "/helloworld.Greeter/SayHello", "helloworld.Greeter", "SayHello" },
		{ "/Greeter/Say", "Greeter", "Say" },
		{ "/mounted/a.B/C", "mounted/a.B", "C" },
		{ "/a.B/", NULL, NULL },
		{ "//C", NULL, NULL },
		{ "/C", NULL, NULL },
		{ "a.B/C", NULL, NULL },
		{ "/a.B/C?x=/y", NULL, NULL },
		{ "/", NULL, NULL },
		{ "", NULL, NULL },
		{ "*", NULL, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ht_span service, method;
		bool is_call = ht_grpc_split_path(span(cases[i].path), &service, &method);

		if (is_call != (cases[i].service != NULL))
			fail_msg("%s", cases[i].path);
		if (!is_call)
			continue;
		assert_int_equal(service.len, strlen(cases[i].service));
		assert_memory_equal(service.ptr, cases[i].service, service.len);
		assert_int_equal(method.len, strlen(cases[i].method));
		assert_memory_equal(method.ptr, cases[i].method, method.len);
	}
}

static void test_status(void **state)
{
	static const struct {
		const char *value;
		int code;
		const char *name;
	} cases[] = {
		{ "0", 0, "OK" },
		{ "1", 1, "CANCELLED" },
		{ "5", 5, "NOT_FOUND" },
		{ "14", 14, "UNAVAILABLE" },
		{ "16", 16, "UNAUTHENTICATED" },
		{ "17", 17, NULL },
		{ "007", 7, "PERMISSION_DENIED" },
		{ "999999999", 999999999, NULL },
		{ "1000000000", -1, NULL },
		{ "", -1, NULL },
		{ "-1", -1, NULL },
		{ "1x", -1, NULL },
		{ " 1", -1, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int code = ht_grpc_parse_status(span(cases[i].value));
		const char *name = ht_grpc_status_name(code);

		if (code != cases[i].code || !name != !cases[i].name || (name && strcmp(name, cases[i].name) != 0))
			fail_msg("\"%s\": %d %s", cases[i].value, code, name ? name : "NULL");
	}
}

static void test_message(void **state)
{
	static const struct {
		const char *value;
		const char *expected;
	} cases[] = {
		{ "plain text", "plain text" },
		{ "100%25", "100%" },
		{ "%C3%a9t%C3%A9", "\xc3\xa9t\xc3\xa9" },
		{ "%0a", "\n" },
		{ "%", "%" },
		{ "%4", "%4" },
		{ "%4g%41", "%4gA" },
		{ "%%41", "%A" },
		{ "%2541", "%41" },
		{ "", "" },
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = ht_grpc_decode_message(span(cases[i].value), out, sizeof(out));

		if (len != strlen(cases[i].expected) || memcmp(out, cases[i].expected, len) != 0)
			fail_msg("%s: %.*s", cases[i].value, (int)len, out);
	}
	memset(out, '#', sizeof(out));
	assert_int_equal(ht_grpc_decode_message(SPAN("a%41b"), out, 2), 3);
	assert_memory_equal(out, "aA#", 3);
	assert_int_equal(ht_grpc_decode_message(SPAN("a%41b"), NULL, 0), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),     cmocka_unit_test(test_messages_not_captured),
		cmocka_unit_test(test_content_type), cmocka_unit_test(test_path),
		cmocka_unit_test(test_status),       cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
