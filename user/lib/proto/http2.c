/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2.c - the state machine of one direction: finds frames, and the parts of them. http2_payload.c knows what frames are about,
 * http2_block.c gathers header blocks; http2_frame.c has the rules of a frame's header, http2_fields.c those of a block's fields, hpack.c
 * the header table; http2_sync.c finds the first frame of a stream joined late.
 *
 * In:  pieces of a stream, lengths of missing bytes. Out: the calls of struct ht_http2_events.
 * Memory: header blocks (http2_block.c) and the header table (hpack.h). Each byte is looked at a fixed number of times, however the
 * stream is cut.
 */
#include "proto/http2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http2_reader.h"

static uint32_t least(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

void ht_http2_fail(struct ht_http2 *r, enum ht_http2_error error)
{
	ht_http2_block_free(r);
	r->state = HT_HTTP2_ST_ERROR;
	r->error = error;
	if (r->events->error)
		r->events->error(r->ctx, error);
}

void ht_http2_tell_stream_error(struct ht_http2 *r, uint32_t stream_id, enum ht_http2_error error)
{
	if (r->events->stream_error)
		r->events->stream_error(r->ctx, stream_id, error);
}

bool ht_http2_is_ended(const struct ht_http2 *r, uint32_t stream_id)
{
	size_t i;

	if (stream_id > r->ended_max)
		return false; /* most are asked for once, when they are the newest */
	for (i = 0; i < HT_HTTP2_ENDED_CNT; i++) {
		if (r->ended[i] == stream_id)
			return true;
	}
	return false;
}

void ht_http2_note_ended(struct ht_http2 *r, uint32_t stream_id)
{
	r->ended[r->ended_next++ % HT_HTTP2_ENDED_CNT] = stream_id;
	if (stream_id > r->ended_max)
		r->ended_max = stream_id;
}

void ht_http2_tell_end_stream(struct ht_http2 *r, uint32_t stream_id)
{
	ht_http2_note_ended(r, stream_id);
	if (r->events->end_stream)
		r->events->end_stream(r->ctx, stream_id);
}

void ht_http2_tell_gap(struct ht_http2 *r)
{
	if (r->events->gap)
		r->events->gap(r->ctx);
}

static void feed_head(struct ht_http2 *r, const unsigned char *data, size_t len)
{
	memcpy(r->head + r->head_bytes, data, len);
	r->head_bytes += len;
	if (r->head_bytes == HT_HTTP2_FRAME_HEAD_BYTES)
		ht_http2_begin_frame(r);
}

static void feed_fixed(struct ht_http2 *r, const unsigned char *data, uint32_t len)
{
	if (data && r->fixed_known == r->fixed_bytes) {
		memcpy(r->fixed + r->fixed_bytes, data, len);
		r->fixed_known += len;
	}
	r->fixed_bytes += len;
	if (r->fixed_bytes == ht_http2_frame_fixed_bytes(&r->frame))
		ht_http2_finish_fixed(r);
}

/* data NULL: not captured. len is not 0. */
static void feed_content(struct ht_http2 *r, const void *data, uint32_t len)
{
	r->content_left -= len;
	if (r->frame.type == HT_HTTP2_DATA) {
		if (!r->is_muted && r->events->data)
			r->events->data(r->ctx, r->frame.stream_id, data, data ? len : 0, len);
	} else if (!data) {
		ht_http2_block_give_up(r);
	} else if (r->content_left == 0 && ht_http2_frame_ends_headers(&r->frame)) {
		ht_http2_end_content(r, data, len);
		return;
	} else if (!r->block.is_lost && !ht_http2_block_append(&r->block, data, len)) {
		ht_http2_block_give_up(r);
	}
	if (r->content_left == 0)
		ht_http2_end_content(r, NULL, 0);
}

static void feed_rest(struct ht_http2 *r, uint32_t len)
{
	r->rest_left -= len;
	if (r->rest_left == 0)
		ht_http2_end_frame(r);
}

static void feed_preface(struct ht_http2 *r, const unsigned char *data, size_t len)
{
	if (memcmp(data, &HT_HTTP2_PREFACE[r->head_bytes], len) != 0) {
		ht_http2_fail(r, HT_HTTP2_BAD_PREFACE);
		return;
	}
	r->head_bytes += len;
	if (r->head_bytes == HT_HTTP2_PREFACE_BYTES) {
		r->state = HT_HTTP2_ST_HEAD;
		r->head_bytes = 0;
	}
}

static void begin(struct ht_http2 *r, bool is_from_start)
{
	r->is_seamless = is_from_start;
	r->is_before_first = is_from_start;
	r->was_in_sync = is_from_start;
	r->state = !is_from_start ? HT_HTTP2_ST_LOST : r->side == HT_HTTP2_CLIENT ? HT_HTTP2_ST_PREFACE : HT_HTTP2_ST_HEAD;
	r->head_bytes = 0;
	ht_hpack_reset(r->hpack, is_from_start);
}

/* Looks for a frame in what follows a gap, or a late join. Returns how many bytes belong to none. */
static size_t feed_lost(struct ht_http2 *r, const unsigned char *data, size_t len)
{
	size_t before = 0;

	/* A preface is a connection's begin; later it is content. */
	if (!r->was_in_sync && r->side == HT_HTTP2_CLIENT && data[0] == HT_HTTP2_PREFACE[0] && ht_http2_probe(r->side, data, len) == 1) {
		begin(r, true);
		return 0;
	}
	if (!ht_http2_sync_feed(&r->sync, r->side, data, len, &before, r->head))
		return len;
	r->was_in_sync = true;
	r->sync = (struct ht_http2_sync){ 0 };
	r->state = HT_HTTP2_ST_HEAD;
	r->head_bytes = HT_HTTP2_FRAME_HEAD_BYTES;
	ht_http2_begin_frame(r);
	return before;
}

/* Bytes of which not even the frames' extents are known. */
static void lose(struct ht_http2 *r)
{
	if (r->block.is_open) {
		ht_http2_block_give_up(r);
		ht_http2_block_finish(r, NULL, 0);
		ht_http2_block_close(r);
	}
	ht_hpack_forget(r->hpack);
	r->state = HT_HTTP2_ST_LOST;
	r->was_in_sync = true;
	r->is_seamless = false;
	r->is_before_first = false;
	ht_http2_tell_gap(r);
}

struct ht_http2 *ht_http2_new(enum ht_http2_side side, bool is_from_start, const struct ht_http2_events *events, void *ctx)
{
	struct ht_http2 *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->hpack = ht_hpack_new(is_from_start);
	if (!r->hpack) {
		free(r);
		errno = ENOMEM;
		return NULL;
	}
	r->side = side;
	r->events = events;
	r->ctx = ctx;
	begin(r, is_from_start);
	return r;
}

void ht_http2_free(struct ht_http2 *reader)
{
	if (!reader)
		return;
	ht_http2_block_free(reader);
	ht_hpack_free(reader->hpack);
	free(reader);
}

void ht_http2_reset(struct ht_http2 *reader, bool is_from_start)
{
	struct ht_hpack *hpack = reader->hpack;

	ht_http2_block_free(reader);
	*reader = (struct ht_http2){ .events = reader->events, .ctx = reader->ctx, .side = reader->side, .hpack = hpack };
	begin(reader, is_from_start);
}

size_t ht_http2_feed(struct ht_http2 *reader, const void *data, size_t len)
{
	const unsigned char *ptr = data;
	size_t left = len;

	if (reader->state == HT_HTTP2_ST_ERROR)
		return len;
	while (left && reader->state != HT_HTTP2_ST_ERROR) {
		size_t step = left;

		switch (reader->state) {
		case HT_HTTP2_ST_LOST:
			step = feed_lost(reader, ptr, left);
			break;
		case HT_HTTP2_ST_PREFACE:
			step = least(left, (uint32_t)(HT_HTTP2_PREFACE_BYTES - reader->head_bytes));
			feed_preface(reader, ptr, step);
			break;
		case HT_HTTP2_ST_HEAD:
			step = least(left, (uint32_t)(HT_HTTP2_FRAME_HEAD_BYTES - reader->head_bytes));
			feed_head(reader, ptr, step);
			break;
		case HT_HTTP2_ST_FIXED:
			step = least(left, ht_http2_frame_fixed_bytes(&reader->frame) - reader->fixed_bytes);
			feed_fixed(reader, ptr, (uint32_t)step);
			break;
		case HT_HTTP2_ST_CONTENT:
			step = least(left, reader->content_left);
			feed_content(reader, ptr, (uint32_t)step);
			break;
		case HT_HTTP2_ST_REST:
			step = least(left, reader->rest_left);
			feed_rest(reader, (uint32_t)step);
			break;
		case HT_HTTP2_ST_ERROR:
			break;
		}
		ptr += step;
		left -= step;
	}
	return len - left;
}

uint64_t ht_http2_skip(struct ht_http2 *reader, uint64_t n)
{
	uint64_t left = n;

	while (left) {
		uint32_t step = 0;

		switch (reader->state) {
		case HT_HTTP2_ST_PREFACE:
		case HT_HTTP2_ST_HEAD:
			lose(reader);
			return n;
		case HT_HTTP2_ST_FIXED:
			step = least(left, ht_http2_frame_fixed_bytes(&reader->frame) - reader->fixed_bytes);
			feed_fixed(reader, NULL, step);
			break;
		case HT_HTTP2_ST_CONTENT:
			step = least(left, reader->content_left);
			feed_content(reader, NULL, step);
			break;
		case HT_HTTP2_ST_REST:
			step = least(left, reader->rest_left);
			feed_rest(reader, step);
			break;
		case HT_HTTP2_ST_LOST:
			ht_http2_sync_skip(&reader->sync, left);
			return n;
		case HT_HTTP2_ST_ERROR:
			return n;
		}
		left -= step;
	}
	return n;
}

void ht_http2_table_limit(struct ht_http2 *reader, uint32_t size)
{
	ht_hpack_limit(reader->hpack, size);
}

bool ht_http2_is_between_frames(const struct ht_http2 *reader)
{
	return (reader->state == HT_HTTP2_ST_HEAD || reader->state == HT_HTTP2_ST_PREFACE) && reader->head_bytes == 0 &&
	       !reader->block.is_open;
}

bool ht_http2_is_in_sync(const struct ht_http2 *reader)
{
	return reader->state != HT_HTTP2_ST_LOST && reader->state != HT_HTTP2_ST_ERROR;
}

bool ht_http2_is_table_known(const struct ht_http2 *reader)
{
	return ht_hpack_is_known(reader->hpack);
}

enum ht_http2_error ht_http2_error_of(const struct ht_http2 *reader)
{
	return reader->error;
}
