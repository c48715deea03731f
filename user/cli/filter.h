/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * filter.h - which requests, dials and WebSockets are reported.
 *
 * Host, method and path are the library's business (httptrace__register_filtered()); what is known only when a request has ended is decided
 * here.
 */
#ifndef HT_CLI_FILTER_H
#define HT_CLI_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httptrace.h"

#define HT_FILTER_STATUSES_MAX 64

struct ht_filter {
	const char *host; /* NULL: any; so the others */
	const char *method;
	const char *path;
	struct {
		uint16_t first;
		uint16_t last;
	} statuses[HT_FILTER_STATUSES_MAX];
	size_t status_cnt;   /* 0: any */
	int64_t slower_ns;   /* 0: any */
	bool is_errors_only; /* what has an error, be it a dial or a WebSocket */
};

/* "404", "404,5xx", "200-299": adds them. 0, -EINVAL, -ENOSPC. */
int ht_filter_add_statuses(struct ht_filter *filter, const char *list);
/*
 * Of an ended report that has passed host, method and path. Dials and WebSockets have no status, and are not slow or fast: they fail these.
 * A gRPC call that failed has an error, and mostly status 200.
 */
bool ht_filter_passes(const struct ht_filter *filter, const struct httptrace_request *request);

#endif
