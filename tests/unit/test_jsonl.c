/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_jsonl.c - the sink `jsonl`: keys and their order, what is null, escapes, whole lines.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "json.h"
#include "req/request.h"
#include "sample.h"
#include "sink.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the sink makes of a request, without its newline. Static. */
static const char *line_of(struct httptrace_request *request, bool with_headers)
{
	struct ht_sink_opts opts = { .with_headers = with_headers };
	static struct ht_buf out;

	ht_buf_cut(&out, 0);
	ht_sink_jsonl.request(&out, &opts, request);
	httptrace_request__unref(request);
	assert_true(out.len > 0 && out.data[out.len - 1] == '\n');
	assert_ptr_equal(memchr(out.data, '\n', out.len), out.data + out.len - 1);
	out.data[out.len - 1] = 0;
	return out.data;
}

static void https_with_headers(void **state)
{
	(void)state;
	assert_string_equal(
		line_of(sample_https(), true),
		"{\"type\":\"request\",\"v\":1,\"time\":\"2026-01-02T03:04:05.123456789Z\",\"mono_ns\":120,\"pid\":4711,\"tid\":4712,\"comm\":\"curl\","
		"\"exe\":\"/usr/bin/curl\",\"method\":\"GET\",\"url\":\"https://localhost:8443/a?b\",\"http\":\"1.1\",\"status\":200,\"outcome\":\"ok\",\"error\":null,"
		"\"conn\":{\"id\":\"c-17\",\"local\":\"127.0.0.1:40000\",\"remote\":\"127.0.0.1:8443\",\"reused\":false,\"was_idle\":false,\"idle_ns\":null,"
		"\"request_index\":1,\"tls\":{\"library\":\"openssl\",\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\",\"alpn\":\"http/1.1\","
		"\"server_name\":\"localhost\",\"resumed\":false,\"bound_by\":\"nested\"},\"proxy\":null},"
		"\"request\":{\"headers\":[[\"Host\",\"localhost:8443\"],[\"Authorization\",\"[redacted]\"]],\"header_bytes\":82,\"body_bytes\":0},"
		"\"response\":{\"headers\":[[\"Content-Length\",\"5\"]],\"header_bytes\":38,\"body_bytes\":5},"
		"\"timings_ns\":{\"blocked\":150000,\"dns\":850000,\"connect\":100000,\"tls\":4510000,\"send\":90000,\"wait\":3288000,\"receive\":12000,\"total\":9000000},"
		"\"hooks\":["
		"{\"hook\":\"GetConn\",\"mono_ns\":120,\"how\":\"inferred\",\"args\":{\"host_port\":\"localhost:8443\"}},"
		"{\"hook\":\"DNSStart\",\"mono_ns\":120,\"how\":\"observed\",\"args\":{\"host\":\"localhost\"}},"
		"{\"hook\":\"DNSDone\",\"mono_ns\":850120,\"how\":\"observed\",\"args\":{\"addrs\":[\"::1\",\"127.0.0.1\"],\"error\":null,\"coalesced\":false}},"
		"{\"hook\":\"ConnectStart\",\"mono_ns\":900120,\"how\":\"observed\",\"args\":{\"network\":\"tcp\",\"addr\":\"[::1]:8443\"}},"
		"{\"hook\":\"ConnectDone\",\"mono_ns\":950120,\"how\":\"observed\",\"args\":{\"network\":\"tcp\",\"addr\":\"[::1]:8443\","
		"\"error\":{\"code\":\"ECONNREFUSED\",\"message\":\"Connection refused\"}}},"
		"{\"hook\":\"ConnectStart\",\"mono_ns\":960120,\"how\":\"observed\",\"args\":{\"network\":\"tcp\",\"addr\":\"127.0.0.1:8443\"}},"
		"{\"hook\":\"ConnectDone\",\"mono_ns\":1000120,\"how\":\"observed\",\"args\":{\"network\":\"tcp\",\"addr\":\"127.0.0.1:8443\",\"error\":null}},"
		"{\"hook\":\"TLSHandshakeStart\",\"mono_ns\":1100120,\"how\":\"observed\",\"args\":{}},"
		"{\"hook\":\"TLSHandshakeDone\",\"mono_ns\":5610120,\"how\":\"observed\",\"args\":{\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\","
		"\"alpn\":\"http/1.1\",\"server_name\":\"localhost\",\"resumed\":false,\"error\":null}},"
		"{\"hook\":\"GotConn\",\"mono_ns\":5610120,\"how\":\"inferred\",\"args\":{\"reused\":false,\"was_idle\":false,\"idle_ns\":null}},"
		"{\"hook\":\"WroteHeaderField\",\"mono_ns\":5700120,\"how\":\"proxy\",\"args\":{\"key\":\"Host\",\"values\":[\"localhost:8443\"]}},"
		"{\"hook\":\"WroteHeaderField\",\"mono_ns\":5700120,\"how\":\"proxy\",\"args\":{\"key\":\"Authorization\",\"values\":[\"[redacted]\"]}},"
		"{\"hook\":\"WroteHeaders\",\"mono_ns\":5700120,\"how\":\"proxy\",\"args\":{}},"
		"{\"hook\":\"WroteRequest\",\"mono_ns\":5700120,\"how\":\"observed\",\"args\":{\"error\":null}},"
		"{\"hook\":\"GotFirstResponseByte\",\"mono_ns\":8988120,\"how\":\"observed\",\"args\":{}},"
		"{\"hook\":\"GotResponseHeaders\",\"mono_ns\":8988120,\"how\":\"observed\",\"args\":{\"status\":200},\"ext\":true},"
		"{\"hook\":\"GotBody\",\"mono_ns\":9000120,\"how\":\"observed\",\"args\":{\"bytes\":5},\"ext\":true},"
		"{\"hook\":\"PutIdleConn\",\"mono_ns\":9000120,\"how\":\"inferred\",\"args\":{\"error\":null}}],"
		"\"lost\":0}");
}

static void without_headers_no_field_leaves(void **state)
{
	const char *line = line_of(sample_https(), false);

	(void)state;
	assert_non_null(strstr(line, "\"request\":{\"headers\":null,\"header_bytes\":82,\"body_bytes\":0},"
				     "\"response\":{\"headers\":null,\"header_bytes\":38,\"body_bytes\":5},"));
	assert_null(strstr(line, "WroteHeaderField"));
	assert_null(strstr(line, "Authorization"));
	assert_null(strstr(line, "Content-Length"));
}

static void cut_response(void **state)
{
	const char *line = line_of(sample_cut(), true);

	(void)state;
	assert_non_null(strstr(
		line,
		"\"status\":417,\"outcome\":\"closed\","
		"\"error\":{\"phase\":\"receive\",\"code\":\"unexpected_eof\",\"message\":\"the server closed after 3 of 5 bytes\"},"));
	assert_non_null(
		strstr(line, "\"reused\":true,\"was_idle\":true,\"idle_ns\":50100000,\"request_index\":2,\"tls\":null,\"proxy\":null}"));
	assert_non_null(strstr(
		line,
		"\"request\":{\"headers\":[],\"header_bytes\":100,\"body_bytes\":0,\"source\":\"nghttp2\"},"
		"\"response\":{\"headers\":[[\"Content-Length\",\"5\"]],\"header_bytes\":38,\"body_bytes\":3,\"headers_complete\":false},"));
	assert_non_null(strstr(
		line,
		"\"timings_ns\":{\"blocked\":null,\"dns\":null,\"connect\":null,\"tls\":null,\"send\":2500,\"wait\":0,\"receive\":1000,\"total\":3000}"));
	assert_non_null(strstr(line, "{\"hook\":\"Got1xxResponse\",\"mono_ns\":2120,\"how\":\"observed\","
				     "\"args\":{\"code\":103,\"headers\":[[\"Link\",\"</a.css>\"],[\"X\",\"1\"]]}}"));
	assert_non_null(
		strstr(line, "\"args\":{\"error\":{\"code\":\"body_not_sent\",\"message\":\"the body was deliberately not sent\"}}"));
	assert_non_null(strstr(
		line,
		"{\"hook\":\"ConnClosed\",\"mono_ns\":3120,\"how\":\"observed\",\"args\":{\"by\":\"server\"},\"ext\":true}],\"lost\":2}"));
	assert_non_null(strstr(line_of(sample_cut(), false), "\"args\":{\"code\":103,\"headers\":null}"));
}

static void grpc_on_a_stream_through_a_proxy(void **state)
{
	struct httptrace_request *request = sample_grpc();
	const char *line = line_of(sample_grpc(), true);

	(void)state;
	assert_non_null(strstr(line, "\"http\":\"2\",\"status\":200,\"outcome\":\"grpc_error\","
				     "\"error\":{\"phase\":\"receive\",\"code\":\"NOT_FOUND\",\"message\":\"no such thing\"},"));
	assert_non_null(strstr(line, "\"request_index\":3,\"tls\":null,\"proxy\":{\"type\":\"http\",\"address\":\"127.0.0.1:3128\","
				     "\"status\":200},\"stream_id\":5},"));
	assert_non_null(strstr(line, "\"request\":{\"headers\":[[\"content-type\",\"application/grpc\"],[\"te\",null]],"
				     "\"header_bytes\":50,\"body_bytes\":12,\"headers_complete\":false},"));
	assert_non_null(strstr(line, "\"args\":{\"key\":\":path\",\"values\":[\"/pkg.Svc/Get\"]}"));
	assert_non_null(strstr(line, "\"args\":{\"key\":\"te\",\"values\":[null]}"));
	assert_non_null(strstr(line, "\"args\":{\"code\":103,\"headers\":[[\"link\",null],[\"x\",\"1\"]]}"));
	assert_non_null(strstr(
		line, "{\"hook\":\"GotResponseHeaders\",\"mono_ns\":1120,\"how\":\"observed\",\"args\":{\"status\":null},\"ext\":true}"));
	assert_string_equal(strstr(line, "\"lost\":"),
			    "\"lost\":0,\"grpc\":{\"service\":\"pkg.Svc\",\"method\":\"Get\",\"status\":\"NOT_FOUND\",\"status_code\":5,"
			    "\"message\":\"no such thing\",\"messages_sent\":1,\"messages_received\":0}}");

	request->proxy = (struct httptrace_proxy){ .sz = sizeof(request->proxy) };
	request->grpc = (struct httptrace_grpc){ sizeof(request->grpc), NULL, NULL, NULL, -1, NULL, -1, -1 };
	request->outcome = HTTPTRACE_INCOMPLETE;
	request->is_open = true;
	line = line_of(request, true);
	assert_non_null(strstr(line, "\"proxy\":{\"type\":null,\"address\":null,\"status\":null},\"stream_id\":5},"));
	assert_string_equal(strstr(line, "\"lost\":"),
			    "\"lost\":0,\"grpc\":{\"service\":null,\"method\":null,\"status\":null,\"status_code\":null,"
			    "\"message\":null,\"messages_sent\":null,\"messages_received\":null},\"open\":true}");
}

static void websockets(void **state)
{
	struct httptrace_request *request = sample_websocket();

	(void)state;
	assert_string_equal(
		line_of(sample_websocket(), true),
		"{\"type\":\"websocket\",\"v\":1,\"time\":\"2026-01-02T03:04:05.123456789Z\",\"mono_ns\":120,\"pid\":4711,\"tid\":4712,\"comm\":\"curl\","
		"\"exe\":\"/usr/bin/curl\",\"url\":\"http://localhost:8080/chat\",\"http\":\"1.1\",\"frames_sent\":3,\"frames_received\":4,"
		"\"close_code\":1000,\"closed_by\":\"client\",\"outcome\":\"ok\",\"error\":null,"
		"\"conn\":{\"id\":\"c-17\",\"local\":\"127.0.0.1:40000\",\"remote\":\"127.0.0.1:8443\",\"reused\":false,\"was_idle\":null,\"idle_ns\":null,"
		"\"request_index\":1,\"tls\":null,\"proxy\":null},"
		"\"timings_ns\":{\"blocked\":null,\"dns\":null,\"connect\":null,\"tls\":null,\"send\":null,\"wait\":null,\"receive\":null,\"total\":5000},"
		"\"hooks\":[],\"lost\":0}");
	request->websocket = (struct httptrace_websocket){ .sz = sizeof(request->websocket), .frames_sent = -1, .frames_received = -1 };
	request->is_open = true;
	request->outcome = HTTPTRACE_INCOMPLETE;
	request->error_phase = HTTPTRACE_PHASE_RECEIVE;
	request->error = (struct httptrace_error){ "tracing_ended", "tracing ended" };
	assert_non_null(strstr(line_of(request, true),
			       "\"frames_sent\":null,\"frames_received\":null,\"close_code\":null,\"closed_by\":null,"
			       "\"outcome\":\"incomplete\","));
}

static void dials(void **state)
{
	(void)state;
	assert_string_equal(
		line_of(sample_refused(), true),
		"{\"type\":\"dial\",\"v\":1,\"time\":\"2026-01-02T03:04:05.123456789Z\",\"mono_ns\":120,\"pid\":4711,\"tid\":4712,\"comm\":\"curl\","
		"\"exe\":\"/usr/bin/curl\",\"host_port\":\"127.0.0.1:1\",\"outcome\":\"connect_error\","
		"\"error\":{\"phase\":\"connect\",\"code\":\"ECONNREFUSED\",\"message\":\"Connection refused\"},\"conn\":null,"
		"\"timings_ns\":{\"blocked\":null,\"dns\":null,\"connect\":null,\"tls\":null,\"send\":null,\"wait\":null,\"receive\":null,\"total\":74360},"
		"\"hooks\":[{\"hook\":\"GetConn\",\"mono_ns\":120,\"how\":\"inferred\",\"args\":{\"host_port\":\"127.0.0.1:1\"}},"
		"{\"hook\":\"ConnectStart\",\"mono_ns\":120,\"how\":\"observed\",\"args\":{\"network\":\"tcp\",\"addr\":\"127.0.0.1:1\"}},"
		"{\"hook\":\"ConnectDone\",\"mono_ns\":74480,\"how\":\"observed\",\"args\":{\"network\":\"tcp\",\"addr\":\"127.0.0.1:1\","
		"\"error\":{\"code\":\"ECONNREFUSED\",\"message\":\"Connection refused\"}}}],\"lost\":0}");
	assert_non_null(strstr(line_of(sample_unused(), true), "\"host_port\":\"localhost\",\"outcome\":\"unused\",\"error\":null,"));
}

static void little_known_and_hostile(void **state)
{
	(void)state;
	assert_string_equal(
		line_of(sample_hostile(), true),
		"{\"type\":\"request\",\"v\":1,\"time\":\"2026-01-02T03:04:05.123456789Z\",\"mono_ns\":120,\"pid\":4711,\"tid\":null,"
		"\"comm\":\"\\u001b]0;x\\u0007\",\"exe\":null,\"method\":null,"
		"\"url\":\"http://a/\\\"\\\\\\t\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u009b\\u202e\xf0\x9f\x98\x80\","
		"\"http\":null,\"status\":null,\"outcome\":\"incomplete\","
		"\"error\":{\"phase\":\"wait\",\"code\":\"tracing_ended\",\"message\":\"tracing ended\\nhere\"},\"conn\":null,"
		"\"request\":{\"headers\":null,\"header_bytes\":null,\"body_bytes\":null},\"response\":{\"headers\":null,\"header_bytes\":null,\"body_bytes\":null},"
		"\"timings_ns\":{\"blocked\":null,\"dns\":null,\"connect\":null,\"tls\":null,\"send\":null,\"wait\":null,\"receive\":null,\"total\":null},"
		"\"hooks\":[],\"lost\":18446744073709551615}");
}

static void notices(void **state)
{
	static const struct httptrace_counter hostile[] = { { "a\"b\\", 1 }, { "\n", 2 } };
	static const struct httptrace_counter lost[] = { { "ringbuf", 3 }, { "malformed", 1 } },
					      skipped[] = { { "unbound", 0 }, { "http2_skipped", 2 } };
	static const struct {
		struct httptrace_notice notice;
		const char *expected;
	} cases[] = {
		{ { .kind = HTTPTRACE_NOTICE_LOST, .count = 3, .where = "ringbuf" },
		  "{\"type\":\"lost\",\"v\":1,\"count\":3,\"where\":\"ringbuf\"}\n" },
		{ { .kind = HTTPTRACE_NOTICE_TARGET, .action = "attached", .target = "library", .path = "/a/libssl.so.3", .probe_cnt = 24 },
		  "{\"type\":\"target\",\"v\":1,\"action\":\"attached\",\"target\":\"library\",\"pid\":null,\"path\":\"/a/libssl.so.3\",\"reason\":null,\"probes\":24}\n" },
		{ { .kind = HTTPTRACE_NOTICE_TARGET, .action = "refused", .target = "process", .pid = 9, .reason = "gone" },
		  "{\"type\":\"target\",\"v\":1,\"action\":\"refused\",\"target\":\"process\",\"pid\":9,\"path\":null,\"reason\":\"gone\",\"probes\":0}\n" },
		{ { .kind = HTTPTRACE_NOTICE_SUMMARY,
		    .requests = 4,
		    .dials = 1,
		    .events = UINT64_MAX,
		    .duration_ns = 5,
		    .lost = lost,
		    .lost_cnt = 2,
		    .skipped = skipped,
		    .skipped_cnt = 2,
		    .websockets = 7 },
		  "{\"type\":\"summary\",\"v\":1,\"requests\":4,\"dials\":1,\"events\":18446744073709551615,\"lost\":{\"ringbuf\":3,\"malformed\":1},"
		  "\"unbound\":0,\"http2_skipped\":2,\"duration_ns\":5,\"websockets\":7}\n" },
		{ { .kind = HTTPTRACE_NOTICE_SUMMARY, .duration_ns = HTTPTRACE_UNKNOWN_NS },
		  "{\"type\":\"summary\",\"v\":1,\"requests\":0,\"dials\":0,\"events\":0,\"lost\":{},\"duration_ns\":null,\"websockets\":0}\n" },
		{ { .kind = HTTPTRACE_NOTICE_SUMMARY, .lost = hostile, .lost_cnt = 2, .duration_ns = 1 },
		  "{\"type\":\"summary\",\"v\":1,\"requests\":0,\"dials\":0,\"events\":0,\"lost\":{\"a\\\"b\\\\\":1,\"\\n\":2},"
		  "\"duration_ns\":1,\"websockets\":0}\n" },
		{ { .kind = (enum httptrace_notice_kind)99 }, "" },
	};
	struct ht_sink_opts opts = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++) {
		struct ht_buf out = { 0 };

		ht_sink_jsonl.notice(&out, &opts, &cases[i].notice);
		ht_buf_char(&out, 0);
		assert_string_equal(out.data, cases[i].expected);
		ht_buf_free(&out);
	}
}

/* The bytes to the right are what Python's bytes.decode("utf-8", "replace") makes of those to the left, the quotes and escapes apart. */
static void strings(void **state)
{
	static const struct {
		const char *why;
		const char *text;
		const char *expected;
	} cases[] = {
		{ "empty", "", "\"\"" },
		{ "all short escapes", "\b\f\n\r\t\"\\/", "\"\\b\\f\\n\\r\\t\\\"\\\\/\"" },
		{ "other control characters", "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		{ "one alone in a word of plain ones", "abcdefg\x7fhijklmn", "\"abcdefg\\u007fhijklmn\"" },
		{ "what a terminal obeys in UTF-8: C1, separators, directions", "\xc2\x9b\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6",
		  "\"\\u009b\\u2028\\u202e\\u2066\"" },
		{ "what is next to those", "~\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
		  "\"~\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\"" },
		{ "two, three and four bytes", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a byte that begins nothing",
		  "a\xff"
		  "b\x80",
		  "\"a\xef\xbf\xbd"
		  "b\xef\xbf\xbd\"" },
		{ "cut at the end: one for the part", "\xe2\x82", "\"\xef\xbf\xbd\"" },
		{ "cut by another: one for the part", "\xf0\x9f\x98.", "\"\xef\xbf\xbd.\"" },
		{ "overlong: one for each byte", "\xc0\xaf\xe0\x80\xaf",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "surrogate: one for each byte", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "last character, and one past it", "\xf4\x8f\xbf\xbf\xf4\x90\x80\x80",
		  "\"\xf4\x8f\xbf\xbf\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "null", NULL, "null" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++) {
		struct ht_buf out = { 0 };
		struct ht_json json;

		ht_json_init(&json, &out);
		ht_json_string(&json, NULL, cases[i].text);
		ht_buf_char(&out, 0);
		if (strcmp(out.data, cases[i].expected))
			print_error("%s\n", cases[i].why);
		assert_string_equal(out.data, cases[i].expected);
		ht_buf_free(&out);
	}
}

static void numbers(void **state)
{
	struct ht_buf out = { 0 };
	struct ht_json json;

	(void)state;
	ht_json_init(&json, &out);
	ht_json_begin_list(&json, NULL);
	ht_json_int(&json, NULL, INT64_MIN);
	ht_json_int(&json, NULL, 9007199254740993);
	ht_json_uint(&json, NULL, UINT64_MAX);
	ht_json_bool(&json, NULL, true);
	ht_json_null(&json, NULL);
	ht_json_end_list(&json);
	ht_buf_char(&out, 0);
	assert_string_equal(out.data, "[-9223372036854775808,9007199254740993,18446744073709551615,true,null]");
	ht_buf_free(&out);
}

/* Against the C library, over the whole range of the clock and around the days on which calendars differ. */
static void times(void **state)
{
	static const int64_t days[] = { 0, 58, 59, 60, 365, 789, 11016, 11017, 10957, 19722, 19782, 19783, 47540, 47541, 106750 };
	struct ht_sink_opts opts = { 0 };
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		int64_t ns;
		struct httptrace_request *request = sample_refused();
		char expected[64], wanted[96];
		struct ht_buf out = { 0 };
		struct tm tm;
		time_t t;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		ns = i < 2 * CNT(days) ? days[i / 2] * 86400 * 1000000000 + (int64_t)(i % 2) * 86399999999999 : (int64_t)(seed >> 1);
		request->realtime_offset_ns = ns - httptrace_request__mono_ns(request);
		t = (time_t)(ns / 1000000000);
		assert_non_null(gmtime_r(&t, &tm));
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(wanted, sizeof(wanted), "\"time\":\"%s.%09dZ\",", expected, (int)(ns % 1000000000));
		ht_sink_jsonl.request(&out, &opts, request);
		ht_buf_char(&out, 0);
		if (!strstr(out.data, wanted))
			fail_msg("%s: %s", wanted, out.data);
		ht_buf_free(&out);
		httptrace_request__unref(request);
	}
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------- */

/* A pipe in packet mode (O_DIRECT) gives each write(2) back as one read(2). Where COMMAND writes too, each report is one. */
static void lines_are_never_split(void **state)
{
	static char packet[1 << 20];
	struct ht_sink_opts opts = { .is_shared = true };
	struct ht_sink *sink;
	int fds[2], i;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(fds, O_DIRECT | O_NONBLOCK), 0);
	opts.fd = fds[1];
	sink = ht_sink_new("jsonl", &opts);
	assert_non_null(sink);
	for (i = 0; i < 12; i++) {
		struct httptrace_request *request = i % 3 ? sample_refused() : sample_https();

		ht_sink_request(sink, request);
		httptrace_request__unref(request);
		n = read(fds[0], packet, sizeof(packet));
		assert_true(n > 0 && n <= PIPE_BUF);
		assert_memory_equal(packet, "{\"type\":", 8);
		assert_ptr_equal(memchr(packet, '\n', (size_t)n), packet + n - 1);
	}
	assert_int_equal(ht_sink_flush(sink), 0);
	assert_int_equal(read(fds[0], packet, sizeof(packet)), -1);
	ht_sink_free(sink);
	close(fds[0]);
	close(fds[1]);
}

/* Nothing is written before it is asked for, but when more has gathered than goes into one write: then whole lines. */
static void lines_gather(void **state)
{
	static char got[1 << 20];
	struct ht_sink_opts opts = { 0 };
	struct httptrace_request *request = sample_https();
	struct ht_sink *sink;
	size_t lines = 0, cnt = 0;
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	opts.fd = fds[1];
	sink = ht_sink_new("jsonl", &opts);
	assert_non_null(sink);
	for (n = -1; n < 0 && cnt < 1000; cnt++) {
		ht_sink_request(sink, request);
		n = read(fds[0], got, sizeof(got));
	}
	assert_true(n > 60000 && n <= 65536);
	assert_int_equal(got[n - 1], '\n');
	assert_int_equal(ht_sink_flush(sink), 0);
	for (; n > 0; n = read(fds[0], got, sizeof(got)))
		for (ssize_t i = 0; i < n; i++)
			lines += got[i] == '\n';
	assert_int_equal(lines, cnt);
	httptrace_request__unref(request);
	ht_sink_free(sink);
	close(fds[0]);
	close(fds[1]);
}

static void failures(void **state)
{
	struct ht_sink_opts opts = { 0 };
	struct httptrace_request *request = sample_https();
	struct ht_sink *sink;
	int fds[2];

	(void)state;
	opts.fd = open("/dev/full", O_WRONLY);
	assert_true(opts.fd >= 0);
	sink = ht_sink_new("jsonl", &opts);
	assert_non_null(sink);
	ht_sink_request(sink, request);
	assert_int_equal(ht_sink_flush(sink), -ENOSPC);
	ht_sink_request(sink, request);
	assert_int_equal(ht_sink_flush(sink), -ENOSPC);
	ht_sink_free(sink);
	close(opts.fd);

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	opts.fd = fds[1];
	sink = ht_sink_new("jsonl", &opts);
	assert_non_null(sink);
	assert_int_equal(ht_sink_flush(sink), 0);
	ht_sink_request(sink, request);
	assert_int_equal(ht_sink_flush(sink), -EPIPE);
	ht_sink_free(sink);
	close(fds[1]);

	errno = 0;
	assert_null(ht_sink_new("xml", &opts));
	assert_int_equal(errno, EINVAL);
	assert_false(ht_sink_exists("xml"));
	assert_true(ht_sink_exists("jsonl") && ht_sink_exists("text") && ht_sink_exists("hooks"));
	httptrace_request__unref(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(https_with_headers),
		cmocka_unit_test(without_headers_no_field_leaves),
		cmocka_unit_test(cut_response),
		cmocka_unit_test(grpc_on_a_stream_through_a_proxy),
		cmocka_unit_test(websockets),
		cmocka_unit_test(dials),
		cmocka_unit_test(little_known_and_hostile),
		cmocka_unit_test(notices),
		cmocka_unit_test(strings),
		cmocka_unit_test(numbers),
		cmocka_unit_test(lines_are_never_split),
		cmocka_unit_test(lines_gather),
		cmocka_unit_test(times),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests_name("jsonl", tests, NULL, NULL);
}
