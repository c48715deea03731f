/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2_end.c - requests that end before they are whole: with their connection, by RST_STREAM, by GOAWAY, for bytes or for a request that nobody saw.
 */
#include <stdio.h>

#include "conn/conn.h"
#include "req/h2_private.h"
#include "req/hooks.h"

/* The server's part was all that was seen of it: its request was lost, or else, on a connection that was joined late, it is older than the tracer. */
void ht_h2_end_early(struct ht_h2 *h2, struct ht_flight *flight, uint64_t at_ns)
{
	struct ht_conn *conn = h2->base.conn;
	uint64_t missed = conn->lost ? conn->lost : ht_engine_missed(h2->base.engine, conn->start_ns, conn->losses);
	struct ht_failure f;

	if (!missed && !h2->is_from_start) {
		h2->base.engine->counts.unsolicited++;
		ht_h2_drop(h2, flight);
		return;
	}
	ht_h2_headless(h2, flight);
	if (!flight->request->lost)
		flight->request->lost = missed ? missed : 1;
	ht_failure_unseen(&f, at_ns);
	f.message = "its request was not seen";
	if (flight->is_answered) {
		flight->request->outcome = HTTPTRACE_PENDING;
		ht_report_outcome(flight->request, f.outcome, HTTPTRACE_PHASE_RECEIVE, f.code, f.message, flight->end_ns);
	} else {
		ht_flight_fail(&h2->base, flight, &f);
	}
	ht_h2_done(h2, flight);
}

void ht_h2_fail(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_failure *f)
{
	if (flight->is_early || (flight->is_answered && !flight->has_head)) {
		ht_h2_end_early(h2, flight, f->ts_ns);
		return;
	}
	if (!flight->is_answered) {
		ht_flight_fail(&h2->base, flight, f);
		h2->base.conn->last_end_ns = f->ts_ns;
	} else {
		ht_flight_closed(flight, f);
	}
	ht_h2_done(h2, flight);
}

void ht_h2_fail_all(struct ht_h2 *h2, const struct ht_failure *f)
{
	struct ht_flight *flight, *next;

	ht_list_each(&h2->flights, flight, next, node)
		ht_h2_fail(h2, flight, f);
}

void ht_h2_reset(struct ht_h2 *h2, struct ht_flight *flight, uint32_t code, bool is_server)
{
	struct ht_failure f = {
		.outcome = is_server ? HTTPTRACE_RESET : HTTPTRACE_ABORTED,
		.code = ht_http2_code_name(code),
		.message = is_server ? "the server reset the stream" : "the client reset the stream",
		.ts_ns = h2->rec->hdr.ts_ns,
		.closer = -1,
	};

	if (flight->is_early && !flight->is_answered) {
		flight->is_reset = true;
		flight->reset_code = code;
		return;
	}
	if (!f.code) {
		snprintf(f.name, sizeof(f.name), "0x%x", code);
		f.code = f.name;
	}
	if (flight->is_answered) {
		/* RFC 9113 section 8.1: the rest of the request is not wanted. */
		if (!is_server && ht_flight_keeps_body_back(flight))
			ht_flight_give_up_body(flight, f.ts_ns);
		else if (flight->has_head && !flight->is_written)
			ht_flight_written(flight, f.ts_ns, ht_hook_error(flight->request, f.code, f.message));
		ht_h2_finish(h2, flight);
		return;
	}
	ht_h2_fail(h2, flight, &f);
}

void ht_h2_refuse(struct ht_h2 *h2, struct ht_flight *flight)
{
	const char *name = ht_http2_code_name(h2->goaway_code);
	struct ht_failure f = { .outcome = HTTPTRACE_CLOSED, .code = "GOAWAY", .ts_ns = h2->rec->hdr.ts_ns, .closer = -1 };
	char message[96];

	snprintf(message, sizeof(message), "the server ends the connection (%s) and has not processed the stream",
		 name ? name : "unknown code");
	f.message = message;
	ht_h2_fail(h2, flight, &f);
}

void ht_h2_catch_up(struct ht_h2 *h2, struct ht_flight *flight)
{
	if (flight->is_reset)
		ht_h2_reset(h2, flight, flight->reset_code, true);
	else if (flight->stream_id > h2->covered_id)
		ht_h2_refuse(h2, flight);
}

void ht_h2_lose_track(struct ht_h2 *h2, bool is_server)
{
	struct ht_failure f;
	struct ht_flight *flight, *next;

	ht_failure_gap(&f, h2->rec->hdr.ts_ns, "bytes of the connection are not known");
	ht_list_each(&h2->flights, flight, next, node) {
		/* What was sent whole waits for its answer, which comes in the other direction. */
		if (!is_server && (flight->is_written || flight->is_early))
			continue;
		ht_grpc_messages_lose(&flight->messages[is_server ? HT_DIR_RX : HT_DIR_TX]);
		ht_h2_fail(h2, flight, &f);
	}
}
