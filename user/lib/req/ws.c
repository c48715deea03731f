/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ws.c - WebSocket on one connection: frames are counted each way until it ends, by Close frames or without (RFC 6455 sections 5 and 7).
 */
#include "req/ws.h"

#include <errno.h>
#include <stdlib.h>

#include "conn/conn.h"
#include "proto/websocket.h"
#include "req/flight.h"
#include "req/hooks.h"
#include "req/request.h"

struct ht_ws {
	struct ht_exchange base;
	struct ht_websocket side[2]; /* by direction */
	uint64_t off[2];
	struct httptrace_request *request; /* the report; NULL once it is told */
	uint64_t losses;                   /* of the engine, when it began */
	uint64_t begin_ns;
	uint64_t last_ns;
};

static const struct ht_exchange_ops ops;

static struct ht_ws *ws_of(struct ht_exchange *exchange)
{
	return ht_container(exchange, struct ht_ws, base);
}

struct ht_exchange *ht_ws_new(struct ht_conn *conn, const struct httptrace_request *request, const uint64_t off[2], bool has_extensions,
			      uint64_t now_ns)
{
	struct ht_ws *ws = calloc(1, sizeof(*ws));
	struct httptrace_request *report;

	if (!ws)
		return NULL;
	report = ws->request = ht_report_new(conn->engine, HTTPTRACE_WEBSOCKET, conn->proc, (uint32_t)request->tid);
	if (!report) {
		free(ws);
		errno = ENOMEM;
		return NULL;
	}
	ws->base.ops = &ops;
	ws->base.engine = conn->engine;
	ws->base.conn = conn;
	ws->losses = conn->engine->losses;
	ws->begin_ns = ws->last_ns = now_ns;
	for (int dir = 0; dir < 2; dir++) {
		ht_websocket_init(&ws->side[dir], dir == HT_DIR_TX ? HT_WEBSOCKET_CLIENT : HT_WEBSOCKET_SERVER, has_extensions);
		ws->off[dir] = off[dir];
	}
	report->first_ns = (int64_t)now_ns;
	report->url = ht_request_strdup(report, request->url);
	report->host_port = ht_request_strdup(report, request->host_port);
	report->http = request->http;
	ht_conn_describe(conn, report);
	report->conn.reused = request->conn.reused;
	report->conn.was_idle = request->conn.was_idle;
	report->conn.idle_ns = request->conn.idle_ns;
	report->websocket.sz = sizeof(report->websocket);
	return &ws->base;
}

static void free_exchange(struct ht_exchange *exchange)
{
	struct ht_ws *ws = ws_of(exchange);

	httptrace_request__unref(ws->request);
	free(ws);
}

/* ---- the end ---- */

/* The first to end it counts: who sends Close, or closes the connection. */
static void note_closer(struct ht_ws *ws, enum httptrace_closer by)
{
	if (!ws->request || ws->request->websocket.is_closed)
		return;
	ws->request->websocket.is_closed = true;
	ws->request->websocket.closed_by = by;
}

static bool has_error(const struct ht_websocket *side)
{
	return side->error && side->error != HT_WEBSOCKET_GAP;
}

/* Frames of a direction that lost its track cannot be told; a violation of the protocol leaves those in front of it. */
static int64_t frames_of(const struct ht_websocket *side)
{
	return side->error == HT_WEBSOCKET_GAP ? -1 : (int64_t)side->frame_cnt;
}

/* f: how it ended where no Close frame was seen; is_open: it has not, but tracing has. */
static void finish(struct ht_ws *ws, const struct ht_failure *f, bool is_open)
{
	const struct ht_websocket *tx = &ws->side[HT_DIR_TX], *rx = &ws->side[HT_DIR_RX];
	struct httptrace_request *report = ws->request;
	enum httptrace_outcome outcome = f->outcome;
	const char *code = f->code, *message = f->message;
	uint64_t end_ns = f->ts_ns > ws->last_ns ? f->ts_ns : ws->last_ns;

	if (!report)
		return;
	report->websocket.frames_sent = frames_of(tx);
	report->websocket.frames_received = frames_of(rx);
	if (has_error(tx) || has_error(rx)) {
		ht_report_outcome(report, HTTPTRACE_PROTOCOL_ERROR, has_error(tx) ? HTTPTRACE_PHASE_SEND : HTTPTRACE_PHASE_RECEIVE,
				  ht_websocket_error_name(has_error(tx) ? tx->error : rx->error),
				  has_error(tx) ? "what the client sent is no WebSocket frame as RFC 6455 has it"
						: "what the server sent is no WebSocket frame as RFC 6455 has it",
				  end_ns);
	} else if (tx->is_closed || rx->is_closed) {
		ht_report_outcome(report, HTTPTRACE_OK, HTTPTRACE_PHASE_NONE, NULL, NULL, end_ns);
	} else {
		/* Its Close frame may be what is missing. */
		if (tx->error || rx->error) {
			outcome = HTTPTRACE_INCOMPLETE;
			code = "gap";
			message = "bytes of its frames are not known";
		}
		ht_report_outcome(report, outcome, HTTPTRACE_PHASE_RECEIVE, code, message, end_ns);
		report->is_open = is_open && !tx->error && !rx->error;
	}
	if (report->outcome == HTTPTRACE_INCOMPLETE && !report->lost)
		report->lost = ht_engine_missed(ws->base.engine, ws->begin_ns, ws->losses);
	report->is_identified = true;
	ws->request = NULL;
	ht_report_done(ws->base.engine, report);
}

static void take_closed(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by, int err)
{
	struct ht_ws *ws = ws_of(exchange);
	struct ht_failure f;

	note_closer(ws, by);
	ht_failure_closed(&f, ts_ns, by, err);
	if (by == HTTPTRACE_BY_CLIENT)
		f.message = "the client closed the connection without a Close frame";
	else if (by == HTTPTRACE_BY_SERVER)
		f.message = "the server closed the connection without a Close frame";
	finish(ws, &f, false);
}

static void take_fin(struct ht_exchange *exchange, uint64_t ts_ns)
{
	(void)ts_ns;
	note_closer(ws_of(exchange), HTTPTRACE_BY_SERVER);
}

static void take_reset(struct ht_exchange *exchange, uint64_t ts_ns)
{
	(void)ts_ns;
	note_closer(ws_of(exchange), HTTPTRACE_BY_RESET);
}

static void io_failed(struct ht_exchange *exchange, uint64_t ts_ns, int dir, int err)
{
	struct ht_ws *ws = ws_of(exchange);
	struct ht_failure f;

	/* What the server had sent before it closed may still be read. */
	if (dir == HT_DIR_TX || !ht_failure_io(&f, ts_ns, err))
		return;
	note_closer(ws, HTTPTRACE_BY_RESET);
	finish(ws, &f, false);
}

static void abandon(struct ht_exchange *exchange, uint64_t ts_ns)
{
	struct ht_ws *ws = ws_of(exchange);
	struct ht_failure f;

	ht_failure_unseen(&f, ts_ns);
	finish(ws, &f, ws->base.engine->is_ended && ws->request && !ws->request->websocket.is_closed);
}

/* ---- bytes ---- */

static void note_close_frame(struct ht_ws *ws, int dir)
{
	if (!ws->side[dir].is_closed)
		return;
	note_closer(ws, dir == HT_DIR_TX ? HTTPTRACE_BY_CLIENT : HTTPTRACE_BY_SERVER);
	/* The other side only repeats it (RFC 6455 section 5.5.1). */
	if (!ws->side[!dir].is_closed)
		ws->request->websocket.close_code = ws->side[dir].close_code;
}

static void take_lost(struct ht_exchange *exchange, uint64_t n)
{
	struct ht_ws *ws = ws_of(exchange);

	if (ws->request)
		ws->request->lost += n;
}

static void skip(struct ht_ws *ws, int dir, uint64_t n)
{
	ht_websocket_skip(&ws->side[dir], n);
	ws->off[dir] += n;
}

static void take_data(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	struct ht_ws *ws = ws_of(exchange);
	uint64_t *off = &ws->off[rec->dir];
	uint64_t known;

	if (!ws->request || rec->off + rec->orig_len <= *off)
		return; /* told before: the records of a call that was seen twice */
	ws->last_ns = rec->hdr.ts_ns;
	if (rec->off > *off) {
		if (!rec->hdr.lost)
			ws->request->lost++;
		skip(ws, rec->dir, rec->off - *off);
	}
	known = *off - rec->off;
	if (known < rec->captured_len)
		ht_websocket_feed(&ws->side[rec->dir], (const uint8_t *)(rec + 1) + known, rec->captured_len - known);
	if (known < rec->captured_len)
		known = rec->captured_len;
	if (known < rec->orig_len)
		ht_websocket_skip(&ws->side[rec->dir], rec->orig_len - known);
	*off = rec->off + rec->orig_len;
	note_close_frame(ws, rec->dir);
}

static void reach(struct ht_exchange *exchange, int dir, uint64_t off, uint64_t ts_ns)
{
	struct ht_ws *ws = ws_of(exchange);

	(void)ts_ns;
	if (!ws->request || off <= ws->off[dir])
		return;
	skip(ws, dir, off - ws->off[dir]);
	note_close_frame(ws, dir);
}

static void take_eof(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	reach(exchange, HT_DIR_RX, rec->off, rec->hdr.ts_ns);
	take_closed(exchange, rec->hdr.ts_ns, HTTPTRACE_BY_SERVER, 0);
}

static void take_again(struct ht_exchange *exchange, uint64_t ts_ns)
{
	(void)exchange;
	(void)ts_ns;
}

static const struct ht_exchange_ops ops = {
	.data = take_data,
	.io_failed = io_failed,
	.eof = take_eof,
	.reach = reach,
	.fin = take_fin,
	.reset = take_reset,
	.again = take_again,
	.close = take_closed,
	.abandon = abandon,
	.lost = take_lost,
	.free = free_exchange,
};
