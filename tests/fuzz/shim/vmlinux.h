/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vmlinux.h - what bpf/payload.bpf.c and bpf/http1.bpf.c need of the kernel's types when they are compiled as a program of user space
 * (programs.h). Found before vmlinux/vmlinux.h there, as bpf/ beside this file is before libbpf's.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* include/uapi/linux/bpf.h; the maps' definitions are read, no map is made. */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

struct task_struct {
	int pid;
	int tgid;
	unsigned int flags;
};

struct pt_regs {
	unsigned long sp;
};

#endif
