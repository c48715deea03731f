/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kernel.bpf.h - what older kernels lack, and what stands in for it.
 *
 * The programs are compiled twice. HT_OLD is for kernels without bpf_loop (5.17): it uses nothing that 5.10 has not, and so runs on any of them.
 * It cannot be one object: what a verifier does not know it refuses even where it is never reached (5.10, resolve_pseudo_ldimm64: references
 * to callbacks; atomic operations that return a value). Which one is loaded user space decides (user/lib/attach/programs.c); the other one costs nothing.
 *
 *   lacking before                                    stands in
 *   5.11 bpf_get_current_task_btf (3ca1032ab7ab)      bpf_get_current_task, each field by a probe read: HT_FIELD
 *   5.12 atomics that return (5ca419f2864a)           adding, and looking whether one was alone: emit.bpf.h, scratch.bpf.h
 *   5.12 task storage in tracing (a10787e6d58c)       a hash by thread: ht_thread_find
 *   5.12 pointers to global functions (e5069b9c23b3)  static functions, verified at every call: HT_GLOBAL
 *   5.15 bpf_task_pt_regs (dd6e10fbd9fb)              the top of the kernel stack: ht_user_regs
 *   5.15 bpf_get_attach_cookie (7adfc6c9b315)         a program for each cookie that says it by thread: openssl.bpf.c
 *   5.17 bpf_loop (e6f2dd0f8067)                      a loop whose every round is verified: HT_LOOP
 *   6.1  maps allocated in probes (34dd3bad1a6f)      maps allocated when they are made: 6.0 and before warn in the kernel's log
 */
#ifndef HT_KERNEL_BPF_H
#define HT_KERNEL_BPF_H

/* One load or store, where it is written. */
#define HT_ONCE(x) (*(volatile __typeof__(x) *)&(x))

/*
 * Typed programs follow pointers that the verifier knows the types of. A file that defines HT_UNTYPED before it includes anything is for programs that have
 * none, kprobes and raw tracepoints: they read each field by itself, and know a socket by its address (socks.bpf.h).
 */
#ifdef HT_OLD
#undef HT_UNTYPED
#define HT_UNTYPED
#endif

#ifdef HT_UNTYPED

/* A field of something the kernel owns. */
#define HT_FIELD(ptr, field) BPF_CORE_READ(ptr, field)

static __always_inline struct task_struct *ht_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

#else

#define HT_FIELD(ptr, field) ((ptr)->field)

static __always_inline struct task_struct *ht_task(void)
{
	return bpf_get_current_task_btf();
}

#endif

#ifdef HT_OLD

#define HT_GLOBAL __hidden

#define HT_PROBE_MAP_FLAGS 0

/* Up to n times where the kernel has loops; where it unrolls them up to old_n: what is left then the caller has to see. */
#define HT_LOOP(n, old_n, step, ctx)             \
	do {                                     \
		__u32 i_;                        \
		for (i_ = 0; i_ < (old_n); i_++) \
			if (step(i_, ctx))       \
				break;           \
	} while (0)

/* A step of such a loop is a function of its own: what the verifier has learnt in it is forgotten behind it. */
#define HT_STEP static __noinline

/*
 * Makes the verifier know nothing of x, by way of m in a map: ways here that differ in what it knew are one from here on, instead of each being followed
 * to the end.
 */
#define HT_FORGET(x, m)           \
	do {                      \
		HT_ONCE(m) = (x); \
		(x) = HT_ONCE(m); \
	} while (0)

/* The size of a kernel stack, and no more; THREAD_SIZE where the kernel does not describe it (x86-64, arm64: 16 KiB, KASAN apart). */
static __always_inline __u64 ht_stack_bytes(void)
{
	return bpf_core_type_exists(union thread_union) ? bpf_core_type_size(union thread_union) : 16384;
}

/* The user's registers, at the top of the kernel stack: task_pt_regs() of x86-64 and of arm64. The running task's stack does not go away. */
static __always_inline struct pt_regs *ht_user_regs(struct task_struct *task)
{
	return (struct pt_regs *)((__u64)BPF_CORE_READ(task, stack) + ht_stack_bytes() - bpf_core_type_size(struct pt_regs));
}

#else

#define HT_GLOBAL
#define HT_PROBE_MAP_FLAGS           BPF_F_NO_PREALLOC
#define HT_LOOP(n, old_n, step, ctx) bpf_loop(n, step, ctx, 0)
#define HT_STEP                      static
#define HT_FORGET(x, m)

/* The running task, which task is, as helpers want it. */
static __always_inline struct task_struct *ht_trusted(struct task_struct *task)
{
#ifdef HT_UNTYPED
	return bpf_get_current_task_btf();
#else
	return task;
#endif
}

static __always_inline struct pt_regs *ht_user_regs(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(ht_trusted(task));
}

#endif

/* Whether a TLS call's return is not waited for: with uprobe sessions only (6.13). */
#ifdef HT_OLD
#define HT_IS_QUICK(call) 0
#else
#define HT_IS_QUICK(call) ((call)->is_quick)
#endif

/* The user's stack pointer when the running task entered the kernel. */
static __always_inline __u64 ht_user_sp(struct task_struct *task)
{
	return HT_FIELD(ht_user_regs(task), sp);
}

#endif
