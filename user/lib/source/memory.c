/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * memory.c - the source over records in memory: tests and fuzzing.
 *
 * In:  bytes that the caller keeps: each record begins where the one before ended by its hdr.size, at any alignment. Out: a call delivers
 * up to and with the next TICK or END. Memory: a copy of one record where it is not aligned.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "source/file.h"

struct memory {
	struct ht_source source;
	const char *records;
	size_t bytes;
	size_t at;
	uint64_t max_ts_ns;
	bool has_ended;
	struct ht_hdr *copy;
	size_t copy_bytes;
};

/* 1 and *rec, 0 at the end, -EBADMSG where the bytes are no record, -ENOMEM. */
static int next_record(struct memory *memory, const struct ht_hdr **rec)
{
	const char *from = memory->records + memory->at;
	size_t left = memory->bytes - memory->at;
	struct ht_hdr hdr;

	if (left == 0)
		return 0;
	if (left < sizeof(hdr))
		return -EBADMSG;
	memcpy(&hdr, from, sizeof(hdr));
	if (hdr.size < sizeof(hdr) || hdr.size > left)
		return -EBADMSG;
	if ((uintptr_t)from % _Alignof(struct ht_hdr)) {
		if (hdr.size > memory->copy_bytes) {
			struct ht_hdr *copy = realloc(memory->copy, hdr.size);

			if (!copy)
				return -ENOMEM;
			memory->copy = copy;
			memory->copy_bytes = hdr.size;
		}
		memcpy(memory->copy, from, hdr.size);
		*rec = memory->copy;
	} else {
		*rec = (const struct ht_hdr *)(const void *)from;
	}
	memory->at += hdr.size;
	if (hdr.ts_ns > memory->max_ts_ns)
		memory->max_ts_ns = hdr.ts_ns;
	return 1;
}

static int memory_poll(struct ht_source *source, int timeout_ms, ht_record_fn fn, void *ctx)
{
	struct memory *memory = (struct memory *)source;
	const struct ht_hdr *rec;
	int cnt = 0;
	int err;

	(void)timeout_ms;
	while ((err = next_record(memory, &rec)) > 0) {
		bool is_batch_end = rec->kind == HT_REC_TICK || rec->kind == HT_REC_END;

		if (rec->kind == HT_REC_END)
			memory->has_ended = true;
		err = fn(ctx, rec);
		if (err < 0)
			return err;
		cnt++;
		if (is_batch_end)
			return cnt;
	}
	if (cnt)
		return cnt;
	return err ? err : -ENODATA;
}

/* As of a file: what was not polled for is not pending. */
static int memory_stop(struct ht_source *source, ht_record_fn fn, void *ctx)
{
	struct memory *memory = (struct memory *)source;
	struct ht_rec_tick tick = { .hdr = { .size = sizeof(tick), .kind = HT_REC_TICK, .cpu = HT_CPU_USER, .ts_ns = memory->max_ts_ns } };
	int err;

	memory->at = memory->bytes;
	if (memory->has_ended)
		return 0;
	memory->has_ended = true;
	err = fn(ctx, &tick.hdr);
	if (err < 0)
		return err;
	tick.hdr.kind = HT_REC_END;
	err = fn(ctx, &tick.hdr);
	return err < 0 ? err : 2;
}

static int memory_fd(const struct ht_source *source)
{
	(void)source;
	return -1;
}

static void memory_close(struct ht_source *source)
{
	struct memory *memory = (struct memory *)source;

	if (!memory)
		return;
	free(memory->copy);
	free(memory);
}

static const struct ht_source_ops memory_ops = {
	.poll = memory_poll,
	.stop = memory_stop,
	.fd = memory_fd,
	.close = memory_close,
};

struct ht_source *ht_memory_open(const void *records, size_t bytes)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return NULL;
	memory->source.ops = &memory_ops;
	memory->records = records;
	memory->bytes = bytes;
	return &memory->source;
}
