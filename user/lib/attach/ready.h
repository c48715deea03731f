/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ready.h - keeps the kernel ready to put probes into a new process at once.
 *
 * The first uprobe registered after a pause waits for an RCU grace period: 8 to 20 ms on a kernel with 250 ticks a second, where one that follows
 * another within some 8 ms takes 0.05 (kernel/events/uprobes.c takes dup_mmap_sem for writing, kernel/locking/percpu-rwsem.c, kernel/rcu/sync.c). A
 * shell's child looks its first name up 6 ms after fork. So, while a traced process is likely to fork, a probe is put on a file of our own that nobody
 * maps, and taken away, every few milliseconds: about 1 % of one CPU. Its own threads do it, as taking away waits.
 *
 * In:  until when. Out: nothing. Bounds: HT_READY_THREADS threads.
 */
#ifndef HT_READY_H
#define HT_READY_H

#include <stdint.h>

#define HT_READY_THREADS 12

struct ht_ready;

/*
 * prog_fd: a program loaded for uprobe_multi; stays the caller's. policy, priority: of the threads (sched(7)), as the caller's: it waits for locks that they
 * hold. NULL and errno.
 */
struct ht_ready *ht_ready_new(int prog_fd, int policy, int priority);
/* Probes are being put on by the caller: that serves as well, and two at it wait for each other. */
void ht_ready_pause(struct ht_ready *ready);
/* Stays ready until then (CLOCK_MONOTONIC), or longer if that was said before. Starts the threads the first time. */
void ht_ready_until(struct ht_ready *ready, uint64_t until_ns);
/* Ends the threads, frees. NULL is allowed. */
void ht_ready_free(struct ht_ready *ready);

#endif
