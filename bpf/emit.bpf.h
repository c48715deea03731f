/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * emit.bpf.h - how a record gets into the ring: header, sequence number, loss accounting, wake-up.
 *
 * A record's sequence number is taken right before its room is asked for, and is spent when there is none: user space sees the gap.
 */
#ifndef HT_EMIT_BPF_H
#define HT_EMIT_BPF_H

#include "maps.bpf.h"

static __always_inline void ht_count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* Atomic although per CPU: a probe of user code may be preempted between reading and writing. */
static __always_inline __u64 ht_next_seq(void)
{
	__u32 zero = 0;
	struct ht_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	return cpu ? __sync_fetch_and_add(&cpu->seq, 1) : 0;
}

/* An identity never handed out before by this load of the programs, not 0. */
static __always_inline __u64 ht_next_id(void)
{
	__u32 zero = 0;
	struct ht_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	if (!cpu)
		return 0;
	return (__sync_fetch_and_add(&cpu->id_cnt, 1) + 1) << 16 | (bpf_get_smp_processor_id() & 0xffff);
}

/*
 * Wake-up flags for a record of size bytes: the reader polls on a timer of its own and is woken each time another wakeup_bytes have
 * piled up. Forced, because the ring's adaptive wake-up looks at whether the reader is waiting for this very record
 * (kernel/bpf/ringbuf.c, bpf_ringbuf_commit).
 */
static __always_inline __u64 ht_wake(__u64 size)
{
	__u64 step = ht_config.wakeup_bytes;
	__u64 pending = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (!step || pending + size < step)
		return BPF_RB_NO_WAKEUP;
	return pending % step + size >= step ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void ht_hdr_init(struct ht_hdr *hdr, __u32 size, __u16 kind, __u16 flags, __u64 ts_ns, __u64 seq, __u32 tgid,
					__u32 tid)
{
	hdr->size = size;
	hdr->kind = kind;
	hdr->flags = flags;
	hdr->ts_ns = ts_ns;
	hdr->seq = seq;
	hdr->cpu = bpf_get_smp_processor_id();
	hdr->lost = 0;
	hdr->tgid = tgid;
	hdr->tid = tid;
}

/* Tell and clear what an object lost; after it, the record must go out. */
static __always_inline __u32 ht_take_lost(__u32 *lost)
{
	__u32 cnt = *lost;

	if (cnt)
		__sync_fetch_and_add(lost, -cnt);
	return cnt;
}

/* lost may be NULL: a record that belongs to no object. */
static __always_inline void ht_lose(__u32 *lost)
{
	if (lost)
		__sync_fetch_and_add(lost, 1);
	ht_count(HT_CNT_LOST_RINGBUF);
}

/* size is a constant; the caller fills the record and submits it with ht_submit. */
static __always_inline void *ht_reserve(__u64 size, __u64 *seq, __u32 *lost)
{
	void *rec;

	*seq = ht_next_seq();
	rec = bpf_ringbuf_reserve(&events, size, 0);
	if (!rec)
		ht_lose(lost);
	return rec;
}

static __always_inline void ht_submit(void *rec, __u64 wake)
{
	ht_count(HT_CNT_RECORDS);
	bpf_ringbuf_submit(rec, wake);
}

/* The current thread as seen from an object that belongs to owner. */
struct ht_who {
	__u32 tgid;
	__u32 tid;
	__u16 flags;
};

static __always_inline struct ht_who ht_who(__u32 owner)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ht_who who = { .tgid = owner };

	if ((__u32)task->tgid == owner) {
		who.tid = task->pid;
		who.flags = task->flags & PF_EXITING ? HT_F_EXITING : 0;
	} else {
		who.flags = HT_F_FOREIGN;
	}
	return who;
}

#endif
