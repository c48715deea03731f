/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script_report.c - a request as one line of text, by the public getters only; what must hold for each.
 */
#include "script_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "req/request.h"

void script_put(struct script_text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (text->len + (size_t)n + 1 > text->cap) {
		text->cap = 2 * (text->len + (size_t)n + 1);
		text->bytes = realloc(text->bytes, text->cap);
		if (!text->bytes)
			abort();
	}
	va_start(args, format);
	vsnprintf(text->bytes + text->len, (size_t)n + 1, format, args);
	va_end(args);
	text->len += (size_t)n;
}

/* Microseconds, with a fraction only where there is one. */
static void put_time(struct script_text *text, int64_t ns)
{
	if (ns == HTTPTRACE_UNKNOWN_NS)
		script_put(text, "-");
	else if (ns % 1000)
		script_put(text, "%" PRId64 ".%03d", ns / 1000, (int)(ns % 1000));
	else
		script_put(text, "%" PRId64, ns / 1000);
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static const char *tristate(enum httptrace_tristate value)
{
	return value == HTTPTRACE_YES ? "yes" : value == HTTPTRACE_NO ? "no" : "-";
}

struct braces {
	struct script_text *text;
	bool is_open;
};

static void inside(struct braces *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void inside(struct braces *b, const char *format, ...)
{
	char part[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(part, sizeof(part), format, args);
	va_end(args);
	script_put(b->text, "%s%s", b->is_open ? "," : "{", part);
	b->is_open = true;
}

static void error_inside(struct braces *b, const struct httptrace_error *error)
{
	if (error)
		inside(b, "%s", error->code);
}

static void put_got_conn(struct braces *b, const struct httptrace_got_conn_info *info, const struct script_view *view)
{
	if (info->reused == HTTPTRACE_NO && info->was_idle == HTTPTRACE_NO)
		inside(b, "fresh");
	else if (info->reused == HTTPTRACE_YES && info->was_idle == HTTPTRACE_YES)
		inside(b, "reused");
	else if (info->reused == HTTPTRACE_YES && info->was_idle == HTTPTRACE_NO)
		inside(b, "busy");
	else if (info->reused == HTTPTRACE_NOT_KNOWN && info->was_idle == HTTPTRACE_NOT_KNOWN)
		inside(b, "unknown");
	else
		inside(b, "?%d?%d", info->reused, info->was_idle);
	if (view->time && info->idle_ns != HTTPTRACE_UNKNOWN_NS) {
		inside(b, "idle=");
		put_time(b->text, info->idle_ns);
	}
}

static void put_addr(struct braces *b, const char *network, const char *addr)
{
	if (strcmp(network, "tcp") != 0)
		inside(b, "%s", network);
	inside(b, "%s", or_dash(addr));
}

static void put_args(struct script_text *text, enum httptrace_hook_id id, const struct httptrace_hook *hook, const struct script_view *view)
{
	struct braces b = { .text = text };

	switch (id) {
	case HTTPTRACE_GET_CONN:
		if (view->args)
			inside(&b, "%s", or_dash(((const struct httptrace_get_conn_info *)hook)->host_port));
		break;
	case HTTPTRACE_DNS_START:
		if (view->args)
			inside(&b, "%s", or_dash(((const struct httptrace_dns_start_info *)hook)->host));
		break;
	case HTTPTRACE_DNS_DONE: {
		const struct httptrace_dns_done_info *info = (const void *)hook;

		for (size_t i = 0; view->args && i < info->addr_cnt; i++)
			inside(&b, "%s", info->addrs[i]);
		if (info->coalesced)
			inside(&b, "coalesced");
		error_inside(&b, info->error);
		break;
	}
	case HTTPTRACE_CONNECT_START:
		if (view->args)
			put_addr(&b, ((const struct httptrace_connect_start_info *)hook)->network,
				 ((const struct httptrace_connect_start_info *)hook)->addr);
		break;
	case HTTPTRACE_CONNECT_DONE: {
		const struct httptrace_connect_done_info *info = (const void *)hook;

		if (view->args)
			put_addr(&b, info->network, info->addr);
		error_inside(&b, info->error);
		break;
	}
	case HTTPTRACE_TLS_HANDSHAKE_DONE: {
		const struct httptrace_tls_handshake_done_info *info = (const void *)hook;

		if (view->args)
			inside(&b, "%s,%s,alpn=%s,sni=%s,resumed=%s", or_dash(info->version), or_dash(info->cipher), or_dash(info->alpn),
			       or_dash(info->server_name), tristate(info->resumed));
		error_inside(&b, info->error);
		break;
	}
	case HTTPTRACE_GOT_CONN:
		put_got_conn(&b, (const void *)hook, view);
		break;
	case HTTPTRACE_WROTE_HEADER_FIELD: {
		const struct httptrace_wrote_header_field_info *info = (const void *)hook;

		inside(&b, "%s=%s", info->key, or_dash(info->values[0]));
		for (size_t i = 1; i < info->value_cnt; i++)
			inside(&b, "%s", or_dash(info->values[i]));
		break;
	}
	case HTTPTRACE_WROTE_REQUEST:
		error_inside(&b, ((const struct httptrace_wrote_request_info *)hook)->error);
		break;
	case HTTPTRACE_GOT_1XX_RESPONSE: {
		const struct httptrace_got_1xx_info *info = (const void *)hook;

		inside(&b, "%d", info->code);
		for (size_t i = 0; view->fields && i < info->header_cnt; i++)
			inside(&b, "%s=%s", info->headers[i].name, or_dash(info->headers[i].value));
		break;
	}
	case HTTPTRACE_GOT_RESPONSE_HEADERS:
		if (view->args)
			inside(&b, "%d", ((const struct httptrace_got_response_headers_info *)hook)->status);
		break;
	case HTTPTRACE_GOT_BODY:
		if (view->args)
			inside(&b, "%" PRIu64, ((const struct httptrace_got_body_info *)hook)->bytes);
		break;
	case HTTPTRACE_PUT_IDLE_CONN:
		error_inside(&b, ((const struct httptrace_put_idle_conn_info *)hook)->error);
		break;
	case HTTPTRACE_CONN_CLOSED: {
		static const char *const by[] = { "client", "server", "reset" };

		inside(&b, "%s", by[((const struct httptrace_conn_closed_info *)hook)->by]);
		break;
	}
	default:
		break;
	}
	if (b.is_open)
		script_put(text, "}");
}

static void put_conn(struct script_text *text, const struct httptrace_request *request)
{
	const struct httptrace_conn *conn = httptrace_request__conn(request);

	if (!conn) {
		script_put(text, " [no conn]");
		return;
	}
	script_put(text, " [%s %s>%s #%" PRIu64, conn->id, or_dash(conn->local), or_dash(conn->remote), conn->request_index);
	if (conn->tls)
		script_put(text, " tls=%s,%s,%s,alpn=%s,sni=%s,resumed=%s,%s", or_dash(conn->tls->library), or_dash(conn->tls->version),
			   or_dash(conn->tls->cipher), or_dash(conn->tls->alpn), or_dash(conn->tls->server_name),
			   tristate(conn->tls->resumed), or_dash(conn->tls->bound_by));
	if (conn->stream_id)
		script_put(text, " http=%s stream=%" PRIu64, or_dash(httptrace_request__http(request)), conn->stream_id);
	if (conn->proxy)
		script_put(text, " proxy=%s,%s,%d", or_dash(conn->proxy->type), or_dash(conn->proxy->address), conn->proxy->status);
	script_put(text, "]");
}

static void put_times(struct script_text *text, const struct httptrace_request *request)
{
	struct httptrace_timings t = { .sz = sizeof(t) };
	const struct {
		const char *name;
		int64_t *ns;
	} parts[] = { { "blocked", &t.blocked_ns }, { "dns", &t.dns_ns },   { "connect", &t.connect_ns }, { "tls", &t.tls_ns },
		      { "send", &t.send_ns },       { "wait", &t.wait_ns }, { "receive", &t.receive_ns }, { "total", &t.total_ns } };

	if (httptrace_request__timings(request, &t))
		abort();
	script_put(text, " (");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		script_put(text, "%s%s=", i ? " " : "", parts[i].name);
		put_time(text, *parts[i].ns);
	}
	script_put(text, ")");
}

/* -1: not known. */
static void put_each_way(struct script_text *text, int64_t sent, int64_t received)
{
	script_put(text, sent < 0 ? " ?" : " %" PRId64, sent);
	script_put(text, received < 0 ? "/?" : "/%" PRId64, received);
}

static void put_particular(struct script_text *text, const struct httptrace_request *request)
{
	const struct httptrace_grpc *grpc = httptrace_request__grpc(request);
	const struct httptrace_websocket *websocket = httptrace_request__websocket(request);

	if (grpc) {
		script_put(text, " grpc(%s %s %s %d '%s'", or_dash(grpc->service), or_dash(grpc->method), or_dash(grpc->status),
			   grpc->status_code, grpc->message ? grpc->message : "");
		put_each_way(text, grpc->messages_sent, grpc->messages_received);
		script_put(text, ")");
	}
	if (websocket) {
		script_put(text, " frames");
		put_each_way(text, websocket->frames_sent, websocket->frames_received);
		if (websocket->close_code)
			script_put(text, " close=%d", websocket->close_code);
		if (websocket->is_closed)
			script_put(text, " by=%s", httptrace_closer__name(websocket->closed_by));
	}
}

void script_put_request(struct script_text *text, const struct httptrace_request *request, const struct script_view *view)
{
	const struct httptrace_error *error = httptrace_request__error(request);
	const struct httptrace_message *tx = httptrace_request__sent(request), *rx = httptrace_request__received(request);

	if (httptrace_request__kind(request) == HTTPTRACE_DIAL)
		script_put(text, "dial %s", or_dash(httptrace_request__host_port(request)));
	else if (httptrace_request__kind(request) == HTTPTRACE_WEBSOCKET)
		script_put(text, "websocket %s", or_dash(httptrace_request__url(request)));
	else if (httptrace_request__url(request))
		script_put(text, "%s %s", or_dash(httptrace_request__method(request)), httptrace_request__url(request));
	else
		script_put(text, "%s (%s)", or_dash(httptrace_request__method(request)), or_dash(httptrace_request__host_port(request)));
	if (httptrace_request__status(request))
		script_put(text, " %d", httptrace_request__status(request));
	script_put(text, " %s", httptrace_outcome__name(httptrace_request__outcome(request)));
	if (error)
		script_put(text, " %s/%s", httptrace_phase__name(httptrace_request__error_phase(request)), error->code);
	if (httptrace_request__lost(request))
		script_put(text, " lost=%" PRIu64, httptrace_request__lost(request));
	if (httptrace_request__is_open(request))
		script_put(text, " open");
	if (httptrace_request__sent(request)->source)
		script_put(text, " from=%s", httptrace_request__sent(request)->source);
	put_particular(text, request);
	script_put(text, " :");
	for (size_t i = 0; i < httptrace_request__hook_cnt(request); i++) {
		enum httptrace_hook_id id;
		const struct httptrace_hook *hook = httptrace_request__hook(request, i, &id);

		if (id == HTTPTRACE_WROTE_HEADER_FIELD && !view->fields)
			continue;
		script_put(text, " %s", httptrace_hook__name(id));
		put_args(text, id, hook, view);
		if (view->how)
			script_put(text, "%s", hook->how == HTTPTRACE_PROXY ? "~" : hook->how == HTTPTRACE_INFERRED ? "?" : "");
		if (view->time) {
			script_put(text, "@");
			put_time(text, hook->mono_ns - httptrace_request__mono_ns(request));
		}
	}
	if (view->conn)
		put_conn(text, request);
	if (view->bytes) {
		script_put(text, " tx=%" PRId64 "+%" PRId64 " rx=%" PRId64 "+%" PRId64, tx->header_bytes, tx->body_bytes, rx->header_bytes,
			   rx->body_bytes);
		for (size_t i = 0; view->fields && i < rx->header_cnt; i++)
			script_put(text, " %s=%s", rx->headers[i].name, or_dash(rx->headers[i].value));
	}
	if (view->times)
		put_times(text, request);
	if (view->who)
		script_put(text, " <%d/%d %s %s>", httptrace_request__pid(request), httptrace_request__tid(request),
			   or_dash(httptrace_request__comm(request)), or_dash(httptrace_request__exe(request)));
	script_put(text, "\n");
}

/* Of a hook id: how often, when first, when last. */
struct seen {
	unsigned int cnt;
	int64_t first_ns, last_ns;
};

static bool is_before(const struct seen *a, const struct seen *b)
{
	return !a->cnt || !b->cnt || a->first_ns <= b->first_ns;
}

const char *script_check(const struct httptrace_request *request, bool is_done)
{
	struct seen seen[HTTPTRACE_HOOK_CNT] = { { 0 } };
	enum httptrace_outcome outcome = httptrace_request__outcome(request);
	int64_t former_ns = INT64_MIN;

	for (size_t i = 0; i < httptrace_request__hook_cnt(request); i++) {
		enum httptrace_hook_id id;
		const struct httptrace_hook *hook = httptrace_request__hook(request, i, &id);
		struct seen *s = &seen[id];

		if (hook->mono_ns < former_ns)
			return "hooks are not in the order of time";
		former_ns = hook->mono_ns;
		if (hook->mono_ns <= 0)
			return "a hook without a time";
		if (!s->cnt++)
			s->first_ns = hook->mono_ns;
		s->last_ns = hook->mono_ns;
	}
	static const enum httptrace_hook_id once[] = { HTTPTRACE_GET_CONN,         HTTPTRACE_GOT_CONN,
						       HTTPTRACE_WROTE_HEADERS,    HTTPTRACE_WAIT_100_CONTINUE,
						       HTTPTRACE_WROTE_REQUEST,    HTTPTRACE_GOT_FIRST_RESPONSE_BYTE,
						       HTTPTRACE_GOT_100_CONTINUE, HTTPTRACE_GOT_RESPONSE_HEADERS,
						       HTTPTRACE_GOT_BODY,         HTTPTRACE_PUT_IDLE_CONN,
						       HTTPTRACE_CONN_CLOSED };
	static const enum httptrace_hook_id order[][2] = {
		{ HTTPTRACE_GET_CONN, HTTPTRACE_GOT_CONN },
		{ HTTPTRACE_GET_CONN, HTTPTRACE_DNS_START },
		{ HTTPTRACE_GET_CONN, HTTPTRACE_CONNECT_START },
		{ HTTPTRACE_DNS_START, HTTPTRACE_DNS_DONE },
		{ HTTPTRACE_DNS_DONE, HTTPTRACE_CONNECT_START },
		{ HTTPTRACE_CONNECT_START, HTTPTRACE_CONNECT_DONE },
		{ HTTPTRACE_CONNECT_DONE, HTTPTRACE_TLS_HANDSHAKE_START },
		{ HTTPTRACE_TLS_HANDSHAKE_START, HTTPTRACE_TLS_HANDSHAKE_DONE },
		{ HTTPTRACE_TLS_HANDSHAKE_DONE, HTTPTRACE_GOT_CONN },
		{ HTTPTRACE_GOT_CONN, HTTPTRACE_WROTE_HEADER_FIELD },
		{ HTTPTRACE_GOT_CONN, HTTPTRACE_WROTE_HEADERS },
		{ HTTPTRACE_WROTE_HEADER_FIELD, HTTPTRACE_WROTE_HEADERS },
		{ HTTPTRACE_WROTE_HEADERS, HTTPTRACE_WAIT_100_CONTINUE },
		{ HTTPTRACE_WROTE_HEADERS, HTTPTRACE_WROTE_REQUEST },
		{ HTTPTRACE_WAIT_100_CONTINUE, HTTPTRACE_WROTE_REQUEST },
		{ HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, HTTPTRACE_GOT_1XX_RESPONSE },
		{ HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, HTTPTRACE_GOT_100_CONTINUE },
		{ HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, HTTPTRACE_GOT_RESPONSE_HEADERS },
		{ HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, HTTPTRACE_PUT_IDLE_CONN },
		{ HTTPTRACE_GOT_RESPONSE_HEADERS, HTTPTRACE_GOT_BODY },
		{ HTTPTRACE_WROTE_REQUEST, HTTPTRACE_PUT_IDLE_CONN },
		{ HTTPTRACE_GOT_CONN, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE },
	};

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (seen[once[i]].cnt > 1)
			return "a hook that comes once came twice";
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (!is_before(&seen[order[i][0]], &seen[order[i][1]]))
			return httptrace_hook__name(order[i][1]);
	if (seen[HTTPTRACE_DNS_DONE].cnt > seen[HTTPTRACE_DNS_START].cnt ||
	    seen[HTTPTRACE_CONNECT_DONE].cnt > seen[HTTPTRACE_CONNECT_START].cnt ||
	    seen[HTTPTRACE_TLS_HANDSHAKE_DONE].cnt > seen[HTTPTRACE_TLS_HANDSHAKE_START].cnt)
		return "more ends than starts";
	if (seen[HTTPTRACE_PUT_IDLE_CONN].cnt && seen[HTTPTRACE_CONN_CLOSED].cnt)
		return "PutIdleConn of a connection that is closed";
	if (!is_done)
		return NULL;
	if (outcome == HTTPTRACE_PENDING)
		return "done without an outcome";
	if (!httptrace_request__error(request) != (outcome == HTTPTRACE_OK || outcome == HTTPTRACE_UNUSED))
		return "error and outcome disagree";
	if (outcome == HTTPTRACE_UNUSED && httptrace_request__kind(request) != HTTPTRACE_DIAL)
		return "an unused request";
	if (outcome == HTTPTRACE_GRPC_ERROR && !httptrace_request__grpc(request))
		return "a gRPC error without gRPC";
	if (httptrace_request__is_open(request) && outcome != HTTPTRACE_INCOMPLETE)
		return "open, and ended";
	/* But of a request that was lost, and its answer was not. */
	if (httptrace_request__kind(request) != HTTPTRACE_WEBSOCKET && !seen[HTTPTRACE_GET_CONN].cnt &&
	    !(httptrace_request__lost(request) && !seen[HTTPTRACE_WROTE_HEADERS].cnt))
		return "no GetConn";
	return NULL;
}
