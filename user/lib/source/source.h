/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * source.h - where records come from: the live kernel, a capture file, or memory (tests).
 *
 * In:  poll calls. Out: records (include/abi/event.h), each valid during the call of the consumer only, in delivery order, which is not time's
 * order: HT_REC_TICK tells up to which time everything has been delivered. The recorder sits between source and decode and copies them unchanged.
 */
#ifndef HT_SOURCE_H
#define HT_SOURCE_H

#include <stdint.h>

#include "abi/event.h"

/* Takes one record. 0, or -errno to stop the poll call (which returns it). */
typedef int (*ht_record_fn)(void *ctx, const struct ht_hdr *rec);

struct ht_source;

struct ht_source_ops {
	/*
	 * Delivers what is there, waiting up to timeout_ms for it (0 no wait, -1 no limit); ends a batch with a TICK.
	 * Returns records delivered, 0 on time-out, -ENODATA when there will be no more (end of file; every traced process has ended), -errno.
	 */
	int (*poll)(struct ht_source *source, int timeout_ms, ht_record_fn fn, void *ctx);
	/* Tracing ends: delivers everything still pending, then a last TICK and END. Detaching may go on in close(). */
	int (*stop)(struct ht_source *source, ht_record_fn fn, void *ctx);
	/* An fd that is readable when poll() has work, -1 where there is none (files). */
	int (*fd)(const struct ht_source *source);
	void (*close)(struct ht_source *source);
};

/* First member of every implementation. */
struct ht_source {
	const struct ht_source_ops *ops;
};

/* Says what happens, for -v and for warnings: the text is one line without newline. level as enum httptrace_log_level. */
typedef void (*ht_log_fn)(void *ctx, int level, const char *text);

#endif
