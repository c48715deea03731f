/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * process_untyped.bpf.c - processes by raw tracepoints. The bodies are in process.bpf.h.
 */
#define HT_UNTYPED
#include "process.bpf.h"

SEC("raw_tp/sched_process_fork")
int BPF_PROG(rt_sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	return on_fork(parent, child);
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(rt_sched_process_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	return on_exec(task, bprm);
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(rt_sched_process_exit, struct task_struct *task)
{
	return on_exit(task);
}
