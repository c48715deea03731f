/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2_private.h - the state that h2.c (frames to streams, the connection's ends) and h2_request.c (one request's hooks) share.
 */
#ifndef HT_H2_PRIVATE_H
#define HT_H2_PRIVATE_H

#include "proto/grpc.h"
#include "proto/http2.h"
#include "req/flight.h"
#include "req/h2.h"
#include "req/piece.h"
#include "util/map.h"

struct ht_h2 {
	struct ht_exchange base;
	struct ht_http2 *reader[2]; /* by direction */
	struct ht_reach reach[2];
	const struct ht_rec_data *rec; /* being fed */
	struct ht_list flights;        /* in the order of their begin */
	unsigned int flight_cnt;
	struct ht_map streams;      /* the same, by stream id */
	uint32_t last_id;           /* the highest stream that the client has begun, as far as was seen */
	struct ht_flight *settling; /* answered, and no other under way: its connection's fate is awaited. In no list. */
	struct ht_timer fate;
	struct ht_timer late; /* of requests that wait for their other half */
	bool is_from_start;
	bool is_proven; /* a request was seen */
	bool is_dead;   /* nothing more is read from it */
};

/* ---- h2.c ---- */

/* All is known: reports it and frees it. */
void ht_h2_done(struct ht_h2 *h2, struct ht_flight *flight);
/* Request and response are whole, as far as they will be. */
void ht_h2_finish(struct ht_h2 *h2, struct ht_flight *flight);

/* ---- h2_request.c ---- */

void ht_h2_request_head(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_http2_headers *headers, uint64_t ts_ns);
/* A header section of the response: an interim or the final head, or the trailers. */
void ht_h2_response_head(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_http2_headers *headers, uint64_t ts_ns);
void ht_h2_response_end(struct ht_h2 *h2, struct ht_flight *flight, uint64_t ts_ns);
/* A request of which the response is all that was seen: its connection, and no hook that could be told of it. */
void ht_h2_headless(struct ht_h2 *h2, struct ht_flight *flight);

#endif
