/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exchange_request.c - one request's hooks, from its messages and its connection (hooks.md B2, B3; C for the sequences).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conn/conn.h"
#include "conn/dial.h"
#include "conn/proc.h"
#include "req/exchange_private.h"
#include "req/hooks.h"
#include "req/redact.h"
#include "util/names.h"

struct ht_flight *ht_flight_new(struct ht_exchange *exchange)
{
	struct ht_flight *flight = calloc(1, sizeof(*flight));

	if (!flight)
		return NULL;
	flight->tid = exchange->rec->hdr.tid;
	flight->request = ht_report_new(exchange->engine, HTTPTRACE_REQUEST, exchange->conn->proc, flight->tid);
	if (!flight->request) {
		free(flight);
		return NULL;
	}
	flight->losses = exchange->engine->losses;
	flight->is_kept = true;
	ht_list_init(&flight->node);
	return flight;
}

void ht_flight_free(struct ht_flight *flight)
{
	ht_list_remove(&flight->node);
	free(flight);
}

static bool is_named(const struct ht_http1_field *field, const char *name)
{
	return field->name.len == strlen(name) && !strncasecmp(field->name.ptr, name, field->name.len);
}

static struct ht_span host_field(const struct ht_http1_head *head)
{
	for (size_t i = 0; i < head->field_cnt; i++)
		if (is_named(&head->fields[i], "host"))
			return head->fields[i].value;
	return (struct ht_span){ NULL, 0 };
}

/* The authority of an absolute-form target (RFC 9112 section 3.2.2), else an empty span. */
static struct ht_span target_authority(struct ht_span target)
{
	const char *end = target.ptr + target.len;
	const char *p = memmem(target.ptr, target.len, "://", 3);
	struct ht_span authority = { NULL, 0 };
	const char *at;

	if (!p || !target.len || target.ptr[0] == '/')
		return authority;
	authority.ptr = p + 3;
	for (p += 3; p < end && *p != '/' && *p != '?' && *p != '#'; p++)
		;
	authority.len = (size_t)(p - authority.ptr);
	at = memrchr(authority.ptr, '@', authority.len);
	if (at) {
		authority.len -= (size_t)(at + 1 - authority.ptr);
		authority.ptr = at + 1;
	}
	return authority;
}

static bool has_port(struct ht_span authority)
{
	const char *colon = memrchr(authority.ptr, ':', authority.len);
	const char *bracket = memrchr(authority.ptr, ']', authority.len);

	return colon && (!bracket || colon > bracket);
}

/*
 * What is host and port of an authority as clients write it: no user info, which is a credential. Nothing where it cannot be told from a path or a query
 * that somebody has put there.
 */
static struct ht_span host_only(struct ht_span host)
{
	const char *at = memrchr(host.ptr, '@', host.len);
	size_t len = 0;

	while (len < host.len && !strchr("/?#\\", host.ptr[len]))
		len++;
	if (at && at >= host.ptr + len)
		return (struct ht_span){ NULL, 0 };
	host.len = len;
	if (at) {
		host.len -= (size_t)(at + 1 - host.ptr);
		host.ptr = at + 1;
	}
	return host;
}

/* The first hop: the proxy where the target is in absolute form, else the Host field's, else the address. */
static const char *host_port_of(struct ht_exchange *exchange, struct httptrace_request *request, const struct ht_http1_head *head,
				bool is_tls)
{
	struct ht_conn *conn = exchange->conn;
	struct ht_span host = host_field(head);
	char text[HT_ADDR_TEXT_MAX];

	if (head->method.len == 7 && !memcmp(head->method.ptr, "CONNECT", 7))
		host = head->target;
	else if (target_authority(head->target).len)
		host.len = 0;
	if (host.len)
		host = host_only(host);
	if (!host.len) {
		if (conn->dial && conn->dial->lookup)
			return ht_request_printf(request, "%s:%u", conn->dial->lookup->host, conn->remote.port);
		return ht_request_strdup(request, ht_addr_port_text(&conn->remote, text, sizeof(text)));
	}
	if (has_port(host))
		return ht_request_strndup(request, host.ptr, host.len);
	return ht_request_join(request, (struct ht_request_piece[]){ { host.ptr, host.len }, { is_tls ? ":443" : ":80", is_tls ? 4 : 3 } },
			       2);
}

static const char *url_of(struct ht_exchange *exchange, struct httptrace_request *request, const struct ht_http1_head *head, bool is_tls)
{
	struct ht_span host = host_field(head);
	char remote[HT_ADDR_TEXT_MAX];
	const char *url;
	char *redacted;

	if (head->method.len == 7 && !memcmp(head->method.ptr, "CONNECT", 7)) {
		url = ht_request_strndup(request, head->target.ptr, head->target.len);
	} else if (target_authority(head->target).len) {
		url = ht_request_strndup(request, head->target.ptr, head->target.len);
	} else {
		struct ht_request_piece pieces[3] = { { is_tls ? "https://" : "http://", is_tls ? 8 : 7 } };

		if (!host.len)
			host.len = strlen(host.ptr = ht_addr_port_text(&exchange->conn->remote, remote, sizeof(remote)));
		if (!host.len)
			return NULL;
		pieces[1] = (struct ht_request_piece){ host.ptr, host.len };
		/* RFC 9110 section 7.1: OPTIONS * has a target URI without path. */
		if (head->target.len != 1 || head->target.ptr[0] != '*')
			pieces[2] = (struct ht_request_piece){ head->target.ptr, head->target.len };
		url = ht_request_join(request, pieces, 3);
	}
	if (!url || exchange->engine->opts.no_redact || !ht_redact_may_change(url, strlen(url)))
		return url;
	redacted = ht_redact_url(url, strlen(url));
	url = ht_request_strdup(request, redacted);
	free(redacted);
	return url;
}

/* GetConn, DNS, Connect, TLS and GotConn (hooks.md B2). host_port in the request's arena, or NULL. */
static void add_conn_hooks(struct ht_exchange *exchange, struct ht_flight *flight, const char *host_port)
{
	struct httptrace_request *request = flight->request;
	struct ht_conn *conn = exchange->conn;
	struct httptrace_conn *out = &request->conn;
	uint64_t got_ns = flight->begin_ns;

	conn->requests++;
	ht_conn_describe(conn, request);
	request->lost += conn->lost;
	conn->lost = 0;
	out->idle_ns = HTTPTRACE_UNKNOWN_NS;
	if (conn->requests == 1 && conn->is_whole) {
		uint64_t tls_ns = ht_conn_tls_done_ns(conn);

		out->reused = HTTPTRACE_NO;
		out->was_idle = HTTPTRACE_NO;
		if (conn->dial && !strcmp(flight->method, "CONNECT"))
			ht_dial_show(conn->dial, request, host_port);
		else if (conn->dial)
			ht_dial_give(conn->dial, conn, request, host_port);
		else
			ht_hook_get_conn(request, conn->start_ns, host_port);
		ht_conn_add_tls_hooks(conn, request, NULL, 0);
		got_ns = tls_ns > conn->connected_ns ? tls_ns : conn->connected_ns;
		/* A handshake whose end was not seen had ended when the first byte was written, and no more is known. */
		if (conn->tls && !tls_ns)
			got_ns = flight->begin_ns;
	} else {
		if (conn->requests == 1) { /* older than the tracer: nothing is known of what it did before */
			out->reused = HTTPTRACE_NOT_KNOWN;
			out->was_idle = HTTPTRACE_NOT_KNOWN;
		} else {
			out->reused = HTTPTRACE_YES;
			out->was_idle = flight->was_busy ? HTTPTRACE_NO : HTTPTRACE_YES;
			if (!flight->was_busy && conn->last_end_ns)
				out->idle_ns = got_ns > conn->last_end_ns ? (int64_t)(got_ns - conn->last_end_ns) : 0;
		}
		ht_hook_get_conn(request, got_ns, host_port);
	}
	ht_hook_got_conn(request, got_ns, out->reused, out->was_idle, out->idle_ns);
}

void ht_flight_head(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;
	const struct ht_engine_opts *opts = &exchange->engine->opts;
	bool is_tls = exchange->conn->tls != NULL;
	size_t method_len;

	flight->has_head = true;
	flight->head_ns = ts_ns;
	flight->has_body = head->framing == HT_HTTP1_CHUNKED || (head->framing == HT_HTTP1_LENGTH && head->content_length);
	flight->is_expecting = head->is_expect_continue && flight->has_body;
	flight->says_keep[HT_DIR_TX] = head->is_keep_alive;
	flight->is_1_0 = head->version_minor == 0;
	if (head->is_close)
		flight->is_kept = false;
	method_len = head->method.len < HT_METHOD_MAX ? head->method.len : HT_METHOD_MAX;
	memcpy(flight->method, head->method.ptr, method_len);
	flight->method[method_len] = '\0';

	request->method = ht_request_strndup(request, head->method.ptr, head->method.len);
	request->http = head->version_minor ? "1.1" : "1.0";
	request->host_port = host_port_of(exchange, request, head, is_tls);
	request->url = url_of(exchange, request, head, is_tls);
	request->sent.is_known = true;
	request->sent.headers_complete = true;
	request->sent.header_bytes = (int64_t)head->head_bytes;
	request->sent.body_bytes = 0;
	add_conn_hooks(exchange, flight, request->host_port);
	if (!opts->no_headers) {
		request->sent.headers = ht_hook_headers(request, head->fields, head->field_cnt, opts->no_redact);
		request->sent.header_cnt = request->sent.headers ? head->field_cnt : 0;
		ht_hook_wrote_fields(request, ts_ns, request->sent.headers, request->sent.header_cnt);
	}
	ht_hook_plain(request, HTTPTRACE_WROTE_HEADERS, ts_ns, HTTPTRACE_PROXY);
	/* A CONNECT that succeeds is no request (hooks.md C 13): its response decides. */
	request->is_identified = strcmp(flight->method, "CONNECT") != 0;
	if (exchange->conn->proc)
		ht_proc_spoke(exchange->conn->proc, request->host_port, &exchange->conn->remote);
}

void ht_flight_headless(struct ht_exchange *exchange, struct ht_flight *flight)
{
	const char *host_port = NULL;
	char text[HT_ADDR_TEXT_MAX];

	if (flight->request->is_identified)
		return;
	if (exchange->conn->remote.family)
		host_port = ht_request_strdup(flight->request, ht_addr_port_text(&exchange->conn->remote, text, sizeof(text)));
	flight->request->host_port = host_port;
	add_conn_hooks(exchange, flight, host_port);
	flight->request->is_identified = true;
}

void ht_flight_wait_continue(struct ht_flight *flight)
{
	if (!flight->is_expecting || flight->is_wait_told)
		return;
	flight->is_wait_told = true;
	ht_hook_plain(flight->request, HTTPTRACE_WAIT_100_CONTINUE, flight->head_ns, HTTPTRACE_INFERRED);
}

void ht_flight_written(struct ht_flight *flight, uint64_t ts_ns, const struct httptrace_error *error)
{
	if (flight->is_written)
		return;
	flight->is_written = true;
	flight->written_ns = ts_ns;
	flight->request->sent.body_bytes = (int64_t)flight->sent_body_bytes;
	ht_hook_wrote_request(flight->request, ts_ns, error);
}

void ht_flight_response_head(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;
	const struct ht_engine_opts *opts = &exchange->engine->opts;
	struct httptrace_header *headers = NULL;
	size_t header_cnt = 0;

	flight->is_interim = head->status < 200 && head->status != 101;
	if (!opts->no_headers) {
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
	flight->has_final = true;
	flight->framing = head->framing;
	if (flight->has_head && head->framing != HT_HTTP1_TUNNEL)
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

void ht_flight_response_end(struct ht_exchange *exchange, struct ht_flight *flight, uint64_t ts_ns)
{
	struct httptrace_request *request = flight->request;

	flight->is_answered = true;
	flight->end_ns = ts_ns;
	exchange->conn->last_end_ns = ts_ns;
	request->received.body_bytes = (int64_t)flight->got_body_bytes;
	if (flight->framing != HT_HTTP1_NO_BODY && flight->framing != HT_HTTP1_TUNNEL)
		ht_hook_body(request, ts_ns, flight->got_body_bytes);
	ht_report_outcome(request, HTTPTRACE_OK, HTTPTRACE_PHASE_NONE, NULL, NULL, ts_ns);
}

bool ht_flight_is_kept(const struct ht_flight *flight)
{
	if (!flight->is_kept || !flight->is_written || flight->written_ns > flight->end_ns + HT_LATE_WRITE_NS)
		return false;
	return !flight->is_1_0 || (flight->says_keep[HT_DIR_TX] && flight->says_keep[HT_DIR_RX]);
}

enum httptrace_phase ht_flight_phase(const struct ht_flight *flight)
{
	if (flight->first_byte_ns)
		return HTTPTRACE_PHASE_RECEIVE;
	return flight->is_written && !flight->is_send_failed ? HTTPTRACE_PHASE_WAIT : HTTPTRACE_PHASE_SEND;
}
