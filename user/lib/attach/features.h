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
#include <stdint.h>

/* What is used where it is there, and can be masked off (--without). */
enum ht_feature {
	HT_FEATURE_BTF,
	HT_FEATURE_RINGBUF,
	HT_FEATURE_TP_BTF,
	HT_FEATURE_FENTRY,
	HT_FEATURE_KPROBE,
	HT_FEATURE_SK_STORAGE,
	HT_FEATURE_TASK_STORAGE,
	HT_FEATURE_TASK_BTF,
	HT_FEATURE_TASK_PT_REGS,
	HT_FEATURE_ATOMICS,
	HT_FEATURE_LOOP,
	HT_FEATURE_COOKIE,
	HT_FEATURE_PERF_LINK,
	HT_FEATURE_UPROBE,
	HT_FEATURE_UPROBE_MULTI,
	HT_FEATURE_UPROBE_SESSION,
	HT_FEATURE_PROGRAMS,
	HT_FEATURE_CNT
};

/* As /sys/kernel/security/lockdown has it; UNKNOWN: it is not mounted. */
enum ht_lockdown { HT_LOCKDOWN_UNKNOWN, HT_LOCKDOWN_NONE, HT_LOCKDOWN_INTEGRITY, HT_LOCKDOWN_CONFIDENTIALITY };

struct ht_kernel_btf;

struct ht_features {
	char release[65];
	uint32_t without;          /* 1 << HT_FEATURE_*: masked off, or known to be missing by its name not being in the BTF */
	struct ht_kernel_btf *btf; /* NULL: there is none, or it cannot be read */
	bool is_custom_btf;        /* it is not the kernel's own: typed tracepoints and fentry need that one */
	enum ht_lockdown lockdown;
	bool has_btf;
	bool has_cap_bpf;       /* CAP_BPF, or CAP_SYS_ADMIN which includes it */
	bool has_cap_perfmon;   /* likewise */
	bool has_cap_net_admin; /* likewise */
	bool has_cap_ptrace;    /* /proc of other users' processes */
	bool has_cap_dac_read;  /* CAP_DAC_READ_SEARCH: libraries that only their owners may read */
	bool has_cap_map_files; /* CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN: deleted libraries */
	char cgroup_root[256];  /* where cgroup version 2 is mounted; "" nowhere */
};

/*
 * btf_path: type information to be used in place of the kernel's own; NULL: that one. without: features to be taken as missing (ht_features_parse).
 * ht_features_free() frees what it points to.
 */
void ht_features_read(struct ht_features *features, const char *btf_path, uint32_t without);
void ht_features_free(struct ht_features *features);

/* Names, comma-separated, as bits 1 << HT_FEATURE_*. 0; -EINVAL: *unknown points to a name in the list that is none. NULL is the empty list. */
int ht_features_parse(const char *list, uint32_t *without, const char **unknown);
/* "ringbuf", ...; the kernel version that brought it; what is done without, and what is lost. Static. */
const char *ht_feature_name(enum ht_feature feature);
const char *ht_feature_since(enum ht_feature feature);
const char *ht_feature_instead(enum ht_feature feature);

static inline bool ht_features_has(const struct ht_features *features, enum ht_feature feature)
{
	return !(features->without >> feature & 1);
}

/* Whether the BPF programs made for older kernels are to be loaded: something that the others use is missing (bpf/kernel.bpf.h). */
bool ht_features_are_old(const struct ht_features *features);

/* Whether there is a typed tracepoint of this name. */
bool ht_kernel_btf_has_tracepoint(const struct ht_kernel_btf *btf, const char *name);
/* Whether a type, a member or an enumerator has this name. */
bool ht_kernel_btf_has_name(const struct ht_kernel_btf *btf, const char *name);

#endif
