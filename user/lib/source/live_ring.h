/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_ring.h - the reader of the BPF ring buffer.
 *
 * In:  the map. Out: records, each valid during the call only, in ring order. A drain ends where the caller says, so that what it says about time
 * afterwards is true even when the producers never rest (libbpf's ring_buffer__consume() goes on as long as they do).
 */
#ifndef HT_LIVE_RING_H
#define HT_LIVE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/source.h"

/*
 * Records that are reserved and not submitted at one time: a probed function's thread may be put aside by the scheduler in the middle of it, while others
 * go on. One per thread that runs; beyond that many, scanning waits.
 */
#define HT_RING_UNFINISHED_MAX 256

struct ht_ring {
	unsigned long *consumer_pos; /* a page of ours to write */
	unsigned long *producer_pos; /* a page to read, and behind it the data, twice in a row */
	const uint8_t *data;
	size_t bytes;
	unsigned long scan_pos;                           /* everything before it has been scanned, but for what was unfinished then */
	unsigned long unfinished[HT_RING_UNFINISHED_MAX]; /* places of those, in order */
	size_t unfinished_cnt;
	uint64_t malformed_cnt;
};

/* map_fd stays the caller's. 0 or -errno. */
int ht_ring_open(struct ht_ring *ring, int map_fd, size_t bytes);
/* Up to where producers have got: an end for ht_ring_drain(). */
unsigned long ht_ring_end(const struct ht_ring *ring);
/*
 * Shows each record once, without consuming it: for what cannot wait until its turn comes. A record that its producer has not finished is passed over, and
 * shown when it is. What fn returns is not looked at.
 */
void ht_ring_scan(struct ht_ring *ring, ht_record_fn fn, void *ctx);
/* Up to where every record is finished and has been scanned. */
unsigned long ht_ring_scanned(const struct ht_ring *ring);
/*
 * Delivers up to max records before end, which is not beyond ht_ring_scanned(). Others may scan meanwhile. Returns how many, or what fn returned if negative (that record is consumed).
 */
int ht_ring_drain(struct ht_ring *ring, unsigned long end, int max, ht_record_fn fn, void *ctx);
/* Whether all before end has been delivered. */
bool ht_ring_is_drained(const struct ht_ring *ring, unsigned long end);
void ht_ring_close(struct ht_ring *ring);

#endif
