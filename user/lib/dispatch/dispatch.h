/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dispatch.h - calls the registered callbacks for a request's hooks, newest registration first, as Go's compose does.
 *
 * In:  requests with hooks not yet fired. Out: callbacks. Pointers are copied at registration. Registering and unregistering from inside a
 * callback is allowed: a set taken back is not called again; a new one applies to requests of which no hook was fired yet. Which
 * registrations apply to a request is decided when its first hook is fired: it is identified then.
 */
#ifndef HT_DISPATCH_H
#define HT_DISPATCH_H

#include "httptrace.h"

struct ht_dispatch;

struct ht_dispatch *ht_dispatch_new(void);
void ht_dispatch_free(struct ht_dispatch *dispatch);
/* Whether a request's process is in a filter's cgroup, of number n (below). Without it, nobody is in any. */
void ht_dispatch_set_in_cgroup(struct ht_dispatch *dispatch, bool (*in_cgroup)(void *ctx, pid_t pid, unsigned int n), void *ctx);
/* filter NULL: all requests; cgroup: the number of its cgroup, if it has one. The id, or -errno. */
int ht_dispatch_register(struct ht_dispatch *dispatch, const struct httptrace_client_trace *trace, const struct httptrace_filter *filter,
			 unsigned int cgroup, void *ctx);
/* cgroup (may be NULL): the number of the filter's cgroup, or -1. */
int ht_dispatch_unregister(struct ht_dispatch *dispatch, int id, int *cgroup);
/* Fires every hook of the request that was not fired yet, in order. */
void ht_dispatch_hooks(struct ht_dispatch *dispatch, struct httptrace_request *request);
/* As above, then request_done. */
void ht_dispatch_done(struct ht_dispatch *dispatch, struct httptrace_request *request);

#endif
