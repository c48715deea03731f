/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sideband.c - see sideband.h. Layout: include/uapi/linux/perf_event.h, PERF_RECORD_MMAP2 and PERF_RECORD_LOST.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/sideband.h"

/* A record is at most 64 KiB by its header; paths, at most PATH_MAX, make the longest here. */
#define RECORD_MAX 8192

struct cpu_ring {
	int fd;
	struct perf_event_mmap_page *page;
};

struct ht_sideband {
	size_t page_bytes;
	size_t ring_cnt;
	struct cpu_ring rings[];
};

struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t dev_major, dev_minor;
	uint64_t ino, ino_generation;
	uint32_t prot, flags;
	char path[];
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id, lost;
};

static int open_ring(struct ht_sideband *sideband, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.mmap2 = 1,
		.watermark = 1,
		.wakeup_watermark = HT_SIDEBAND_BYTES / 2,
	};
	struct cpu_ring *ring = &sideband->rings[sideband->ring_cnt];
	void *mapped;

	ring->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	mapped = mmap(NULL, sideband->page_bytes + HT_SIDEBAND_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (mapped == MAP_FAILED) {
		int err = -errno;

		close(ring->fd);
		return err;
	}
	ring->page = mapped;
	sideband->ring_cnt++;
	return 0;
}

struct ht_sideband *ht_sideband_open(void)
{
	long cpu_cnt = sysconf(_SC_NPROCESSORS_CONF);
	struct ht_sideband *sideband = calloc(1, sizeof(*sideband) + (size_t)cpu_cnt * sizeof(sideband->rings[0]));
	int err = 0;

	if (!sideband)
		return NULL;
	sideband->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	for (int cpu = 0; cpu < cpu_cnt; cpu++) {
		err = open_ring(sideband, cpu);
		/* Not there or not running. */
		if (err == -ENODEV || err == -EINVAL)
			continue;
		if (err)
			break;
	}
	if (sideband->ring_cnt && (!err || err == -ENODEV || err == -EINVAL))
		return sideband;
	ht_sideband_close(sideband);
	errno = err ? -err : ENODEV;
	return NULL;
}

int ht_sideband_watch(struct ht_sideband *sideband, int epoll_fd, uint64_t data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = data };

	for (size_t i = 0; i < sideband->ring_cnt; i++) {
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, sideband->rings[i].fd, &event))
			return -errno;
	}
	return 0;
}

/* rec is a copy, in one piece, with a NUL behind it. */
static uint64_t handle(const struct perf_event_header *rec, ht_sideband_fn fn, void *ctx)
{
	static const char deleted[] = " (deleted)";
	const struct mmap2_record *mapped = (const void *)rec;
	char *path = (char *)mapped->path;
	struct ht_proc_map map;
	size_t len;

	if (rec->type == PERF_RECORD_LOST && rec->size >= sizeof(struct lost_record))
		return ((const struct lost_record *)(const void *)rec)->lost;
	if (rec->type != PERF_RECORD_MMAP2 || rec->size <= sizeof(*mapped) || (rec->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) ||
	    path[0] != '/')
		return 0;
	len = strlen(path);
	if (len > sizeof(deleted) - 1 && !strcmp(path + len - (sizeof(deleted) - 1), deleted))
		path[len - (sizeof(deleted) - 1)] = '\0';
	map = (struct ht_proc_map){ mapped->addr, mapped->addr + mapped->len, mapped->dev_major, mapped->dev_minor, mapped->ino, path };
	fn(ctx, (pid_t)mapped->pid, &map);
	return 0;
}

static uint64_t drain_ring(struct ht_sideband *sideband, struct cpu_ring *ring, ht_sideband_fn fn, void *ctx)
{
	const uint8_t *data = (const uint8_t *)ring->page + sideband->page_bytes;
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), tail = ring->page->data_tail, lost_cnt = 0;
	_Alignas(8) uint8_t copy[RECORD_MAX + 1];

	while (tail < head) {
		size_t off = tail & (HT_SIDEBAND_BYTES - 1), first;
		/* The header is 8 bytes, and records are aligned to 8: it is never in two pieces. */
		struct perf_event_header header;

		memcpy(&header, data + off, sizeof(header));
		if (header.size < sizeof(header))
			break;
		if (header.size <= RECORD_MAX) {
			first = HT_SIDEBAND_BYTES - off < header.size ? HT_SIDEBAND_BYTES - off : header.size;
			memcpy(copy, data + off, first);
			memcpy(copy + first, data, header.size - first);
			copy[header.size] = '\0';
			lost_cnt += handle((const struct perf_event_header *)(const void *)copy, fn, ctx);
		}
		tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
	return lost_cnt;
}

uint64_t ht_sideband_drain(struct ht_sideband *sideband, ht_sideband_fn fn, void *ctx)
{
	uint64_t lost_cnt = 0;

	for (size_t i = 0; i < sideband->ring_cnt; i++)
		lost_cnt += drain_ring(sideband, &sideband->rings[i], fn, ctx);
	return lost_cnt;
}

void ht_sideband_close(struct ht_sideband *sideband)
{
	if (!sideband)
		return;
	for (size_t i = 0; i < sideband->ring_cnt; i++) {
		munmap(sideband->rings[i].page, sideband->page_bytes + HT_SIDEBAND_BYTES);
		close(sideband->rings[i].fd);
	}
	free(sideband);
}
