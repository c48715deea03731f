/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exchange.h - HTTP on one connection, whatever its version: what conn/ asks of h1.c (HTTP/1) and h2.c (HTTP/2).
 *
 * In:  plaintext of both directions with stream offsets and times, in time order; the connection's ends. Out: requests with hooks, by the engine's ops.
 */
#ifndef HT_EXCHANGE_H
#define HT_EXCHANGE_H

#include "conn/model.h"

struct ht_exchange_ops {
	void (*data)(struct ht_exchange *exchange, const struct ht_rec_data *rec);
	void (*io_failed)(struct ht_exchange *exchange, uint64_t ts_ns, int dir, int err);
	void (*eof)(struct ht_exchange *exchange, const struct ht_rec_data *rec);
	void (*reach)(struct ht_exchange *exchange, int dir, uint64_t off, uint64_t ts_ns);
	void (*fin)(struct ht_exchange *exchange, uint64_t ts_ns);
	void (*reset)(struct ht_exchange *exchange, uint64_t ts_ns);
	void (*again)(struct ht_exchange *exchange, uint64_t ts_ns);
	void (*close)(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by, int err);
	void (*abandon)(struct ht_exchange *exchange, uint64_t ts_ns);
	void (*lost)(struct ht_exchange *exchange, uint64_t n);
	void (*free)(struct ht_exchange *exchange);
};

/* A data record that waits; its captured bytes follow. */
struct ht_held {
	struct ht_list node;
	struct ht_rec_data rec;
};

enum ht_turn_to {
	HT_TURN_NONE,
	HT_TURN_TUNNEL,    /* through a proxy: what follows decides again; the connection has a route */
	HT_TURN_WEBSOCKET, /* frames of RFC 6455 */
	HT_TURN_H2C,       /* HTTP/2, whose stream 1 is the request that asked for it */
};

/* What becomes of a connection behind a message that ends its HTTP/1 (ht_conn_turn()). */
struct ht_turn {
	enum ht_turn_to to;
	uint64_t ts_ns;
	uint64_t off[2];                   /* by direction: where what follows begins */
	struct ht_list rest;               /* of struct ht_held: records of it that came with that message */
	struct httptrace_request *request; /* WEBSOCKET: that asked for it; a reference */
	struct ht_flight *flight;          /* H2C: the same; in no list */
	bool has_extensions;               /* WEBSOCKET: some were agreed on */
};

/* The first member of each version's own. */
struct ht_exchange {
	const struct ht_exchange_ops *ops;
	struct ht_engine *engine;
	struct ht_conn *conn;
	bool is_not_http;     /* its first bytes were not of that version after all */
	struct ht_turn *turn; /* of the exchange's own: it has ended, and another takes over; NULL: it has not */
};

/* Frees; open requests have been ended by ht_exchange_close() or ht_exchange_abandon(). */
static inline void ht_exchange_free(struct ht_exchange *exchange)
{
	if (exchange)
		exchange->ops->free(exchange);
}

/* Data of one direction (rec->orig_len > 0). */
static inline void ht_exchange_data(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	exchange->ops->data(exchange, rec);
}

/* A send or receive failed with a positive errno. */
static inline void ht_exchange_io_failed(struct ht_exchange *exchange, uint64_t ts_ns, int dir, int err)
{
	exchange->ops->io_failed(exchange, ts_ns, dir, err);
}

/* A receive found the end of the stream. */
static inline void ht_exchange_eof(struct ht_exchange *exchange, const struct ht_rec_data *rec)
{
	exchange->ops->eof(exchange, rec);
}

/* That many bytes have passed in the direction by ts_ns: what was not told of them was lost. */
static inline void ht_exchange_reach(struct ht_exchange *exchange, int dir, uint64_t off, uint64_t ts_ns)
{
	exchange->ops->reach(exchange, dir, off, ts_ns);
}

/* The server ended its side: nothing comes behind what has arrived, but that may not have been read yet. */
static inline void ht_exchange_fin(struct ht_exchange *exchange, uint64_t ts_ns)
{
	exchange->ops->fin(exchange, ts_ns);
}

/* The server reset the connection: the same. */
static inline void ht_exchange_reset(struct ht_exchange *exchange, uint64_t ts_ns)
{
	exchange->ops->reset(exchange, ts_ns);
}

/* A receive found nothing (EAGAIN). */
static inline void ht_exchange_again(struct ht_exchange *exchange, uint64_t ts_ns)
{
	exchange->ops->again(exchange, ts_ns);
}

/* The connection is closed: by whom, when; err: the socket's error, 0 none. */
static inline void ht_exchange_close(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by, int err)
{
	exchange->ops->close(exchange, ts_ns, by, err);
}

/* What becomes of it will not be seen: open requests end as incomplete. */
static inline void ht_exchange_abandon(struct ht_exchange *exchange, uint64_t ts_ns)
{
	exchange->ops->abandon(exchange, ts_ns);
}

/* n events about this connection were lost. */
static inline void ht_exchange_lost(struct ht_exchange *exchange, uint64_t n)
{
	exchange->ops->lost(exchange, n);
}

#endif
