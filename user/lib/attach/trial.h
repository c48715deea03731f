/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * trial.h - whether a return probe kills a process that the kernel lets make a few system calls only.
 *
 * Kernels from 6.11 implement a return probe on x86-64 by a system call of the probed process; some of them ask its seccomp filter, which knows nothing of it.
 * Whether this one does is tried out, never inferred from its version: a child of ours, under such a filter, calls a function with a return probe on it.
 *
 * In:  the backend that will be used. Out: a verdict. The function is some bytes of a file in memory, which nobody else maps; the child is not told of to
 * whoever waits for any child (no SIGCHLD), leaves no core, and is killed if it does not end within a second.
 */
#ifndef HT_TRIAL_H
#define HT_TRIAL_H

#include <stddef.h>

#include "attach/reaper.h"
#include "attach/uprobe.h"

enum ht_trial_verdict {
	HT_TRIAL_UNKNOWN, /* it could not be tried */
	HT_TRIAL_SURVIVES,
	HT_TRIAL_KILLED,
};

/* The trial with a filter that allows these system calls; numbers_cnt at most 8. *link_fd, if not -1, is for the caller to close, which takes tens of ms. */
enum ht_trial_verdict ht_trial_run(enum ht_uprobe_backend backend, const unsigned int *numbers, size_t numbers_cnt, int *link_fd);

struct ht_trial;

/* Begins the same, with a filter that allows to exit only, in a thread: putting the probe on may wait 15 ms in the kernel (ready.h). NULL and errno. */
struct ht_trial *ht_trial_start(enum ht_uprobe_backend backend);
/* Waits for its end, frees. The link goes to the reaper, or is closed here if that is NULL. trial may be NULL: unknown. */
enum ht_trial_verdict ht_trial_end(struct ht_trial *trial, struct ht_reaper *reaper);

/* For reports, of HT_TRIAL_KILLED. */
extern const char ht_trial_refusal[];

#endif
