/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_sync.h - where does a frame begin, in a stream that was joined late or lost bytes? Private to the HTTP/2 reader.
 *
 * In:  pieces, lengths of missing bytes. Out: the first frame header that is proven to be one. No allocation; nothing of a piece is kept
 * but 9 bytes.
 */
#ifndef HT_HTTP2_SYNC_H
#define HT_HTTP2_SYNC_H

#include "proto/http2_frame.h"

/* All zero: nothing is known. */
struct ht_http2_sync {
	bool is_on; /* there is a candidate: a plausible header was seen, or its first bytes */
	bool has_last;
	struct ht_http2_evidence evidence;
	unsigned char head[HT_HTTP2_FRAME_HEAD_BYTES]; /* of the next frame, if the candidate is right */
	size_t head_bytes;
	uint32_t skip_bytes; /* until that begins */
	struct ht_http2_frame last;
};

/*
 * A piece. True: head is a frame's header, whose last byte is the *consumed-th of the piece. False: nothing is proven, the piece is of no
 * use. Proven is what ht_http2_frame_chain() takes at the begin of a piece, and a header at the place that those before it tell, from the
 * begin of an earlier piece on, when there is evidence enough. Reading begins with neither DATA nor CONTINUATION.
 */
bool ht_http2_sync_feed(struct ht_http2_sync *sync, enum ht_http2_side side, const unsigned char *data, size_t len, size_t *consumed,
			unsigned char *head);

/* n bytes are missing. */
void ht_http2_sync_skip(struct ht_http2_sync *sync, uint64_t n);

#endif
