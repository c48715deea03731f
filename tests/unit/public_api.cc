// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// public_api.cc - the public header as C++ sees it: it compiles without a warning, and what it declares links as C. Called by
// test_public_api.c.
#include <httptrace.h>

namespace {

struct seen {
	unsigned int statuses;
	unsigned int reused;
	unsigned int others;
};

void on_got_conn(httptrace_request *, const httptrace_got_conn_info *info, void *ctx)
{
	static_cast<seen *>(ctx)->reused += info->reused == HTTPTRACE_YES;
}

void on_done(httptrace_request *request, void *ctx)
{
	const httptrace_grpc *grpc = httptrace_request__grpc(request);
	const httptrace_websocket *websocket = httptrace_request__websocket(request);
	const httptrace_conn *conn = httptrace_request__conn(request);

	if (httptrace_request__kind(request) == HTTPTRACE_REQUEST)
		static_cast<seen *>(ctx)->statuses += static_cast<unsigned int>(httptrace_request__status(request));
	if (grpc || websocket || httptrace_request__is_open(request) || (conn && (conn->proxy || conn->stream_id)))
		static_cast<seen *>(ctx)->others++;
}

} // namespace

extern "C" long public_api_in_cpp(const char *path);

// The sum of the statuses in a capture, plus a million for each reused connection; -1 on failure.
extern "C" long public_api_in_cpp(const char *path)
{
	seen counts = {};
	httptrace_client_trace trace = {};
	httptrace *tracer = httptrace__open_file(path, nullptr);

	trace.sz = sizeof(trace);
	trace.got_conn = on_got_conn;
	trace.request_done = on_done;
	if (!tracer || httptrace__register(tracer, &trace, &counts) < 0)
		return -1;
	while (httptrace__poll(tracer, 1000) >= 0)
		continue;
	httptrace__close(tracer);
	// A capture of HTTP/1 has nothing of gRPC, WebSockets, proxies or streams.
	if (counts.others)
		return -1;
	return static_cast<long>(counts.statuses) + 1000000l * counts.reused;
}
