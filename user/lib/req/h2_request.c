/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2_request.c - one stream's hooks, from its header sections and its connection (hooks.md B2, B3; C12 to C12d), and a gRPC call's end.
 */
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/proc.h"
#include "req/h2_private.h"
#include "req/h2_submit.h"
#include "req/hooks.h"

static bool is_named(const struct ht_http2_field *field, struct ht_span name)
{
	return field->is_known && field->name.len == name.len && !memcmp(field->name.ptr, name.ptr, name.len);
}

/* The first field of that name, else an empty span. */
static struct ht_span value_of(const struct ht_http2_headers *headers, const char *word)
{
	const struct ht_span name = { word, strlen(word) };

	for (size_t i = 0; i < headers->field_cnt; i++)
		if (is_named(&headers->fields[i], name))
			return headers->fields[i].value;
	return (struct ht_span){ NULL, 0 };
}

/*
 * The known fields, pseudo-header fields first as they came, for a report. *pseudo_cnt: how many of them are pseudo-header fields; *cnt: of all. NULL when
 * there are none, nobody wants them, or memory is out.
 */
static struct httptrace_header *known_fields(struct ht_h2 *h2, struct httptrace_request *request, const struct ht_http2_headers *headers,
					     size_t *cnt, size_t *pseudo_cnt)
{
	struct ht_http1_field *fields = NULL;
	struct httptrace_header *out = NULL;

	*cnt = *pseudo_cnt = 0;
	if (headers->field_cnt && !h2->base.engine->opts.no_headers)
		fields = calloc(headers->field_cnt, sizeof(*fields));
	for (size_t i = 0; fields && i < headers->field_cnt; i++) {
		if (!headers->fields[i].is_known)
			continue;
		if (headers->fields[i].name.len && headers->fields[i].name.ptr[0] == ':')
			++*pseudo_cnt;
		fields[*cnt] = (struct ht_http1_field){ headers->fields[i].name, headers->fields[i].value };
		++*cnt;
	}
	if (*cnt)
		out = ht_hook_headers(request, fields, *cnt, h2->base.engine->opts.no_redact);
	if (!out)
		*cnt = *pseudo_cnt = 0;
	free(fields);
	return out;
}

static void set_message(struct httptrace_message *message, const struct ht_http2_headers *headers, const struct httptrace_header *fields,
			size_t cnt, size_t pseudo_cnt)
{
	message->is_known = true;
	message->headers_complete = headers->is_complete;
	message->header_bytes = (int64_t)headers->block_bytes;
	message->body_bytes = 0;
	message->headers = cnt > pseudo_cnt ? fields + pseudo_cnt : NULL;
	message->header_cnt = cnt - pseudo_cnt;
}

static void begin_grpc(struct httptrace_request *request, struct ht_span path)
{
	struct ht_span service, method;

	request->has_grpc = true;
	if (!ht_grpc_split_path(path, &service, &method))
		return;
	request->grpc.service = ht_request_strndup(request, service.ptr, service.len);
	request->grpc.method = ht_request_strndup(request, method.ptr, method.len);
}

static void take_request_head(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_http2_headers *headers, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;
	struct ht_conn *conn = h2->base.conn;
	struct ht_span scheme = value_of(headers, ":scheme");
	struct ht_asked asked = {
		.method = value_of(headers, ":method"),
		.target = value_of(headers, ":path"),
		.host = value_of(headers, ":authority"),
		.is_tls = scheme.len ? ht_span_is(scheme, "https") : conn->tls != NULL,
	};
	struct httptrace_header *fields;
	size_t cnt, pseudo_cnt;

	if (!asked.host.len)
		asked.host = value_of(headers, "host");
	asked.is_extended = asked.target.len || value_of(headers, ":protocol").len;
	if (ht_span_is(asked.method, "CONNECT") && !asked.is_extended)
		asked.target = asked.host;
	flight->has_head = true;
	flight->head_ns = ts_ns;
	flight->has_body = !headers->is_end_stream;
	flight->is_expecting = flight->has_body && ht_span_is(value_of(headers, "expect"), "100-continue");
	request->http = "2";
	ht_flight_asks(&h2->base, flight, &asked);
	/* RFC 9113 section 8.3.1: a request has all of them. What is missing was in a part of the header table that nobody saw. */
	if (!asked.target.len || !asked.host.len)
		request->url = NULL;
	if (asked.method.len && asked.target.len && ht_grpc_is_content_type(value_of(headers, "content-type")))
		begin_grpc(request, asked.target);
	fields = known_fields(h2, request, headers, &cnt, &pseudo_cnt);
	set_message(&request->sent, headers, fields, cnt, pseudo_cnt);
	ht_flight_got_conn(&h2->base, flight, request->host_port);
	request->conn.stream_id = flight->stream_id;
	if (fields)
		ht_hook_wrote_fields(request, ts_ns, fields, cnt, false);
	ht_hook_plain(request, HTTPTRACE_WROTE_HEADERS, ts_ns, HTTPTRACE_PROXY);
	request->is_identified = true;
	if (asked.host.len)
		ht_conn_spoke(conn, request->host_port);
}

void ht_h2_request_head(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_http2_headers *headers, uint64_t ts_ns)
{
	const struct ht_http2_headers *given = ht_h2_submit_take(h2->base.conn, flight->tid, headers, ts_ns);
	bool is_given = given && !headers->is_complete;

	take_request_head(h2, flight, is_given ? given : headers, ts_ns);
	if (is_given)
		flight->request->sent.source = HT_H2_SUBMIT_SOURCE;
}

void ht_h2_headless(struct ht_h2 *h2, struct ht_flight *flight)
{
	struct httptrace_request *request = flight->request;

	h2->base.conn->requests++;
	ht_conn_describe(h2->base.conn, request);
	request->http = "2";
	request->conn.stream_id = flight->stream_id;
	request->is_identified = true;
}

/* :status, RFC 9113 section 8.3.2; 0 not known. */
static int status_of(const struct ht_http2_headers *headers)
{
	struct ht_span status = value_of(headers, ":status");
	int code = 0;

	if (status.len != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (status.ptr[i] < '0' || status.ptr[i] > '9')
			return 0;
		code = code * 10 + status.ptr[i] - '0';
	}
	return code;
}

/* grpc-status and grpc-message: of the trailers, or of a head that is all there is (gRPC over HTTP/2, "Trailers-Only"). */
static void take_grpc_status(struct httptrace_request *request, const struct ht_http2_headers *headers)
{
	struct ht_span status = value_of(headers, "grpc-status"), message = value_of(headers, "grpc-message");
	char *text = message.len ? malloc(message.len) : NULL;

	if (status.len)
		request->grpc.status_code = ht_grpc_parse_status(status);
	if (request->grpc.status_code >= 0)
		request->grpc.status = ht_grpc_status_name(request->grpc.status_code);
	if (text)
		request->grpc.message = ht_request_strndup(request, text, ht_grpc_decode_message(message, text, message.len));
	free(text);
}

void ht_h2_response_head(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_http2_headers *headers, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;
	int status = status_of(headers);
	bool is_interim = status >= 100 && status < 200;
	struct httptrace_header *fields = NULL;
	size_t cnt = 0, pseudo_cnt = 0;

	if (headers->is_end_stream && request->has_grpc) {
		flight->has_hidden_trailers = !headers->is_complete;
		take_grpc_status(request, headers);
	}
	if (flight->has_final) /* trailers */
		return;
	if (!is_interim || ht_request_has_interim_room(request))
		fields = known_fields(h2, request, headers, &cnt, &pseudo_cnt);
	if (is_interim) {
		ht_hook_1xx(request, ts_ns, status, fields ? fields + pseudo_cnt : NULL, cnt - pseudo_cnt);
		/* HTTP/2: for any 100, behind Got1xxResponse (hooks.md 0.6). */
		if (status == 100)
			ht_hook_plain(request, HTTPTRACE_GOT_100_CONTINUE, ts_ns, HTTPTRACE_OBSERVED);
		return;
	}
	flight->has_final = true;
	flight->has_content = !headers->is_end_stream;
	request->http = "2";
	request->status = status;
	set_message(&request->received, headers, fields, cnt, pseudo_cnt);
	ht_hook_response_headers(request, ts_ns, status);
}

/* A gRPC call's outcome is its status. */
static void end_grpc(struct ht_flight *flight, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;
	struct httptrace_grpc *grpc = &request->grpc;

	if (grpc->status_code == 0)
		ht_report_outcome(request, HTTPTRACE_OK, HTTPTRACE_PHASE_NONE, NULL, NULL, ts_ns);
	else if (grpc->status_code > 0)
		ht_report_outcome(request, HTTPTRACE_GRPC_ERROR, HTTPTRACE_PHASE_RECEIVE, grpc->status ? grpc->status : "unknown_status",
				  grpc->message, ts_ns);
	else if (!flight->has_hidden_trailers)
		ht_report_outcome(request, HTTPTRACE_GRPC_ERROR, HTTPTRACE_PHASE_RECEIVE, "no_grpc_status",
				  "the response has no grpc-status", ts_ns);
	else
		ht_report_outcome(request, HTTPTRACE_INCOMPLETE, HTTPTRACE_PHASE_RECEIVE, "incomplete",
				  "its grpc-status is in a part of the header table that was not seen", ts_ns);
}

void ht_h2_response_end(struct ht_h2 *h2, struct ht_flight *flight, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;

	flight->is_answered = true;
	flight->end_ns = ts_ns;
	h2->base.conn->last_end_ns = ts_ns;
	request->received.body_bytes = (int64_t)flight->got_body_bytes;
	if (flight->has_content)
		ht_hook_body(request, ts_ns, flight->got_body_bytes);
	/* RFC 9113 section 8.1: a head that was lost is one of which no field is known. */
	if (!flight->has_final)
		ht_report_outcome(request, HTTPTRACE_PROTOCOL_ERROR, HTTPTRACE_PHASE_RECEIVE, ht_http2_error_name(HT_HTTP2_MALFORMED),
				  "the stream ended without a response", ts_ns);
	else if (request->has_grpc)
		end_grpc(flight, ts_ns);
	else
		ht_report_outcome(request, HTTPTRACE_OK, HTTPTRACE_PHASE_NONE, NULL, NULL, ts_ns);
}
