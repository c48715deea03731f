/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * process.bpf.h - processes come, change and go; and with them the filter `traced`, kept here so that a child is traced from its
 * first instruction.
 *
 * In: what process_*.bpf.c hear of the scheduler. Out: HT_REC_PROC. With a filter, fork and exec of traced processes wake the reader at once: it has to
 * put probes into the new process.
 */
#ifndef HT_PROCESS_BPF_H
#define HT_PROCESS_BPF_H

#include "calls.bpf.h"
#include "emit.bpf.h"
#include "filter.bpf.h"

#define SIGNAL_GROUP_EXIT 0x00000004 /* include/linux/sched/signal.h */

/* op's record of task, whose exe is not known but for exec's. ppid 0: its parent's. */
static __always_inline struct ht_rec_proc *proc_record(struct task_struct *task, __u16 op, __u64 ts)
{
	struct ht_rec_proc *rec;
	__u64 seq;

	rec = ht_reserve(sizeof(*rec), &seq, NULL);
	if (!rec)
		return NULL;
	ht_hdr_init(&rec->hdr, __builtin_offsetof(struct ht_rec_proc, exe), HT_REC_PROC, 0, ts, seq, HT_FIELD(task, tgid), 0);
	rec->start_ns = BPF_CORE_READ(task, group_leader, start_time);
	rec->cgroup_id = bpf_get_current_cgroup_id();
	rec->ppid = BPF_CORE_READ(task, real_parent, tgid);
	rec->uid = BPF_CORE_READ(task, cred, uid.val);
	rec->op = op;
	rec->exe_len = 0;
	rec->exit_code = 0;
	bpf_probe_read_kernel(rec->comm, sizeof(rec->comm), task->comm);
	return rec;
}

static __always_inline __u64 urgency(__u64 size)
{
	return ht_config.flags & HT_CFG_FILTERED ? BPF_RB_FORCE_WAKEUP : ht_wake(size);
}

static __always_inline int on_fork(struct task_struct *parent, struct task_struct *child)
{
	__u64 ts = bpf_ktime_get_ns();
	__u32 tgid = HT_FIELD(child, tgid), on = HT_TRACED_ON;
	struct ht_rec_proc *rec;

	if ((__u32)HT_FIELD(child, pid) != tgid || !ht_allowed(HT_FIELD(parent, tgid)))
		return 0;
	if (ht_config.flags & HT_CFG_FILTERED) {
		if (!(ht_config.flags & HT_CFG_FOLLOW))
			return 0;
		if (bpf_map_update_elem(&traced, &tgid, &on, BPF_ANY))
			ht_count(HT_CNT_LOST_SCRATCH);
	}
	if (!(ht_config.flags & HT_CFG_PROCS))
		return 0;
	rec = proc_record(child, HT_PROC_FORK, ts);
	if (rec) {
		rec->ppid = HT_FIELD(parent, tgid);
		ht_submit(rec, urgency(sizeof(*rec)));
	}
	return 0;
}

static __always_inline int on_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	__u64 ts = bpf_ktime_get_ns();
	__u32 tgid = HT_FIELD(task, tgid), on = HT_TRACED_ON;
	struct ht_rec_proc *rec;
	long n;

	/* Before its first instruction: whether it is to be traced is decided by who reads the record. */
	if ((ht_config.flags & HT_CFG_JUDGE) && tgid != ht_config.self_tgid && bpf_map_update_elem(&traced, &tgid, &on, BPF_ANY))
		ht_count(HT_CNT_LOST_SCRATCH);
	if (!ht_allowed(tgid) || !(ht_config.flags & HT_CFG_PROCS))
		return 0;
	rec = proc_record(task, HT_PROC_EXEC, ts);
	if (!rec)
		return 0;
	rec->hdr.tid = HT_FIELD(task, pid);
	n = bpf_probe_read_kernel_str(rec->exe, sizeof(rec->exe), BPF_CORE_READ(bprm, filename));
	if (n > 0 && n <= HT_PROC_EXE_MAX) {
		rec->exe_len = n - 1;
		rec->hdr.size += (n - 1 + 7) & ~7U;
		/* A read that stops at the NUL leaves the ring's old bytes behind it. */
		*(__u64 *)(rec->exe + ((n - 1) & (HT_PROC_EXE_MAX - 8))) &= ~(~0ULL << (((n - 1) & 7) * 8));
	}
	ht_submit(rec, urgency(sizeof(*rec)));
	return 0;
}

static __always_inline int on_exit(struct task_struct *task)
{
	__u64 ts = bpf_ktime_get_ns();
	__u32 tgid = HT_FIELD(task, tgid);
	struct ht_rec_proc *rec;

#ifdef HT_OLD
	{
		__u64 who = bpf_get_current_pid_tgid();

		if (!bpf_map_delete_elem(&threads, &who))
			ht_count(HT_CNT_THREAD_GONE);
	}
#endif
	if (ht_config.flags & HT_CFG_CALLS)
		ht_call_forget();
	/* kernel/exit.c, do_exit: live has been counted down before. */
	if (BPF_CORE_READ(task, signal, live.counter) || !ht_allowed(tgid))
		return 0;
	if (ht_config.flags & HT_CFG_FILTERED)
		bpf_map_delete_elem(&traced, &tgid);
	if (!(ht_config.flags & HT_CFG_PROCS) || (HT_FIELD(task, flags) & PF_KTHREAD))
		return 0;
	rec = proc_record(task, HT_PROC_EXIT, ts);
	if (!rec)
		return 0;
	rec->hdr.tid = HT_FIELD(task, pid);
	rec->hdr.flags = HT_F_EXITING;
	rec->exit_code = BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT ? BPF_CORE_READ(task, signal, group_exit_code)
										: HT_FIELD(task, exit_code);
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

#endif
