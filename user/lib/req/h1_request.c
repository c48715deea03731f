/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h1_request.c - one request's hooks, from its messages and its connection (hooks.md B2, B3; C for the sequences).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conn/conn.h"
#include "conn/proc.h"
#include "req/h1_private.h"
#include "req/hooks.h"

static struct ht_span host_field(const struct ht_http1_head *head)
{
	for (size_t i = 0; i < head->field_cnt; i++)
		if (ht_span_is(head->fields[i].name, "host"))
			return head->fields[i].value;
	return (struct ht_span){ NULL, 0 };
}

void ht_h1_request_head(struct ht_h1 *h1, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;
	const struct ht_engine_opts *opts = &h1->base.engine->opts;
	struct ht_asked asked = {
		.method = head->method, .target = head->target, .host = host_field(head), .is_tls = h1->base.conn->tls != NULL
	};

	flight->has_head = true;
	flight->head_ns = ts_ns;
	flight->has_body = head->framing == HT_HTTP1_CHUNKED || (head->framing == HT_HTTP1_LENGTH && head->content_length);
	flight->is_expecting = head->is_expect_continue && flight->has_body;
	flight->says_keep[HT_DIR_TX] = head->is_keep_alive;
	flight->is_1_0 = head->version_minor == 0;
	if (head->is_close)
		flight->is_kept = false;
	ht_flight_asks(&h1->base, flight, &asked);
	request->http = head->version_minor ? "1.1" : "1.0";
	request->sent.is_known = true;
	request->sent.headers_complete = true;
	request->sent.header_bytes = (int64_t)head->head_bytes;
	request->sent.body_bytes = 0;
	ht_flight_got_conn(&h1->base, flight, request->host_port);
	if (!opts->no_headers) {
		request->sent.headers = ht_hook_headers(request, head->fields, head->field_cnt, opts->no_redact);
		request->sent.header_cnt = request->sent.headers ? head->field_cnt : 0;
		ht_hook_wrote_fields(request, ts_ns, request->sent.headers, request->sent.header_cnt, true);
	}
	ht_hook_plain(request, HTTPTRACE_WROTE_HEADERS, ts_ns, HTTPTRACE_PROXY);
	/* A CONNECT that succeeds is no request (hooks.md C 13): its response decides. */
	request->is_identified = strcmp(flight->method, "CONNECT") != 0;
	ht_conn_spoke(h1->base.conn, request->host_port);
}

void ht_h1_response_head(struct ht_h1 *h1, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;
	const struct ht_engine_opts *opts = &h1->base.engine->opts;
	struct httptrace_header *headers = NULL;
	size_t header_cnt = 0;

	flight->is_interim = head->status < 200 && head->status != 101;
	if (!opts->no_headers && (!flight->is_interim || ht_request_has_interim_room(request))) {
		headers = ht_hook_headers(request, head->fields, head->field_cnt, opts->no_redact);
		header_cnt = headers ? head->field_cnt : 0;
	}
	if (flight->is_interim) {
		/* HTTP/1: Got100Continue only if the request expected it, the first time, before Got1xxResponse (hooks.md 0.6). */
		if (head->status == 100 && flight->is_expecting && !flight->has_continue) {
			flight->has_continue = true;
			ht_hook_plain(request, HTTPTRACE_GOT_100_CONTINUE, ts_ns, HTTPTRACE_OBSERVED);
		}
		ht_hook_1xx(request, ts_ns, head->status, headers, header_cnt);
		return;
	}
	flight->framing = head->framing;
	if (head->framing == HT_HTTP1_TUNNEL)
		ht_h1_tunnel_head(h1, head);
	/* interface.md: the first request of an h2c upgrade is HTTP/2's, but for its GotFirstResponseByte. */
	if (h1->turn.to == HT_TURN_H2C)
		return;
	flight->has_final = true;
	if (ht_h1_is_connect(flight))
		flight->end_ns = ts_ns;
	else if (flight->has_head)
		request->is_identified = true;
	flight->says_keep[HT_DIR_RX] = head->is_keep_alive;
	if (head->version_minor == 0)
		flight->is_1_0 = true;
	if (head->is_close || head->framing == HT_HTTP1_UNTIL_CLOSE || head->framing == HT_HTTP1_TUNNEL)
		flight->is_kept = false;
	request->http = head->version_minor ? "1.1" : "1.0";
	request->status = head->status;
	request->received.is_known = true;
	request->received.headers_complete = true;
	request->received.header_bytes = (int64_t)head->head_bytes;
	request->received.body_bytes = 0;
	request->received.headers = headers;
	request->received.header_cnt = header_cnt;
	ht_hook_response_headers(request, ts_ns, head->status);
}

void ht_h1_response_end(struct ht_h1 *h1, struct ht_flight *flight, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;

	flight->is_answered = true;
	flight->end_ns = ts_ns;
	h1->base.conn->last_end_ns = ts_ns;
	request->received.body_bytes = (int64_t)flight->got_body_bytes;
	if (flight->framing != HT_HTTP1_NO_BODY && flight->framing != HT_HTTP1_TUNNEL)
		ht_hook_body(request, ts_ns, flight->got_body_bytes);
	ht_report_outcome(request, HTTPTRACE_OK, HTTPTRACE_PHASE_NONE, NULL, NULL, ts_ns);
}

bool ht_h1_is_kept(const struct ht_flight *flight)
{
	if (!flight->is_kept || !flight->is_written || flight->written_ns > flight->end_ns + HT_LATE_WRITE_NS)
		return false;
	return !flight->is_1_0 || (flight->says_keep[HT_DIR_TX] && flight->says_keep[HT_DIR_RX]);
}
