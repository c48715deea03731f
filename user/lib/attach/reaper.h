/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * reaper.h - closes BPF links off the caller's path. Closing a uprobe link waits for the kernel 36 to 50 ms, whatever its size, but many do so at once
 * in about the time of one: a pool of threads, started when there is something to close.
 *
 * Closing one link makes opening another wait (both walk every process that maps the file, under one lock: kernel/events/uprobes.c,
 * register_for_each_vma(); measured: 0.2 ms become up to 20), so the caller says when.
 *
 * In:  fds, owned from then on. Out: nothing. Bounds: HT_REAPER_THREADS_MAX threads; the queue is as long as there are fds.
 */
#ifndef HT_REAPER_H
#define HT_REAPER_H

#include <stddef.h>

#define HT_REAPER_THREADS_MAX 128

struct ht_reaper;

/* NULL and errno. */
struct ht_reaper *ht_reaper_new(void);
/* Takes the fds over, to be closed by the next ht_reaper_run(). Without memory to note them they are closed before it returns. */
void ht_reaper_take(struct ht_reaper *reaper, const int *fds, size_t cnt);
/* Begins to close what has been taken; returns at once. Where no thread can be started, and none runs, all is closed before it returns. */
void ht_reaper_run(struct ht_reaper *reaper);
/* fds taken, and not being closed yet. */
size_t ht_reaper_pending(struct ht_reaper *reaper);
/*
 * For links that take too long to wait for (perf uprobes: 99 ms each, one after the other): what has been taken is left to a process that holds nothing
 * else, and ends by closing it. It is nobody's child. Where there can be no such process, this is ht_reaper_run().
 */
void ht_reaper_leave(struct ht_reaper *reaper);
/* Closes all, waits for it, frees. NULL is allowed. */
void ht_reaper_free(struct ht_reaper *reaper);

#endif
