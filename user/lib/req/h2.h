/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2.h - HTTP/2 on one connection: two frame readers, and a request for each of the client's streams (hooks.md C12 to C12d, table A).
 *
 * Memory: requests under way at most HT_H2_MAX_REQUESTS; besides them two HPACK tables and at most one header block a direction.
 */
#ifndef HT_H2_H
#define HT_H2_H

#include "req/exchange.h"

/* RFC 9113 section 5.1.2: servers allow 100 to 250 streams at once; a client that opens more than this is given up. */
#define HT_H2_MAX_REQUESTS 4096

struct ht_flight;

/*
 * Over TLS where the connection has a TLS object. off: the stream offsets (by direction, HT_DIR_*) at which both sides begin to speak HTTP/2, behind an
 * upgrade; NULL: at the connection's begin, if that was seen. NULL and ENOMEM.
 */
struct ht_exchange *ht_h2_new(struct ht_conn *conn, const uint64_t off[2]);

/*
 * Takes over a request that was sent as HTTP/1 with `Upgrade: h2c`: it is stream 1, whole as far as the client is concerned (RFC 7540 section 3.2). In no
 * list of its former exchange any more.
 */
void ht_h2_adopt(struct ht_exchange *exchange, struct ht_flight *flight);

#endif
