/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probe.bpf.h - what every program on a user's function begins with.
 *
 * Such programs can be preempted from 6.0 on (8c7dcb84e3b7, 88bf18581375), and another thread can then run the same one on the same CPU. Nevertheless the
 * kernel has given them one stack for each CPU since 6.13 (a76ab5731e32): what one keeps there, pointers into the kernel among it, the other overwrites. That
 * makes false reports, and can bring down the machine where the kernel preempts (PREEMPT_LAZY, full). A program with a tail call keeps the thread's own
 * stack (check_max_stack_depth): each has one, which is never made. It costs nothing, and is no function that some kernels lack.
 */
#ifndef HT_PROBE_BPF_H
#define HT_PROBE_BPF_H

#include "maps.bpf.h"

static __always_inline void ht_keep_own_stack(struct pt_regs *ctx)
{
	if (ht_never)
		bpf_tail_call(ctx, NULL, 0);
}

#endif
