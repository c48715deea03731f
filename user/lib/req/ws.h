/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ws.h - a connection that has become a WebSocket: two frame counters, and one report when it ends.
 *
 * Memory: the report and two readers; nothing grows.
 */
#ifndef HT_WS_H
#define HT_WS_H

#include "req/exchange.h"

struct httptrace_request;

/*
 * request: the one that the 101 answered, of which a reference is not kept. off: by direction, where the frames begin. has_extensions: of the 101. now_ns: of
 * the 101. NULL and ENOMEM.
 */
struct ht_exchange *ht_ws_new(struct ht_conn *conn, const struct httptrace_request *request, const uint64_t off[2], bool has_extensions,
			      uint64_t now_ns);

#endif
