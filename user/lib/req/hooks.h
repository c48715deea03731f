/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hooks.h - adds each hook with its arguments to a request; arguments are copied into the request's arena. Memory failures lose the hook only.
 */
#ifndef HT_HOOKS_H
#define HT_HOOKS_H

#include "abi/event.h"
#include "conn/model.h"
#include "httptrace.h"
#include "proto/http1.h"

struct httptrace_request *ht_report_new(struct ht_engine *engine, enum httptrace_kind kind, const struct ht_proc *proc, uint32_t tid);
/* Sets the outcome; the first one counts. code NULL: OK. message NULL: the code's. */
void ht_report_outcome(struct httptrace_request *request, enum httptrace_outcome outcome, enum httptrace_phase phase, const char *code,
		       const char *message, uint64_t end_ns);
/* Hands over what is new, where the request is identified. */
void ht_report_progress(struct ht_engine *engine, struct httptrace_request *request);
/* The end: tells it and drops the reference. */
void ht_report_done(struct ht_engine *engine, struct httptrace_request *request);

struct httptrace_error *ht_hook_error(struct httptrace_request *request, const char *code, const char *message);
struct httptrace_error *ht_hook_errno(struct httptrace_request *request, int err);

void ht_hook_plain(struct httptrace_request *request, enum httptrace_hook_id id, uint64_t ts_ns, enum httptrace_how how);
void ht_hook_get_conn(struct httptrace_request *request, uint64_t ts_ns, const char *host_port);
void ht_hook_got_conn(struct httptrace_request *request, uint64_t ts_ns, enum httptrace_tristate reused, enum httptrace_tristate was_idle,
		      int64_t idle_ns);
void ht_hook_dns(struct httptrace_request *request, const struct ht_lookup *lookup);
void ht_hook_connect_start(struct httptrace_request *request, const struct ht_attempt *attempt);
void ht_hook_connect_done(struct httptrace_request *request, const struct ht_attempt *attempt);
void ht_hook_1xx(struct httptrace_request *request, uint64_t ts_ns, int code, const struct httptrace_header *headers, size_t header_cnt);
/*
 * is_joined: once per field name with all its values, which on the wire are adjacent lines of one name, as Go does with HTTP/1; else once per field, as with
 * HTTP/2.
 */
void ht_hook_wrote_fields(struct httptrace_request *request, uint64_t ts_ns, const struct httptrace_header *headers, size_t header_cnt,
			  bool is_joined);
void ht_hook_wrote_request(struct httptrace_request *request, uint64_t ts_ns, const struct httptrace_error *error);
void ht_hook_put_idle(struct httptrace_request *request, uint64_t ts_ns, enum httptrace_how how);
void ht_hook_response_headers(struct httptrace_request *request, uint64_t ts_ns, int status);
void ht_hook_body(struct httptrace_request *request, uint64_t ts_ns, uint64_t bytes);
void ht_hook_conn_closed(struct httptrace_request *request, uint64_t ts_ns, enum httptrace_closer by);

/* A head's fields as headers in the arena, redacted unless told not to. NULL and *cnt 0 when memory is out. */
struct httptrace_header *ht_hook_headers(struct httptrace_request *request, const struct ht_http1_field *fields, size_t cnt,
					 bool no_redact);

#endif
