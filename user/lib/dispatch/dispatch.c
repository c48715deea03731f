/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dispatch.c - see dispatch.h.
 *
 * In:  registrations, and requests with hooks not yet fired. Out: callbacks, newest registration first for each hook.
 * Memory: one node a registration, freed when it is taken back (from inside a callback: when the outermost call is through).
 * A request remembers the newest registration that applies to it: ids only grow, so one number says which do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/dispatch.h"
#include "req/request.h"

struct registration {
	struct registration *next; /* older */
	int id;
	bool is_gone;
	void *ctx;
	struct httptrace_client_trace trace;
};

struct ht_dispatch {
	struct registration *newest;
	int last_id;
	unsigned int depth; /* of ht_dispatch_hooks() and ht_dispatch_done() */
	bool has_gone;
};

struct ht_dispatch *ht_dispatch_new(void)
{
	return calloc(1, sizeof(struct ht_dispatch));
}

void ht_dispatch_free(struct ht_dispatch *dispatch)
{
	struct registration *reg, *next;

	if (!dispatch)
		return;
	for (reg = dispatch->newest; reg; reg = next) {
		next = reg->next;
		free(reg);
	}
	free(dispatch);
}

/* A struct of a later header than this library's is taken if what it has on top is not used. */
static int copy_trace(struct httptrace_client_trace *to, const struct httptrace_client_trace *from)
{
	const char *tail = (const char *)from;
	size_t i;

	if (!from || from->sz < sizeof(from->sz))
		return -EINVAL;
	for (i = sizeof(*to); i < from->sz; i++)
		if (tail[i])
			return -EINVAL;
	memset(to, 0, sizeof(*to));
	memcpy(to, from, from->sz < sizeof(*to) ? from->sz : sizeof(*to));
	return 0;
}

int ht_dispatch_register(struct ht_dispatch *dispatch, const struct httptrace_client_trace *trace, void *ctx)
{
	struct registration *reg;
	int err;

	if (dispatch->last_id == INT_MAX)
		return -ENOMEM;
	reg = calloc(1, sizeof(*reg));
	if (!reg)
		return -ENOMEM;
	err = copy_trace(&reg->trace, trace);
	if (err) {
		free(reg);
		return err;
	}
	reg->ctx = ctx;
	reg->id = ++dispatch->last_id;
	reg->next = dispatch->newest;
	dispatch->newest = reg;
	return reg->id;
}

static void reap(struct ht_dispatch *dispatch)
{
	struct registration **link = &dispatch->newest, *reg;

	while ((reg = *link)) {
		if (reg->is_gone) {
			*link = reg->next;
			free(reg);
		} else {
			link = &reg->next;
		}
	}
	dispatch->has_gone = false;
}

int ht_dispatch_unregister(struct ht_dispatch *dispatch, int id)
{
	struct registration *reg;

	for (reg = dispatch->newest; reg; reg = reg->next)
		if (reg->id == id && !reg->is_gone)
			break;
	if (!reg)
		return -ENOENT;
	reg->is_gone = true;
	dispatch->has_gone = true;
	if (!dispatch->depth)
		reap(dispatch);
	return 0;
}

/*
 * The newest registration that applies to the request: fixed when the first of its hooks is fired. Stored plus one, as NULL says not yet.
 */
static int newest_for(struct ht_dispatch *dispatch, struct httptrace_request *request)
{
	if (!request->dispatch)
		request->dispatch = (void *)((uintptr_t)dispatch->last_id + 1);
	return (int)((uintptr_t)request->dispatch - 1);
}

#define CALL(field, type)                                                                         \
	do {                                                                                      \
		if (trace->field)                                                                 \
			trace->field(request, (const struct httptrace_##type##_info *)info, ctx); \
	} while (0)

static void call(const struct httptrace_client_trace *trace, void *ctx, struct httptrace_request *request, enum httptrace_hook_id id,
		 const struct httptrace_hook *info)
{
	switch (id) {
	case HTTPTRACE_GET_CONN:
		CALL(get_conn, get_conn);
		break;
	case HTTPTRACE_DNS_START:
		CALL(dns_start, dns_start);
		break;
	case HTTPTRACE_DNS_DONE:
		CALL(dns_done, dns_done);
		break;
	case HTTPTRACE_CONNECT_START:
		CALL(connect_start, connect_start);
		break;
	case HTTPTRACE_CONNECT_DONE:
		CALL(connect_done, connect_done);
		break;
	case HTTPTRACE_TLS_HANDSHAKE_START:
		CALL(tls_handshake_start, plain);
		break;
	case HTTPTRACE_TLS_HANDSHAKE_DONE:
		CALL(tls_handshake_done, tls_handshake_done);
		break;
	case HTTPTRACE_GOT_CONN:
		CALL(got_conn, got_conn);
		break;
	case HTTPTRACE_WROTE_HEADER_FIELD:
		CALL(wrote_header_field, wrote_header_field);
		break;
	case HTTPTRACE_WROTE_HEADERS:
		CALL(wrote_headers, plain);
		break;
	case HTTPTRACE_WAIT_100_CONTINUE:
		CALL(wait_100_continue, plain);
		break;
	case HTTPTRACE_WROTE_REQUEST:
		CALL(wrote_request, wrote_request);
		break;
	case HTTPTRACE_GOT_FIRST_RESPONSE_BYTE:
		CALL(got_first_response_byte, plain);
		break;
	case HTTPTRACE_GOT_100_CONTINUE:
		CALL(got_100_continue, plain);
		break;
	case HTTPTRACE_GOT_1XX_RESPONSE:
		CALL(got_1xx_response, got_1xx);
		break;
	case HTTPTRACE_GOT_RESPONSE_HEADERS:
		CALL(got_response_headers, got_response_headers);
		break;
	case HTTPTRACE_GOT_BODY:
		CALL(got_body, got_body);
		break;
	case HTTPTRACE_PUT_IDLE_CONN:
		CALL(put_idle_conn, put_idle_conn);
		break;
	case HTTPTRACE_CONN_CLOSED:
		CALL(conn_closed, conn_closed);
		break;
	case HTTPTRACE_HOOK_CNT:
		break;
	}
}

static void fire(struct ht_dispatch *dispatch, struct httptrace_request *request, struct ht_hook *hook, int newest)
{
	enum httptrace_hook_id id = hook->id;
	const struct httptrace_hook *info = hook->info;
	struct registration *reg;

	hook->is_fired = true;
	for (reg = dispatch->newest; reg; reg = reg->next)
		if (reg->id <= newest && !reg->is_gone)
			call(&reg->trace, reg->ctx, request, id, info);
}

static void leave(struct ht_dispatch *dispatch)
{
	if (--dispatch->depth == 0 && dispatch->has_gone)
		reap(dispatch);
}

void ht_dispatch_hooks(struct ht_dispatch *dispatch, struct httptrace_request *request)
{
	int newest = newest_for(dispatch, request);
	size_t i;

	dispatch->depth++;
	for (i = 0; i < request->hook_cnt; i++)
		if (!request->hooks[i].is_fired)
			fire(dispatch, request, &request->hooks[i], newest);
	leave(dispatch);
}

void ht_dispatch_done(struct ht_dispatch *dispatch, struct httptrace_request *request)
{
	int newest = newest_for(dispatch, request);
	struct registration *reg;

	dispatch->depth++;
	ht_dispatch_hooks(dispatch, request);
	for (reg = dispatch->newest; reg; reg = reg->next)
		if (reg->id <= newest && !reg->is_gone && reg->trace.request_done)
			reg->trace.request_done(request, reg->ctx);
	leave(dispatch);
	request->dispatch = NULL;
}
