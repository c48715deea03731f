/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exchange.h - HTTP/1 on one connection: two parsers, the requests in flight, and the rules by which their hooks are known (hooks.md B2 to B4, C).
 *
 * In:  plaintext of both directions with stream offsets and times, in time order; the connection's ends. Out: requests with hooks, by the engine's ops.
 * Memory: requests in flight at most HT_EXCHANGE_MAX_REQUESTS; bytes of a response that came before its request's record at most
 * HT_EXCHANGE_MAX_HELD_BYTES.
 */
#ifndef HT_EXCHANGE_H
#define HT_EXCHANGE_H

#include "conn/model.h"

#define HT_EXCHANGE_MAX_REQUESTS   1024
#define HT_EXCHANGE_MAX_HELD_BYTES 262144

/* Over TLS where the connection has a TLS object. NULL and ENOMEM. */
struct ht_exchange *ht_exchange_new(struct ht_conn *conn);
/* Frees; open requests have been ended by ht_exchange_close() or ht_exchange_abandon(). */
void ht_exchange_free(struct ht_exchange *exchange);

/* Data of one direction (rec->orig_len > 0). */
void ht_exchange_data(struct ht_exchange *exchange, const struct ht_rec_data *rec);
/* A send or receive failed with a positive errno; or a receive found the end of the stream. */
void ht_exchange_io_failed(struct ht_exchange *exchange, uint64_t ts_ns, int dir, int err);
void ht_exchange_eof(struct ht_exchange *exchange, const struct ht_rec_data *rec);
/* That many bytes have passed in the direction by ts_ns: what was not told of them was lost. */
void ht_exchange_reach(struct ht_exchange *exchange, int dir, uint64_t off, uint64_t ts_ns);
/* The server ended its side: nothing comes behind what has arrived, but that may not have been read yet. */
void ht_exchange_fin(struct ht_exchange *exchange, uint64_t ts_ns);
/* The server reset the connection: the same. */
void ht_exchange_reset(struct ht_exchange *exchange, uint64_t ts_ns);
/* A receive found nothing (EAGAIN). */
void ht_exchange_again(struct ht_exchange *exchange, uint64_t ts_ns);

/* The connection is closed: by whom, when; err: the socket's error, 0 none. */
void ht_exchange_close(struct ht_exchange *exchange, uint64_t ts_ns, enum httptrace_closer by, int err);
/* What becomes of it will not be seen: open requests end as incomplete. is_end: tracing ends (a response still running says so). */
void ht_exchange_abandon(struct ht_exchange *exchange, uint64_t ts_ns);
/* n events about this connection were lost. */
void ht_exchange_lost(struct ht_exchange *exchange, uint64_t n);

bool ht_exchange_has_open(const struct ht_exchange *exchange);
/* Is this not HTTP/1 after all (its first bytes were not)? */
bool ht_exchange_is_not_http(const struct ht_exchange *exchange);
/* Has a CONNECT succeeded on it: what follows is another protocol. */
bool ht_exchange_is_tunnel(const struct ht_exchange *exchange);

#endif
