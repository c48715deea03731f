/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flight.h - a request on its way, whatever the HTTP version: what h1*.c and h2*.c share.
 *
 * Ownership: the exchange of the connection owns its flights; a flight holds a reference to its request.
 */
#ifndef HT_FLIGHT_H
#define HT_FLIGHT_H

#include "proto/grpc.h"
#include "proto/http1.h"
#include "req/exchange.h"
#include "req/request.h"

/* hooks.md B3: a client that sends the body this soon was not waiting for 100 (Continue). */
#define HT_NOT_WAITING_NS 200000ull

#define HT_METHOD_MAX 31

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
	bool was_busy; /* others were in flight on the connection when it began */
	bool has_head;
	bool has_body; /* announced */
	bool is_written;
	bool is_send_failed; /* is_written, by an error */
	bool is_expecting;   /* Expect: 100-continue */
	bool is_wait_told;
	bool has_continue; /* 100 was received */
	bool has_final;    /* final response head */
	bool is_answered;  /* response complete */
	/* HTTP/1 only */
	bool is_plausible; /* its first bytes are a request line, though its head is not whole */
	bool is_response_begun;
	bool is_interim; /* the message being received is a 1xx */
	bool is_kept;    /* nothing said so far forbids the connection's reuse */
	bool is_1_0;     /* one side spoke HTTP/1.0: both must say keep-alive */
	bool says_keep[2];
	enum ht_http1_framing framing; /* of the final response */
	/* HTTP/2 only */
	uint32_t stream_id;
	bool is_early; /* its response came before its request was told */
	bool is_reset; /* the same of an RST_STREAM, with reset_code */
	uint32_t reset_code;
	bool has_content;                    /* the response has DATA frames to come */
	bool has_hidden_trailers;            /* fields of its trailers are not known */
	struct ht_grpc_messages messages[2]; /* of a gRPC call, by direction */
};

/* What a request head asks for; empty spans: not known. */
struct ht_asked {
	struct ht_span method;
	struct ht_span target; /* HTTP/1: request-target; HTTP/2: :path, of CONNECT :authority */
	struct ht_span host;   /* Host, :authority */
	bool is_tls;           /* the scheme is https */
	bool is_extended;      /* HTTP/2: a CONNECT that names a resource as other methods do (RFC 8441) */
};

/* NULL when memory is out. */
struct ht_flight *ht_flight_new(struct ht_exchange *exchange, uint32_t tid);
/* Takes it out of its list; the request is not ended. */
void ht_flight_free(struct ht_flight *flight);

/* Method, URL and host_port of the request. */
void ht_flight_asks(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_asked *asked);
/* GetConn, DNS, Connect, TLS and GotConn (hooks.md B2); begin_ns and was_busy are set. host_port in the request's arena, or NULL. */
void ht_flight_got_conn(struct ht_exchange *exchange, struct ht_flight *flight, const char *host_port);
/* Connection and dial of a request whose head never became whole. */
void ht_flight_headless(struct ht_exchange *exchange, struct ht_flight *flight);
/* The record has n bytes of the request's content. */
void ht_flight_sent_body(struct ht_flight *flight, const struct ht_rec_data *rec, uint64_t n);
void ht_flight_written(struct ht_flight *flight, uint64_t ts_ns, const struct httptrace_error *error);
void ht_flight_wait_continue(struct ht_flight *flight);
/* The announced body has not been begun, though the answer is there. */
bool ht_flight_keeps_body_back(const struct ht_flight *flight);
/* It will not follow any more (hooks.md C 8c, 8d). */
void ht_flight_give_up_body(struct ht_flight *flight, uint64_t ts_ns);
/* Why requests under way end. */
struct ht_failure {
	enum httptrace_outcome outcome;
	const char *code; /* NULL: the outcome's name */
	const char *message;
	uint64_t ts_ns;
	int closer;    /* enum httptrace_closer, -1: the connection was not closed */
	char name[32]; /* room for code */
};

/* The connection was closed, by whom; err: the socket's error, 0 none. */
void ht_failure_closed(struct ht_failure *f, uint64_t ts_ns, enum httptrace_closer by, int err);
/* A send or receive failed. False: that ends nothing (it was interrupted, or found nothing). */
bool ht_failure_io(struct ht_failure *f, uint64_t ts_ns, int err);
/* What becomes of it will not be seen. */
void ht_failure_unseen(struct ht_failure *f, uint64_t ts_ns);
/* Bytes that it needs are not known; message: of what. */
void ht_failure_gap(struct ht_failure *f, uint64_t ts_ns, const char *message);
/* A request that is not answered ends so: its hooks and its outcome, which is INCOMPLETE where a loss may have hidden another one. */
void ht_flight_fail(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_failure *f);
/* ConnClosed, where f says that. */
void ht_flight_closed(struct ht_flight *flight, const struct ht_failure *f);
/* Where it stands: the phase in which a failure now would be. */
enum httptrace_phase ht_flight_phase(const struct ht_flight *flight);

#endif
