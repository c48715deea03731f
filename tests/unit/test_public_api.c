/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_public_api.c - the library as its users have it: the public header, the shared object, nothing else. Calls every function that there
 * is.
 *
 * public_api.cap is a capture of six curls on loopback: over TLS /first and /again on one connection with a credential in a field and in a
 * query; POST /post with Expect; GET /404; a name that does not exist; a port where nobody listens. make-public-api-cap.sh makes it anew.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <httptrace.h>

#define CAPTURE "tests/unit/public_api.cap"

long public_api_in_cpp(const char *path);

static struct httptrace *tracer;

/* ---- every hook, told as a line ------------------------------------------------------------------------------------------------------ */

static char told[16384];

static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	size_t len = strlen(told);
	va_list args;

	va_start(args, format);
	vsnprintf(told + len, sizeof(told) - len, format, args);
	va_end(args);
	assert_true(strlen(told) < sizeof(told) - 1);
}

static const char *yes_no(enum httptrace_tristate value)
{
	return value == HTTPTRACE_YES ? "yes" : value == HTTPTRACE_NO ? "no" : "unknown";
}

static const char *code(const struct httptrace_error *error)
{
	if (error)
		assert_non_null(error->message);
	return error ? error->code : "ok";
}

#define HOOK(member, type) static void member(struct httptrace_request *request, const struct httptrace_##type##_info *info, void *ctx)
#define BEGIN(name)                                                 \
	do {                                                        \
		assert_ptr_equal(ctx, told);                        \
		assert_true(info->hook.sz >= sizeof(*info));        \
		assert_true(info->hook.mono_ns > 0);                \
		assert_non_null(httptrace_request__trace(request)); \
		tell(" " name);                                     \
	} while (0)

HOOK(get_conn, get_conn)
{
	BEGIN("GetConn");
	assert_string_equal(info->host_port, httptrace_request__host_port(request));
}
HOOK(got_conn, got_conn)
{
	BEGIN("GotConn");
	tell("{%s,%s,%s}", yes_no(info->reused), yes_no(info->was_idle), info->idle_ns == HTTPTRACE_UNKNOWN_NS ? "-" : "idle");
}
HOOK(put_idle_conn, put_idle_conn)
{
	BEGIN("PutIdleConn");
	tell("{%s}", code(info->error));
}
HOOK(got_first_response_byte, plain)
{
	BEGIN("GotFirstResponseByte");
}
HOOK(got_100_continue, plain)
{
	BEGIN("Got100Continue");
}
static int got_1xx_response(struct httptrace_request *request, const struct httptrace_got_1xx_info *info, void *ctx)
{
	BEGIN("Got1xxResponse");
	tell("{%d,%zu}", info->code, info->header_cnt);
	return 0;
}
HOOK(dns_start, dns_start)
{
	BEGIN("DNSStart");
	tell("{%s}", info->host);
}
HOOK(dns_done, dns_done)
{
	BEGIN("DNSDone");
	tell("{%zu,%s,%d}", info->addr_cnt, code(info->error), info->coalesced);
}
HOOK(connect_start, connect_start)
{
	BEGIN("ConnectStart");
	assert_non_null(info->addr);
	tell("{%s}", info->network);
}
HOOK(connect_done, connect_done)
{
	BEGIN("ConnectDone");
	assert_non_null(info->addr);
	tell("{%s,%s}", info->network, code(info->error));
}
HOOK(tls_handshake_start, plain)
{
	BEGIN("TLSHandshakeStart");
}
HOOK(tls_handshake_done, tls_handshake_done)
{
	BEGIN("TLSHandshakeDone");
	tell("{%s,%s,%s,%s}", info->version, info->server_name, yes_no(info->resumed), code(info->error));
}
HOOK(wrote_header_field, wrote_header_field)
{
	BEGIN("WroteHeaderField");
	assert_int_equal(info->value_cnt, 1);
	if (!strcmp(info->key, "Authorization"))
		tell("{%s}", info->values[0]);
}
HOOK(wrote_headers, plain)
{
	BEGIN("WroteHeaders");
}
HOOK(wait_100_continue, plain)
{
	BEGIN("Wait100Continue");
}
HOOK(wrote_request, wrote_request)
{
	BEGIN("WroteRequest");
	tell("{%s}", code(info->error));
}
HOOK(got_response_headers, got_response_headers)
{
	BEGIN("GotResponseHeaders");
	tell("{%d}", info->status);
}
HOOK(got_body, got_body)
{
	BEGIN("GotBody");
	tell("{%d}", (int)info->bytes);
}
HOOK(conn_closed, conn_closed)
{
	BEGIN("ConnClosed");
	tell("{%s}", httptrace_closer__name(info->by));
}

static void request_done(struct httptrace_request *request, void *ctx)
{
	assert_ptr_equal(ctx, told);
	tell("; %s %s\n", httptrace_kind__name(httptrace_request__kind(request)),
	     httptrace_outcome__name(httptrace_request__outcome(request)));
}

static const struct httptrace_client_trace all_hooks = {
	.sz = sizeof(all_hooks),
	.get_conn = get_conn,
	.got_conn = got_conn,
	.put_idle_conn = put_idle_conn,
	.got_first_response_byte = got_first_response_byte,
	.got_100_continue = got_100_continue,
	.got_1xx_response = got_1xx_response,
	.dns_start = dns_start,
	.dns_done = dns_done,
	.connect_start = connect_start,
	.connect_done = connect_done,
	.tls_handshake_start = tls_handshake_start,
	.tls_handshake_done = tls_handshake_done,
	.wrote_header_field = wrote_header_field,
	.wrote_headers = wrote_headers,
	.wait_100_continue = wait_100_continue,
	.wrote_request = wrote_request,
	.got_response_headers = got_response_headers,
	.got_body = got_body,
	.conn_closed = conn_closed,
	.request_done = request_done,
};

static int set_up(void **state)
{
	struct httptrace_open_opts opts = { .sz = sizeof(opts) };

	(void)state;
	told[0] = 0;
	tracer = httptrace__open_file(CAPTURE, &opts);
	if (!tracer)
		print_error("%s (run from the source tree's root)\n", httptrace__open_error());
	return tracer ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	httptrace__close(tracer);
	return 0;
}

static int read_all(void)
{
	int cnt = 0, n;

	while ((n = httptrace__poll(tracer, -1)) > 0)
		cnt += n;
	assert_int_equal(n, -ENODATA);
	assert_string_equal(httptrace__error(tracer), "");
	assert_int_equal(httptrace__poll(tracer, 0), -ENODATA);
	return cnt;
}

static void hooks_with_their_arguments(void **state)
{
	static const char *const expected[] = {
		(" GetConn ConnectStart{tcp} ConnectDone{tcp,ok} TLSHandshakeStart TLSHandshakeDone{TLSv1.3,localhost,no,ok} GotConn{no,no,-}"
		 " WroteHeaderField WroteHeaderField WroteHeaderField WroteHeaderField{[redacted]} WroteHeaders WroteRequest{ok}"
		 " GotFirstResponseByte GotResponseHeaders{200} GotBody{5} PutIdleConn{ok}; request ok\n"),
		(" GetConn GotConn{yes,yes,idle} WroteHeaderField WroteHeaderField WroteHeaderField WroteHeaderField{[redacted]} WroteHeaders"
		 " WroteRequest{ok} GotFirstResponseByte GotResponseHeaders{200} GotBody{5} ConnClosed{client}; request ok\n"),
		" Wait100Continue GotFirstResponseByte Got100Continue Got1xxResponse{100,0} WroteRequest{ok} GotResponseHeaders{200}",
		" GetConn DNSStart{nosuch.invalid} DNSDone{0,EAI_NONAME,0}; dial dns_error\n",
		" GetConn ConnectStart{tcp} ConnectDone{tcp,ECONNREFUSED}; dial connect_error\n",
	};

	(void)state;
	assert_int_equal(httptrace__register(tracer, &all_hooks, told), 1);
	assert_int_equal(read_all(), 6);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!strstr(told, expected[i]))
			fail_msg("missing: %s\nin:\n%s", expected[i], told);
}

/* ---- getters ------------------------------------------------------------------------------------------------------------------------- */

static struct httptrace_request *kept[8];
static size_t kept_cnt;

static void keep(struct httptrace_request *request, void *ctx)
{
	(void)ctx;
	assert_true(kept_cnt < 8);
	kept[kept_cnt++] = httptrace_request__ref(request);
}

static const char *header(const struct httptrace_message *message, const char *name)
{
	for (size_t i = 0; i < message->header_cnt; i++)
		if (!strcmp(message->headers[i].name, name))
			return message->headers[i].value;
	return NULL;
}

static void check_first(const struct httptrace_request *request)
{
	const struct httptrace_conn *conn = httptrace_request__conn(request);
	struct httptrace_timings timings = { .sz = sizeof(timings) };
	const struct httptrace_message *sent = httptrace_request__sent(request), *received = httptrace_request__received(request);

	assert_int_equal(httptrace_request__kind(request), HTTPTRACE_REQUEST);
	assert_true(httptrace_request__pid(request) > 0 && httptrace_request__tid(request) > 0);
	assert_string_equal(httptrace_request__comm(request), "curl");
	assert_string_equal(httptrace_request__exe(request), "/usr/bin/curl");
	assert_string_equal(httptrace_request__method(request), "GET");
	assert_non_null(strstr(httptrace_request__url(request), "/first?token=[redacted]"));
	assert_memory_equal(httptrace_request__host_port(request), "localhost:", 10);
	assert_string_equal(httptrace_request__http(request), "1.1");
	assert_int_equal(httptrace_request__status(request), 200);
	assert_int_equal(httptrace_request__outcome(request), HTTPTRACE_OK);
	assert_null(httptrace_request__error(request));
	assert_int_equal(httptrace_request__error_phase(request), HTTPTRACE_PHASE_NONE);
	assert_int_equal(httptrace_request__lost(request), 0);
	assert_false(httptrace_request__is_open(request));
	assert_null(httptrace_request__grpc(request));
	assert_null(httptrace_request__websocket(request));
	assert_true(httptrace_request__mono_ns(request) > 0);
	assert_true(httptrace_request__realtime_ns(request) > 1700000000000000000ll);
	assert_int_equal(httptrace_request__timings(request, &timings), 0);
	assert_int_equal(timings.dns_ns, HTTPTRACE_UNKNOWN_NS);
	assert_true(timings.connect_ns > 0 && timings.tls_ns > 0 && timings.total_ns >= timings.connect_ns + timings.tls_ns);
	timings.sz = 0;
	assert_int_equal(httptrace_request__timings(request, &timings), -EINVAL);

	assert_non_null(conn);
	assert_non_null(conn->id);
	assert_non_null(conn->local);
	assert_non_null(conn->remote);
	assert_int_equal(conn->reused, HTTPTRACE_NO);
	assert_int_equal(conn->request_index, 1);
	assert_int_equal(conn->sz, sizeof(*conn));
	assert_int_equal(conn->stream_id, 0);
	assert_null(conn->proxy);
	assert_non_null(conn->tls);
	assert_string_equal(conn->tls->library, "openssl");
	assert_string_equal(conn->tls->version, "TLSv1.3");
	assert_non_null(conn->tls->cipher);
	assert_string_equal(conn->tls->server_name, "localhost");
	assert_string_equal(conn->tls->bound_by, "nested");

	assert_true(sent->is_known && sent->headers_complete && sent->header_bytes > 0);
	assert_int_equal(sent->body_bytes, 0);
	assert_string_equal(header(sent, "Authorization"), "[redacted]");
	assert_string_equal(header(received, "Content-Length"), "5");
	assert_int_equal(received->body_bytes, 5);
}

static void check_hooks(const struct httptrace_request *request)
{
	size_t cnt = httptrace_request__hook_cnt(request);
	int64_t before_ns = 0;
	enum httptrace_hook_id id;

	assert_true(cnt > 0);
	for (size_t i = 0; i < cnt; i++) {
		const struct httptrace_hook *hook = httptrace_request__hook(request, i, &id);

		assert_non_null(hook);
		assert_ptr_equal(httptrace_request__hook(request, i, NULL), hook);
		assert_true(hook->mono_ns >= before_ns);
		before_ns = hook->mono_ns;
		assert_string_not_equal(httptrace_hook__name(id), "unknown");
		assert_string_not_equal(httptrace_how__name(hook->how), "unknown");
		assert_int_equal(httptrace_hook__is_ext(id),
				 id == HTTPTRACE_GOT_RESPONSE_HEADERS || id == HTTPTRACE_GOT_BODY || id == HTTPTRACE_CONN_CLOSED);
	}
	errno = 0;
	assert_null(httptrace_request__hook(request, cnt, &id));
	assert_int_equal(errno, ENOENT);
}

static void getters_outlive_the_tracer(void **state)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = keep };
	uint64_t ids = 0;

	(void)state;
	kept_cnt = 0;
	assert_true(httptrace__register(tracer, &trace, NULL) > 0);
	read_all();
	httptrace__close(tracer);
	tracer = NULL;
	assert_int_equal(kept_cnt, 6);
	check_first(kept[0]);
	for (size_t i = 0; i < kept_cnt; i++) {
		check_hooks(kept[i]);
		assert_null(httptrace_request__trace(kept[i]));
		assert_true(httptrace_request__id(kept[i]) > 0 && httptrace_request__id(kept[i]) < 64);
		assert_false(ids & 1ull << httptrace_request__id(kept[i]));
		ids |= 1ull << httptrace_request__id(kept[i]);
	}
	assert_int_equal(httptrace_request__kind(kept[5]), HTTPTRACE_DIAL);
	assert_string_equal(httptrace_request__error(kept[5])->code, "ECONNREFUSED");
	assert_string_equal(httptrace_phase__name(httptrace_request__error_phase(kept[5])), "connect");
	assert_null(httptrace_request__method(kept[5]));
	assert_null(httptrace_request__url(kept[5]));
	assert_int_equal(httptrace_request__status(kept[5]), 0);
	for (size_t i = 0; i < kept_cnt; i++)
		httptrace_request__unref(kept[i]);
	httptrace_request__unref(NULL);
}

static void names_of_what_there_is_not(void **state)
{
	(void)state;
	assert_string_equal(httptrace_outcome__name((enum httptrace_outcome)99), "unknown");
	assert_string_equal(httptrace_phase__name((enum httptrace_phase)99), "unknown");
	assert_string_equal(httptrace_how__name((enum httptrace_how)99), "unknown");
	assert_string_equal(httptrace_kind__name((enum httptrace_kind)99), "unknown");
	assert_string_equal(httptrace_closer__name((enum httptrace_closer)99), "unknown");
	assert_string_equal(httptrace_hook__name(HTTPTRACE_HOOK_CNT), "unknown");
	assert_string_equal(httptrace__version(), HTTPTRACE_VERSION);
}

/* ---- registrations ------------------------------------------------------------------------------------------------------------------- */

static void count_done(struct httptrace_request *request, void *ctx)
{
	(void)request;
	++*(int *)ctx;
}

static void filters(void **state)
{
	static const struct {
		struct httptrace_filter filter;
		int cnt;
	} cases[] = {
		{ { .comm = "cur?" }, 6 },
		{ { .comm = "wget" }, 0 },
		{ { .pid = 1 }, 0 },
		{ { .host = "LOCALHOST" }, 2 },
		{ { .host = "127.0.0.1" }, 3 },
		{ { .host = "*.invalid" }, 1 },
		{ { .method = "get,head" }, 3 },
		{ { .method = "*" }, 4 },
		{ { .path = "/[pf]*" }, 2 },
		{ { .host = "127.*", .method = "POST", .path = "/post" }, 1 },
	};
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = count_done };
	int counts[sizeof(cases) / sizeof(cases[0])] = { 0 }, all = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct httptrace_filter filter = cases[i].filter;

		filter.sz = sizeof(filter);
		assert_true(httptrace__register_filtered(tracer, &trace, &filter, &counts[i]) > 0);
		/* It was copied. */
		memset(&filter, 0xff, sizeof(filter));
	}
	assert_true(httptrace__register_filtered(tracer, &trace, NULL, &all) > 0);
	read_all();
	assert_int_equal(all, 6);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (counts[i] != cases[i].cnt)
			print_error("case %zu\n", i);
		assert_int_equal(counts[i], cases[i].cnt);
	}
}

static int own_id;

static void unregisters_itself(struct httptrace_request *request, void *ctx)
{
	count_done(request, ctx);
	assert_int_equal(httptrace__unregister(tracer, own_id), 0);
	assert_int_equal(httptrace__unregister(tracer, own_id), -ENOENT);
	assert_true(httptrace__error(tracer)[0]);
	/* Not from in here. */
	assert_int_equal(httptrace__poll(tracer, 0), -EBUSY);
	assert_int_equal(httptrace__stop(tracer), -EBUSY);
	httptrace__close(tracer);
}

static void unregistered_in_callback(void **state)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = unregisters_itself };
	struct httptrace_client_trace plain = { .sz = sizeof(plain), .request_done = count_done };
	int own = 0, other = 0;

	(void)state;
	assert_int_equal(httptrace__register(tracer, &plain, &other), 1);
	own_id = httptrace__register(tracer, &trace, &own);
	assert_int_equal(own_id, 2);
	read_all();
	assert_int_equal(own, 1);
	assert_int_equal(other, 6);
}

static void refusals(void **state)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace) }, unset = { .sz = 0 };
	struct httptrace_filter cgroup = { .sz = sizeof(cgroup), .cgroup = "/" }, no_size = { .host = "a" };
	struct httptrace_open_opts bad = { .sz = sizeof(bad), .pid_cnt = 1 },
				   nowhere = { .sz = sizeof(nowhere), .cgroup = "/no/such/cgroup" };

	(void)state;
	assert_int_equal(httptrace__register(tracer, NULL, NULL), -EINVAL);
	assert_int_equal(httptrace__register(tracer, &unset, NULL), -EINVAL);
	assert_int_equal(httptrace__register(NULL, &trace, NULL), -EINVAL);
	assert_int_equal(httptrace__register_filtered(tracer, &trace, &no_size, NULL), -EINVAL);
	assert_int_equal(httptrace__register_filtered(tracer, &trace, &cgroup, NULL), -EOPNOTSUPP);
	assert_non_null(strstr(httptrace__error(tracer), "cgroup"));
	assert_int_equal(httptrace__unregister(tracer, 77), -ENOENT);
	assert_int_equal(httptrace__unregister(NULL, 1), -EINVAL);
	assert_int_equal(httptrace__poll(NULL, 0), -EINVAL);
	assert_int_equal(httptrace__stop(NULL), -EINVAL);
	assert_int_equal(httptrace__fd(NULL), -EINVAL);
	assert_int_equal(httptrace__fd(tracer), -1);
	httptrace__close(NULL);

	assert_null(httptrace__open(&bad));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(httptrace__open_error(), "pids"));
	assert_null(httptrace__open(&nowhere));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(httptrace__open_error(), "/no/such/cgroup"));
	assert_null(httptrace__open_file("/no/such/file", NULL));
	assert_int_equal(errno, ENOENT);
	assert_null(httptrace__open_file("/dev/null", NULL));
	assert_int_equal(errno, EBADMSG);
	assert_null(httptrace__open_file(NULL, NULL));
	assert_int_equal(errno, EINVAL);
}

/* ---- notices, stop, reports ---------------------------------------------------------------------------------------------------------- */

static struct {
	int kinds[3];
	uint64_t requests;
	uint64_t dials;
} noticed;

static void on_notice(const struct httptrace_notice *notice, void *ctx)
{
	assert_ptr_equal(ctx, &noticed);
	assert_true(notice->sz >= sizeof(*notice));
	noticed.kinds[notice->kind]++;
	noticed.requests = notice->requests;
	noticed.dials = notice->dials;
	if (notice->kind == HTTPTRACE_NOTICE_SUMMARY) {
		assert_true(notice->duration_ns > 0 || (notice->duration_ns == HTTPTRACE_UNKNOWN_NS && !notice->requests));
		assert_string_equal(notice->lost[0].name, "ringbuf");
		assert_true(notice->skipped_cnt > 0);
	}
}

static void on_log(enum httptrace_log_level level, const char *text, void *ctx)
{
	assert_true(level <= HTTPTRACE_LOG_DEBUG);
	assert_non_null(text);
	assert_ptr_equal(ctx, &noticed);
}

static void the_summary_comes_last_and_once(void **state)
{
	struct httptrace_open_opts opts = { .sz = sizeof(opts), .no_headers = true, .dials = HTTPTRACE_DIALS_NONE };

	(void)state;
	opts.notice = on_notice;
	opts.log = on_log;
	opts.notice_ctx = opts.log_ctx = &noticed;
	for (int has_read = 0; has_read < 2; has_read++) {
		memset(&noticed, 0, sizeof(noticed));
		tracer = httptrace__open_file(CAPTURE, &opts);
		assert_non_null(tracer);
		if (has_read)
			assert_int_equal(read_all(), 4);
		assert_int_equal(httptrace__stop(tracer), 0);
		assert_int_equal(httptrace__stop(tracer), 0);
		httptrace__close(tracer);
		assert_int_equal(noticed.kinds[HTTPTRACE_NOTICE_SUMMARY], 1);
		assert_int_equal(noticed.requests, has_read ? 4 : 0);
		assert_int_equal(noticed.dials, 0);
	}
	tracer = NULL;
}

static void count_line(const char *line, void *ctx)
{
	assert_null(strchr(line, '\n'));
	++*(int *)ctx;
}

static void count_capability(unsigned int number, const char *name, const char *why, void *ctx)
{
	assert_true(number < 64 && !strncmp(name, "CAP_", 4) && why[0]);
	++*(int *)ctx;
}

static void reports_without_a_tracer(void **state)
{
	pid_t pid = getpid();
	struct httptrace_open_opts opts = { .sz = sizeof(opts), .pids = &pid, .pid_cnt = 1 };
	int targets = 0, features = 0, capabilities = 0;

	(void)state;
	assert_int_equal(httptrace__targets(&opts, count_line, &targets), 0);
	assert_true(targets > 0);
	assert_int_equal(httptrace__features(count_line, &features), 0);
	assert_true(features > 0);
	assert_int_equal(httptrace__targets(&opts, NULL, NULL), -EINVAL);
	assert_int_equal(httptrace__features(NULL, NULL), -EINVAL);
	opts.without = "tp_btf";
	features = 0;
	assert_int_equal(httptrace__features_with(&opts, count_line, &features), 0);
	assert_true(features > 0);
	opts.without = "ringbuf,no_such_feature";
	assert_int_equal(httptrace__features_with(&opts, count_line, &features), -EINVAL);
	assert_non_null(strstr(httptrace__open_error(), "no_such_feature"));
	assert_int_equal(httptrace__capabilities(&opts, count_capability, NULL), -EINVAL);
	opts.without = NULL;
	assert_int_equal(httptrace__capabilities(NULL, NULL, NULL), -EINVAL);
	assert_int_equal(httptrace__capabilities(NULL, count_capability, &capabilities), 0);
	/* The two that BPF takes, and more: of who has them. */
	assert_true(geteuid() || capabilities >= 2);
	opts.pid_cnt = 0;
	opts.cgroup = "/no/such/cgroup";
	assert_int_equal(httptrace__targets(&opts, count_line, &targets), -ENOENT);
	assert_non_null(strstr(httptrace__open_error(), "/no/such/cgroup"));
}

static void in_cpp(void **state)
{
	(void)state;
	assert_int_equal(public_api_in_cpp(CAPTURE), 3 * 200 + 404 + 1000000);
}

/* ---- what is exported and what is written about it ----------------------------------------------------------------------------------- */

static char *text_of(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 18);
	size_t len;

	if (!file || !text)
		fail_msg("%s: %s (run from the source tree's root)", path, strerror(errno));
	len = fread(text, 1, (1 << 18) - 1, file);
	assert_true(len > 0);
	fclose(file);
	return text;
}

static bool has_name(const char *text, const char *name, const char *behind)
{
	size_t len = strlen(name);

	for (; (text = strstr(text, name)); text += len)
		if (strchr(behind, text[len]))
			return true;
	return false;
}

/* The next function that the header declares, into name; what is behind it, or NULL. */
static const char *next_function(const char *text, char *name, size_t size)
{
	size_t len;

	do {
		text = strstr(text, "\nHTTPTRACE_API ");
		if (!text)
			return NULL;
		text = strstr(text, "__");
		while (text && text[-1] != ' ' && text[-1] != '*')
			text--;
		assert_non_null(text);
		len = strcspn(text, "(");
	} while (!len);
	assert_true(len < size);
	memcpy(name, text, len);
	name[len] = 0;
	return text + len;
}

static void every_function_is_documented_used_and_exported(void **state)
{
	char *header = text_of("include/httptrace.h"), *man = text_of("docs/libhttptrace.3"),
	     *own = text_of("tests/unit/test_public_api.c");
	char library[512], command[600], line[512], name[128], exported[1 << 14] = "\n";
	ssize_t len = readlink("/proc/self/exe", library, sizeof(library) - 32);
	const char *at = header;
	int cnt = 0, symbols = 0;
	FILE *nm;

	(void)state;
	/* build/tests/unit/test_public_api */
	assert_true(len > 0);
	for (int i = 0; i < 3; i++) {
		library[len] = 0;
		len = strrchr(library, '/') - library;
	}
	strcpy(library + len, "/libhttptrace.so");
	snprintf(command, sizeof(command), "nm -D --defined-only '%s'", library);
	nm = popen(command, "re");
	assert_non_null(nm);
	while (fgets(line, sizeof(line), nm)) {
		char *symbol = strrchr(line, ' '), *version;

		assert_non_null(symbol);
		symbol++;
		symbol[strcspn(symbol, "\n")] = 0;
		version = strchr(symbol, '@');
		/* The version's own name: absolute, without a version. */
		if (!version) {
			assert_memory_equal(symbol, "HTTPTRACE_", 10);
			continue;
		}
		assert_true(!strncmp(version, "@@HTTPTRACE_", 12) || !strncmp(version, "@HTTPTRACE_", 11));
		*version = 0;
		if (!strstr(header, symbol))
			fail_msg("%s is exported, and not in the header", symbol);
		symbols++;
		assert_true(strlen(exported) + strlen(symbol) + 2 < sizeof(exported));
		strcat(exported, symbol);
		strcat(exported, "\n");
	}
	assert_int_equal(pclose(nm), 0);
	while ((at = next_function(at, name, sizeof(name)))) {
		if (!has_name(exported, name, "\n"))
			fail_msg("%s is not exported", name);
		if (!has_name(man, name, "\" ("))
			fail_msg("%s is not in libhttptrace(3)", name);
		if (!has_name(own, name, "("))
			fail_msg("%s is not called here", name);
		cnt++;
	}
	assert_int_equal(cnt, symbols);
	assert_true(cnt > 40);
	free(header);
	free(man);
	free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hooks_with_their_arguments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(getters_outlive_the_tracer, set_up, tear_down),
		cmocka_unit_test(names_of_what_there_is_not),
		cmocka_unit_test_setup_teardown(filters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unregistered_in_callback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
		cmocka_unit_test(the_summary_comes_last_and_once),
		cmocka_unit_test(reports_without_a_tracer),
		cmocka_unit_test(in_cpp),
		cmocka_unit_test(every_function_is_documented_used_and_exported),
	};

	return cmocka_run_group_tests_name("public_api", tests, NULL, NULL);
}
