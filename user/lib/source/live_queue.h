/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_queue.h - records made in user space (clock, facts, targets, losses) that wait for the next poll.
 *
 * In:  records filled by the caller. Out: the same, in order, numbered as they are delivered. Bound: HT_QUEUE_BYTES_MAX, beyond which records are
 * dropped: their numbers are spent, so that the decoder sees the gap.
 */
#ifndef HT_LIVE_QUEUE_H
#define HT_LIVE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "source/source.h"

#define HT_QUEUE_BYTES_MAX (64u << 20)

struct ht_queue {
	uint8_t *data;
	size_t bytes;
	size_t room;
	uint64_t seq;
	uint64_t dropped_cnt;
};

/* Appends a record of zeros but for its header; size is rounded up to 8. Valid until the next call. NULL: dropped. */
void *ht_queue_add(struct ht_queue *queue, uint16_t kind, size_t size, uint64_t ts_ns, uint32_t tgid);
/* Moves what waits to *taken, which is empty, to be delivered while others add. */
void ht_queue_take(struct ht_queue *queue, struct ht_queue *taken);
/* Delivers everything and frees it. Returns how many, or what fn returned if negative (the rest is gone, too). */
int ht_queue_drain(struct ht_queue *queue, ht_record_fn fn, void *ctx);
void ht_queue_free(struct ht_queue *queue);

#endif
