/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * run.h - one run of the tracer: what is open while it lasts. main.c opens it, loop.c drives it, report.c reports from it.
 */
#ifndef HT_RUN_H
#define HT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "httptrace.h"
#include "options.h"
#include "sink.h"

struct ht_run_output {
	struct ht_sink *sink;
	int fd;           /* closed at the end, unless standard output */
	const char *name; /* for messages */
};

struct ht_run {
	const struct ht_options *options;
	struct httptrace *tracer;
	struct ht_run_output outputs[HT_OPTIONS_MAX_OUTPUTS];
	size_t output_cnt;
	int capture_fd;      /* -1: none */
	bool is_capture_new; /* the file was not there before */
	bool has_begun;      /* there has been a tracer */
	int signal_fd;
	struct ht_command command;

	uint64_t requests; /* reported */
	uint64_t dials;
	uint64_t websockets;
	bool is_asked_to_end; /* by a signal */
	bool is_full;         /* -c is reached: nothing more is reported */
	bool has_failed;      /* and why has been said */
	bool is_closed;       /* standard output was: the reader wants no more */
	uint64_t lost;
	char lost_text[256]; /* "ringbuf 12, sideband 3" */
	uint64_t events;
};

/* report.c: callbacks of the library, ctx is the run. */
void ht_run_log(enum httptrace_log_level level, const char *text, void *ctx);
void ht_run_notice(const struct httptrace_notice *notice, void *ctx);
int ht_run_register(struct ht_run *run);
/* Opens the outputs. 0; -errno, having said why. */
int ht_run_open_outputs(struct ht_run *run);
/* Writes what was reported. False if there is no use in going on (is_closed or has_failed say why). */
bool ht_run_flush(struct ht_run *run);
void ht_run_close_outputs(struct ht_run *run);
/* "httptrace-bpf: tracing ..." */
void ht_run_say_ready(const struct ht_run *run);
/* What was lost, what was captured. */
void ht_run_say_end(const struct ht_run *run);
void ht_run_say_progress(const struct ht_run *run);

/* loop.c: until something ends it; then stops the tracer, which delivers the rest. */
void ht_run_loop(struct ht_run *run);

#endif
