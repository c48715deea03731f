/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_websocket.c - the WebSocket frame counter: every stream of the table at every split, and byte by byte; lengths that no memory holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/websocket.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_BYTES     512

#define CLI HT_WEBSOCKET_CLIENT
#define SRV HT_WEBSOCKET_SERVER

/*
 * input: bytes in hexadecimal, ~N: N bytes that were not captured. expected: frames, control frames among them, bytes of data, then the close
 * frame's code, or "open", then an error.
 */
static const struct stream_case {
	const char *why;
	enum ht_websocket_side side;
	bool has_extensions;
	const char *input;
	const char *expected;
} cases[] = {
	/* RFC 6455 section 5.7. */
	{ "the RFC's unmasked text", SRV, false, "81 05 48656c6c6f", "1 0 5 open" },
	{ "the RFC's masked text", CLI, false, "81 85 37fa213d 7f9f4d5158", "1 0 5 open" },
	{ "the RFC's fragmented text", SRV, false, "01 03 48656c 80 02 6c6f", "2 0 5 open" },
	{ "the RFC's ping and masked pong", SRV, false, "89 05 48656c6c6f", "1 1 0 open" },
	{ "the RFC's masked pong", CLI, false, "8a 85 37fa213d 7f9f4d5158", "1 1 0 open" },
	{ "256 bytes: length in two bytes", SRV, false, "82 7e 0100 ~256", "1 0 256 open" },
	{ "65536 bytes: length in eight", SRV, false, "82 7f 0000000000010000 ~65536", "1 0 65536 open" },
	{ "the same, masked", CLI, false, "82 fe 0100 37fa213d ~256 82 ff 0000000000010000 37fa213d ~65536", "2 0 65792 open" },

	{ "nothing", SRV, false, "", "0 0 0 open" },
	{ "an empty message", SRV, false, "81 00", "1 0 0 open" },
	{ "an empty masked message, and another", CLI, false, "81 80 00000000 82 80 01020304", "2 0 0 open" },
	{ "a header alone is no frame yet", SRV, false, "81 05", "0 0 0 open" },
	{ "a frame under way: its bytes so far", SRV, false, "81 05 4865", "0 0 2 open" },
	{ "a ping between fragments", SRV, false, "01 01 61 89 00 80 01 62", "3 1 2 open" },
	{ "a length in more bytes than it needs", SRV, false, "81 7e 0001 61 81 7f 0000000000000001 62", "2 0 2 open" },
	{ "the longest control frame", SRV, false, "89 7d ~125 81 01 61", "2 1 1 open" },
	{ "payload partly captured", SRV, false, "81 05 4865 ~2 6c 81 01 61", "2 0 6 open" },

	{ "close with a code", SRV, false, "88 02 03e8", "1 1 0 1000" },
	{ "close through the mask", CLI, false, "88 82 37fa213d 3412", "1 1 0 1000" },
	{ "close through the mask, with a reason", CLI, false, "88 86 01020304 02eb615e6361", "1 1 0 1001" },
	{ "a private code", SRV, false, "81 01 61 88 04 0fa16f6b", "2 1 1 4001" },
	{ "close without a code", SRV, false, "88 00", "1 1 0 1005" },
	{ "masked close without a code", CLI, false, "88 80 37fa213d", "1 1 0 1005" },
	{ "close whose code was not captured", SRV, false, "88 02 ~2", "1 1 0 0" },
	{ "close of whose code half was captured", SRV, false, "88 02 03 ~1", "1 1 0 0" },
	{ "close whose reason alone was not captured", SRV, false, "88 06 03e8 ~4", "1 1 0 1000" },
	{ "a close under way", SRV, false, "88 04 03e8 6f", "0 0 0 open" },
	{ "what follows a close is nothing", SRV, false, "88 02 03e8 81 01 61 ff ff", "1 1 0 1000" },
	{ "what follows a close is nothing, captured or not", SRV, false, "88 02 03e8 ~70000", "1 1 0 1000" },

	{ "compressed, as agreed (RFC 7692: RSV1)", SRV, true, "c1 07 f248cdc9c90700", "1 0 7 open" },
	{ "reserved bits of an extension nobody knows", CLI, true, "f2 80 00000000", "1 0 0 open" },
	{ "reserved bit without an extension", SRV, false, "81 01 61 c1 01 61", "1 0 1 open bad_reserved" },
	{ "opcode 3 is reserved", SRV, false, "83 01 61", "0 0 0 open bad_opcode" },
	{ "opcode 7 is reserved", SRV, true, "87 01 61", "0 0 0 open bad_opcode" },
	{ "opcode 11 is reserved", SRV, false, "8b 00", "0 0 0 open bad_opcode" },
	{ "opcode 15 is reserved", CLI, false, "8f 80 00000000", "0 0 0 open bad_opcode" },
	{ "a server that masks", SRV, false, "81 81 00000000 61", "0 0 0 open bad_mask" },
	{ "a client that does not", CLI, false, "81 01 61", "0 0 0 open bad_mask" },
	{ "a length of 2^63", SRV, false, "82 7f 8000000000000000 61", "0 0 0 open bad_length" },
	{ "a fragmented ping", SRV, false, "09 01 61", "0 0 0 open bad_control" },
	{ "a long ping", SRV, false, "89 7e 007e 61", "0 0 0 open bad_control" },
	{ "a long close", CLI, false, "88 ff 0000000000000080 00000000", "0 0 0 open bad_control" },
	{ "half a code", SRV, false, "88 01 03", "0 0 0 open bad_close" },
	{ "after an error nothing counts", SRV, false, "81 01 61 83 00 81 01 61 88 02 03e8", "1 0 1 open bad_opcode" },

	{ "a whole frame missing", SRV, false, "81 01 61 ~3", "1 0 1 open gap" },
	{ "missing inside a header", SRV, false, "82 7e ~2 61", "0 0 0 open gap" },
	{ "missing beyond the frame's end", SRV, false, "82 04 6161 ~3", "1 0 4 open gap" },
	{ "missing up to the frame's very end", SRV, false, "82 04 6161 ~2 81 01 61", "2 0 5 open" },
};

struct stream {
	struct {
		uint64_t skip; /* 0: bytes */
		uint8_t bytes[MAX_BYTES];
		size_t len;
	} parts[16];
	size_t part_cnt;
	size_t len; /* of all parts */
};

static unsigned int digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void read_stream(const char *text, struct stream *s)
{
	*s = (struct stream){ 0 };
	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		if (*text == '~') {
			char *end;

			s->parts[s->part_cnt].skip = strtoull(text + 1, &end, 10);
			s->part_cnt++;
			text = end;
			continue;
		}
		if (!s->part_cnt || s->parts[s->part_cnt - 1].skip)
			s->part_cnt++;
		s->parts[s->part_cnt - 1].bytes[s->parts[s->part_cnt - 1].len++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
	assert_true(s->part_cnt <= ARRAY_SIZE(s->parts));
	for (size_t i = 0; i < s->part_cnt; i++)
		s->len += s->parts[i].skip ? (size_t)s->parts[i].skip : s->parts[i].len;
}

/* Feeds the bytes [from, to) of the stream; each piece is a block of its own, so that reading behind it is seen by the sanitizer. */
static void feed_range(struct ht_websocket *r, const struct stream *s, size_t from, size_t to)
{
	size_t at = 0;

	for (size_t i = 0; i < s->part_cnt; i++) {
		size_t len = s->parts[i].skip ? (size_t)s->parts[i].skip : s->parts[i].len;
		size_t begin = from > at ? from - at : 0;
		size_t end = to < at + len ? to > at ? to - at : 0 : len;

		if (begin < end && s->parts[i].skip) {
			ht_websocket_skip(r, end - begin);
		} else if (begin < end) {
			uint8_t *copy = malloc(end - begin);

			assert_non_null(copy);
			memcpy(copy, s->parts[i].bytes + begin, end - begin);
			ht_websocket_feed(r, copy, end - begin);
			free(copy);
		}
		at += len;
	}
}

static void check(const struct stream_case *c, const struct ht_websocket *r, const char *how)
{
	char text[128], close[16] = "open";

	if (r->is_closed)
		snprintf(close, sizeof(close), "%u", r->close_code);
	else
		assert_int_equal(r->close_code, 0);
	snprintf(text, sizeof(text), "%llu %llu %llu %s%s%s", (unsigned long long)r->frame_cnt, (unsigned long long)r->control_cnt,
		 (unsigned long long)r->data_bytes, close, r->error ? " " : "", r->error ? ht_websocket_error_name(r->error) : "");
	if (strcmp(text, c->expected) != 0)
		fail_msg("%s (%s):\n got      %s\n expected %s", c->why, how, text, c->expected);
}

static void at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct stream_case *c = &cases[i];
		struct ht_websocket r;
		struct stream s;
		char how[64];

		read_stream(c->input, &s);
		for (size_t at = 0; at <= s.len; at += at < 2048 ? 1 : 997) {
			ht_websocket_init(&r, c->side, c->has_extensions);
			feed_range(&r, &s, 0, at);
			feed_range(&r, &s, at, s.len);
			snprintf(how, sizeof(how), "cut at %zu", at);
			check(c, &r, how);
		}
		for (size_t step = 1; step <= 7; step += 2) {
			ht_websocket_init(&r, c->side, c->has_extensions);
			for (size_t at = 0; at < s.len; at += step)
				feed_range(&r, &s, at, at + step < s.len ? at + step : s.len);
			snprintf(how, sizeof(how), "in pieces of %zu", step);
			check(c, &r, how);
		}
	}
}

/* The longest frame there is: no memory, no time, no overflow; data_bytes is exact. */
static void the_longest_frame(void **state)
{
	static const uint8_t header[] = { 0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct ht_websocket r;

	(void)state;
	ht_websocket_init(&r, SRV, false);
	ht_websocket_feed(&r, header, sizeof(header));
	ht_websocket_skip(&r, INT64_MAX - 1);
	assert_int_equal(r.frame_cnt, 0);
	ht_websocket_skip(&r, 1);
	assert_int_equal(r.frame_cnt, 1);
	assert_int_equal(r.error, HT_WEBSOCKET_OK);
	assert_true(r.data_bytes == INT64_MAX);
	ht_websocket_skip(&r, 0);
	assert_int_equal(r.error, HT_WEBSOCKET_OK);
	ht_websocket_skip(&r, UINT64_MAX);
	assert_int_equal(r.error, HT_WEBSOCKET_GAP);
}

static void names(void **state)
{
	(void)state;
	for (int error = HT_WEBSOCKET_OK; error <= HT_WEBSOCKET_GAP; error++)
		assert_string_not_equal(ht_websocket_error_name((enum ht_websocket_error)error), "unknown");
	assert_string_equal(ht_websocket_error_name((enum ht_websocket_error)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_every_split),
		cmocka_unit_test(the_longest_frame),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
