/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jsonl.c - the sink `jsonl`: one JSON object a line.
 *
 * In:  requests, dials, WebSockets, notices. Out: objects whose every key is always there, null where the value is not known; keys and their
 * order are fixed by the interface that scripts rely on: they are added to at an object's end, never renamed or removed. Some keys are there
 * only for what they are about: "headers_complete", "stream_id", "grpc", "open", "ext".
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "sink.h"

#define VERSION      1
#define NSEC_PER_SEC 1000000000

static void put_ns(struct ht_json *json, const char *key, int64_t ns)
{
	if (ns == HTTPTRACE_UNKNOWN_NS)
		ht_json_null(json, key);
	else
		ht_json_int(json, key, ns);
}

static void put_tristate(struct ht_json *json, const char *key, enum httptrace_tristate value)
{
	if (value == HTTPTRACE_NOT_KNOWN)
		ht_json_null(json, key);
	else
		ht_json_bool(json, key, value == HTTPTRACE_YES);
}

/* null instead of 0, where that stands for not known. */
static void put_nonzero(struct ht_json *json, const char *key, int64_t value)
{
	if (value)
		ht_json_int(json, key, value);
	else
		ht_json_null(json, key);
}

/* null instead of -1. */
static void put_count(struct ht_json *json, const char *key, int64_t cnt)
{
	if (cnt < 0)
		ht_json_null(json, key);
	else
		ht_json_int(json, key, cnt);
}

/* Two digits. */
static char *put_two(char *at, unsigned int value, char behind)
{
	at[0] = (char)('0' + value / 10 % 10);
	at[1] = (char)('0' + value % 10);
	at[2] = behind;
	return at + 3;
}

/*
 * What strftime() and gmtime_r() would say of a time from 1970 to 9999, at a twentieth of the price. Days to a date: Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days(), for days that are not negative.
 */
static void fast_time(char text[sizeof("2026-01-02T03:04:05.123456789Z")], uint64_t sec, uint32_t nsec)
{
	uint32_t day = (uint32_t)(sec / 86400) + 719468, in_day = (uint32_t)(sec % 86400);
	uint32_t era = day / 146097, of_era = day % 146097;
	uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100); /* from 1 March on */
	uint32_t month = (5 * of_year + 2) / 153, year = year_of_era + era * 400 + (month >= 10);
	char *at = text;

	at = put_two(at, year / 100, '0');
	at = put_two(at - 1, year % 100, '-');
	at = put_two(at, month < 10 ? month + 3 : month - 9, '-');
	at = put_two(at, of_year - (153 * month + 2) / 5 + 1, 'T');
	at = put_two(at, in_day / 3600, ':');
	at = put_two(at, in_day / 60 % 60, ':');
	at = put_two(at, in_day % 60, '.');
	for (int i = 8; i >= 0; i--, nsec /= 10)
		at[i] = (char)('0' + nsec % 10);
	at[9] = 'Z';
	at[10] = 0;
}

/* The first second of the year 10000. */
#define FAST_TIME_END 253402300800

/* RFC 3339, UTC. */
static void put_time(struct ht_json *json, const char *key, int64_t realtime_ns)
{
	int64_t sec = realtime_ns / NSEC_PER_SEC, nsec = realtime_ns % NSEC_PER_SEC;
	char text[64], fraction[16];
	struct tm tm;
	time_t t;

	if (nsec < 0) {
		nsec += NSEC_PER_SEC;
		sec--;
	}
	if (sec >= 0 && sec < FAST_TIME_END && realtime_ns != HTTPTRACE_UNKNOWN_NS) {
		fast_time(text, (uint64_t)sec, (uint32_t)nsec);
		ht_json_word(json, key, text);
		return;
	}
	t = (time_t)sec;
	if (realtime_ns == HTTPTRACE_UNKNOWN_NS || !gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text) - sizeof(fraction), "%Y-%m-%dT%H:%M:%S", &tm)) {
		ht_json_null(json, key);
		return;
	}
	snprintf(fraction, sizeof(fraction), ".%09dZ", (int)nsec);
	strcat(text, fraction);
	ht_json_string(json, key, text);
}

/* A hook's error: what failed is said by the hook. */
static void put_error(struct ht_json *json, const char *key, const struct httptrace_error *error)
{
	if (!error) {
		ht_json_null(json, key);
		return;
	}
	ht_json_begin_object(json, key);
	ht_json_string(json, "code", error->code);
	ht_json_string(json, "message", error->message);
	ht_json_end_object(json);
}

static void put_headers(struct ht_json *json, const char *key, const struct httptrace_header *headers, size_t cnt, bool is_known)
{
	size_t i;

	if (!is_known) {
		ht_json_null(json, key);
		return;
	}
	ht_json_begin_list(json, key);
	for (i = 0; i < cnt; i++) {
		ht_json_begin_list(json, NULL);
		ht_json_string(json, NULL, headers[i].name);
		ht_json_string(json, NULL, headers[i].value);
		ht_json_end_list(json);
	}
	ht_json_end_list(json);
}

static void put_message(struct ht_json *json, const char *key, const struct httptrace_message *message, const struct ht_sink_opts *opts)
{
	bool with_headers = opts->with_headers && message->is_known;

	ht_json_begin_object(json, key);
	put_headers(json, "headers", message->headers, message->header_cnt, with_headers);
	put_count(json, "header_bytes", message->is_known ? message->header_bytes : -1);
	put_count(json, "body_bytes", message->is_known ? message->body_bytes : -1);
	/* Said only where the list misleads without it. */
	if (with_headers && !message->headers_complete)
		ht_json_bool(json, "headers_complete", false);
	if (message->source)
		ht_json_string(json, "source", message->source);
	ht_json_end_object(json);
}

static void put_proxy(struct ht_json *json, const struct httptrace_proxy *proxy)
{
	if (!proxy) {
		ht_json_null(json, "proxy");
		return;
	}
	ht_json_begin_object(json, "proxy");
	ht_json_string(json, "type", proxy->type);
	ht_json_string(json, "address", proxy->address);
	put_nonzero(json, "status", proxy->status);
	ht_json_end_object(json);
}

static void put_conn(struct ht_json *json, const struct httptrace_conn *conn)
{
	const struct httptrace_tls *tls = conn ? conn->tls : NULL;

	if (!conn) {
		ht_json_null(json, "conn");
		return;
	}
	ht_json_begin_object(json, "conn");
	ht_json_string(json, "id", conn->id);
	ht_json_string(json, "local", conn->local);
	ht_json_string(json, "remote", conn->remote);
	put_tristate(json, "reused", conn->reused);
	put_tristate(json, "was_idle", conn->was_idle);
	put_ns(json, "idle_ns", conn->idle_ns);
	put_nonzero(json, "request_index", (int64_t)conn->request_index);
	if (tls) {
		ht_json_begin_object(json, "tls");
		ht_json_string(json, "library", tls->library);
		ht_json_string(json, "version", tls->version);
		ht_json_string(json, "cipher", tls->cipher);
		ht_json_string(json, "alpn", tls->alpn);
		ht_json_string(json, "server_name", tls->server_name);
		put_tristate(json, "resumed", tls->resumed);
		ht_json_string(json, "bound_by", tls->bound_by);
		ht_json_end_object(json);
	} else {
		ht_json_null(json, "tls");
	}
	put_proxy(json, conn->proxy);
	if (conn->stream_id)
		ht_json_uint(json, "stream_id", conn->stream_id);
	ht_json_end_object(json);
}

static void put_timings(struct ht_json *json, const struct httptrace_request *request)
{
	struct httptrace_timings t = { .sz = sizeof(t) };

	httptrace_request__timings(request, &t);
	ht_json_begin_object(json, "timings_ns");
	put_ns(json, "blocked", t.blocked_ns);
	put_ns(json, "dns", t.dns_ns);
	put_ns(json, "connect", t.connect_ns);
	put_ns(json, "tls", t.tls_ns);
	put_ns(json, "send", t.send_ns);
	put_ns(json, "wait", t.wait_ns);
	put_ns(json, "receive", t.receive_ns);
	put_ns(json, "total", t.total_ns);
	ht_json_end_object(json);
}

static void put_strings(struct ht_json *json, const char *key, const char *const *values, size_t cnt)
{
	size_t i;

	ht_json_begin_list(json, key);
	for (i = 0; i < cnt; i++)
		ht_json_string(json, NULL, values[i]);
	ht_json_end_list(json);
}

#define AS(type) ((const struct httptrace_##type##_info *)info)

static void put_args(struct ht_json *json, enum httptrace_hook_id id, const struct httptrace_hook *info, bool with_headers)
{
	ht_json_begin_object(json, "args");
	switch (id) {
	case HTTPTRACE_GET_CONN:
		ht_json_string(json, "host_port", AS(get_conn)->host_port);
		break;
	case HTTPTRACE_DNS_START:
		ht_json_string(json, "host", AS(dns_start)->host);
		break;
	case HTTPTRACE_DNS_DONE:
		put_strings(json, "addrs", AS(dns_done)->addrs, AS(dns_done)->addr_cnt);
		put_error(json, "error", AS(dns_done)->error);
		ht_json_bool(json, "coalesced", AS(dns_done)->coalesced);
		break;
	case HTTPTRACE_CONNECT_START:
		ht_json_string(json, "network", AS(connect_start)->network);
		ht_json_string(json, "addr", AS(connect_start)->addr);
		break;
	case HTTPTRACE_CONNECT_DONE:
		ht_json_string(json, "network", AS(connect_done)->network);
		ht_json_string(json, "addr", AS(connect_done)->addr);
		put_error(json, "error", AS(connect_done)->error);
		break;
	case HTTPTRACE_TLS_HANDSHAKE_DONE:
		ht_json_string(json, "version", AS(tls_handshake_done)->version);
		ht_json_string(json, "cipher", AS(tls_handshake_done)->cipher);
		ht_json_string(json, "alpn", AS(tls_handshake_done)->alpn);
		ht_json_string(json, "server_name", AS(tls_handshake_done)->server_name);
		put_tristate(json, "resumed", AS(tls_handshake_done)->resumed);
		put_error(json, "error", AS(tls_handshake_done)->error);
		break;
	case HTTPTRACE_GOT_CONN:
		put_tristate(json, "reused", AS(got_conn)->reused);
		put_tristate(json, "was_idle", AS(got_conn)->was_idle);
		put_ns(json, "idle_ns", AS(got_conn)->idle_ns);
		break;
	case HTTPTRACE_WROTE_HEADER_FIELD:
		ht_json_string(json, "key", AS(wrote_header_field)->key);
		put_strings(json, "values", AS(wrote_header_field)->values, AS(wrote_header_field)->value_cnt);
		break;
	case HTTPTRACE_WROTE_REQUEST:
		put_error(json, "error", AS(wrote_request)->error);
		break;
	case HTTPTRACE_GOT_1XX_RESPONSE:
		ht_json_int(json, "code", AS(got_1xx)->code);
		put_headers(json, "headers", AS(got_1xx)->headers, AS(got_1xx)->header_cnt, with_headers);
		break;
	case HTTPTRACE_GOT_RESPONSE_HEADERS:
		put_nonzero(json, "status", AS(got_response_headers)->status);
		break;
	case HTTPTRACE_GOT_BODY:
		ht_json_uint(json, "bytes", AS(got_body)->bytes);
		break;
	case HTTPTRACE_PUT_IDLE_CONN:
		put_error(json, "error", AS(put_idle_conn)->error);
		break;
	case HTTPTRACE_CONN_CLOSED:
		ht_json_word(json, "by", httptrace_closer__name(AS(conn_closed)->by));
		break;
	case HTTPTRACE_TLS_HANDSHAKE_START:
	case HTTPTRACE_WROTE_HEADERS:
	case HTTPTRACE_WAIT_100_CONTINUE:
	case HTTPTRACE_GOT_FIRST_RESPONSE_BYTE:
	case HTTPTRACE_GOT_100_CONTINUE:
	case HTTPTRACE_HOOK_CNT:
		break;
	}
	ht_json_end_object(json);
}

static void put_hooks(struct ht_json *json, const struct ht_sink_opts *opts, const struct httptrace_request *request)
{
	size_t n, cnt = httptrace_request__hook_cnt(request);

	ht_json_begin_list(json, "hooks");
	for (n = 0; n < cnt; n++) {
		enum httptrace_hook_id id;
		const struct httptrace_hook *hook = httptrace_request__hook(request, n, &id);

		if (id == HTTPTRACE_WROTE_HEADER_FIELD && !opts->with_headers)
			continue;
		ht_json_begin_object(json, NULL);
		ht_json_word(json, "hook", httptrace_hook__name(id));
		ht_json_int(json, "mono_ns", hook->mono_ns);
		ht_json_word(json, "how", httptrace_how__name(hook->how));
		put_args(json, id, hook, opts->with_headers);
		if (httptrace_hook__is_ext(id))
			ht_json_bool(json, "ext", true);
		ht_json_end_object(json);
	}
	ht_json_end_list(json);
}

static void put_request_error(struct ht_json *json, const struct httptrace_request *request)
{
	const struct httptrace_error *error = httptrace_request__error(request);
	enum httptrace_phase phase = httptrace_request__error_phase(request);

	if (!error) {
		ht_json_null(json, "error");
		return;
	}
	ht_json_begin_object(json, "error");
	ht_json_string(json, "phase", phase == HTTPTRACE_PHASE_NONE ? NULL : httptrace_phase__name(phase));
	ht_json_string(json, "code", error->code);
	ht_json_string(json, "message", error->message);
	ht_json_end_object(json);
}

static void put_grpc(struct ht_json *json, const struct httptrace_grpc *grpc)
{
	if (!grpc)
		return;
	ht_json_begin_object(json, "grpc");
	ht_json_string(json, "service", grpc->service);
	ht_json_string(json, "method", grpc->method);
	ht_json_string(json, "status", grpc->status);
	put_count(json, "status_code", grpc->status_code);
	ht_json_string(json, "message", grpc->message);
	put_count(json, "messages_sent", grpc->messages_sent);
	put_count(json, "messages_received", grpc->messages_received);
	ht_json_end_object(json);
}

static void put_websocket(struct ht_json *json, const struct httptrace_websocket *websocket)
{
	put_count(json, "frames_sent", websocket->frames_sent);
	put_count(json, "frames_received", websocket->frames_received);
	put_nonzero(json, "close_code", websocket->close_code);
	if (websocket->is_closed)
		ht_json_word(json, "closed_by", httptrace_closer__name(websocket->closed_by));
	else
		ht_json_null(json, "closed_by");
}

static void begin_line(struct ht_json *json, struct ht_buf *out, const char *type)
{
	ht_json_init(json, out);
	ht_json_begin_object(json, NULL);
	ht_json_word(json, "type", type);
	ht_json_int(json, "v", VERSION);
}

static void end_line(struct ht_json *json)
{
	ht_json_end_object(json);
	ht_buf_char(json->out, '\n');
}

static void jsonl_request(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request)
{
	enum httptrace_kind kind = httptrace_request__kind(request);
	struct ht_json json;

	begin_line(&json, out, httptrace_kind__name(kind));
	put_time(&json, "time", httptrace_request__realtime_ns(request));
	put_ns(&json, "mono_ns", httptrace_request__mono_ns(request));
	put_nonzero(&json, "pid", httptrace_request__pid(request));
	put_nonzero(&json, "tid", httptrace_request__tid(request));
	ht_json_string(&json, "comm", httptrace_request__comm(request));
	ht_json_string(&json, "exe", httptrace_request__exe(request));
	switch (kind) {
	case HTTPTRACE_DIAL:
		ht_json_string(&json, "host_port", httptrace_request__host_port(request));
		break;
	case HTTPTRACE_WEBSOCKET:
		ht_json_string(&json, "url", httptrace_request__url(request));
		ht_json_string(&json, "http", httptrace_request__http(request));
		put_websocket(&json, httptrace_request__websocket(request));
		break;
	case HTTPTRACE_REQUEST:
		ht_json_string(&json, "method", httptrace_request__method(request));
		ht_json_string(&json, "url", httptrace_request__url(request));
		ht_json_string(&json, "http", httptrace_request__http(request));
		put_nonzero(&json, "status", httptrace_request__status(request));
		break;
	}
	ht_json_word(&json, "outcome", httptrace_outcome__name(httptrace_request__outcome(request)));
	put_request_error(&json, request);
	put_conn(&json, httptrace_request__conn(request));
	if (kind == HTTPTRACE_REQUEST) {
		put_message(&json, "request", httptrace_request__sent(request), opts);
		put_message(&json, "response", httptrace_request__received(request), opts);
	}
	put_timings(&json, request);
	put_hooks(&json, opts, request);
	ht_json_uint(&json, "lost", httptrace_request__lost(request));
	put_grpc(&json, httptrace_request__grpc(request));
	if (httptrace_request__is_open(request))
		ht_json_bool(&json, "open", true);
	end_line(&json);
}

static void put_lost(struct ht_json *json, const struct httptrace_notice *notice)
{
	ht_json_uint(json, "count", notice->count);
	ht_json_string(json, "where", notice->where);
}

static void put_target(struct ht_json *json, const struct httptrace_notice *notice)
{
	ht_json_string(json, "action", notice->action);
	ht_json_string(json, "target", notice->target);
	put_nonzero(json, "pid", notice->pid);
	ht_json_string(json, "path", notice->path);
	ht_json_string(json, "reason", notice->reason);
	ht_json_uint(json, "probes", notice->probe_cnt);
}

static void put_counters(struct ht_json *json, const struct httptrace_counter *counters, size_t cnt)
{
	size_t i;

	for (i = 0; i < cnt; i++) {
		/* A place where events were lost is named by a record, which a capture may have from anywhere. */
		ht_json_key(json, counters[i].name);
		ht_json_uint(json, NULL, counters[i].count);
	}
}

static void put_summary(struct ht_json *json, const struct httptrace_notice *notice)
{
	ht_json_uint(json, "requests", notice->requests);
	ht_json_uint(json, "dials", notice->dials);
	ht_json_uint(json, "events", notice->events);
	ht_json_begin_object(json, "lost");
	put_counters(json, notice->lost, notice->lost_cnt);
	ht_json_end_object(json);
	put_counters(json, notice->skipped, notice->skipped_cnt);
	put_ns(json, "duration_ns", notice->duration_ns);
	ht_json_uint(json, "websockets", notice->websockets);
}

static void jsonl_notice(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_notice *notice)
{
	struct ht_json json;

	(void)opts;
	switch (notice->kind) {
	case HTTPTRACE_NOTICE_LOST:
		begin_line(&json, out, "lost");
		put_lost(&json, notice);
		break;
	case HTTPTRACE_NOTICE_TARGET:
		begin_line(&json, out, "target");
		put_target(&json, notice);
		break;
	case HTTPTRACE_NOTICE_SUMMARY:
		begin_line(&json, out, "summary");
		put_summary(&json, notice);
		break;
	default:
		return;
	}
	end_line(&json);
}

const struct ht_sink_type ht_sink_jsonl = {
	.name = "jsonl",
	.request = jsonl_request,
	.notice = jsonl_notice,
};
