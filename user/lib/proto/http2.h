/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2.h - incremental reader of one direction of an HTTP/2 connection (RFC 9113).
 *
 * In:  the bytes of one direction, in stream order, in pieces of any size; lengths of bytes that were not captured.
 * Out: calls of struct ht_http2_events, in stream order, from inside ht_http2_feed() and ht_http2_skip().
 * No I/O, no clock. Memory: a header block that lies in more than one piece (HT_HTTP2_MAX_BLOCK_BYTES), the header table (hpack.h), and a
 * fixed number of stream identifiers; all that is handed to a callback is valid during that call only.
 *
 * What a reader of one direction cannot see is the caller's to judge: whether a stream was opened by the other side, flow control, limits
 * that the other side's SETTINGS set, whether a server's block is a response or its trailers.
 */
#ifndef HT_HTTP2_H
#define HT_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/hpack.h"
#include "proto/span.h"

/* Largest header block that is read, compressed: HEADERS with its CONTINUATION. Of a longer one headers() is told without fields. */
#define HT_HTTP2_MAX_BLOCK_BYTES 65536

/* Who sends these bytes. */
enum ht_http2_side { HT_HTTP2_CLIENT, HT_HTTP2_SERVER };

enum ht_http2_error {
	HT_HTTP2_OK = 0,
	/* Connection errors: error(). */
	HT_HTTP2_BAD_PREFACE,    /* a client's first 24 bytes, or a first frame that is not SETTINGS (section 3.4) */
	HT_HTTP2_BAD_FRAME_SIZE, /* too short for what it must hold, or not the length its type has (also a stream error: PRIORITY, DATA) */
	HT_HTTP2_BAD_STREAM_ID,  /* 0, or not 0; the other side's parity; not above the last new one */
	HT_HTTP2_IDLE_STREAM,    /* a frame for a stream that was never opened (section 5.1) */
	HT_HTTP2_BAD_PADDING,    /* as long as the payload, or longer */
	HT_HTTP2_BAD_CONTINUATION, /* without a block to continue, or another frame inside a block (section 6.10) */
	HT_HTTP2_BAD_SETTING,      /* a value out of its range (section 6.5.2) */
	HT_HTTP2_BAD_WINDOW,       /* SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1 (FLOW_CONTROL_ERROR) */
	HT_HTTP2_BAD_INCREMENT,    /* WINDOW_UPDATE by 0 (also a stream error) */
	HT_HTTP2_BAD_PUSH,         /* PUSH_PROMISE by a client, or on a stream that its sender has ended */
	HT_HTTP2_BAD_COMPRESSION,  /* a header block that cannot be decoded (section 4.3) */
	/* Stream errors: stream_error(). */
	HT_HTTP2_MALFORMED,     /* field names, values or pseudo-headers against section 8.2 or 8.3 */
	HT_HTTP2_STREAM_CLOSED, /* HEADERS or DATA after END_STREAM or RST_STREAM of the same side */
};

/* A block of fields. Valid during the callback. */
struct ht_http2_headers {
	uint32_t stream_id;
	const struct ht_http2_field *fields; /* in their order, pseudo-headers first; names are lower case as sent */
	size_t field_cnt;
	size_t block_bytes; /* compressed, without frame headers, padding and priority, as far as they were captured */
	bool is_end_stream;
	bool is_complete; /* every field is known and here */
};

/*
 * Every pointer may be NULL. ctx is the one given to ht_http2_new().
 * Order for each stream: (begin, headers)+ with data* between, end_stream; or rst_stream at any place.
 */
struct ht_http2_events {
	/* A HEADERS frame's header is whole (not a CONTINUATION's). */
	void (*begin)(void *ctx, uint32_t stream_id);
	/*
	 * END_HEADERS: after the block's last byte. Followed by stream_error() where the block is malformed, and, behind padding, by
	 * end_stream() where is_end_stream.
	 */
	void (*headers)(void *ctx, const struct ht_http2_headers *headers);
	/* n bytes of content, the first captured_len of them at bytes; once per piece, n never 0. Padding is no content. */
	void (*data)(void *ctx, uint32_t stream_id, const void *bytes, size_t captured_len, uint64_t n);
	/* END_STREAM: after the frame's last byte; of a HEADERS frame after the block's. */
	void (*end_stream)(void *ctx, uint32_t stream_id);
	void (*rst_stream)(void *ctx, uint32_t stream_id, uint32_t code);
	/* Each setting of a SETTINGS frame, none for an acknowledgement. */
	void (*settings)(void *ctx, uint16_t id, uint32_t value);
	void (*goaway)(void *ctx, uint32_t last_stream_id, uint32_t code);
	/* promised->stream_id is the promised stream's; is_end_stream is false. */
	void (*push_promise)(void *ctx, uint32_t stream_id, const struct ht_http2_headers *promised);
	/*
	 * Bytes are missing in which frames of any stream may have been: any stream may have had content, or ended. Most often the reader
	 * then looks for a provable frame boundary again; where only a frame's own meaning was lost (RST_STREAM, GOAWAY, PUSH_PROMISE) it
	 * reads on.
	 */
	void (*gap)(void *ctx);
	/* The peer broke the connection's rules. Afterwards the reader is deaf until ht_http2_reset(). */
	void (*error)(void *ctx, enum ht_http2_error error);
	/*
	 * A frame is against the rules for its stream only (section 5.4.2). Reading goes on. Nothing else is told of the frame, but for
	 * HT_HTTP2_MALFORMED, where headers() was: that some endpoints take, and those that do not say so by RST_STREAM.
	 */
	void (*stream_error)(void *ctx, uint32_t stream_id, enum ht_http2_error error);
};

struct ht_http2; /* opaque: one direction of a connection */

/*
 * is_from_start: the first byte is the connection's (a client's preface, a server's SETTINGS). Otherwise the connection was joined late:
 * the reader looks for a provable frame boundary at the begin of each fed piece (ht_http2_probe()), and the header table is unknown.
 * events is kept, not copied: it must outlive the reader. NULL and errno ENOMEM.
 */
struct ht_http2 *ht_http2_new(enum ht_http2_side side, bool is_from_start, const struct ht_http2_events *events, void *ctx);
void ht_http2_free(struct ht_http2 *reader);

/*
 * Takes len bytes. Returns how many it consumed: len, or less where an error was met (the rest was not looked at). A callback must not
 * free the reader.
 */
size_t ht_http2_feed(struct ht_http2 *reader, const void *data, size_t len);

/*
 * n bytes were transferred but are not known. Inside DATA they are content; inside a header block the block is given up (headers()
 * without fields) and the table is unknown; elsewhere inside one frame they are ignored, or a gap() where the frame's meaning is lost;
 * where a frame's header is among them: gap(). Returns n.
 */
uint64_t ht_http2_skip(struct ht_http2 *reader, uint64_t n);

/* Forget everything, as a new reader. */
void ht_http2_reset(struct ht_http2 *reader, bool is_from_start);

/* The other side's SETTINGS_HEADER_TABLE_SIZE. Never lowers what is accepted: the encoder's own update does that. */
void ht_http2_table_limit(struct ht_http2 *reader, uint32_t size);

/* True where the next byte is a frame's (or a connection's) first. */
bool ht_http2_is_between_frames(const struct ht_http2 *reader);
/* False before a frame boundary was proven. */
bool ht_http2_is_in_sync(const struct ht_http2 *reader);
/* False where fields of later blocks may be unknown. */
bool ht_http2_is_table_known(const struct ht_http2 *reader);
/* What error() told, or HT_HTTP2_OK. */
enum ht_http2_error ht_http2_error_of(const struct ht_http2 *reader);

/* "bad_padding" and the like: lower case, stable. Never NULL. */
const char *ht_http2_error_name(enum ht_http2_error error);
/* The error code of section 7 that the peer of whoever made this error answers with. */
uint32_t ht_http2_error_code(enum ht_http2_error error);
/* "CANCEL", "REFUSED_STREAM" and the like; NULL for one that section 7 does not name. */
const char *ht_http2_code_name(uint32_t code);

/*
 * Do these bytes begin at a provable frame boundary? 1 yes, 0 no, -1 more bytes needed. Yes: the connection preface; or a chain of frame
 * headers that are valid for this side to the last detail, two at least, or one whose frame ends where the bytes end, and not of DATA
 * alone.
 */
int ht_http2_probe(enum ht_http2_side side, const void *data, size_t len);

#endif
