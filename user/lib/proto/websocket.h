/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * websocket.h - one direction of a WebSocket connection: counts frames, and reads the close frame's code (RFC 6455 section 5).
 *
 * In:  the bytes behind the 101 of one direction, in stream order, in pieces of any size; lengths of bytes that were not captured.
 * Out: counters. No I/O, no clock, no memory but the struct itself; payload is passed over in one step, whatever its length.
 *
 * Only what makes the extent of frames uncertain, or what no peer takes, is an error; the order of fragments, UTF-8 and close codes are the peers' affair.
 */
#ifndef HT_WEBSOCKET_H
#define HT_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Close frame has no code (RFC 6455 section 7.1.5). */
#define HT_WEBSOCKET_NO_STATUS 1005

/* Who sends these bytes: a client's frames are masked, a server's are not (RFC 6455 section 5.1). */
enum ht_websocket_side { HT_WEBSOCKET_CLIENT, HT_WEBSOCKET_SERVER };

enum ht_websocket_error {
	HT_WEBSOCKET_OK = 0,
	HT_WEBSOCKET_BAD_OPCODE,   /* reserved: 3 to 7, 11 to 15 */
	HT_WEBSOCKET_BAD_RESERVED, /* a reserved bit is set and no extension was agreed on */
	HT_WEBSOCKET_BAD_MASK,     /* masked by a server, or not masked by a client */
	HT_WEBSOCKET_BAD_LENGTH,   /* 2^63 or more */
	HT_WEBSOCKET_BAD_CONTROL,  /* a control frame that is fragmented or longer than 125 bytes */
	HT_WEBSOCKET_BAD_CLOSE,    /* a Close frame with half a code */
	HT_WEBSOCKET_GAP,          /* bytes missing in a frame's header, or beyond the frame's end */
};

struct ht_websocket {
	uint64_t frame_cnt;   /* whole ones, control frames among them */
	uint64_t control_cnt; /* Close, Ping, Pong */
	uint64_t data_bytes;  /* payload of data frames as on the wire, also of the frame under way */
	bool is_closed;       /* a whole Close frame was seen: what follows is passed over (RFC 6455 section 5.5.1) */
	uint16_t close_code;  /* of that; HT_WEBSOCKET_NO_STATUS: it has none; 0 none seen, or not captured */
	enum ht_websocket_error error;

	/* The reader's own. */
	enum ht_websocket_side side;
	bool has_extensions;
	uint8_t header[14];
	uint8_t header_bytes;
	uint8_t header_need; /* as far as is known */
	uint8_t code_bytes;  /* of the Close frame's payload: seen so far, 2 at most */
	uint8_t code[2];
	bool is_code_lost;
	uint64_t payload_bytes;
	uint64_t left_bytes;
};

/* has_extensions: the 101 has a Sec-WebSocket-Extensions field, so reserved bits may be set. */
void ht_websocket_init(struct ht_websocket *reader, enum ht_websocket_side side, bool has_extensions);

/* Takes len bytes. After an error or a Close frame nothing is counted any more. */
void ht_websocket_feed(struct ht_websocket *reader, const void *data, size_t len);

/* n bytes passed that are not known: payload as far as the frame under way reaches, else HT_WEBSOCKET_GAP. */
void ht_websocket_skip(struct ht_websocket *reader, uint64_t n);

/* "bad_opcode" and the like: lower case, stable. Never NULL. */
const char *ht_websocket_error_name(enum ht_websocket_error error);

#endif
