/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bpf_helpers.h - the helpers that the payload programs call, as functions that the fuzz target defines. Declared as in
 * bpf_helper_defs.h; bpf_loop takes callbacks of any context's type, as clang's BPF target does.
 */
#ifndef __BPF_HELPERS__
#define __BPF_HELPERS__

#include <linux/types.h>

#define SEC(name)
#define __uint(name, val) int(*name)[val]
#define __type(name, val) __typeof__(val) *name
#define __noinline        __attribute__((noinline))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_probe_read_kernel(void *dst, __u32 size, const void *unsafe_ptr);
long bpf_probe_read_user(void *dst, __u32 size, const void *unsafe_ptr);
long bpf_ringbuf_output(void *ringbuf, void *data, __u64 size, __u64 flags);
void *bpf_ringbuf_reserve(void *ringbuf, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void *data, __u64 flags);
__u64 bpf_ringbuf_query(void *ringbuf, __u64 flags);
__u32 bpf_get_smp_processor_id(void);
struct task_struct *bpf_get_current_task_btf(void);
long bpf_task_pt_regs(struct task_struct *task);

typedef long (*ht_loop_step)(__u32 i, void *ctx);
long ht_shim_loop(__u32 nr_loops, ht_loop_step step, void *ctx, __u64 flags);
#define bpf_loop(nr_loops, step, ctx, flags) ht_shim_loop(nr_loops, (ht_loop_step)(void *)(step), ctx, flags)

#endif
