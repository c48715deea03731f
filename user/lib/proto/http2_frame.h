/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_frame.h - what 9 bytes of a frame header say by themselves, and which of it is allowed (RFC 9113 sections 4 and 6). Private to
 * the HTTP/2 reader.
 *
 * No state, no allocation.
 */
#ifndef HT_HTTP2_FRAME_H
#define HT_HTTP2_FRAME_H

#include "proto/http2.h"

#define HT_HTTP2_FRAME_HEAD_BYTES 9
/* Section 3.4. */
#define HT_HTTP2_PREFACE          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define HT_HTTP2_PREFACE_BYTES    (sizeof(HT_HTTP2_PREFACE) - 1)

/* Section 6. */
enum ht_http2_type {
	HT_HTTP2_DATA = 0,
	HT_HTTP2_HEADERS = 1,
	HT_HTTP2_PRIORITY = 2,
	HT_HTTP2_RST_STREAM = 3,
	HT_HTTP2_SETTINGS = 4,
	HT_HTTP2_PUSH_PROMISE = 5,
	HT_HTTP2_PING = 6,
	HT_HTTP2_GOAWAY = 7,
	HT_HTTP2_WINDOW_UPDATE = 8,
	HT_HTTP2_CONTINUATION = 9,
};

#define HT_HTTP2_FLAG_END_STREAM  0x01 /* DATA, HEADERS */
#define HT_HTTP2_FLAG_ACK         0x01 /* SETTINGS, PING */
#define HT_HTTP2_FLAG_END_HEADERS 0x04 /* HEADERS, PUSH_PROMISE, CONTINUATION */
#define HT_HTTP2_FLAG_PADDED      0x08 /* DATA, HEADERS, PUSH_PROMISE */
#define HT_HTTP2_FLAG_PRIORITY    0x20 /* HEADERS */

struct ht_http2_frame {
	uint32_t length; /* of the payload: 24 bits */
	uint8_t type;
	uint8_t flags;
	uint32_t stream_id; /* 31 bits */
	bool has_reserved_bit;
};

/* head: HT_HTTP2_FRAME_HEAD_BYTES. */
struct ht_http2_frame ht_http2_frame_read(const unsigned char *head);

/* The big-endian number there. */
uint32_t ht_http2_read_u32(const unsigned char *bytes);

/* Which of END_HEADERS, PADDED and so on is set, for a type that has that flag. */
bool ht_http2_frame_ends_stream(const struct ht_http2_frame *frame);
bool ht_http2_frame_ends_headers(const struct ht_http2_frame *frame);
bool ht_http2_frame_is_padded(const struct ht_http2_frame *frame);
/* HEADERS, PUSH_PROMISE, CONTINUATION: its payload is a part of a header block. */
bool ht_http2_frame_has_block(const struct ht_http2_frame *frame);

/*
 * Bytes at the begin of the payload that say something by themselves: pad length, priority, promised stream, code and the like; of
 * SETTINGS one entry. The length is not looked at.
 */
uint32_t ht_http2_frame_fixed_bytes(const struct ht_http2_frame *frame);

/* What is against the rules in a header alone, whatever was before. *is_stream_error: it concerns its stream only. */
enum ht_http2_error ht_http2_frame_check(enum ht_http2_side side, const struct ht_http2_frame *frame, bool *is_stream_error);

/*
 * Would a well-behaved sender of this side send it after last (NULL: not known)? For telling frames from bytes that are none: undefined
 * types and flags are refused, which a reader that is in step ignores.
 */
bool ht_http2_frame_is_plausible(enum ht_http2_side side, const struct ht_http2_frame *frame, const struct ht_http2_frame *last);

/* What speaks for there being frames: plausible headers, each at the place that the one before it tells. All zero: nothing. */
struct ht_http2_evidence {
	unsigned int other_cnt; /* of types that other bytes do not look like */
	bool has_data;
	bool is_end_exact; /* the last frame ends where the bytes end */
};

void ht_http2_evidence_add(struct ht_http2_evidence *evidence, const struct ht_http2_frame *frame);
/* May reading begin with it, where there is evidence enough? */
bool ht_http2_frame_can_be_first(const struct ht_http2_frame *frame);
bool ht_http2_evidence_suffices(const struct ht_http2_evidence *evidence);

/* As ht_http2_probe(), frames only. */
int ht_http2_frame_chain(enum ht_http2_side side, const unsigned char *bytes, size_t len);

#endif
