/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2_private.h - the state that h2.c (frames to streams, the connection's ends), h2_request.c (one request's hooks) and h2_end.c (requests that end early) share.
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
	struct ht_map streams; /* the same, by stream id */
	uint32_t last_id;      /* the highest stream that the client has begun, as far as was seen */
	uint32_t covered_id;   /* by the server's GOAWAY: streams above are not processed; UINT32_MAX: it has sent none */
	uint32_t goaway_code;
	struct ht_flight *settling; /* answered, and no other under way: its connection's fate is awaited. In no list. */
	struct ht_timer fate;
	struct ht_timer late; /* of requests that wait for their other half */
	bool is_from_start;
	bool is_proven; /* a request was seen */
	bool is_dead;   /* nothing more is read from it */
};

/* ---- h2.c ---- */

/* Without a report. */
void ht_h2_drop(struct ht_h2 *h2, struct ht_flight *flight);
/* All is known: reports it and frees it. */
void ht_h2_done(struct ht_h2 *h2, struct ht_flight *flight);
/* Request and response are whole, as far as they will be. */
void ht_h2_finish(struct ht_h2 *h2, struct ht_flight *flight);

/* ---- h2_end.c: they report and free ---- */

void ht_h2_fail(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_failure *f);
/* Every request under way. */
void ht_h2_fail_all(struct ht_h2 *h2, const struct ht_failure *f);
/* Its request will not be told any more. */
void ht_h2_end_early(struct ht_h2 *h2, struct ht_flight *flight, uint64_t at_ns);
/* One side ended the stream with an error code. */
void ht_h2_reset(struct ht_h2 *h2, struct ht_flight *flight, uint32_t code, bool is_server);
/* The server's GOAWAY does not cover it. */
void ht_h2_refuse(struct ht_h2 *h2, struct ht_flight *flight);
/* What the server said of the stream before the request was told: another thread reads. */
void ht_h2_catch_up(struct ht_h2 *h2, struct ht_flight *flight);
/* What the stream of that side, which is not told any more, would have said of the requests under way is not known. */
void ht_h2_lose_track(struct ht_h2 *h2, bool is_server);

/* ---- h2_request.c ---- */

void ht_h2_request_head(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_http2_headers *headers, uint64_t ts_ns);
/* A header section of the response: an interim or the final head, or the trailers. */
void ht_h2_response_head(struct ht_h2 *h2, struct ht_flight *flight, const struct ht_http2_headers *headers, uint64_t ts_ns);
void ht_h2_response_end(struct ht_h2 *h2, struct ht_flight *flight, uint64_t ts_ns);
/* A request of which the response is all that was seen: its connection, and no hook that could be told of it. */
void ht_h2_headless(struct ht_h2 *h2, struct ht_flight *flight);

#endif
