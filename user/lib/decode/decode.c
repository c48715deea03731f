/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * decode.c - puts records into the order of time, and finds what is missing.
 *
 * In:  records in delivery order. Out: the calls of struct ht_decode_ops in the order of (ts_ns, cpu, seq, arrival).
 *
 * Copies of pending records lie in chunks; a chunk is used again when the last record in it was given, so that the steady state allocates
 * nothing. An entry per record is sorted when a tick comes: batches arrive almost sorted, which costs a comparison or two per record.
 *
 * A CPU's records carry consecutive numbers, and arrive in their order but for a few that an interrupt overtook. A number passed over is a
 * hole, which a later record of the same batch may fill; what is open when the tick comes was lost.
 *
 * Memory: max_pending_bytes of copies in whole chunks, plus one chunk; entries of 32 bytes; 24 bytes per CPU and its open holes (at most
 * HOLE_MAX).
 */
#include "decode/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decode/check.h"

#define PENDING_DEFAULT_BYTES (64u << 20)
#define CHUNK_BYTES           (256u * 1024) /* room for the largest record, and few enough for any bound */
#define SPARE_CHUNK_MAX       16
#define HOLE_MAX              64               /* per CPU, within one batch */
#define HOLE_MAX_RECORDS      (1ull << 40)     /* a day of 10 M lost records a second; above it the number is not true */
#define RUN_LEN               16               /* sorted by insertion: within an L1 line or two */
#define IN_NO_CHUNK           UINT32_MAX       /* a loss */
#define IN_NO_CHUNK_BEGIN     (UINT32_MAX - 1) /* where it begins */

struct chunk {
	char *bytes;
	size_t used;
	uint32_t live_cnt; /* records in it that are pending */
};

struct entry {
	uint64_t ts_ns;
	uint64_t seq;
	uint32_t cpu;
	uint32_t chunk; /* index, or IN_NO_CHUNK... */
	union {
		const struct ht_hdr *rec;
		uint64_t lost_cnt;
		uint64_t until_ns;
	};
};

/* Numbers [first, end) of a CPU have not come. */
struct hole {
	uint64_t first;
	uint64_t end;
	uint64_t from_ns; /* of the record before it */
	uint64_t ts_ns;   /* of the record behind it */
};

struct cpu {
	uint64_t next_seq;
	uint64_t last_ns;   /* of the record before that */
	struct hole *holes; /* HOLE_MAX, allocated with the first */
	uint32_t hole_cnt;
};

struct ht_decode {
	const struct ht_decode_ops *ops;
	void *ctx;
	struct ht_decode_counts counts;
	size_t max_pending_bytes;
	size_t pending_bytes;

	struct chunk *chunks;
	uint32_t chunk_cnt;
	uint32_t current; /* the chunk that is being filled */
	uint32_t *spares; /* empty ones that have memory, a stack */
	uint32_t spare_cnt;
	uint32_t *voids; /* indexes without memory, a stack */
	uint32_t void_cnt;

	struct entry *entries;
	struct entry *scratch; /* for merging, as large */
	size_t entry_cnt;
	size_t entry_cap;
	bool is_sorted;

	struct cpu *cpus;
	uint32_t cpu_cnt;
	uint32_t hole_cnt; /* of all CPUs */

	uint64_t floor_ns;     /* everything before it has been given */
	uint64_t told_ns;      /* what time() was last told */
	uint64_t max_given_ns; /* of the records given */
};

/* --- order --- */

static inline bool is_before(const struct entry *a, const struct entry *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns;
	if (a->cpu != b->cpu)
		return a->cpu < b->cpu;
	return a->seq < b->seq;
}

static void sort_run(struct entry *entries, size_t cnt)
{
	for (size_t i = 1; i < cnt; i++) {
		struct entry moving = entries[i];
		size_t to = i;

		for (; to && is_before(&moving, &entries[to - 1]); to--)
			entries[to] = entries[to - 1];
		entries[to] = moving;
	}
}

/* Merges the sorted [0, mid) and [mid, cnt), stable; what is in place at both ends already is not touched. */
static void merge(struct entry *entries, size_t mid, size_t cnt, struct entry *scratch)
{
	size_t from = 0, to = mid, left, right, out;

	if (!is_before(&entries[mid], &entries[mid - 1]))
		return;
	while (from < to) {
		size_t middle = (from + to) / 2;

		if (is_before(&entries[mid], &entries[middle]))
			to = middle;
		else
			from = middle + 1;
	}
	memcpy(scratch, &entries[from], (mid - from) * sizeof(*entries));
	left = 0;
	right = mid;
	out = from;
	while (left < mid - from) {
		if (right < cnt && is_before(&entries[right], &scratch[left]))
			entries[out++] = entries[right++];
		else
			entries[out++] = scratch[left++];
	}
}

static void sort_entries(struct ht_decode *decode)
{
	size_t cnt = decode->entry_cnt;

	if (decode->is_sorted)
		return;
	for (size_t at = 0; at < cnt; at += RUN_LEN)
		sort_run(&decode->entries[at], cnt - at < RUN_LEN ? cnt - at : RUN_LEN);
	for (size_t width = RUN_LEN; width < cnt; width *= 2)
		for (size_t at = 0; at + width < cnt; at += 2 * width)
			merge(&decode->entries[at], width, cnt - at < 2 * width ? cnt - at : 2 * width, decode->scratch);
	decode->is_sorted = true;
}

/* 0 or -ENOMEM. */
static int make_entry_room(struct ht_decode *decode)
{
	size_t cap = decode->entry_cap ? decode->entry_cap * 2 : 1024;
	struct entry *entries;

	if (decode->entry_cnt < decode->entry_cap)
		return 0;
	entries = realloc(decode->entries, cap * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	decode->entries = entries;
	entries = realloc(decode->scratch, cap * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	decode->scratch = entries;
	decode->entry_cap = cap;
	return 0;
}

static void push_entry(struct ht_decode *decode, const struct entry *entry)
{
	if (decode->entry_cnt && is_before(entry, &decode->entries[decode->entry_cnt - 1]))
		decode->is_sorted = false;
	decode->entries[decode->entry_cnt++] = *entry;
}

/* --- memory of copies --- */

/* A chunk with memory, for use as the current one. Its index, or -ENOMEM. */
static int64_t take_chunk(struct ht_decode *decode)
{
	uint32_t index;

	if (decode->spare_cnt)
		return decode->spares[--decode->spare_cnt];
	if (!decode->void_cnt) {
		uint32_t cnt = decode->chunk_cnt ? decode->chunk_cnt * 2 : 4;
		void *room;

		room = realloc(decode->chunks, cnt * sizeof(*decode->chunks));
		if (!room)
			return -ENOMEM;
		decode->chunks = room;
		room = realloc(decode->spares, cnt * sizeof(*decode->spares));
		if (!room)
			return -ENOMEM;
		decode->spares = room;
		room = realloc(decode->voids, cnt * sizeof(*decode->voids));
		if (!room)
			return -ENOMEM;
		decode->voids = room;
		while (decode->chunk_cnt < cnt) {
			decode->chunks[decode->chunk_cnt] = (struct chunk){ 0 };
			decode->voids[decode->void_cnt++] = decode->chunk_cnt++;
		}
	}
	index = decode->voids[decode->void_cnt - 1];
	decode->chunks[index].bytes = malloc(CHUNK_BYTES);
	if (!decode->chunks[index].bytes)
		return -ENOMEM;
	decode->void_cnt--;
	return index;
}

static void release_chunk(struct ht_decode *decode, uint32_t index)
{
	struct chunk *chunk = &decode->chunks[index];

	if (--chunk->live_cnt)
		return;
	chunk->used = 0;
	if (index == decode->current)
		return;
	if (decode->spare_cnt < SPARE_CHUNK_MAX) {
		decode->spares[decode->spare_cnt++] = index;
		return;
	}
	free(chunk->bytes);
	chunk->bytes = NULL;
	decode->voids[decode->void_cnt++] = index;
}

static size_t chunks_in_use(const struct ht_decode *decode)
{
	return decode->chunk_cnt - decode->void_cnt - decode->spare_cnt;
}

/* Room for bytes in the current chunk. NULL: no memory. */
static struct ht_hdr *take_room(struct ht_decode *decode, size_t bytes)
{
	struct chunk *chunk = &decode->chunks[decode->current];
	void *room;

	if (chunk->used + bytes > CHUNK_BYTES) {
		int64_t index = take_chunk(decode);

		if (index < 0)
			return NULL;
		decode->current = (uint32_t)index;
		chunk = &decode->chunks[decode->current];
	}
	room = chunk->bytes + chunk->used;
	chunk->used += bytes;
	chunk->live_cnt++;
	return room;
}

/* --- giving --- */

static void give_begin(const struct ht_decode *decode, uint64_t from_ns, uint64_t until_ns)
{
	if (decode->ops->loss_begins)
		decode->ops->loss_begins(decode->ctx, from_ns, until_ns);
}

static void give(struct ht_decode *decode, const struct ht_hdr *rec)
{
	if (rec->ts_ns > decode->max_given_ns)
		decode->max_given_ns = rec->ts_ns;
	if (rec->kind == HT_REC_LOST) {
		const struct ht_rec_lost *lost = (const struct ht_rec_lost *)rec;

		if (lost->count)
			decode->ops->lost(decode->ctx, rec->ts_ns, lost->count, lost->where);
	} else if (rec->kind == HT_REC_LOSING) {
		give_begin(decode, rec->ts_ns, ((const struct ht_rec_losing *)rec)->until_ns);
	} else {
		decode->ops->record(decode->ctx, rec);
	}
}

static void give_entry(struct ht_decode *decode, const struct entry *entry)
{
	if (entry->chunk == IN_NO_CHUNK) {
		decode->pending_bytes -= sizeof(*entry);
		decode->ops->lost(decode->ctx, entry->ts_ns, entry->lost_cnt, "ringbuf");
		return;
	}
	if (entry->chunk == IN_NO_CHUNK_BEGIN) {
		decode->pending_bytes -= sizeof(*entry);
		give_begin(decode, entry->ts_ns, entry->until_ns);
		return;
	}
	give(decode, entry->rec);
	decode->pending_bytes -= entry->rec->size;
	release_chunk(decode, entry->chunk);
}

static void drop_entries(struct ht_decode *decode, size_t cnt)
{
	decode->entry_cnt -= cnt;
	memmove(decode->entries, decode->entries + cnt, decode->entry_cnt * sizeof(*decode->entries));
}

/* Gives what is pending up to and with limit_ns. */
static void release(struct ht_decode *decode, uint64_t limit_ns)
{
	size_t cnt = 0;

	sort_entries(decode);
	while (cnt < decode->entry_cnt && decode->entries[cnt].ts_ns <= limit_ns)
		give_entry(decode, &decode->entries[cnt++]);
	drop_entries(decode, cnt);
	if (!decode->entry_cnt)
		decode->is_sorted = true;
}

/* --- holes --- */

static void push_loss(struct ht_decode *decode, const struct entry *entry)
{
	decode->pending_bytes += sizeof(*entry);
	if (make_entry_room(decode) == 0)
		push_entry(decode, entry);
	else
		give_entry(decode, entry);
}

static void report_hole(struct ht_decode *decode, uint32_t cpu, const struct hole *hole)
{
	struct entry entry = {
		/* A loss that shows late is told late: the layers above have passed its time. */
		.ts_ns = hole->ts_ns > decode->floor_ns ? hole->ts_ns : decode->floor_ns,
		.seq = hole->first,
		.cpu = cpu,
		.chunk = IN_NO_CHUNK,
		.lost_cnt = hole->end - hole->first,
	};
	struct entry begin = {
		.ts_ns = hole->from_ns > decode->floor_ns ? hole->from_ns : decode->floor_ns,
		.seq = hole->first,
		.cpu = cpu,
		.chunk = IN_NO_CHUNK_BEGIN,
		.until_ns = entry.ts_ns,
	};

	push_loss(decode, &begin);
	push_loss(decode, &entry);
}

static void report_holes(struct ht_decode *decode)
{
	for (uint32_t i = 0; decode->hole_cnt && i < decode->cpu_cnt; i++) {
		struct cpu *cpu = &decode->cpus[i];

		for (uint32_t j = 0; j < cpu->hole_cnt; j++)
			report_hole(decode, i, &cpu->holes[j]);
		decode->hole_cnt -= cpu->hole_cnt;
		cpu->hole_cnt = 0;
	}
}

static void add_hole(struct ht_decode *decode, uint32_t index, const struct hole *hole)
{
	struct cpu *cpu = &decode->cpus[index];

	if (!cpu->holes)
		cpu->holes = malloc(HOLE_MAX * sizeof(*cpu->holes));
	if (!cpu->holes) {
		report_hole(decode, index, hole);
		return;
	}
	if (cpu->hole_cnt == HOLE_MAX) {
		/* What has been open longest is the least likely to be filled. */
		report_hole(decode, index, &cpu->holes[0]);
		memmove(cpu->holes, cpu->holes + 1, (HOLE_MAX - 1) * sizeof(*cpu->holes));
		cpu->hole_cnt--;
		decode->hole_cnt--;
	}
	cpu->holes[cpu->hole_cnt++] = *hole;
	decode->hole_cnt++;
}

/* An overtaken record has come. One that is in no hole came a batch too late (its loss was told), or twice: nothing to add. */
static void fill_hole(struct ht_decode *decode, uint32_t index, uint64_t seq, uint64_t ts_ns)
{
	struct cpu *cpu = &decode->cpus[index];

	for (uint32_t i = cpu->hole_cnt; i-- > 0;) {
		struct hole *hole = &cpu->holes[i];
		struct hole before = { .first = hole->first, .end = seq, .from_ns = hole->from_ns, .ts_ns = ts_ns };

		if (seq < hole->first || seq >= hole->end)
			continue;
		hole->first = seq + 1;
		if (hole->first == hole->end) {
			if (before.first < before.end) {
				*hole = before;
				return;
			}
			memmove(hole, hole + 1, (cpu->hole_cnt - i - 1) * sizeof(*hole));
			cpu->hole_cnt--;
			decode->hole_cnt--;
		} else if (before.first < before.end) {
			add_hole(decode, index, &before);
		}
		return;
	}
}

/* Notes that a record has come, whatever is in it. 0, -EBADMSG, -ENOMEM. */
static int note_seq(struct ht_decode *decode, const struct ht_hdr *hdr)
{
	struct cpu *cpu;

	if (hdr->cpu == HT_CPU_USER)
		return 0;
	if (hdr->cpu >= decode->cpu_cnt) {
		/* CPUs are few, and numbered densely: room for as many as have shown. */
		struct cpu *cpus = realloc(decode->cpus, (hdr->cpu + 1) * sizeof(*cpus));

		if (!cpus)
			return -ENOMEM;
		memset(cpus + decode->cpu_cnt, 0, (hdr->cpu + 1 - decode->cpu_cnt) * sizeof(*cpus));
		decode->cpus = cpus;
		decode->cpu_cnt = hdr->cpu + 1;
	}
	cpu = &decode->cpus[hdr->cpu];
	if (hdr->seq < cpu->next_seq) {
		if (decode->hole_cnt)
			fill_hole(decode, hdr->cpu, hdr->seq, hdr->ts_ns);
		return 0;
	}
	if (hdr->seq > cpu->next_seq) {
		struct hole hole = { .first = cpu->next_seq, .end = hdr->seq, .from_ns = cpu->last_ns, .ts_ns = hdr->ts_ns };

		if (hole.end - hole.first > HOLE_MAX_RECORDS)
			return -EBADMSG;
		cpu->next_seq = hdr->seq + 1;
		cpu->last_ns = hdr->ts_ns;
		add_hole(decode, hdr->cpu, &hole);
		return 0;
	}
	cpu->next_seq++;
	cpu->last_ns = hdr->ts_ns;
	return 0;
}

/* --- the calls --- */

struct ht_decode *ht_decode_new(const struct ht_decode_ops *ops, void *ctx, size_t max_pending_bytes)
{
	struct ht_decode *decode = calloc(1, sizeof(*decode));
	int64_t index;

	if (!decode)
		goto fail;
	decode->ops = ops;
	decode->ctx = ctx;
	decode->max_pending_bytes = max_pending_bytes ? max_pending_bytes : PENDING_DEFAULT_BYTES;
	decode->is_sorted = true;
	index = take_chunk(decode);
	if (index < 0 || make_entry_room(decode) != 0)
		goto fail;
	decode->current = (uint32_t)index;
	return decode;
fail:
	ht_decode_free(decode);
	errno = ENOMEM;
	return NULL;
}

void ht_decode_free(struct ht_decode *decode)
{
	if (!decode)
		return;
	for (uint32_t i = 0; i < decode->chunk_cnt; i++)
		free(decode->chunks[i].bytes);
	for (uint32_t i = 0; i < decode->cpu_cnt; i++)
		free(decode->cpus[i].holes);
	free(decode->chunks);
	free(decode->spares);
	free(decode->voids);
	free(decode->entries);
	free(decode->scratch);
	free(decode->cpus);
	free(decode);
}

static void tell_time(struct ht_decode *decode, uint64_t now_ns)
{
	if (now_ns > decode->floor_ns)
		decode->floor_ns = now_ns;
	if (now_ns > decode->told_ns)
		decode->told_ns = now_ns;
	decode->ops->time(decode->ctx, decode->told_ns);
}

/* Out of memory, by our own bound or the system's: the oldest go until a quarter of the bound is free, so that this is rare. */
static void force(struct ht_decode *decode)
{
	size_t enough_bytes = decode->max_pending_bytes / 4 * 3;
	size_t enough_chunks = decode->max_pending_bytes / CHUNK_BYTES / 4 * 3 + 1;
	size_t cnt = 0;

	report_holes(decode);
	sort_entries(decode);
	while (cnt < decode->entry_cnt && (decode->pending_bytes > enough_bytes || chunks_in_use(decode) > enough_chunks)) {
		const struct entry *entry = &decode->entries[cnt++];

		if (entry->ts_ns > decode->floor_ns)
			decode->floor_ns = entry->ts_ns;
		if (entry->chunk < IN_NO_CHUNK_BEGIN)
			decode->counts.forced++;
		give_entry(decode, entry);
	}
	drop_entries(decode, cnt);
}

static bool is_too_much(const struct ht_decode *decode)
{
	return decode->pending_bytes > decode->max_pending_bytes || chunks_in_use(decode) > decode->max_pending_bytes / CHUNK_BYTES + 2;
}

static int add_record(struct ht_decode *decode, const struct ht_hdr *rec, size_t copy_bytes)
{
	struct entry entry = { .ts_ns = rec->ts_ns, .seq = rec->seq, .cpu = rec->cpu };
	struct ht_hdr *copy = take_room(decode, copy_bytes);

	if (!copy || make_entry_room(decode) != 0) {
		if (copy)
			release_chunk(decode, decode->current);
		return -ENOMEM;
	}
	ht_check_copy(rec, copy, copy_bytes);
	decode->counts.records++;
	if (rec->ts_ns < decode->floor_ns) {
		decode->counts.late++;
		give(decode, copy);
		release_chunk(decode, decode->current);
		return 0;
	}
	entry.chunk = decode->current;
	entry.rec = copy;
	decode->pending_bytes += copy_bytes;
	push_entry(decode, &entry);
	return 0;
}

/* The system has no memory for a record: a loss like any other. */
static int lose(struct ht_decode *decode, const struct ht_hdr *rec)
{
	decode->ops->lost(decode->ctx, rec->ts_ns > decode->floor_ns ? rec->ts_ns : decode->floor_ns, 1, "memory");
	return -ENOMEM;
}

int ht_decode_add(struct ht_decode *decode, const struct ht_hdr *rec)
{
	size_t copy_bytes;
	int err;

	if (!ht_check_header(rec))
		goto malformed;
	err = note_seq(decode, rec);
	if (err == -EBADMSG)
		goto malformed;
	if (err)
		return lose(decode, rec);
	if (is_too_much(decode))
		force(decode);
	switch (ht_check_record(rec, &copy_bytes)) {
	case HT_CHECK_MALFORMED:
		goto malformed;
	case HT_CHECK_UNKNOWN:
		decode->counts.unknown++;
		return 0;
	case HT_CHECK_SOUND:
		break;
	}
	if (rec->kind == HT_REC_TICK) {
		report_holes(decode);
		release(decode, rec->ts_ns);
		tell_time(decode, rec->ts_ns);
		return 0;
	}
	if (rec->kind == HT_REC_END) {
		/* Nothing comes behind the end, so nothing waits for a later tick either. */
		report_holes(decode);
		release(decode, UINT64_MAX);
		tell_time(decode, rec->ts_ns > decode->max_given_ns ? rec->ts_ns : decode->max_given_ns);
		decode->ops->end(decode->ctx, decode->told_ns);
		return 0;
	}
	/* May exceed the bound by this one record, until the next. */
	return add_record(decode, rec, copy_bytes) ? lose(decode, rec) : 0;
malformed:
	decode->counts.malformed++;
	return -EBADMSG;
}

void ht_decode_flush(struct ht_decode *decode)
{
	report_holes(decode);
	release(decode, UINT64_MAX);
	if (decode->max_given_ns > decode->told_ns)
		tell_time(decode, decode->max_given_ns);
}

const struct ht_decode_counts *ht_decode_counts(const struct ht_decode *decode)
{
	return &decode->counts;
}
