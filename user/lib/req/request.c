/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request.c - the request object: its memory and its list of hooks.
 *
 * In:  what the layers of conn/ and req/ know. Out: one object that the getters (getters.c, timings.c) read.
 * Memory: strings, infos and the array of hooks come from an arena that goes with the last reference. Its first block is allocated together with the
 * object, large enough for a request on a kept connection without fields: one malloc() and one free() for each of those, and not much more than it
 * needs while thousands of requests wait for their responses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "req/request.h"

#define FIRST_BLOCK_BYTES 1104
#define BLOCK_BYTES_MIN   2048
#define BLOCK_BYTES_MAX   65536
#define ARENA_ALIGN       16
#define FIRST_HOOK_CAP    12

struct ht_arena_block {
	struct ht_arena_block *next;
	size_t cap_bytes;
	char mem[] __attribute__((aligned(ARENA_ALIGN)));
};

struct first_block {
	struct httptrace_request request;
	char mem[FIRST_BLOCK_BYTES] __attribute__((aligned(ARENA_ALIGN)));
};

static void message_init(struct httptrace_message *message)
{
	message->sz = sizeof(*message);
	message->header_bytes = -1;
	message->body_bytes = -1;
}

struct httptrace_request *ht_request_new(enum httptrace_kind kind, uint64_t id)
{
	struct first_block *first = malloc(sizeof(*first));
	struct httptrace_request *request;

	if (!first)
		return NULL;
	request = &first->request;
	memset(request, 0, sizeof(*request));
	request->arena_at = first->mem;
	request->arena_room_bytes = sizeof(first->mem);
	request->ref_cnt = 1;
	request->kind = kind;
	request->id = id;
	request->outcome = HTTPTRACE_PENDING;
	request->first_ns = HTTPTRACE_UNKNOWN_NS;
	request->end_ns = HTTPTRACE_UNKNOWN_NS;
	request->conn.sz = sizeof(request->conn);
	request->conn.reused = HTTPTRACE_NOT_KNOWN;
	request->conn.was_idle = HTTPTRACE_NOT_KNOWN;
	request->conn.idle_ns = HTTPTRACE_UNKNOWN_NS;
	request->tls.sz = sizeof(request->tls);
	request->tls.resumed = HTTPTRACE_NOT_KNOWN;
	request->proxy.sz = sizeof(request->proxy);
	request->grpc.sz = sizeof(request->grpc);
	request->grpc.status_code = -1;
	request->grpc.messages_sent = -1;
	request->grpc.messages_received = -1;
	request->websocket.sz = sizeof(request->websocket);
	message_init(&request->sent);
	message_init(&request->received);
	return request;
}

struct httptrace_request *httptrace_request__ref(struct httptrace_request *request)
{
	if (request)
		request->ref_cnt++;
	return request;
}

void httptrace_request__unref(struct httptrace_request *request)
{
	struct ht_arena_block *block, *next;

	if (!request || --request->ref_cnt)
		return;
	for (block = request->arena; block; block = next) {
		next = block->next;
		free(block);
	}
	free(request);
}

static bool add_block(struct httptrace_request *request, size_t bytes)
{
	struct ht_arena_block *block = request->arena;
	size_t cap = BLOCK_BYTES_MIN - sizeof(*block);

	if (block)
		cap = block->cap_bytes < BLOCK_BYTES_MAX / 2 ? 2 * block->cap_bytes : BLOCK_BYTES_MAX;
	if (cap < bytes)
		cap = bytes;
	block = malloc(sizeof(*block) + cap);
	if (!block)
		return false;
	block->cap_bytes = cap;
	block->next = request->arena;
	request->arena = block;
	request->arena_bytes += cap;
	request->arena_at = block->mem;
	request->arena_room_bytes = cap;
	return true;
}

/* Not zeroed. */
static void *take_room(struct httptrace_request *request, size_t bytes)
{
	void *mem;

	if (bytes > SIZE_MAX / 2) {
		errno = ENOMEM;
		return NULL;
	}
	bytes = bytes ? (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
	if (request->arena_room_bytes < bytes && !add_block(request, bytes))
		return NULL;
	mem = request->arena_at;
	request->arena_at += bytes;
	request->arena_room_bytes -= bytes;
	return mem;
}

void *ht_request_alloc(struct httptrace_request *request, size_t bytes)
{
	void *mem = take_room(request, bytes);

	return mem ? memset(mem, 0, bytes) : NULL;
}

const char *ht_request_join(struct httptrace_request *request, const struct ht_request_piece *pieces, size_t cnt)
{
	size_t len = 0, i;
	char *text, *at;

	for (i = 0; i < cnt; i++)
		len += pieces[i].len;
	text = at = take_room(request, len + 1);
	if (!text)
		return NULL;
	for (i = 0; i < cnt; i++) {
		if (pieces[i].len)
			memcpy(at, pieces[i].ptr, pieces[i].len);
		at += pieces[i].len;
	}
	*at = '\0';
	return text;
}

const char *ht_request_strndup(struct httptrace_request *request, const char *ptr, size_t len)
{
	struct ht_request_piece piece = { ptr, len };

	return ptr && len < SIZE_MAX / 2 ? ht_request_join(request, &piece, 1) : NULL;
}

const char *ht_request_strdup(struct httptrace_request *request, const char *text)
{
	return text ? ht_request_strndup(request, text, strlen(text)) : NULL;
}

const char *ht_request_printf(struct httptrace_request *request, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return NULL;
	text = ht_request_alloc(request, (size_t)len + 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

size_t ht_hook_info_size(enum httptrace_hook_id id)
{
	switch (id) {
	case HTTPTRACE_GET_CONN:
		return sizeof(struct httptrace_get_conn_info);
	case HTTPTRACE_DNS_START:
		return sizeof(struct httptrace_dns_start_info);
	case HTTPTRACE_DNS_DONE:
		return sizeof(struct httptrace_dns_done_info);
	case HTTPTRACE_CONNECT_START:
		return sizeof(struct httptrace_connect_start_info);
	case HTTPTRACE_CONNECT_DONE:
		return sizeof(struct httptrace_connect_done_info);
	case HTTPTRACE_TLS_HANDSHAKE_DONE:
		return sizeof(struct httptrace_tls_handshake_done_info);
	case HTTPTRACE_GOT_CONN:
		return sizeof(struct httptrace_got_conn_info);
	case HTTPTRACE_WROTE_HEADER_FIELD:
		return sizeof(struct httptrace_wrote_header_field_info);
	case HTTPTRACE_WROTE_REQUEST:
		return sizeof(struct httptrace_wrote_request_info);
	case HTTPTRACE_GOT_1XX_RESPONSE:
		return sizeof(struct httptrace_got_1xx_info);
	case HTTPTRACE_GOT_RESPONSE_HEADERS:
		return sizeof(struct httptrace_got_response_headers_info);
	case HTTPTRACE_GOT_BODY:
		return sizeof(struct httptrace_got_body_info);
	case HTTPTRACE_PUT_IDLE_CONN:
		return sizeof(struct httptrace_put_idle_conn_info);
	case HTTPTRACE_CONN_CLOSED:
		return sizeof(struct httptrace_conn_closed_info);
	case HTTPTRACE_TLS_HANDSHAKE_START:
	case HTTPTRACE_WROTE_HEADERS:
	case HTTPTRACE_WAIT_100_CONTINUE:
	case HTTPTRACE_GOT_FIRST_RESPONSE_BYTE:
	case HTTPTRACE_GOT_100_CONTINUE:
	case HTTPTRACE_HOOK_CNT:
		break;
	}
	return sizeof(struct httptrace_plain_info);
}

/* Canonical place among hooks of one time. The response it follows is what a WroteRequest without the body is due to (hooks.md C 8c, 8d). */
static unsigned int rank_of(enum httptrace_hook_id id, const struct httptrace_hook *info)
{
	const struct httptrace_wrote_request_info *wrote = (const struct httptrace_wrote_request_info *)info;

	if (id == HTTPTRACE_WROTE_REQUEST && wrote->error && wrote->error->code && !strcmp(wrote->error->code, "body_not_sent"))
		return 2 * HTTPTRACE_GOT_RESPONSE_HEADERS + 1;
	/* Interim responses that come in one read stand in the order in which they came (C 9b); a 100's own two hooks are added in theirs. */
	if (id == HTTPTRACE_GOT_1XX_RESPONSE)
		return 2 * HTTPTRACE_GOT_100_CONTINUE;
	return 2 * id;
}

/* Does a hook come before `other`, added earlier? At equal time and rank the earlier one stays in front. */
static bool comes_before(enum httptrace_hook_id id, const struct httptrace_hook *info, const struct ht_hook *other)
{
	if (info->mono_ns != other->info->mono_ns)
		return info->mono_ns < other->info->mono_ns;
	return rank_of(id, info) < rank_of(other->id, other->info);
}

int ht_request_add_hook(struct httptrace_request *request, enum httptrace_hook_id id, int64_t mono_ns, enum httptrace_how how,
			const void *info)
{
	size_t size = ht_hook_info_size(id), at = request->hook_cnt;
	struct httptrace_hook *copy;

	if (request->hook_cnt >= HT_REQUEST_MAX_HOOKS) {
		request->hooks_dropped++;
		return -ENOSPC;
	}
	if (request->hook_cnt == request->hook_cap) {
		size_t cap = request->hook_cap ? 2 * request->hook_cap : FIRST_HOOK_CAP;
		struct ht_hook *hooks = take_room(request, cap * sizeof(*hooks));

		if (!hooks)
			return -ENOMEM;
		if (request->hook_cnt)
			memcpy(hooks, request->hooks, request->hook_cnt * sizeof(*hooks));
		request->hooks = hooks;
		request->hook_cap = cap;
	}
	copy = take_room(request, size);
	if (!copy)
		return -ENOMEM;
	if (info)
		memcpy(copy, info, size);
	else
		memset(copy, 0, size);
	copy->sz = size;
	copy->mono_ns = mono_ns;
	copy->how = how;

	/* From the end, past none that is equal: the order of adding is kept without looking at ht_hook.order. */
	while (at > 0 && comes_before(id, copy, &request->hooks[at - 1]))
		at--;
	if (at < request->hook_cnt)
		memmove(&request->hooks[at + 1], &request->hooks[at], (request->hook_cnt - at) * sizeof(request->hooks[0]));
	request->hooks[at] = (struct ht_hook){ .id = id, .order = (uint32_t)request->hook_cnt, .info = copy };
	request->hook_cnt++;
	return 0;
}

struct httptrace_hook *ht_request_find_hook(const struct httptrace_request *request, enum httptrace_hook_id id, size_t n)
{
	size_t i;

	for (i = 0; i < request->hook_cnt; i++)
		if (request->hooks[i].id == id && n-- == 0)
			return request->hooks[i].info;
	return NULL;
}

void ht_request_remove_hook(struct httptrace_request *request, struct httptrace_hook *info)
{
	size_t i;

	for (i = 0; i < request->hook_cnt; i++)
		if (request->hooks[i].info == info)
			break;
	if (i == request->hook_cnt)
		return;
	request->hook_cnt--;
	memmove(&request->hooks[i], &request->hooks[i + 1], (request->hook_cnt - i) * sizeof(request->hooks[0]));
}
