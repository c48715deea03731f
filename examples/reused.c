/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * reused.c - the first example of "Introducing HTTP Tracing" (go.dev/blog/http-tracing), for programs that run already: says for every
 * request whether its connection was reused, and for every lookup which addresses came of it.
 *
 * In:  reused             the whole system
 *      reused PID...      these processes
 *      reused -r FILE     a capture written by httptrace-bpf -w
 * Out: lines on standard output, until Ctrl-C, or until the processes or the file end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <httptrace.h>

#define MAX_PIDS 64

static void got_conn(struct httptrace_request *request, const struct httptrace_got_conn_info *info, void *ctx)
{
	const char *url = httptrace_request__url(request);
	const char *reused = "unknown";

	(void)ctx;
	if (info->reused != HTTPTRACE_NOT_KNOWN)
		reused = info->reused == HTTPTRACE_YES ? "true" : "false";
	printf("Connection reused for %s? %s\n", url ? url : "-", reused);
}

static void dns_done(struct httptrace_request *request, const struct httptrace_dns_done_info *info, void *ctx)
{
	size_t i;

	(void)request;
	(void)ctx;
	printf("DNS Info:");
	for (i = 0; i < info->addr_cnt; i++)
		printf(" %s", info->addrs[i]);
	if (info->error)
		printf(" %s", info->error->message);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .got_conn = got_conn, .dns_done = dns_done };
	struct httptrace_open_opts opts = { .sz = sizeof(opts) };
	pid_t pids[MAX_PIDS];
	struct httptrace *tracer;
	int i, ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "-r")) {
		tracer = httptrace__open_file(argv[2], &opts);
	} else {
		for (i = 1; i < argc && opts.pid_cnt < MAX_PIDS; i++)
			pids[opts.pid_cnt++] = (pid_t)strtol(argv[i], NULL, 10);
		opts.pids = pids;
		tracer = httptrace__open(&opts);
	}
	if (!tracer) {
		fprintf(stderr, "reused: %s\n", httptrace__open_error());
		return 1;
	}
	ret = httptrace__register(tracer, &trace, NULL);
	while (ret >= 0)
		ret = httptrace__poll(tracer, -1);
	if (httptrace__error(tracer)[0])
		fprintf(stderr, "reused: %s\n", httptrace__error(tracer));
	httptrace__close(tracer);
	return ret == -ENODATA ? 0 : 1;
}
