/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_sync.c - finding the first frame. A frame's begin is never looked for inside a piece: writers and readers cut streams at frames
 * most often, and each place that is tried is one more at which chance, or content made to mislead, may look like frames.
 */
#include "proto/http2_sync.h"

#include <string.h>

enum verdict { WAIT, DROPPED, PROVEN };

/* Takes the piece from *off on as the candidate says. */
static enum verdict follow(struct ht_http2_sync *sync, enum ht_http2_side side, const unsigned char *data, size_t len, size_t *off)
{
	while (*off < len) {
		size_t left = len - *off;
		struct ht_http2_frame frame;

		if (sync->skip_bytes) {
			size_t step = left < sync->skip_bytes ? left : sync->skip_bytes;

			sync->skip_bytes -= (uint32_t)step;
			*off += step;
			continue;
		}
		sync->head[sync->head_bytes++] = data[(*off)++];
		if (sync->head_bytes < HT_HTTP2_FRAME_HEAD_BYTES)
			continue;
		sync->head_bytes = 0;
		frame = ht_http2_frame_read(sync->head);
		if (!ht_http2_frame_is_plausible(side, &frame, sync->has_last ? &sync->last : NULL))
			return DROPPED;
		ht_http2_evidence_add(&sync->evidence, &frame);
		if (sync->has_last && ht_http2_evidence_suffices(&sync->evidence) && ht_http2_frame_can_be_first(&frame))
			return PROVEN;
		sync->has_last = true;
		sync->last = frame;
		sync->skip_bytes = frame.length;
	}
	return WAIT;
}

bool ht_http2_sync_feed(struct ht_http2_sync *sync, enum ht_http2_side side, const unsigned char *data, size_t len, size_t *consumed,
			unsigned char *head)
{
	enum verdict verdict = DROPPED;

	if (ht_http2_frame_chain(side, data, len) == 1) {
		memcpy(head, data, HT_HTTP2_FRAME_HEAD_BYTES);
		*consumed = HT_HTTP2_FRAME_HEAD_BYTES;
		return true;
	}
	*consumed = 0;
	if (sync->is_on)
		verdict = follow(sync, side, data, len, consumed);
	if (verdict == DROPPED) {
		*sync = (struct ht_http2_sync){ 0 };
		*consumed = 0;
		verdict = follow(sync, side, data, len, consumed);
	}
	if (verdict == PROVEN)
		memcpy(head, sync->head, HT_HTTP2_FRAME_HEAD_BYTES);
	sync->is_on = verdict == WAIT;
	return verdict == PROVEN;
}

void ht_http2_sync_skip(struct ht_http2_sync *sync, uint64_t n)
{
	if (sync->is_on && n <= sync->skip_bytes)
		sync->skip_bytes -= (uint32_t)n;
	else
		*sync = (struct ht_http2_sync){ 0 };
}

int ht_http2_probe(enum ht_http2_side side, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	size_t known = len < HT_HTTP2_PREFACE_BYTES ? len : HT_HTTP2_PREFACE_BYTES;

	if (side == HT_HTTP2_SERVER || len == 0 || bytes[0] != HT_HTTP2_PREFACE[0])
		return ht_http2_frame_chain(side, bytes, len);
	if (memcmp(bytes, HT_HTTP2_PREFACE, known) != 0)
		return 0;
	return known == HT_HTTP2_PREFACE_BYTES ? 1 : -1;
}
