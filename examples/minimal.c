/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* minimal.c - prints every HTTP client request on this machine: cc minimal.c $(pkg-config --cflags --libs libhttptrace) */
#include <httptrace.h>
#include <stdio.h>

static void request_done(struct httptrace_request *request, void *ctx)
{
	const char *method = httptrace_request__method(request), *url = httptrace_request__url(request);

	(void)ctx;
	printf("%s %s %d\n", method ? method : "-", url ? url : "-", httptrace_request__status(request));
}

int main(void)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = request_done };
	struct httptrace *tracer = httptrace__open(NULL);

	if (!tracer)
		return fprintf(stderr, "%s\n", httptrace__open_error()), 1;
	httptrace__register(tracer, &trace, NULL);
	while (httptrace__poll(tracer, -1) >= 0)
		fflush(stdout);
	httptrace__close(tracer);
}
