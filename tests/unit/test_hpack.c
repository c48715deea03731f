/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_hpack.c - the header table where blocks were missed: long runs of random blocks, joined at every point, with blocks lost. Each
 * field that is told must be the one that was sent; which ones are, is as many as can be.
 *
 * Two encoders: libnghttp2's, as it is used; and one of our own that does, at random, all that RFC 7541 allows (libnghttp2's never adds
 * what does not fit, and names an entry only by its whole field or its name alone).
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

#include "proto/hpack.h"

#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))
#define BLOCKS           150
#define MAX_FIELDS       12
#define MAX_VALUE_BYTES  6000
#define MAX_BLOCK_BYTES  (MAX_FIELDS * (MAX_VALUE_BYTES + 200))
#define MAX_ENTRIES      4096
#define STATIC_ENTRIES   61
#define ENTRY_OVERHEAD   32
#define LEAST_NAME_BYTES 2 /* of names that are no pseudo-headers */

struct text {
	char *ptr;
	size_t len;
};

struct field {
	struct text name;
	struct text value;
};

struct sent {
	struct field fields[MAX_FIELDS];
	size_t field_cnt;
	unsigned char *block;
	size_t len;
};

struct run {
	struct sent blocks[BLOCKS];
	size_t cnt;
};

static struct run run;

/* --- chance --------------------------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

/* xorshift64*: the same on every machine. */
static uint32_t below(uint32_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dULL) >> 32) % limit;
}

static struct text make_text(size_t len, char first)
{
	struct text text = { malloc(len + 1), len };
	size_t i;

	assert_non_null(text.ptr);
	for (i = 0; i < len; i++)
		text.ptr[i] = (char)('a' + below(26));
	if (len)
		text.ptr[0] = first;
	text.ptr[len] = 0;
	return text;
}

static struct text copy_text(const char *ptr, size_t len)
{
	struct text text = { malloc(len + 1), len };

	assert_non_null(text.ptr);
	if (len)
		memcpy(text.ptr, ptr, len);
	text.ptr[len] = 0;
	return text;
}

/* Often one that was there before; short, long, and some that fit no small table. */
static struct field make_field(void)
{
	static const char *const names[] = { "cookie", "user-agent", "etag", ":path", "date", "accept" };
	struct field field;
	uint32_t kind = below(10);

	if (kind < 6) {
		const char *name = names[below(ARRAY_SIZE(names))];

		field.name = copy_text(name, strlen(name));
		field.value = make_text(1, (char)('a' + below(6)));
		return field;
	}
	field.name = make_text(LEAST_NAME_BYTES + below(20), 'x');
	field.value = make_text(kind < 9 ? below(40) : below(20) ? below(400) : below(MAX_VALUE_BYTES), 'v');
	return field;
}

static void free_run(void)
{
	size_t i, k;

	for (i = 0; i < run.cnt; i++) {
		for (k = 0; k < run.blocks[i].field_cnt; k++) {
			free(run.blocks[i].fields[k].name.ptr);
			free(run.blocks[i].fields[k].value.ptr);
		}
		free(run.blocks[i].block);
	}
	memset(&run, 0, sizeof(run));
}

/* --- the encoders --------------------------------------------------------------------------------------------------------------------- */

struct setup {
	const char *why;
	uint32_t told_bytes;  /* the limit that the decoder is told: 0 none */
	uint32_t first_bytes; /* the encoder's table at the connection's begin */
	uint32_t least_bytes; /* it changes between these two; equal: never */
	uint32_t most_bytes;
	bool is_told_enough; /* so that no block is ever left undecoded for certain */
};

static void make_run_nghttp2(const struct setup *setup)
{
	nghttp2_hd_deflater *deflater;
	size_t i, k;

	assert_int_equal(nghttp2_hd_deflate_new(&deflater, setup->most_bytes), 0);
	if (setup->first_bytes != setup->most_bytes)
		assert_int_equal(nghttp2_hd_deflate_change_table_size(deflater, setup->first_bytes), 0);
	for (i = 0; i < BLOCKS; i++) {
		struct sent *sent = &run.blocks[run.cnt++];
		nghttp2_nv nvs[MAX_FIELDS];
		ssize_t len;

		if (setup->least_bytes != setup->most_bytes && below(40) == 0)
			nghttp2_hd_deflate_change_table_size(deflater, setup->least_bytes + below(setup->most_bytes - setup->least_bytes));
		sent->field_cnt = 1 + below(MAX_FIELDS);
		for (k = 0; k < sent->field_cnt; k++) {
			sent->fields[k] = make_field();
			nvs[k] = (nghttp2_nv){ (uint8_t *)sent->fields[k].name.ptr, (uint8_t *)sent->fields[k].value.ptr,
					       sent->fields[k].name.len, sent->fields[k].value.len,
					       below(20) ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX };
		}
		sent->block = malloc(nghttp2_hd_deflate_bound(deflater, nvs, sent->field_cnt));
		assert_non_null(sent->block);
		len = nghttp2_hd_deflate_hd(deflater, sent->block, nghttp2_hd_deflate_bound(deflater, nvs, sent->field_cnt), nvs,
					    sent->field_cnt);
		assert_true(len > 0);
		sent->len = (size_t)len;
	}
	nghttp2_hd_deflate_del(deflater);
}

/* Our own encoder's table, newest first. */
static struct {
	struct field entries[MAX_ENTRIES];
	size_t cnt;
	size_t bytes;
	size_t max_bytes;
} table;

static size_t entry_bytes(const struct field *field)
{
	return field->name.len + field->value.len + ENTRY_OVERHEAD;
}

static void shrink(size_t bytes)
{
	while (table.bytes > bytes)
		table.bytes -= entry_bytes(&table.entries[--table.cnt]);
}

/* RFC 7541 section 4.4: one that is too large empties the table. */
static void add_entry(const struct field *field)
{
	size_t bytes = entry_bytes(field);

	shrink(bytes > table.max_bytes ? 0 : table.max_bytes - bytes);
	if (bytes > table.max_bytes)
		return;
	assert_true(table.cnt < MAX_ENTRIES);
	memmove(&table.entries[1], &table.entries[0], table.cnt++ * sizeof(table.entries[0]));
	table.entries[0] = *field;
	table.bytes += bytes;
}

/* RFC 7541 section 5.1. */
static unsigned char *put_number(unsigned char *out, unsigned int pattern, unsigned int bits, size_t n)
{
	size_t max = (1U << bits) - 1;

	if (n < max) {
		*out++ = (unsigned char)(pattern | n);
		return out;
	}
	*out++ = (unsigned char)(pattern | max);
	for (n -= max; n >= 0x80; n >>= 7)
		*out++ = (unsigned char)(n | 0x80);
	*out++ = (unsigned char)n;
	return out;
}

static unsigned char *put_text(unsigned char *out, struct text text)
{
	out = put_number(out, 0, 7, text.len);
	memcpy(out, text.ptr, text.len);
	return out + text.len;
}

static unsigned char *put_size_update(unsigned char *out, size_t bytes)
{
	shrink(bytes);
	table.max_bytes = bytes;
	return put_number(out, 0x20, 5, bytes);
}

static unsigned char *put_field(unsigned char *out, struct field *field)
{
	static const struct {
		unsigned int pattern;
		unsigned int bits;
	} literals[] = { { 0x40, 6 }, { 0x40, 6 }, { 0x40, 6 }, { 0x00, 4 }, { 0x10, 4 } };
	uint32_t literal = below(ARRAY_SIZE(literals));
	size_t idx = table.cnt ? below((uint32_t)table.cnt) : 0;
	/* The oldest entry tells most about who has evicted it. */
	bool is_oldest = table.cnt && below(8) == 0;

	if (is_oldest)
		idx = table.cnt - 1;
	if (table.cnt && below(3) == 0) {
		field->name = copy_text(table.entries[idx].name.ptr, table.entries[idx].name.len);
		field->value = copy_text(table.entries[idx].value.ptr, table.entries[idx].value.len);
		return put_number(out, 0x80, 7, STATIC_ENTRIES + 1 + idx);
	}
	*field = make_field();
	if (table.cnt && below(2) == 0) {
		free(field->name.ptr);
		field->name = copy_text(table.entries[idx].name.ptr, table.entries[idx].name.len);
		out = put_number(out, literals[literal].pattern, literals[literal].bits, STATIC_ENTRIES + 1 + idx);
	} else {
		*out++ = (unsigned char)literals[literal].pattern;
		out = put_text(out, field->name);
	}
	out = put_text(out, field->value);
	if (literals[literal].pattern == 0x40)
		add_entry(field);
	return out;
}

static void make_run_own(const struct setup *setup)
{
	unsigned char *block = malloc(MAX_BLOCK_BYTES);
	size_t i, k;

	assert_non_null(block);
	memset(&table, 0, sizeof(table));
	table.max_bytes = HT_HPACK_FIRST_TABLE_BYTES;
	for (i = 0; i < BLOCKS; i++) {
		struct sent *sent = &run.blocks[run.cnt++];
		unsigned char *out = block;

		if (i == 0 && setup->first_bytes != table.max_bytes)
			out = put_size_update(out, setup->first_bytes);
		if (setup->least_bytes != setup->most_bytes && below(40) == 0) {
			if (below(2))
				out = put_size_update(out, setup->least_bytes);
			out = put_size_update(out, setup->least_bytes + below(setup->most_bytes - setup->least_bytes + 1));
		}
		sent->field_cnt = 1 + below(MAX_FIELDS);
		for (k = 0; k < sent->field_cnt; k++)
			out = put_field(out, &sent->fields[k]);
		sent->len = (size_t)(out - block);
		assert_true(sent->len <= MAX_BLOCK_BYTES);
		sent->block = malloc(sent->len);
		assert_non_null(sent->block);
		memcpy(sent->block, block, sent->len);
	}
	free(block);
}

/* --- the checks ----------------------------------------------------------------------------------------------------------------------- */

struct outcome {
	size_t known_fields;
	size_t unknown_fields;
	size_t undecoded_blocks;
};

static bool is_text(struct ht_span span, struct text text)
{
	return span.len == text.len && !memcmp(span.ptr, text.ptr, text.len);
}

/* Whatever is told must be what was sent. Returns whether all was. */
static bool decode(struct ht_hpack *hpack, const struct setup *setup, size_t join, size_t i, struct outcome *outcome)
{
	const struct sent *sent = &run.blocks[i];
	struct ht_hpack_block block;
	enum ht_hpack_result result;
	bool was_known = ht_hpack_is_known(hpack);
	bool is_complete;
	size_t k;

	ht_hpack_block_init(&block);
	result = ht_hpack_decode(hpack, sent->block, sent->len, &block);
	if (result == HT_HPACK_BAD || (result == HT_HPACK_UNKNOWN && setup->is_told_enough))
		fail_msg("%s, joined at %zu: block %zu: result %d", setup->why, join, i, result);
	outcome->undecoded_blocks += result == HT_HPACK_UNKNOWN;
	if (result == HT_HPACK_UNKNOWN) {
		assert_true(block.field_cnt == 0 && !block.is_complete);
		assert_false(ht_hpack_is_known(hpack));
		ht_hpack_block_free(&block);
		return false;
	}
	assert_int_equal(block.field_cnt, sent->field_cnt);
	is_complete = true;
	for (k = 0; k < sent->field_cnt; k++) {
		const struct ht_http2_field *field = &block.fields[k];

		is_complete = is_complete && field->is_known;
		outcome->known_fields += field->is_known;
		outcome->unknown_fields += !field->is_known;
		if (field->is_known && !(is_text(field->name, sent->fields[k].name) && is_text(field->value, sent->fields[k].value)))
			fail_msg("%s, joined at %zu: block %zu, field %zu: got %.*s: %.*s, sent %s: %s", setup->why, join, i, k,
				 (int)field->name.len, field->name.ptr, (int)field->value.len, field->value.ptr, sent->fields[k].name.ptr,
				 sent->fields[k].value.ptr);
	}
	assert_int_equal(block.is_complete, is_complete);
	if (was_known && !is_complete && setup->is_told_enough)
		fail_msg("%s, joined at %zu: block %zu is not complete, though the table was known", setup->why, join, i);
	ht_hpack_block_free(&block);
	return is_complete;
}

static const struct setup setups[] = {
	{ "the default table", 0, 4096, 4096, 4096, true },
	{ "a smaller one, from the begin", 0, 500, 500, 500, true },
	{ "a tiny one: many entries do not fit", 0, 120, 120, 120, true },
	{ "no table", 0, 0, 0, 0, true },
	{ "a larger one, whose limit is told", 65536, 65536, 65536, 65536, true },
	{ "a larger one than what is told", 0, 65536, 65536, 65536, false },
	{ "a little larger than what is told", 0, 5000, 5000, 5000, false },
	{ "sizes that change", 0, 4096, 64, 4096, true },
	{ "sizes that change, down to nothing", 0, 4096, 0, 4096, true },
	{ "sizes that change, up to a larger limit that is told", 20000, 4096, 1000, 20000, true },
	{ "sizes that change, up to a larger limit", 0, 4096, 1000, 20000, false },
};

static struct ht_hpack *new_table(const struct setup *setup, bool is_known)
{
	struct ht_hpack *hpack = ht_hpack_new(is_known);

	assert_non_null(hpack);
	ht_hpack_limit(hpack, setup->told_bytes);
	ht_hpack_limit(hpack, 100);
	return hpack;
}

static void check_from_start(const struct setup *setup)
{
	struct ht_hpack *hpack = new_table(setup, true);
	struct outcome outcome = { 0 };
	size_t i;

	for (i = 0; i < run.cnt; i++) {
		if (!decode(hpack, setup, 0, i, &outcome) || !ht_hpack_is_known(hpack))
			fail_msg("%s: block %zu is not complete, from the connection's begin", setup->why, i);
	}
	ht_hpack_free(hpack);
}

/* has_static_names: no entry takes the name of another that is not static. An unknown name could else be handed on for ever. */
static void check_joined(const struct setup *setup, bool has_static_names)
{
	bool is_turning;
	size_t join, i;

	for (join = 1; join < run.cnt; join++) {
		struct ht_hpack *hpack = new_table(setup, false);
		struct outcome outcome = { 0 };

		for (i = join; i < run.cnt; i++)
			decode(hpack, setup, join, i, &outcome);
		/* Half a run turns the default table over many times. To a table of no size nothing is added. */
		is_turning = join < BLOCKS / 2 && setup->most_bytes > 0 && setup->most_bytes <= 4096;
		if (is_turning && has_static_names && !ht_hpack_is_known(hpack))
			fail_msg("%s, joined at %zu: the table is not known after %zu blocks", setup->why, join, i - join);
		if (outcome.undecoded_blocks > 20)
			fail_msg("%s, joined at %zu: %zu blocks were not decoded", setup->why, join, outcome.undecoded_blocks);
		if (is_turning && has_static_names && outcome.known_fields < 4 * outcome.unknown_fields)
			fail_msg("%s, joined at %zu: %zu fields known, %zu not", setup->why, join, outcome.known_fields,
				 outcome.unknown_fields);
		ht_hpack_free(hpack);
	}
}

/* Blocks are missed now and then. */
static void check_losses(const struct setup *setup)
{
	struct ht_hpack *hpack = new_table(setup, true);
	struct outcome outcome = { 0 };
	size_t i, lost_cnt = 0;

	for (i = 0; i < run.cnt; i++) {
		if (below(30) == 0) {
			ht_hpack_forget(hpack);
			assert_false(ht_hpack_is_known(hpack));
			lost_cnt++;
			continue;
		}
		decode(hpack, setup, i, i, &outcome);
	}
	assert_true(lost_cnt > 0 && outcome.known_fields > 0);
	ht_hpack_free(hpack);
}

static void run_all(void (*make_run)(const struct setup *setup))
{
	size_t i, seed;

	free_run();
	for (i = 0; i < ARRAY_SIZE(setups); i++) {
		for (seed = 1; seed <= 2; seed++) {
			random_state = seed * 0x9e3779b97f4a7c15ULL + i;
			make_run(&setups[i]);
			check_from_start(&setups[i]);
			check_joined(&setups[i], make_run == make_run_nghttp2);
			check_losses(&setups[i]);
			free_run();
		}
	}
}

static void test_nghttp2(void **state)
{
	(void)state;
	run_all(make_run_nghttp2);
}

static void test_own(void **state)
{
	(void)state;
	run_all(make_run_own);
}

/* A name that only our placeholders have is a name like others where there are none. */
static void test_placeholder_name(void **state)
{
	struct ht_hpack *hpack = ht_hpack_new(true);
	struct ht_hpack_block block;

	(void)state;
	assert_non_null(hpack);
	ht_hpack_block_init(&block);
	assert_int_equal(ht_hpack_decode(hpack, "\x40\x01?\x01x", 5, &block), HT_HPACK_OK);
	assert_true(block.field_cnt == 1 && block.is_complete && block.fields[0].is_known);
	ht_hpack_block_free(&block);
	assert_int_equal(ht_hpack_decode(hpack, "\xbe", 1, &block), HT_HPACK_OK);
	assert_true(block.is_complete && block.fields[0].value.len == 1 && *block.fields[0].value.ptr == 'x');
	ht_hpack_block_free(&block);
	/* Nothing more after an error. */
	assert_int_equal(ht_hpack_decode(hpack, "\xbf", 1, &block), HT_HPACK_BAD);
	assert_true(block.field_cnt == 0 && !block.is_complete);
	assert_int_equal(ht_hpack_decode(hpack, "\xbe", 1, &block), HT_HPACK_BAD);
	ht_hpack_reset(hpack, true);
	assert_int_equal(ht_hpack_decode(hpack, "\x82", 1, &block), HT_HPACK_OK);
	ht_hpack_block_free(&block);
	ht_hpack_free(hpack);
	ht_hpack_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nghttp2),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_placeholder_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
