/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sideband.h - the kernel's own announcement of every executable mapping of every process: exec, dlopen, containers, without a probe.
 *
 * In:  one perf software event (dummy) a CPU. Out: calls of the caller's function. A ring of HT_SIDEBAND_BYTES a CPU; what overflows is counted, and
 * the caller should look at /proc again. Fork, exec and exit are told by BPF, and build-ids are not asked for: with one, a record has neither
 * device nor inode, by which the same file is known again without opening it.
 */
#ifndef HT_SIDEBAND_H
#define HT_SIDEBAND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "source/procfs.h"

#define HT_SIDEBAND_BYTES (128u << 10)

struct ht_sideband;

/* map as in procfs.h, valid during the call. */
typedef void (*ht_sideband_fn)(void *ctx, pid_t pid, const struct ht_proc_map *map);

/* NULL and errno. */
struct ht_sideband *ht_sideband_open(void);
/* Adds its fds to an epoll set (they are ready when a ring is half full), with data. 0 or -errno. */
int ht_sideband_watch(struct ht_sideband *sideband, int epoll_fd, uint64_t data);
/* Calls fn for all that is there. Returns how many records the kernel could not keep since the last call. */
uint64_t ht_sideband_drain(struct ht_sideband *sideband, ht_sideband_fn fn, void *ctx);
/* NULL is allowed. */
void ht_sideband_close(struct ht_sideband *sideband);

#endif
