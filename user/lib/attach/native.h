/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * native.h - what depends on the architecture that we are built for, besides instructions (arch.h, which knows those of every one).
 */
#ifndef HT_NATIVE_H
#define HT_NATIVE_H

#include <elf.h>
#include <linux/audit.h>

#if defined(__x86_64__)

#define HT_NATIVE_MACHINE      EM_X86_64
#define HT_NATIVE_AUDIT        AUDIT_ARCH_X86_64
/* A function whose first instruction is as cheap to probe as any: push rbp; pop rbp; ret. */
#define HT_NATIVE_FUNCTION     0x55, 0x5d, 0xc3
/* Which line of /proc/cpuinfo lists features, and which of them is user shadow stacks (arch/x86/kernel/cpu/proc.c, Linux 6.6). */
#define HT_NATIVE_CPU_LINE     "flags"
#define HT_NATIVE_SHADOW_STACK " user_shstk"

#elif defined(__aarch64__)

#define HT_NATIVE_MACHINE      EM_AARCH64
#define HT_NATIVE_AUDIT        AUDIT_ARCH_AARCH64
/* nop; ret */
#define HT_NATIVE_FUNCTION     0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6
/* Guarded control stacks (arch/arm64/kernel/cpuinfo.c, Linux 6.13). */
#define HT_NATIVE_CPU_LINE     "Features"
#define HT_NATIVE_SHADOW_STACK " gcs"

#else
#error "nothing is known here of this architecture"
#endif

#endif
