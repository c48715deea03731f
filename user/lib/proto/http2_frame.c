/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_frame.c - frame headers: their rules, their names, and how to tell them from other bytes.
 *
 * In:  9 bytes, or a piece of a stream. Out: verdicts. Sections are RFC 9113's.
 */
#include "proto/http2_frame.h"

#include <string.h>

/* Section 4.2: what every endpoint takes; larger frames need a SETTINGS_MAX_FRAME_SIZE of the other side, and do not serve as a proof. */
#define FIRST_MAX_FRAME_BYTES 16384

#define SETTING_BYTES     6
#define PRIORITY_BYTES    5
#define RST_STREAM_BYTES  4
#define PROMISED_ID_BYTES 4
#define PING_BYTES        8
#define GOAWAY_BYTES      8
#define WINDOW_BYTES      4
#define STREAM_ID_MASK    0x7fffffffU
/* Registered settings and error codes end at 9 (RFC 9218) and 0xd; GREASE settings (0x?a?a) are sent by browsers. */
#define MAX_SETTING_ID    16
#define MAX_ERROR_CODE    0xd
/* Frames that a chain is followed through; those not DATA behind which a type that is not known here may follow. */
#define MAX_CHAIN         32
#define ENOUGH            3
/* Shorter DATA is what runs of zeros look like. */
#define LEAST_DATA_BYTES  64
#define GREASE_MASK       0x0f0f
#define GREASE            0x0a0a

uint32_t ht_http2_read_u32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

struct ht_http2_frame ht_http2_frame_read(const unsigned char *head)
{
	uint32_t id = ht_http2_read_u32(head + 5);

	return (struct ht_http2_frame){
		.length = ht_http2_read_u32(head) >> 8,
		.type = head[3],
		.flags = head[4],
		.stream_id = id & STREAM_ID_MASK,
		.has_reserved_bit = id & ~STREAM_ID_MASK,
	};
}

bool ht_http2_frame_ends_stream(const struct ht_http2_frame *frame)
{
	return (frame->type == HT_HTTP2_DATA || frame->type == HT_HTTP2_HEADERS) && (frame->flags & HT_HTTP2_FLAG_END_STREAM);
}

bool ht_http2_frame_has_block(const struct ht_http2_frame *frame)
{
	return frame->type == HT_HTTP2_HEADERS || frame->type == HT_HTTP2_PUSH_PROMISE || frame->type == HT_HTTP2_CONTINUATION;
}

bool ht_http2_frame_ends_headers(const struct ht_http2_frame *frame)
{
	return ht_http2_frame_has_block(frame) && (frame->flags & HT_HTTP2_FLAG_END_HEADERS);
}

bool ht_http2_frame_is_padded(const struct ht_http2_frame *frame)
{
	return (frame->type == HT_HTTP2_DATA || frame->type == HT_HTTP2_HEADERS || frame->type == HT_HTTP2_PUSH_PROMISE) &&
	       (frame->flags & HT_HTTP2_FLAG_PADDED);
}

uint32_t ht_http2_frame_fixed_bytes(const struct ht_http2_frame *frame)
{
	uint32_t pad_bytes = ht_http2_frame_is_padded(frame);

	switch (frame->type) {
	case HT_HTTP2_DATA:
		return pad_bytes;
	case HT_HTTP2_HEADERS:
		return pad_bytes + (frame->flags & HT_HTTP2_FLAG_PRIORITY ? PRIORITY_BYTES : 0);
	case HT_HTTP2_RST_STREAM:
		return RST_STREAM_BYTES;
	case HT_HTTP2_SETTINGS:
		return SETTING_BYTES;
	case HT_HTTP2_PUSH_PROMISE:
		return pad_bytes + PROMISED_ID_BYTES;
	case HT_HTTP2_GOAWAY:
		return GOAWAY_BYTES;
	case HT_HTTP2_WINDOW_UPDATE:
		return WINDOW_BYTES;
	default:
		return 0;
	}
}

static bool is_odd(uint32_t id)
{
	return id & 1;
}

enum ht_http2_error ht_http2_frame_check(enum ht_http2_side side, const struct ht_http2_frame *frame, bool *is_stream_error)
{
	uint32_t id = frame->stream_id;

	*is_stream_error = false;
	switch (frame->type) {
	case HT_HTTP2_DATA:
	case HT_HTTP2_HEADERS:
		/* A client may send neither on a stream that the server opened (section 8.4). */
		if (id == 0 || (side == HT_HTTP2_CLIENT && !is_odd(id)))
			return HT_HTTP2_BAD_STREAM_ID;
		if (frame->length < ht_http2_frame_fixed_bytes(frame)) {
			*is_stream_error = frame->type == HT_HTTP2_DATA;
			return HT_HTTP2_BAD_FRAME_SIZE;
		}
		return HT_HTTP2_OK;
	case HT_HTTP2_PRIORITY:
		if (id == 0)
			return HT_HTTP2_BAD_STREAM_ID;
		*is_stream_error = true;
		return frame->length == PRIORITY_BYTES ? HT_HTTP2_OK : HT_HTTP2_BAD_FRAME_SIZE;
	case HT_HTTP2_RST_STREAM:
		if (id == 0)
			return HT_HTTP2_BAD_STREAM_ID;
		return frame->length == RST_STREAM_BYTES ? HT_HTTP2_OK : HT_HTTP2_BAD_FRAME_SIZE;
	case HT_HTTP2_SETTINGS:
		if (id != 0)
			return HT_HTTP2_BAD_STREAM_ID;
		if (frame->length % SETTING_BYTES || ((frame->flags & HT_HTTP2_FLAG_ACK) && frame->length))
			return HT_HTTP2_BAD_FRAME_SIZE;
		return HT_HTTP2_OK;
	case HT_HTTP2_PUSH_PROMISE:
		if (side == HT_HTTP2_CLIENT)
			return HT_HTTP2_BAD_PUSH;
		if (!is_odd(id))
			return HT_HTTP2_BAD_STREAM_ID;
		return frame->length >= ht_http2_frame_fixed_bytes(frame) ? HT_HTTP2_OK : HT_HTTP2_BAD_FRAME_SIZE;
	case HT_HTTP2_PING:
		if (id != 0)
			return HT_HTTP2_BAD_STREAM_ID;
		return frame->length == PING_BYTES ? HT_HTTP2_OK : HT_HTTP2_BAD_FRAME_SIZE;
	case HT_HTTP2_GOAWAY:
		if (id != 0)
			return HT_HTTP2_BAD_STREAM_ID;
		return frame->length >= GOAWAY_BYTES ? HT_HTTP2_OK : HT_HTTP2_BAD_FRAME_SIZE;
	case HT_HTTP2_WINDOW_UPDATE:
		return frame->length == WINDOW_BYTES ? HT_HTTP2_OK : HT_HTTP2_BAD_FRAME_SIZE;
	case HT_HTTP2_CONTINUATION:
		return id ? HT_HTTP2_OK : HT_HTTP2_BAD_STREAM_ID;
	default:
		return HT_HTTP2_OK;
	}
}

static uint8_t defined_flags(uint8_t type)
{
	switch (type) {
	case HT_HTTP2_DATA:
		return HT_HTTP2_FLAG_END_STREAM | HT_HTTP2_FLAG_PADDED;
	case HT_HTTP2_HEADERS:
		return HT_HTTP2_FLAG_END_STREAM | HT_HTTP2_FLAG_END_HEADERS | HT_HTTP2_FLAG_PADDED | HT_HTTP2_FLAG_PRIORITY;
	case HT_HTTP2_SETTINGS:
	case HT_HTTP2_PING:
		return HT_HTTP2_FLAG_ACK;
	case HT_HTTP2_PUSH_PROMISE:
		return HT_HTTP2_FLAG_END_HEADERS | HT_HTTP2_FLAG_PADDED;
	case HT_HTTP2_CONTINUATION:
		return HT_HTTP2_FLAG_END_HEADERS;
	default:
		return 0;
	}
}

static bool opens_block(const struct ht_http2_frame *frame)
{
	return ht_http2_frame_has_block(frame) && !ht_http2_frame_ends_headers(frame);
}

bool ht_http2_frame_is_plausible(enum ht_http2_side side, const struct ht_http2_frame *frame, const struct ht_http2_frame *last)
{
	bool is_continuation = frame->type == HT_HTTP2_CONTINUATION;
	bool is_stream_error;

	/* Nobody pushes any more; one of its streams just proves nothing. */
	if (frame->stream_id && !is_odd(frame->stream_id))
		return false;
	if (frame->has_reserved_bit || frame->type > HT_HTTP2_CONTINUATION || frame->length > FIRST_MAX_FRAME_BYTES)
		return false;
	if (frame->flags & ~defined_flags(frame->type))
		return false;
	/* Runs of zeros are common in other bytes. A block has one field at least. */
	if (frame->length == 0 && (frame->type == HT_HTTP2_HEADERS || (frame->type == HT_HTTP2_DATA && !ht_http2_frame_ends_stream(frame))))
		return false;
	if (last && opens_block(last) ? !is_continuation || frame->stream_id != last->stream_id : is_continuation)
		return false;
	return ht_http2_frame_check(side, frame, &is_stream_error) == HT_HTTP2_OK;
}

/* Of the payload's first bytes, as far as they are there: nothing that a well-behaved sender does not send. */
static bool is_payload_plausible(const struct ht_http2_frame *frame, const unsigned char *payload, size_t len)
{
	size_t i;

	if (len > frame->length)
		len = frame->length;
	if (ht_http2_frame_is_padded(frame) && len && payload[0] > frame->length - ht_http2_frame_fixed_bytes(frame))
		return false;
	switch (frame->type) {
	case HT_HTTP2_RST_STREAM:
		return len < RST_STREAM_BYTES || ht_http2_read_u32(payload) <= MAX_ERROR_CODE;
	case HT_HTTP2_SETTINGS:
		for (i = 0; i + SETTING_BYTES <= len; i += SETTING_BYTES) {
			unsigned int id = (unsigned int)payload[i] << 8 | payload[i + 1];

			if ((id == 0 || id > MAX_SETTING_ID) && (id & GREASE_MASK) != GREASE)
				return false;
		}
		return true;
	case HT_HTTP2_GOAWAY:
		return len < GOAWAY_BYTES || (!(payload[0] & 0x80) && ht_http2_read_u32(payload + 4) <= MAX_ERROR_CODE);
	case HT_HTTP2_WINDOW_UPDATE:
		return len < WINDOW_BYTES || (!(payload[0] & 0x80) && ht_http2_read_u32(payload));
	default:
		return true;
	}
}

/*
 * Random bytes are a plausible header once in 2^24: the length has ten zero bits at least, the type four, the flags four or more, the
 * stream two. Bytes are not random: tables of numbers are common in content, small ones also in the headers and payloads of frames
 * themselves, and DATA looks like them: a length and a stream between zeros. However much of it there is, it proves nothing by itself,
 * and a chain that begins with it may have come to a real frame by chance.
 */
void ht_http2_evidence_add(struct ht_http2_evidence *evidence, const struct ht_http2_frame *frame)
{
	switch (frame->type) {
	case HT_HTTP2_DATA:
		evidence->has_data = evidence->has_data || frame->length >= LEAST_DATA_BYTES;
		break;
	case HT_HTTP2_HEADERS:
	case HT_HTTP2_PUSH_PROMISE:
		evidence->other_cnt += ht_http2_frame_ends_headers(frame);
		break;
	case HT_HTTP2_SETTINGS:
		evidence->other_cnt += frame->length > 0;
		break;
	case HT_HTTP2_CONTINUATION:
		break;
	default:
		evidence->other_cnt++;
		break;
	}
}

bool ht_http2_frame_can_be_first(const struct ht_http2_frame *frame)
{
	return frame->type != HT_HTTP2_DATA && frame->type != HT_HTTP2_CONTINUATION;
}

bool ht_http2_evidence_suffices(const struct ht_http2_evidence *evidence)
{
	return evidence->other_cnt + (evidence->has_data || evidence->is_end_exact) >= 2;
}

int ht_http2_frame_chain(enum ht_http2_side side, const unsigned char *bytes, size_t len)
{
	struct ht_http2_evidence evidence = { 0 };
	struct ht_http2_frame last = { 0 };
	size_t off = 0;
	int cnt;

	for (cnt = 0; cnt < MAX_CHAIN && (cnt == 0 || off < len); cnt++) {
		struct ht_http2_frame frame;

		if (len - off < HT_HTTP2_FRAME_HEAD_BYTES)
			break;
		frame = ht_http2_frame_read(bytes + off);
		if (!ht_http2_frame_is_plausible(side, &frame, cnt ? &last : NULL))
			return 0;
		off += HT_HTTP2_FRAME_HEAD_BYTES;
		if (!is_payload_plausible(&frame, bytes + off, len - off))
			return 0;
		if (cnt == 0 && !ht_http2_frame_can_be_first(&frame))
			return -1;
		ht_http2_evidence_add(&evidence, &frame);
		if (frame.length > len - off)
			break;
		off += frame.length;
		last = frame;
		evidence.is_end_exact = off == len;
		if (evidence.other_cnt == ENOUGH)
			break;
	}
	return ht_http2_evidence_suffices(&evidence) ? 1 : -1;
}
