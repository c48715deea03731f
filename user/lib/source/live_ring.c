/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_ring.c - see live_ring.h. Layout and order of memory accesses: kernel/bpf/ringbuf.c; libbpf, src/ringbuf.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/live_ring.h"

int ht_ring_open(struct ht_ring *ring, int map_fd, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mapped;

	memset(ring, 0, sizeof(*ring));
	mapped = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	ring->consumer_pos = mapped;
	ring->bytes = bytes;
	mapped = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (mapped == MAP_FAILED) {
		int err = -errno;

		munmap(ring->consumer_pos, page);
		memset(ring, 0, sizeof(*ring));
		return err;
	}
	ring->producer_pos = mapped;
	ring->data = (const uint8_t *)mapped + page;
	ring->scan_pos = *ring->consumer_pos;
	return 0;
}

unsigned long ht_ring_end(const struct ht_ring *ring)
{
	return __atomic_load_n(ring->producer_pos, __ATOMIC_ACQUIRE);
}

static unsigned long next_pos(unsigned long pos, uint32_t len)
{
	len &= ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	return pos + ((len + BPF_RINGBUF_HDR_SZ + 7) & ~7UL);
}

static uint32_t len_at(const struct ht_ring *ring, unsigned long pos)
{
	return __atomic_load_n((const uint32_t *)(const void *)(ring->data + (pos & (ring->bytes - 1))), __ATOMIC_ACQUIRE);
}

/* NULL: discarded, or too short to be one. */
static const struct ht_hdr *record_at(const struct ht_ring *ring, unsigned long pos, uint32_t len)
{
	const struct ht_hdr *rec = (const void *)(ring->data + (pos & (ring->bytes - 1)) + BPF_RINGBUF_HDR_SZ);

	if (len & BPF_RINGBUF_DISCARD_BIT || len < sizeof(*rec) || rec->size < sizeof(*rec) || rec->size > len)
		return NULL;
	return rec;
}

static void show(const struct ht_ring *ring, unsigned long pos, uint32_t len, ht_record_fn fn, void *ctx)
{
	const struct ht_hdr *rec = record_at(ring, pos, len);

	if (rec)
		fn(ctx, rec);
}

void ht_ring_scan(struct ht_ring *ring, ht_record_fn fn, void *ctx)
{
	unsigned long end = ht_ring_end(ring);
	size_t kept_cnt = 0;

	for (size_t i = 0; i < ring->unfinished_cnt; i++) {
		uint32_t len = len_at(ring, ring->unfinished[i]);

		if (len & BPF_RINGBUF_BUSY_BIT)
			ring->unfinished[kept_cnt++] = ring->unfinished[i];
		else
			show(ring, ring->unfinished[i], len, fn, ctx);
	}
	ring->unfinished_cnt = kept_cnt;
	while (ring->scan_pos < end) {
		uint32_t len = len_at(ring, ring->scan_pos);

		if (!(len & BPF_RINGBUF_BUSY_BIT))
			show(ring, ring->scan_pos, len, fn, ctx);
		else if (ring->unfinished_cnt == HT_RING_UNFINISHED_MAX)
			break;
		else
			ring->unfinished[ring->unfinished_cnt++] = ring->scan_pos;
		ring->scan_pos = next_pos(ring->scan_pos, len);
	}
}

unsigned long ht_ring_scanned(const struct ht_ring *ring)
{
	return ring->unfinished_cnt ? ring->unfinished[0] : ring->scan_pos;
}

int ht_ring_drain(struct ht_ring *ring, unsigned long end, int max, ht_record_fn fn, void *ctx)
{
	unsigned long pos = *ring->consumer_pos;
	int cnt = 0, err = 0;

	while (pos < end && cnt < max && err >= 0) {
		uint32_t len = len_at(ring, pos);
		const struct ht_hdr *rec = record_at(ring, pos, len);

		if (rec) {
			err = fn(ctx, rec);
			cnt++;
		} else if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			ring->malformed_cnt++;
		}
		pos = next_pos(pos, len);
		__atomic_store_n(ring->consumer_pos, pos, __ATOMIC_RELEASE);
	}
	return err < 0 ? err : cnt;
}

bool ht_ring_is_drained(const struct ht_ring *ring, unsigned long end)
{
	return *ring->consumer_pos >= end;
}

void ht_ring_close(struct ht_ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->consumer_pos)
		munmap(ring->consumer_pos, page);
	if (ring->producer_pos)
		munmap(ring->producer_pos, page + 2 * ring->bytes);
	memset(ring, 0, sizeof(*ring));
}
