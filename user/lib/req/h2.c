/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2.c - HTTP/2 on one connection: frames to streams (RFC 9113 section 5), streams to requests, and how they end.
 */
#include "req/h2.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "req/h2_private.h"
#include "req/hooks.h"

/* interface.md: a request is reported at most 5 ms after its response ended. */
#define FATE_NS  (5 * HT_MS)
/* A response may be received by one thread before the send that caused it has returned in another; or end while the request is still being written. */
#define OTHER_NS (50 * HT_MS)

static const struct ht_http2_events client_events, server_events;
static const struct ht_exchange_ops ops;

static struct ht_h2 *h2_of(struct ht_exchange *exchange)
{
	return ht_container(exchange, struct ht_h2, base);
}

struct ht_exchange *ht_h2_new(struct ht_conn *conn, const uint64_t off[2])
{
	struct ht_h2 *h2 = calloc(1, sizeof(*h2));

	if (!h2)
		return NULL;
	h2->base.ops = &ops;
	h2->base.engine = conn->engine;
	h2->base.conn = conn;
	ht_list_init(&h2->flights);
	h2->covered_id = UINT32_MAX;
	h2->is_from_start = off || (conn->is_whole && !conn->requests && (!conn->tls || conn->tls->handshake != HT_HANDSHAKE_UNSEEN));
	for (int dir = 0; off && dir < 2; dir++)
		h2->reach[dir] = (struct ht_reach){ .off = off[dir], .is_known = true };
	h2->reader[HT_DIR_TX] = ht_http2_new(HT_HTTP2_CLIENT, h2->is_from_start, &client_events, h2);
	h2->reader[HT_DIR_RX] = ht_http2_new(HT_HTTP2_SERVER, h2->is_from_start, &server_events, h2);
	if (!h2->reader[HT_DIR_TX] || !h2->reader[HT_DIR_RX]) {
		ht_exchange_free(&h2->base);
		errno = ENOMEM;
		return NULL;
	}
	return &h2->base;
}

/* ---- streams ---- */

static struct ht_flight *flight_of(const struct ht_h2 *h2, uint32_t stream_id)
{
	return ht_map_get(&h2->streams, stream_id);
}

static void take_out(struct ht_h2 *h2, struct ht_flight *flight)
{
	if (h2->settling == flight) {
		ht_timer_cancel(&h2->base.engine->timers, &h2->fate);
		h2->settling = NULL;
		return;
	}
	ht_map_take(&h2->streams, flight->stream_id);
	ht_list_remove(&flight->node);
	h2->flight_cnt--;
}

void ht_h2_drop(struct ht_h2 *h2, struct ht_flight *flight)
{
	take_out(h2, flight);
	httptrace_request__unref(flight->request);
	ht_flight_free(flight);
}

void ht_h2_done(struct ht_h2 *h2, struct ht_flight *flight)
{
	struct httptrace_request *request = flight->request;

	take_out(h2, flight);
	if (request->has_grpc) {
		request->grpc.messages_sent = ht_grpc_messages_count(&flight->messages[HT_DIR_TX]);
		request->grpc.messages_received = ht_grpc_messages_count(&flight->messages[HT_DIR_RX]);
	}
	request->is_identified = true;
	ht_report_done(h2->base.engine, request);
	ht_flight_free(flight);
}

static void settle(struct ht_h2 *h2)
{
	if (h2->settling)
		ht_h2_done(h2, h2->settling);
}

static void settle_closed(struct ht_h2 *h2, uint64_t ts_ns, enum httptrace_closer by)
{
	struct ht_flight *flight = h2->settling;

	if (!flight)
		return;
	ht_hook_conn_closed(flight->request, ts_ns > flight->end_ns ? ts_ns : flight->end_ns, by);
	ht_h2_done(h2, flight);
}

static void fate_due(void *object, uint64_t at_ns)
{
	(void)at_ns;
	settle(object);
}

/* Nothing can be made of the connection any more. */
static void give_up(struct ht_h2 *h2)
{
	struct ht_failure f;

	ht_failure_unseen(&f, h2->rec->hdr.ts_ns);
	h2->is_dead = true;
	ht_h2_fail_all(h2, &f);
}

static struct ht_flight *begin(struct ht_h2 *h2, uint32_t stream_id)
{
	struct ht_flight *flight;

	settle(h2);
	if (h2->flight_cnt >= HT_H2_MAX_REQUESTS) {
		ht_engine_evicted(h2->base.engine, &h2->base.engine->counts.evicted_pipelines);
		give_up(h2);
		return NULL;
	}
	flight = ht_flight_new(&h2->base, h2->rec->hdr.tid);
	if (!flight || ht_map_put(&h2->streams, stream_id, flight)) {
		h2->base.engine->counts.out_of_memory++;
		if (flight) {
			httptrace_request__unref(flight->request);
			ht_flight_free(flight);
		}
		give_up(h2);
		return NULL;
	}
	flight->stream_id = stream_id;
	flight->was_busy = h2->flight_cnt != 0;
	ht_list_append(&h2->flights, &flight->node);
	h2->flight_cnt++;
	return flight;
}

/* ---- requests that wait for their other half ---- */

static uint64_t due_ns(const struct ht_flight *flight)
{
	if (flight->is_early)
		return flight->begin_ns + OTHER_NS;
	return flight->is_answered ? flight->end_ns + OTHER_NS : 0;
}

static void late_due(void *object, uint64_t at_ns)
{
	struct ht_h2 *h2 = object;
	struct ht_flight *flight, *next;
	uint64_t first_ns = 0, ns;

	ht_list_each(&h2->flights, flight, next, node) {
		ns = due_ns(flight);
		if (ns && ns <= at_ns) {
			if (!flight->has_head) {
				ht_h2_end_early(h2, flight, at_ns);
			} else {
				/* Else it goes on being written without us. */
				if (ht_flight_keeps_body_back(flight))
					ht_flight_give_up_body(flight, flight->end_ns);
				ht_h2_done(h2, flight);
			}
		} else if (ns && (!first_ns || ns < first_ns)) {
			first_ns = ns;
		}
	}
	if (first_ns)
		ht_timer_set(&h2->base.engine->timers, &h2->late, first_ns, late_due, h2);
}

static void wait_for_other_half(struct ht_h2 *h2, const struct ht_flight *flight)
{
	if (!ht_timer_is_set(&h2->late))
		ht_timer_set(&h2->base.engine->timers, &h2->late, due_ns(flight), late_due, h2);
}

/* The server's first word of a stream whose request was not told yet; NULL: it is of none. */
static struct ht_flight *begin_early(struct ht_h2 *h2, uint32_t stream_id)
{
	/* A pushed stream has an even number, and no request that anybody sent. What ended before is no news. */
	bool is_news = stream_id % 2 && stream_id > h2->last_id && !h2->is_dead;
	struct ht_flight *flight = is_news ? begin(h2, stream_id) : NULL;

	if (!flight)
		return NULL;
	flight->is_early = true;
	flight->begin_ns = h2->rec->hdr.ts_ns;
	wait_for_other_half(h2, flight);
	return flight;
}

void ht_h2_finish(struct ht_h2 *h2, struct ht_flight *flight)
{
	struct ht_conn *conn = h2->base.conn;

	if (flight->is_early || !flight->is_written) {
		wait_for_other_half(h2, flight);
		return;
	}
	if (h2->flight_cnt > 1) {
		ht_h2_done(h2, flight);
		return;
	}
	take_out(h2, flight);
	h2->settling = flight;
	if (conn->reset_ns && conn->reset_ns <= flight->end_ns)
		settle_closed(h2, flight->end_ns, HTTPTRACE_BY_RESET);
	else if (conn->fin_ns && conn->fin_ns <= flight->end_ns)
		settle_closed(h2, flight->end_ns, HTTPTRACE_BY_SERVER);
	else
		ht_timer_set(&h2->base.engine->timers, &h2->fate, flight->end_ns + FATE_NS, fate_due, h2);
}

void ht_h2_adopt(struct ht_exchange *exchange, struct ht_flight *flight)
{
	struct ht_h2 *h2 = h2_of(exchange);

	if (ht_map_put(&h2->streams, 1, flight)) {
		exchange->engine->counts.out_of_memory++;
		httptrace_request__unref(flight->request);
		ht_flight_free(flight);
		return;
	}
	flight->stream_id = 1;
	flight->request->conn.stream_id = 1;
	flight->request->http = "2";
	flight->has_final = false;
	flight->is_answered = false;
	h2->last_id = 1;
	h2->is_proven = true;
	ht_list_append(&h2->flights, &flight->node);
	h2->flight_cnt++;
}

/* ---- what the client sends ---- */

/*
 * When the call that is being fed wrote its last byte: its end, but never later than the response that it caused (hooks.md 0a). start_ns tells
 * whether the response came during the call.
 */
static uint64_t written_at(const struct ht_h2 *h2, const struct ht_flight *flight)
{
	const struct ht_rec_data *rec = h2->rec;

	if (flight->first_byte_ns && flight->first_byte_ns < rec->hdr.ts_ns && (!rec->start_ns || rec->start_ns < flight->first_byte_ns))
		return flight->first_byte_ns;
	return rec->hdr.ts_ns;
}

static void client_begin(void *ctx, uint32_t stream_id)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, stream_id);

	if (h2->is_dead)
		return;
	if (flight && flight->is_early) {
		flight->is_early = false;
		flight->tid = h2->rec->hdr.tid;
		flight->request->tid = (pid_t)flight->tid;
	} else if (!flight && stream_id > h2->last_id) {
		flight = begin(h2, stream_id);
	} else {
		return; /* trailers, or of a stream that has been told already */
	}
	if (stream_id > h2->last_id)
		h2->last_id = stream_id;
	if (!flight)
		return;
	flight->begin_ns = h2->rec->start_ns ? h2->rec->start_ns : written_at(h2, flight);
	/* A server may answer what nobody has asked yet. */
	if (flight->first_byte_ns && flight->first_byte_ns < flight->begin_ns)
		flight->begin_ns = flight->first_byte_ns;
}

/* A head begins with pseudo-header fields (RFC 9113 section 8.3). */
static bool is_trailers(const struct ht_http2_headers *headers)
{
	const struct ht_http2_field *first = headers->fields;

	return headers->field_cnt && first->is_known && first->name.len && first->name.ptr[0] != ':';
}

static void client_headers(void *ctx, const struct ht_http2_headers *headers)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, headers->stream_id);

	if (!flight || flight->has_head)
		return;
	h2->is_proven = true;
	/* Of a request whose head was not seen. */
	if (is_trailers(headers)) {
		ht_h2_drop(h2, flight);
		return;
	}
	ht_h2_request_head(h2, flight, headers, written_at(h2, flight));
	ht_report_progress(h2->base.engine, flight->request);
	if (!headers->is_end_stream)
		ht_h2_catch_up(h2, flight);
}

static void client_data(void *ctx, uint32_t stream_id, const void *bytes, size_t captured_len, uint64_t n)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, stream_id);

	if (!flight)
		return;
	ht_flight_sent_body(flight, h2->rec, n);
	if (flight->request->has_grpc)
		ht_grpc_messages_feed(&flight->messages[HT_DIR_TX], bytes, captured_len, n);
}

static void client_end_stream(void *ctx, uint32_t stream_id)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, stream_id);

	if (!flight || !flight->has_head)
		return;
	ht_flight_written(flight, written_at(h2, flight), NULL);
	if (flight->is_answered) {
		ht_h2_finish(h2, flight);
		return;
	}
	ht_report_progress(h2->base.engine, flight->request);
	ht_h2_catch_up(h2, flight);
}

static void client_rst_stream(void *ctx, uint32_t stream_id, uint32_t code)
{
	struct ht_flight *flight = flight_of(ctx, stream_id);

	if (flight)
		ht_h2_reset(ctx, flight, code, false);
}

/* A side's SETTINGS_HEADER_TABLE_SIZE (RFC 9113 section 6.5.2) is about the table with which the other side compresses. */
#define SETTINGS_HEADER_TABLE_SIZE 1

static void client_settings(void *ctx, uint16_t id, uint32_t value)
{
	struct ht_h2 *h2 = ctx;

	if (id == SETTINGS_HEADER_TABLE_SIZE)
		ht_http2_table_limit(h2->reader[HT_DIR_RX], value);
}

/* ---- what the server sends ---- */

static void server_begin(void *ctx, uint32_t stream_id)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, stream_id);

	if (h2->is_dead)
		return;
	if (!flight)
		flight = begin_early(h2, stream_id);
	if (!flight || flight->first_byte_ns)
		return;
	ht_flight_wait_continue(flight);
	flight->first_byte_ns = h2->rec->hdr.ts_ns;
	ht_hook_plain(flight->request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, flight->first_byte_ns, HTTPTRACE_OBSERVED);
}

static void server_headers(void *ctx, const struct ht_http2_headers *headers)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, headers->stream_id);

	if (!flight || flight->is_answered)
		return;
	ht_h2_response_head(h2, flight, headers, h2->rec->hdr.ts_ns);
	ht_report_progress(h2->base.engine, flight->request);
}

static void server_data(void *ctx, uint32_t stream_id, const void *bytes, size_t captured_len, uint64_t n)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, stream_id);

	if (!flight || flight->is_answered)
		return;
	flight->got_body_bytes += n;
	if (flight->request->has_grpc)
		ht_grpc_messages_feed(&flight->messages[HT_DIR_RX], bytes, captured_len, n);
}

static void server_end_stream(void *ctx, uint32_t stream_id)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight = flight_of(h2, stream_id);

	if (!flight || flight->is_answered)
		return;
	ht_h2_response_end(h2, flight, h2->rec->hdr.ts_ns);
	ht_h2_finish(h2, flight);
}

static void server_rst_stream(void *ctx, uint32_t stream_id, uint32_t code)
{
	struct ht_flight *flight = flight_of(ctx, stream_id);

	if (!flight)
		flight = begin_early(ctx, stream_id);
	if (flight)
		ht_h2_reset(ctx, flight, code, true);
}

static void server_settings(void *ctx, uint16_t id, uint32_t value)
{
	struct ht_h2 *h2 = ctx;

	if (id == SETTINGS_HEADER_TABLE_SIZE)
		ht_http2_table_limit(h2->reader[HT_DIR_TX], value);
}

static void server_goaway(void *ctx, uint32_t last_stream_id, uint32_t code)
{
	struct ht_h2 *h2 = ctx;
	struct ht_flight *flight, *next;

	h2->covered_id = last_stream_id;
	h2->goaway_code = code;
	ht_list_each(&h2->flights, flight, next, node) {
		if (flight->stream_id > last_stream_id && !flight->is_answered && !flight->is_early)
			ht_h2_refuse(h2, flight);
	}
}

/* ---- errors ---- */

static void client_gap(void *ctx)
{
	ht_h2_lose_track(ctx, false);
}

static void server_gap(void *ctx)
{
	ht_h2_lose_track(ctx, true);
}

static void connection_error(struct ht_h2 *h2, enum ht_http2_error error, bool is_server)
{
	struct ht_failure f = {
		.outcome = HTTPTRACE_PROTOCOL_ERROR,
		.code = ht_http2_error_name(error),
		.message = is_server ? "what the server sent is not HTTP/2 as RFC 9113 has it"
				     : "what the client sent is not HTTP/2 as RFC 9113 has it",
		.ts_ns = h2->rec->hdr.ts_ns,
		.closer = -1,
	};

	h2->is_dead = true;
	if (!h2->is_proven)
		h2->base.is_not_http = true;
	ht_h2_fail_all(h2, &f);
}

static void client_error(void *ctx, enum ht_http2_error error)
{
	connection_error(ctx, error, false);
}

static void server_error(void *ctx, enum ht_http2_error error)
{
	connection_error(ctx, error, true);
}

static void stream_error(struct ht_h2 *h2, uint32_t stream_id, enum ht_http2_error error, const char *message)
{
	struct ht_flight *flight = flight_of(h2, stream_id);
	struct ht_failure f = {
		.outcome = HTTPTRACE_PROTOCOL_ERROR,
		.code = ht_http2_error_name(error),
		.message = message,
		.ts_ns = h2->rec->hdr.ts_ns,
		.closer = -1,
	};

	/*
	 * What RFC 9113 section 8.1.1 calls malformed some endpoints take, and some take without the field (nghttp2: any that is not a pseudo-header).
	 * One that refuses it says so, by RST_STREAM.
	 */
	if (flight && error != HT_HTTP2_MALFORMED)
		ht_h2_fail(h2, flight, &f);
}

static void client_stream_error(void *ctx, uint32_t stream_id, enum ht_http2_error error)
{
	stream_error(ctx, stream_id, error, "the request is malformed");
}

static void server_stream_error(void *ctx, uint32_t stream_id, enum ht_http2_error error)
{
	stream_error(ctx, stream_id, error, "the response is malformed");
}

static const struct ht_http2_events client_events = {
	.begin = client_begin,
	.headers = client_headers,
	.data = client_data,
	.end_stream = client_end_stream,
	.rst_stream = client_rst_stream,
	.settings = client_settings,
	.gap = client_gap,
	.error = client_error,
	.stream_error = client_stream_error,
};

static const struct ht_http2_events server_events = {
	.begin = server_begin,
	.headers = server_headers,
	.data = server_data,
	.end_stream = server_end_stream,
	.rst_stream = server_rst_stream,
	.settings = server_settings,
	.goaway = server_goaway,
	.gap = server_gap,
	.error = server_error,
	.stream_error = server_stream_error,
};

/* ---- bytes ---- */

static void skip(struct ht_h2 *h2, int dir, uint64_t n)
{
	if (n && !h2->is_dead)
		ht_http2_skip(h2->reader[dir], n);
}

static void take_data(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	struct ht_h2 *h2 = h2_of(exchange);
	struct ht_piece piece;

	if (h2->is_dead)
		return;
	piece = ht_piece_take(&h2->reach[rec->dir], h2->is_from_start, rec);
	if (!piece.orig_len)
		return;
	h2->rec = rec;
	if (piece.gap && !rec->hdr.lost)
		ht_exchange_lost(exchange, 1);
	skip(h2, rec->dir, piece.gap);
	if (piece.captured_len && !h2->is_dead)
		ht_http2_feed(h2->reader[rec->dir], piece.data, piece.captured_len);
	skip(h2, rec->dir, piece.orig_len - piece.captured_len);
	h2->rec = NULL;
}

static void reach(struct ht_exchange *exchange, int dir, uint64_t off, uint64_t ts_ns)
{
	struct ht_h2 *h2 = h2_of(exchange);
	struct ht_rec_data at = { .hdr = { .ts_ns = ts_ns }, .dir = (uint8_t)dir };
	uint64_t next = ht_reach_next(&h2->reach[dir], h2->is_from_start, off);

	if (h2->is_dead || off <= next)
		return;
	h2->reach[dir] = (struct ht_reach){ .off = off, .is_known = true };
	h2->rec = &at;
	skip(h2, dir, off - next);
	h2->rec = NULL;
}

/* ---- ends ---- */

static void take_fin(struct ht_exchange *exchange, uint64_t ts_ns)
{
	settle_closed(h2_of(exchange), ts_ns, HTTPTRACE_BY_SERVER);
}

static void take_reset(struct ht_exchange *exchange, uint64_t ts_ns)
{
	settle_closed(h2_of(exchange), ts_ns, HTTPTRACE_BY_RESET);
}

/* A pending read says nothing of a connection that is never idle for one request alone. */
static void take_again(struct ht_exchange *exchange, uint64_t ts_ns)
{
	(void)exchange;
	(void)ts_ns;
}

static void closed(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by, int err)
{
	struct ht_h2 *h2 = h2_of(exchange);
	struct ht_failure f;

	settle_closed(h2, ts_ns, by);
	ht_failure_closed(&f, ts_ns, by, err);
	ht_h2_fail_all(h2, &f);
	h2->is_dead = true;
}

static void take_eof(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	reach(exchange, HT_DIR_RX, rec->off, rec->hdr.ts_ns);
	closed(exchange, rec->hdr.ts_ns, HTTPTRACE_BY_SERVER, 0);
}

static void io_failed(struct ht_exchange *exchange, uint64_t ts_ns, int dir, int err)
{
	struct ht_h2 *h2 = h2_of(exchange);
	struct ht_flight *flight, *next;
	struct ht_failure f;

	if (!ht_failure_io(&f, ts_ns, err))
		return;
	if (dir == HT_DIR_RX) {
		settle_closed(h2, ts_ns, HTTPTRACE_BY_RESET);
		ht_h2_fail_all(h2, &f);
		h2->is_dead = true;
		return;
	}
	/* The server may have answered before it closed: that is still to be read. */
	ht_list_each(&h2->flights, flight, next, node) {
		if (!flight->has_head || flight->is_written)
			continue;
		ht_flight_written(flight, ts_ns, ht_hook_errno(flight->request, err));
		flight->is_send_failed = true;
		ht_report_progress(exchange->engine, flight->request);
	}
}

static void abandon(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_h2 *h2 = h2_of(exchange);
	struct ht_failure f;

	settle(h2);
	ht_failure_unseen(&f, ts_ns);
	ht_h2_fail_all(h2, &f);
	h2->is_dead = true;
}

static void take_lost(struct ht_exchange *exchange, uint64_t n)
{
	struct ht_h2 *h2 = h2_of(exchange);
	struct ht_flight *flight, *next;

	if (!h2->flight_cnt)
		exchange->conn->lost += n; /* the next request may be what it touched */
	ht_list_each(&h2->flights, flight, next, node)
		flight->request->lost += n;
	if (h2->settling)
		h2->settling->request->lost += n;
}

static void free_exchange(struct ht_exchange *exchange)
{
	struct ht_h2 *h2 = h2_of(exchange);
	struct ht_flight *flight, *next;

	ht_timer_cancel(&exchange->engine->timers, &h2->late);
	if (h2->settling)
		ht_h2_drop(h2, h2->settling);
	ht_list_each(&h2->flights, flight, next, node)
		ht_h2_drop(h2, flight);
	ht_map_free(&h2->streams);
	ht_http2_free(h2->reader[HT_DIR_TX]);
	ht_http2_free(h2->reader[HT_DIR_RX]);
	free(h2);
}

static const struct ht_exchange_ops ops = {
	.data = take_data,
	.io_failed = io_failed,
	.eof = take_eof,
	.reach = reach,
	.fin = take_fin,
	.reset = take_reset,
	.again = take_again,
	.close = closed,
	.abandon = abandon,
	.lost = take_lost,
	.free = free_exchange,
};
