/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_http2.c - libFuzzer target: whatever a stream holds, the HTTP/2 reader keeps its contract, says the same however it is cut, and
 * one that joins late says nothing else than one that was there from the start.
 *
 * In: first byte: bit 0 side, bit 1 whether a preface and SETTINGS are put before the rest, bits 4-7 where to cut; second byte: how many
 * bytes are missing there; the rest is the stream. Each piece is a heap block of its own, freed after the call (trace.h).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grpc.h"
#include "proto/http2.h"
#include "trace.h"

#define CUT_UNITS      16
#define OPTION_BYTES   2
#define MAX_BOUNDARIES 256
#define MAX_BLOCKS     512

/* Each ends with an empty SETTINGS frame, whose last byte is the terminating NUL. */
static const unsigned char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				       "\0\0\0\4\0\0\0\0";
static const unsigned char settings[] = "\0\0\0\4\0\0\0\0";

/* What headers() and push_promise() told: where in the trace. */
struct told_block {
	uint32_t stream_id;
	size_t field_cnt;
	size_t off;
};

struct trace {
	struct trace_bytes bytes;
	uint32_t data_stream_id;
	uint64_t data_bytes;
	struct ht_grpc_messages messages;
	uint32_t begun_id; /* begin() of it, headers() is to come */
	bool is_end_due;   /* headers() said that end_stream() is to come */
	bool has_error;
	bool has_stream_error;
	bool has_loss; /* a gap, or a block that is not complete */
	struct told_block blocks[MAX_BLOCKS];
	size_t block_cnt;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_data(struct trace *trace)
{
	if (trace->data_bytes) {
		put_number(&trace->bytes, '+', trace->data_stream_id);
		put_number(&trace->bytes, 'n', trace->data_bytes);
	}
	trace->data_bytes = 0;
}

/* Every event but data comes here first. */
static void begin_event(struct trace *trace, char kind, uint64_t n)
{
	require(!trace->has_error);
	put_data(trace);
	put_number(&trace->bytes, kind, n);
}

static void on_begin(void *ctx, uint32_t stream_id)
{
	struct trace *trace = ctx;

	require(stream_id && !trace->begun_id && !trace->is_end_due);
	begin_event(trace, '<', stream_id);
	trace->begun_id = stream_id;
}

static void put_headers(struct trace *trace, const struct ht_http2_headers *headers)
{
	bool is_known = true;
	size_t i;

	require(headers->stream_id && headers->field_cnt <= HT_HPACK_MAX_FIELDS);
	put_number(&trace->bytes, 'b', headers->block_bytes);
	put_number(&trace->bytes, 'n', (uint64_t)(headers->is_end_stream | headers->is_complete << 1));
	if (trace->block_cnt < MAX_BLOCKS)
		trace->blocks[trace->block_cnt++] =
			(struct told_block){ .stream_id = headers->stream_id, .field_cnt = headers->field_cnt, .off = trace->bytes.len };
	for (i = 0; i < headers->field_cnt; i++) {
		const struct ht_http2_field *field = &headers->fields[i];

		is_known = is_known && field->is_known;
		require(field->is_known || (!field->name.len && !field->value.len));
		put_number(&trace->bytes, 'k', field->is_known);
		put_span(&trace->bytes, field->name);
		put_span(&trace->bytes, field->value);
	}
	require(is_known || !headers->is_complete);
	trace->has_loss = trace->has_loss || !headers->is_complete;
}

static void on_headers(void *ctx, const struct ht_http2_headers *headers)
{
	struct trace *trace = ctx;

	require(trace->begun_id == headers->stream_id);
	begin_event(trace, '[', headers->stream_id);
	put_headers(trace, headers);
	trace->begun_id = 0;
	trace->is_end_due = headers->is_end_stream;
}

static void on_data(void *ctx, uint32_t stream_id, const void *bytes, size_t captured_len, uint64_t n)
{
	struct trace *trace = ctx;
	int64_t before = ht_grpc_messages_count(&trace->messages);

	require(!trace->has_error && !trace->begun_id && !trace->is_end_due);
	require(stream_id && n && captured_len <= n && !bytes == !captured_len);
	if (trace->data_stream_id != stream_id)
		put_data(trace);
	trace->data_stream_id = stream_id;
	trace->data_bytes += n;
	ht_grpc_messages_feed(&trace->messages, bytes, captured_len, n);
	require(ht_grpc_messages_count(&trace->messages) >= before || ht_grpc_messages_count(&trace->messages) == -1);
}

static void on_end_stream(void *ctx, uint32_t stream_id)
{
	struct trace *trace = ctx;

	require(!trace->begun_id);
	begin_event(trace, '>', stream_id);
	trace->is_end_due = false;
}

static void on_rst_stream(void *ctx, uint32_t stream_id, uint32_t code)
{
	struct trace *trace = ctx;

	begin_event(trace, 'R', stream_id);
	put_number(&trace->bytes, 'n', code);
	(void)ht_http2_code_name(code);
}

static void on_settings(void *ctx, uint16_t id, uint32_t value)
{
	struct trace *trace = ctx;

	begin_event(trace, 'S', id);
	put_number(&trace->bytes, 'n', value);
}

static void on_goaway(void *ctx, uint32_t last_stream_id, uint32_t code)
{
	struct trace *trace = ctx;

	begin_event(trace, 'G', last_stream_id);
	put_number(&trace->bytes, 'n', code);
}

static void on_push_promise(void *ctx, uint32_t stream_id, const struct ht_http2_headers *promised)
{
	struct trace *trace = ctx;

	require(!trace->begun_id && !trace->is_end_due && !promised->is_end_stream && promised->stream_id % 2 == 0);
	begin_event(trace, 'P', stream_id);
	put_headers(trace, promised);
}

static void on_gap(void *ctx)
{
	struct trace *trace = ctx;

	require(!trace->begun_id && !trace->is_end_due);
	begin_event(trace, '~', 0);
	trace->has_loss = true;
}

static void on_error(void *ctx, enum ht_http2_error error)
{
	struct trace *trace = ctx;

	require(error != HT_HTTP2_OK && ht_http2_error_code(error));
	begin_event(trace, '!', error);
	trace->has_error = true;
}

static void on_stream_error(void *ctx, uint32_t stream_id, enum ht_http2_error error)
{
	struct trace *trace = ctx;

	require(stream_id && error != HT_HTTP2_OK && ht_http2_error_code(error));
	begin_event(trace, '?', stream_id);
	put_number(&trace->bytes, 'n', error);
	trace->has_stream_error = true;
}

static const struct ht_http2_events events = {
	.begin = on_begin,
	.headers = on_headers,
	.data = on_data,
	.end_stream = on_end_stream,
	.rst_stream = on_rst_stream,
	.settings = on_settings,
	.goaway = on_goaway,
	.push_promise = on_push_promise,
	.gap = on_gap,
	.error = on_error,
	.stream_error = on_stream_error,
};

struct stream {
	enum ht_http2_side side;
	const uint8_t *data;
	size_t len;
	/* Where a frame begins, as the reader from the start says. */
	size_t boundaries[MAX_BOUNDARIES];
	size_t boundary_cnt;
};

static void feed_copy(struct ht_http2 *reader, const struct trace *trace, const uint8_t *data, size_t len)
{
	uint8_t *copy = copy_of(data, len);
	size_t n = ht_http2_feed(reader, copy, len);

	free(copy);
	require(n == len || (n < len && trace->has_error));
}

static struct trace *new_trace(void)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	require(trace);
	return trace;
}

static void free_trace(struct trace *trace)
{
	free(trace->bytes.ptr);
	free(trace);
}

static void check_end(struct ht_http2 *reader, struct trace *trace)
{
	size_t len;

	put_data(trace);
	require((ht_http2_error_of(reader) != HT_HTTP2_OK) == trace->has_error);
	require(!trace->has_error || (!ht_http2_is_between_frames(reader) && !ht_http2_is_in_sync(reader)));
	len = trace->bytes.len;
	if (trace->has_error) {
		require(ht_http2_feed(reader, preface, sizeof(preface)) == sizeof(preface));
		require(ht_http2_skip(reader, 3) == 3);
		require(trace->bytes.len == len);
	}
	ht_http2_reset(reader, true);
	require(ht_http2_is_between_frames(reader) && ht_http2_is_table_known(reader) && ht_http2_error_of(reader) == HT_HTTP2_OK);
}

/* Pieces: first bytes, then step bytes each; at first, skip bytes of the stream are told as missing. */
static struct trace *run(struct stream *stream, size_t first, size_t step, size_t skip)
{
	struct trace *trace = new_trace();
	struct ht_http2 *reader = ht_http2_new(stream->side, true, &events, trace);
	size_t off = 0, piece = first;

	require(reader && step);
	while (off < stream->len && !trace->has_error) {
		if (off == first && skip) {
			require(ht_http2_skip(reader, skip) == skip);
			off += skip;
		}
		if (piece > stream->len - off)
			piece = stream->len - off;
		feed_copy(reader, trace, stream->data + off, piece);
		off += piece;
		piece = step;
		if (step == 1 && !trace->has_error && ht_http2_is_between_frames(reader) && stream->boundary_cnt < MAX_BOUNDARIES)
			stream->boundaries[stream->boundary_cnt++] = off;
	}
	check_end(reader, trace);
	ht_http2_free(reader);
	return trace;
}

static void compare(const struct trace *whole, struct stream *stream, size_t first, size_t step)
{
	struct trace *cut = run(stream, first, step, 0);

	require(is_same(&whole->bytes, &cut->bytes));
	require(ht_grpc_messages_count(&cut->messages) == ht_grpc_messages_count(&whole->messages));
	free_trace(cut);
}

/* Missing bytes that do no harm were content: the same content as when they are there. A setting or a window may be among them. */
static void compare_skip(const struct trace *whole, struct stream *stream, size_t first, size_t skip)
{
	struct trace *cut = run(stream, first, stream->len, skip);

	if (!cut->has_loss && !cut->has_error && !whole->has_error && !whole->has_stream_error)
		require(cut->block_cnt == whole->block_cnt);
	free_trace(cut);
}

static uint64_t get_number(const struct trace *trace, size_t *off)
{
	uint64_t n;

	memcpy(&n, trace->bytes.ptr + *off + 1, sizeof(n));
	*off += 1 + sizeof(n);
	return n;
}

static struct ht_span get_span(const struct trace *trace, size_t *off)
{
	struct ht_span span;

	span.len = (size_t)get_number(trace, off);
	span.ptr = (const char *)trace->bytes.ptr + *off;
	*off += span.len;
	return span;
}

static void compare_blocks(const struct trace *whole, const struct told_block *one, const struct trace *late,
			   const struct told_block *other)
{
	size_t one_off = one->off, other_off = other->off, i;

	require(one->stream_id == other->stream_id);
	for (i = 0; i < one->field_cnt && i < other->field_cnt; i++) {
		bool is_known = get_number(late, &other_off);
		struct ht_span name = get_span(late, &other_off), value = get_span(late, &other_off), one_name, one_value;

		get_number(whole, &one_off);
		one_name = get_span(whole, &one_off);
		one_value = get_span(whole, &one_off);
		if (!is_known)
			continue;
		require(name.len == one_name.len && !memcmp(name.ptr, one_name.ptr, name.len));
		require(value.len == one_value.len && !memcmp(value.ptr, one_value.ptr, value.len));
	}
}

/* One that begins at a frame, with a table that is not known. Blocks are compared from the last one back: the late one has seen less. */
static void compare_late(const struct trace *whole, const struct stream *stream, size_t from)
{
	struct trace *late = new_trace();
	struct ht_http2 *reader = ht_http2_new(stream->side, false, &events, late);
	size_t i;

	require(reader);
	/* A preface is a connection's begin for the late one, and the header of a very large frame for the other. */
	if (from == stream->len || stream->data[from] == preface[0])
		goto out;
	feed_copy(reader, late, stream->data + from, stream->len - from);
	if (ht_http2_probe(stream->side, stream->data + from, stream->len - from) == 1 && !whole->has_error && !whole->has_stream_error &&
	    !late->has_error && !late->has_stream_error && !whole->bytes.is_cut && !late->bytes.is_cut && whole->block_cnt < MAX_BLOCKS) {
		require(late->block_cnt <= whole->block_cnt);
		for (i = 1; i <= late->block_cnt; i++)
			compare_blocks(whole, &whole->blocks[whole->block_cnt - i], late, &late->blocks[late->block_cnt - i]);
	}
out:
	check_end(reader, late);
	ht_http2_free(reader);
	free_trace(late);
}

/* In pieces, from anywhere: nothing is compared, the events' own order is checked. */
static void run_late_pieces(const struct stream *stream, size_t piece, size_t skip)
{
	struct trace *late = new_trace();
	struct ht_http2 *reader = ht_http2_new(stream->side, false, &events, late);
	size_t off = 0;

	require(reader);
	while (off < stream->len) {
		size_t n = piece < stream->len - off ? piece : stream->len - off;

		feed_copy(reader, late, stream->data + off, n);
		require(ht_http2_skip(reader, skip) == skip);
		off += n + skip;
	}
	check_end(reader, late);
	ht_http2_free(reader);
	free_trace(late);
}

static void check_probe(const struct stream *stream)
{
	int last = -1;
	size_t n;

	for (n = 0; n <= stream->len && n < 64; n++) {
		int now = ht_http2_probe(stream->side, stream->data, n);

		require(last != 0 || now == 0);
		last = now;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const unsigned char *bytes;
		size_t len;
	} begins[] = { { preface, sizeof(preface) }, { settings, sizeof(settings) } };
	struct stream stream = { 0 };
	struct trace *whole;
	uint8_t *bytes;
	size_t cut, skip, begin_bytes = 0;

	if (size <= OPTION_BYTES)
		return 0;
	stream.side = data[0] & 1 ? HT_HTTP2_SERVER : HT_HTTP2_CLIENT;
	if (data[0] & 2)
		begin_bytes = begins[stream.side].len;
	stream.len = begin_bytes + size - OPTION_BYTES;
	bytes = malloc(stream.len);
	require(bytes);
	memcpy(bytes, begins[stream.side].bytes, begin_bytes);
	memcpy(bytes + begin_bytes, data + OPTION_BYTES, size - OPTION_BYTES);
	stream.data = bytes;
	cut = 1 + stream.len * (data[0] >> 4) / CUT_UNITS;
	skip = data[1];
	whole = run(&stream, stream.len, stream.len + 1, 0);
	check_probe(&stream);
	compare(whole, &stream, 1, 1);
	compare(whole, &stream, cut, stream.len);
	compare(whole, &stream, cut, cut);
	if (skip && cut + skip < stream.len)
		compare_skip(whole, &stream, cut, skip);
	if (stream.boundary_cnt)
		compare_late(whole, &stream, stream.boundaries[stream.boundary_cnt * (data[0] >> 4) / CUT_UNITS]);
	run_late_pieces(&stream, cut, skip);
	free_trace(whole);
	free(bytes);
	return 0;
}
