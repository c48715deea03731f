/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_websocket.c - any bytes as WebSocket frames: the counts are the same whether they come at once or in pieces, captured or not.
 *
 * Input: a byte of side, extensions and size of the pieces, then the stream.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define REQUIRE(claim)           \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

static void check_same(const struct ht_websocket *a, const struct ht_websocket *b)
{
	REQUIRE(a->frame_cnt == b->frame_cnt && a->control_cnt == b->control_cnt && a->data_bytes == b->data_bytes);
	REQUIRE(a->is_closed == b->is_closed && a->close_code == b->close_code && a->error == b->error);
}

/* Is the next byte payload of a data frame? Then its value tells nothing. */
static int is_plain_payload(const struct ht_websocket *r)
{
	return !r->error && !r->is_closed && r->left_bytes && !(r->header[0] & 0x08);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ht_websocket whole, pieces, holes;
	enum ht_websocket_side side;
	size_t piece_bytes;

	if (len < 1)
		return 0;
	side = data[0] & 1 ? HT_WEBSOCKET_SERVER : HT_WEBSOCKET_CLIENT;
	piece_bytes = 1 + (data[0] >> 2);
	ht_websocket_init(&whole, side, data[0] & 2);
	ht_websocket_init(&pieces, side, data[0] & 2);
	ht_websocket_init(&holes, side, data[0] & 2);
	data++;
	len--;
	ht_websocket_feed(&whole, data, len);
	for (size_t at = 0; at < len; at += piece_bytes)
		ht_websocket_feed(&pieces, data + at, len - at < piece_bytes ? len - at : piece_bytes);
	for (size_t at = 0; at < len; at++) {
		if (is_plain_payload(&holes))
			ht_websocket_skip(&holes, 1);
		else
			ht_websocket_feed(&holes, data + at, 1);
	}
	check_same(&whole, &pieces);
	check_same(&whole, &holes);
	REQUIRE(whole.control_cnt <= whole.frame_cnt && whole.data_bytes <= len && 2 * whole.frame_cnt <= len);
	REQUIRE(!whole.is_closed || !whole.error);
	return 0;
}
