/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * grpc.c - counting messages, and the text forms of gRPC over HTTP/2.
 *
 * In:  content, field values. Out: as grpc.h says. Nothing is kept of a message but how much of it is to come.
 */
#include "proto/grpc.h"

#include <string.h>
#include <strings.h>

void ht_grpc_messages_lose(struct ht_grpc_messages *messages)
{
	messages->is_lost = true;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void ht_grpc_messages_feed(struct ht_grpc_messages *messages, const void *bytes, size_t captured_len, uint64_t n)
{
	const unsigned char *ptr = bytes;
	size_t left_captured = (size_t)least(captured_len, n);

	while (n > 0 && !messages->is_lost) {
		uint64_t step = least(n, messages->left_bytes);

		n -= step;
		messages->left_bytes -= step;
		step = least(step, left_captured);
		left_captured -= (size_t)step;
		if (step)
			ptr += step;
		if (n == 0)
			break;
		if (left_captured == 0) {
			messages->is_lost = true;
			break;
		}
		messages->prefix[messages->prefix_bytes++] = *ptr++;
		left_captured--;
		n--;
		if (messages->prefix_bytes < sizeof(messages->prefix))
			continue;
		messages->prefix_bytes = 0;
		messages->begun_cnt++;
		messages->left_bytes = (uint64_t)messages->prefix[1] << 24 | (uint64_t)messages->prefix[2] << 16 |
				       (uint64_t)messages->prefix[3] << 8 | messages->prefix[4];
		/* The compressed-flag is 0 or 1: anything else is no gRPC, whatever the content type said. */
		if (messages->prefix[0] > 1)
			messages->is_lost = true;
	}
}

int64_t ht_grpc_messages_count(const struct ht_grpc_messages *messages)
{
	if (messages->is_lost)
		return -1;
	return (int64_t)(messages->begun_cnt - (messages->left_bytes > 0));
}

bool ht_grpc_is_content_type(struct ht_span value)
{
	static const char type[] = "application/grpc";
	size_t len = sizeof(type) - 1;

	if (value.len < len || strncasecmp(value.ptr, type, len) != 0)
		return false;
	return value.len == len || memchr("+; \t", value.ptr[len], 4);
}

bool ht_grpc_split_path(struct ht_span path, struct ht_span *service, struct ht_span *method)
{
	const char *slash;

	if (path.len < 4 || path.ptr[0] != '/' || memchr(path.ptr, '?', path.len))
		return false;
	/* A server may be mounted below a path: the last two segments are the call's. */
	slash = memrchr(path.ptr, '/', path.len);
	if (slash < path.ptr + 2 || slash + 1 == path.ptr + path.len)
		return false;
	*service = (struct ht_span){ path.ptr + 1, (size_t)(slash - path.ptr - 1) };
	*method = (struct ht_span){ slash + 1, (size_t)(path.ptr + path.len - slash - 1) };
	return true;
}

int ht_grpc_parse_status(struct ht_span value)
{
	int code = 0;
	size_t i;

	if (value.len == 0 || value.len > 9)
		return -1;
	for (i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return -1;
		code = code * 10 + (value.ptr[i] - '0');
	}
	return code;
}

const char *ht_grpc_status_name(int code)
{
	/* gRPC's statuscodes.md. */
	static const char *const names[] = {
		"OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
		"NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
		"ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
		"DATA_LOSS", "UNAUTHENTICATED",
	};

	return code >= 0 && (size_t)code < sizeof(names) / sizeof(names[0]) ? names[code] : NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

size_t ht_grpc_decode_message(struct ht_span value, char *out, size_t out_size)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c == '%' && value.len - i > 2 && hex_digit(value.ptr[i + 1]) >= 0 && hex_digit(value.ptr[i + 2]) >= 0) {
			c = (char)(hex_digit(value.ptr[i + 1]) << 4 | hex_digit(value.ptr[i + 2]));
			i += 2;
		}
		if (len < out_size)
			out[len] = c;
		len++;
	}
	return len;
}
