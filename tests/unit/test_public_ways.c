/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_public_ways.c - what the public getters tell of HTTP/2, gRPC, proxies, WebSockets and Unix sockets, in captures of tests/replay.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "httptrace.h"

static struct httptrace_request *kept[16];
static size_t kept_cnt;

static void keep(struct httptrace_request *request, void *ctx)
{
	(void)ctx;
	assert_true(kept_cnt < sizeof(kept) / sizeof(kept[0]));
	kept[kept_cnt++] = httptrace_request__ref(request);
}

/* The reports of a capture of tests/replay, which says in NAME.txt what is in it. */
static void keep_all_of(const char *name)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = keep };
	struct httptrace *tracer;
	char path[256];
	int n;

	assert_int_equal(kept_cnt, 0);
	snprintf(path, sizeof(path), "tests/replay/captures/%s.cap", name);
	tracer = httptrace__open_file(path, NULL);
	if (!tracer)
		fail_msg("%s (run from the source tree's root)", httptrace__open_error());
	assert_true(httptrace__register(tracer, &trace, NULL) > 0);
	while ((n = httptrace__poll(tracer, -1)) > 0)
		continue;
	assert_int_equal(n, -ENODATA);
	httptrace__close(tracer);
}

/* The only one of that kind among those kept. */
static const struct httptrace_request *only(enum httptrace_kind kind)
{
	const struct httptrace_request *found = NULL;

	for (size_t i = 0; i < kept_cnt; i++) {
		if (httptrace_request__kind(kept[i]) != kind)
			continue;
		assert_null(found);
		found = kept[i];
	}
	assert_non_null(found);
	return found;
}

static void let_go(void)
{
	for (size_t i = 0; i < kept_cnt; i++)
		httptrace_request__unref(kept[i]);
	kept_cnt = 0;
}

static void grpc_on_a_stream(void **state)
{
	const struct httptrace_request *request;
	const struct httptrace_grpc *grpc;
	const struct httptrace_conn *conn;

	(void)state;
	keep_all_of("grpc-error");
	request = only(HTTPTRACE_REQUEST);
	conn = httptrace_request__conn(request);
	grpc = httptrace_request__grpc(request);
	assert_non_null(grpc);
	assert_int_equal(grpc->sz, sizeof(*grpc));
	assert_string_equal(grpc->service, "bed.Echo");
	assert_string_equal(grpc->method, "Fail");
	assert_string_equal(grpc->status, "NOT_FOUND");
	assert_int_equal(grpc->status_code, 5);
	assert_memory_equal(grpc->message, "no such thing", 13);
	assert_int_equal(grpc->messages_sent, 1);
	assert_int_equal(grpc->messages_received, 0);
	assert_int_equal(httptrace_request__outcome(request), HTTPTRACE_GRPC_ERROR);
	assert_string_equal(httptrace_request__error(request)->code, "NOT_FOUND");
	assert_string_equal(httptrace_request__http(request), "2");
	assert_int_equal(conn->stream_id, 1);
	assert_null(conn->proxy);
	let_go();
}

static void a_proxy_that_refuses(void **state)
{
	const struct httptrace_request *request;
	const struct httptrace_proxy *proxy;

	(void)state;
	keep_all_of("connect-refused");
	request = only(HTTPTRACE_REQUEST);
	proxy = httptrace_request__conn(request)->proxy;
	assert_non_null(proxy);
	assert_int_equal(proxy->sz, sizeof(*proxy));
	assert_string_equal(proxy->type, "http");
	assert_memory_equal(proxy->address, "127.0.0.1:", 10);
	assert_int_equal(proxy->status, 403);
	assert_null(httptrace_request__method(request));
	assert_memory_equal(httptrace_request__url(request), "localhost:", 10);
	assert_int_equal(httptrace_request__outcome(request), HTTPTRACE_CONNECT_ERROR);
	let_go();
}

static void a_websocket(void **state)
{
	const struct httptrace_websocket *websocket;
	const struct httptrace_request *request;

	(void)state;
	keep_all_of("websocket-closed-by-the-server");
	assert_int_equal(httptrace_request__status(only(HTTPTRACE_REQUEST)), 101);
	request = only(HTTPTRACE_WEBSOCKET);
	websocket = httptrace_request__websocket(request);
	assert_non_null(websocket);
	assert_int_equal(websocket->sz, sizeof(*websocket));
	assert_int_equal(websocket->frames_sent, 2);
	assert_int_equal(websocket->frames_received, 1);
	assert_int_equal(websocket->close_code, 4001);
	assert_true(websocket->is_closed);
	assert_int_equal(websocket->closed_by, HTTPTRACE_BY_SERVER);
	assert_null(httptrace_request__method(request));
	assert_int_equal(httptrace_request__status(request), 0);
	assert_string_equal(httptrace_request__conn(request)->id, httptrace_request__conn(only(HTTPTRACE_REQUEST))->id);
	let_go();
}

static void a_unix_socket(void **state)
{
	const struct httptrace_conn *conn;

	(void)state;
	keep_all_of("unix-an-abstract-name");
	conn = httptrace_request__conn(only(HTTPTRACE_REQUEST));
	assert_null(conn->local);
	assert_string_equal(conn->remote, "@httptrace.test");
	let_go();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grpc_on_a_stream),
		cmocka_unit_test(a_proxy_that_refuses),
		cmocka_unit_test(a_websocket),
		cmocka_unit_test(a_unix_socket),
	};

	return cmocka_run_group_tests_name("public_ways", tests, NULL, NULL);
}
