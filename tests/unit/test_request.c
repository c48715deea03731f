/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_request.c - the request object: order of hooks, memory, getters, names, timings.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "req/request.h"

#define UNKNOWN    HTTPTRACE_UNKNOWN_NS
#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static struct httptrace_request *new_request(void)
{
	struct httptrace_request *request = ht_request_new(HTTPTRACE_REQUEST, 7);

	assert_non_null(request);
	return request;
}

/* ---- hooks -------------------------------------------------------------------------------------------------------------------------- */

struct added {
	enum httptrace_hook_id id;
	int64_t mono_ns;
};

static const struct {
	const char *why;
	struct added added[6];
	size_t cnt;
	const char *expected;
} orders[] = {
	{ "in time",
	  { { HTTPTRACE_GET_CONN, 1 }, { HTTPTRACE_DNS_START, 2 }, { HTTPTRACE_DNS_DONE, 3 } },
	  3,
	  "GetConn@1 DNSStart@2 DNSDone@3" },
	{ "added late",
	  { { HTTPTRACE_GOT_CONN, 9 }, { HTTPTRACE_CONNECT_DONE, 5 }, { HTTPTRACE_CONNECT_START, 2 } },
	  3,
	  "ConnectStart@2 ConnectDone@5 GotConn@9" },
	{ "one time: by rank, whatever the order of adding",
	  { { HTTPTRACE_WROTE_REQUEST, 4 },
	    { HTTPTRACE_WROTE_HEADERS, 4 },
	    { HTTPTRACE_GET_CONN, 4 },
	    { HTTPTRACE_WROTE_HEADER_FIELD, 4 },
	    { HTTPTRACE_GOT_CONN, 4 } },
	  5,
	  "GetConn@4 GotConn@4 WroteHeaderField@4 WroteHeaders@4 WroteRequest@4" },
	{ "time goes before rank: a response that came first",
	  { { HTTPTRACE_WROTE_REQUEST, 8 }, { HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, 6 } },
	  2,
	  "GotFirstResponseByte@6 WroteRequest@8" },
	{ "a retry inside one request",
	  { { HTTPTRACE_GET_CONN, 1 }, { HTTPTRACE_GOT_CONN, 2 }, { HTTPTRACE_GET_CONN, 5 }, { HTTPTRACE_GOT_CONN, 6 } },
	  4,
	  "GetConn@1 GotConn@2 GetConn@5 GotConn@6" },
	{ "before time 0", { { HTTPTRACE_GOT_CONN, 0 }, { HTTPTRACE_GET_CONN, -5 } }, 2, "GetConn@-5 GotConn@0" },
};

static void names_of(const struct httptrace_request *request, char *text, size_t size)
{
	size_t n, len = 0;

	text[0] = 0;
	for (n = 0; n < httptrace_request__hook_cnt(request); n++) {
		enum httptrace_hook_id id;
		const struct httptrace_hook *hook = httptrace_request__hook(request, n, &id);

		len += (size_t)snprintf(text + len, size - len, "%s%s@%lld", n ? " " : "", httptrace_hook__name(id),
					(long long)hook->mono_ns);
	}
}

static void hooks_in_order(void **state)
{
	char text[512];
	size_t i, k;

	(void)state;
	for (i = 0; i < CNT(orders); i++) {
		struct httptrace_request *request = new_request();

		for (k = 0; k < orders[i].cnt; k++)
			assert_int_equal(
				ht_request_add_hook(request, orders[i].added[k].id, orders[i].added[k].mono_ns, HTTPTRACE_PROXY, NULL), 0);
		names_of(request, text, sizeof(text));
		if (strcmp(text, orders[i].expected))
			print_error("%s\n", orders[i].why);
		assert_string_equal(text, orders[i].expected);
		httptrace_request__unref(request);
	}
}

static void equal_hooks_keep_order(void **state)
{
	struct httptrace_request *request = new_request();
	static const char *const keys[] = { "Host", "User-Agent", "Accept", "X-A", "X-B" };
	size_t i;

	(void)state;
	for (i = 0; i < CNT(keys); i++) {
		struct httptrace_wrote_header_field_info info = { .key = keys[i] };

		assert_int_equal(ht_request_add_hook(request, HTTPTRACE_WROTE_HEADER_FIELD, 5, HTTPTRACE_PROXY, &info), 0);
	}
	for (i = 0; i < CNT(keys); i++) {
		const struct httptrace_wrote_header_field_info *info =
			(const void *)ht_request_find_hook(request, HTTPTRACE_WROTE_HEADER_FIELD, i);

		assert_non_null(info);
		assert_string_equal(info->key, keys[i]);
		assert_int_equal(info->hook.sz, sizeof(*info));
		assert_int_equal(info->hook.mono_ns, 5);
		assert_int_equal(info->hook.how, HTTPTRACE_PROXY);
	}
	assert_null(ht_request_find_hook(request, HTTPTRACE_WROTE_HEADER_FIELD, i));
	assert_null(ht_request_find_hook(request, HTTPTRACE_GET_CONN, 0));
	httptrace_request__unref(request);
}

/* The response that it follows is why the body was not sent. */
static void request_given_up_comes_behind_the_response(void **state)
{
	static const struct httptrace_error error = { "body_not_sent", "not sent" };
	struct httptrace_wrote_request_info info = { .error = &error };
	struct httptrace_request *request = new_request();
	char text[128];

	(void)state;
	ht_request_add_hook(request, HTTPTRACE_WROTE_REQUEST, 5, HTTPTRACE_INFERRED, &info);
	ht_request_add_hook(request, HTTPTRACE_GOT_RESPONSE_HEADERS, 5, HTTPTRACE_OBSERVED, NULL);
	ht_request_add_hook(request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, 5, HTTPTRACE_OBSERVED, NULL);
	ht_request_add_hook(request, HTTPTRACE_PUT_IDLE_CONN, 5, HTTPTRACE_INFERRED, NULL);
	names_of(request, text, sizeof(text));
	assert_string_equal(text, "GotFirstResponseByte@5 GotResponseHeaders@5 WroteRequest@5 PutIdleConn@5");
	httptrace_request__unref(request);
}

static void hook_limit(void **state)
{
	struct httptrace_request *request = new_request();
	int i;

	(void)state;
	for (i = 0; i < HT_REQUEST_MAX_HOOKS; i++)
		assert_int_equal(ht_request_add_hook(request, HTTPTRACE_GOT_1XX_RESPONSE, i, HTTPTRACE_OBSERVED, NULL), 0);
	assert_int_equal(ht_request_add_hook(request, HTTPTRACE_GOT_BODY, i, HTTPTRACE_OBSERVED, NULL), -ENOSPC);
	assert_int_equal(request->hooks_dropped, 1);
	assert_int_equal(httptrace_request__hook_cnt(request), HT_REQUEST_MAX_HOOKS);
	httptrace_request__unref(request);
}

static void hook_taken_back(void **state)
{
	struct httptrace_request *request = new_request();
	char text[128];

	(void)state;
	ht_request_add_hook(request, HTTPTRACE_GET_CONN, 1, HTTPTRACE_INFERRED, NULL);
	ht_request_add_hook(request, HTTPTRACE_PUT_IDLE_CONN, 2, HTTPTRACE_INFERRED, NULL);
	ht_request_add_hook(request, HTTPTRACE_CONN_CLOSED, 3, HTTPTRACE_OBSERVED, NULL);
	ht_request_remove_hook(request, ht_request_find_hook(request, HTTPTRACE_PUT_IDLE_CONN, 0));
	ht_request_remove_hook(request, NULL);
	names_of(request, text, sizeof(text));
	assert_string_equal(text, "GetConn@1 ConnClosed@3");
	errno = 0;
	assert_null(httptrace_request__hook(request, 2, NULL));
	assert_int_equal(errno, ENOENT);
	httptrace_request__unref(request);
}

/* ---- memory and getters -------------------------------------------------------------------------------------------------------------- */

static void arena(void **state)
{
	struct httptrace_request *request = new_request();
	const char *text;
	char *large;
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		char *mem = ht_request_alloc(request, i % 97);

		assert_non_null(mem);
		assert_int_equal((uintptr_t)mem % 16, 0);
		if (i % 97)
			assert_int_equal(mem[i % 97 - 1], 0);
	}
	large = ht_request_alloc(request, 1000000);
	assert_non_null(large);
	memset(large, 'x', 1000000);
	assert_string_equal(ht_request_strdup(request, "abc"), "abc");
	assert_string_equal(ht_request_strndup(request, "abcdef", 2), "ab");
	assert_string_equal(ht_request_strndup(request, "", 0), "");
	assert_null(ht_request_strdup(request, NULL));
	assert_null(ht_request_strndup(request, NULL, 3));
	text = ht_request_printf(request, "%s:%d", "::1", 80);
	assert_string_equal(text, "::1:80");
	errno = 0;
	assert_null(ht_request_alloc(request, SIZE_MAX - 3));
	assert_int_equal(errno, ENOMEM);
	httptrace_request__unref(request);
}

static void nothing_is_known_at_first(void **state)
{
	struct httptrace_request *request = new_request();
	struct httptrace_timings t = { .sz = sizeof(t) };

	(void)state;
	assert_int_equal(httptrace_request__kind(request), HTTPTRACE_REQUEST);
	assert_int_equal(httptrace_request__id(request), 7);
	assert_int_equal(httptrace_request__outcome(request), HTTPTRACE_PENDING);
	assert_null(httptrace_request__error(request));
	assert_null(httptrace_request__conn(request));
	assert_true(httptrace_request__mono_ns(request) == UNKNOWN);
	assert_true(httptrace_request__realtime_ns(request) == UNKNOWN);
	assert_int_equal(httptrace_request__sent(request)->header_bytes, -1);
	assert_int_equal(httptrace_request__received(request)->body_bytes, -1);
	assert_false(httptrace_request__sent(request)->is_known);
	assert_int_equal(request->conn.reused, HTTPTRACE_NOT_KNOWN);
	assert_int_equal(httptrace_request__timings(request, &t), 0);
	assert_true(t.total_ns == UNKNOWN && t.wait_ns == UNKNOWN && t.blocked_ns == UNKNOWN);
	httptrace_request__unref(request);
	httptrace_request__unref(NULL);
}

static void times_of_first_hook(void **state)
{
	struct httptrace_request *request = new_request();

	(void)state;
	request->first_ns = 50;
	request->realtime_offset_ns = 1000;
	assert_int_equal(httptrace_request__mono_ns(request), 50);
	ht_request_add_hook(request, HTTPTRACE_GET_CONN, 40, HTTPTRACE_INFERRED, NULL);
	assert_int_equal(httptrace_request__mono_ns(request), 40);
	assert_int_equal(httptrace_request__realtime_ns(request), 1040);
	httptrace_request__unref(request);
}

static void references(void **state)
{
	struct httptrace_request *request = new_request();

	(void)state;
	request->url = ht_request_strdup(request, "http://a/");
	assert_ptr_equal(httptrace_request__ref(request), request);
	httptrace_request__unref(request);
	assert_string_equal(httptrace_request__url(request), "http://a/");
	httptrace_request__unref(request);
}

static void every_value_has_a_name(void **state)
{
	int i, k;

	(void)state;
	for (i = 0; i < HTTPTRACE_HOOK_CNT; i++) {
		assert_string_not_equal(httptrace_hook__name((enum httptrace_hook_id)i), "unknown");
		assert_true(ht_hook_info_size((enum httptrace_hook_id)i) >= sizeof(struct httptrace_hook));
		for (k = 0; k < i; k++)
			assert_string_not_equal(httptrace_hook__name((enum httptrace_hook_id)i),
						httptrace_hook__name((enum httptrace_hook_id)k));
	}
	for (i = 0; i <= HTTPTRACE_GRPC_ERROR; i++)
		assert_string_not_equal(httptrace_outcome__name((enum httptrace_outcome)i), "unknown");
	for (i = 0; i <= HTTPTRACE_PHASE_RECEIVE; i++)
		assert_string_not_equal(httptrace_phase__name((enum httptrace_phase)i), "unknown");
	assert_string_equal(httptrace_outcome__name((enum httptrace_outcome)99), "unknown");
	assert_string_equal(httptrace_hook__name((enum httptrace_hook_id) - 1), "unknown");
	assert_string_equal(httptrace_phase__name(HTTPTRACE_PHASE_NONE), "none");
	assert_string_equal(httptrace_how__name(HTTPTRACE_INFERRED), "inferred");
	assert_string_equal(httptrace_outcome__name(HTTPTRACE_PROTOCOL_ERROR), "protocol_error");
	assert_string_equal(httptrace_outcome__name(HTTPTRACE_GRPC_ERROR), "grpc_error");
	assert_string_equal(httptrace_kind__name(HTTPTRACE_WEBSOCKET), "websocket");
	assert_true(httptrace_hook__is_ext(HTTPTRACE_GOT_BODY));
	assert_false(httptrace_hook__is_ext(HTTPTRACE_GOT_1XX_RESPONSE));
}

static void what_is_particular_begins_unknown(void **state)
{
	struct httptrace_request *request = ht_request_new(HTTPTRACE_REQUEST, 1);
	struct httptrace_request *websocket = ht_request_new(HTTPTRACE_WEBSOCKET, 2);

	(void)state;
	assert_true(request && websocket);
	assert_false(httptrace_request__is_open(request));
	assert_null(httptrace_request__grpc(request));
	assert_null(httptrace_request__websocket(request));
	request->has_grpc = true;
	assert_non_null(httptrace_request__grpc(request));
	assert_int_equal(httptrace_request__grpc(request)->sz, sizeof(struct httptrace_grpc));
	assert_int_equal(httptrace_request__grpc(request)->status_code, -1);
	assert_int_equal(httptrace_request__grpc(request)->messages_sent, -1);
	assert_int_equal(httptrace_request__grpc(request)->messages_received, -1);
	assert_non_null(httptrace_request__websocket(websocket));
	assert_int_equal(httptrace_request__websocket(websocket)->sz, sizeof(struct httptrace_websocket));
	assert_int_equal(httptrace_request__websocket(websocket)->frames_sent, 0);
	assert_false(httptrace_request__websocket(websocket)->is_closed);
	request->has_conn = true;
	assert_int_equal(httptrace_request__conn(request)->sz, sizeof(struct httptrace_conn));
	assert_int_equal(httptrace_request__conn(request)->stream_id, 0);
	assert_null(httptrace_request__conn(request)->proxy);
	httptrace_request__unref(request);
	httptrace_request__unref(websocket);
}

/* ---- timings ------------------------------------------------------------------------------------------------------------------------- */

#define FAILS 1 /* ConnectDone with an error */

static const struct {
	const char *why;
	struct {
		enum httptrace_hook_id id;
		int64_t mono_ns;
		int flags;
		const char *addr;
	} hooks[16];
	enum httptrace_tristate reused;
	const char *remote;
	int64_t end_ns;
	/* blocked, dns, connect, tls, send, wait, receive, total */
	int64_t expected[8];
} timings[] = {
	{ "cold https, with a gap of 2 between lookup and connect and of 3 before the handshake",
	  { { HTTPTRACE_GET_CONN, 100, 0, NULL },
	    { HTTPTRACE_DNS_START, 100, 0, NULL },
	    { HTTPTRACE_DNS_DONE, 110, 0, NULL },
	    { HTTPTRACE_CONNECT_START, 112, 0, "a" },
	    { HTTPTRACE_CONNECT_DONE, 132, 0, "a" },
	    { HTTPTRACE_TLS_HANDSHAKE_START, 135, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_DONE, 165, 0, NULL },
	    { HTTPTRACE_GOT_CONN, 165, 0, NULL },
	    { HTTPTRACE_WROTE_REQUEST, 175, 0, NULL },
	    { HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, 215, 0, NULL } },
	  HTTPTRACE_NO,
	  "a",
	  265,
	  { 5, 10, 20, 30, 10, 40, 50, 165 } },
	{ "by an HTTPS proxy: both handshakes, without the CONNECT between them",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_CONNECT_START, 0, 0, "a" },
	    { HTTPTRACE_CONNECT_DONE, 7, 0, "a" },
	    { HTTPTRACE_TLS_HANDSHAKE_START, 8, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_DONE, 11, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_START, 50, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_DONE, 55, 0, NULL },
	    { HTTPTRACE_GOT_CONN, 60, 0, NULL } },
	  HTTPTRACE_NO,
	  "a",
	  60,
	  { 45, UNKNOWN, 7, 8, UNKNOWN, UNKNOWN, UNKNOWN, 60 } },
	{ "a handshake that did not end, behind one that did",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_START, 8, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_DONE, 11, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_START, 50, 0, NULL } },
	  HTTPTRACE_NO,
	  "a",
	  60,
	  { UNKNOWN, UNKNOWN, UNKNOWN, 3, UNKNOWN, UNKNOWN, UNKNOWN, 60 } },
	{ "nothing but the phases between GetConn and GotConn: no waiting was seen",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_CONNECT_START, 0, 0, "a" },
	    { HTTPTRACE_CONNECT_DONE, 7, 0, "a" },
	    { HTTPTRACE_GOT_CONN, 7, 0, NULL },
	    { HTTPTRACE_WROTE_REQUEST, 9, 0, NULL },
	    { HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, 12, 0, NULL } },
	  HTTPTRACE_NO,
	  "a",
	  12,
	  { UNKNOWN, UNKNOWN, 7, UNKNOWN, 2, 3, 0, 12 } },
	{ "reused: a dial that belongs to it all the same is not its time",
	  { { HTTPTRACE_GET_CONN, 10, 0, NULL },
	    { HTTPTRACE_CONNECT_START, 11, 0, "a" },
	    { HTTPTRACE_CONNECT_DONE, 15, 0, "a" },
	    { HTTPTRACE_GOT_CONN, 13, 0, NULL },
	    { HTTPTRACE_WROTE_REQUEST, 14, 0, NULL },
	    { HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, 20, 0, NULL } },
	  HTTPTRACE_YES,
	  "b",
	  21,
	  { 3, UNKNOWN, UNKNOWN, UNKNOWN, 1, 6, 1, 11 } },
	{ "first address refused: from the first ConnectStart to the winner",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_CONNECT_START, 0, 0, "a6" },
	    { HTTPTRACE_CONNECT_DONE, 1, FAILS, "a6" },
	    { HTTPTRACE_CONNECT_START, 2, 0, "a4" },
	    { HTTPTRACE_CONNECT_DONE, 5, 0, "a4" },
	    { HTTPTRACE_GOT_CONN, 5, 0, NULL } },
	  HTTPTRACE_NO,
	  "a4",
	  5,
	  { UNKNOWN, UNKNOWN, 5, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 5 } },
	{ "happy eyeballs: the loser connected first",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_CONNECT_START, 0, 0, "a6" },
	    { HTTPTRACE_CONNECT_START, 3, 0, "a4" },
	    { HTTPTRACE_CONNECT_DONE, 6, 0, "a6" },
	    { HTTPTRACE_CONNECT_DONE, 8, 0, "a4" },
	    { HTTPTRACE_GOT_CONN, 8, 0, NULL } },
	  HTTPTRACE_NO,
	  "a4",
	  8,
	  { UNKNOWN, UNKNOWN, 8, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 8 } },
	{ "refused: no winner, no time of connecting, and no GotConn to wait for",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL }, { HTTPTRACE_CONNECT_START, 0, 0, "a" }, { HTTPTRACE_CONNECT_DONE, 4, FAILS, "a" } },
	  HTTPTRACE_NOT_KNOWN,
	  NULL,
	  4,
	  { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 4 } },
	{ "lookup that failed",
	  { { HTTPTRACE_GET_CONN, 5, 0, NULL }, { HTTPTRACE_DNS_START, 5, 0, NULL }, { HTTPTRACE_DNS_DONE, 25, 0, NULL } },
	  HTTPTRACE_NOT_KNOWN,
	  NULL,
	  25,
	  { UNKNOWN, 20, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 20 } },
	{ "the response came before the request was written: waiting is 0, not less",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_GOT_CONN, 0, 0, NULL },
	    { HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, 10, 0, NULL },
	    { HTTPTRACE_WROTE_REQUEST, 30, 0, NULL } },
	  HTTPTRACE_YES,
	  "a",
	  31,
	  { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 30, 0, 21, 31 } },
	{ "closed without a byte",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_GOT_CONN, 0, 0, NULL },
	    { HTTPTRACE_WROTE_REQUEST, 2, 0, NULL },
	    { HTTPTRACE_CONN_CLOSED, 9, 0, NULL } },
	  HTTPTRACE_NOT_KNOWN,
	  "a",
	  9,
	  { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 2, UNKNOWN, UNKNOWN, 9 } },
	{ "still running: nothing that needs an end",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_GOT_CONN, 1, 0, NULL },
	    { HTTPTRACE_WROTE_REQUEST, 2, 0, NULL },
	    { HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, 5, 0, NULL } },
	  HTTPTRACE_NO,
	  "a",
	  UNKNOWN,
	  { 1, UNKNOWN, UNKNOWN, UNKNOWN, 1, 3, UNKNOWN, UNKNOWN } },
	{ "an https proxy: two handshakes, and a CONNECT between them that is none",
	  { { HTTPTRACE_GET_CONN, 0, 0, NULL },
	    { HTTPTRACE_CONNECT_START, 1, 0, NULL },
	    { HTTPTRACE_CONNECT_DONE, 2, 0, "a" },
	    { HTTPTRACE_TLS_HANDSHAKE_START, 3, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_DONE, 7, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_START, 20, 0, NULL },
	    { HTTPTRACE_TLS_HANDSHAKE_DONE, 30, 0, NULL },
	    { HTTPTRACE_GOT_CONN, 30, 0, NULL } },
	  HTTPTRACE_NO,
	  "a",
	  UNKNOWN,
	  { 15, UNKNOWN, 1, 14, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN } },
};

static void timings_by_table(void **state)
{
	static const char *const names[] = { "blocked", "dns", "connect", "tls", "send", "wait", "receive", "total" };
	static const struct httptrace_error refused = { "ECONNREFUSED", "Connection refused" };
	size_t i, k;

	(void)state;
	for (i = 0; i < CNT(timings); i++) {
		struct httptrace_request *request = new_request();
		struct httptrace_timings t = { .sz = sizeof(t) };

		request->end_ns = timings[i].end_ns;
		request->has_conn = timings[i].remote;
		request->conn.remote = timings[i].remote;
		request->conn.reused = timings[i].reused;
		for (k = 0; k < CNT(timings[i].hooks) && (!k || timings[i].hooks[k].id); k++) {
			struct httptrace_connect_done_info info = {
				.addr = timings[i].hooks[k].addr,
				.error = timings[i].hooks[k].flags & FAILS ? &refused : NULL,
			};
			bool is_done = timings[i].hooks[k].id == HTTPTRACE_CONNECT_DONE;

			assert_int_equal(ht_request_add_hook(request, timings[i].hooks[k].id, timings[i].hooks[k].mono_ns,
							     HTTPTRACE_OBSERVED, is_done ? &info : NULL),
					 0);
		}
		assert_int_equal(httptrace_request__timings(request, &t), 0);
		for (k = 0; k < CNT(names); k++) {
			int64_t got = (&t.blocked_ns)[k];

			if (got != timings[i].expected[k])
				print_error("%s: %s\n", timings[i].why, names[k]);
			assert_true(got == timings[i].expected[k]);
		}
		httptrace_request__unref(request);
	}
}

static void timings_of_other_sizes(void **state)
{
	struct {
		struct httptrace_timings t;
		int64_t later;
	} large = { .t.sz = sizeof(large), .later = 77 };
	struct httptrace_timings small = { .sz = offsetof(struct httptrace_timings, send_ns), .send_ns = 88 };
	struct httptrace_request *request = new_request();

	(void)state;
	assert_int_equal(httptrace_request__timings(request, &large.t), 0);
	assert_int_equal(large.later, 77);
	assert_true(large.t.total_ns == UNKNOWN);
	assert_int_equal(httptrace_request__timings(request, &small), 0);
	assert_true(small.tls_ns == UNKNOWN);
	assert_int_equal(small.send_ns, 88);
	small.sz = 0;
	assert_int_equal(httptrace_request__timings(request, &small), -EINVAL);
	assert_int_equal(httptrace_request__timings(request, NULL), -EINVAL);
	httptrace_request__unref(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hooks_in_order),
		cmocka_unit_test(equal_hooks_keep_order),
		cmocka_unit_test(request_given_up_comes_behind_the_response),
		cmocka_unit_test(hook_limit),
		cmocka_unit_test(hook_taken_back),
		cmocka_unit_test(arena),
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(times_of_first_hook),
		cmocka_unit_test(references),
		cmocka_unit_test(every_value_has_a_name),
		cmocka_unit_test(what_is_particular_begins_unknown),
		cmocka_unit_test(timings_by_table),
		cmocka_unit_test(timings_of_other_sizes),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
