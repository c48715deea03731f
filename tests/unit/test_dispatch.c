/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_dispatch.c - who is called, in which order, and how often, as with the compose of Go's httptrace.
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

#include "dispatch/compose.h"
#include "dispatch/dispatch.h"
#include "dispatch/losses.h"
#include "req/request.h"

/* What was called, e.g. "b:GetConn a:GetConn ". */
static char calls[1024];
static struct ht_dispatch *dispatch;

static void note(void *ctx, const char *what)
{
	assert_true(strlen(calls) + strlen(ctx) + strlen(what) + 3 < sizeof(calls));
	strcat(calls, ctx);
	strcat(calls, ":");
	strcat(calls, what);
	strcat(calls, " ");
}

static void get_conn(struct httptrace_request *request, const struct httptrace_get_conn_info *info, void *ctx)
{
	assert_non_null(request);
	assert_string_equal(info->host_port, "a:80");
	assert_int_equal(info->hook.sz, sizeof(*info));
	note(ctx, "GetConn");
}

static int got_1xx(struct httptrace_request *request, const struct httptrace_got_1xx_info *info, void *ctx)
{
	(void)request;
	assert_int_equal(info->code, 103);
	note(ctx, "Got1xxResponse");
	return -1;
}

static void wrote_headers(struct httptrace_request *request, const struct httptrace_plain_info *info, void *ctx)
{
	(void)request;
	assert_int_equal(info->hook.mono_ns, 2);
	note(ctx, "WroteHeaders");
}

static void done(struct httptrace_request *request, void *ctx)
{
	(void)request;
	note(ctx, "done");
}

static struct httptrace_client_trace all_hooks(void)
{
	return (struct httptrace_client_trace){
		.sz = sizeof(struct httptrace_client_trace),
		.get_conn = get_conn,
		.got_1xx_response = got_1xx,
		.wrote_headers = wrote_headers,
		.request_done = done,
	};
}

static void add_get_conn(struct httptrace_request *request)
{
	struct httptrace_get_conn_info info = { .host_port = "a:80" };

	assert_int_equal(ht_request_add_hook(request, HTTPTRACE_GET_CONN, 1, HTTPTRACE_INFERRED, &info), 0);
}

static struct httptrace_request *new_request(void)
{
	struct httptrace_request *request = ht_request_new(HTTPTRACE_REQUEST, 1);

	assert_non_null(request);
	add_get_conn(request);
	return request;
}

static int add(const char *name)
{
	struct httptrace_client_trace trace = all_hooks();

	return ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t)name);
}

static int set_up(void **state)
{
	(void)state;
	calls[0] = 0;
	dispatch = ht_dispatch_new();
	return dispatch ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	ht_dispatch_free(dispatch);
	return 0;
}

static void newest_first(void **state)
{
	struct httptrace_request *request = new_request();
	struct httptrace_got_1xx_info info = { .code = 103 };

	(void)state;
	assert_int_equal(add("first"), 1);
	assert_int_equal(add("second"), 2);
	assert_int_equal(add("third"), 3);
	ht_dispatch_hooks(dispatch, request);
	/* What one of them returns keeps nobody else from being called. */
	ht_request_add_hook(request, HTTPTRACE_GOT_1XX_RESPONSE, 3, HTTPTRACE_OBSERVED, &info);
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "third:GetConn second:GetConn first:GetConn "
				   "third:Got1xxResponse second:Got1xxResponse first:Got1xxResponse third:done second:done first:done ");
	httptrace_request__unref(request);
}

static void each_hook_once_and_in_order(void **state)
{
	struct httptrace_request *request = ht_request_new(HTTPTRACE_REQUEST, 1);

	(void)state;
	add("a");
	assert_non_null(request);
	ht_request_add_hook(request, HTTPTRACE_WROTE_HEADERS, 2, HTTPTRACE_PROXY, NULL);
	add_get_conn(request);
	ht_dispatch_hooks(dispatch, request);
	ht_dispatch_hooks(dispatch, request);
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "a:GetConn a:WroteHeaders a:done ");
	httptrace_request__unref(request);
}

static void pointers_are_copied(void **state)
{
	struct httptrace_request *request = new_request();
	struct httptrace_client_trace trace = all_hooks();

	(void)state;
	assert_int_equal(ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "a"), 1);
	memset(&trace, 0, sizeof(trace));
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "a:GetConn a:done ");
	httptrace_request__unref(request);
}

/* Go's reflection-based compose overflowed its stack there. */
static void same_struct_twice(void **state)
{
	struct httptrace_request *request = new_request();
	struct httptrace_client_trace trace = all_hooks();

	(void)state;
	assert_int_equal(ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "a"), 1);
	assert_int_equal(ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "a"), 2);
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "a:GetConn a:GetConn a:done a:done ");
	httptrace_request__unref(request);
}

static int other_id;

static void get_conn_unregisters(struct httptrace_request *request, const struct httptrace_get_conn_info *info, void *ctx)
{
	get_conn(request, info, ctx);
	assert_int_equal(ht_dispatch_unregister(dispatch, other_id, NULL), 0);
	assert_int_equal(ht_dispatch_unregister(dispatch, other_id, NULL), -ENOENT);
}

static void unregistered_in_callback(void **state)
{
	static const struct {
		const char *why;
		int who; /* is taken back, by the newest */
		const char *expected;
	} cases[] = {
		{ "an older one, not called yet for this hook", 1, "self:GetConn self:done " },
		{ "itself", 2, "self:GetConn old:GetConn old:done " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct httptrace_request *request = new_request(), *next = new_request();
		struct httptrace_client_trace trace = all_hooks();

		ht_dispatch_free(dispatch);
		dispatch = ht_dispatch_new();
		calls[0] = 0;
		trace.get_conn = get_conn_unregisters;
		assert_int_equal(add("old"), 1);
		assert_int_equal(ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "self"), 2);
		other_id = cases[i].who;
		ht_dispatch_done(dispatch, request);
		if (strcmp(calls, cases[i].expected))
			print_error("%s\n", cases[i].why);
		assert_string_equal(calls, cases[i].expected);
		assert_int_equal(ht_dispatch_unregister(dispatch, other_id, NULL), -ENOENT);
		httptrace_request__unref(request);
		httptrace_request__unref(next);
	}
}

static void get_conn_registers(struct httptrace_request *request, const struct httptrace_get_conn_info *info, void *ctx)
{
	get_conn(request, info, ctx);
	add("new");
}

static void registered_in_callback_applies_to_later_requests(void **state)
{
	struct httptrace_request *request = new_request(), *next = new_request();
	struct httptrace_client_trace trace = all_hooks();

	(void)state;
	trace.get_conn = get_conn_registers;
	assert_int_equal(ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "a"), 1);
	ht_dispatch_hooks(dispatch, request);
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "a:GetConn a:done ");
	calls[0] = 0;
	ht_dispatch_unregister(dispatch, 1, NULL);
	ht_dispatch_done(dispatch, next);
	assert_string_equal(calls, "new:GetConn new:done ");
	httptrace_request__unref(request);
	httptrace_request__unref(next);
}

static void registered_between_hooks_of_a_request(void **state)
{
	struct httptrace_request *request = new_request();

	(void)state;
	ht_dispatch_hooks(dispatch, request);
	add("late");
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "");
	httptrace_request__unref(request);
}

static void structs_of_other_versions(void **state)
{
	struct {
		struct httptrace_client_trace trace;
		void *later;
	} large = { .trace = all_hooks() };
	struct httptrace_client_trace trace = all_hooks();
	struct httptrace_request *request = new_request();

	(void)state;
	assert_int_equal(ht_dispatch_register(dispatch, NULL, NULL, 0, NULL), -EINVAL);
	trace.sz = 0;
	assert_int_equal(ht_dispatch_register(dispatch, &trace, NULL, 0, NULL), -EINVAL);
	/* Of an earlier header: without request_done. */
	trace.sz = offsetof(struct httptrace_client_trace, request_done);
	assert_true(ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "old") > 0);
	large.trace.sz = sizeof(large);
	assert_true(ht_dispatch_register(dispatch, &large.trace, NULL, 0, (void *)(uintptr_t) "new") > 0);
	large.later = &large;
	assert_int_equal(ht_dispatch_register(dispatch, &large.trace, NULL, 0, (void *)(uintptr_t) "newer"), -EINVAL);
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "new:GetConn old:GetConn new:done ");
	httptrace_request__unref(request);
}

/* ---- filters and the composed trace -------------------------------------------------------------------------------------------------- */

static int add_filtered(const char *name, struct httptrace_filter filter)
{
	struct httptrace_client_trace trace = all_hooks();

	filter.sz = sizeof(filter);
	return ht_dispatch_register(dispatch, &trace, &filter, 1, (void *)(uintptr_t)name);
}

static struct httptrace_request *new_request_to(const char *url)
{
	struct httptrace_request *request = new_request();

	request->pid = 7;
	request->url = url;
	return request;
}

static void filtered(void **state)
{
	struct httptrace_request *a = new_request_to("http://a/"), *b = new_request_to("http://b/");

	(void)state;
	add("all");
	assert_true(add_filtered("a", (struct httptrace_filter){ .host = "a" }) > 0);
	assert_true(add_filtered("b", (struct httptrace_filter){ .host = "b", .pid = 7 }) > 0);
	assert_true(add_filtered("other", (struct httptrace_filter){ .host = "b", .pid = 8 }) > 0);
	ht_dispatch_done(dispatch, a);
	ht_dispatch_done(dispatch, b);
	assert_string_equal(calls, "a:GetConn all:GetConn a:done all:done b:GetConn all:GetConn b:done all:done ");
	httptrace_request__unref(a);
	httptrace_request__unref(b);
}

/* A WebSocket is delivered as a dial is: by its own request_done, to whom asks for no method. Its hooks are none. */
static void websockets(void **state)
{
	struct httptrace_request *websocket = ht_request_new(HTTPTRACE_WEBSOCKET, 1);

	(void)state;
	assert_non_null(websocket);
	websocket->url = "http://a/chat";
	add("all");
	assert_true(add_filtered("a", (struct httptrace_filter){ .host = "a", .path = "/chat" }) > 0);
	assert_true(add_filtered("get", (struct httptrace_filter){ .host = "a", .method = "GET" }) > 0);
	ht_dispatch_done(dispatch, websocket);
	assert_string_equal(calls, "a:done all:done ");
	httptrace_request__unref(websocket);
}

/* Decided with the first hook, when the request is identified: what becomes known later changes nothing. */
static void decided_once(void **state)
{
	struct httptrace_request *request = new_request_to("http://a/");

	(void)state;
	add_filtered("a", (struct httptrace_filter){ .host = "a" });
	ht_dispatch_hooks(dispatch, request);
	request->url = "http://b/";
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "a:GetConn a:done ");
	httptrace_request__unref(request);
}

static bool in_cgroup(void *ctx, pid_t pid, unsigned int n)
{
	assert_ptr_equal(ctx, calls);
	assert_int_equal(n, 1);
	return pid == 7;
}

static void filtered_by_cgroup(void **state)
{
	struct httptrace_request *in = new_request_to("http://a/"), *out = new_request_to("http://a/");
	int id, cgroup = 0;

	(void)state;
	out->pid = 8;
	id = add_filtered("x", (struct httptrace_filter){ .cgroup = "x" });
	ht_dispatch_hooks(dispatch, in);
	/* Nobody could be asked. */
	assert_string_equal(calls, "");
	ht_dispatch_done(dispatch, in);
	ht_dispatch_set_in_cgroup(dispatch, in_cgroup, calls);
	httptrace_request__unref(in);
	in = new_request_to("http://a/");
	ht_dispatch_done(dispatch, in);
	ht_dispatch_done(dispatch, out);
	assert_string_equal(calls, "x:GetConn x:done ");
	assert_int_equal(ht_dispatch_unregister(dispatch, id, &cgroup), 0);
	assert_int_equal(cgroup, 1);
	assert_int_equal(ht_dispatch_unregister(dispatch, add("all"), &cgroup), 0);
	assert_int_equal(cgroup, -1);
	httptrace_request__unref(in);
	httptrace_request__unref(out);
}

static const struct httptrace_client_trace *composed;
static int answer;

static int got_1xx_answers(struct httptrace_request *request, const struct httptrace_got_1xx_info *info, void *ctx)
{
	got_1xx(request, info, ctx);
	return answer++;
}

/* Called by hand, from inside a callback, as a program does that wraps a client of its own. */
static void get_conn_asks(struct httptrace_request *request, const struct httptrace_get_conn_info *info, void *ctx)
{
	struct httptrace_got_1xx_info early = { .hook.sz = sizeof(early), .code = 103 };

	get_conn(request, info, ctx);
	composed = httptrace_request__trace(request);
	assert_non_null(composed);
	assert_ptr_equal(httptrace_request__trace(request), composed);
	assert_non_null(composed->get_conn);
	assert_null(composed->got_body);
	assert_null(composed->dns_start);
	/* The first that is not 0 counts; the newest, whose 0 does not, is called first. */
	answer = 0;
	assert_int_equal(composed->got_1xx_response(request, &early, NULL), 1);
	assert_int_equal(answer, 3);
}

static void composed_trace(void **state)
{
	struct httptrace_request *request = new_request_to("http://a/");
	struct httptrace_client_trace trace = all_hooks(), asking = { .sz = sizeof(asking), .get_conn = get_conn_asks };
	int gone;

	(void)state;
	composed = NULL;
	assert_null(httptrace_request__trace(request));
	assert_int_equal(errno, ENOENT);
	trace.got_1xx_response = got_1xx_answers;
	ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "old");
	gone = ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "mid");
	add_filtered("not", (struct httptrace_filter){ .host = "b" });
	ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "new");
	ht_dispatch_register(dispatch, &asking, NULL, 0, (void *)(uintptr_t) "asks");
	ht_dispatch_hooks(dispatch, request);
	assert_string_equal(calls,
			    "asks:GetConn new:Got1xxResponse mid:Got1xxResponse old:Got1xxResponse new:GetConn mid:GetConn old:GetConn ");
	/* From outside any callback; without whom was taken back. */
	calls[0] = 0;
	assert_int_equal(ht_dispatch_unregister(dispatch, gone, NULL), 0);
	composed->request_done(request, NULL);
	assert_string_equal(calls, "new:done old:done ");
	calls[0] = 0;
	ht_dispatch_done(dispatch, request);
	assert_string_equal(calls, "new:done old:done ");
	/* It is over: the struct is there as long as the request, and does nothing. */
	calls[0] = 0;
	assert_null(httptrace_request__trace(request));
	composed->request_done(request, NULL);
	assert_string_equal(calls, "");
	ht_dispatch_free(dispatch);
	dispatch = NULL;
	composed->request_done(request, NULL);
	httptrace_request__unref(request);
}

static void get_conn_registers_composed(struct httptrace_request *request, const struct httptrace_get_conn_info *info, void *ctx)
{
	get_conn(request, info, ctx);
	assert_true(ht_dispatch_register(dispatch, httptrace_request__trace(request), NULL, 0, (void *)(uintptr_t) "composed") > 0);
}

/* Self-composition: without end in Go's first version. */
static void composed_trace_registered(void **state)
{
	struct httptrace_client_trace trace = all_hooks();
	struct httptrace_request *request = new_request(), *next = new_request();

	(void)state;
	trace.get_conn = get_conn_registers_composed;
	assert_int_equal(ht_dispatch_register(dispatch, &trace, NULL, 0, (void *)(uintptr_t) "a"), 1);
	ht_dispatch_done(dispatch, request);
	calls[0] = 0;
	ht_dispatch_done(dispatch, next);
	assert_string_equal(calls, "a:GetConn a:done ");
	httptrace_request__unref(request);
	httptrace_request__unref(next);
}

static void nothing_applies(void **state)
{
	struct httptrace_request *request = new_request_to("http://a/");

	(void)state;
	ht_dispatch_hooks(dispatch, request);
	assert_null(httptrace_request__trace(request));
	assert_int_equal(errno, ENOENT);
	ht_dispatch_done(dispatch, request);
	httptrace_request__unref(request);
}

/* Every member of the struct is reached by its own hook and by no other. */
static int member_calls[HTTPTRACE_HOOK_CNT];

#define COUNTING(hook_id, member, type)                                                                                      \
	static void count_##member(struct httptrace_request *request, const struct httptrace_##type##_info *info, void *ctx) \
	{                                                                                                                    \
		(void)request;                                                                                               \
		(void)ctx;                                                                                                   \
		assert_int_equal(info->hook.mono_ns, 100 + HTTPTRACE_##hook_id);                                             \
		member_calls[HTTPTRACE_##hook_id]++;                                                                         \
	}
HT_HOOKS(COUNTING)
#define COUNT_MEMBER(hook_id, member, type) .member = count_##member,

static int count_1xx(struct httptrace_request *request, const struct httptrace_got_1xx_info *info, void *ctx)
{
	(void)request;
	(void)ctx;
	assert_int_equal(info->hook.mono_ns, 100 + HTTPTRACE_GOT_1XX_RESPONSE);
	member_calls[HTTPTRACE_GOT_1XX_RESPONSE]++;
	return 0;
}

static void every_member(void **state)
{
	const struct httptrace_client_trace trace = {
		.sz = sizeof(trace),
		HT_HOOKS(COUNT_MEMBER).got_1xx_response = count_1xx,
	};
	struct httptrace_request *request = ht_request_new(HTTPTRACE_REQUEST, 1);
	int id;

	(void)state;
	assert_non_null(request);
	for (id = HTTPTRACE_HOOK_CNT - 1; id >= 0; id--)
		ht_request_add_hook(request, (enum httptrace_hook_id)id, 100 + id, HTTPTRACE_OBSERVED, NULL);
	ht_dispatch_register(dispatch, &trace, NULL, 0, NULL);
	ht_dispatch_done(dispatch, request);
	for (id = 0; id < HTTPTRACE_HOOK_CNT; id++)
		assert_int_equal(member_calls[id], 1);
	httptrace_request__unref(request);
}

static void losses_by_place(void **state)
{
	struct httptrace_counter counters[HT_LOSSES_MAX];
	struct ht_losses losses = { 0 };
	char name[64];
	uint64_t sum = 0;
	size_t i, cnt;

	(void)state;
	assert_int_equal(ht_losses_fill(&losses, counters, HT_LOSSES_MAX), 1);
	assert_string_equal(counters[0].name, "ringbuf");
	assert_int_equal(counters[0].count, 0);
	ht_losses_add(&losses, "sideband", 2);
	ht_losses_add(&losses, "ringbuf", 3);
	ht_losses_add(&losses, "sideband", 4);
	assert_int_equal(ht_losses_fill(&losses, counters, HT_LOSSES_MAX), 2);
	assert_int_equal(counters[0].count, 3);
	assert_string_equal(counters[1].name, "sideband");
	assert_int_equal(counters[1].count, 6);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "place-%zu-with-a-name-past-its-room", i);
		ht_losses_add(&losses, name, 1);
	}
	cnt = ht_losses_fill(&losses, counters, HT_LOSSES_MAX);
	assert_int_equal(cnt, HT_LOSSES_MAX);
	for (i = 0; i < cnt; i++)
		sum += counters[i].count;
	assert_int_equal(sum, 9 + 40);
	assert_string_equal(counters[cnt - 1].name, "other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(newest_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_hook_once_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pointers_are_copied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(same_struct_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unregistered_in_callback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(registered_in_callback_applies_to_later_requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(registered_between_hooks_of_a_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(structs_of_other_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(filtered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(websockets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(decided_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(filtered_by_cgroup, set_up, tear_down),
		cmocka_unit_test_setup_teardown(composed_trace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(composed_trace_registered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_applies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_member, set_up, tear_down),
		cmocka_unit_test(losses_by_place),
	};

	return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
