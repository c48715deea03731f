/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * grpc.h - what gRPC puts into HTTP/2: messages in DATA, each behind a prefix of 5 bytes, and the status in trailers (gRPC over HTTP2,
 * its PROTOCOL-HTTP2.md).
 *
 * In:  content of one direction of one stream, in stream order, as bytes or lengths; field values. Out: counts, names, text.
 * No allocation; a struct ht_grpc_messages is the caller's, all zero at first.
 */
#ifndef HT_GRPC_H
#define HT_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

struct ht_grpc_messages {
	uint64_t begun_cnt;  /* whose prefix is whole */
	uint64_t left_bytes; /* of the message being read */
	unsigned char prefix[5];
	uint8_t prefix_bytes;
	bool is_lost;
};

/* n bytes of content, the first captured_len of them at bytes; as ht_http2_events.data tells them. */
void ht_grpc_messages_feed(struct ht_grpc_messages *messages, const void *bytes, size_t captured_len, uint64_t n);

/* Content was missed. */
void ht_grpc_messages_lose(struct ht_grpc_messages *messages);

/* Messages that are whole so far; -1 where a prefix was not captured. */
int64_t ht_grpc_messages_count(const struct ht_grpc_messages *messages);

/* application/grpc, also with +proto and the like or parameters; not application/grpc-web. */
bool ht_grpc_is_content_type(struct ht_span value);

/* ":path" of a call: "/package.Service/Method". False where it has another form. */
bool ht_grpc_split_path(struct ht_span path, struct ht_span *service, struct ht_span *method);

/* The value of grpc-status: 0 or more, or -1 where it is no number. */
int ht_grpc_parse_status(struct ht_span value);

/* "OK", "NOT_FOUND" and the like; NULL for a code that gRPC does not name. */
const char *ht_grpc_status_name(int code);

/*
 * The value of grpc-message, percent-decoded into out; what is no valid escape stays as it is. out: value.len bytes suffice. Returns the
 * length, of which out holds the first out_size bytes at most.
 */
size_t ht_grpc_decode_message(struct ht_span value, char *out, size_t out_size);

#endif
