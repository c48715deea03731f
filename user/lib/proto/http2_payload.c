/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_payload.c - what a frame is about: is it allowed where it comes, what its fixed part says, what follows its end.
 *
 * In:  a frame's header, its fixed part, the ends of its content and payload. Out: the events of all types of frames but content. No
 * memory. Sections are RFC 9113's.
 */
#include "proto/http2_reader.h"

/* Section 6.5.2. */
#define SETTING_ENABLE_PUSH         2
#define SETTING_INITIAL_WINDOW_SIZE 4
#define SETTING_MAX_FRAME_SIZE      5
#define MAX_WINDOW_BYTES            0x7fffffffU
#define LEAST_MAX_FRAME_BYTES       16384
#define MOST_MAX_FRAME_BYTES        16777215

#define STREAM_ID_MASK 0x7fffffffU

static bool is_odd(uint32_t id)
{
	return id & 1;
}

void ht_http2_end_frame(struct ht_http2 *r)
{
	r->state = HT_HTTP2_ST_HEAD;
	r->head_bytes = 0;
	if (ht_http2_frame_ends_headers(&r->frame))
		ht_http2_block_close(r);
	else if (r->frame.type == HT_HTTP2_DATA && ht_http2_frame_ends_stream(&r->frame) && !ht_http2_is_ended(r, r->frame.stream_id))
		ht_http2_tell_end_stream(r, r->frame.stream_id);
}

static void begin_rest(struct ht_http2 *r)
{
	r->state = HT_HTTP2_ST_REST;
	if (r->rest_left == 0)
		ht_http2_end_frame(r);
}

void ht_http2_end_content(struct ht_http2 *r, const void *data, size_t len)
{
	if (ht_http2_frame_ends_headers(&r->frame))
		ht_http2_block_finish(r, data, len);
	if (r->state != HT_HTTP2_ST_ERROR)
		begin_rest(r);
}

static void begin_content(struct ht_http2 *r, uint32_t content_bytes, uint32_t pad_bytes)
{
	r->state = HT_HTTP2_ST_CONTENT;
	r->content_left = content_bytes;
	r->rest_left = pad_bytes;
	if (ht_http2_frame_has_block(&r->frame))
		r->block.wire_bytes += content_bytes;
	if (content_bytes == 0)
		ht_http2_end_content(r, NULL, 0);
}

static void ignore_payload(struct ht_http2 *r)
{
	r->rest_left = r->payload_left;
	begin_rest(r);
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
		ht_http2_fail(r, error);
	else if (r->events->settings)
		r->events->settings(r->ctx, id, value);
}

static void finish_rst_stream(struct ht_http2 *r, bool is_known)
{
	ht_http2_note_ended(r, r->frame.stream_id);
	if (!is_known)
		ht_http2_tell_gap(r);
	else if (r->events->rst_stream)
		r->events->rst_stream(r->ctx, r->frame.stream_id, ht_http2_read_u32(r->fixed));
}

static void finish_goaway(struct ht_http2 *r, bool is_known)
{
	if (!is_known)
		ht_http2_tell_gap(r);
	else if (r->events->goaway)
		r->events->goaway(r->ctx, ht_http2_read_u32(r->fixed) & STREAM_ID_MASK, ht_http2_read_u32(r->fixed + 4));
}

/* Section 6.9. */
static void finish_window_update(struct ht_http2 *r, bool is_known)
{
	if (!is_known || (ht_http2_read_u32(r->fixed) & MAX_WINDOW_BYTES))
		return;
	if (r->frame.stream_id == 0)
		ht_http2_fail(r, HT_HTTP2_BAD_INCREMENT);
	else
		ht_http2_tell_stream_error(r, r->frame.stream_id, HT_HTTP2_BAD_INCREMENT);
}

/* Section 8.4: a new stream of the server, above all before. */
static void finish_promised_id(struct ht_http2 *r, bool is_known)
{
	const unsigned char *bytes = r->fixed + ht_http2_frame_is_padded(&r->frame);
	uint32_t id = ht_http2_read_u32(bytes) & STREAM_ID_MASK;

	if (!is_known) {
		r->is_seamless = false;
		ht_http2_tell_gap(r);
		return;
	}
	if (is_odd(id) || id <= r->newest_id) {
		ht_http2_fail(r, HT_HTTP2_BAD_STREAM_ID);
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
			ht_http2_tell_gap(r);
		r->is_muted = true;
	} else {
		ht_http2_block_give_up(r);
	}
}

void ht_http2_finish_fixed(struct ht_http2 *r)
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
	if (r->state == HT_HTTP2_ST_ERROR)
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
		ht_http2_fail(r, HT_HTTP2_BAD_PADDING);
	else
		begin_content(r, r->payload_left - pad_bytes, pad_bytes);
}

/* Section 5.1: an idle stream that this side alone can open. Stream 1 may be an HTTP/1.1 request's (RFC 7540 section 3.2). */
static bool is_idle(const struct ht_http2 *r, uint32_t id)
{
	return r->is_seamless && is_odd(id) == (r->side == HT_HTTP2_CLIENT) && id > r->newest_id && id != 1;
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
		return ht_http2_is_ended(r, frame->stream_id) ? HT_HTTP2_BAD_PUSH : HT_HTTP2_OK;
	default:
		return HT_HTTP2_OK;
	}
}

void ht_http2_begin_frame(struct ht_http2 *r)
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
		ht_http2_fail(r, error);
		return;
	}
	if (error != HT_HTTP2_OK) {
		ht_http2_tell_stream_error(r, frame->stream_id, error);
		frame->flags = 0;
		ignore_payload(r);
		return;
	}
	if (frame->type == HT_HTTP2_HEADERS || frame->type == HT_HTTP2_PUSH_PROMISE)
		ht_http2_block_open(r);
	if (frame->type == HT_HTTP2_DATA && ht_http2_is_ended(r, frame->stream_id)) {
		r->is_muted = true;
		ht_http2_tell_stream_error(r, frame->stream_id, HT_HTTP2_STREAM_CLOSED);
	}
	/* Every type with a fixed part has it whole, but an empty SETTINGS frame. */
	r->state = HT_HTTP2_ST_FIXED;
	if (ht_http2_frame_fixed_bytes(frame) == 0 || frame->length == 0)
		ht_http2_finish_fixed(r);
}
