/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_http2.c - the HTTP/2 reader: every stream of the tables (test_http2_cases.h) at every split, right before a page that cannot be
 * read; limits, missing bytes, streams joined late, the probe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "proto/http2.h"
#include "proto/http2_frame.h"
#include "test_http2_cases.h"
#include "told.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define STREAM_BYTES  (160 * 1024)
#define MAX_STEPS     32

struct recorder {
	struct told told;
	uint32_t data_stream_id;
	uint64_t data_bytes;
	uint64_t captured_bytes;
	size_t field_cnt; /* of the last headers */
	size_t block_bytes;
	bool is_complete;
	bool has_error;
};

/* An input of the tables, made into bytes. */
struct step {
	size_t off;
	size_t len;
	uint64_t skip_bytes; /* then len is 0 */
};

struct stream {
	unsigned char bytes[STREAM_BYTES];
	size_t len;
	struct step steps[MAX_STEPS];
	size_t step_cnt;
};

static struct stream made;

static void put_data(struct recorder *rec)
{
	if (rec->data_bytes)
		tell(&rec->told, "+%u:%llu/%llu", rec->data_stream_id, (unsigned long long)rec->data_bytes,
		     (unsigned long long)rec->captured_bytes);
	rec->data_bytes = 0;
	rec->captured_bytes = 0;
}

/* Every event but data and headers comes here first. */
static struct told *begin_event(struct recorder *rec)
{
	put_data(rec);
	return &rec->told;
}

static void on_begin(void *ctx, uint32_t stream_id)
{
	tell(begin_event(ctx), "<%u", stream_id);
}

static void put_headers(struct recorder *rec, const struct ht_http2_headers *headers)
{
	size_t i;

	tell(&rec->told, "[%u ", headers->stream_id);
	rec->field_cnt = headers->field_cnt;
	rec->block_bytes = headers->block_bytes;
	rec->is_complete = headers->is_complete;
	for (i = 0; i < headers->field_cnt; i++) {
		const struct ht_http2_field *field = &headers->fields[i];

		if (field->is_known)
			tell(&rec->told, "%s%.*s=%.*s", i ? "," : "", (int)field->name.len, field->name.ptr, (int)field->value.len,
			     field->value.ptr);
		else
			tell(&rec->told, "%s?", i ? "," : "");
		assert_true(field->is_known || (!field->name.len && !field->value.len && !headers->is_complete));
	}
	tell(&rec->told, "]%s%s", headers->is_end_stream ? "$" : "", headers->is_complete ? "" : "~");
}

static void on_headers(void *ctx, const struct ht_http2_headers *headers)
{
	put_headers(ctx, headers);
}

static void on_data(void *ctx, uint32_t stream_id, const void *bytes, size_t captured_len, uint64_t n)
{
	struct recorder *rec = ctx;
	size_t i;

	assert_true(n > 0 && captured_len <= n);
	for (i = 0; i < captured_len; i++)
		assert_int_equal(((const char *)bytes)[i], 'x');
	if (rec->data_stream_id != stream_id)
		put_data(rec);
	rec->data_stream_id = stream_id;
	rec->data_bytes += n;
	rec->captured_bytes += captured_len;
}

static void on_end_stream(void *ctx, uint32_t stream_id)
{
	tell(begin_event(ctx), ">%u", stream_id);
}

static void on_rst_stream(void *ctx, uint32_t stream_id, uint32_t code)
{
	tell(begin_event(ctx), "R%u:%u", stream_id, code);
}

static void on_settings(void *ctx, uint16_t id, uint32_t value)
{
	tell(begin_event(ctx), "S%u=%u", id, value);
}

static void on_goaway(void *ctx, uint32_t last_stream_id, uint32_t code)
{
	tell(begin_event(ctx), "G%u:%u", last_stream_id, code);
}

static void on_push_promise(void *ctx, uint32_t stream_id, const struct ht_http2_headers *promised)
{
	tell(begin_event(ctx), "P%u", stream_id);
	put_headers(ctx, promised);
}

static void on_gap(void *ctx)
{
	tell(begin_event(ctx), "~");
}

static void on_error(void *ctx, enum ht_http2_error error)
{
	struct recorder *rec = ctx;

	assert_false(rec->has_error);
	rec->has_error = true;
	tell(begin_event(rec), "!%s", ht_http2_error_name(error));
}

static void on_stream_error(void *ctx, uint32_t stream_id, enum ht_http2_error error)
{
	tell(begin_event(ctx), "!%u:%s", stream_id, ht_http2_error_name(error));
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

static struct ht_http2 *new_reader(enum ht_http2_side side, bool is_from_start, struct recorder *rec)
{
	struct ht_http2 *reader;

	*rec = (struct recorder){ 0 };
	reader = ht_http2_new(side, is_from_start, &events, rec);
	assert_non_null(reader);
	return reader;
}

/* --- inputs ----------------------------------------------------------------------------------------------------------------------- */

static void add_byte(unsigned int byte)
{
	assert_true(made.len < sizeof(made.bytes));
	made.bytes[made.len++] = (unsigned char)byte;
}

/* Hexadecimal digits and *N. Returns the bytes added. */
static size_t add_payload(const char *text, const char *end)
{
	size_t before = made.len;

	while (text < end) {
		char digits[3] = { text[0], text[1], 0 };
		char *stop;

		if (*text == '*') {
			unsigned long n = strtoul(text + 1, &stop, 10);

			assert_true(stop > text + 1 && made.len + n <= sizeof(made.bytes));
			memset(made.bytes + made.len, 'x', n);
			made.len += n;
			text = stop;
			continue;
		}
		add_byte((unsigned int)strtoul(digits, &stop, 16));
		assert_true(stop == digits + 2);
		text += 2;
	}
	return made.len - before;
}

static unsigned int type_of(const char *name, size_t len)
{
	static const char *const names[] = { "DATA",   "HEADERS",       "PRIORITY",     "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING",
					     "GOAWAY", "WINDOW_UPDATE", "CONTINUATION", "ALTSVC",     "",         "ORIGIN" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == len && !strncmp(names[i], name, len))
			return i;
	}
	assert_true(*name == 'X');
	return (unsigned int)strtoul(name + 1, NULL, 16);
}

static void add_frame(const char *word, const char *end)
{
	char *stop = NULL;
	size_t head = made.len;
	size_t name_len = strcspn(word, "+@");
	unsigned int type = type_of(word, name_len);
	unsigned long flags = 0, id, length, i;

	word += name_len;
	if (*word == '+') {
		flags = strtoul(word + 1, &stop, 16);
		word = stop;
	}
	assert_true(*word == '@');
	id = strtoul(word + 1, &stop, 10);
	word = stop;
	length = ~0UL;
	if (*word == '#') {
		length = strtoul(word + 1, &stop, 10);
		word = stop;
	}
	for (i = 0; i < HT_HTTP2_FRAME_HEAD_BYTES; i++)
		add_byte(0);
	assert_true(word == end || *word == ':');
	i = word == end ? 0 : add_payload(word + 1, end);
	if (length == ~0UL)
		length = i;
	made.bytes[head] = (unsigned char)(length >> 16);
	made.bytes[head + 1] = (unsigned char)(length >> 8);
	made.bytes[head + 2] = (unsigned char)length;
	made.bytes[head + 3] = (unsigned char)type;
	made.bytes[head + 4] = (unsigned char)flags;
	for (i = 0; i < 4; i++)
		made.bytes[head + 5 + i] = (unsigned char)(id >> (24 - 8 * i));
}

static struct step *add_step(void)
{
	assert_true(made.step_cnt < MAX_STEPS);
	made.steps[made.step_cnt] = (struct step){ .off = made.len };
	return &made.steps[made.step_cnt++];
}

static void make(const char *input)
{
	struct step *step;

	made.len = 0;
	made.step_cnt = 0;
	step = add_step();
	while (*input) {
		const char *end = input + strcspn(input, " ");

		if (!strncmp(input, "skip:", 5)) {
			add_step()->skip_bytes = strtoull(input + 5, NULL, 10);
			step = add_step();
		} else if (*input == '|') {
			step = add_step();
		} else if (*input == '=') {
			add_payload(input + 1, end);
		} else if (*input == 'M') {
			memcpy(made.bytes + made.len, HT_HTTP2_PREFACE, HT_HTTP2_PREFACE_BYTES);
			made.len += HT_HTTP2_PREFACE_BYTES;
		} else {
			add_frame(input, end);
		}
		step->len = made.len - step->off;
		input = end + strspn(end, " ");
	}
}

/* Feeds a copy that ends where reading faults, then wipes it: nothing may point into it any more. */
static size_t feed_guarded(struct ht_http2 *reader, const void *data, size_t len)
{
	unsigned char *copy = guarded(data, len);
	size_t n = ht_http2_feed(reader, copy, len);

	assert_true(n <= len);
	memset(copy, '#', len);
	return n;
}

/* --- the tables ------------------------------------------------------------------------------------------------------------------- */

static void check(const struct frame_case *c, struct ht_http2 *reader, struct recorder *rec, size_t first, size_t step)
{
	put_data(rec);
	if (strcmp(rec->told.text, c->expected) != 0)
		fail_msg("%s (cut at %zu, then every %zu):\n got      %s\n expected %s", c->why, first, step, rec->told.text, c->expected);
	assert_int_equal(ht_http2_error_of(reader) != HT_HTTP2_OK, rec->has_error);
	/* Deaf after an error. */
	if (rec->has_error) {
		assert_false(ht_http2_is_between_frames(reader) || ht_http2_is_in_sync(reader));
		assert_int_equal(feed_guarded(reader, HT_HTTP2_PREFACE, HT_HTTP2_PREFACE_BYTES), HT_HTTP2_PREFACE_BYTES);
		assert_int_equal(ht_http2_skip(reader, 7), 7);
		assert_string_equal(rec->told.text, c->expected);
	}
}

/* Cuts the stream at first, and from there on into pieces of step bytes. */
static void run_cut(const struct frame_case *c, size_t first, size_t step)
{
	struct recorder rec;
	struct ht_http2 *reader = new_reader(c->side, true, &rec);
	size_t off = 0;
	size_t piece = first;

	while (off < made.len && !rec.has_error) {
		size_t n;

		if (piece > made.len - off)
			piece = made.len - off;
		n = feed_guarded(reader, made.bytes + off, piece);
		assert_true(n == piece || rec.has_error);
		off += piece;
		piece = step;
	}
	check(c, reader, &rec, first, step);
	assert_true(rec.has_error || ht_http2_is_between_frames(reader));
	ht_http2_free(reader);
}

static void run_every_cut(const struct frame_case *cases, size_t cnt)
{
	static const size_t steps[] = { 1, 2, 3, 5, 7 };
	size_t i, k;

	for (i = 0; i < cnt; i++) {
		make(cases[i].input);
		for (k = 0; k <= made.len; k++)
			run_cut(&cases[i], k ? k : made.len, made.len);
		for (k = 0; k < ARRAY_SIZE(steps); k++)
			run_cut(&cases[i], steps[k], steps[k]);
	}
}

static void run_steps(const struct frame_case *c, bool is_from_start)
{
	struct recorder rec;
	struct ht_http2 *reader = new_reader(c->side, is_from_start, &rec);
	size_t i;

	make(c->input);
	for (i = 0; i < made.step_cnt; i++) {
		const struct step *step = &made.steps[i];

		if (step->skip_bytes)
			assert_int_equal(ht_http2_skip(reader, step->skip_bytes), step->skip_bytes);
		else if (step->len)
			feed_guarded(reader, made.bytes + step->off, step->len);
	}
	check(c, reader, &rec, 0, 0);
	ht_http2_free(reader);
}

static void test_well_formed(void **state)
{
	(void)state;
	run_every_cut(well_formed, ARRAY_SIZE(well_formed));
}

static void test_broken(void **state)
{
	(void)state;
	run_every_cut(broken, ARRAY_SIZE(broken));
}

static void test_stream_errors(void **state)
{
	(void)state;
	run_every_cut(stream_errors, ARRAY_SIZE(stream_errors));
}

static void test_gaps(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(gaps); i++)
		run_steps(&gaps[i], true);
}

static void test_late(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(late); i++)
		run_steps(&late[i], false);
}

/* --- the rest --------------------------------------------------------------------------------------------------------------------- */

static void feed_words(struct ht_http2 *reader, const char *input)
{
	make(input);
	feed_guarded(reader, made.bytes, made.len);
}

/* 82 86 84, then a literal of name "a" that is not indexed, as long as it takes; in frames. Into made. */
static void make_large_block(size_t block_bytes, size_t frame_bytes)
{
	static const unsigned char start[] = { 0x82, 0x86, 0x84, 0, 1, 'a', 0x7f };
	static unsigned char block[STREAM_BYTES];
	size_t value_bytes = block_bytes - sizeof(start) - 3;
	size_t rest = value_bytes - 0x7f;
	size_t off, i;

	assert_true(block_bytes < sizeof(block));
	memset(block, 'v', block_bytes);
	memcpy(block, start, sizeof(start));
	for (i = 0; i < 3; i++)
		block[sizeof(start) + i] = (unsigned char)((rest >> (7 * i) & 0x7f) | (i < 2 ? 0x80 : 0));
	make("M SETTINGS@0");
	for (off = 0; off < block_bytes; off += frame_bytes) {
		size_t n = block_bytes - off < frame_bytes ? block_bytes - off : frame_bytes;
		char word[64];

		snprintf(word, sizeof(word), "%s+%02x@1#%zu", off ? "CONTINUATION" : "HEADERS",
			 (off ? 0 : 1) | (off + n == block_bytes ? 4 : 0), n);
		add_frame(word, word + strlen(word));
		assert_true(made.len + n <= sizeof(made.bytes));
		memcpy(made.bytes + made.len, block + off, n);
		made.len += n;
	}
}

static void test_block_limit(void **state)
{
	static const struct {
		const char *why;
		size_t block_bytes;
		size_t frame_bytes;
		bool is_complete;
	} cases[] = {
		{ "in one frame", HT_HTTP2_MAX_BLOCK_BYTES, 1 << 20, true },
		{ "in many frames", HT_HTTP2_MAX_BLOCK_BYTES, 1000, true },
		{ "one byte more, in one frame", HT_HTTP2_MAX_BLOCK_BYTES + 1, 1 << 20, false },
		{ "one byte more, in many frames", HT_HTTP2_MAX_BLOCK_BYTES + 1, 1000, false },
		{ "one byte more, in a frame of its own", HT_HTTP2_MAX_BLOCK_BYTES + 1, HT_HTTP2_MAX_BLOCK_BYTES, false },
		{ "far more", HT_HTTP2_MAX_BLOCK_BYTES + 30000, 16384, false },
	};
	static const size_t pieces[] = { 200000, 8192, 999 };
	size_t i, k, off;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (k = 0; k < ARRAY_SIZE(pieces); k++) {
			struct recorder rec;
			struct ht_http2 *reader = new_reader(HT_HTTP2_CLIENT, true, &rec);

			make_large_block(cases[i].block_bytes, cases[i].frame_bytes);
			for (off = 0; off < made.len; off += pieces[k])
				feed_guarded(reader, made.bytes + off, made.len - off < pieces[k] ? made.len - off : pieces[k]);
			if (rec.is_complete != cases[i].is_complete || rec.field_cnt != (cases[i].is_complete ? 4 : 0))
				fail_msg("%s, pieces of %zu: %zu fields", cases[i].why, pieces[k], rec.field_cnt);
			assert_int_equal(rec.block_bytes, cases[i].block_bytes);
			assert_int_equal(ht_http2_is_table_known(reader), cases[i].is_complete);
			assert_true(ht_http2_is_between_frames(reader) && ht_http2_is_in_sync(reader));
			/* Reading goes on. */
			rec.told.len = 0;
			feed_words(reader, "HEADERS+05@3:" GET);
			assert_string_equal(rec.told.text, "<3[3 " GET_FIELDS "]$>3");
			ht_http2_free(reader);
		}
	}
}

/* One byte a field: what is kept of them has a limit, and the table stays right. */
static void test_field_limits(void **state)
{
	struct recorder rec;
	struct ht_http2 *reader = new_reader(HT_HTTP2_CLIENT, true, &rec);
	char input[16384];
	size_t i, len;

	(void)state;
	/* A field of 3,000 bytes into the table, then as often as fits, and far more often. */
	feed_words(reader, "M SETTINGS@0 HEADERS+05@1:" GET "40016b7fb916*3000");
	assert_true(rec.is_complete && rec.field_cnt == 4);
	len = (size_t)snprintf(input, sizeof(input), "HEADERS+05@3:" GET);
	for (i = 0; i < 5000; i++)
		len += (size_t)snprintf(input + len, sizeof(input) - len, "be");
	feed_words(reader, input);
	assert_false(rec.is_complete);
	assert_true(rec.field_cnt > 3 && rec.field_cnt <= 3 + HT_HPACK_MAX_BLOCK_BYTES / 3000);
	len = (size_t)snprintf(input, sizeof(input), "HEADERS+05@5:" GET);
	for (i = 0; i < 5000; i++)
		len += (size_t)snprintf(input + len, sizeof(input) - len, "90");
	feed_words(reader, input);
	assert_false(rec.is_complete);
	assert_int_equal(rec.field_cnt, HT_HPACK_MAX_FIELDS);
	assert_true(ht_http2_is_table_known(reader));
	feed_words(reader, "HEADERS+05@7:" GET "be");
	assert_true(rec.is_complete && rec.field_cnt == 4);
	assert_false(rec.has_error);
	ht_http2_free(reader);
}

static void test_queries(void **state)
{
	struct recorder rec;
	struct ht_http2 *reader = new_reader(HT_HTTP2_CLIENT, true, &rec);

	(void)state;
	assert_true(ht_http2_is_between_frames(reader) && ht_http2_is_in_sync(reader) && ht_http2_is_table_known(reader));
	feed_words(reader, "=50");
	assert_false(ht_http2_is_between_frames(reader));
	ht_http2_reset(reader, true);
	feed_words(reader, FROM_C "HEADERS+01@1:828684");
	/* The block goes on: nothing but its CONTINUATION may come. */
	assert_false(ht_http2_is_between_frames(reader));
	feed_words(reader, "CONTINUATION+04@1");
	assert_true(ht_http2_is_between_frames(reader));
	assert_int_equal(rec.block_bytes, 3);
	feed_words(reader, "DATA@3");
	assert_int_equal(ht_http2_error_of(reader), HT_HTTP2_IDLE_STREAM);
	ht_http2_reset(reader, false);
	assert_int_equal(ht_http2_error_of(reader), HT_HTTP2_OK);
	assert_false(ht_http2_is_between_frames(reader) || ht_http2_is_in_sync(reader) || ht_http2_is_table_known(reader));
	feed_words(reader, "HEADERS+05@1:" GET);
	assert_true(ht_http2_is_between_frames(reader) && ht_http2_is_in_sync(reader));
	assert_int_equal(ht_http2_skip(reader, 0), 0);
	assert_true(ht_http2_is_in_sync(reader));
	ht_http2_free(reader);
	ht_http2_free(NULL);
}

/* The streams that a side ended last are remembered, a fixed number of them. */
static void test_ended_streams(void **state)
{
	struct recorder rec;
	struct ht_http2 *reader = new_reader(HT_HTTP2_CLIENT, true, &rec);
	char word[64];
	unsigned int id;

	(void)state;
	feed_words(reader, FROM_C);
	for (id = 1; id < 2000; id += 2) {
		snprintf(word, sizeof(word), "HEADERS+05@%u:" GET, id);
		feed_words(reader, word);
		rec.told.len = 0;
		if (id < 5)
			continue;
		snprintf(word, sizeof(word), "DATA@%u:*1", id - 4);
		feed_words(reader, word);
		snprintf(word, sizeof(word), "!%u:stream_closed", id - 4);
		assert_string_equal(rec.told.text, word);
		rec.told.len = 0;
	}
	ht_http2_free(reader);
}

/* Every pointer of the events may be NULL. */
static void test_no_callbacks(void **state)
{
	static const struct ht_http2_events none;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(well_formed) + ARRAY_SIZE(stream_errors) + ARRAY_SIZE(gaps); i++) {
		const struct frame_case *c = i < ARRAY_SIZE(well_formed) ? &well_formed[i]
					     : i - ARRAY_SIZE(well_formed) < ARRAY_SIZE(stream_errors)
						     ? &stream_errors[i - ARRAY_SIZE(well_formed)]
						     : &gaps[i - ARRAY_SIZE(well_formed) - ARRAY_SIZE(stream_errors)];
		struct ht_http2 *reader = ht_http2_new(c->side, true, &none, NULL);

		assert_non_null(reader);
		make(c->input);
		for (k = 0; k < made.step_cnt; k++) {
			ht_http2_feed(reader, made.bytes + made.steps[k].off, made.steps[k].len);
			ht_http2_skip(reader, made.steps[k].skip_bytes);
		}
		assert_int_equal(ht_http2_error_of(reader), HT_HTTP2_OK);
		ht_http2_free(reader);
	}
}

static void test_probe(void **state)
{
	static const struct {
		const char *why;
		enum ht_http2_side side;
		const char *input;
		int expected;
	} cases[] = {
		{ "nothing", HT_HTTP2_CLIENT, "", -1 },
		{ "the preface", HT_HTTP2_CLIENT, "M", 1 },
		{ "the preface and more", HT_HTTP2_CLIENT, "M SETTINGS@0", 1 },
		{ "a part of it", HT_HTTP2_CLIENT, "=505249202a", -1 },
		{ "not a preface", HT_HTTP2_CLIENT, "=5055", 0 },
		{ "a server sends none", HT_HTTP2_SERVER, "M", 0 },
		{ "a server's first frame", HT_HTTP2_SERVER, "SETTINGS@0:000300000064", 1 },
		{ "a GREASE setting", HT_HTTP2_CLIENT, "SETTINGS@0:0a0a00000064", 1 },
		{ "a setting that there is not", HT_HTTP2_SERVER, "SETTINGS@0:00ff00000064", 0 },
		{ "its header only", HT_HTTP2_SERVER, "SETTINGS@0#6:", -1 },
		{ "a header that is not whole", HT_HTTP2_SERVER, "=0000060400000000", -1 },
		{ "one frame", HT_HTTP2_CLIENT, "HEADERS+05@1:" GET, 1 },
		{ "one that is longer than the piece", HT_HTTP2_CLIENT, "HEADERS+05@1#4:" GET, -1 },
		{ "and then the begin of another", HT_HTTP2_CLIENT, "HEADERS+05@1:" GET " =00", -1 },
		{ "two, and the begin of a third", HT_HTTP2_CLIENT, "HEADERS+05@1:" GET " PING@0:*8 =00", 1 },
		{ "the second is none", HT_HTTP2_CLIENT, "HEADERS+05@1:" GET " =616263646566676869", 0 },
		{ "the second of another side", HT_HTTP2_CLIENT, "HEADERS+05@1:" GET " HEADERS+05@2:" GET, 0 },
		{ "three; behind them may be a frame of an unknown type", HT_HTTP2_CLIENT,
		  "HEADERS+05@1:" GET " PING@0:*8 PING@0:*8 ALTSVC@0:*5", 1 },
		{ "an undefined flag", HT_HTTP2_CLIENT, "HEADERS+15@1:" GET, 0 },
		{ "larger than what every endpoint takes", HT_HTTP2_CLIENT, "DATA@1#16385:*3", 0 },
		{ "as large", HT_HTTP2_CLIENT, "DATA@1#16384:*3", -1 },
		{ "the reserved bit", HT_HTTP2_CLIENT, "HEADERS+05@2147483649:" GET, 0 },
		{ "more padding than payload", HT_HTTP2_CLIENT, "HEADERS+0d@1:05828684", 0 },
		{ "an empty DATA", HT_HTTP2_CLIENT, "DATA@1", 0 },
		{ "the empty DATA that ends a stream", HT_HTTP2_CLIENT, "DATA+01@1", -1 },
		{ "two of them", HT_HTTP2_CLIENT, "DATA+01@1 DATA+01@3", -1 },
		{ "one behind another frame", HT_HTTP2_CLIENT, "PING@0:*8 DATA+01@1", 1 },
		{ "one behind small DATA", HT_HTTP2_CLIENT, "DATA@1:*4 DATA+01@1", -1 },
		{ "small DATA", HT_HTTP2_CLIENT, "DATA@1:*4", -1 },
		{ "much of it", HT_HTTP2_CLIENT, "DATA@1:*4 DATA@1:*4 DATA@1:*4 DATA@1:*4", -1 },
		{ "larger DATA", HT_HTTP2_CLIENT, "DATA@1:*64", -1 },
		{ "two of it", HT_HTTP2_CLIENT, "DATA@1:*64 DATA@1:*64", -1 },
		{ "and other frames: these may be real, and it not", HT_HTTP2_CLIENT, "DATA@1:*64 HEADERS+04@3:" GET " PING@0:*8", -1 },
		{ "another frame, and DATA that is cut", HT_HTTP2_CLIENT, "HEADERS+04@3:" GET " DATA@1#64:", 1 },
		{ "another frame, and small DATA that is cut", HT_HTTP2_CLIENT, "HEADERS+04@3:" GET " DATA@1#63:", -1 },
		{ "an empty SETTINGS", HT_HTTP2_SERVER, "SETTINGS@0", -1 },
		{ "a pushed stream", HT_HTTP2_SERVER, "HEADERS+05@2:88", 0 },
		{ "CONTINUATION", HT_HTTP2_CLIENT, "CONTINUATION+04@1:82", 0 },
		{ "HEADERS without its CONTINUATION", HT_HTTP2_CLIENT, "HEADERS@1:82 PING@0:*8", 0 },
		{ "WINDOW_UPDATE by 0", HT_HTTP2_CLIENT, "WINDOW_UPDATE@1:00000000", 0 },
		{ "GOAWAY with a code that there is not", HT_HTTP2_SERVER, "GOAWAY@0:0000000100000099", 0 },
		{ "HTTP/1", HT_HTTP2_SERVER, "=485454502f312e3120323030", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int got;

		make(cases[i].input);
		got = ht_http2_probe(cases[i].side, guarded(made.bytes, made.len), made.len);
		if (got != cases[i].expected)
			fail_msg("%s: %d, not %d", cases[i].why, got, cases[i].expected);
	}
}

static void test_names(void **state)
{
	int error;

	(void)state;
	for (error = HT_HTTP2_OK; error <= HT_HTTP2_STREAM_CLOSED; error++) {
		assert_non_null(ht_http2_error_name(error));
		assert_int_equal(!ht_http2_error_code(error), error == HT_HTTP2_OK);
		assert_non_null(ht_http2_code_name(ht_http2_error_code(error)));
	}
	assert_string_equal(ht_http2_error_name(HT_HTTP2_STREAM_CLOSED + 1), "unknown");
	assert_string_equal(ht_http2_code_name(0), "NO_ERROR");
	assert_string_equal(ht_http2_code_name(7), "REFUSED_STREAM");
	assert_string_equal(ht_http2_code_name(8), "CANCEL");
	assert_string_equal(ht_http2_code_name(0xd), "HTTP_1_1_REQUIRED");
	assert_null(ht_http2_code_name(0xe));
	assert_null(ht_http2_code_name(UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well_formed),  cmocka_unit_test(test_broken),  cmocka_unit_test(test_stream_errors),
		cmocka_unit_test(test_gaps),         cmocka_unit_test(test_late),    cmocka_unit_test(test_block_limit),
		cmocka_unit_test(test_field_limits), cmocka_unit_test(test_queries), cmocka_unit_test(test_ended_streams),
		cmocka_unit_test(test_no_callbacks), cmocka_unit_test(test_probe),   cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, guard_set_up, guard_tear_down);
}
