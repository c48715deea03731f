/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2.c - the state machine of one direction: finds frames, gathers header blocks, tells what they say. http2_frame.c has the rules of a
 * frame's header, http2_fields.c those of a block's fields, hpack.c the header table; http2_sync.c finds the first frame of a stream
 * joined late.
 *
 * In:  pieces of a stream, lengths of missing bytes. Out: the calls of struct ht_http2_events.
 * Memory: a block that lies whole in one piece and frame is decoded where it is; otherwise it is gathered in block.buf, and freed with
 * its end.
 * Bounds: HT_HTTP2_MAX_BLOCK_BYTES, ENDED_CNT streams, hpack.h's. Each byte is looked at a fixed number of times, however the stream is
 * cut. Sections are RFC 9113's.
 */
#include "proto/http2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http2_fields.h"
#include "proto/http2_frame.h"
#include "proto/http2_sync.h"

/* Section 6.5.2. */
#define SETTING_ENABLE_PUSH         2
#define SETTING_INITIAL_WINDOW_SIZE 4
#define SETTING_MAX_FRAME_SIZE      5
#define MAX_WINDOW_BYTES            0x7fffffffU
#define LEAST_MAX_FRAME_BYTES       16384
#define MOST_MAX_FRAME_BYTES        16777215

#define STREAM_ID_MASK 0x7fffffffU

/* Streams that this side ended last; a frame that comes for one is against the rules. */
#define ENDED_CNT 64
/* The largest fixed part: GOAWAY's. */
#define FIXED_CAP 8

#define FIRST_BUF_BYTES 1024

enum state {
	ST_LOST, /* no frame boundary is known */
	ST_PREFACE,
	ST_HEAD,
	ST_FIXED,   /* what a payload begins with, see ht_http2_frame_fixed_bytes() */
	ST_CONTENT, /* of DATA, or of a header block */
	ST_REST,    /* padding, or what is of no interest */
	ST_ERROR,
};

/* HEADERS or PUSH_PROMISE with the CONTINUATION behind it. */
struct block {
	bool is_open;
	bool is_lost;  /* not all of it is here */
	bool is_muted; /* decoded for the table only */
	bool is_promise;
	bool is_end_stream;
	enum ht_http2_block_kind kind;
	uint32_t stream_id;
	uint32_t promised_id; /* 0: not captured */
	size_t wire_bytes;
	char *buf;
	size_t buf_bytes;
	size_t buf_cap;
};

struct ht_http2 {
	const struct ht_http2_events *events;
	void *ctx;
	struct ht_hpack *hpack;
	enum ht_http2_side side;
	enum state state;
	enum ht_http2_error error;
	bool is_seamless; /* every byte since the connection's first was fed, or skipped inside a frame */
	bool was_in_sync;
	bool is_before_first; /* the first frame, which must be SETTINGS */
	bool is_muted;        /* content of the DATA frame being read is not told */
	struct ht_http2_sync sync;

	/* The frame being read. */
	unsigned char head[HT_HTTP2_PREFACE_BYTES]; /* or the preface */
	size_t head_bytes;
	struct ht_http2_frame frame;
	unsigned char fixed[FIXED_CAP];
	uint32_t fixed_bytes;  /* so far */
	uint32_t fixed_known;  /* of these the first ones that are here */
	uint32_t payload_left; /* ST_FIXED: of the whole payload */
	uint32_t content_left;
	uint32_t rest_left;
	struct block block;

	/* The highest stream that this side opened: by a client's HEADERS, by a server's PUSH_PROMISE. */
	uint32_t newest_id;
	uint32_t ended[ENDED_CNT];
	size_t ended_next;
};

static bool is_odd(uint32_t id)
{
	return id & 1;
}

static uint32_t least(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

static void free_block(struct ht_http2 *r)
{
	free(r->block.buf);
	r->block = (struct block){ 0 };
}

static void fail(struct ht_http2 *r, enum ht_http2_error error)
{
	free_block(r);
	r->state = ST_ERROR;
	r->error = error;
	if (r->events->error)
		r->events->error(r->ctx, error);
}

static void tell_stream_error(struct ht_http2 *r, uint32_t stream_id, enum ht_http2_error error)
{
	if (r->events->stream_error)
		r->events->stream_error(r->ctx, stream_id, error);
}

static bool is_ended(const struct ht_http2 *r, uint32_t stream_id)
{
	size_t i;

	for (i = 0; i < ENDED_CNT; i++) {
		if (r->ended[i] == stream_id)
			return true;
	}
	return false;
}

static void note_ended(struct ht_http2 *r, uint32_t stream_id)
{
	r->ended[r->ended_next++ % ENDED_CNT] = stream_id;
}

static void tell_end_stream(struct ht_http2 *r, uint32_t stream_id)
{
	note_ended(r, stream_id);
	if (r->events->end_stream)
		r->events->end_stream(r->ctx, stream_id);
}

static void give_block_up(struct ht_http2 *r)
{
	struct block *block = &r->block;

	free(block->buf);
	block->buf = NULL;
	block->buf_bytes = 0;
	block->buf_cap = 0;
	if (!block->is_lost)
		ht_hpack_forget(r->hpack);
	block->is_lost = true;
}

static bool append_to_block(struct block *block, const void *data, size_t len)
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
	const struct block *block = &r->block;
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
		tell_stream_error(r, headers.stream_id, HT_HTTP2_MALFORMED);
}

/* The last bytes of the block are at data; those before, if any, are in buf. */
static void finish_block(struct ht_http2 *r, const void *data, size_t len)
{
	struct block *block = &r->block;
	struct ht_hpack_block decoded;
	enum ht_hpack_result result = HT_HPACK_UNKNOWN;

	if (!block->is_lost && (len > HT_HTTP2_MAX_BLOCK_BYTES || (block->buf_bytes && !append_to_block(block, data, len))))
		give_block_up(r);
	ht_hpack_block_init(&decoded);
	if (!block->is_lost) {
		if (block->buf_bytes)
			result = ht_hpack_decode(r->hpack, block->buf, block->buf_bytes, &decoded);
		else
			result = ht_hpack_decode(r->hpack, len ? data : "", len, &decoded);
	}
	if (result == HT_HPACK_BAD)
		fail(r, HT_HTTP2_BAD_COMPRESSION);
	else
		tell_block(r, &decoded);
	ht_hpack_block_free(&decoded);
	free(block->buf);
	block->buf = NULL;
	block->buf_bytes = 0;
	block->buf_cap = 0;
}

/* After the frame with END_HEADERS, whose padding comes behind the block's end. */
static void close_block(struct ht_http2 *r)
{
	struct block block = r->block;

	free_block(r);
	if (block.is_end_stream && !block.is_muted)
		tell_end_stream(r, block.stream_id);
}

static void end_frame(struct ht_http2 *r)
{
	r->state = ST_HEAD;
	r->head_bytes = 0;
	if (ht_http2_frame_ends_headers(&r->frame))
		close_block(r);
	else if (r->frame.type == HT_HTTP2_DATA && ht_http2_frame_ends_stream(&r->frame) && !is_ended(r, r->frame.stream_id))
		tell_end_stream(r, r->frame.stream_id);
}

static void begin_rest(struct ht_http2 *r)
{
	r->state = ST_REST;
	if (r->rest_left == 0)
		end_frame(r);
}

static void end_content(struct ht_http2 *r, const void *data, size_t len)
{
	if (ht_http2_frame_ends_headers(&r->frame))
		finish_block(r, data, len);
	if (r->state != ST_ERROR)
		begin_rest(r);
}

static void begin_content(struct ht_http2 *r, uint32_t content_bytes, uint32_t pad_bytes)
{
	r->state = ST_CONTENT;
	r->content_left = content_bytes;
	r->rest_left = pad_bytes;
	if (ht_http2_frame_has_block(&r->frame))
		r->block.wire_bytes += content_bytes;
	if (content_bytes == 0)
		end_content(r, NULL, 0);
}

static void ignore_payload(struct ht_http2 *r)
{
	r->rest_left = r->payload_left;
	begin_rest(r);
}

/* Only what a frame means is lost, not where it ends. */
static void tell_gap(struct ht_http2 *r)
{
	if (r->events->gap)
		r->events->gap(r->ctx);
}

/* Section 6.5.2. */
static enum ht_http2_error check_setting(enum ht_http2_side side, uint16_t id, uint32_t value)
{
	switch (id) {
	case SETTING_ENABLE_PUSH:
		return value > (side == HT_HTTP2_CLIENT ? 1 : 0) ? HT_HTTP2_BAD_SETTING : HT_HTTP2_OK;
	case SETTING_INITIAL_WINDOW_SIZE:
		return value > MAX_WINDOW_BYTES ? HT_HTTP2_BAD_WINDOW : HT_HTTP2_OK;
	case SETTING_MAX_FRAME_SIZE:
		return value < LEAST_MAX_FRAME_BYTES || value > MOST_MAX_FRAME_BYTES ? HT_HTTP2_BAD_SETTING : HT_HTTP2_OK;
	default:
		return HT_HTTP2_OK;
	}
}

static void finish_setting(struct ht_http2 *r, bool is_known)
{
	uint16_t id = (uint16_t)(r->fixed[0] << 8 | r->fixed[1]);
	uint32_t value = ht_http2_read_u32(r->fixed + 2);
	enum ht_http2_error error;

	if (!is_known)
		return;
	error = check_setting(r->side, id, value);
	if (error != HT_HTTP2_OK)
		fail(r, error);
	else if (r->events->settings)
		r->events->settings(r->ctx, id, value);
}

static void finish_rst_stream(struct ht_http2 *r, bool is_known)
{
	note_ended(r, r->frame.stream_id);
	if (!is_known)
		tell_gap(r);
	else if (r->events->rst_stream)
		r->events->rst_stream(r->ctx, r->frame.stream_id, ht_http2_read_u32(r->fixed));
}

static void finish_goaway(struct ht_http2 *r, bool is_known)
{
	if (!is_known)
		tell_gap(r);
	else if (r->events->goaway)
		r->events->goaway(r->ctx, ht_http2_read_u32(r->fixed) & STREAM_ID_MASK, ht_http2_read_u32(r->fixed + 4));
}

/* Section 6.9. */
static void finish_window_update(struct ht_http2 *r, bool is_known)
{
	if (!is_known || (ht_http2_read_u32(r->fixed) & MAX_WINDOW_BYTES))
		return;
	if (r->frame.stream_id == 0)
		fail(r, HT_HTTP2_BAD_INCREMENT);
	else
		tell_stream_error(r, r->frame.stream_id, HT_HTTP2_BAD_INCREMENT);
}

/* Section 8.4: a new stream of the server, above all before. */
static void finish_promised_id(struct ht_http2 *r, bool is_known)
{
	const unsigned char *bytes = r->fixed + ht_http2_frame_is_padded(&r->frame);
	uint32_t id = ht_http2_read_u32(bytes) & STREAM_ID_MASK;

	if (!is_known) {
		r->is_seamless = false;
		tell_gap(r);
		return;
	}
	if (is_odd(id) || id <= r->newest_id) {
		fail(r, HT_HTTP2_BAD_STREAM_ID);
		return;
	}
	r->newest_id = id;
	r->block.promised_id = id;
}

/* The pad length was not captured: where the content ends is not known. */
static void lose_content(struct ht_http2 *r)
{
	if (r->frame.type == HT_HTTP2_DATA) {
		if (!r->is_muted)
			tell_gap(r);
		r->is_muted = true;
	} else {
		give_block_up(r);
	}
}

static void finish_fixed(struct ht_http2 *r)
{
	const struct ht_http2_frame *frame = &r->frame;
	bool is_known = r->fixed_bytes && r->fixed_known == r->fixed_bytes;
	uint32_t pad_bytes = 0;

	r->payload_left -= r->fixed_bytes;
	switch (frame->type) {
	case HT_HTTP2_SETTINGS:
		finish_setting(r, is_known);
		break;
	case HT_HTTP2_RST_STREAM:
		finish_rst_stream(r, is_known);
		break;
	case HT_HTTP2_GOAWAY:
		finish_goaway(r, is_known);
		break;
	case HT_HTTP2_WINDOW_UPDATE:
		finish_window_update(r, is_known);
		break;
	case HT_HTTP2_PUSH_PROMISE:
		finish_promised_id(r, is_known);
		break;
	default:
		break;
	}
	if (r->state == ST_ERROR)
		return;
	if (frame->type == HT_HTTP2_SETTINGS && r->payload_left) {
		r->fixed_bytes = 0;
		r->fixed_known = 0;
		return;
	}
	if (frame->type != HT_HTTP2_DATA && !ht_http2_frame_has_block(frame)) {
		ignore_payload(r);
		return;
	}
	if (ht_http2_frame_is_padded(frame)) {
		if (r->fixed_known == 0)
			lose_content(r);
		else
			pad_bytes = r->fixed[0];
	}
	if (pad_bytes > r->payload_left)
		fail(r, HT_HTTP2_BAD_PADDING);
	else
		begin_content(r, r->payload_left - pad_bytes, pad_bytes);
}

/* Section 5.1: an idle stream that this side alone can open. Stream 1 may be an HTTP/1.1 request's (RFC 7540 section 3.2). */
static bool is_idle(const struct ht_http2 *r, uint32_t id)
{
	return r->is_seamless && is_odd(id) == (r->side == HT_HTTP2_CLIENT) && id > r->newest_id && id != 1;
}

static void open_block(struct ht_http2 *r)
{
	const struct ht_http2_frame *frame = &r->frame;
	uint32_t id = frame->stream_id;

	r->block = (struct block){
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
	if (is_ended(r, id)) {
		r->block.is_muted = true;
		tell_stream_error(r, id, HT_HTTP2_STREAM_CLOSED);
	} else if (r->events->begin) {
		r->events->begin(r->ctx, id);
	}
}

/* What is against the rules because of what was before. */
static enum ht_http2_error check_order(struct ht_http2 *r)
{
	const struct ht_http2_frame *frame = &r->frame;
	bool is_continuation = frame->type == HT_HTTP2_CONTINUATION;

	if (r->is_before_first) {
		r->is_before_first = false;
		if (frame->type != HT_HTTP2_SETTINGS || (frame->flags & HT_HTTP2_FLAG_ACK))
			return HT_HTTP2_BAD_PREFACE;
	}
	if (is_continuation != r->block.is_open || (is_continuation && frame->stream_id != r->block.stream_id))
		return HT_HTTP2_BAD_CONTINUATION;
	switch (frame->type) {
	case HT_HTTP2_HEADERS:
		return r->side == HT_HTTP2_SERVER && is_idle(r, frame->stream_id) ? HT_HTTP2_IDLE_STREAM : HT_HTTP2_OK;
	case HT_HTTP2_DATA:
	case HT_HTTP2_RST_STREAM:
	case HT_HTTP2_WINDOW_UPDATE:
		return frame->stream_id && is_idle(r, frame->stream_id) ? HT_HTTP2_IDLE_STREAM : HT_HTTP2_OK;
	case HT_HTTP2_PUSH_PROMISE:
		return is_ended(r, frame->stream_id) ? HT_HTTP2_BAD_PUSH : HT_HTTP2_OK;
	default:
		return HT_HTTP2_OK;
	}
}

static void begin_frame(struct ht_http2 *r)
{
	struct ht_http2_frame *frame = &r->frame;
	enum ht_http2_error error;
	bool is_stream_error;

	*frame = ht_http2_frame_read(r->head);
	r->payload_left = frame->length;
	r->fixed_bytes = 0;
	r->fixed_known = 0;
	r->is_muted = false;
	error = ht_http2_frame_check(r->side, frame, &is_stream_error);
	if (error == HT_HTTP2_OK || is_stream_error) {
		enum ht_http2_error order = check_order(r);

		if (order != HT_HTTP2_OK) {
			error = order;
			is_stream_error = false;
		}
	}
	if (error != HT_HTTP2_OK && !is_stream_error) {
		fail(r, error);
		return;
	}
	if (error != HT_HTTP2_OK) {
		tell_stream_error(r, frame->stream_id, error);
		frame->flags = 0;
		ignore_payload(r);
		return;
	}
	if (frame->type == HT_HTTP2_HEADERS || frame->type == HT_HTTP2_PUSH_PROMISE)
		open_block(r);
	if (frame->type == HT_HTTP2_DATA && is_ended(r, frame->stream_id)) {
		r->is_muted = true;
		tell_stream_error(r, frame->stream_id, HT_HTTP2_STREAM_CLOSED);
	}
	/* Every type with a fixed part has it whole, but an empty SETTINGS frame. */
	r->state = ST_FIXED;
	if (ht_http2_frame_fixed_bytes(frame) == 0 || frame->length == 0)
		finish_fixed(r);
}

static void feed_head(struct ht_http2 *r, const unsigned char *data, size_t len)
{
	memcpy(r->head + r->head_bytes, data, len);
	r->head_bytes += len;
	if (r->head_bytes == HT_HTTP2_FRAME_HEAD_BYTES)
		begin_frame(r);
}

static void feed_fixed(struct ht_http2 *r, const unsigned char *data, uint32_t len)
{
	if (data && r->fixed_known == r->fixed_bytes) {
		memcpy(r->fixed + r->fixed_bytes, data, len);
		r->fixed_known += len;
	}
	r->fixed_bytes += len;
	if (r->fixed_bytes == ht_http2_frame_fixed_bytes(&r->frame))
		finish_fixed(r);
}

/* data NULL: not captured. len is not 0. */
static void feed_content(struct ht_http2 *r, const void *data, uint32_t len)
{
	r->content_left -= len;
	if (r->frame.type == HT_HTTP2_DATA) {
		if (!r->is_muted && r->events->data)
			r->events->data(r->ctx, r->frame.stream_id, data, data ? len : 0, len);
	} else if (!data) {
		give_block_up(r);
	} else if (r->content_left == 0 && ht_http2_frame_ends_headers(&r->frame)) {
		end_content(r, data, len);
		return;
	} else if (!r->block.is_lost && !append_to_block(&r->block, data, len)) {
		give_block_up(r);
	}
	if (r->content_left == 0)
		end_content(r, NULL, 0);
}

static void feed_rest(struct ht_http2 *r, uint32_t len)
{
	r->rest_left -= len;
	if (r->rest_left == 0)
		end_frame(r);
}

static void feed_preface(struct ht_http2 *r, const unsigned char *data, size_t len)
{
	if (memcmp(data, &HT_HTTP2_PREFACE[r->head_bytes], len) != 0) {
		fail(r, HT_HTTP2_BAD_PREFACE);
		return;
	}
	r->head_bytes += len;
	if (r->head_bytes == HT_HTTP2_PREFACE_BYTES) {
		r->state = ST_HEAD;
		r->head_bytes = 0;
	}
}

static void begin(struct ht_http2 *r, bool is_from_start)
{
	r->is_seamless = is_from_start;
	r->is_before_first = is_from_start;
	r->was_in_sync = is_from_start;
	r->state = !is_from_start ? ST_LOST : r->side == HT_HTTP2_CLIENT ? ST_PREFACE : ST_HEAD;
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
	r->state = ST_HEAD;
	r->head_bytes = HT_HTTP2_FRAME_HEAD_BYTES;
	begin_frame(r);
	return before;
}

/* Bytes of which not even the frames' extents are known. */
static void lose(struct ht_http2 *r)
{
	if (r->block.is_open) {
		give_block_up(r);
		finish_block(r, NULL, 0);
		close_block(r);
	}
	ht_hpack_forget(r->hpack);
	r->state = ST_LOST;
	r->was_in_sync = true;
	r->is_seamless = false;
	r->is_before_first = false;
	tell_gap(r);
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
	free_block(reader);
	ht_hpack_free(reader->hpack);
	free(reader);
}

void ht_http2_reset(struct ht_http2 *reader, bool is_from_start)
{
	struct ht_hpack *hpack = reader->hpack;

	free_block(reader);
	*reader = (struct ht_http2){ .events = reader->events, .ctx = reader->ctx, .side = reader->side, .hpack = hpack };
	begin(reader, is_from_start);
}

size_t ht_http2_feed(struct ht_http2 *reader, const void *data, size_t len)
{
	const unsigned char *ptr = data;
	size_t left = len;

	if (reader->state == ST_ERROR)
		return len;
	while (left && reader->state != ST_ERROR) {
		size_t step = left;

		switch (reader->state) {
		case ST_LOST:
			step = feed_lost(reader, ptr, left);
			break;
		case ST_PREFACE:
			step = least(left, (uint32_t)(HT_HTTP2_PREFACE_BYTES - reader->head_bytes));
			feed_preface(reader, ptr, step);
			break;
		case ST_HEAD:
			step = least(left, (uint32_t)(HT_HTTP2_FRAME_HEAD_BYTES - reader->head_bytes));
			feed_head(reader, ptr, step);
			break;
		case ST_FIXED:
			step = least(left, ht_http2_frame_fixed_bytes(&reader->frame) - reader->fixed_bytes);
			feed_fixed(reader, ptr, (uint32_t)step);
			break;
		case ST_CONTENT:
			step = least(left, reader->content_left);
			feed_content(reader, ptr, (uint32_t)step);
			break;
		case ST_REST:
			step = least(left, reader->rest_left);
			feed_rest(reader, (uint32_t)step);
			break;
		case ST_ERROR:
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
		case ST_PREFACE:
		case ST_HEAD:
			lose(reader);
			return n;
		case ST_FIXED:
			step = least(left, ht_http2_frame_fixed_bytes(&reader->frame) - reader->fixed_bytes);
			feed_fixed(reader, NULL, step);
			break;
		case ST_CONTENT:
			step = least(left, reader->content_left);
			feed_content(reader, NULL, step);
			break;
		case ST_REST:
			step = least(left, reader->rest_left);
			feed_rest(reader, step);
			break;
		case ST_LOST:
			ht_http2_sync_skip(&reader->sync, left);
			return n;
		case ST_ERROR:
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
	return (reader->state == ST_HEAD || reader->state == ST_PREFACE) && reader->head_bytes == 0 && !reader->block.is_open;
}

bool ht_http2_is_in_sync(const struct ht_http2 *reader)
{
	return reader->state != ST_LOST && reader->state != ST_ERROR;
}

bool ht_http2_is_table_known(const struct ht_http2 *reader)
{
	return ht_hpack_is_known(reader->hpack);
}

enum ht_http2_error ht_http2_error_of(const struct ht_http2 *reader)
{
	return reader->error;
}
