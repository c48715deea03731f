/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tracer.h - a tracer before it has its source: what httptrace__open() and httptrace__open_file() share.
 *
 * In:  options, a source. Out: struct httptrace, which owns the source from ht_tracer_start() on.
 */
#ifndef HT_TRACER_H
#define HT_TRACER_H

#include <stdbool.h>

#include "httptrace.h"
#include "source/source.h"

/* Sets the calling thread's httptrace__open_error(). */
void ht_open_error_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies and checks the caller's options (NULL: none) into *to, in this version's layout. 0, or -EINVAL with the open error set. */
int ht_tracer_opts(struct httptrace_open_opts *to, const struct httptrace_open_opts *from);

/* Everything but the source and the capture. NULL and errno, with the open error set. */
struct httptrace *ht_tracer_new(const struct httptrace_open_opts *opts);
/* Gives it its source, whichever way this ends, and begins the capture if opts ask for one. 0, or -errno with the open error set. */
int ht_tracer_start(struct httptrace *tracer, struct ht_source *source, bool is_live);
/* The ht_log_fn of a source that belongs to a tracer; ctx is the tracer. */
void ht_tracer_log(void *ctx, int level, const char *text);

#endif
