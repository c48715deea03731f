/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exchange_end.c - how a request ends: answered and its connection kept or closed, or failed (hooks.md B4, C 8c, 8d, 11b, 14, 15).
 */
#include <stdlib.h>
#include <string.h>

#include "req/exchange_private.h"
#include "req/hooks.h"

/* Bytes that might have become anything are no request. */
static bool is_nothing(const struct ht_exchange *exchange, const struct ht_flight *flight)
{
	return !flight->has_head && !flight->is_plausible && !exchange->is_proven;
}

void ht_flight_done(struct ht_exchange *exchange, struct ht_flight *flight)
{
	if (is_nothing(exchange, flight)) {
		ht_exchange_drop(exchange, flight);
		return;
	}
	if (!flight->has_head) /* a response came before the head was sent: 408, 431 */
		ht_flight_headless(exchange, flight);
	if (exchange->writing == flight)
		exchange->writing = NULL;
	if (exchange->settling == flight)
		exchange->settling = NULL;
	else
		exchange->flight_cnt--;
	flight->request->is_identified = true;
	ht_report_done(exchange->engine, flight->request);
	ht_flight_free(flight);
}

/* The connection was kept (hooks.md B4), as far as anybody can see: nothing happened to it. */
void ht_exchange_settle(struct ht_exchange *exchange)
{
	struct ht_flight *flight = exchange->settling;

	if (!flight)
		return;
	ht_timer_cancel(&exchange->engine->timers, &exchange->fate);
	if (ht_flight_is_kept(flight) && !exchange->conn->fin_ns && !exchange->conn->reset_ns) {
		if (exchange->again_ns)
			ht_hook_put_idle(flight->request, exchange->again_ns, HTTPTRACE_PROXY);
		else
			ht_hook_put_idle(flight->request, flight->written_ns > flight->end_ns ? flight->written_ns : flight->end_ns,
					 HTTPTRACE_INFERRED);
	}
	ht_flight_done(exchange, flight);
}

void ht_exchange_settle_closed(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by)
{
	struct ht_flight *flight = exchange->settling;

	if (!flight)
		return;
	ht_timer_cancel(&exchange->engine->timers, &exchange->fate);
	ht_hook_conn_closed(flight->request, ts_ns > flight->end_ns ? ts_ns : flight->end_ns, by);
	ht_flight_done(exchange, flight);
}

/* An answered request whose body will not follow any more (hooks.md C 8c, 8d). */
void ht_flight_give_up_body(struct ht_flight *flight, uint64_t ts_ns)
{
	ht_flight_wait_continue(flight);
	ht_flight_written(flight, ts_ns,
			  ht_hook_error(flight->request, "body_not_sent",
					"the server answered before the body was sent, and it was not sent"));
}

bool ht_flight_keeps_body_back(const struct ht_flight *flight)
{
	return flight->is_answered && !flight->is_written && flight->is_expecting && !flight->sent_body_bytes;
}

void ht_exchange_fate_due(void *object, uint64_t at_ns)
{
	struct ht_exchange *exchange = object;
	struct ht_flight *flight = ht_exchange_first(exchange);

	(void)at_ns;
	if (exchange->settling) {
		ht_exchange_settle(exchange);
	} else if (flight && flight->is_answered) {
		/* Answered, but its body is still being written: that goes on without us (hooks.md C 11b). */
		if (ht_flight_keeps_body_back(flight)) {
			ht_flight_give_up_body(flight, flight->end_ns);
			exchange->is_body_owed = true;
		}
		exchange->again_ns = 0;
		ht_flight_done(exchange, flight);
	}
}

/* The response is whole and so is the request: what remains is what becomes of the connection. */
void ht_exchange_finish(struct ht_exchange *exchange, struct ht_flight *flight)
{
	bool is_last = exchange->flight_cnt == 1;

	ht_list_remove(&flight->node);
	if (!is_last) { /* pipelined requests follow: the connection does not go idle */
		ht_flight_done(exchange, flight);
		return;
	}
	exchange->flight_cnt--;
	exchange->settling = flight;
	exchange->again_ns = 0;
	if (exchange->conn->reset_ns && exchange->conn->reset_ns <= flight->end_ns)
		ht_exchange_settle_closed(exchange, flight->end_ns, HTTPTRACE_BY_RESET);
	else if (exchange->conn->fin_ns && exchange->conn->fin_ns <= flight->end_ns)
		ht_exchange_settle_closed(exchange, flight->end_ns, HTTPTRACE_BY_SERVER);
	else
		ht_timer_set(&exchange->engine->timers, &exchange->fate, flight->end_ns + HT_FATE_NS, ht_exchange_fate_due, exchange);
}

static uint64_t later_of(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/*
 * A socket's end tells how many bytes had passed, so that what is missing shows; of a TLS object nobody tells, nor does a process's exit, which comes before
 * its sockets' ends. Where events were lost meanwhile, its response may have been among them.
 */
static bool may_have_missed_end(const struct ht_exchange *exchange, const struct ht_flight *flight, const struct ht_failure *f)
{
	const struct ht_engine *engine = exchange->engine;
	bool has_losses = ht_engine_missed(engine, flight->begin_ns, flight->losses) ||
			  (engine->losses && f->ts_ns < engine->loss_ns + HT_LOSS_NEAR_NS);

	return (exchange->conn->tls || !exchange->conn->is_end_seen) && has_losses &&
	       (f->outcome == HTTPTRACE_ABORTED || f->outcome == HTTPTRACE_CLOSED);
}

static void fail_flight(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_failure *failure)
{
	struct httptrace_request *request = flight->request;
	enum httptrace_phase phase = ht_flight_phase(flight);
	uint64_t missed = ht_engine_missed(exchange->engine, flight->begin_ns, flight->losses);
	struct ht_failure unsure = *failure;
	const struct ht_failure *f = &unsure;
	uint64_t closed_ns;

	if (!flight->is_answered && may_have_missed_end(exchange, flight, failure)) {
		unsure.outcome = HTTPTRACE_INCOMPLETE;
		unsure.code = "incomplete";
		unsure.message = "its end may be among the events that were lost";
		if (!request->lost)
			request->lost = missed ? missed : 1;
	}

	if (is_nothing(exchange, flight)) {
		ht_exchange_drop(exchange, flight);
		return;
	}
	if (flight->is_answered) {
		if (ht_flight_keeps_body_back(flight))
			ht_flight_give_up_body(flight, f->ts_ns);
		else if (flight->has_head && !flight->is_written && f->outcome != HTTPTRACE_INCOMPLETE)
			ht_flight_written(flight, f->ts_ns, ht_hook_error(request, f->code ? f->code : "closed", f->message));
	} else {
		if (!flight->has_head)
			ht_flight_headless(exchange, flight);
		ht_flight_wait_continue(flight);
		if (flight->has_head && !flight->is_written && f->outcome != HTTPTRACE_INCOMPLETE)
			ht_flight_written(flight, f->ts_ns,
					  ht_hook_error(request, f->code ? f->code : httptrace_outcome__name(f->outcome), f->message));
		if (flight->has_final)
			request->received.body_bytes = (int64_t)flight->got_body_bytes;
		if (flight->got_body_bytes)
			ht_hook_body(request, f->ts_ns, flight->got_body_bytes);
		ht_report_outcome(request, f->outcome, phase, f->code, f->message, f->ts_ns);
		if (f->outcome == HTTPTRACE_INCOMPLETE && !request->lost)
			request->lost = missed;
	}
	/* The cause may be older than what the program still did before it noticed. */
	closed_ns = later_of(later_of(f->ts_ns, flight->end_ns), later_of(flight->written_ns, flight->first_byte_ns));
	if (f->closer >= 0)
		ht_hook_conn_closed(request, closed_ns, (enum httptrace_closer)f->closer);
	ht_list_remove(&flight->node);
	ht_flight_done(exchange, flight);
}

void ht_exchange_fail_all(struct ht_exchange *exchange, const struct ht_failure *f)
{
	struct ht_flight *flight;

	ht_exchange_drop_held(exchange);
	while ((flight = ht_exchange_first(exchange)) != NULL)
		fail_flight(exchange, flight, f);
}
