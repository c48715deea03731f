/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dispatch.h - calls the registered callbacks for a request's hooks, newest registration first, as Go's compose does.
 *
 * In:  requests with hooks not yet fired. Out: callbacks. Pointers are copied at registration. Registering and unregistering from inside a callback
 * is allowed: a set taken back is not called again; a new one applies to requests of which no hook was fired yet.
 */
#ifndef HT_DISPATCH_H
#define HT_DISPATCH_H

#include "httptrace.h"

struct ht_dispatch;

struct ht_dispatch *ht_dispatch_new(void);
void ht_dispatch_free(struct ht_dispatch *dispatch);
int ht_dispatch_register(struct ht_dispatch *dispatch, const struct httptrace_client_trace *trace, void *ctx);
int ht_dispatch_unregister(struct ht_dispatch *dispatch, int id);
/* Fires every hook of the request that was not fired yet, in order. */
void ht_dispatch_hooks(struct ht_dispatch *dispatch, struct httptrace_request *request);
/* As above, then request_done. */
void ht_dispatch_done(struct ht_dispatch *dispatch, struct httptrace_request *request);

#endif
