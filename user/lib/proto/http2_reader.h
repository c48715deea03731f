/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_reader.h - the state of a reader, shared by the files that it is made of. Private to the HTTP/2 reader.
 *
 *   http2.c          pieces to parts of frames: headers, fixed parts, content, the rest
 *   http2_payload.c  what frames are about: their order, their fixed parts, their ends
 *   http2_block.c    header blocks, gathered and told
 */
#ifndef HT_HTTP2_READER_H
#define HT_HTTP2_READER_H

#include "proto/http2_fields.h"
#include "proto/http2_frame.h"
#include "proto/http2_sync.h"

/* Streams that this side ended last; a frame that comes for one is against the rules. */
#define HT_HTTP2_ENDED_CNT 64
/* The largest fixed part: GOAWAY's. */
#define HT_HTTP2_FIXED_CAP 8

enum ht_http2_state {
	HT_HTTP2_ST_LOST, /* no frame boundary is known */
	HT_HTTP2_ST_PREFACE,
	HT_HTTP2_ST_HEAD,
	HT_HTTP2_ST_FIXED,   /* what a payload begins with, see ht_http2_frame_fixed_bytes() */
	HT_HTTP2_ST_CONTENT, /* of DATA, or of a header block */
	HT_HTTP2_ST_REST,    /* padding, or what is of no interest */
	HT_HTTP2_ST_ERROR,
};

/* HEADERS or PUSH_PROMISE with the CONTINUATION behind it. */
struct ht_http2_block {
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
	enum ht_http2_state state;
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
	unsigned char fixed[HT_HTTP2_FIXED_CAP];
	uint32_t fixed_bytes;  /* so far */
	uint32_t fixed_known;  /* of these the first ones that are here */
	uint32_t payload_left; /* HT_HTTP2_ST_FIXED: of the whole payload */
	uint32_t content_left;
	uint32_t rest_left;
	struct ht_http2_block block;

	/* The highest stream that this side opened: by a client's HEADERS, by a server's PUSH_PROMISE. */
	uint32_t newest_id;
	uint32_t ended[HT_HTTP2_ENDED_CNT];
	size_t ended_next;
	uint32_t ended_max; /* the highest stream that this side ended */
};

/* http2.c. Afterwards the state is HT_HTTP2_ST_ERROR: the caller returns. */
void ht_http2_fail(struct ht_http2 *r, enum ht_http2_error error);
void ht_http2_tell_stream_error(struct ht_http2 *r, uint32_t stream_id, enum ht_http2_error error);
void ht_http2_tell_end_stream(struct ht_http2 *r, uint32_t stream_id);
/* Only what a frame means is lost, not where it ends. */
void ht_http2_tell_gap(struct ht_http2 *r);
/* Of the last HT_HTTP2_ENDED_CNT streams that this side ended. */
bool ht_http2_is_ended(const struct ht_http2 *r, uint32_t stream_id);
void ht_http2_note_ended(struct ht_http2 *r, uint32_t stream_id);

/* http2_payload.c. r->head is whole; r->fixed is; all content was fed, of a block the last bytes at data; all of the payload was. */
void ht_http2_begin_frame(struct ht_http2 *r);
void ht_http2_finish_fixed(struct ht_http2 *r);
void ht_http2_end_content(struct ht_http2 *r, const void *data, size_t len);
void ht_http2_end_frame(struct ht_http2 *r);

/* http2_block.c. Of the frame r->frame, HEADERS or PUSH_PROMISE: begin() is told. */
void ht_http2_block_open(struct ht_http2 *r);
/* False where the block is too large, or there is no memory. */
bool ht_http2_block_append(struct ht_http2_block *block, const void *data, size_t len);
/* It cannot be decoded any more. */
void ht_http2_block_give_up(struct ht_http2 *r);
/* END_HEADERS; the last bytes are at data, those before, if any, were appended. */
void ht_http2_block_finish(struct ht_http2 *r, const void *data, size_t len);
/* The frame with END_HEADERS has ended, padding and all. */
void ht_http2_block_close(struct ht_http2 *r);
void ht_http2_block_free(struct ht_http2 *r);

#endif
