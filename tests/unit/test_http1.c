/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_http1.c - the HTTP/1 parser: every message of the tables (test_http1_cases.h) at every split, right before a page that cannot be
 * read; limits, missing bytes, queries, the probe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "proto/http1.h"
#include "test_http1_cases.h"
#include "told.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct recorder {
	struct told told;
	uint64_t body_bytes;
	const char *methods; /* what is left of the case's list */
	size_t field_cnt;    /* of the last head */
	size_t head_bytes;
	bool is_open; /* begin seen, no end */
	bool has_head;
	bool has_error;
};

static void put_body(struct recorder *rec)
{
	if (rec->body_bytes)
		tell(&rec->told, "+%llu", (unsigned long long)rec->body_bytes);
	rec->body_bytes = 0;
}

static void put_fields(struct recorder *rec, const struct ht_http1_field *fields, size_t cnt)
{
	size_t i;

	for (i = 0; i < cnt; i++)
		tell(&rec->told, "%s%.*s=%.*s", i ? "," : "{", (int)fields[i].name.len, fields[i].name.ptr, (int)fields[i].value.len,
		     fields[i].value.ptr);
	if (cnt)
		tell(&rec->told, "}");
}

static void on_begin(void *ctx)
{
	struct recorder *rec = ctx;

	assert_false(rec->is_open || rec->has_error);
	rec->is_open = true;
	rec->has_head = false;
	tell(&rec->told, "<");
}

static void on_head(void *ctx, const struct ht_http1_head *head)
{
	static const char *const framings[] = { "none", "length", "chunked", "close", "tunnel" };
	struct recorder *rec = ctx;

	assert_true(rec->is_open && !rec->has_head && !rec->has_error);
	rec->has_head = true;
	rec->field_cnt = head->field_cnt;
	rec->head_bytes = head->head_bytes;
	if (head->side == HT_HTTP1_REQUEST)
		tell(&rec->told, "(%.*s %.*s 1.%d", (int)head->method.len, head->method.ptr, (int)head->target.len, head->target.ptr,
		     head->version_minor);
	else
		tell(&rec->told, "(1.%d %d %.*s", head->version_minor, head->status, (int)head->reason.len, head->reason.ptr);
	tell(&rec->told, " %s", framings[head->framing]);
	if (head->has_content_length)
		tell(&rec->told, "=%llu", (unsigned long long)head->content_length);
	else
		assert_int_equal(head->content_length, 0);
	tell(&rec->told, "%s%s%s%s)", head->is_close ? " close" : "", head->is_keep_alive ? " keep-alive" : "",
	     head->is_upgrade ? " upgrade" : "", head->is_expect_continue ? " expect" : "");
	put_fields(rec, head->fields, head->field_cnt);
}

static void on_body(void *ctx, uint64_t n)
{
	struct recorder *rec = ctx;

	assert_true(rec->is_open && rec->has_head && !rec->has_error);
	assert_true(n > 0);
	rec->body_bytes += n;
}

static void on_end(void *ctx, const struct ht_http1_field *trailers, size_t trailer_cnt)
{
	struct recorder *rec = ctx;

	assert_true(rec->is_open && rec->has_head && !rec->has_error);
	rec->is_open = false;
	put_body(rec);
	tell(&rec->told, ">");
	put_fields(rec, trailers, trailer_cnt);
}

static void on_error(void *ctx, enum ht_http1_error error)
{
	struct recorder *rec = ctx;

	assert_false(rec->has_error);
	rec->has_error = true;
	put_body(rec);
	tell(&rec->told, "!%s", ht_http1_error_name(error));
}

/* The next of the case's methods; "-" is an unknown one. */
static struct ht_span on_request_method(void *ctx)
{
	struct recorder *rec = ctx;
	struct ht_span method = { 0 };

	if (!rec->methods || !*rec->methods)
		return method;
	method.ptr = rec->methods;
	method.len = strcspn(rec->methods, " ");
	rec->methods += method.len;
	rec->methods += strspn(rec->methods, " ");
	if (method.len == 1 && *method.ptr == '-')
		method.len = 0;
	return method;
}

static const struct ht_http1_events events = {
	.begin = on_begin,
	.head = on_head,
	.body = on_body,
	.end = on_end,
	.error = on_error,
	.request_method = on_request_method,
};

static struct ht_http1 *new_parser(enum ht_http1_side side, size_t max_head_bytes, const char *methods, struct recorder *rec)
{
	struct ht_http1 *parser;

	*rec = (struct recorder){ .methods = methods };
	parser = ht_http1_new(side, max_head_bytes, &events, rec);
	assert_non_null(parser);
	return parser;
}

/* Feeds a copy that ends where reading faults, then wipes it: nothing may point into it any more. */
static size_t feed_guarded(struct ht_http1 *parser, const char *data, size_t len)
{
	char *copy = guarded(data, len);
	size_t n = ht_http1_feed(parser, copy, len);

	assert_true(n <= len);
	memset(copy, '#', len);
	return n;
}

/* Cuts input at first, and from there on into pieces of step bytes. */
static void run_cut(const struct stream_case *c, size_t len, size_t first, size_t step)
{
	struct recorder rec;
	struct ht_http1 *parser = new_parser(c->side, 0, c->methods, &rec);
	size_t off = 0;
	size_t piece = first;

	while (off < len) {
		size_t n;

		if (piece > len - off)
			piece = len - off;
		n = feed_guarded(parser, c->input + off, piece);
		off += n;
		if (n < piece)
			break;
		/* An error or tunnel at a piece's very end shows by nothing being said afterwards. */
		if (rec.has_error || len - off == c->left)
			break;
		piece = step;
	}
	if (c->is_eof)
		ht_http1_eof(parser);
	put_body(&rec);
	if (strcmp(rec.told.text, c->expected) != 0 || len - off != c->left)
		fail_msg("%s (cut at %zu, then every %zu):\n got      %s, %zu left\n expected %s, %zu left", c->why, first, step,
			 rec.told.text, len - off, c->expected, c->left);
	assert_int_equal(ht_http1_error_of(parser) != HT_HTTP1_OK, rec.has_error);
	/* Deaf after an error and in a tunnel. */
	if (rec.has_error) {
		assert_false(ht_http1_is_idle(parser));
		assert_int_equal(feed_guarded(parser, "GET / HTTP/1.1\r\n\r\n", 18), 18);
		assert_int_equal(ht_http1_skip(parser, 7), 7);
		ht_http1_eof(parser);
		assert_string_equal(rec.told.text, c->expected);
	}
	ht_http1_free(parser);
}

static void run_every_cut(const struct stream_case *c)
{
	static const size_t steps[] = { 1, 2, 3, 5, 7 };
	size_t len = c->len ? c->len : strlen(c->input);
	size_t i;

	for (i = 0; i <= len; i++)
		run_cut(c, len, i ? i : len, len);
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		run_cut(c, len, steps[i], steps[i]);
}

static void test_well_formed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(well_formed); i++)
		run_every_cut(&well_formed[i]);
}

static void test_malformed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(malformed); i++)
		run_every_cut(&malformed[i]);
}

static void test_skip(void **state)
{
	size_t i, s;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(skips); i++) {
		struct recorder rec;
		struct ht_http1 *parser = new_parser(skips[i].side, 0, NULL, &rec);

		for (s = 0; s < ARRAY_SIZE(skips[i].steps); s++) {
			const struct step *step = &skips[i].steps[s];

			if (step->feed) {
				feed_guarded(parser, step->feed, strlen(step->feed));
			} else if (step->skip_bytes) {
				uint64_t n = ht_http1_skip(parser, step->skip_bytes);

				tell(&rec.told, "[%llu]", (unsigned long long)n);
			} else if (step->is_eof) {
				ht_http1_eof(parser);
			} else if (step->is_reset) {
				ht_http1_reset(parser);
				assert_true(ht_http1_is_idle(parser));
				assert_int_equal(ht_http1_error_of(parser), HT_HTTP1_OK);
				put_body(&rec);
				if (rec.is_open && !rec.has_error)
					tell(&rec.told, "~");
				rec.is_open = rec.has_error = false;
			} else {
				assert_int_equal(ht_http1_skip(parser, 0), 0);
			}
		}
		put_body(&rec);
		if (strcmp(rec.told.text, skips[i].expected) != 0)
			fail_msg("%s:\n got      %s\n expected %s", skips[i].why, rec.told.text, skips[i].expected);
		ht_http1_free(parser);
	}
}

static void test_queries(void **state)
{
	struct recorder rec;
	struct ht_http1 *parser = new_parser(RES, 0, NULL, &rec);

	(void)state;
	assert_true(ht_http1_is_idle(parser));
	feed_guarded(parser, "H", 1);
	assert_false(ht_http1_is_idle(parser));
	feed_guarded(parser, "TTP/1.1 204 N\r\n\r\n", 17);
	assert_true(ht_http1_is_idle(parser));
	assert_int_equal(rec.head_bytes, 18);
	feed_guarded(parser, OK200 "A: b\r\n  c\r\n\r\n", 17 + 13);
	assert_int_equal(rec.head_bytes, 17 + 13);
	assert_true(ht_http1_is_until_close(parser));
	assert_false(ht_http1_is_idle(parser));
	ht_http1_eof(parser);
	assert_false(ht_http1_is_until_close(parser));
	assert_true(ht_http1_is_idle(parser));
	feed_guarded(parser, "HTTP/1.1 101 S\r\n\r\n", 18);
	assert_false(ht_http1_is_idle(parser));
	assert_int_equal(ht_http1_error_of(parser), HT_HTTP1_OK);
	ht_http1_free(parser);
	ht_http1_free(NULL);

	/* Empty lines belong to no head. */
	parser = new_parser(REQ, 0, NULL, &rec);
	feed_guarded(parser, "\r\n\r\n" GET, 4 + 18);
	assert_int_equal(rec.head_bytes, 18);
	feed_guarded(parser, "\r", 1);
	assert_true(ht_http1_is_idle(parser));
	ht_http1_free(parser);
}

/* Every pointer of the events may be NULL. */
static void test_no_callbacks(void **state)
{
	static const struct ht_http1_events none;
	static const char input[] = OK200 "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n!";
	struct ht_http1 *parser = ht_http1_new(RES, 0, &none, NULL);

	(void)state;
	assert_non_null(parser);
	assert_int_equal(ht_http1_feed(parser, input, sizeof(input) - 1), sizeof(input) - 1);
	assert_int_equal(ht_http1_error_of(parser), HT_HTTP1_NOT_HTTP);
	ht_http1_free(parser);
}

/* A head of exactly len bytes, the last field as long as it takes. */
static char *make_head(size_t len, const char *start)
{
	size_t start_len = strlen(start);
	char *head = malloc(len);

	assert_non_null(head);
	assert_true(len > start_len + 6);
	memset(head, 'v', len);
	memcpy(head, start, start_len);
	memcpy(head + start_len, "A:", 2);
	memcpy(head + len - 4, "\r\n\r\n", 4);
	return head;
}

static void test_head_limit(void **state)
{
	static const struct {
		const char *why;
		size_t max_bytes; /* as given to ht_http1_new() */
		size_t head_bytes;
		size_t taken_bytes;
		enum ht_http1_error error;
	} cases[] = {
		{ "the default limit", 0, HT_HTTP1_MAX_HEAD_BYTES, HT_HTTP1_MAX_HEAD_BYTES, HT_HTTP1_OK },
		{ "one above the default", 0, HT_HTTP1_MAX_HEAD_BYTES + 1, HT_HTTP1_MAX_HEAD_BYTES, HT_HTTP1_HEAD_TOO_LARGE },
		{ "a limit of our own", 100, 100, 100, HT_HTTP1_OK },
		{ "one above it", 100, 101, 100, HT_HTTP1_HEAD_TOO_LARGE },
		{ "far above it", 100, 3000, 100, HT_HTTP1_HEAD_TOO_LARGE },
		{ "within the start line", 10, 100, 10, HT_HTTP1_HEAD_TOO_LARGE },
		{ "within the method", 2, 100, 2, HT_HTTP1_HEAD_TOO_LARGE },
	};
	static const size_t pieces[] = { 1, 7, 99, 100, 101, 65535, 65536, 65537, 200000 };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *head = make_head(cases[i].head_bytes, "GET / HTTP/1.1\r\n");

		for (k = 0; k < ARRAY_SIZE(pieces); k++) {
			struct recorder rec;
			struct ht_http1 *parser = new_parser(REQ, cases[i].max_bytes, NULL, &rec);
			size_t off = 0;

			while (off < cases[i].head_bytes && !rec.has_error) {
				size_t left = cases[i].head_bytes - off;

				off += feed_guarded(parser, head + off, left < pieces[k] ? left : pieces[k]);
			}
			if (off != cases[i].taken_bytes || ht_http1_error_of(parser) != cases[i].error)
				fail_msg("%s, pieces of %zu: %zu bytes taken, %s", cases[i].why, pieces[k], off,
					 ht_http1_error_name(ht_http1_error_of(parser)));
			if (cases[i].error == HT_HTTP1_OK)
				assert_int_equal(rec.head_bytes, cases[i].head_bytes);
			ht_http1_free(parser);
		}
		free(head);
	}
}

/* Empty lines before a head are not counted; trailers have a limit of their own. */
static void test_section_limits(void **state)
{
	struct recorder rec;
	struct ht_http1 *parser = new_parser(REQ, 64, NULL, &rec);
	char *trailers = make_head(65, "");
	size_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		feed_guarded(parser, "\r\n", 2);
	feed_guarded(parser, CHUNKED "0\r\n", sizeof(CHUNKED "0\r\n") - 1);
	assert_false(rec.has_error);
	memmove(trailers + 1, trailers + 2, 63);
	trailers[1] = ':';
	assert_int_equal(feed_guarded(parser, trailers, 64), 64);
	assert_int_equal(ht_http1_error_of(parser), HT_HTTP1_OK);
	assert_true(ht_http1_is_idle(parser));
	feed_guarded(parser, CHUNKED "0\r\n", sizeof(CHUNKED "0\r\n") - 1);
	memset(trailers, 'A', 65);
	assert_int_equal(feed_guarded(parser, trailers, 65), 64);
	assert_int_equal(ht_http1_error_of(parser), HT_HTTP1_HEAD_TOO_LARGE);
	ht_http1_free(parser);
	free(trailers);
}

static void test_field_limit(void **state)
{
	static const struct {
		size_t field_cnt;
		enum ht_http1_error error;
	} cases[] = { { 31, HT_HTTP1_OK },
		      { 32, HT_HTTP1_OK },
		      { 33, HT_HTTP1_OK },
		      { HT_HTTP1_MAX_FIELDS, HT_HTTP1_OK },
		      { HT_HTTP1_MAX_FIELDS + 1, HT_HTTP1_TOO_MANY_FIELDS } };
	static const char start[] = "GET / HTTP/1.1\r\n";
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct recorder rec;
		struct ht_http1 *parser = new_parser(REQ, 0, NULL, &rec);

		feed_guarded(parser, start, sizeof(start) - 1);
		for (k = 0; k < cases[i].field_cnt; k++)
			feed_guarded(parser, "A: b\r\n", 6);
		feed_guarded(parser, "\r\n", 2);
		assert_int_equal(ht_http1_error_of(parser), cases[i].error);
		if (cases[i].error == HT_HTTP1_OK)
			assert_int_equal(rec.field_cnt, cases[i].field_cnt);
		ht_http1_free(parser);
	}
}

/* A chunk's line is not kept, yet bounded: 4096 bytes without its line end. */
static void test_chunk_line_limit(void **state)
{
	static const struct {
		const char *why;
		const char *start;
		char fill;
		size_t line_bytes;
		enum ht_http1_error error;
	} cases[] = {
		{ "longest extension", "1;", 'x', 4095, HT_HTTP1_OK }, { "an extension too long", "1;", 'x', 4097, HT_HTTP1_BAD_CHUNK },
		{ "most leading zeros", "0", '0', 4095, HT_HTTP1_OK }, { "too many zeros", "0", '0', 4097, HT_HTTP1_BAD_CHUNK },
		{ "most blanks", "1", ' ', 4095, HT_HTTP1_OK },        { "too many blanks", "1", ' ', 4097, HT_HTTP1_BAD_CHUNK },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (k = 0; k < 2; k++) {
			struct recorder rec;
			struct ht_http1 *parser = new_parser(REQ, 0, NULL, &rec);
			size_t piece = k ? 1 : 8192, off = 0;
			char line[8192];

			memset(line, cases[i].fill, sizeof(line));
			memcpy(line, cases[i].start, strlen(cases[i].start));
			line[cases[i].line_bytes] = '\n';
			feed_guarded(parser, CHUNKED, sizeof(CHUNKED) - 1);
			while (off < cases[i].line_bytes + 1 && !rec.has_error) {
				size_t left = cases[i].line_bytes + 1 - off;

				off += feed_guarded(parser, line + off, left < piece ? left : piece);
			}
			if (ht_http1_error_of(parser) != cases[i].error)
				fail_msg("%s: %s", cases[i].why, ht_http1_error_name(ht_http1_error_of(parser)));
			ht_http1_free(parser);
		}
	}
}

static void test_probe(void **state)
{
	static const struct {
		const char *why;
		enum ht_http1_side side;
		const char *input;
		int expected;
	} cases[] = {
		{ "nothing yet", REQ, "", -1 },
		{ "part of a method", REQ, "GE", -1 },
		{ "method and space", REQ, "GET ", -1 },
		{ "part of a target", REQ, "GET /index", -1 },
		{ "part of the version", REQ, "GET / HTTP/1", -1 },
		{ "enough", REQ, "GET / HTTP/1.", 1 },
		{ "whole head", REQ, "GET / HTTP/1.1\r\n\r\n", 1 },
		{ "any method", REQ, "PROPFIND /a HTTP/1.1\r\n", 1 },
		{ "empty lines first", REQ, "\r\n\nGET / HTTP/1.1\r\n", 1 },
		{ "an empty line", REQ, "\r\n", -1 },
		{ "half of an empty line", REQ, "\r", -1 },
		{ "CR without LF", REQ, "\rGET / HTTP/1.1", 0 },
		{ "longest method so far", REQ, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", -1 },
		{ "method too long", REQ, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", 0 },
		{ "longest method", REQ, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345 / HTTP/1.1", 1 },
		{ "TLS", REQ, "\x16\x03\x01", 0 },
		{ "HTTP/2 preface", REQ, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0 },
		{ "part of the HTTP/2 preface", REQ, "PRI * HTTP/", -1 },
		{ "HTTP/0.9", REQ, "GET /\r\n", 0 },
		{ "SMTP", REQ, "EHLO a\r\n", 0 },
		{ "two spaces", REQ, "GET  / HTTP/1.1", 0 },
		{ "a response", REQ, "HTTP/1.1 200 OK", 0 },
		{ "nothing yet", RES, "", -1 },
		{ "part of a version", RES, "HTTP/", -1 },
		{ "enough", RES, "HTTP/1.", 1 },
		{ "whole line", RES, "HTTP/1.1 200 OK\r\n", 1 },
		{ "HTTP/2", RES, "HTTP/2 200", 0 },
		{ "an empty line", RES, "\r\n", 0 },
		{ "a request", RES, "GET / HTTP/1.1", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = strlen(cases[i].input);
		int got = ht_http1_probe(cases[i].side, guarded(cases[i].input, len), len);

		if (got != cases[i].expected)
			fail_msg("%s: got %d, expected %d", cases[i].why, got, cases[i].expected);
	}
}

/* What the probe says never changes by more bytes, and a parser gives up wherever the probe does. */
static void test_probe_agrees_with_parser(void **state)
{
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		size_t len = malformed[i].len ? malformed[i].len : strlen(malformed[i].input);
		int last = -1;

		for (n = 0; n <= len; n++) {
			int now = ht_http1_probe(malformed[i].side, malformed[i].input, n);

			if (last != -1 && now != last)
				fail_msg("%s: %d at %zu bytes, then %d", malformed[i].why, last, n - 1, now);
			last = now;
		}
		if (last == 0 && malformed[i].expected[1] != '!')
			fail_msg("%s: no HTTP by the probe, taken by the parser", malformed[i].why);
	}
}

static void test_error_names(void **state)
{
	int i, k;

	(void)state;
	assert_string_equal(ht_http1_error_name(HT_HTTP1_OK), "ok");
	assert_string_equal(ht_http1_error_name(HT_HTTP1_UNEXPECTED_EOF), "unexpected_eof");
	assert_string_equal(ht_http1_error_name((enum ht_http1_error)1000), "unknown");
	for (i = 0; i <= HT_HTTP1_UNEXPECTED_EOF; i++) {
		for (k = 0; k < i; k++)
			assert_string_not_equal(ht_http1_error_name((enum ht_http1_error)i), ht_http1_error_name((enum ht_http1_error)k));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_no_callbacks),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_section_limits),
		cmocka_unit_test(test_field_limit),
		cmocka_unit_test(test_chunk_line_limit),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_probe_agrees_with_parser),
		cmocka_unit_test(test_error_names),
	};

	return cmocka_run_group_tests(tests, guard_set_up, guard_tear_down);
}
