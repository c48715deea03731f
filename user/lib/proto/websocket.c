/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * websocket.c - finds the ends of frames. A header is gathered in the reader (14 bytes at most), payload is counted down.
 */
#include "proto/websocket.h"

#include <string.h>

/* RFC 6455 section 5.2. */
#define FIN             0x80
#define RESERVED        0x70
#define OPCODE          0x0f
#define OPCODE_CONTROL  0x08
#define OPCODE_CLOSE    0x08
#define OPCODE_BINARY   0x02
#define OPCODE_PONG     0x0a
#define MASKED          0x80
#define LENGTH          0x7f
#define LENGTH_2_BYTES  126
#define LENGTH_8_BYTES  127
#define BASE_BYTES      2
#define MASK_BYTES      4
#define MAX_CONTROL_LEN 125

void ht_websocket_init(struct ht_websocket *r, enum ht_websocket_side side, bool has_extensions)
{
	*r = (struct ht_websocket){ .side = side, .has_extensions = has_extensions, .header_need = BASE_BYTES };
}

static bool is_deaf(const struct ht_websocket *r)
{
	return r->error || r->is_closed;
}

static bool is_control(const struct ht_websocket *r)
{
	return r->header[0] & OPCODE_CONTROL;
}

static bool is_in_payload(const struct ht_websocket *r)
{
	return r->header_bytes == r->header_need && r->header_bytes > 0;
}

static void finish_close(struct ht_websocket *r)
{
	r->is_closed = true;
	if (r->payload_bytes == 0)
		r->close_code = HT_WEBSOCKET_NO_STATUS;
	else if (!r->is_code_lost)
		r->close_code = (uint16_t)(r->code[0] << 8 | r->code[1]);
}

static void finish_frame(struct ht_websocket *r)
{
	r->frame_cnt++;
	r->control_cnt += is_control(r);
	if ((r->header[0] & OPCODE) == OPCODE_CLOSE)
		finish_close(r);
	r->header_bytes = 0;
	r->header_need = BASE_BYTES;
	r->code_bytes = 0;
	r->is_code_lost = false;
}

/* The first two bytes are here: may they begin a frame, and how long is its header? */
static enum ht_websocket_error check_base(struct ht_websocket *r)
{
	uint8_t opcode = r->header[0] & OPCODE;
	uint8_t len = r->header[1] & LENGTH;
	bool is_masked = r->header[1] & MASKED;

	if (opcode > OPCODE_PONG || (opcode > OPCODE_BINARY && opcode < OPCODE_CONTROL))
		return HT_WEBSOCKET_BAD_OPCODE;
	if (r->header[0] & RESERVED && !r->has_extensions)
		return HT_WEBSOCKET_BAD_RESERVED;
	if (is_masked != (r->side == HT_WEBSOCKET_CLIENT))
		return HT_WEBSOCKET_BAD_MASK;
	if (is_control(r) && (!(r->header[0] & FIN) || len > MAX_CONTROL_LEN))
		return HT_WEBSOCKET_BAD_CONTROL;
	if (opcode == OPCODE_CLOSE && len == 1)
		return HT_WEBSOCKET_BAD_CLOSE;
	if (len == LENGTH_2_BYTES)
		r->header_need += 2;
	else if (len == LENGTH_8_BYTES)
		r->header_need += 8;
	if (is_masked)
		r->header_need += MASK_BYTES;
	return HT_WEBSOCKET_OK;
}

/* The header is whole. A length in more bytes than it needs is against the RFC, but read alike by everybody. */
static void begin_payload(struct ht_websocket *r)
{
	uint8_t len = r->header[1] & LENGTH;
	unsigned int len_bytes = len == LENGTH_2_BYTES ? 2 : len == LENGTH_8_BYTES ? 8 : 0;

	r->payload_bytes = len_bytes ? 0 : len;
	for (unsigned int i = 0; i < len_bytes; i++)
		r->payload_bytes = r->payload_bytes << 8 | r->header[BASE_BYTES + i];
	if (r->payload_bytes > INT64_MAX) {
		r->error = HT_WEBSOCKET_BAD_LENGTH;
		return;
	}
	r->left_bytes = r->payload_bytes;
	if (!r->left_bytes)
		finish_frame(r);
}

static void take_header_byte(struct ht_websocket *r, uint8_t byte)
{
	r->header[r->header_bytes++] = byte;
	if (r->header_bytes == BASE_BYTES)
		r->error = check_base(r);
	if (!r->error && r->header_bytes == r->header_need)
		begin_payload(r);
}

/* data NULL: not captured. Returns how many of the n bytes are the frame's. */
static uint64_t take_payload(struct ht_websocket *r, const uint8_t *data, uint64_t n)
{
	bool is_close = (r->header[0] & OPCODE) == OPCODE_CLOSE;

	if (n > r->left_bytes)
		n = r->left_bytes;
	for (uint64_t i = 0; is_close && i < n && r->code_bytes < sizeof(r->code); i++) {
		/* The mask is the header's last four bytes. */
		uint8_t mask = r->side == HT_WEBSOCKET_CLIENT ? r->header[r->header_need - MASK_BYTES + r->code_bytes] : 0;

		r->code[r->code_bytes++] = data ? data[i] ^ mask : 0;
		r->is_code_lost |= !data;
	}
	r->left_bytes -= n;
	if (!is_control(r))
		r->data_bytes += n;
	if (!r->left_bytes)
		finish_frame(r);
	return n;
}

void ht_websocket_feed(struct ht_websocket *r, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t off = 0;

	while (off < len && !is_deaf(r)) {
		if (is_in_payload(r))
			off += (size_t)take_payload(r, bytes + off, len - off);
		else
			take_header_byte(r, bytes[off++]);
	}
}

void ht_websocket_skip(struct ht_websocket *r, uint64_t n)
{
	if (is_deaf(r) || !n)
		return;
	if (is_in_payload(r))
		n -= take_payload(r, NULL, n);
	if (n && !is_deaf(r))
		r->error = HT_WEBSOCKET_GAP;
}

const char *ht_websocket_error_name(enum ht_websocket_error error)
{
	static const char *const names[] = {
		[HT_WEBSOCKET_OK] = "ok",
		[HT_WEBSOCKET_BAD_OPCODE] = "bad_opcode",
		[HT_WEBSOCKET_BAD_RESERVED] = "bad_reserved",
		[HT_WEBSOCKET_BAD_MASK] = "bad_mask",
		[HT_WEBSOCKET_BAD_LENGTH] = "bad_length",
		[HT_WEBSOCKET_BAD_CONTROL] = "bad_control",
		[HT_WEBSOCKET_BAD_CLOSE] = "bad_close",
		[HT_WEBSOCKET_GAP] = "gap",
	};

	return (size_t)error < sizeof(names) / sizeof(names[0]) ? names[error] : "unknown";
}
