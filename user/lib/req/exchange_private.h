/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exchange_private.h - the state that exchange.c (streams, ends) and exchange_request.c (one request's hooks) share.
 */
#ifndef HT_EXCHANGE_PRIVATE_H
#define HT_EXCHANGE_PRIVATE_H

#include "proto/http1.h"
#include "req/exchange.h"
#include "req/request.h"

/* interface.md: a request is reported at most 5 ms after its response ended. */
#define HT_FATE_NS        (5 * HT_MS)
/* Go's maxWriteWaitBeforeConnReuse: how long after the response a request may still be being written for the connection to be kept. */
#define HT_LATE_WRITE_NS  (50 * HT_MS)
/* A response may be received by one thread before the send that caused it has returned in another. */
#define HT_HELD_NS        (50 * HT_MS)
/* hooks.md B3: a client that sends the body this soon was not waiting for 100 (Continue). */
#define HT_NOT_WAITING_NS 200000ull

#define HT_METHOD_MAX 31

/* A request in flight. */
struct ht_flight {
	struct ht_list node;
	struct httptrace_request *request; /* a reference */
	char method[HT_METHOD_MAX + 1];
	uint64_t begin_ns; /* start of the call that wrote its first byte */
	uint64_t head_ns;  /* WroteHeaders */
	uint64_t first_byte_ns;
	uint64_t end_ns; /* of the response */
	uint64_t written_ns;
	uint64_t sent_body_bytes;
	uint64_t got_body_bytes;
	uint64_t losses; /* of the engine, when it began */
	uint32_t tid;
	bool was_busy; /* others were in flight on the connection when it began (pipelining) */
	bool has_head;
	bool has_body; /* announced */
	bool is_written;
	bool is_send_failed; /* is_written, by an error */
	bool is_plausible;   /* its first bytes are a request line, though its head is not whole */
	bool is_expecting;   /* Expect: 100-continue */
	bool is_wait_told;
	bool has_continue; /* 100 was received */
	bool is_response_begun;
	bool has_final;   /* final response head */
	bool is_answered; /* response complete */
	bool is_interim;  /* the message being received is a 1xx */
	bool is_kept;     /* nothing said so far forbids the connection's reuse */
	bool is_1_0;      /* one side spoke HTTP/1.0: both must say keep-alive */
	bool says_keep[2];
	enum ht_http1_framing framing; /* of the final response */
};

struct ht_held; /* a receive record that waits for its request */

struct ht_exchange {
	struct ht_engine *engine;
	struct ht_conn *conn;
	struct ht_http1 *parser[2]; /* by direction */
	uint64_t off[2];
	bool has_off[2];
	bool is_awry[2];               /* after a gap: waits for bytes that begin a message */
	const struct ht_rec_data *rec; /* being fed */
	struct ht_list flights;        /* in the order of sending */
	unsigned int flight_cnt;
	struct ht_flight *writing;  /* whose end was not sent yet; the last of flights, or NULL */
	struct ht_flight *settling; /* answered; its connection's fate is awaited. In no list. */
	struct ht_timer fate;
	uint64_t again_ns; /* EAGAIN behind the response's end, 0 none */
	struct ht_list held;
	size_t held_bytes;
	struct ht_timer held_timer;
	bool is_from_start; /* nothing was sent or received before the exchange was made: both streams begin at offset 0 */
	bool is_body_owed;  /* the last request was given up while its body was not sent: that, or another request, comes next */
	bool is_orphan;     /* the message being received answers no request */
	bool is_proven;     /* a whole head was parsed: this is HTTP */
	bool is_not_http;
	bool is_tunnel; /* behind a CONNECT that succeeded */
	bool is_dead;   /* nothing more is read from it */
	bool is_ending; /* parser errors are the ending's doing */
};

/* ---- exchange.c ---- */

struct ht_flight *ht_exchange_first(const struct ht_exchange *exchange);
/* A flight leaves without a report. */
void ht_exchange_drop(struct ht_exchange *exchange, struct ht_flight *flight);
/* What waits for its request is forgotten. */
void ht_exchange_drop_held(struct ht_exchange *exchange);

/* ---- exchange_end.c ---- */

struct ht_failure {
	enum httptrace_outcome outcome;
	const char *code; /* NULL: the outcome's name */
	const char *message;
	uint64_t ts_ns;
	int closer; /* enum httptrace_closer, -1: the connection was not closed */
};

/* All is known: reports it and frees it. It is in no list any more. */
void ht_flight_done(struct ht_exchange *exchange, struct ht_flight *flight);
/* The connection was kept, as far as anybody can see: nothing happened to it. */
void ht_exchange_settle(struct ht_exchange *exchange);
void ht_exchange_settle_closed(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by);
/* The response is whole and so is the request: what remains is what becomes of the connection. */
void ht_exchange_finish(struct ht_exchange *exchange, struct ht_flight *flight);
/* The timer of the fate: what nobody has decided until now. */
void ht_exchange_fate_due(void *exchange, uint64_t at_ns);
void ht_exchange_fail_all(struct ht_exchange *exchange, const struct ht_failure *f);
/* The announced body has not been begun, though the answer is there. */
bool ht_flight_keeps_body_back(const struct ht_flight *flight);
void ht_flight_give_up_body(struct ht_flight *flight, uint64_t ts_ns);

/* ---- exchange_request.c ---- */

struct ht_flight *ht_flight_new(struct ht_exchange *exchange);
void ht_flight_free(struct ht_flight *flight);
/* The request head is whole: URL, connection, dial, fields. ts_ns: WroteHeaders. */
void ht_flight_head(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns);
/* Connection and dial of a request whose head never became whole. */
void ht_flight_headless(struct ht_exchange *exchange, struct ht_flight *flight);
void ht_flight_written(struct ht_flight *flight, uint64_t ts_ns, const struct httptrace_error *error);
void ht_flight_wait_continue(struct ht_flight *flight);
void ht_flight_response_head(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns);
void ht_flight_response_end(struct ht_exchange *exchange, struct ht_flight *flight, uint64_t ts_ns);
/* May the connection be kept, as far as the messages say? */
bool ht_flight_is_kept(const struct ht_flight *flight);
/* Where it stands: the phase in which a failure now would be. */
enum httptrace_phase ht_flight_phase(const struct ht_flight *flight);

#endif
