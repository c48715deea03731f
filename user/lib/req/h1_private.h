/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h1_private.h - the state that h1.c (streams, ends) and h1_request.c (one request's hooks) share.
 */
#ifndef HT_H1_PRIVATE_H
#define HT_H1_PRIVATE_H

#include "proto/http1.h"
#include "req/flight.h"
#include "req/h1.h"
#include "req/piece.h"

/* interface.md: a request is reported at most 5 ms after its response ended. */
#define HT_FATE_NS       (5 * HT_MS)
/* Go's maxWriteWaitBeforeConnReuse: how long after the response a request may still be being written for the connection to be kept. */
#define HT_LATE_WRITE_NS (50 * HT_MS)
/* A response may be received by one thread before the send that caused it has returned in another. */
#define HT_HELD_NS       (50 * HT_MS)

struct ht_h1 {
	struct ht_exchange base;
	struct ht_http1 *parser[2]; /* by direction */
	struct ht_reach reach[2];
	bool is_awry[2];        /* after a gap: waits for bytes that begin a message */
	bool has_gaps;          /* it was a gap once, of this connection, and no message that we came too late for */
	unsigned int begun_cnt; /* bytes received meanwhile that may begin a response; the first of them at begun_ns */
	uint64_t begun_ns;
	uint64_t unread_ns;            /* when something was last received that was not read because of that; 0: never */
	const struct ht_rec_data *rec; /* being fed */
	struct ht_list flights;        /* in the order of sending */
	unsigned int flight_cnt;
	struct ht_flight *writing;  /* whose end was not sent yet; the last of flights, or NULL */
	struct ht_flight *settling; /* answered; its connection's fate is awaited. In no list. */
	struct ht_timer fate;
	uint64_t again_ns;   /* EAGAIN behind the response's end, 0 none */
	struct ht_list held; /* receive records that wait for their request */
	size_t held_bytes;
	struct ht_timer held_timer;
	struct ht_turn turn; /* told by base.turn once it is made */
	bool is_from_start;  /* nothing was sent or received before the exchange was made: both streams begin at offset 0 */
	bool is_body_owed;   /* the last request was given up while its body was not sent: that, or another request, comes next */
	bool is_orphan;      /* the message being received answers no request */
	uint64_t orphan_ns;  /* when the last such message began; 0: there was none */
	bool is_overtaken;   /* the request being sent began before that */
	bool is_proven;      /* a whole head was parsed: this is HTTP */
	bool is_dead;        /* nothing more is read from it */
	bool is_ending;      /* parser errors are the ending's doing */
};

/* ---- h1.c ---- */

struct ht_flight *ht_h1_first(const struct ht_h1 *h1);
/* A flight leaves without a report. */
void ht_h1_drop(struct ht_h1 *h1, struct ht_flight *flight);
/* What waits for its request is forgotten. */
void ht_h1_drop_held(struct ht_h1 *h1);

/* ---- h1_end.c ---- */

/* All is known: reports it and frees it. It is in no list any more. */
void ht_h1_done(struct ht_h1 *h1, struct ht_flight *flight);
/* The connection was kept, as far as anybody can see: nothing happened to it. */
void ht_h1_settle(struct ht_h1 *h1);
void ht_h1_settle_closed(struct ht_h1 *h1, uint64_t ts_ns, enum httptrace_closer by);
/* The response is whole and so is the request: what remains is what becomes of the connection. */
void ht_h1_finish(struct ht_h1 *h1, struct ht_flight *flight);
/* The timer of the fate: what nobody has decided until now. */
void ht_h1_fate_due(void *h1, uint64_t at_ns);
void ht_h1_fail_all(struct ht_h1 *h1, const struct ht_failure *f);

/* ---- h1_request.c ---- */

/* The request head is whole: URL, connection, dial, fields. ts_ns: WroteHeaders. */
void ht_h1_request_head(struct ht_h1 *h1, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns);
void ht_h1_response_head(struct ht_h1 *h1, struct ht_flight *flight, const struct ht_http1_head *head, uint64_t ts_ns);
void ht_h1_response_end(struct ht_h1 *h1, struct ht_flight *flight, uint64_t ts_ns);
/* May the connection be kept, as far as the messages say? */
bool ht_h1_is_kept(const struct ht_flight *flight);

/* ---- h1_tunnel.c ---- */

bool ht_h1_is_connect(const struct ht_flight *flight);
/* The head of a response behind which the connection is something else (framing TUNNEL): what? */
void ht_h1_tunnel_head(struct ht_h1 *h1, const struct ht_http1_head *head);
/* That response is whole. */
void ht_h1_tunnel_end(struct ht_h1 *h1, struct ht_flight *flight, uint64_t ts_ns);
/* A response to CONNECT that opens no tunnel is whole: reports that, or waits for the same with credentials. */
void ht_h1_connect_answered(struct ht_h1 *h1, struct ht_flight *flight, uint64_t ts_ns);
/* Reports it now. */
void ht_h1_connect_refused(struct ht_h1 *h1, struct ht_flight *flight);
/* The refused one that is settling is followed by another: it was no failure. */
void ht_h1_connect_retried(struct ht_h1 *h1);
/* It will not be answered. */
void ht_h1_connect_failed(struct ht_h1 *h1, struct ht_flight *flight, const struct ht_failure *f);

#endif
