/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kfuncs.h - functions of the kernel that BPF programs call, where it has them.
 *
 * libbpf finds them itself where a program declares them as external, but then asks for the kernel's own type information whichever programs are loaded,
 * and that not every kernel has. So a program calls a helper of a number that none has (abi/config.h: HT_KFUNC_*), and the call is changed before the load.
 */
#ifndef HT_KFUNCS_H
#define HT_KFUNCS_H

#include <stdint.h>

struct bpf_program;
struct btf;

/* Their types' numbers, 0: the kernel lacks it. */
struct ht_kfuncs {
	uint32_t cast_to_kern_ctx; /* 6.2 */
	uint32_t task_work;        /* 6.18 */
};

struct ht_kfuncs ht_kfuncs_find(const struct btf *btf);
/* Of an object that is open and not loaded. 0, -ENOENT: it calls one that there is not, -ENOMEM. */
int ht_kfuncs_put(const struct ht_kfuncs *kfuncs, struct bpf_program *prog);

#endif
