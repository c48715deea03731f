/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * getters.c - what the public header lets a callback ask about its request.
 *
 * In:  a request as the layers filled it. Out: values, and pointers into its arena (valid as long as a reference is held).
 */
#include <errno.h>

#include "req/request.h"

enum httptrace_kind httptrace_request__kind(const struct httptrace_request *request)
{
	return request->kind;
}

uint64_t httptrace_request__id(const struct httptrace_request *request)
{
	return request->id;
}

pid_t httptrace_request__pid(const struct httptrace_request *request)
{
	return request->pid;
}

pid_t httptrace_request__tid(const struct httptrace_request *request)
{
	return request->tid;
}

const char *httptrace_request__comm(const struct httptrace_request *request)
{
	return request->comm;
}

const char *httptrace_request__exe(const struct httptrace_request *request)
{
	return request->exe;
}

int64_t httptrace_request__mono_ns(const struct httptrace_request *request)
{
	return request->hook_cnt ? request->hooks[0].info->mono_ns : request->first_ns;
}

int64_t httptrace_request__realtime_ns(const struct httptrace_request *request)
{
	int64_t mono_ns = httptrace_request__mono_ns(request), realtime_ns;

	if (mono_ns == HTTPTRACE_UNKNOWN_NS || __builtin_add_overflow(mono_ns, request->realtime_offset_ns, &realtime_ns))
		return HTTPTRACE_UNKNOWN_NS;
	return realtime_ns;
}

const char *httptrace_request__method(const struct httptrace_request *request)
{
	return request->method;
}

const char *httptrace_request__url(const struct httptrace_request *request)
{
	return request->url;
}

const char *httptrace_request__host_port(const struct httptrace_request *request)
{
	return request->host_port;
}

const char *httptrace_request__http(const struct httptrace_request *request)
{
	return request->http;
}

int httptrace_request__status(const struct httptrace_request *request)
{
	return request->status;
}

enum httptrace_outcome httptrace_request__outcome(const struct httptrace_request *request)
{
	return request->outcome;
}

const struct httptrace_error *httptrace_request__error(const struct httptrace_request *request)
{
	return request->error.code ? &request->error : NULL;
}

enum httptrace_phase httptrace_request__error_phase(const struct httptrace_request *request)
{
	return request->error_phase;
}

bool httptrace_request__is_open(const struct httptrace_request *request)
{
	return request->is_open;
}

uint64_t httptrace_request__lost(const struct httptrace_request *request)
{
	return request->lost;
}

const struct httptrace_conn *httptrace_request__conn(const struct httptrace_request *request)
{
	return request->has_conn ? &request->conn : NULL;
}

const struct httptrace_message *httptrace_request__sent(const struct httptrace_request *request)
{
	return &request->sent;
}

const struct httptrace_message *httptrace_request__received(const struct httptrace_request *request)
{
	return &request->received;
}

const struct httptrace_grpc *httptrace_request__grpc(const struct httptrace_request *request)
{
	return request->has_grpc ? &request->grpc : NULL;
}

const struct httptrace_websocket *httptrace_request__websocket(const struct httptrace_request *request)
{
	return request->kind == HTTPTRACE_WEBSOCKET ? &request->websocket : NULL;
}

size_t httptrace_request__hook_cnt(const struct httptrace_request *request)
{
	return request->hook_cnt;
}

const struct httptrace_hook *httptrace_request__hook(const struct httptrace_request *request, size_t n, enum httptrace_hook_id *id)
{
	if (n >= request->hook_cnt) {
		errno = ENOENT;
		return NULL;
	}
	if (id)
		*id = request->hooks[n].id;
	return request->hooks[n].info;
}
