/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * emit.bpf.h - how a record gets into the ring: header, sequence number, loss accounting, wake-up.
 *
 * A record's sequence number is taken right before its room is asked for, and is spent when there is none: user space sees the gap.
 *
 * HT_OLD: no instruction adds and answers (5.12), and what runs on a CPU may be interrupted by what ends before it goes on, and from 5.12 to 5.16 on a
 * kernel that preempts also by another thread's program, in the middle of it: fentry programs run with migration disabled only (5.12,
 * kernel/bpf/trampoline.c, __bpf_prog_enter). So what is taken one at a time is taken by ht_try: of those that try at once one or none succeeds. A
 * number that is just being taken further out is not to be had; the record is given up, and the next one leaves a gap for it.
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

#ifdef HT_OLD

/* There is none: the number before is being taken. */
#define HT_SEQ_NONE (~0ULL)

/* Whether it was free and is ours now. Who fails leaves it as it was; who succeeds gives it back by ht_leave. */
static __always_inline int ht_try(__u64 *taken)
{
	__sync_fetch_and_add(taken, 1);
	if (HT_ONCE(*taken) == 1)
		return 1;
	__sync_fetch_and_add(taken, -1);
	return 0;
}

static __always_inline void ht_leave(__u64 *taken)
{
	__sync_fetch_and_add(taken, -1);
}

static __always_inline __u64 ht_next_seq(void)
{
	__u32 zero = 0;
	struct ht_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);
	__u64 seq = HT_SEQ_NONE, missed;

	if (!cpu)
		return seq;
	if (!ht_try(&cpu->seq_taken)) {
		__sync_fetch_and_add(&cpu->missed, 1);
		return seq;
	}
	missed = HT_ONCE(cpu->missed);
	if (missed)
		__sync_fetch_and_add(&cpu->missed, -missed);
	seq = HT_ONCE(cpu->seq) + missed;
	HT_ONCE(cpu->seq) = seq + 1;
	ht_leave(&cpu->seq_taken);
	return seq;
}

/* An identity never handed out before by this load of the programs, not 0; 0: too many are being made on this CPU, which counts as a loss. */
static __always_inline __u64 ht_next_id(void)
{
	struct ht_cpu *cpu;
	__u32 zero = 0;
	__u64 id = 0;

	cpu = bpf_map_lookup_elem(&cpus, &zero);
	if (!cpu)
		return 0;
	for (__u32 i = 0; i < HT_DEPTHS && !id; i++) {
		struct ht_cpu_ids *ids = &cpu->ids[i];

		if (!ht_try(&ids->taken))
			continue;
		id = HT_ONCE(ids->cnt) + 1;
		HT_ONCE(ids->cnt) = id;
		ht_leave(&ids->taken);
		id = (id * HT_DEPTHS + i) << 16 | (bpf_get_smp_processor_id() & 0xffff);
	}
	if (!id)
		ht_count(HT_CNT_LOST_SCRATCH);
	return id;
}

static __always_inline int ht_has_seq(__u64 seq)
{
	return seq != HT_SEQ_NONE;
}

#else

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

static __always_inline int ht_has_seq(__u64 seq)
{
	return 1;
}

#endif

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
	rec = ht_has_seq(*seq) ? bpf_ringbuf_reserve(&events, size, 0) : NULL;
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
	struct task_struct *task = ht_task();
	struct ht_who who = { .tgid = owner };

	if ((__u32)HT_FIELD(task, tgid) == owner) {
		who.tid = HT_FIELD(task, pid);
		who.flags = HT_FIELD(task, flags) & PF_EXITING ? HT_F_EXITING : 0;
	} else {
		who.flags = HT_F_FOREIGN;
	}
	return who;
}

#endif
