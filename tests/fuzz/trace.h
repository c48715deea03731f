/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * trace.h - what a parser tells, as bytes, so that it can be compared; and pieces of a stream, each a heap block of its own.
 *
 * Memory: the trace's bytes and the pieces are the includer's to free.
 */
#ifndef HT_TRACE_H
#define HT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/span.h"
#include "require.h"

/* What lies on the wire can stand for far more, in every block of HTTP/2 again. */
#define MAX_TRACE_BYTES (4 << 20)

struct trace_bytes {
	unsigned char *ptr;
	size_t len;
	size_t cap;
	bool is_cut; /* no longer all of it */
};

static void put(struct trace_bytes *bytes, const void *data, size_t len)
{
	if (bytes->is_cut || bytes->len + len > MAX_TRACE_BYTES) {
		bytes->is_cut = true;
		return;
	}
	if (bytes->len + len > bytes->cap) {
		bytes->cap = (bytes->len + len) * 2;
		bytes->ptr = realloc(bytes->ptr, bytes->cap);
		require(bytes->ptr);
	}
	if (len)
		memcpy(bytes->ptr + bytes->len, data, len);
	bytes->len += len;
}

static void put_number(struct trace_bytes *bytes, char kind, uint64_t n)
{
	put(bytes, &kind, 1);
	put(bytes, &n, sizeof(n));
}

static void put_span(struct trace_bytes *bytes, struct ht_span span)
{
	put_number(bytes, 's', span.len);
	put(bytes, span.ptr, span.len);
}

static bool is_same(const struct trace_bytes *one, const struct trace_bytes *other)
{
	return one->len == other->len && (!one->len || !memcmp(one->ptr, other->ptr, one->len));
}

/* With AddressSanitizer, reading past it, or through a pointer into it that was kept, is found. */
static inline uint8_t *copy_of(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	require(copy || !len);
	if (len)
		memcpy(copy, data, len);
	return copy;
}

#endif
