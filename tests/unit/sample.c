/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sample.c - see sample.h.
 */
#include <assert.h>

#include "req/request.h"
#include "sample.h"

static const char *const addrs[] = { "::1", "127.0.0.1" };
static const struct httptrace_header sent[] = { { "Host", "localhost:8443" }, { "Authorization", "[redacted]" } };
static const struct httptrace_header received[] = { { "Content-Length", "5" } };
static const struct httptrace_header hints[] = { { "Link", "</a.css>" }, { "X", "1" } };
static const struct httptrace_error refused = { "ECONNREFUSED", "Connection refused" };

static struct httptrace_request *new_request(enum httptrace_kind kind, uint64_t id)
{
	struct httptrace_request *request = ht_request_new(kind, id);

	assert(request);
	request->pid = 4711;
	request->tid = 4712;
	request->comm = "curl";
	request->exe = "/usr/bin/curl";
	request->realtime_offset_ns = SAMPLE_REALTIME_NS - SAMPLE_MONO_NS;
	return request;
}

static void add(struct httptrace_request *request, enum httptrace_hook_id id, int64_t mono_ns, enum httptrace_how how, const void *info)
{
	int err = ht_request_add_hook(request, id, mono_ns, how, info);

	assert(!err);
	(void)err;
}

static void add_field(struct httptrace_request *request, int64_t mono_ns, const struct httptrace_header *header)
{
	add(request, HTTPTRACE_WROTE_HEADER_FIELD, mono_ns, HTTPTRACE_PROXY,
	    &(struct httptrace_wrote_header_field_info){ .key = header->name, .values = &header->value, .value_cnt = 1 });
}

static void set_conn(struct httptrace_request *request, enum httptrace_tristate reused)
{
	request->has_conn = true;
	request->conn.id = "c-17";
	request->conn.local = "127.0.0.1:40000";
	request->conn.remote = "127.0.0.1:8443";
	request->conn.reused = reused;
}

struct httptrace_request *sample_https(void)
{
	struct httptrace_request *request = new_request(HTTPTRACE_REQUEST, 1);
	const int64_t t = SAMPLE_MONO_NS;

	request->method = "GET";
	request->url = "https://localhost:8443/a?b";
	request->host_port = "localhost:8443";
	request->http = "1.1";
	request->status = 200;
	request->outcome = HTTPTRACE_OK;
	set_conn(request, HTTPTRACE_NO);
	request->conn.was_idle = HTTPTRACE_NO;
	request->conn.request_index = 1;
	request->has_tls = true;
	request->conn.tls = &request->tls;
	request->tls.library = "openssl";
	request->tls.version = "TLSv1.3";
	request->tls.cipher = "TLS_AES_256_GCM_SHA384";
	request->tls.alpn = "http/1.1";
	request->tls.server_name = "localhost";
	request->tls.resumed = HTTPTRACE_NO;
	request->tls.bound_by = "nested";
	request->sent = (struct httptrace_message){ sizeof(request->sent), true, true, sent, 2, 82, 0, NULL };
	request->received = (struct httptrace_message){ sizeof(request->received), true, true, received, 1, 38, 5, NULL };
	request->end_ns = t + 9000000;

	add(request, HTTPTRACE_GET_CONN, t, HTTPTRACE_INFERRED, &(struct httptrace_get_conn_info){ .host_port = "localhost:8443" });
	add(request, HTTPTRACE_DNS_START, t, HTTPTRACE_OBSERVED, &(struct httptrace_dns_start_info){ .host = "localhost" });
	add(request, HTTPTRACE_DNS_DONE, t + 850000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_dns_done_info){ .addrs = addrs, .addr_cnt = 2 });
	add(request, HTTPTRACE_CONNECT_START, t + 900000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_connect_start_info){ .network = "tcp", .addr = "[::1]:8443" });
	add(request, HTTPTRACE_CONNECT_DONE, t + 950000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_connect_done_info){ .network = "tcp", .addr = "[::1]:8443", .error = &refused });
	add(request, HTTPTRACE_CONNECT_START, t + 960000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_connect_start_info){ .network = "tcp", .addr = "127.0.0.1:8443" });
	add(request, HTTPTRACE_CONNECT_DONE, t + 1000000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_connect_done_info){ .network = "tcp", .addr = "127.0.0.1:8443" });
	add(request, HTTPTRACE_TLS_HANDSHAKE_START, t + 1100000, HTTPTRACE_OBSERVED, NULL);
	add(request, HTTPTRACE_TLS_HANDSHAKE_DONE, t + 5610000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_tls_handshake_done_info){ .version = "TLSv1.3",
							 .cipher = "TLS_AES_256_GCM_SHA384",
							 .alpn = "http/1.1",
							 .server_name = "localhost",
							 .resumed = HTTPTRACE_NO });
	add(request, HTTPTRACE_GOT_CONN, t + 5610000, HTTPTRACE_INFERRED,
	    &(struct httptrace_got_conn_info){ .reused = HTTPTRACE_NO, .was_idle = HTTPTRACE_NO, .idle_ns = HTTPTRACE_UNKNOWN_NS });
	add_field(request, t + 5700000, &sent[0]);
	add_field(request, t + 5700000, &sent[1]);
	add(request, HTTPTRACE_WROTE_HEADERS, t + 5700000, HTTPTRACE_PROXY, NULL);
	add(request, HTTPTRACE_WROTE_REQUEST, t + 5700000, HTTPTRACE_OBSERVED, &(struct httptrace_wrote_request_info){ 0 });
	add(request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, t + 8988000, HTTPTRACE_OBSERVED, NULL);
	add(request, HTTPTRACE_GOT_RESPONSE_HEADERS, t + 8988000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_got_response_headers_info){ .status = 200 });
	add(request, HTTPTRACE_GOT_BODY, t + 9000000, HTTPTRACE_OBSERVED, &(struct httptrace_got_body_info){ .bytes = 5 });
	add(request, HTTPTRACE_PUT_IDLE_CONN, t + 9000000, HTTPTRACE_INFERRED, &(struct httptrace_put_idle_conn_info){ 0 });
	return request;
}

struct httptrace_request *sample_cut(void)
{
	struct httptrace_request *request = new_request(HTTPTRACE_REQUEST, 2);
	static const struct httptrace_error body_not_sent = { "body_not_sent", "the body was deliberately not sent" };
	const int64_t t = SAMPLE_MONO_NS;

	request->method = "POST";
	request->url = "http://localhost:8443/upload";
	request->host_port = "localhost:8443";
	request->http = "1.1";
	request->status = 417;
	request->outcome = HTTPTRACE_CLOSED;
	request->error_phase = HTTPTRACE_PHASE_RECEIVE;
	request->error = (struct httptrace_error){ "unexpected_eof", "the server closed after 3 of 5 bytes" };
	request->lost = 2;
	set_conn(request, HTTPTRACE_YES);
	request->conn.was_idle = HTTPTRACE_YES;
	request->conn.idle_ns = 50100000;
	request->conn.request_index = 2;
	request->sent = (struct httptrace_message){ sizeof(request->sent), true, true, NULL, 0, 100, 0, "nghttp2" };
	request->received = (struct httptrace_message){ sizeof(request->received), true, false, received, 1, 38, 3, NULL };
	request->end_ns = t + 3000;

	add(request, HTTPTRACE_GET_CONN, t, HTTPTRACE_INFERRED, &(struct httptrace_get_conn_info){ .host_port = "localhost:8443" });
	add(request, HTTPTRACE_GOT_CONN, t, HTTPTRACE_INFERRED,
	    &(struct httptrace_got_conn_info){ .reused = HTTPTRACE_YES, .was_idle = HTTPTRACE_YES, .idle_ns = 50100000 });
	add(request, HTTPTRACE_WROTE_HEADERS, t + 1000, HTTPTRACE_PROXY, NULL);
	add(request, HTTPTRACE_WAIT_100_CONTINUE, t + 1000, HTTPTRACE_INFERRED, NULL);
	add(request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, t + 2000, HTTPTRACE_OBSERVED, NULL);
	add(request, HTTPTRACE_GOT_1XX_RESPONSE, t + 2000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_got_1xx_info){ .code = 103, .headers = hints, .header_cnt = 2 });
	add(request, HTTPTRACE_WROTE_REQUEST, t + 2500, HTTPTRACE_INFERRED,
	    &(struct httptrace_wrote_request_info){ .error = &body_not_sent });
	add(request, HTTPTRACE_GOT_RESPONSE_HEADERS, t + 2500, HTTPTRACE_OBSERVED,
	    &(struct httptrace_got_response_headers_info){ .status = 417 });
	add(request, HTTPTRACE_CONN_CLOSED, t + 3000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_conn_closed_info){ .by = HTTPTRACE_BY_SERVER });
	return request;
}

struct httptrace_request *sample_refused(void)
{
	struct httptrace_request *request = new_request(HTTPTRACE_DIAL, 3);
	const int64_t t = SAMPLE_MONO_NS;

	request->host_port = "127.0.0.1:1";
	request->outcome = HTTPTRACE_CONNECT_ERROR;
	request->error_phase = HTTPTRACE_PHASE_CONNECT;
	request->error = refused;
	request->end_ns = t + 74360;
	add(request, HTTPTRACE_GET_CONN, t, HTTPTRACE_INFERRED, &(struct httptrace_get_conn_info){ .host_port = "127.0.0.1:1" });
	add(request, HTTPTRACE_CONNECT_START, t, HTTPTRACE_OBSERVED,
	    &(struct httptrace_connect_start_info){ .network = "tcp", .addr = "127.0.0.1:1" });
	add(request, HTTPTRACE_CONNECT_DONE, t + 74360, HTTPTRACE_OBSERVED,
	    &(struct httptrace_connect_done_info){ .network = "tcp", .addr = "127.0.0.1:1", .error = &refused });
	return request;
}

struct httptrace_request *sample_unused(void)
{
	struct httptrace_request *request = new_request(HTTPTRACE_DIAL, 4);

	request->host_port = "localhost";
	request->outcome = HTTPTRACE_UNUSED;
	request->first_ns = SAMPLE_MONO_NS;
	return request;
}

struct httptrace_request *sample_grpc(void)
{
	static const struct httptrace_header path = { ":path", "/pkg.Svc/Get" }, unknown = { "te", NULL };
	static const struct httptrace_header grpc_sent[] = { { "content-type", "application/grpc" }, { "te", NULL } };
	static const struct httptrace_header grpc_hints[] = { { "link", NULL }, { "x", "1" } };
	struct httptrace_request *request = new_request(HTTPTRACE_REQUEST, 5);
	const int64_t t = SAMPLE_MONO_NS;

	request->method = "POST";
	request->url = "https://localhost:8443/pkg.Svc/Get";
	request->host_port = "127.0.0.1:3128";
	request->http = "2";
	request->status = 200;
	request->outcome = HTTPTRACE_GRPC_ERROR;
	request->error_phase = HTTPTRACE_PHASE_RECEIVE;
	request->error = (struct httptrace_error){ "NOT_FOUND", "no such thing" };
	set_conn(request, HTTPTRACE_YES);
	request->conn.was_idle = HTTPTRACE_NO;
	request->conn.request_index = 3;
	request->conn.stream_id = 5;
	request->has_proxy = true;
	request->conn.proxy = &request->proxy;
	request->proxy.type = "http";
	request->proxy.address = "127.0.0.1:3128";
	request->proxy.status = 200;
	request->has_grpc = true;
	request->grpc.service = "pkg.Svc";
	request->grpc.method = "Get";
	request->grpc.status = "NOT_FOUND";
	request->grpc.status_code = 5;
	request->grpc.message = "no such thing";
	request->grpc.messages_sent = 1;
	request->grpc.messages_received = 0;
	request->sent = (struct httptrace_message){ sizeof(request->sent), true, false, grpc_sent, 2, 50, 12, NULL };
	request->received = (struct httptrace_message){ sizeof(request->received), true, true, NULL, 0, 20, 0, NULL };
	request->end_ns = t + 2000;

	add(request, HTTPTRACE_GET_CONN, t, HTTPTRACE_INFERRED, &(struct httptrace_get_conn_info){ .host_port = "127.0.0.1:3128" });
	add(request, HTTPTRACE_GOT_CONN, t, HTTPTRACE_INFERRED,
	    &(struct httptrace_got_conn_info){ .reused = HTTPTRACE_YES, .was_idle = HTTPTRACE_NO, .idle_ns = HTTPTRACE_UNKNOWN_NS });
	add_field(request, t, &path);
	add_field(request, t, &unknown);
	add(request, HTTPTRACE_WROTE_REQUEST, t, HTTPTRACE_OBSERVED, &(struct httptrace_wrote_request_info){ 0 });
	add(request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, t + 1000, HTTPTRACE_OBSERVED, NULL);
	add(request, HTTPTRACE_GOT_1XX_RESPONSE, t + 1000, HTTPTRACE_OBSERVED,
	    &(struct httptrace_got_1xx_info){ .code = 103, .headers = grpc_hints, .header_cnt = 2 });
	add(request, HTTPTRACE_GOT_RESPONSE_HEADERS, t + 1000, HTTPTRACE_OBSERVED, &(struct httptrace_got_response_headers_info){ 0 });
	return request;
}

struct httptrace_request *sample_websocket(void)
{
	struct httptrace_request *request = new_request(HTTPTRACE_WEBSOCKET, 6);

	request->url = "http://localhost:8080/chat";
	request->host_port = "localhost:8080";
	request->http = "1.1";
	request->outcome = HTTPTRACE_OK;
	set_conn(request, HTTPTRACE_NO);
	request->conn.request_index = 1;
	request->websocket.frames_sent = 3;
	request->websocket.frames_received = 4;
	request->websocket.close_code = 1000;
	request->websocket.is_closed = true;
	request->websocket.closed_by = HTTPTRACE_BY_CLIENT;
	request->first_ns = SAMPLE_MONO_NS;
	request->end_ns = SAMPLE_MONO_NS + 5000;
	return request;
}

struct httptrace_request *sample_hostile(void)
{
	struct httptrace_request *request = new_request(HTTPTRACE_REQUEST, UINT64_MAX);

	request->tid = 0;
	request->comm = "\x1b]0;x\x07";
	request->exe = NULL;
	request->method = NULL;
	request->url = "http://a/\"\\\t\xff\xe2\x82z\xed\xa0\x80\xc2\x9b\xe2\x80\xae\xf0\x9f\x98\x80";
	request->outcome = HTTPTRACE_INCOMPLETE;
	request->error_phase = HTTPTRACE_PHASE_WAIT;
	request->error = (struct httptrace_error){ "tracing_ended", "tracing ended\nhere" };
	request->first_ns = SAMPLE_MONO_NS;
	request->lost = UINT64_MAX;
	return request;
}
