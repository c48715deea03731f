/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exchange.c - HTTP/1 on one connection: bytes to messages, messages to requests in order of sending (RFC 9112 section 9.3), and how they end.
 */
#include "req/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "req/exchange_private.h"
#include "req/hooks.h"
#include "util/names.h"

struct ht_held {
	struct ht_list node;
	struct ht_rec_data rec; /* the captured bytes follow */
};

static const struct ht_http1_events request_events, response_events;

struct ht_exchange *ht_exchange_new(struct ht_conn *conn)
{
	struct ht_exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->engine = conn->engine;
	exchange->conn = conn;
	ht_list_init(&exchange->flights);
	ht_list_init(&exchange->held);
	exchange->is_from_start = conn->is_whole && !conn->requests && (!conn->tls || conn->tls->handshake != HT_HANDSHAKE_UNSEEN);
	exchange->parser[HT_DIR_TX] = ht_http1_new(HT_HTTP1_REQUEST, 0, &request_events, exchange);
	exchange->parser[HT_DIR_RX] = ht_http1_new(HT_HTTP1_RESPONSE, 0, &response_events, exchange);
	if (!exchange->parser[HT_DIR_TX] || !exchange->parser[HT_DIR_RX]) {
		ht_exchange_free(exchange);
		errno = ENOMEM;
		return NULL;
	}
	return exchange;
}

void ht_exchange_drop_held(struct ht_exchange *exchange)
{
	struct ht_held *held, *next;

	ht_list_each(&exchange->held, held, next, node) {
		ht_list_remove(&held->node);
		free(held);
	}
	exchange->held_bytes = 0;
	ht_timer_cancel(&exchange->engine->timers, &exchange->held_timer);
}

/* A flight leaves without a report. */
void ht_exchange_drop(struct ht_exchange *exchange, struct ht_flight *flight)
{
	if (exchange->writing == flight)
		exchange->writing = NULL;
	if (exchange->settling == flight)
		exchange->settling = NULL;
	else
		exchange->flight_cnt--;
	httptrace_request__unref(flight->request);
	ht_flight_free(flight);
}

void ht_exchange_free(struct ht_exchange *exchange)
{
	struct ht_flight *flight, *next;

	if (!exchange)
		return;
	ht_exchange_drop_held(exchange);
	ht_timer_cancel(&exchange->engine->timers, &exchange->fate);
	ht_list_each(&exchange->flights, flight, next, node)
		ht_exchange_drop(exchange, flight);
	if (exchange->settling)
		ht_exchange_drop(exchange, exchange->settling);
	ht_http1_free(exchange->parser[HT_DIR_TX]);
	ht_http1_free(exchange->parser[HT_DIR_RX]);
	free(exchange);
}

struct ht_flight *ht_exchange_first(const struct ht_exchange *exchange)
{
	return ht_list_is_empty(&exchange->flights) ? NULL : ht_container(exchange->flights.next, struct ht_flight, node);
}

bool ht_exchange_has_open(const struct ht_exchange *exchange)
{
	return exchange->flight_cnt || exchange->settling;
}

bool ht_exchange_is_not_http(const struct ht_exchange *exchange)
{
	return exchange->is_not_http;
}

bool ht_exchange_is_tunnel(const struct ht_exchange *exchange)
{
	return exchange->is_tunnel;
}

/* ---- requests: from the parser of what is sent ---- */

/*
 * When the call that is being fed wrote its last byte: its end, but never later than the response that it caused (hooks.md 0a). start_ns tells
 * whether the response came during the call.
 */
static uint64_t written_at(const struct ht_exchange *exchange, const struct ht_flight *flight)
{
	uint64_t ts_ns = exchange->rec->hdr.ts_ns;

	if (!ht_list_is_empty(&exchange->held)) {
		const struct ht_held *held = ht_container(exchange->held.next, struct ht_held, node);

		if (held->rec.hdr.ts_ns < ts_ns && ht_exchange_first(exchange) == flight)
			ts_ns = held->rec.hdr.ts_ns;
	}
	if (flight->first_byte_ns && flight->first_byte_ns < ts_ns && exchange->rec->start_ns &&
	    exchange->rec->start_ns < flight->first_byte_ns)
		ts_ns = flight->first_byte_ns;
	return ts_ns;
}

static void request_begin(void *ctx)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight;

	ht_exchange_settle(exchange);
	if (exchange->flight_cnt >= HT_EXCHANGE_MAX_REQUESTS) {
		ht_engine_evicted(exchange->engine, &exchange->engine->counts.evicted_pipelines);
		exchange->is_dead = true;
		return;
	}
	flight = ht_flight_new(exchange);
	if (!flight) {
		exchange->engine->counts.out_of_memory++;
		exchange->is_dead = true;
		return;
	}
	flight->was_busy = exchange->flight_cnt != 0;
	ht_list_append(&exchange->flights, &flight->node);
	flight->begin_ns = exchange->rec->start_ns ? exchange->rec->start_ns : written_at(exchange, flight);
	exchange->flight_cnt++;
	exchange->writing = flight;
}

static void request_head(void *ctx, const struct ht_http1_head *head)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = exchange->writing;

	if (!flight)
		return;
	exchange->is_proven = true;
	ht_flight_head(exchange, flight, head, written_at(exchange, flight));
}

static void request_body(void *ctx, uint64_t n)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = exchange->writing;
	uint64_t begin_ns = exchange->rec->start_ns ? exchange->rec->start_ns : exchange->rec->hdr.ts_ns;

	if (!flight)
		return;
	/* hooks.md B3: in the same write as the head, or right behind it, the client did not wait. */
	if (!flight->sent_body_bytes && flight->is_expecting && !flight->is_wait_told) {
		if (begin_ns > flight->head_ns && begin_ns - flight->head_ns > HT_NOT_WAITING_NS)
			ht_flight_wait_continue(flight);
		else
			flight->is_wait_told = true;
	}
	flight->sent_body_bytes += n;
	flight->request->sent.body_bytes = (int64_t)flight->sent_body_bytes;
}

static void request_end(void *ctx, const struct ht_http1_field *trailers, size_t trailer_cnt)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = exchange->writing;

	(void)trailers;
	(void)trailer_cnt;
	if (!flight)
		return;
	exchange->writing = NULL;
	ht_flight_written(flight, written_at(exchange, flight), NULL);
	if (flight->is_answered)
		ht_exchange_finish(exchange, flight);
}

/* Nothing more can be read from either direction until a request begins again. */
static void lose_track(struct ht_exchange *exchange)
{
	struct ht_failure f = {
		.outcome = HTTPTRACE_INCOMPLETE,
		.code = "gap",
		.message = "bytes of the message are not known",
		.ts_ns = exchange->rec->hdr.ts_ns,
		.closer = -1,
	};

	exchange->is_awry[HT_DIR_TX] = exchange->is_awry[HT_DIR_RX] = true;
	ht_exchange_fail_all(exchange, &f);
}

/*
 * No HTTP message begins with these bytes. On a connection older than we they may be the rest of a message, so its next one is waited for, unless what
 * is sent are responses: then this is a server.
 */
static void not_http_yet(struct ht_exchange *exchange)
{
	const struct ht_rec_data *rec = exchange->rec;
	enum ht_http1_side other = rec->dir == HT_DIR_TX ? HT_HTTP1_RESPONSE : HT_HTTP1_REQUEST;

	while (ht_exchange_first(exchange))
		ht_exchange_drop(exchange, ht_exchange_first(exchange));
	if (!exchange->conn->is_whole && ht_http1_probe(other, rec + 1, rec->captured_len) != 1) {
		exchange->is_awry[rec->dir] = true;
		if (rec->dir == HT_DIR_TX)
			exchange->is_awry[HT_DIR_RX] = true;
		return;
	}
	exchange->is_not_http = true;
	exchange->is_dead = true;
}

static void parser_error(struct ht_exchange *exchange, enum ht_http1_error error, bool is_request)
{
	struct ht_failure f = { .outcome = HTTPTRACE_PROTOCOL_ERROR, .code = ht_http1_error_name(error), .closer = -1 };

	if (exchange->is_ending)
		return;
	if (error == HT_HTTP1_GAP || error == HT_HTTP1_HEAD_TOO_LARGE) {
		lose_track(exchange);
		return;
	}
	if (error == HT_HTTP1_NOT_HTTP && !exchange->is_proven) {
		not_http_yet(exchange);
		return;
	}
	/* What answers nobody harms nobody: the next response begins anew. */
	if (!is_request && exchange->is_orphan) {
		exchange->is_awry[HT_DIR_RX] = true;
		return;
	}
	if (is_request && exchange->writing)
		exchange->writing->is_plausible = true;
	f.message = is_request ? "the request is not HTTP/1 as RFC 9112 has it" : "the response is not HTTP/1 as RFC 9112 has it";
	f.ts_ns = exchange->rec->hdr.ts_ns;
	exchange->is_dead = true;
	ht_exchange_fail_all(exchange, &f);
}

static void request_error(void *ctx, enum ht_http1_error error)
{
	parser_error(ctx, error, true);
}

static const struct ht_http1_events request_events = {
	.begin = request_begin,
	.head = request_head,
	.body = request_body,
	.end = request_end,
	.error = request_error,
};

/* ---- responses ---- */

static void response_begin(void *ctx)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = ht_exchange_first(exchange);

	exchange->is_orphan = !flight || flight->is_answered;
	if (exchange->is_orphan)
		return;
	flight->is_response_begun = true;
	if (flight->first_byte_ns)
		return;
	ht_flight_wait_continue(flight);
	flight->first_byte_ns = exchange->rec->hdr.ts_ns;
	ht_hook_plain(flight->request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, flight->first_byte_ns, HTTPTRACE_OBSERVED);
}

static struct ht_span response_method(void *ctx)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = ht_exchange_first(exchange);

	if (exchange->is_orphan || !flight)
		return (struct ht_span){ "", 0 };
	return (struct ht_span){ flight->method, strlen(flight->method) };
}

static void response_head(void *ctx, const struct ht_http1_head *head)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = ht_exchange_first(exchange);

	if (exchange->is_orphan)
		exchange->engine->counts.unsolicited++;
	else if (flight)
		ht_flight_response_head(exchange, flight, head, exchange->rec->hdr.ts_ns);
}

static void response_body(void *ctx, uint64_t n)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = ht_exchange_first(exchange);

	if (!exchange->is_orphan && flight)
		flight->got_body_bytes += n;
}

/* The CONNECT itself is part of the dial, no request (hooks.md C13): whoever speaks behind it inherits the dial. */
static void tunnel_opened(struct ht_exchange *exchange, struct ht_flight *flight)
{
	exchange->engine->counts.tunnels++;
	exchange->is_tunnel = true;
	exchange->is_dead = true;
	exchange->conn->requests = 0;
	exchange->conn->last_end_ns = 0;
	ht_list_remove(&flight->node);
	ht_exchange_drop(exchange, flight);
}

static void response_end(void *ctx, const struct ht_http1_field *trailers, size_t trailer_cnt)
{
	struct ht_exchange *exchange = ctx;
	struct ht_flight *flight = ht_exchange_first(exchange);
	uint64_t ts_ns = exchange->rec->hdr.ts_ns;

	(void)trailers;
	(void)trailer_cnt;
	if (exchange->is_orphan || !flight || flight->is_interim) {
		exchange->is_orphan = false;
		return;
	}
	if (flight->framing == HT_HTTP1_TUNNEL) {
		if (flight->request->status != 101) {
			tunnel_opened(exchange, flight);
			return;
		}
		exchange->engine->counts.upgraded++;
		exchange->is_dead = true;
	}
	ht_flight_response_end(exchange, flight, ts_ns);
	if (flight->is_written)
		ht_exchange_finish(exchange, flight);
	else
		ht_timer_set(&exchange->engine->timers, &exchange->fate, ts_ns + HT_LATE_WRITE_NS, ht_exchange_fate_due, exchange);
}

static void response_error(void *ctx, enum ht_http1_error error)
{
	parser_error(ctx, error, false);
}

static const struct ht_http1_events response_events = {
	.begin = response_begin,
	.head = response_head,
	.body = response_body,
	.end = response_end,
	.error = response_error,
	.request_method = response_method,
};

/* ---- bytes ---- */

/* After a gap: may these bytes begin a message? Then both sides start anew with a request, the receiving one with a response. */
static bool is_back_on_track(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	int dir = rec->dir;
	enum ht_http1_side side = dir == HT_DIR_TX ? HT_HTTP1_REQUEST : HT_HTTP1_RESPONSE;

	if (!exchange->is_awry[dir])
		return true;
	if (dir == HT_DIR_RX && exchange->is_awry[HT_DIR_TX])
		return false;
	if (ht_http1_probe(side, rec + 1, rec->captured_len) != 1)
		return false;
	ht_http1_reset(exchange->parser[dir]);
	exchange->is_awry[dir] = false;
	return true;
}

/* 8c: the client left the announced body out and sends its next request on the kept connection. */
static void look_for_abandoned_body(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	struct ht_flight *flight = exchange->writing;
	bool is_owed = exchange->is_body_owed;

	exchange->is_body_owed = false;
	if (!is_owed && (!flight || !ht_flight_keeps_body_back(flight)))
		return;
	if (ht_http1_probe(HT_HTTP1_REQUEST, rec + 1, rec->captured_len) != 1)
		return;
	if (is_owed) {
		ht_http1_reset(exchange->parser[HT_DIR_TX]);
		return;
	}
	ht_flight_give_up_body(flight, flight->end_ns);
	exchange->writing = NULL;
	ht_http1_reset(exchange->parser[HT_DIR_TX]);
	ht_exchange_finish(exchange, flight);
}

/* Where the direction's next byte stands. A stream that was not seen from its first byte on begins with its first record, at off. */
static uint64_t expected_off(const struct ht_exchange *exchange, int dir, uint64_t off)
{
	if (exchange->has_off[dir])
		return exchange->off[dir];
	return exchange->is_from_start ? 0 : off;
}

static void feed(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	struct ht_http1 *parser = exchange->parser[rec->dir];
	const uint8_t *data = (const uint8_t *)(rec + 1);
	uint64_t expected = expected_off(exchange, rec->dir, rec->off);
	uint32_t captured_len = rec->captured_len, orig_len = rec->orig_len;

	exchange->rec = rec;
	exchange->has_off[rec->dir] = true;
	if (rec->off < expected) { /* told before: the records of a call that was seen twice */
		uint64_t known = expected - rec->off;

		if (known >= orig_len)
			return;
		data += known < captured_len ? known : captured_len;
		captured_len -= known < captured_len ? (uint32_t)known : captured_len;
		orig_len -= (uint32_t)known;
	}
	exchange->off[rec->dir] = rec->off + rec->orig_len;
	if (rec->off > expected && !exchange->is_awry[rec->dir]) {
		if (!rec->hdr.lost)
			ht_exchange_lost(exchange, 1);
		ht_http1_skip(parser, rec->off - expected);
	}
	if (!is_back_on_track(exchange, rec))
		return;
	if (rec->dir == HT_DIR_TX)
		look_for_abandoned_body(exchange, rec);
	if (captured_len)
		ht_http1_feed(parser, data, captured_len);
	if (exchange->writing && !exchange->writing->has_head && rec->dir == HT_DIR_TX &&
	    ht_http1_probe(HT_HTTP1_REQUEST, data, captured_len) == 1)
		exchange->writing->is_plausible = true;
	if (captured_len < orig_len && !exchange->is_dead && !exchange->is_awry[rec->dir])
		ht_http1_skip(parser, orig_len - captured_len);
}

static void hold(struct ht_exchange *exchange, const struct ht_rec_data *rec);

static void report_progress(struct ht_exchange *exchange)
{
	struct ht_flight *flight, *next;

	ht_list_each(&exchange->flights, flight, next, node)
		ht_report_progress(exchange->engine, flight->request);
	if (exchange->settling)
		ht_report_progress(exchange->engine, exchange->settling->request);
}

static void release_held(struct ht_exchange *exchange)
{
	struct ht_held *held, *next;
	struct ht_list list;

	ht_timer_cancel(&exchange->engine->timers, &exchange->held_timer);
	ht_list_init(&list);
	ht_list_each(&exchange->held, held, next, node) {
		ht_list_remove(&held->node);
		ht_list_append(&list, &held->node);
	}
	exchange->held_bytes = 0;
	ht_list_each(&list, held, next, node) {
		if (!exchange->is_dead)
			feed(exchange, &held->rec);
		ht_list_remove(&held->node);
		free(held);
	}
	exchange->rec = NULL;
}

static void held_due(void *object, uint64_t at_ns)
{
	(void)at_ns;
	release_held(object);
	report_progress(object);
}

static void hold(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	size_t bytes = sizeof(struct ht_list) + sizeof(*rec) + rec->captured_len;
	struct ht_held *held = exchange->held_bytes + bytes <= HT_EXCHANGE_MAX_HELD_BYTES ? malloc(bytes) : NULL;

	if (!held) {
		ht_engine_evicted(exchange->engine, &exchange->engine->counts.evicted_held);
		return; /* the stream offsets will tell the gap */
	}
	memcpy(&held->rec, rec, sizeof(*rec) + rec->captured_len);
	ht_list_append(&exchange->held, &held->node);
	exchange->held_bytes += bytes;
	if (!ht_timer_is_set(&exchange->held_timer))
		ht_timer_set(&exchange->engine->timers, &exchange->held_timer, rec->hdr.ts_ns + HT_HELD_NS, held_due, exchange);
}

/*
 * Can this send be what the response that is held answers? It must have begun before the response came. Where its begin is not known, a connection
 * older than the tracer may as well have received the answer to a request that nobody saw.
 */
static bool may_cause_held(const struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	const struct ht_held *held = ht_container(exchange->held.next, struct ht_held, node);

	if (ht_list_is_empty(&exchange->held))
		return true;
	if (rec->start_ns)
		return rec->start_ns <= held->rec.hdr.ts_ns;
	return exchange->conn->is_whole || exchange->conn->requests;
}

void ht_exchange_data(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	if (exchange->is_dead)
		return;
	if (rec->dir == HT_DIR_RX &&
	    (!ht_list_is_empty(&exchange->held) || (!exchange->flight_cnt && !exchange->is_orphan &&
						    ht_http1_is_idle(exchange->parser[HT_DIR_RX]) && !exchange->is_awry[HT_DIR_TX]))) {
		hold(exchange, rec);
		return;
	}
	if (rec->dir == HT_DIR_TX && !may_cause_held(exchange, rec))
		release_held(exchange);
	if (exchange->is_dead)
		return;
	feed(exchange, rec);
	/* Not before the head is whole: the call may have made several records. */
	if (rec->dir == HT_DIR_TX && exchange->flight_cnt && !ht_list_is_empty(&exchange->held) &&
	    (!exchange->writing || exchange->writing->has_head))
		release_held(exchange);
	exchange->rec = NULL;
	report_progress(exchange);
}

/* ---- ends ---- */

void ht_exchange_again(struct ht_exchange *exchange, uint64_t ts_ns)
{
	if (exchange->settling && !exchange->again_ns && ts_ns >= exchange->settling->end_ns)
		exchange->again_ns = ts_ns;
}

void ht_exchange_fin(struct ht_exchange *exchange, uint64_t ts_ns)
{
	ht_exchange_settle_closed(exchange, ts_ns, HTTPTRACE_BY_SERVER);
}

void ht_exchange_reset(struct ht_exchange *exchange, uint64_t ts_ns)
{
	ht_exchange_settle_closed(exchange, ts_ns, HTTPTRACE_BY_RESET);
}

void ht_exchange_reach(struct ht_exchange *exchange, int dir, uint64_t off, uint64_t ts_ns)
{
	struct ht_rec_data at = { .hdr = { .ts_ns = ts_ns }, .dir = (uint8_t)dir };
	uint64_t expected;

	release_held(exchange);
	expected = expected_off(exchange, dir, off);
	if (exchange->is_dead || exchange->is_awry[dir] || off <= expected)
		return;
	exchange->has_off[dir] = true;
	exchange->off[dir] = off;
	exchange->rec = &at;
	ht_http1_skip(exchange->parser[dir], off - expected);
	exchange->rec = NULL;
	report_progress(exchange);
}

/* The response stream is over: a body that lasts until then is whole now (its end is response_end()'s affair). */
static void end_response_stream(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_rec_data at = { .hdr = { .ts_ns = ts_ns }, .dir = HT_DIR_RX };

	release_held(exchange);
	exchange->rec = &at;
	exchange->is_ending = true;
	if (!exchange->is_dead && !exchange->is_awry[HT_DIR_RX])
		ht_http1_eof(exchange->parser[HT_DIR_RX]);
	exchange->is_ending = false;
	exchange->rec = NULL;
}

void ht_exchange_eof(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	uint64_t ts_ns = rec->hdr.ts_ns;
	struct ht_failure f = {
		.outcome = HTTPTRACE_CLOSED,
		.code = "closed",
		.message = "the server closed the connection before the response was whole",
		.ts_ns = ts_ns,
		.closer = HTTPTRACE_BY_SERVER,
	};

	ht_exchange_reach(exchange, HT_DIR_RX, rec->off, ts_ns);
	end_response_stream(exchange, ts_ns);
	ht_exchange_settle_closed(exchange, ts_ns, HTTPTRACE_BY_SERVER);
	ht_exchange_fail_all(exchange, &f);
	exchange->is_dead = true;
}

/* The kernel's and the C library's ways to say that a call was only interrupted or found nothing, which end nothing. */
static bool is_fatal(int err)
{
	return err == ECONNRESET || err == EPIPE || err == ETIMEDOUT || err == ECONNABORTED || err == EHOSTUNREACH || err == ENETUNREACH ||
	       err == ENETDOWN || err == ENETRESET;
}

static enum httptrace_outcome outcome_of(int err)
{
	return err == ETIMEDOUT ? HTTPTRACE_TIMEOUT : HTTPTRACE_RESET;
}

void ht_exchange_io_failed(struct ht_exchange *exchange, uint64_t ts_ns, int dir, int err)
{
	char name[32];
	struct ht_failure f = {
		.outcome = outcome_of(err),
		.code = ht_errno_name(err, name, sizeof(name)),
		.message = ht_errno_text(err),
		.ts_ns = ts_ns,
		.closer = HTTPTRACE_BY_RESET,
	};

	if (!is_fatal(err))
		return;
	release_held(exchange);
	if (dir == HT_DIR_TX) {
		/* The server may have answered before it closed: that is still to be read. */
		if (exchange->writing && exchange->writing->has_head) {
			ht_flight_written(exchange->writing, ts_ns, ht_hook_errno(exchange->writing->request, err));
			exchange->writing->is_send_failed = true;
			exchange->writing->is_kept = false;
			report_progress(exchange);
		}
		return;
	}
	ht_exchange_settle_closed(exchange, ts_ns, HTTPTRACE_BY_RESET);
	ht_exchange_fail_all(exchange, &f);
	exchange->is_dead = true;
}

void ht_exchange_close(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by, int err)
{
	char name[32];
	struct ht_failure f = { .ts_ns = ts_ns, .closer = by };

	release_held(exchange);
	ht_exchange_settle_closed(exchange, ts_ns, by);
	switch (by) {
	case HTTPTRACE_BY_CLIENT:
		f.outcome = HTTPTRACE_ABORTED;
		f.code = "aborted";
		f.message = "the client closed the connection before the response was whole";
		break;
	case HTTPTRACE_BY_SERVER:
		f.outcome = HTTPTRACE_CLOSED;
		f.code = "closed";
		f.message = "the server closed the connection before the response was whole";
		break;
	case HTTPTRACE_BY_RESET:
		f.outcome = outcome_of(err);
		f.code = ht_errno_name(err ? err : ECONNRESET, name, sizeof(name));
		f.message = ht_errno_text(err ? err : ECONNRESET);
		break;
	}
	ht_exchange_fail_all(exchange, &f);
	exchange->is_dead = true;
}

void ht_exchange_abandon(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_failure f = {
		.outcome = HTTPTRACE_INCOMPLETE,
		.code = "incomplete",
		.message = "its end was not seen",
		.ts_ns = ts_ns,
		.closer = -1,
	};

	release_held(exchange);
	if (exchange->settling) {
		ht_timer_cancel(&exchange->engine->timers, &exchange->fate);
		ht_flight_done(exchange, exchange->settling);
	}
	ht_exchange_fail_all(exchange, &f);
	exchange->is_dead = true;
}

void ht_exchange_lost(struct ht_exchange *exchange, uint64_t n)
{
	struct ht_flight *flight, *next;

	if (!exchange->flight_cnt)
		exchange->conn->lost += n; /* the next request may be what it touched */
	ht_list_each(&exchange->flights, flight, next, node)
		flight->request->lost += n;
	if (exchange->settling)
		exchange->settling->request->lost += n;
}
