/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_text.c - the sinks `text` and `hooks`: golden lines, widths, colours, what is made harmless.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "req/request.h"
#include "sample.h"
#include "text_fmt.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *text_of(const struct ht_sink_type *type, const struct ht_sink_opts *opts, struct httptrace_request *request)
{
	static struct ht_buf out;

	ht_buf_cut(&out, 0);
	type->request(&out, opts, request);
	httptrace_request__unref(request);
	ht_buf_char(&out, 0);
	return out.data;
}

static void durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *expected;
	} cases[] = {
		{ HTTPTRACE_UNKNOWN_NS, "-" },
		{ 0, "0" },
		{ 1, "1ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 9994, "9.99us" },
		{ 9995, "10.0us" },
		{ 45500, "45.5us" },
		{ 99949, "99.9us" },
		{ 99950, "100us" },
		{ 999499, "999us" },
		{ 999500, "1.00ms" },
		{ 4510000, "4.51ms" },
		{ 999499999, "999ms" },
		{ 999500000, "1.00s" },
		{ 12345678901, "12.3s" },
		{ 3600000000000, "3600s" },
		{ -5, "-5ns" },
	};
	char text[HT_DURATION_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++)
		assert_string_equal(ht_fmt_duration(text, cases[i].ns), cases[i].expected);
	/* Whatever it is, it fits. */
	ht_fmt_duration(text, INT64_MAX);
	ht_fmt_duration(text, -INT64_MAX);
}

/* Against printf(), whose rounding is that of the binary value. */
static void durations_as_printf_has_them(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 300000; i++) {
		/* All that there are up to 20 us, and then of every magnitude. */
		int64_t ns = i < 20000 ? (int64_t)i + 1000 : (int64_t)(seed >> (seed % 43 + 21)) + 1000;
		double value = ns < 999500 ? (double)ns / 1e3 : ns < 999500000 ? (double)ns / 1e6 : (double)ns / 1e9;
		char text[HT_DURATION_LEN], expected[64];

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		snprintf(expected, sizeof(expected), "%.*f%s",
			 value < 9.995   ? 2
			 : value < 99.95 ? 1
					 : 0,
			 value,
			 ns < 999500      ? "us"
			 : ns < 999500000 ? "ms"
					  : "s");
		assert_string_equal(ht_fmt_duration(text, ns), expected);
	}
}

static void piped(void **state)
{
	struct ht_sink_opts opts = { 0 };

	(void)state;
	assert_string_equal(
		text_of(&ht_sink_text, &opts, sample_https()),
		"03:04:05.123 4711 curl GET https://localhost:8443/a?b 200 dns=850us connect=100us tls=4.51ms wait=3.29ms receive=12.0us total=9.00ms\n");
	assert_string_equal(text_of(&ht_sink_text, &opts, sample_cut()),
			    "03:04:05.123 4711 curl POST http://localhost:8443/upload 417 wait=0 receive=1.00us total=3.00us reused lost=2 "
			    "closed by server in receive: the server closed after 3 of 5 bytes (unexpected_eof)\n");
	assert_string_equal(text_of(&ht_sink_text, &opts, sample_refused()),
			    "03:04:05.123 4711 curl - 127.0.0.1:1 - total=74.4us failed in connect: Connection refused (ECONNREFUSED)\n");
	assert_string_equal(
		text_of(&ht_sink_text, &opts, sample_grpc()),
		"03:04:05.123 4711 curl POST https://localhost:8443/pkg.Svc/Get 200 wait=1.00us receive=1.00us total=2.00us reused "
		"http=2 stream=5 proxy=http://127.0.0.1:3128 grpc=NOT_FOUND messages=1/0 "
		"gRPC error in receive: no such thing (NOT_FOUND)\n");
	assert_string_equal(
		text_of(&ht_sink_text, &opts, sample_websocket()),
		"03:04:05.123 4711 curl - http://localhost:8080/chat - total=5.00us websocket frames=3/4 close=1000 by=client\n");
	assert_string_equal(text_of(&ht_sink_text, &opts, sample_unused()), "03:04:05.123 4711 curl - localhost - unused\n");
	assert_string_equal(
		text_of(&ht_sink_text, &opts, sample_hostile()),
		"03:04:05.123 4711 \\x1b]0;x\\x07 ? http://a/\"\\\\x09\\xff\\xe2\\x82z\\xed\\xa0\\x80\\xc2\\x9b\\xe2\\x80\\xae\xf0\x9f\x98\x80 - "
		"lost=18446744073709551615 incomplete in wait: tracing ended\\x0ahere (tracing_ended)\n");
}

static void piped_when_little_is_known(void **state)
{
	struct ht_sink_opts opts = { 0 };
	struct httptrace_request *request = sample_grpc();

	(void)state;
	request->proxy = (struct httptrace_proxy){ .sz = sizeof(request->proxy) };
	request->grpc =
		(struct httptrace_grpc){ .sz = sizeof(request->grpc), .status_code = 99, .messages_sent = -1, .messages_received = 2 };
	request->error = (struct httptrace_error){ "99", "status 99" };
	assert_non_null(
		strstr(text_of(&ht_sink_text, &opts, request), " proxy=?://? grpc=99 messages=?/2 gRPC error in receive: status 99\n"));
	request = sample_websocket();
	request->websocket = (struct httptrace_websocket){ .sz = sizeof(request->websocket), .frames_sent = -1, .frames_received = -1 };
	request->is_open = true;
	request->outcome = HTTPTRACE_INCOMPLETE;
	request->error_phase = HTTPTRACE_PHASE_RECEIVE;
	request->error = (struct httptrace_error){ "tracing_ended", "tracing ended" };
	assert_non_null(strstr(text_of(&ht_sink_text, &opts, request),
			       " websocket frames=?/? still open in receive: tracing ended (tracing_ended)\n"));
}

static void columns(void **state)
{
	static const struct {
		const char *why;
		unsigned int width;
		struct httptrace_request *(*sample)(void);
		const char *heading;
		const char *expected;
	} cases[] = {
		{ "all of them, the URL takes the rest", 120, sample_https,
		  "TIME             PID PROCESS    METHOD URL                            STATUS    DNS CONNECT    TLS   WAIT RECEIVE  TOTAL\n",
		  "03:04:05.123    4711 curl       GET    https://localhost:8443/a?b        200  850us   100us 4.51ms 3.29ms  12.0us 9.00ms\n" },
		{ "wide enough for the version", 125, sample_https,
		  "TIME             PID PROCESS    METHOD URL                            STATUS HTTP    DNS CONNECT    TLS   WAIT RECEIVE  TOTAL\n",
		  "03:04:05.123    4711 curl       GET    https://localhost:8443/a?b        200  1.1  850us   100us 4.51ms 3.29ms  12.0us 9.00ms\n" },
		{ "one less", 124, sample_https,
		  "TIME             PID PROCESS    METHOD URL                                STATUS    DNS CONNECT    TLS   WAIT RECEIVE  TOTAL\n",
		  "03:04:05.123    4711 curl       GET    https://localhost:8443/a?b            200  850us   100us 4.51ms 3.29ms  12.0us 9.00ms\n" },
		{ "behind the columns what only some have", 125, sample_grpc,
		  "TIME             PID PROCESS    METHOD URL                            STATUS HTTP    DNS CONNECT    TLS   WAIT RECEIVE  TOTAL\n",
		  "03:04:05.123    4711 curl       POST   https://localhost:8443/pkg.Sv\xe2\x80\xa6    200    2 gRPC error in receive: no such thing (NOT_FOUND) after 2.00us, "
		  "reused proxy=http://127.0.0.1:3128 grpc=NOT_FOUND messages=1/0\n" },
		{ "a WebSocket", 80, sample_websocket, "TIME         PID PROCESS  METHOD URL                STATUS CONNECT   WAIT  TOTAL\n",
		  "03:04:05    4711 curl     -      http://localhost:\xe2\x80\xa6      -       -      - 5.00us websocket frames=3/4 close=1000 by=client\n" },
		{ "80 columns: what matters most, the URL cut", 80, sample_https,
		  "TIME         PID PROCESS  METHOD URL                STATUS CONNECT   WAIT  TOTAL\n",
		  "03:04:05    4711 curl     GET    https://localhost\xe2\x80\xa6    200   100us 3.29ms 9.00ms\n" },
		{ "a failure tells all of its reason", 80, sample_refused,
		  "TIME         PID PROCESS  METHOD URL                STATUS CONNECT   WAIT  TOTAL\n",
		  "03:04:05    4711 curl     -      127.0.0.1:1             - failed in connect: Connection refused (ECONNREFUSED) after 74.4us\n" },
		{ "a failure on a reused connection", 120, sample_cut,
		  "TIME             PID PROCESS    METHOD URL                            STATUS    DNS CONNECT    TLS   WAIT RECEIVE  TOTAL\n",
		  "03:04:05.123    4711 curl       POST   http://localhost:8443/upload      417 closed by server in receive: the server closed after 3 of 5 bytes "
		  "(unexpected_eof) after 3.00us, reused lost=2\n" },
		{ "hopelessly narrow", 20, sample_https, "METHOD URL                STATUS   WAIT  TOTAL\n",
		  "GET    https://localhost\xe2\x80\xa6    200 3.29ms 9.00ms\n" },
	};
	struct ht_sink_opts opts = { .is_terminal = true };
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++) {
		struct ht_buf out = { 0 };

		opts.width = cases[i].width;
		ht_sink_text.begin(&out, &opts);
		ht_buf_char(&out, 0);
		if (strcmp(out.data, cases[i].heading))
			print_error("%s\n", cases[i].why);
		assert_string_equal(out.data, cases[i].heading);
		assert_string_equal(text_of(&ht_sink_text, &opts, cases[i].sample()), cases[i].expected);
		ht_buf_free(&out);
	}
}

static void reused_stands_where_connecting_would(void **state)
{
	static const struct {
		unsigned int width;
		const char *expected;
	} cases[] = {
		{ 120,
		  "03:04:05.123    4711 curl       POST   http://localhost:8443/upload      417      -  reused      -      0  1.00us 3.00us\n" },
		{ 80, "03:04:05    4711 curl     POST   http://localhost:\xe2\x80\xa6    417  reused      0 3.00us\n" },
		{ 60, "03:04:05 POST   http://localhost:8443/\xe2\x80\xa6    417      0 3.00us reused\n" },
	};
	struct ht_sink_opts opts = { .is_terminal = true };
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++) {
		struct httptrace_request *request = sample_cut();

		request->outcome = HTTPTRACE_OK;
		request->error.code = NULL;
		request->lost = 0;
		opts.width = cases[i].width;
		assert_string_equal(text_of(&ht_sink_text, &opts, request), cases[i].expected);
	}
}

static void colours(void **state)
{
	struct ht_sink_opts opts = { .with_color = true };
	const char *line = text_of(&ht_sink_text, &opts, sample_https());

	(void)state;
	assert_non_null(strstr(line, "\033[32m200\033[0m"));
	line = text_of(&ht_sink_text, &opts, sample_refused());
	assert_non_null(strstr(line, "\033[31mfailed in connect: Connection refused (ECONNREFUSED)\033[0m\n"));
	opts.with_color = false;
	assert_null(strchr(text_of(&ht_sink_text, &opts, sample_refused()), '\033'));
	assert_null(strchr(text_of(&ht_sink_hooks, &opts, sample_hostile()), '\033'));
}

static void hooks_piped(void **state)
{
	struct ht_sink_opts opts = { .with_headers = true };

	(void)state;
	assert_string_equal(
		text_of(&ht_sink_hooks, &opts, sample_https()),
		"03:04:05.123 4711 curl GET https://localhost:8443/a?b 200 dns=850us connect=100us tls=4.51ms wait=3.29ms receive=12.0us total=9.00ms\n"
		"           +0 ~ GetConn              localhost:8443\n"
		"           +0   DNSStart             localhost\n"
		"       +850us   DNSDone              ::1 127.0.0.1\n"
		"       +900us   ConnectStart         tcp [::1]:8443\n"
		"       +950us   ConnectDone          tcp [::1]:8443 error: Connection refused (ECONNREFUSED)\n"
		"       +960us   ConnectStart         tcp 127.0.0.1:8443\n"
		"      +1.00ms   ConnectDone          tcp 127.0.0.1:8443\n"
		"      +1.10ms   TLSHandshakeStart\n"
		"      +5.61ms   TLSHandshakeDone     TLSv1.3 TLS_AES_256_GCM_SHA384 alpn=http/1.1 server_name=localhost\n"
		"      +5.61ms ~ GotConn              reused=false was_idle=false\n"
		"      +5.70ms * WroteHeaderField     Host: localhost:8443\n"
		"      +5.70ms * WroteHeaderField     Authorization: [redacted]\n"
		"      +5.70ms * WroteHeaders\n"
		"      +5.70ms   WroteRequest\n"
		"      +8.99ms   GotFirstResponseByte\n"
		"      +8.99ms   GotResponseHeaders   200\n"
		"      +9.00ms   GotBody              5 bytes\n"
		"      +9.00ms ~ PutIdleConn\n");
	assert_non_null(strstr(text_of(&ht_sink_hooks, &opts, sample_grpc()),
			       "           +0 * WroteHeaderField     :path: /pkg.Svc/Get\n"
			       "           +0 * WroteHeaderField     te (value not known)\n"
			       "           +0   WroteRequest\n"
			       "      +1.00us   GotFirstResponseByte\n"
			       "      +1.00us   Got1xxResponse       103 link (value not known), x: 1\n"
			       "      +1.00us   GotResponseHeaders   (status not known)\n"));
	opts.with_headers = false;
	assert_null(strstr(text_of(&ht_sink_hooks, &opts, sample_https()), "WroteHeaderField"));
	assert_string_equal(text_of(&ht_sink_hooks, &opts, sample_cut()),
			    "03:04:05.123 4711 curl POST http://localhost:8443/upload 417 wait=0 receive=1.00us total=3.00us reused lost=2 "
			    "closed by server in receive: the server closed after 3 of 5 bytes (unexpected_eof)\n"
			    "           +0 ~ GetConn              localhost:8443\n"
			    "           +0 ~ GotConn              reused=true was_idle=true idle=50.1ms\n"
			    "      +1.00us * WroteHeaders\n"
			    "      +1.00us ~ Wait100Continue\n"
			    "      +2.00us   GotFirstResponseByte\n"
			    "      +2.00us   Got1xxResponse       103\n"
			    "      +2.50us   GotResponseHeaders   417\n"
			    "      +2.50us ~ WroteRequest         error: the body was deliberately not sent (body_not_sent)\n"
			    "      +3.00us   ConnClosed           by server\n");
}

static void hooks_on_a_terminal(void **state)
{
	struct ht_sink_opts opts = { .is_terminal = true, .width = 60 };
	struct ht_buf out = { 0 };

	(void)state;
	ht_sink_hooks.begin(&out, &opts);
	ht_buf_char(&out, 0);
	assert_non_null(strstr(out.data, "~ inferred"));
	ht_buf_free(&out);
	assert_non_null(strstr(text_of(&ht_sink_hooks, &opts, sample_https()),
			       "      +5.61ms   TLSHandshakeDone     TLSv1.3 TLS_AES_256_GC\xe2\x80\xa6\n"));
	/* What went wrong is told whole. */
	assert_non_null(
		strstr(text_of(&ht_sink_hooks, &opts, sample_https()), "tcp [::1]:8443 error: Connection refused (ECONNREFUSED)\n"));
}

static void losses(void **state)
{
	static const struct httptrace_notice lost = { .kind = HTTPTRACE_NOTICE_LOST, .count = 3, .where = "ringbuf" },
					     target = { .kind = HTTPTRACE_NOTICE_TARGET, .action = "attached", .target = "process" };
	struct ht_sink_opts opts = { 0 };
	struct ht_buf out = { 0 };

	(void)state;
	ht_sink_text.notice(&out, &opts, &target);
	assert_int_equal(out.len, 0);
	ht_sink_text.notice(&out, &opts, &lost);
	ht_buf_char(&out, 0);
	assert_string_equal(out.data, "lost 3 events (ringbuf): requests of this moment may be missing or incomplete\n");
	ht_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(durations_as_printf_has_them),
		cmocka_unit_test(piped),
		cmocka_unit_test(piped_when_little_is_known),
		cmocka_unit_test(columns),
		cmocka_unit_test(reused_stands_where_connecting_would),
		cmocka_unit_test(colours),
		cmocka_unit_test(hooks_piped),
		cmocka_unit_test(hooks_on_a_terminal),
		cmocka_unit_test(losses),
	};

	/* Times of day are local. */
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
