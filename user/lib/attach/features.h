/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * features.h - what this kernel, and our own rights on it, offer: each asked for by name, none inferred from a version number.
 *
 * In:  /sys/kernel/btf/vmlinux, /proc/self, uname. Out: a struct by value.
 */
#ifndef HT_FEATURES_H
#define HT_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

struct ht_features {
	char release[65];
	bool has_btf;
	bool has_cap_bpf;       /* CAP_BPF, or CAP_SYS_ADMIN which includes it */
	bool has_cap_perfmon;   /* likewise */
	bool has_cap_net_admin; /* likewise */
	bool has_cap_ptrace;    /* /proc of other users' processes */
	bool has_cap_map_files; /* CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN: deleted libraries */
	char cgroup_root[256];  /* where cgroup version 2 is mounted; "" nowhere */
};

struct ht_kernel_btf;

void ht_features_read(struct ht_features *features);

/* The kernel's type information as one block. NULL and errno. */
struct ht_kernel_btf *ht_kernel_btf_read(void);
/* Whether there is a typed tracepoint of this name. */
bool ht_kernel_btf_has_tracepoint(const struct ht_kernel_btf *btf, const char *name);
void ht_kernel_btf_free(struct ht_kernel_btf *btf);

#endif
