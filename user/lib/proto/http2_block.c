/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_block.c - header blocks: HEADERS or PUSH_PROMISE with the CONTINUATION behind it.
 *
 * In:  their frames, and pieces of their payloads. Out: begin(), headers(), push_promise(), the end of a stream. Memory: a block that
 * lies whole in one piece and frame is decoded where it is; otherwise it is gathered in block.buf, HT_HTTP2_MAX_BLOCK_BYTES at most, and
 * freed with its end.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/http2_reader.h"

#define FIRST_BUF_BYTES 1024

void ht_http2_block_free(struct ht_http2 *r)
{
	free(r->block.buf);
	r->block = (struct ht_http2_block){ 0 };
}

void ht_http2_block_give_up(struct ht_http2 *r)
{
	struct ht_http2_block *block = &r->block;

	free(block->buf);
	block->buf = NULL;
	block->buf_bytes = 0;
	block->buf_cap = 0;
	if (!block->is_lost)
		ht_hpack_forget(r->hpack);
	block->is_lost = true;
}

bool ht_http2_block_append(struct ht_http2_block *block, const void *data, size_t len)
{
	size_t need = block->buf_bytes + len;

	if (need > HT_HTTP2_MAX_BLOCK_BYTES)
		return false;
	if (need > block->buf_cap) {
		size_t cap = block->buf_cap ? block->buf_cap : FIRST_BUF_BYTES;
		char *grown;

		while (cap < need)
			cap *= 2;
		grown = realloc(block->buf, cap);
		if (!grown)
			return false;
		block->buf = grown;
		block->buf_cap = cap;
	}
	if (len)
		memcpy(block->buf + block->buf_bytes, data, len);
	block->buf_bytes = need;
	return true;
}

static void tell_block(struct ht_http2 *r, const struct ht_hpack_block *decoded)
{
	const struct ht_http2_block *block = &r->block;
	struct ht_http2_headers headers = {
		.stream_id = block->is_promise ? block->promised_id : block->stream_id,
		.fields = decoded->fields,
		.field_cnt = decoded->field_cnt,
		.block_bytes = block->wire_bytes,
		.is_end_stream = block->is_end_stream,
		.is_complete = decoded->is_complete,
	};

	if (block->is_muted || headers.stream_id == 0)
		return;
	if (block->is_promise) {
		if (r->events->push_promise)
			r->events->push_promise(r->ctx, block->stream_id, &headers);
	} else if (r->events->headers) {
		r->events->headers(r->ctx, &headers);
	}
	if (!ht_http2_fields_are_valid(block->kind, &headers))
		ht_http2_tell_stream_error(r, headers.stream_id, HT_HTTP2_MALFORMED);
}

void ht_http2_block_finish(struct ht_http2 *r, const void *data, size_t len)
{
	struct ht_http2_block *block = &r->block;
	struct ht_hpack_block decoded;
	enum ht_hpack_result result = HT_HPACK_UNKNOWN;

	if (!block->is_lost && (len > HT_HTTP2_MAX_BLOCK_BYTES || (block->buf_bytes && !ht_http2_block_append(block, data, len))))
		ht_http2_block_give_up(r);
	ht_hpack_block_init(&decoded);
	if (!block->is_lost) {
		if (block->buf_bytes)
			result = ht_hpack_decode(r->hpack, block->buf, block->buf_bytes, &decoded);
		else
			result = ht_hpack_decode(r->hpack, len ? data : "", len, &decoded);
	}
	if (result == HT_HPACK_BAD)
		ht_http2_fail(r, HT_HTTP2_BAD_COMPRESSION);
	else
		tell_block(r, &decoded);
	ht_hpack_block_free(&decoded);
	free(block->buf);
	block->buf = NULL;
	block->buf_bytes = 0;
	block->buf_cap = 0;
}

void ht_http2_block_close(struct ht_http2 *r)
{
	struct ht_http2_block block = r->block;

	ht_http2_block_free(r);
	if (block.is_end_stream && !block.is_muted)
		ht_http2_tell_end_stream(r, block.stream_id);
}

void ht_http2_block_open(struct ht_http2 *r)
{
	const struct ht_http2_frame *frame = &r->frame;
	uint32_t id = frame->stream_id;

	r->block = (struct ht_http2_block){
		.is_open = true,
		.is_promise = frame->type == HT_HTTP2_PUSH_PROMISE,
		.is_end_stream = ht_http2_frame_ends_stream(frame),
		.stream_id = id,
		.kind = HT_HTTP2_RESPONSE_OR_TRAILERS,
	};
	if (r->block.is_promise) {
		r->block.kind = HT_HTTP2_PROMISE;
		return;
	}
	if (r->side == HT_HTTP2_CLIENT) {
		if (id <= r->newest_id)
			r->block.kind = HT_HTTP2_REQUEST_TRAILERS;
		else
			r->block.kind = r->is_seamless ? HT_HTTP2_REQUEST : HT_HTTP2_REQUEST_OR_TRAILERS;
		if (id > r->newest_id)
			r->newest_id = id;
	}
	if (ht_http2_is_ended(r, id)) {
		r->block.is_muted = true;
		ht_http2_tell_stream_error(r, id, HT_HTTP2_STREAM_CLOSED);
	} else if (r->events->begin) {
		r->events->begin(r->ctx, id);
	}
}
