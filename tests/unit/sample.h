/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sample.h - requests made by hand, for tests of what is reported. The caller unrefs.
 */
#ifndef HT_SAMPLE_H
#define HT_SAMPLE_H

#include "httptrace.h"

/* 2026-01-02T03:04:05.123456789Z, at mono 120. */
#define SAMPLE_REALTIME_NS 1767323045123456789ll
#define SAMPLE_MONO_NS     120

/* A cold GET over TLS that went well, with all hooks that has. */
struct httptrace_request *sample_https(void);
/* The next on the same connection: POST, Expect, 103, the server closes in the middle of the body; touched by losses. */
struct httptrace_request *sample_cut(void);
/* A dial: refused. */
struct httptrace_request *sample_refused(void);
/* A dial that was not used. */
struct httptrace_request *sample_unused(void);
/* A gRPC call that failed, on a stream of a connection through a proxy; some of its fields are not known. */
struct httptrace_request *sample_grpc(void);
/* A WebSocket that the client closed. */
struct httptrace_request *sample_websocket(void);
/* As little known as can be, and what is known is hostile: terminal sequences, bytes that are no UTF-8, a direction override. */
struct httptrace_request *sample_hostile(void);

#endif
