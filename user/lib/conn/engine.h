/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine.h - from records in time order to requests: processes, lookups, connections, TLS objects, HTTP/1 exchanges, hooks.
 *
 * In:  decoded records, losses, the passing of time. Out: struct ht_engine_ops. A pure function of its input: no clock, no I/O, no libbpf; so a
 * replay gives what the live run gave. Memory: every table has a bound (engine.c), evicts its oldest and counts that.
 */
#ifndef HT_ENGINE_H
#define HT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/event.h"
#include "httptrace.h"

struct ht_engine_ops {
	/* The request is identified and has hooks that were not yet fired. */
	void (*hooks)(void *ctx, struct httptrace_request *request);
	/* The request (or dial) has ended; all its hooks are there. The engine drops its reference afterwards. */
	void (*done)(void *ctx, struct httptrace_request *request);
	/* LOST and TARGET notices; strings valid during the call. */
	void (*notice)(void *ctx, const struct httptrace_notice *notice);
	/* One line for -v: what was recognised and left alone, and why. */
	void (*log)(void *ctx, int level, const char *text);
};

struct ht_engine_opts {
	bool no_redact;
	bool no_headers;
	enum httptrace_dials dials;
};

struct ht_engine;

/* ops is kept, not copied. NULL and errno. */
struct ht_engine *ht_engine_new(const struct ht_engine_opts *opts, const struct ht_engine_ops *ops, void *ctx);
void ht_engine_free(struct ht_engine *engine);

/* The four below have the signatures of struct ht_decode_ops; ctx is the engine. */
void ht_engine_record(void *engine, const struct ht_hdr *rec);
void ht_engine_loss_begins(void *engine, uint64_t from_ns, uint64_t until_ns);
void ht_engine_lost(void *engine, uint64_t ts_ns, uint64_t count, const char *where);
void ht_engine_time(void *engine, uint64_t now_ns);
/* Tracing has ended: every open request ends as it stands (incomplete). Idempotent. */
void ht_engine_end(void *engine, uint64_t now_ns);

/* When the next timer is due (CLOCK_MONOTONIC), 0 none: a live source need not tick before. */
uint64_t ht_engine_deadline_ns(const struct ht_engine *engine);

/*
 * Fills a SUMMARY notice (but for lost and duration of the stages below decode): requests, dials, events, skipped. The arrays live in the engine.
 */
void ht_engine_summary(struct ht_engine *engine, struct httptrace_notice *notice);

#endif
