/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h1_tunnel.c - messages behind which the connection is no HTTP/1 any more: CONNECT, which is part of a dial and no request (hooks.md C13), and 101 (C21).
 *
 * In:  a CONNECT's end, a 101. Out: the connection's route and what it turns into; or a report of a dial that the proxy put an end to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/route.h"
#include "req/h1_private.h"
#include "req/hooks.h"

#define PROXY_AUTH_REQUIRED 407

bool ht_h1_is_connect(const struct ht_flight *flight)
{
	return flight->has_head && !strcmp(flight->method, "CONNECT");
}

/* ---- CONNECT ---- */

static bool is_of_dial(enum httptrace_hook_id id)
{
	switch (id) {
	case HTTPTRACE_GET_CONN:
	case HTTPTRACE_DNS_START:
	case HTTPTRACE_DNS_DONE:
	case HTTPTRACE_CONNECT_START:
	case HTTPTRACE_CONNECT_DONE:
	case HTTPTRACE_TLS_HANDSHAKE_START:
	case HTTPTRACE_TLS_HANDSHAKE_DONE:
		return true;
	default:
		return false;
	}
}

/*
 * What was asked of the proxy, not of the target, is not told; the target is, as CONNECT has it: host and port, as the scheme is not known. None of its hooks
 * has been handed over: it was never identified.
 */
static void strip(struct httptrace_request *request)
{
	for (size_t i = request->hook_cnt; i-- > 0;)
		if (!is_of_dial(request->hooks[i].id))
			ht_request_remove_hook(request, request->hooks[i].info);
	request->method = NULL;
	request->http = NULL;
	request->status = 0;
	request->sent = request->received = (struct httptrace_message){ .sz = sizeof(request->sent), .header_bytes = -1, .body_bytes = -1 };
}

/* The dial has ended here: its hooks are told with this report, and with no other. */
static void report(struct ht_h1 *h1, struct ht_flight *flight, int status)
{
	struct ht_conn *conn = h1->base.conn;
	struct httptrace_request *request = flight->request;

	strip(request);
	if (ht_route_make(conn, conn->tls ? HT_PROXY_HTTPS : HT_PROXY_HTTP)) {
		ht_route_describe(conn, request);
		if (!conn->route->is_tunnel)
			request->proxy.status = status;
	}
	ht_conn_forget_dial(conn);
	ht_h1_done(h1, flight);
}

void ht_h1_connect_refused(struct ht_h1 *h1, struct ht_flight *flight)
{
	struct httptrace_request *request = flight->request;
	char code[32], message[512];
	int status = request->status;

	snprintf(code, sizeof(code), "PROXY_%d", status);
	snprintf(message, sizeof(message), "the proxy refused a tunnel to %s", request->url ? request->url : "the target");
	ht_report_outcome(request, HTTPTRACE_CONNECT_ERROR, HTTPTRACE_PHASE_CONNECT, code, message, flight->end_ns);
	report(h1, flight, status);
}

void ht_h1_connect_failed(struct ht_h1 *h1, struct ht_flight *flight, const struct ht_failure *f)
{
	struct httptrace_request *request = flight->request;

	/* Nobody needs the rest of a refusal. */
	if (flight->has_final) {
		ht_h1_connect_refused(h1, flight);
		return;
	}
	ht_flight_fail(&h1->base, flight, f);
	request->error_phase = HTTPTRACE_PHASE_CONNECT;
	/* As with a connect that the peer refuses: no response was under way yet. */
	if (request->outcome == HTTPTRACE_CLOSED || request->outcome == HTTPTRACE_RESET)
		request->outcome = HTTPTRACE_CONNECT_ERROR;
	request->is_open = false;
	report(h1, flight, 0);
}

void ht_h1_connect_retried(struct ht_h1 *h1)
{
	ht_timer_cancel(&h1->base.engine->timers, &h1->fate);
	ht_h1_drop(h1, h1->settling);
	h1->base.conn->requests = 0;
	h1->base.conn->last_end_ns = 0;
}

void ht_h1_connect_answered(struct ht_h1 *h1, struct ht_flight *flight, uint64_t ts_ns)
{
	flight->is_answered = true;
	flight->end_ns = ts_ns;
	/* With other credentials on the kept connection it may succeed yet (curl's --proxy-anyauth): then it is part of the dial. */
	if (flight->request->status != PROXY_AUTH_REQUIRED || !ht_h1_is_kept(flight) || h1->flight_cnt > 1 || h1->base.conn->fin_ns ||
	    h1->base.conn->reset_ns) {
		ht_h1_connect_refused(h1, flight);
		return;
	}
	ht_list_remove(&flight->node);
	h1->flight_cnt--;
	h1->settling = flight;
	h1->again_ns = 0;
	ht_timer_set(&h1->base.engine->timers, &h1->fate, ts_ns + HT_DIAL_WAIT_NS, ht_h1_fate_due, h1);
}

static void connect_granted(struct ht_h1 *h1, struct ht_flight *flight)
{
	struct httptrace_request *request = flight->request;

	/* The url of a CONNECT is its target as it was sent. */
	if (!ht_route_connected(h1->base.conn, request->url ? request->url : "", flight->begin_ns, request->status))
		h1->base.turn = NULL;
	ht_list_remove(&flight->node);
	ht_h1_drop(h1, flight);
}

/* ---- 101 ---- */

/* RFC 9110 section 7.8: a list of protocols, each with a version or without. */
static bool has_protocol(struct ht_span list, const char *name)
{
	size_t at = 0;

	while (at < list.len) {
		struct ht_span one = { list.ptr + at, 0 };

		while (at < list.len && !strchr(", \t", list.ptr[at])) {
			at++;
			one.len++;
		}
		if (ht_span_is(one, name))
			return true;
		at++;
	}
	return false;
}

static enum ht_turn_to upgrade_of(const struct ht_http1_head *head, bool *has_extensions)
{
	enum ht_turn_to to = HT_TURN_NONE;

	for (size_t i = 0; i < head->field_cnt; i++) {
		const struct ht_http1_field *field = &head->fields[i];

		if (ht_span_is(field->name, "sec-websocket-extensions"))
			*has_extensions |= field->value.len != 0;
		else if (!ht_span_is(field->name, "upgrade"))
			continue;
		else if (has_protocol(field->value, "websocket"))
			to = HT_TURN_WEBSOCKET;
		else if (has_protocol(field->value, "h2c"))
			to = HT_TURN_H2C;
	}
	return to;
}

void ht_h1_tunnel_head(struct ht_h1 *h1, const struct ht_http1_head *head)
{
	h1->turn.to = head->status == 101 ? upgrade_of(head, &h1->turn.has_extensions) : HT_TURN_TUNNEL;
}

static void websocket_begins(struct ht_h1 *h1, struct ht_flight *flight, uint64_t ts_ns)
{
	h1->turn.request = httptrace_request__ref(flight->request);
	ht_h1_response_end(h1, flight, ts_ns);
	ht_list_remove(&flight->node);
	ht_h1_done(h1, flight);
}

static void h2c_begins(struct ht_h1 *h1, struct ht_flight *flight)
{
	if (h1->writing == flight)
		h1->writing = NULL;
	ht_list_remove(&flight->node);
	h1->flight_cnt--;
	h1->turn.flight = flight;
}

void ht_h1_tunnel_end(struct ht_h1 *h1, struct ht_flight *flight, uint64_t ts_ns)
{
	bool is_upgrade = h1->turn.to != HT_TURN_TUNNEL;

	if (is_upgrade)
		h1->base.engine->counts.upgraded++;
	h1->is_dead = true;
	h1->turn.ts_ns = ts_ns;
	h1->base.turn = h1->turn.to ? &h1->turn : NULL;
	switch (h1->turn.to) {
	case HT_TURN_TUNNEL:
		connect_granted(h1, flight);
		break;
	case HT_TURN_WEBSOCKET:
		websocket_begins(h1, flight, ts_ns);
		break;
	case HT_TURN_H2C:
		h2c_begins(h1, flight);
		break;
	case HT_TURN_NONE: /* nothing that is read here: it stays what is left of HTTP/1 */
		ht_h1_response_end(h1, flight, ts_ns);
		ht_h1_finish(h1, flight);
		break;
	}
}
