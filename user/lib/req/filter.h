/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * filter.h - which requests a registration is for.
 *
 * In:  struct httptrace_filter, copied; a request that is identified. Out: yes or no, by what is known then. Owns its copies of the
 * strings.
 */
#ifndef HT_REQ_FILTER_H
#define HT_REQ_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "httptrace.h"

struct ht_req_filter;

/* NULL and errno: EINVAL where sz is not set, or something is that this version does not have; ENOMEM. */
struct ht_req_filter *ht_req_filter_new(const struct httptrace_filter *filter);
void ht_req_filter_free(struct ht_req_filter *filter);

/* Everything but the cgroup, which the request does not tell. */
bool ht_req_filter_applies(const struct ht_req_filter *filter, const struct httptrace_request *request);
/* NULL: any. Lives as long as the filter. */
const char *ht_req_filter_cgroup(const struct ht_req_filter *filter);

/* The host of "host:port", "[::1]:80", "user@host" or a bare one, without brackets; begins in text. */
const char *ht_host_of(const char *text, size_t len, size_t *host_len);

#endif
