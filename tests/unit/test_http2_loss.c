/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_http2_loss.c - long connections of many streams, joined late, with bytes lost anywhere: no field, content or end may be told of a
 * stream that it is not of; and where nothing is lost, all of it is told.
 *
 * Fields name their stream, so that each that is told proves where it came from. Blocks are made by libnghttp2's deflater.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "proto/http2.h"
#include "proto/http2_frame.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define STREAMS       400
#define MAX_BYTES     (8 << 20)
#define RUNS          60
/* What the BPF side copies of the payload of a DATA frame that is not small. */
#define SMALL_BYTES   256
#define PREFIX_BYTES  16

struct stream {
	uint64_t sent_bytes;
	bool is_ended;
	/* What was told. */
	size_t blocks;
	size_t complete_blocks;
	uint64_t told_bytes;
	bool is_told_end;
};

static struct {
	enum ht_http2_side side;
	unsigned char *bytes;
	size_t len;
	/* Where frames begin, and how much of each is copied. */
	size_t frames[STREAMS * 16];
	size_t captured[STREAMS * 16];
	size_t frame_cnt;
	struct stream streams[STREAMS];
	size_t gap_cnt;
	size_t unknown_cnt;
} conn;

static uint64_t random_state;

/* xorshift64*: the same on every machine. */
static uint32_t below(uint32_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dULL) >> 32) % limit;
}

static struct stream *stream_of(uint32_t id)
{
	assert_true(id % 2 == 1 && id / 2 < STREAMS);
	return &conn.streams[id / 2];
}

/* --- the connection ------------------------------------------------------------------------------------------------------------------- */

static void add_frame(unsigned int type, unsigned int flags, uint32_t id, const void *payload, size_t len)
{
	unsigned char *head = conn.bytes + conn.len;

	assert_true(conn.frame_cnt < ARRAY_SIZE(conn.frames) && conn.len + HT_HTTP2_FRAME_HEAD_BYTES + len <= MAX_BYTES);
	conn.frames[conn.frame_cnt] = conn.len;
	conn.captured[conn.frame_cnt++] = HT_HTTP2_FRAME_HEAD_BYTES + (type == HT_HTTP2_DATA && len > SMALL_BYTES ? PREFIX_BYTES : len);
	head[0] = (unsigned char)(len >> 16);
	head[1] = (unsigned char)(len >> 8);
	head[2] = (unsigned char)len;
	head[3] = (unsigned char)type;
	head[4] = (unsigned char)flags;
	head[5] = (unsigned char)(id >> 24);
	head[6] = (unsigned char)(id >> 16);
	head[7] = (unsigned char)(id >> 8);
	head[8] = (unsigned char)id;
	if (len)
		memcpy(head + HT_HTTP2_FRAME_HEAD_BYTES, payload, len);
	conn.len += HT_HTTP2_FRAME_HEAD_BYTES + len;
}

static void add_block(nghttp2_hd_deflater *deflater, uint32_t id, bool is_trailers, bool is_end)
{
	char number[16], path[32];
	unsigned char block[4096];
	nghttp2_nv nvs[8];
	size_t cnt = 0, cut;
	ssize_t len;

	snprintf(number, sizeof(number), "%u", id);
	snprintf(path, sizeof(path), "/%u", id);
#define NV(n, v) ((nghttp2_nv){ (uint8_t *)(n), (uint8_t *)(v), strlen(n), strlen(v), NGHTTP2_NV_FLAG_NONE })
	if (!is_trailers && conn.side == HT_HTTP2_CLIENT) {
		nvs[cnt++] = NV(":method", "GET");
		nvs[cnt++] = NV(":scheme", "https");
		nvs[cnt++] = NV(":authority", "example.test");
		nvs[cnt++] = NV(":path", path);
	} else if (!is_trailers) {
		nvs[cnt++] = NV(":status", "200");
	}
	nvs[cnt++] = NV("from", number);
	nvs[cnt++] = NV("x-same", "always");
	if (below(3) == 0)
		nvs[cnt++] = NV("user-agent", "test");
#undef NV
	len = nghttp2_hd_deflate_hd(deflater, block, sizeof(block), nvs, cnt);
	assert_true(len > 0);
	cut = below(4) ? (size_t)len : below((uint32_t)len + 1);
	add_frame(HT_HTTP2_HEADERS, (is_end ? HT_HTTP2_FLAG_END_STREAM : 0) | (cut == (size_t)len ? HT_HTTP2_FLAG_END_HEADERS : 0), id,
		  block, cut);
	if (cut < (size_t)len)
		add_frame(HT_HTTP2_CONTINUATION, HT_HTTP2_FLAG_END_HEADERS, id, block + cut, (size_t)len - cut);
	stream_of(id)->is_ended = is_end;
}

static void add_data(uint32_t id, bool is_end)
{
	static unsigned char content[16384];
	size_t len = below(3) ? below(300) : below(sizeof(content));
	uint32_t kind = below(6), word_bytes = 1 + below(9), limit = 1 + below(below(2) ? 300 : 100000);
	size_t i;

	/* Zeros, text, anything, and small numbers of any width, big end or little end first, a running one among them. */
	for (i = 0; i < len; i++)
		content[i] = (unsigned char)(kind == 0 ? 0 : kind == 1 ? 'a' + below(26) : below(256));
	for (i = 0; kind > 2 && i + word_bytes <= len; i += word_bytes) {
		uint32_t number = kind == 5 ? (uint32_t)i : below(limit), k;

		for (k = 0; k < word_bytes; k++)
			content[i + (kind == 3 ? k : word_bytes - 1 - k)] = (unsigned char)(k < 4 ? number >> (8 * k) : 0);
	}
	add_frame(HT_HTTP2_DATA, is_end ? HT_HTTP2_FLAG_END_STREAM : 0, id, content, len);
	stream_of(id)->sent_bytes += len;
	stream_of(id)->is_ended = is_end;
}

static void make_connection(enum ht_http2_side side)
{
	nghttp2_hd_deflater *deflater;
	uint32_t open[8] = { 0 }, next_id = 1, i;

	conn.side = side;
	conn.len = 0;
	conn.frame_cnt = 0;
	memset(conn.streams, 0, sizeof(conn.streams));
	assert_int_equal(nghttp2_hd_deflate_new(&deflater, 4096), 0);
	if (side == HT_HTTP2_CLIENT) {
		memcpy(conn.bytes, HT_HTTP2_PREFACE, HT_HTTP2_PREFACE_BYTES);
		conn.len = HT_HTTP2_PREFACE_BYTES;
	}
	add_frame(HT_HTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\144", 6);
	while (next_id < 2 * STREAMS) {
		uint32_t *slot = &open[below(ARRAY_SIZE(open))];

		i = below(10);
		if (i == 0)
			add_frame(HT_HTTP2_WINDOW_UPDATE, 0, 0, "\0\0\1\0", 4);
		else if (i == 1)
			add_frame(HT_HTTP2_PING, below(2), 0, "abcdefgh", 8);
		if (!*slot) {
			bool is_end = below(2);

			add_block(deflater, next_id, false, is_end);
			*slot = is_end ? 0 : next_id;
			next_id += 2;
		} else if (below(3)) {
			bool is_end = below(3) == 0;

			add_data(*slot, is_end);
			*slot = is_end ? 0 : *slot;
		} else {
			add_block(deflater, *slot, true, true);
			*slot = 0;
		}
	}
	nghttp2_hd_deflate_del(deflater);
}

/* --- what is told --------------------------------------------------------------------------------------------------------------------- */

static bool is_word(struct ht_span span, const char *word)
{
	return span.len == strlen(word) && !memcmp(span.ptr, word, span.len);
}

static void on_headers(void *ctx, const struct ht_http2_headers *headers)
{
	struct stream *stream = stream_of(headers->stream_id);
	char number[16], path[32];
	size_t i;

	(void)ctx;
	snprintf(number, sizeof(number), "%u", headers->stream_id);
	snprintf(path, sizeof(path), "/%u", headers->stream_id);
	stream->blocks++;
	stream->complete_blocks += headers->is_complete;
	for (i = 0; i < headers->field_cnt; i++) {
		const struct ht_http2_field *field = &headers->fields[i];

		if (!field->is_known) {
			conn.unknown_cnt++;
			continue;
		}
		if (is_word(field->name, ":path")        ? !is_word(field->value, path)
		    : is_word(field->name, "from")       ? !is_word(field->value, number)
		    : is_word(field->name, "x-same")     ? !is_word(field->value, "always")
		    : is_word(field->name, "user-agent") ? !is_word(field->value, "test")
		    : is_word(field->name, ":method")    ? !is_word(field->value, "GET")
		    : is_word(field->name, ":scheme")    ? !is_word(field->value, "https")
		    : is_word(field->name, ":authority") ? !is_word(field->value, "example.test")
							 : !is_word(field->name, ":status") || !is_word(field->value, "200"))
			fail_msg("stream %u has %.*s: %.*s", headers->stream_id, (int)field->name.len, field->name.ptr,
				 (int)field->value.len, field->value.ptr);
	}
}

static void on_data(void *ctx, uint32_t stream_id, const void *bytes, size_t captured_len, uint64_t n)
{
	struct stream *stream = stream_of(stream_id);

	(void)ctx;
	assert_true(captured_len <= n && !bytes == !captured_len);
	stream->told_bytes += n;
	assert_true(stream->told_bytes <= stream->sent_bytes && !stream->is_told_end);
}

static void on_end_stream(void *ctx, uint32_t stream_id)
{
	(void)ctx;
	assert_true(stream_of(stream_id)->is_ended && !stream_of(stream_id)->is_told_end);
	stream_of(stream_id)->is_told_end = true;
}

static void on_gap(void *ctx)
{
	(void)ctx;
	conn.gap_cnt++;
}

static void on_settings(void *ctx, uint16_t id, uint32_t value)
{
	(void)ctx;
	assert_true(id == 3 && value == 100);
}

static void on_error(void *ctx, enum ht_http2_error error)
{
	(void)ctx;
	fail_msg("error %s", ht_http2_error_name(error));
}

static void on_stream_error(void *ctx, uint32_t stream_id, enum ht_http2_error error)
{
	(void)ctx;
	fail_msg("error %s of stream %u", ht_http2_error_name(error), stream_id);
}

static void on_never(void *ctx, uint32_t one, uint32_t other)
{
	(void)ctx;
	fail_msg("a frame that was not sent: %u %u", one, other);
}

static const struct ht_http2_events events = {
	.headers = on_headers,
	.data = on_data,
	.end_stream = on_end_stream,
	.rst_stream = on_never,
	.goaway = on_never,
	.settings = on_settings,
	.gap = on_gap,
	.error = on_error,
	.stream_error = on_stream_error,
};

/* --- the ways of losing --------------------------------------------------------------------------------------------------------------- */

enum cut {
	AT_FRAMES, /* a piece is some frames, each as far as it is copied */
	ANYWHERE,
	BYTE_BY_BYTE,
};

struct way {
	const char *why;
	enum cut cut;
	bool is_late;
	uint32_t loss_permille; /* of pieces */
	uint32_t least_known_percent;
};

static void feed_copy(struct ht_http2 *reader, size_t off, size_t len)
{
	unsigned char *copy = malloc(len + !len);

	assert_non_null(copy);
	memcpy(copy, conn.bytes + off, len);
	assert_int_equal(ht_http2_feed(reader, copy, len), len);
	free(copy);
}

/* From off on. Returns how much it was. */
static size_t next_piece(struct ht_http2 *reader, const struct way *way, size_t off, size_t *frame, bool is_lost)
{
	size_t len, first = *frame, i;

	if (way->cut != AT_FRAMES) {
		len = way->cut == BYTE_BY_BYTE ? 1 : 1 + below(below(4) ? 40 : 20000);
		len = len < conn.len - off ? len : conn.len - off;
		if (is_lost)
			ht_http2_skip(reader, len);
		else
			feed_copy(reader, off, len);
		return len;
	}
	*frame += 1 + below(4);
	*frame = *frame < conn.frame_cnt ? *frame : conn.frame_cnt;
	len = (*frame < conn.frame_cnt ? conn.frames[*frame] : conn.len) - off;
	if (is_lost) {
		ht_http2_skip(reader, len);
		return len;
	}
	/* As records come: what is copied, then the length of what is not. */
	for (i = first; i < *frame;) {
		size_t begin = i == first ? off : conn.frames[i], end;

		while (i + 1 < *frame && conn.frames[i] + conn.captured[i] == conn.frames[i + 1])
			i++;
		end = conn.frames[i] + conn.captured[i];
		feed_copy(reader, begin, end - begin);
		i++;
		ht_http2_skip(reader, (i < conn.frame_cnt ? conn.frames[i] : conn.len) - end);
	}
	return len;
}

static void check_run(const struct way *way, const char *who)
{
	struct ht_http2 *reader = ht_http2_new(conn.side, !way->is_late, &events, NULL);
	size_t off = 0, frame = 0, i, complete_cnt = 0, block_cnt = 0;

	assert_non_null(reader);
	conn.gap_cnt = 0;
	conn.unknown_cnt = 0;
	for (i = 0; i < STREAMS; i++) {
		conn.streams[i].blocks = conn.streams[i].complete_blocks = 0;
		conn.streams[i].told_bytes = 0;
		conn.streams[i].is_told_end = false;
	}
	if (way->is_late) {
		frame = 1 + below((uint32_t)conn.frame_cnt / 4);
		off = way->cut == AT_FRAMES ? conn.frames[frame] : 1 + below((uint32_t)conn.len / 4);
	}
	while (off < conn.len)
		off += next_piece(reader, way, off, &frame, below(1000) < way->loss_permille);
	for (i = 0; i < STREAMS; i++) {
		const struct stream *stream = &conn.streams[i];

		complete_cnt += stream->complete_blocks;
		block_cnt += stream->blocks;
		if (way->loss_permille || way->is_late)
			continue;
		if (stream->told_bytes != stream->sent_bytes || stream->is_told_end != stream->is_ended ||
		    stream->blocks != stream->complete_blocks || !stream->blocks)
			fail_msg("%s, %s: stream %zu is not whole", who, way->why, 2 * i + 1);
	}
	if (!way->loss_permille)
		assert_true(conn.gap_cnt == 0 && (way->is_late || conn.unknown_cnt == 0));
	if (100 * complete_cnt < way->least_known_percent * STREAMS)
		fail_msg("%s, %s: %zu of %zu blocks are complete, of %d streams", who, way->why, complete_cnt, block_cnt, STREAMS);
	ht_http2_free(reader);
}

static void test_ways(void **state)
{
	static const struct way ways[] = {
		{ "all is here", AT_FRAMES, false, 0, 100 },
		{ "all is here, cut anywhere", ANYWHERE, false, 0, 100 },
		{ "all is here, byte by byte", BYTE_BY_BYTE, false, 0, 100 },
		{ "joined late", AT_FRAMES, true, 0, 10 },
		{ "joined late, cut anywhere", ANYWHERE, true, 0, 0 },
		{ "pieces are lost", AT_FRAMES, false, 10, 5 },
		{ "many pieces are lost", AT_FRAMES, false, 200, 0 },
		{ "bytes are lost anywhere", ANYWHERE, false, 10, 0 },
		{ "bytes are lost anywhere, one at a time", BYTE_BY_BYTE, false, 1, 0 },
		{ "joined late, pieces are lost", AT_FRAMES, true, 10, 0 },
		{ "joined late, bytes are lost anywhere", ANYWHERE, true, 50, 0 },
	};
	size_t i;
	int seed;

	(void)state;
	conn.bytes = malloc(MAX_BYTES);
	assert_non_null(conn.bytes);
	for (seed = 1; seed <= RUNS; seed++) {
		random_state = (uint64_t)seed * 0x9e3779b97f4a7c15ULL;
		make_connection(seed % 2 ? HT_HTTP2_CLIENT : HT_HTTP2_SERVER);
		for (i = 0; i < ARRAY_SIZE(ways); i++) {
			if (ways[i].cut != BYTE_BY_BYTE || seed <= 4)
				check_run(&ways[i], seed % 2 ? "a client" : "a server");
		}
	}
	free(conn.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ways) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
