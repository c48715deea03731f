/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sink.h - what the command line knows of output formats.
 *
 * In:  requests, dials and WebSockets that have ended, notices. Out: whole lines on an fd (output.h): a line is never split over two calls of write(2) unless the
 * kernel takes part of it only.
 * Memory: lines of one batch. Uses nothing of the library but httptrace.h.
 *
 * To add a format: a file with its struct ht_sink_type, and its line in the table of sink.c.
 */
#ifndef HT_SINK_H
#define HT_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "httptrace.h"

struct ht_sink_opts {
	int fd;            /* kept by the caller */
	bool with_headers; /* else no field leaves us: WroteHeaderField is left out, lists of fields are null */
	bool is_terminal;  /* for people: columns */
	bool with_color;
	unsigned int width;           /* of the terminal, 0: as it is when a line is written */
	bool is_shared;               /* COMMAND writes there too: each report is a write of its own, a line at least */
	bool (*is_urgent)(void *ctx); /* see output.h; may be NULL */
	void *ctx;                    /* of is_urgent */
};

/* Each appends whole lines to out, or nothing. Any may be NULL. */
struct ht_sink_type {
	const char *name;
	void (*begin)(struct ht_buf *out, const struct ht_sink_opts *opts);
	void (*request)(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request);
	void (*notice)(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_notice *notice);
};

extern const struct ht_sink_type ht_sink_text;
extern const struct ht_sink_type ht_sink_hooks;
extern const struct ht_sink_type ht_sink_jsonl;

struct ht_sink;

/* Is there a sink of this name? */
bool ht_sink_exists(const char *name);
/* opts are copied. NULL and errno: EINVAL no such sink, ENOMEM. */
struct ht_sink *ht_sink_new(const char *name, const struct ht_sink_opts *opts);
void ht_sink_request(struct ht_sink *sink, const struct httptrace_request *request);
void ht_sink_notice(struct ht_sink *sink, const struct httptrace_notice *notice);
/* Writes what is there. 0, or the first failure since the sink began, -errno: the sink then takes nothing more. */
int ht_sink_flush(struct ht_sink *sink);
/* After a failure: does what was written end with a part of a line? */
bool ht_sink_is_torn(const struct ht_sink *sink);
void ht_sink_free(struct ht_sink *sink);

#endif
