/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * arch.bpf.h - all that depends on the architecture in the programs: system calls, their registers, the stack. The registers' own
 * layout is in vmlinux.h, that of a function's arguments in bpf/bpf_tracing.h (PT_REGS_PARM1 ...).
 *
 * To add one: a part here, struct pt_regs in vmlinux.h, a decoder (user/lib/attach/arch.h) and a part of native.h beside it, a name in the
 * Makefile (TRIPLET_...).
 */
#ifndef HT_ARCH_BPF_H
#define HT_ARCH_BPF_H

#include "types.bpf.h"

#define HT_CALL_NONE 0
#define HT_CALL_BUF  1 /* (fd, buf, len) */
#define HT_CALL_IOV  2 /* (fd, iovec, count) */
#define HT_CALL_MSG  3 /* (fd, msghdr) */
#define HT_CALL_FILE 4 /* sendfile, splice */
#define HT_CALL_RING 5 /* io_uring_enter */

#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 0x0002 /* arch/x86/include/asm/thread_info.h */

static __always_inline int ht_is_compat(struct task_struct *task)
{
	return HT_FIELD(task, thread_info.status) & TS_COMPAT;
}

#define HT_SYSCALL_NR(regs)   ((int)HT_FIELD(regs, orig_ax))
#define HT_SYSCALL_ARG1(regs) HT_FIELD(regs, di)
#define HT_SYSCALL_ARG2(regs) HT_FIELD(regs, si)
#define HT_SYSCALL_ARG3(regs) HT_FIELD(regs, dx)
/* What it answers, once it is over. */
#define HT_SYSCALL_RET(regs)  ((int)HT_FIELD(regs, ax))
#define HT_NR_CONNECT         42

/* What a return takes off the stack: the return address. */
#define HT_RETURN_POPS 8

/* arch/x86/entry/syscalls/syscall_64.tbl */
static __always_inline int ht_call_kind(int nr)
{
	switch (nr) {
	case 0:  /* read */
	case 1:  /* write */
	case 44: /* sendto */
	case 45: /* recvfrom */
		return HT_CALL_BUF;
	case 19:  /* readv */
	case 20:  /* writev */
	case 327: /* preadv2 */
	case 328: /* pwritev2 */
		return HT_CALL_IOV;
	case 46: /* sendmsg */
	case 47: /* recvmsg */
		return HT_CALL_MSG;
	case 40:  /* sendfile */
	case 275: /* splice */
		return HT_CALL_FILE;
	case 426: /* io_uring_enter */
		return HT_CALL_RING;
	default:
		return HT_CALL_NONE;
	}
}
#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */

static __always_inline int ht_is_compat(struct task_struct *task)
{
	return (HT_FIELD(task, thread_info.flags) >> TIF_32BIT) & 1;
}

#define HT_SYSCALL_NR(regs)   HT_FIELD(regs, syscallno)
#define HT_SYSCALL_ARG1(regs) HT_FIELD(regs, orig_x0)
#define HT_SYSCALL_ARG2(regs) HT_FIELD(regs, regs[1])
#define HT_SYSCALL_ARG3(regs) HT_FIELD(regs, regs[2])
#define HT_SYSCALL_RET(regs)  ((int)HT_FIELD(regs, regs[0]))
#define HT_NR_CONNECT         203

/* A call leaves the return address in a register: the stack pointer at the return is that at the entry (AAPCS64 6.4.5.1). */
#define HT_RETURN_POPS        0

/* include/uapi/asm-generic/unistd.h */
static __always_inline int ht_call_kind(int nr)
{
	switch (nr) {
	case 63:  /* read */
	case 64:  /* write */
	case 206: /* sendto */
	case 207: /* recvfrom */
		return HT_CALL_BUF;
	case 65:  /* readv */
	case 66:  /* writev */
	case 286: /* preadv2 */
	case 287: /* pwritev2 */
		return HT_CALL_IOV;
	case 211: /* sendmsg */
	case 212: /* recvmsg */
		return HT_CALL_MSG;
	case 71: /* sendfile */
	case 76: /* splice */
		return HT_CALL_FILE;
	case 426: /* io_uring_enter */
		return HT_CALL_RING;
	default:
		return HT_CALL_NONE;
	}
}
#else
#error "no system call table for this architecture"
#endif

#endif
