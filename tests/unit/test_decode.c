/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_decode.c - order, losses, time, bounds of memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/decode.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- what decode called, as a text --- */

struct calls {
	char text[1024];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void note(struct calls *calls, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(calls->text + calls->len, sizeof(calls->text) - calls->len, format, args);
	va_end(args);
	assert_true(n >= 0 && calls->len + (size_t)n < sizeof(calls->text));
	calls->len += (size_t)n;
}

static void on_record(void *ctx, const struct ht_hdr *rec)
{
	if (rec->cpu == HT_CPU_USER)
		note(ctx, " %llu/u", (unsigned long long)rec->ts_ns);
	else
		note(ctx, " %llu/%u.%llu", (unsigned long long)rec->ts_ns, rec->cpu, (unsigned long long)rec->seq);
}

static void on_loss_begins(void *ctx, uint64_t from_ns, uint64_t until_ns)
{
	note(ctx, " losing(%llu-%llu)", (unsigned long long)from_ns, (unsigned long long)until_ns);
}

static void on_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	note(ctx, " lost(%llu,%llu,%s)", (unsigned long long)ts_ns, (unsigned long long)count, where);
}

static void on_time(void *ctx, uint64_t now_ns)
{
	note(ctx, " time(%llu)", (unsigned long long)now_ns);
}

static void on_end(void *ctx, uint64_t now_ns)
{
	note(ctx, " end(%llu)", (unsigned long long)now_ns);
}

static const struct ht_decode_ops note_ops = {
	.record = on_record, .loss_begins = on_loss_begins, .lost = on_lost, .time = on_time, .end = on_end
};

/* --- order --- */

enum step_kind { OVER, KERNEL, USER, TICK, END, LOST, LOSING, FLUSH, BROKEN, UNKNOWN };

struct step {
	enum step_kind kind;
	uint64_t ts_ns;
	uint32_t cpu;
	uint64_t seq; /* LOST: the count; LOSING: until when */
};

#define K(ts, cpu, seq)              \
	{                            \
		KERNEL, ts, cpu, seq \
	}
#define U(ts)                            \
	{                                \
		USER, ts, HT_CPU_USER, 0 \
	}
#define T(ts)                            \
	{                                \
		TICK, ts, HT_CPU_USER, 0 \
	}
#define E(ts)                           \
	{                               \
		END, ts, HT_CPU_USER, 0 \
	}
#define LO(ts, until)                          \
	{                                      \
		LOSING, ts, HT_CPU_USER, until \
	}
#define L(ts, count)                         \
	{                                    \
		LOST, ts, HT_CPU_USER, count \
	}
#define B(ts, cpu, seq)              \
	{                            \
		BROKEN, ts, cpu, seq \
	}
#define Q(ts, cpu, seq)               \
	{                             \
		UNKNOWN, ts, cpu, seq \
	}
#define F                      \
	{                      \
		FLUSH, 0, 0, 0 \
	}

static const struct {
	const char *why;
	struct step steps[16];
	const char *expected;
	struct ht_decode_counts counts;
} orders[] = {
	{ "nothing is given before its time has been told", { K(10, 0, 0), U(11) }, "", { .records = 2 } },
	{ "a tick gives what is not later than it",
	  { K(10, 0, 0), K(20, 0, 1), K(21, 0, 2), T(20) },
	  " 10/0.0 20/0.1 time(20)",
	  { .records = 3 } },
	{ "what waited comes with the next tick",
	  { K(21, 0, 0), T(20), K(22, 0, 1), T(30) },
	  " time(20)"
	  " 21/0.0 22/0.1 time(30)",
	  { .records = 2 } },
	{ "the order of time, not of arrival",
	  { K(30, 1, 0), K(10, 0, 0), K(20, 2, 0), T(30) },
	  " 10/0.0 20/2.0 30/1.0 time(30)",
	  { .records = 3 } },
	{ "same time: by cpu, then by number",
	  { K(10, 1, 0), K(10, 0, 0), K(10, 1, 1), K(10, 0, 1), U(10), T(10) },
	  " 10/0.0 10/0.1 10/1.0 10/1.1 10/u time(10)",
	  { .records = 5 } },
	{ "a record that waits is sorted against those of the next batch",
	  { K(50, 0, 0), T(20), K(40, 1, 0), T(60) },
	  " time(20) 40/1.0 50/0.0 time(60)",
	  { .records = 2 } },
	{ "a record on a tick's time may come behind it", { T(20), K(20, 0, 0), T(21) }, " time(20) 20/0.0 time(21)", { .records = 1 } },
	{ "a late one is given at once", { T(20), K(19, 0, 0), T(21) }, " time(20) 19/0.0 time(21)", { .records = 1, .late = 1 } },
	{ "time does not go back", { T(20), T(10), T(21) }, " time(20) time(20) time(21)", { 0 } },
	{ "the end gives all, whatever its time",
	  { K(10, 0, 0), K(30, 0, 1), E(20) },
	  " 10/0.0 30/0.1 time(30) end(30)",
	  { .records = 2 } },
	{ "the end is a tick, too", { K(10, 0, 0), E(20) }, " 10/0.0 time(20) end(20)", { .records = 1 } },
	{ "flush: a stream without an end",
	  { K(10, 0, 0), T(10), K(30, 0, 1), K(25, 0, 2), F },
	  " 10/0.0 time(10) 25/0.2 30/0.1 time(30)",
	  { .records = 3 } },
	{ "flush behind the end does nothing", { K(10, 0, 0), E(20), F }, " 10/0.0 time(20) end(20)", { .records = 1 } },
	{ "flush of nothing", { F }, "", { 0 } },
	{ "a gap, told in front of the record behind it",
	  { K(10, 0, 0), K(20, 0, 4), T(30) },
	  " 10/0.0 losing(10-20) lost(20,3,ringbuf) 20/0.4 time(30)",
	  { .records = 2 } },
	{ "numbers begin at 0: what is missing there is a gap",
	  { K(10, 3, 2), T(30) },
	  " losing(0-10) lost(10,2,ringbuf) 10/3.2 time(30)",
	  { .records = 1 } },
	{ "each cpu counts for itself",
	  { K(10, 0, 0), K(11, 1, 0), K(12, 0, 1), K(13, 1, 1), T(30) },
	  " 10/0.0 11/1.0 12/0.1 13/1.1 time(30)",
	  { .records = 4 } },
	{ "gap across a tick",
	  { K(10, 0, 0), T(10), K(20, 0, 2), T(30) },
	  " 10/0.0 time(10) losing(10-20) lost(20,1,ringbuf) 20/0.2 time(30)",
	  { .records = 2 } },
	{ "the gap waits with the record behind it",
	  { K(10, 0, 0), K(20, 0, 2), T(15), T(25) },
	  " 10/0.0 losing(10-20) time(15) lost(20,1,ringbuf) 20/0.2 time(25)",
	  { .records = 2 } },
	{ "overtaken within a batch is not lost",
	  { K(10, 0, 0), K(12, 0, 2), K(11, 0, 1), T(30) },
	  " 10/0.0 11/0.1 12/0.2 time(30)",
	  { .records = 3 } },
	{ "overtaken by several",
	  { K(13, 0, 3), K(12, 0, 2), K(11, 0, 1), K(10, 0, 0), T(30) },
	  " 10/0.0 11/0.1 12/0.2 13/0.3 time(30)",
	  { .records = 4 } },
	{ "a hole filled in its middle is two",
	  { K(10, 0, 0), K(20, 0, 6), K(15, 0, 3), T(30) },
	  " 10/0.0 losing(10-15) losing(10-20) lost(15,2,ringbuf) 15/0.3 lost(20,2,ringbuf) 20/0.6 time(30)",
	  { .records = 3 } },
	{ "a hole filled at its begin",
	  { K(10, 0, 0), K(20, 0, 4), K(15, 0, 1), T(30) },
	  " 10/0.0 losing(10-20) 15/0.1 lost(20,2,ringbuf) 20/0.4 time(30)",
	  { .records = 3 } },
	{ "a hole filled at its end",
	  { K(10, 0, 0), K(20, 0, 4), K(15, 0, 3), T(30) },
	  " 10/0.0 losing(10-15) lost(15,2,ringbuf) 15/0.3 20/0.4 time(30)",
	  { .records = 3 } },
	{ "two holes, the older one filled",
	  { K(10, 0, 1), K(20, 0, 3), K(5, 0, 0), T(30) },
	  " 5/0.0 10/0.1 losing(10-20) lost(20,1,ringbuf) 20/0.3 time(30)",
	  { .records = 3 } },
	{ "overtaken by a batch: its loss was told, and is not told twice",
	  { K(10, 0, 1), T(10), K(11, 0, 0), T(30) },
	  " losing(0-10) lost(10,1,ringbuf) 10/0.1 time(10) 11/0.0 time(30)",
	  { .records = 2 } },
	{ "a gap in front of a late record is told with the next tick, at a time not past",
	  { K(10, 0, 0), T(20), K(15, 0, 2), T(30) },
	  " 10/0.0 time(20) 15/0.2 losing(20-20) lost(20,1,ringbuf) time(30)",
	  { .records = 2, .late = 1 } },
	{ "a gap at the end of the stream",
	  { K(10, 0, 0), K(20, 0, 2), F },
	  " 10/0.0 losing(10-20) lost(20,1,ringbuf) 20/0.2 time(20)",
	  { .records = 2 } },
	{ "records of user space have no gaps", { U(10), U(5), U(20), T(30) }, " 5/u 10/u 20/u time(30)", { .records = 3 } },
	{ "losses told by the source, in time",
	  { K(20, 0, 0), L(15, 7), T(30) },
	  " lost(15,7,sideband) 20/0.0 time(30)",
	  { .records = 2 } },
	{ "a loss that nothing shows yet begins when it may have happened first",
	  { K(10, 0, 0), T(10), K(20, 0, 1), LO(10, 22), T(21) },
	  " 10/0.0 time(10) losing(10-22) 20/0.1 time(21)",
	  { .records = 3 } },
	{ "a loss of nothing", { L(15, 0), T(30) }, " time(30)", { .records = 1 } },
	{ "what cannot be read has arrived nevertheless",
	  { K(10, 0, 0), B(11, 0, 1), Q(12, 0, 2), K(13, 0, 3), T(30) },
	  " 10/0.0 13/0.3 time(30)",
	  { .records = 2, .malformed = 1, .unknown = 1 } },
	{ "a number that cannot be",
	  { K(10, 0, 0), K(11, 0, 1ull << 50), K(12, 0, 1), T(30) },
	  " 10/0.0 12/0.1 time(30)",
	  { .records = 2, .malformed = 1 } },
};

/* The smallest sound record of a kind. Its bytes are valid until the next call. */
static struct ht_hdr *make(const struct step *step)
{
	static union {
		struct ht_hdr hdr;
		struct ht_rec_sock_event event;
		struct ht_rec_clock clock;
		struct ht_rec_lost lost;
		struct ht_rec_losing losing;
	} rec;

	memset(&rec, 0, sizeof(rec));
	rec.hdr.ts_ns = step->ts_ns;
	rec.hdr.cpu = step->cpu;
	rec.hdr.seq = step->seq;
	rec.hdr.kind = HT_REC_TICK;
	rec.hdr.size = sizeof(rec.hdr);
	switch (step->kind) {
	case KERNEL:
	case BROKEN:
		rec.hdr.kind = HT_REC_SOCK_AGAIN;
		rec.hdr.size = sizeof(rec.event);
		rec.event.cookie = step->kind == KERNEL;
		break;
	case USER:
		rec.hdr.kind = HT_REC_CLOCK;
		rec.hdr.size = sizeof(rec.clock);
		break;
	case LOSING:
		rec.hdr.kind = HT_REC_LOSING;
		rec.hdr.size = sizeof(rec.losing);
		rec.losing.until_ns = step->seq;
		break;
	case LOST:
		rec.hdr.kind = HT_REC_LOST;
		rec.hdr.size = sizeof(rec.lost);
		rec.lost.count = step->seq;
		strcpy(rec.lost.where, "sideband");
		break;
	case UNKNOWN:
		rec.hdr.kind = 63;
		break;
	case END:
		rec.hdr.kind = HT_REC_END;
		break;
	default:
		break;
	}
	return &rec.hdr;
}

static void records_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < CNT(orders); i++) {
		struct calls calls = { .len = 0 };
		struct ht_decode *decode = ht_decode_new(&note_ops, &calls, 0);

		assert_non_null(decode);
		for (const struct step *step = orders[i].steps; step->kind != OVER; step++) {
			if (step->kind == FLUSH)
				ht_decode_flush(decode);
			else
				assert_int_equal(ht_decode_add(decode, make(step)),
						 step->kind == BROKEN || step->seq >= 1ull << 40 ? -EBADMSG : 0);
		}
		if (strcmp(calls.text, orders[i].expected) != 0)
			fail_msg("%s:%s\nexpected:%s", orders[i].why, calls.text, orders[i].expected);
		if (memcmp(ht_decode_counts(decode), &orders[i].counts, sizeof(orders[i].counts)) != 0)
			fail_msg("%s: counts differ", orders[i].why);
		ht_decode_free(decode);
	}
}

/* --- order of many, against a plain sort --- */

struct key {
	uint64_t ts_ns, seq;
	uint32_t cpu;
};

struct many {
	struct key *given;
	size_t given_cnt, cap;
	uint64_t lost_cnt;
	size_t time_cnt;
};

static void many_record(void *ctx, const struct ht_hdr *rec)
{
	struct many *many = ctx;

	assert_true(many->given_cnt < many->cap);
	many->given[many->given_cnt++] = (struct key){ rec->ts_ns, rec->seq, rec->cpu };
}

static void many_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	(void)ts_ns;
	(void)where;
	((struct many *)ctx)->lost_cnt += count;
}

static void many_time(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	((struct many *)ctx)->time_cnt++;
}

static const struct ht_decode_ops many_ops = { .record = many_record, .lost = many_lost, .time = many_time, .end = many_time };

static int compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;

	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns ? -1 : 1;
	if (a->cpu != b->cpu)
		return a->cpu < b->cpu ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/*
 * Batches of 1..3000 records of 1..4000 bytes on 4 CPUs, shuffled within `disorder` places, some taken out: all that were added are given,
 * sorted; all taken out are lost.
 */
static void many_records_in_order(void **state)
{
	enum { MANY = 20000 };
	static const unsigned int disorders[] = { 0, 1, 3, 50, 4000 };
	struct key *keys = malloc(MANY * sizeof(*keys)), *expected = malloc(MANY * sizeof(*keys)), *given = malloc(MANY * sizeof(*keys));
	struct ht_rec_data *data = calloc(1, sizeof(*data) + 4000);

	(void)state;
	for (size_t d = 0; d < CNT(disorders); d++) {
		struct many many = { .given = given, .cap = MANY };
		struct ht_decode *decode = ht_decode_new(&many_ops, &many, 0);
		uint64_t next_seq[4] = { 0 }, gap_cnt = 0, ts_ns = 1000;
		uint32_t seed = 7 + (uint32_t)d;
		size_t key_cnt = 0, tick_cnt = 0;

		while (key_cnt < MANY - 3000) {
			size_t from = key_cnt, batch = 1 + draw(&seed) % 3000;

			for (size_t i = 0; i < batch; i++) {
				uint32_t cpu = draw(&seed) % 4;
				bool is_lost = draw(&seed) % 50 == 0 && i + 8 < batch;

				ts_ns += draw(&seed) % 3;
				if (is_lost) {
					next_seq[cpu]++;
					gap_cnt++;
				} else {
					keys[key_cnt++] = (struct key){ ts_ns, next_seq[cpu]++, cpu };
				}
			}
			memcpy(expected + from, keys + from, (key_cnt - from) * sizeof(*keys));
			for (size_t i = from; disorders[d] && i < key_cnt; i++) {
				size_t other = i + draw(&seed) % (disorders[d] + 1);
				struct key key = keys[i];

				if (other >= key_cnt)
					continue;
				/* Numbers are overtaken only near by. */
				if (disorders[d] <= 50 || keys[i].cpu != keys[other].cpu) {
					keys[i] = keys[other];
					keys[other] = key;
				}
			}
			for (size_t i = from; i < key_cnt; i++) {
				data->captured_len = data->orig_len = draw(&seed) % 8 ? 1 + draw(&seed) % 60 : draw(&seed) % 4000;
				data->cookie = 1;
				data->hdr = (struct ht_hdr){ .size = (uint32_t)sizeof(*data) + data->captured_len,
							     .kind = HT_REC_DATA,
							     .ts_ns = keys[i].ts_ns,
							     .seq = keys[i].seq,
							     .cpu = keys[i].cpu };
				assert_int_equal(ht_decode_add(decode, &data->hdr), 0);
			}
			assert_int_equal(ht_decode_add(decode, make(&(struct step)T(ts_ns))), 0);
			tick_cnt++;
			ts_ns++;
		}
		/* A loss that nothing follows cannot show. */
		ht_decode_flush(decode);
		qsort(expected, key_cnt, sizeof(*expected), compare_keys);
		assert_int_equal(many.given_cnt, key_cnt);
		for (size_t i = 0; i < key_cnt; i++)
			assert_int_equal(compare_keys(&many.given[i], &expected[i]), 0);
		assert_int_equal(many.time_cnt, tick_cnt);
		assert_int_equal(ht_decode_counts(decode)->late, 0);
		assert_int_equal(ht_decode_counts(decode)->forced, 0);
		/* Far disorder has more holes open than are kept; then a record that fills one later was told as lost. */
		if (disorders[d] <= 50)
			assert_int_equal(many.lost_cnt, gap_cnt);
		else
			assert_true(many.lost_cnt >= gap_cnt);
		ht_decode_free(decode);
	}
	free(keys);
	free(expected);
	free(given);
	free(data);
}

/* --- bounds --- */

static void oldest_go_when_memory_is_short(void **state)
{
	struct calls calls = { .len = 0 };
	/* 56 bytes a record: four are too much, and at least a quarter of the bound is made free. */
	struct ht_decode *decode = ht_decode_new(&note_ops, &calls, 200);

	(void)state;
	assert_int_equal(ht_decode_add(decode, make(&(struct step)K(40, 0, 0))), 0);
	assert_int_equal(ht_decode_add(decode, make(&(struct step)K(30, 0, 1))), 0);
	assert_int_equal(ht_decode_add(decode, make(&(struct step)K(20, 0, 2))), 0);
	assert_int_equal(ht_decode_add(decode, make(&(struct step)K(10, 0, 3))), 0);
	assert_string_equal(calls.text, "");
	assert_int_equal(ht_decode_add(decode, make(&(struct step)K(50, 0, 4))), 0);
	assert_string_equal(calls.text, " 10/0.3 20/0.2");
	assert_int_equal(ht_decode_counts(decode)->forced, 2);
	/* Older than what was let go: as late as if a tick had told that time. */
	assert_int_equal(ht_decode_add(decode, make(&(struct step)K(15, 0, 5))), 0);
	assert_int_equal(ht_decode_counts(decode)->late, 1);
	assert_int_equal(ht_decode_add(decode, make(&(struct step)T(60))), 0);
	assert_string_equal(calls.text, " 10/0.3 20/0.2 15/0.5 30/0.1 40/0.0 50/0.4 time(60)");
	ht_decode_free(decode);
}

/* A record far in the future in each chunk pins all memory: the bound is one on what is held, not on what is counted. */
static void memory_is_bounded_without_ticks(void **state)
{
	enum { MANY = 40000 };
	struct many many = { .given = malloc(MANY * sizeof(struct key)), .cap = MANY };
	struct ht_decode *decode = ht_decode_new(&many_ops, &many, 4 << 20);
	struct ht_rec_data *data = calloc(1, sizeof(*data) + 1000);

	(void)state;
	data->cookie = 1;
	data->captured_len = data->orig_len = 1000;
	for (uint32_t i = 0; i < MANY; i++) {
		data->hdr = (struct ht_hdr){
			.size = (uint32_t)sizeof(*data) + 1000, .kind = HT_REC_DATA, .seq = i, .ts_ns = i % 200 ? i : (1ull << 60) + i
		};
		assert_int_equal(ht_decode_add(decode, &data->hdr), 0);
		/* 4 MiB of 1096 bytes. */
		assert_true(i + 1 - many.given_cnt < 3900);
	}
	assert_true(ht_decode_counts(decode)->forced > 3000);
	/* Once the ones of the future had to go, all others are late. */
	assert_true(ht_decode_counts(decode)->forced + ht_decode_counts(decode)->late > MANY - 3900);
	ht_decode_flush(decode);
	assert_int_equal(many.given_cnt, MANY);
	ht_decode_free(decode);
	free(data);
	free(many.given);
}

/* Holes without end and without a tick: what is open is bounded, and in the end every number is accounted for. */
static void holes_are_bounded(void **state)
{
	enum { MANY = 5000 };
	struct many many = { .given = malloc(MANY * sizeof(struct key)), .cap = MANY };
	struct ht_decode *decode = ht_decode_new(&many_ops, &many, 0);

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(ht_decode_add(decode, make(&(struct step)K(i, 8191, 3 * i + 2))), 0);
	ht_decode_flush(decode);
	assert_int_equal(many.given_cnt, MANY);
	assert_int_equal(many.lost_cnt, 2 * MANY);
	ht_decode_free(decode);
	free(many.given);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_in_order),
		cmocka_unit_test(many_records_in_order),
		cmocka_unit_test(oldest_go_when_memory_is_short),
		cmocka_unit_test(memory_is_bounded_without_ticks),
		cmocka_unit_test(holes_are_bounded),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
