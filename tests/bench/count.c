/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * count.c - the cheapest user of the library: counts requests in a callback and says what that cost this process.
 *
 * count [-H] -r FILE: all of a capture. count [-H] [PID]...: traces these processes, or the whole system; prints "tracing", and ends with
 * its standard input. -H: header fields are wanted too, as the library has it unless told not to.
 * Out: one line "REQUESTS LOST cpu_ns wall_ns": requests reported, events lost, and from the first poll to the last CPU time and time.
 * A failure is one line on standard error and exit status 1.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <httptrace.h>

#define PIDS_MAX 64

struct counts {
	uint64_t requests;
	uint64_t lost;
};

static void request_done(struct httptrace_request *request, void *ctx)
{
	struct counts *counts = ctx;

	counts->requests += httptrace_request__kind(request) == HTTPTRACE_REQUEST;
}

static void notice(const struct httptrace_notice *told, void *ctx)
{
	struct counts *counts = ctx;

	if (told->kind == HTTPTRACE_NOTICE_LOST)
		counts->lost += told->count;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Until standard input ends; as the command line does it, never in httptrace__poll() itself. */
static void trace(struct httptrace *tracer)
{
	struct pollfd fds[] = { { .fd = httptrace__fd(tracer), .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	int ret = 0;

	puts("tracing");
	while (ret >= 0 && poll(fds, 2, -1) >= 0 && !fds[1].revents)
		ret = httptrace__poll(tracer, 0);
}

int main(int argc, char **argv)
{
	struct httptrace_client_trace callbacks = { .sz = sizeof(callbacks), .request_done = request_done };
	struct counts counts = { 0 };
	struct httptrace_open_opts opts = { .sz = sizeof(opts), .notice = notice, .notice_ctx = &counts };
	bool with_headers = argc > 1 && !strcmp(argv[1], "-H"), is_file;
	uint64_t cpu_ns, wall_ns;
	struct httptrace *tracer;
	pid_t pids[PIDS_MAX];

	setvbuf(stdout, NULL, _IOLBF, 0);
	opts.no_headers = !with_headers;
	argc -= with_headers;
	argv += with_headers;
	is_file = argc == 3 && !strcmp(argv[1], "-r");
	for (int i = 1; !is_file && i < argc && i <= PIDS_MAX; i++)
		pids[opts.pid_cnt++] = (pid_t)strtol(argv[i], NULL, 10);
	opts.pids = pids;
	tracer = is_file ? httptrace__open_file(argv[2], &opts) : httptrace__open(&opts);
	if (!tracer || httptrace__register(tracer, &callbacks, &counts) < 0) {
		fprintf(stderr, "count: %s\n", tracer ? httptrace__error(tracer) : httptrace__open_error());
		return 1;
	}
	cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	wall_ns = clock_ns(CLOCK_MONOTONIC);
	if (is_file)
		while (httptrace__poll(tracer, -1) >= 0)
			;
	else
		trace(tracer);
	httptrace__stop(tracer);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts.requests, counts.lost,
	       clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns, clock_ns(CLOCK_MONOTONIC) - wall_ns);
	httptrace__close(tracer);
	return 0;
}
