/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h1.h - HTTP/1 on one connection: two parsers, the requests in flight, and the rules by which their hooks are known (hooks.md B2 to B4, C).
 *
 * Memory: requests in flight at most HT_H1_MAX_REQUESTS; bytes of a response that came before its request's record at most
 * HT_H1_MAX_HELD_BYTES.
 */
#ifndef HT_H1_H
#define HT_H1_H

#include "req/exchange.h"

#define HT_H1_MAX_REQUESTS   1024
#define HT_H1_MAX_HELD_BYTES 262144

/* Over TLS where the connection has a TLS object. NULL and ENOMEM. */
struct ht_exchange *ht_h1_new(struct ht_conn *conn);

#endif
