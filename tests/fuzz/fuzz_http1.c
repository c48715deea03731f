/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_http1.c - libFuzzer target: whatever a stream holds, the HTTP/1 parser keeps its contract and says the same however it
 * is cut.
 *
 * In: first byte: bit 0 side, bits 1-2 request method, bit 3 small head limit, bits 4-7 where to cut; the rest is the stream.
 * Each piece is a heap block of its own, freed after the call (trace.h).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http1.h"
#include "trace.h"

#define SMALL_HEAD_BYTES 48
#define CUT_UNITS        16

struct trace {
	struct trace_bytes bytes;
	uint64_t body_bytes;
	struct ht_span method;
	bool is_open;
	bool has_head;
	bool has_error;
	enum ht_http1_error error;
	size_t head_cnt;
	size_t consumed_bytes;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_body(struct trace *trace)
{
	if (trace->body_bytes)
		put_number(&trace->bytes, '+', trace->body_bytes);
	trace->body_bytes = 0;
}

static void put_fields(struct trace_bytes *bytes, const struct ht_http1_field *fields, size_t cnt)
{
	size_t i;

	require(cnt <= HT_HTTP1_MAX_FIELDS);
	put_number(bytes, 'f', cnt);
	for (i = 0; i < cnt; i++) {
		require(fields[i].name.len > 0);
		require(!memchr(fields[i].value.ptr, '\n', fields[i].value.len));
		require(!memchr(fields[i].value.ptr, '\r', fields[i].value.len));
		require(!memchr(fields[i].value.ptr, '\0', fields[i].value.len));
		put_span(bytes, fields[i].name);
		put_span(bytes, fields[i].value);
	}
}

static void on_begin(void *ctx)
{
	struct trace *trace = ctx;

	require(!trace->is_open && !trace->has_error);
	trace->is_open = true;
	trace->has_head = false;
	put_number(&trace->bytes, '<', 0);
}

static void on_head(void *ctx, const struct ht_http1_head *head)
{
	struct trace *trace = ctx;

	require(trace->is_open && !trace->has_head && !trace->has_error);
	require(head->side == HT_HTTP1_REQUEST ? head->method.len && head->target.len && !head->status
					       : !head->method.len && head->status >= 100 && head->status <= 999);
	require(head->side == HT_HTTP1_RESPONSE || (head->framing != HT_HTTP1_UNTIL_CLOSE && head->framing != HT_HTTP1_TUNNEL));
	require(head->framing != HT_HTTP1_CHUNKED || (head->version_minor == 1 && !head->has_content_length));
	require(head->content_length <= INT64_MAX && (head->has_content_length || !head->content_length));
	trace->has_head = true;
	trace->head_cnt++;
	put_span(&trace->bytes, head->method);
	put_span(&trace->bytes, head->target);
	put_span(&trace->bytes, head->reason);
	put_number(&trace->bytes, 'n', (uint64_t)head->status);
	put_number(&trace->bytes, 'n', (uint64_t)head->version_minor);
	put_number(&trace->bytes, 'n', head->head_bytes);
	put_number(&trace->bytes, 'n', head->framing);
	put_number(&trace->bytes, 'n', head->content_length);
	put_number(&trace->bytes, 'n',
		   (uint64_t)(head->has_content_length | head->is_close << 1 | head->is_keep_alive << 2 | head->is_upgrade << 3 |
			      head->is_expect_continue << 4));
	put_fields(&trace->bytes, head->fields, head->field_cnt);
}

static void on_body(void *ctx, uint64_t n)
{
	struct trace *trace = ctx;

	require(trace->is_open && trace->has_head && !trace->has_error && n > 0);
	trace->body_bytes += n;
}

static void on_end(void *ctx, const struct ht_http1_field *trailers, size_t cnt)
{
	struct trace *trace = ctx;

	require(trace->is_open && trace->has_head && !trace->has_error);
	trace->is_open = false;
	put_body(trace);
	put_number(&trace->bytes, '>', 0);
	put_fields(&trace->bytes, trailers, cnt);
}

static void on_error(void *ctx, enum ht_http1_error error)
{
	struct trace *trace = ctx;

	require(!trace->has_error && error != HT_HTTP1_OK);
	trace->has_error = true;
	trace->error = error;
	put_body(trace);
	put_number(&trace->bytes, '!', error);
}

static struct ht_span on_request_method(void *ctx)
{
	return ((struct trace *)ctx)->method;
}

static const struct ht_http1_events events = {
	.begin = on_begin,
	.head = on_head,
	.body = on_body,
	.end = on_end,
	.error = on_error,
	.request_method = on_request_method,
};

struct stream {
	enum ht_http1_side side;
	size_t max_head_bytes;
	struct ht_span method;
	const uint8_t *data;
	size_t len;
};

static bool feed_copy(struct ht_http1 *parser, struct trace *trace, const uint8_t *data, size_t len)
{
	uint8_t *copy = copy_of(data, len);
	size_t n = ht_http1_feed(parser, copy, len);

	free(copy);
	require(n <= len);
	trace->consumed_bytes += n;
	return n == len;
}

/* Pieces: first bytes, then step bytes each. With is_skip, the one byte at first is told as missing. */
static struct trace run(const struct stream *stream, size_t first, size_t step, bool is_skip)
{
	struct trace trace = { .method = stream->method };
	struct ht_http1 *parser = ht_http1_new(stream->side, stream->max_head_bytes, &events, &trace);
	size_t off = 0, piece = first;
	bool is_whole = true;
	size_t len;

	require(parser);
	while (off < stream->len && is_whole && !trace.has_error) {
		if (is_skip && off == first) {
			trace.consumed_bytes += (size_t)ht_http1_skip(parser, 1);
			off++;
		}
		if (piece > stream->len - off)
			piece = stream->len - off;
		/* A tunnel that began at the end of the last piece takes all: not consumed, for the comparison. */
		if (!trace.is_open && !trace.has_error && trace.has_head && !ht_http1_is_idle(parser))
			break;
		is_whole = feed_copy(parser, &trace, stream->data + off, piece);
		off += piece;
		piece = step;
	}
	ht_http1_eof(parser);
	put_body(&trace);
	require((ht_http1_error_of(parser) != HT_HTTP1_OK) == trace.has_error);
	require(!trace.is_open || trace.has_error);
	len = trace.bytes.len;
	if (!ht_http1_is_idle(parser)) {
		require(ht_http1_feed(parser, "GET / HTTP/1.1\r\n\r\n", 18) == 18);
		require(ht_http1_skip(parser, 3) == 3);
		ht_http1_eof(parser);
		require(trace.bytes.len == len);
	}
	ht_http1_reset(parser);
	require(ht_http1_is_idle(parser) && ht_http1_error_of(parser) == HT_HTTP1_OK);
	ht_http1_free(parser);
	return trace;
}

static void compare(const struct trace *whole, const struct stream *stream, size_t first, size_t step)
{
	struct trace cut = run(stream, first, step, false);

	require(cut.consumed_bytes == whole->consumed_bytes);
	require(is_same(&cut.bytes, &whole->bytes));
	free(cut.bytes.ptr);
}

/* Missing bytes that are taken must be content: the same content as when they are there. */
static void compare_skip(const struct trace *whole, const struct stream *stream, size_t first)
{
	struct trace cut = run(stream, first, stream->len, true);

	if (!cut.has_error || cut.error != HT_HTTP1_GAP)
		require(is_same(&cut.bytes, &whole->bytes));
	free(cut.bytes.ptr);
}

static void check_probe(const struct trace *whole, const struct stream *stream)
{
	int last = -1;
	size_t n;

	for (n = 0; n <= stream->len && n < 64; n++) {
		int now = ht_http1_probe(stream->side, stream->data, n);

		require(last == -1 || now == last);
		last = now;
	}
	require(!whole->head_cnt || ht_http1_probe(stream->side, stream->data, stream->len) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ht_span methods[] = { { NULL, 0 }, { "GET", 3 }, { "HEAD", 4 }, { "CONNECT", 7 } };
	struct stream stream;
	struct trace whole;
	size_t cut;

	if (size < 2)
		return 0;
	stream = (struct stream){
		.side = data[0] & 1 ? HT_HTTP1_RESPONSE : HT_HTTP1_REQUEST,
		.max_head_bytes = data[0] & 8 ? SMALL_HEAD_BYTES : 0,
		.method = methods[data[0] >> 1 & 3],
		.data = data + 1,
		.len = size - 1,
	};
	cut = 1 + stream.len * (data[0] >> 4) / CUT_UNITS;
	whole = run(&stream, stream.len, stream.len, false);
	check_probe(&whole, &stream);
	compare(&whole, &stream, 1, 1);
	compare(&whole, &stream, cut, stream.len);
	compare(&whole, &stream, cut, cut);
	if (cut < stream.len)
		compare_skip(&whole, &stream, cut);
	free(whole.bytes.ptr);
	return 0;
}
