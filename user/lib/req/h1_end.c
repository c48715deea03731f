/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h1_end.c - how a request ends: answered and its connection kept or closed, or failed (hooks.md B4, C 8c, 8d, 11b, 14, 15).
 */
#include <stdlib.h>
#include <string.h>

#include "req/h1_private.h"
#include "req/hooks.h"

/* Bytes that might have become anything are no request. */
static bool is_nothing(const struct ht_h1 *h1, const struct ht_flight *flight)
{
	return !flight->has_head && !flight->is_plausible && !h1->is_proven;
}

void ht_h1_done(struct ht_h1 *h1, struct ht_flight *flight)
{
	if (is_nothing(h1, flight)) {
		ht_h1_drop(h1, flight);
		return;
	}
	if (!flight->has_head) /* a response came before the head was sent: 408, 431 */
		ht_flight_headless(&h1->base, flight);
	if (h1->writing == flight)
		h1->writing = NULL;
	if (h1->settling == flight)
		h1->settling = NULL;
	else
		h1->flight_cnt--;
	flight->request->is_identified = true;
	ht_report_done(h1->base.engine, flight->request);
	ht_flight_free(flight);
}

/* The connection was kept (hooks.md B4), as far as anybody can see: nothing happened to it. */
void ht_h1_settle(struct ht_h1 *h1)
{
	struct ht_flight *flight = h1->settling;

	if (!flight)
		return;
	ht_timer_cancel(&h1->base.engine->timers, &h1->fate);
	if (ht_h1_is_connect(flight)) {
		ht_h1_connect_refused(h1, flight);
		return;
	}
	if (ht_h1_is_kept(flight) && !h1->base.conn->fin_ns && !h1->base.conn->reset_ns) {
		if (h1->again_ns)
			ht_hook_put_idle(flight->request, h1->again_ns, HTTPTRACE_PROXY);
		else
			ht_hook_put_idle(flight->request, flight->written_ns > flight->end_ns ? flight->written_ns : flight->end_ns,
					 HTTPTRACE_INFERRED);
	}
	ht_h1_done(h1, flight);
}

void ht_h1_settle_closed(struct ht_h1 *h1, uint64_t ts_ns, enum httptrace_closer by)
{
	struct ht_flight *flight = h1->settling;

	if (!flight)
		return;
	if (ht_h1_is_connect(flight)) {
		ht_h1_settle(h1);
		return;
	}
	ht_timer_cancel(&h1->base.engine->timers, &h1->fate);
	ht_hook_conn_closed(flight->request, ts_ns > flight->end_ns ? ts_ns : flight->end_ns, by);
	ht_h1_done(h1, flight);
}

void ht_h1_fate_due(void *object, uint64_t at_ns)
{
	struct ht_h1 *h1 = object;
	struct ht_flight *flight = ht_h1_first(h1);

	(void)at_ns;
	if (h1->settling) {
		ht_h1_settle(h1);
	} else if (flight && flight->is_answered) {
		/* Answered, but its body is still being written: that goes on without us (hooks.md C 11b). */
		if (ht_flight_keeps_body_back(flight)) {
			ht_flight_give_up_body(flight, flight->end_ns);
			h1->is_body_owed = true;
		}
		h1->again_ns = 0;
		ht_h1_done(h1, flight);
	}
}

/* The response is whole and so is the request: what remains is what becomes of the connection. */
void ht_h1_finish(struct ht_h1 *h1, struct ht_flight *flight)
{
	bool is_last = h1->flight_cnt == 1;

	ht_list_remove(&flight->node);
	if (!is_last) { /* pipelined requests follow: the connection does not go idle */
		ht_h1_done(h1, flight);
		return;
	}
	h1->flight_cnt--;
	h1->settling = flight;
	h1->again_ns = 0;
	if (h1->base.conn->reset_ns && h1->base.conn->reset_ns <= flight->end_ns)
		ht_h1_settle_closed(h1, flight->end_ns, HTTPTRACE_BY_RESET);
	else if (h1->base.conn->fin_ns && h1->base.conn->fin_ns <= flight->end_ns)
		ht_h1_settle_closed(h1, flight->end_ns, HTTPTRACE_BY_SERVER);
	else
		ht_timer_set(&h1->base.engine->timers, &h1->fate, flight->end_ns + HT_FATE_NS, ht_h1_fate_due, h1);
}

/* Behind a gap something was received that may have been its answer: that there was none is not known. */
static bool may_be_answered(const struct ht_h1 *h1, const struct ht_flight *flight, const struct ht_failure *f)
{
	return h1->is_awry[HT_DIR_RX] && h1->unread_ns >= flight->begin_ns &&
	       (f->outcome == HTTPTRACE_ABORTED || f->outcome == HTTPTRACE_CLOSED);
}

static void fail_flight(struct ht_h1 *h1, struct ht_flight *flight, const struct ht_failure *f)
{
	struct httptrace_request *request = flight->request;
	struct ht_failure unsure;

	if (is_nothing(h1, flight)) {
		ht_h1_drop(h1, flight);
		return;
	}
	if (!flight->is_answered && ht_h1_is_connect(flight)) {
		ht_h1_connect_failed(h1, flight, f);
		return;
	}
	if (!flight->is_answered && may_be_answered(h1, flight, f)) {
		ht_failure_gap(&unsure, f->ts_ns, "its answer cannot be told from what was lost");
		unsure.closer = f->closer;
		if (!request->lost && h1->has_gaps)
			request->lost = 1;
		ht_flight_fail(&h1->base, flight, &unsure);
	} else if (!flight->is_answered) {
		ht_flight_fail(&h1->base, flight, f);
	} else {
		if (ht_flight_keeps_body_back(flight))
			ht_flight_give_up_body(flight, f->ts_ns);
		else if (flight->has_head && !flight->is_written && f->outcome != HTTPTRACE_INCOMPLETE)
			ht_flight_written(flight, f->ts_ns, ht_hook_error(request, f->code ? f->code : "closed", f->message));
		ht_flight_closed(flight, f);
	}
	ht_list_remove(&flight->node);
	ht_h1_done(h1, flight);
}

void ht_h1_fail_all(struct ht_h1 *h1, const struct ht_failure *f)
{
	struct ht_flight *flight;

	ht_h1_drop_held(h1);
	while ((flight = ht_h1_first(h1)) != NULL)
		fail_flight(h1, flight, f);
}
