/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * piece.h - where a data record stands in its direction's stream: what of it is new, and how much is missing in front of it.
 */
#ifndef HT_PIECE_H
#define HT_PIECE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/event.h"

/* How far one direction has been read. */
struct ht_reach {
	uint64_t off;
	bool is_known; /* else: not before its first record, unless its start is known */
};

struct ht_piece {
	uint64_t gap; /* bytes in front of it that no record told */
	const uint8_t *data;
	uint32_t captured_len;
	uint32_t orig_len; /* 0: it was told before (the records of a call that was seen twice) */
};

/* Where the direction's next byte stands. A stream that was not seen from its first byte on begins with its first record, at off. */
static inline uint64_t ht_reach_next(const struct ht_reach *reach, bool is_from_start, uint64_t off)
{
	if (reach->is_known)
		return reach->off;
	return is_from_start ? 0 : off;
}

/* Takes the record: reach moves behind it. */
static inline struct ht_piece ht_piece_take(struct ht_reach *reach, bool is_from_start, const struct ht_rec_data *rec)
{
	uint64_t next = ht_reach_next(reach, is_from_start, rec->off), known = next > rec->off ? next - rec->off : 0;
	struct ht_piece piece = { .data = (const uint8_t *)(rec + 1), .captured_len = rec->captured_len, .orig_len = rec->orig_len };

	reach->is_known = true;
	if (known >= piece.orig_len) {
		piece.orig_len = piece.captured_len = 0;
		reach->off = next;
		return piece;
	}
	piece.gap = rec->off > next ? rec->off - next : 0;
	piece.data += known < piece.captured_len ? known : piece.captured_len;
	piece.captured_len -= known < piece.captured_len ? (uint32_t)known : piece.captured_len;
	piece.orig_len -= (uint32_t)known;
	reach->off = rec->off + rec->orig_len;
	return piece;
}

#endif
