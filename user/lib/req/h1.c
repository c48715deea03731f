/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h1.c - HTTP/1 on one connection: bytes to messages, messages to requests in order of sending (RFC 9112 section 9.3), and how they end.
 */
#include "req/h1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "req/h1_private.h"
#include "req/hooks.h"
#include "util/names.h"

static const struct ht_http1_events request_events, response_events;

static struct ht_h1 *h1_of(struct ht_exchange *exchange)
{
	return ht_container(exchange, struct ht_h1, base);
}

static const struct ht_exchange_ops ops;

struct ht_exchange *ht_h1_new(struct ht_conn *conn)
{
	struct ht_h1 *h1 = calloc(1, sizeof(*h1));

	if (!h1)
		return NULL;
	h1->base.ops = &ops;
	h1->base.engine = conn->engine;
	h1->base.conn = conn;
	ht_list_init(&h1->flights);
	ht_list_init(&h1->held);
	ht_list_init(&h1->turn.rest);
	if (ht_conn_begins_at(conn))
		for (int dir = 0; dir < 2; dir++)
			h1->reach[dir] = (struct ht_reach){ .off = conn->begin_off[dir], .is_known = true };
	h1->is_from_start = conn->is_whole && !conn->requests && (!conn->tls || conn->tls->handshake != HT_HANDSHAKE_UNSEEN);
	h1->parser[HT_DIR_TX] = ht_http1_new(HT_HTTP1_REQUEST, 0, &request_events, h1);
	h1->parser[HT_DIR_RX] = ht_http1_new(HT_HTTP1_RESPONSE, 0, &response_events, h1);
	if (!h1->parser[HT_DIR_TX] || !h1->parser[HT_DIR_RX]) {
		ht_exchange_free(&h1->base);
		errno = ENOMEM;
		return NULL;
	}
	return &h1->base;
}

static void free_records(struct ht_list *list)
{
	struct ht_held *held, *next;

	ht_list_each(list, held, next, node) {
		ht_list_remove(&held->node);
		free(held);
	}
}

void ht_h1_drop_held(struct ht_h1 *h1)
{
	free_records(&h1->held);
	h1->held_bytes = 0;
	ht_timer_cancel(&h1->base.engine->timers, &h1->held_timer);
}

/* A flight leaves without a report. */
void ht_h1_drop(struct ht_h1 *h1, struct ht_flight *flight)
{
	if (h1->writing == flight)
		h1->writing = NULL;
	if (h1->settling == flight)
		h1->settling = NULL;
	else
		h1->flight_cnt--;
	httptrace_request__unref(flight->request);
	ht_flight_free(flight);
}

static void free_exchange(struct ht_exchange *exchange)
{
	struct ht_h1 *h1 = h1_of(exchange);
	struct ht_flight *flight, *next;

	ht_h1_drop_held(h1);
	ht_timer_cancel(&h1->base.engine->timers, &h1->fate);
	ht_list_each(&h1->flights, flight, next, node)
		ht_h1_drop(h1, flight);
	if (h1->settling)
		ht_h1_drop(h1, h1->settling);
	free_records(&h1->turn.rest);
	httptrace_request__unref(h1->turn.request);
	if (h1->turn.flight) {
		httptrace_request__unref(h1->turn.flight->request);
		ht_flight_free(h1->turn.flight);
	}
	ht_http1_free(h1->parser[HT_DIR_TX]);
	ht_http1_free(h1->parser[HT_DIR_RX]);
	free(h1);
}

struct ht_flight *ht_h1_first(const struct ht_h1 *h1)
{
	return ht_list_is_empty(&h1->flights) ? NULL : ht_container(h1->flights.next, struct ht_flight, node);
}

/* ---- requests: from the parser of what is sent ---- */

/*
 * When the call that is being fed wrote its last byte: its end, but never later than the response that it caused (hooks.md 0a). start_ns tells
 * whether the response came during the call.
 */
static uint64_t written_at(const struct ht_h1 *h1, const struct ht_flight *flight)
{
	uint64_t ts_ns = h1->rec->hdr.ts_ns;

	if (!ht_list_is_empty(&h1->held)) {
		const struct ht_held *held = ht_container(h1->held.next, struct ht_held, node);

		if (held->rec.hdr.ts_ns < ts_ns && ht_h1_first(h1) == flight)
			ts_ns = held->rec.hdr.ts_ns;
	}
	if (flight->first_byte_ns && flight->first_byte_ns < ts_ns && h1->rec->start_ns && h1->rec->start_ns < flight->first_byte_ns)
		ts_ns = flight->first_byte_ns;
	return ts_ns;
}

static void request_begin(void *ctx)
{
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight;

	/* Behind a refused CONNECT it may be the same once more: its head tells. */
	if (!h1->settling || !ht_h1_is_connect(h1->settling))
		ht_h1_settle(h1);
	if (h1->flight_cnt >= HT_H1_MAX_REQUESTS) {
		ht_engine_evicted(h1->base.engine, &h1->base.engine->counts.evicted_pipelines);
		h1->is_dead = true;
		return;
	}
	flight = ht_flight_new(&h1->base, h1->rec->hdr.tid);
	if (!flight) {
		h1->base.engine->counts.out_of_memory++;
		h1->is_dead = true;
		return;
	}
	flight->was_busy = h1->flight_cnt != 0;
	ht_list_append(&h1->flights, &flight->node);
	flight->begin_ns = h1->rec->start_ns ? h1->rec->start_ns : written_at(h1, flight);
	h1->is_overtaken = flight->begin_ns <= h1->orphan_ns;
	h1->flight_cnt++;
	h1->writing = flight;
}

static void request_head(void *ctx, const struct ht_http1_head *head)
{
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight = h1->writing;

	if (!flight)
		return;
	h1->is_proven = true;
	if (h1->settling && ht_span_is(head->method, "CONNECT"))
		ht_h1_connect_retried(h1);
	else
		ht_h1_settle(h1);
	ht_h1_request_head(h1, flight, head, written_at(h1, flight));
}

static void request_body(void *ctx, uint64_t n)
{
	struct ht_h1 *h1 = ctx;

	if (h1->writing)
		ht_flight_sent_body(h1->writing, h1->rec, n);
}

static void request_end(void *ctx, const struct ht_http1_field *trailers, size_t trailer_cnt)
{
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight = h1->writing;

	(void)trailers;
	(void)trailer_cnt;
	if (!flight)
		return;
	h1->writing = NULL;
	ht_flight_written(flight, written_at(h1, flight), NULL);
	if (flight->is_answered)
		ht_h1_finish(h1, flight);
}

/* Nothing more can be read from either direction until a request begins again. */
static void lose_track(struct ht_h1 *h1)
{
	struct ht_failure f;

	h1->is_awry[HT_DIR_TX] = h1->is_awry[HT_DIR_RX] = true;
	h1->has_gaps = true;
	ht_failure_gap(&f, h1->rec->hdr.ts_ns, "bytes of the message are not known");
	ht_h1_fail_all(h1, &f);
}

/*
 * No HTTP message begins with these bytes. On a connection older than we they may be the rest of a message, so its next one is waited for, unless what
 * is sent are responses: then this is a server.
 */
static void not_http_yet(struct ht_h1 *h1)
{
	const struct ht_rec_data *rec = h1->rec;
	enum ht_http1_side other = rec->dir == HT_DIR_TX ? HT_HTTP1_RESPONSE : HT_HTTP1_REQUEST;

	while (ht_h1_first(h1))
		ht_h1_drop(h1, ht_h1_first(h1));
	if (!h1->base.conn->is_whole && ht_http1_probe(other, rec + 1, rec->captured_len) != 1) {
		h1->is_awry[rec->dir] = true;
		if (rec->dir == HT_DIR_TX)
			h1->is_awry[HT_DIR_RX] = true;
		return;
	}
	h1->base.is_not_http = true;
	h1->is_dead = true;
}

static void parser_error(struct ht_h1 *h1, enum ht_http1_error error, bool is_request)
{
	struct ht_failure f = { .outcome = HTTPTRACE_PROTOCOL_ERROR, .code = ht_http1_error_name(error), .closer = -1 };

	if (h1->is_ending)
		return;
	if (error == HT_HTTP1_GAP || error == HT_HTTP1_HEAD_TOO_LARGE) {
		lose_track(h1);
		return;
	}
	if (error == HT_HTTP1_NOT_HTTP && !h1->is_proven) {
		not_http_yet(h1);
		return;
	}
	/* What answers nobody harms nobody: the next response begins anew. */
	if (!is_request && h1->is_orphan) {
		h1->is_awry[HT_DIR_RX] = true;
		return;
	}
	if (is_request && h1->writing)
		h1->writing->is_plausible = true;
	f.message = is_request ? "the request is not HTTP/1 as RFC 9112 has it" : "the response is not HTTP/1 as RFC 9112 has it";
	f.ts_ns = h1->rec->hdr.ts_ns;
	h1->is_dead = true;
	ht_h1_fail_all(h1, &f);
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
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight = ht_h1_first(h1);

	h1->is_orphan = !flight || flight->is_answered;
	if (h1->is_orphan) {
		h1->orphan_ns = h1->rec->hdr.ts_ns;
		return;
	}
	flight->is_response_begun = true;
	if (flight->first_byte_ns)
		return;
	ht_flight_wait_continue(flight);
	flight->first_byte_ns = h1->rec->hdr.ts_ns;
	ht_hook_plain(flight->request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE, flight->first_byte_ns, HTTPTRACE_OBSERVED);
}

static struct ht_span response_method(void *ctx)
{
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight = ht_h1_first(h1);

	if (h1->is_orphan || !flight)
		return (struct ht_span){ "", 0 };
	return (struct ht_span){ flight->method, strlen(flight->method) };
}

static void response_head(void *ctx, const struct ht_http1_head *head)
{
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight = ht_h1_first(h1);

	if (h1->is_orphan)
		h1->base.engine->counts.unsolicited++;
	else if (flight)
		ht_h1_response_head(h1, flight, head, h1->rec->hdr.ts_ns);
}

static void response_body(void *ctx, uint64_t n)
{
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight = ht_h1_first(h1);

	if (!h1->is_orphan && flight)
		flight->got_body_bytes += n;
}

static void response_end(void *ctx, const struct ht_http1_field *trailers, size_t trailer_cnt)
{
	struct ht_h1 *h1 = ctx;
	struct ht_flight *flight = ht_h1_first(h1);
	uint64_t ts_ns = h1->rec->hdr.ts_ns;

	(void)trailers;
	(void)trailer_cnt;
	if (h1->is_orphan || !flight || flight->is_interim) {
		h1->is_orphan = false;
		return;
	}
	if (flight->framing == HT_HTTP1_TUNNEL) {
		ht_h1_tunnel_end(h1, flight, ts_ns);
		return;
	}
	if (ht_h1_is_connect(flight)) {
		ht_h1_connect_answered(h1, flight, ts_ns);
		return;
	}
	ht_h1_settle(h1);
	ht_h1_response_end(h1, flight, ts_ns);
	if (flight->is_written)
		ht_h1_finish(h1, flight);
	else
		ht_timer_set(&h1->base.engine->timers, &h1->fate, ts_ns + HT_LATE_WRITE_NS, ht_h1_fate_due, h1);
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

/* What every response begins with (RFC 9112, 2.3 and 4). */
static const char response_begins[] = "HTTP/1.";

/*
 * Does a response begin with this record, or with one right before it (clients receive byte by byte, too)? What that had is fed. In pieces only what comes
 * first behind the request is taken for one: they may be of any text.
 */
static bool is_response_begun(struct ht_h1 *h1, const struct ht_rec_data *rec)
{
	struct ht_rec_data first = { .hdr = { .ts_ns = h1->begun_ns }, .dir = HT_DIR_RX };
	const struct ht_flight *flight = ht_h1_first(h1);
	size_t at = h1->begun_cnt, cnt = sizeof(response_begins) - 1 - at;

	h1->begun_cnt = 0;
	if (cnt > rec->captured_len)
		cnt = rec->captured_len;
	if (memcmp(rec + 1, response_begins + at, cnt) != 0)
		return at && is_response_begun(h1, rec);
	if (at + cnt < sizeof(response_begins) - 1) {
		if (rec->captured_len < rec->orig_len || !flight || h1->unread_ns >= flight->begin_ns)
			return false;
		if (!at)
			h1->begun_ns = rec->hdr.ts_ns;
		h1->begun_cnt = (unsigned int)(at + cnt);
		return false;
	}
	ht_http1_reset(h1->parser[HT_DIR_RX]);
	if (at) {
		h1->rec = &first;
		ht_http1_feed(h1->parser[HT_DIR_RX], response_begins, at);
		h1->rec = rec;
	}
	return true;
}

/* After a gap: may these bytes begin a message? Then both sides start anew with a request, the receiving one with a response. */
static bool is_back_on_track(struct ht_h1 *h1, const struct ht_rec_data *rec)
{
	int dir = rec->dir;

	if (!h1->is_awry[dir])
		return true;
	if (dir == HT_DIR_RX && (h1->is_awry[HT_DIR_TX] || !is_response_begun(h1, rec))) {
		if (!h1->begun_cnt)
			h1->unread_ns = rec->hdr.ts_ns;
		return false;
	}
	if (dir == HT_DIR_TX) {
		if (ht_http1_probe(HT_HTTP1_REQUEST, rec + 1, rec->captured_len) != 1)
			return false;
		ht_http1_reset(h1->parser[dir]);
	}
	h1->is_awry[dir] = false;
	return true;
}

/* 8c: the client left the announced body out and sends its next request on the kept connection. */
static void look_for_abandoned_body(struct ht_h1 *h1, const struct ht_rec_data *rec)
{
	struct ht_flight *flight = h1->writing;
	bool is_owed = h1->is_body_owed;

	h1->is_body_owed = false;
	if (!is_owed && (!flight || !ht_flight_keeps_body_back(flight)))
		return;
	if (ht_http1_probe(HT_HTTP1_REQUEST, rec + 1, rec->captured_len) != 1)
		return;
	if (is_owed) {
		ht_http1_reset(h1->parser[HT_DIR_TX]);
		return;
	}
	ht_flight_give_up_body(flight, flight->end_ns);
	h1->writing = NULL;
	ht_http1_reset(h1->parser[HT_DIR_TX]);
	ht_h1_finish(h1, flight);
}

/* The record from its byte `at` on belongs to what the connection has turned into. */
static void keep_rest(struct ht_h1 *h1, const struct ht_rec_data *rec, uint32_t at)
{
	uint32_t captured_len = rec->captured_len > at ? rec->captured_len - at : 0;
	struct ht_held *rest;

	if (ht_list_is_empty(&h1->turn.rest))
		h1->turn.off[HT_DIR_RX] = rec->off + at;
	if (at >= rec->orig_len)
		return;
	rest = malloc(sizeof(*rest) + captured_len);
	if (!rest) {
		h1->base.engine->counts.out_of_memory++;
		return; /* the stream offsets will tell the gap */
	}
	rest->rec = *rec;
	rest->rec.off += at;
	rest->rec.orig_len -= at;
	rest->rec.captured_len = captured_len;
	rest->rec.hdr.lost = 0;
	if (captured_len)
		memcpy(&rest->rec + 1, (const uint8_t *)(rec + 1) + at, captured_len);
	ht_list_append(&h1->turn.rest, &rest->node);
}

static void feed(struct ht_h1 *h1, const struct ht_rec_data *rec)
{
	struct ht_http1 *parser = h1->parser[rec->dir];
	size_t used = 0;
	struct ht_piece piece = ht_piece_take(&h1->reach[rec->dir], h1->is_from_start, rec);

	h1->rec = rec;
	if (!piece.orig_len)
		return;
	if (piece.gap && rec->dir == HT_DIR_RX)
		h1->begun_cnt = 0;
	if (piece.gap && !h1->is_awry[rec->dir]) {
		if (!rec->hdr.lost)
			ht_exchange_lost(&h1->base, 1);
		ht_http1_skip(parser, piece.gap);
	}
	if (!is_back_on_track(h1, rec))
		return;
	if (rec->dir == HT_DIR_TX)
		look_for_abandoned_body(h1, rec);
	if (piece.captured_len)
		used = ht_http1_feed(parser, piece.data, piece.captured_len);
	if (h1->base.turn) {
		h1->turn.off[HT_DIR_TX] = h1->reach[HT_DIR_TX].off;
		keep_rest(h1, rec, (uint32_t)(piece.data + used - (const uint8_t *)(rec + 1)));
		return;
	}
	if (h1->writing && !h1->writing->has_head && rec->dir == HT_DIR_TX &&
	    ht_http1_probe(HT_HTTP1_REQUEST, piece.data, piece.captured_len) == 1)
		h1->writing->is_plausible = true;
	if (piece.captured_len < piece.orig_len && !h1->is_dead && !h1->is_awry[rec->dir])
		ht_http1_skip(parser, piece.orig_len - piece.captured_len);
}

static void hold(struct ht_h1 *h1, const struct ht_rec_data *rec);

static void report_progress(struct ht_h1 *h1)
{
	struct ht_flight *flight, *next;

	ht_list_each(&h1->flights, flight, next, node)
		ht_report_progress(h1->base.engine, flight->request);
	if (h1->settling)
		ht_report_progress(h1->base.engine, h1->settling->request);
}

static void release_held(struct ht_h1 *h1)
{
	struct ht_held *held, *next;
	struct ht_list list;

	ht_timer_cancel(&h1->base.engine->timers, &h1->held_timer);
	ht_list_init(&list);
	ht_list_each(&h1->held, held, next, node) {
		ht_list_remove(&held->node);
		ht_list_append(&list, &held->node);
	}
	h1->held_bytes = 0;
	ht_list_each(&list, held, next, node) {
		if (h1->base.turn)
			keep_rest(h1, &held->rec, 0);
		else if (!h1->is_dead)
			feed(h1, &held->rec);
		ht_list_remove(&held->node);
		free(held);
	}
	h1->rec = NULL;
}

static void held_due(void *object, uint64_t at_ns)
{
	struct ht_h1 *h1 = object;

	release_held(h1);
	report_progress(h1);
	if (h1->base.turn)
		ht_conn_turn(h1->base.conn, at_ns);
}

static void hold(struct ht_h1 *h1, const struct ht_rec_data *rec)
{
	size_t bytes = sizeof(struct ht_list) + sizeof(*rec) + rec->captured_len;
	struct ht_held *held = h1->held_bytes + bytes <= HT_H1_MAX_HELD_BYTES ? malloc(bytes) : NULL;

	if (!held) {
		ht_engine_evicted(h1->base.engine, &h1->base.engine->counts.evicted_held);
		return; /* the stream offsets will tell the gap */
	}
	memcpy(&held->rec, rec, sizeof(*rec) + rec->captured_len);
	ht_list_append(&h1->held, &held->node);
	h1->held_bytes += bytes;
	if (!ht_timer_is_set(&h1->held_timer))
		ht_timer_set(&h1->base.engine->timers, &h1->held_timer, rec->hdr.ts_ns + HT_HELD_NS, held_due, h1);
}

/*
 * Can this send be what the response that is held answers? It must have begun before the response came. Where its begin is not known, a connection
 * older than the tracer may as well have received the answer to a request that nobody saw.
 */
static bool may_cause_held(const struct ht_h1 *h1, const struct ht_rec_data *rec)
{
	const struct ht_held *held = ht_container(h1->held.next, struct ht_held, node);

	if (ht_list_is_empty(&h1->held))
		return true;
	if (rec->start_ns)
		return rec->start_ns <= held->rec.hdr.ts_ns;
	return h1->base.conn->is_whole || h1->base.conn->requests;
}

/* The request was told of so late that an answer which came behind its begin was taken for nobody's: it may have been its own, and the next is not. */
static void give_up_overtaken(struct ht_h1 *h1)
{
	struct ht_failure f;

	h1->is_overtaken = false;
	ht_exchange_lost(&h1->base, 1);
	ht_failure_gap(&f, h1->rec->hdr.ts_ns, "its answer may have come before it was told of");
	ht_h1_fail_all(h1, &f);
}

static void take_data(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	struct ht_h1 *h1 = h1_of(exchange);
	if (h1->is_dead)
		return;
	if (rec->dir == HT_DIR_RX &&
	    (!ht_list_is_empty(&h1->held) ||
	     (!h1->flight_cnt && !h1->is_orphan && ht_http1_is_idle(h1->parser[HT_DIR_RX]) && !h1->is_awry[HT_DIR_TX]))) {
		hold(h1, rec);
		return;
	}
	if (rec->dir == HT_DIR_TX && !may_cause_held(h1, rec))
		release_held(h1);
	if (h1->is_dead)
		return;
	feed(h1, rec);
	if (h1->is_overtaken && (!h1->writing || h1->writing->has_head))
		give_up_overtaken(h1);
	/* Not before the head is whole: the call may have made several records. */
	if (rec->dir == HT_DIR_TX && h1->flight_cnt && !ht_list_is_empty(&h1->held) && (!h1->writing || h1->writing->has_head))
		release_held(h1);
	h1->rec = NULL;
	report_progress(h1);
}

/* ---- ends ---- */

static void take_again(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_h1 *h1 = h1_of(exchange);
	if (h1->settling && !h1->again_ns && ts_ns >= h1->settling->end_ns)
		h1->again_ns = ts_ns;
}

static void take_fin(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_h1 *h1 = h1_of(exchange);
	ht_h1_settle_closed(h1, ts_ns, HTTPTRACE_BY_SERVER);
}

static void take_reset(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_h1 *h1 = h1_of(exchange);
	ht_h1_settle_closed(h1, ts_ns, HTTPTRACE_BY_RESET);
}

static void reach(struct ht_exchange *exchange, int dir, uint64_t off, uint64_t ts_ns)
{
	struct ht_h1 *h1 = h1_of(exchange);
	struct ht_rec_data at = { .hdr = { .ts_ns = ts_ns }, .dir = (uint8_t)dir };
	uint64_t expected;

	release_held(h1);
	expected = ht_reach_next(&h1->reach[dir], h1->is_from_start, off);
	if (h1->is_dead || h1->is_awry[dir] || off <= expected)
		return;
	h1->reach[dir] = (struct ht_reach){ .off = off, .is_known = true };
	h1->rec = &at;
	ht_http1_skip(h1->parser[dir], off - expected);
	h1->rec = NULL;
	report_progress(h1);
}

/* The response stream is over: a body that lasts until then is whole now (its end is response_end()'s affair). */
static void end_response_stream(struct ht_h1 *h1, uint64_t ts_ns)
{
	struct ht_rec_data at = { .hdr = { .ts_ns = ts_ns }, .dir = HT_DIR_RX };

	release_held(h1);
	h1->rec = &at;
	h1->is_ending = true;
	if (!h1->is_dead && !h1->is_awry[HT_DIR_RX])
		ht_http1_eof(h1->parser[HT_DIR_RX]);
	h1->is_ending = false;
	h1->rec = NULL;
}

static void take_eof(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	struct ht_h1 *h1 = h1_of(exchange);
	uint64_t ts_ns = rec->hdr.ts_ns;
	struct ht_failure f;

	ht_failure_closed(&f, ts_ns, HTTPTRACE_BY_SERVER, 0);
	ht_exchange_reach(exchange, HT_DIR_RX, rec->off, ts_ns);
	end_response_stream(h1, ts_ns);
	ht_h1_settle_closed(h1, ts_ns, HTTPTRACE_BY_SERVER);
	ht_h1_fail_all(h1, &f);
	h1->is_dead = true;
}

static void io_failed(struct ht_exchange *exchange, uint64_t ts_ns, int dir, int err)
{
	struct ht_h1 *h1 = h1_of(exchange);
	struct ht_failure f;

	if (!ht_failure_io(&f, ts_ns, err))
		return;
	release_held(h1);
	if (dir == HT_DIR_TX) {
		/* The server may have answered before it closed: that is still to be read. */
		if (h1->writing && h1->writing->has_head) {
			ht_flight_written(h1->writing, ts_ns, ht_hook_errno(h1->writing->request, err));
			h1->writing->is_send_failed = true;
			h1->writing->is_kept = false;
			report_progress(h1);
		}
		return;
	}
	ht_h1_settle_closed(h1, ts_ns, HTTPTRACE_BY_RESET);
	ht_h1_fail_all(h1, &f);
	h1->is_dead = true;
}

static void closed(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by, int err)
{
	struct ht_h1 *h1 = h1_of(exchange);
	struct ht_failure f;

	release_held(h1);
	ht_h1_settle_closed(h1, ts_ns, by);
	ht_failure_closed(&f, ts_ns, by, err);
	ht_h1_fail_all(h1, &f);
	h1->is_dead = true;
}

static void abandon(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_h1 *h1 = h1_of(exchange);
	struct ht_failure f;

	ht_failure_unseen(&f, ts_ns);
	release_held(h1);
	if (h1->settling && ht_h1_is_connect(h1->settling)) {
		ht_h1_settle(h1);
	} else if (h1->settling) {
		ht_timer_cancel(&h1->base.engine->timers, &h1->fate);
		ht_h1_done(h1, h1->settling);
	}
	ht_h1_fail_all(h1, &f);
	h1->is_dead = true;
}

static void take_lost(struct ht_exchange *exchange, uint64_t n)
{
	struct ht_h1 *h1 = h1_of(exchange);
	struct ht_flight *flight, *next;

	if (!h1->flight_cnt)
		h1->base.conn->lost += n; /* the next request may be what it touched */
	ht_list_each(&h1->flights, flight, next, node)
		flight->request->lost += n;
	if (h1->settling)
		h1->settling->request->lost += n;
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
