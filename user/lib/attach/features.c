/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * features.c - see features.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "attach/features.h"
#include "attach/rights.h"

#define BTF_PATH      "/sys/kernel/btf/vmlinux"
#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"
#define BTF_MAX_BYTES (64u << 20) /* Debian's is 5 to 8 MB */

struct ht_kernel_btf {
	size_t bytes;
	char data[];
};

/* The first mount of cgroup version 2: "36 35 98:0 /root /point options... - type source super" (proc_pid_mountinfo(5)). */
static void find_cgroup_root(char *root, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;

	root[0] = '\0';
	if (!file)
		return;
	while (!root[0] && getline(&line, &room, file) > 0) {
		char *type = strstr(line, " - cgroup2 ");
		int from = 0, to = 0;

		if (!type || sscanf(line, "%*d %*d %*s %*s %n%*s%n", &from, &to) < 0 || !to || (size_t)(to - from) >= size)
			continue;
		memcpy(root, line + from, (size_t)(to - from));
		root[to - from] = '\0';
	}
	free(line);
	fclose(file);
}

/* "none [integrity] confidentiality": the one in force is in brackets. */
static enum ht_lockdown read_lockdown(void)
{
	FILE *file = fopen(LOCKDOWN_PATH, "re");
	char text[64] = "";

	if (!file)
		return HT_LOCKDOWN_UNKNOWN;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strstr(text, "[confidentiality]") ? HT_LOCKDOWN_CONFIDENTIALITY
	       : strstr(text, "[integrity]")     ? HT_LOCKDOWN_INTEGRITY
	       : strstr(text, "[none]")          ? HT_LOCKDOWN_NONE
						 : HT_LOCKDOWN_UNKNOWN;
}

/* Of the whole, the section with all names is kept: a quarter. NULL and errno. */
static struct ht_kernel_btf *read_btf(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = EBADMSG;
	struct ht_kernel_btf *btf = NULL;
	struct btf_header head;

	if (fd < 0)
		return NULL;
	if (read(fd, &head, sizeof(head)) != sizeof(head) || head.magic != BTF_MAGIC || head.str_len > BTF_MAX_BYTES)
		goto out;
	err = ENOMEM;
	btf = malloc(sizeof(*btf) + head.str_len);
	if (!btf)
		goto out;
	btf->bytes = 0;
	while (btf->bytes < head.str_len) {
		off_t off = (off_t)head.hdr_len + head.str_off + (off_t)btf->bytes;
		ssize_t len = pread(fd, btf->data + btf->bytes, head.str_len - btf->bytes, off);

		if (len <= 0)
			break;
		btf->bytes += (size_t)len;
	}
	err = 0;
out:
	close(fd);
	if (err)
		errno = err;
	return btf;
}

/*
 * symbol: in the BTF of every kernel that has the feature. NULL: it is tried, elsewhere.
 */
static const struct {
	const char *name;
	const char *symbol;
	const char *since;
	const char *instead;
} table[HT_FEATURE_CNT] = {
	[HT_FEATURE_BTF] = { "btf", NULL, "5.2", "nothing: name a file with --btf" },
	[HT_FEATURE_RINGBUF] = { "ringbuf", "BPF_FUNC_ringbuf_output", "5.8", "nothing" },
	[HT_FEATURE_TP_BTF] = { "tp_btf", NULL, "5.5", "other ways to the same events" },
	[HT_FEATURE_FENTRY] = { "fentry", NULL, "5.5", "other ways to the same events" },
	[HT_FEATURE_KPROBE] = { "kprobe", NULL, "4.1", "other ways to the same events" },
	[HT_FEATURE_SK_STORAGE] = { "sk_storage", "bpf_sk_storage_tracing_allowed", "5.11", "a table of sockets" },
	[HT_FEATURE_TASK_STORAGE] = { "task_storage", "BPF_FUNC_task_storage_get", "5.12",
				      "a table of threads; lost: TLS calls in flight of threads that it has no room for" },
	[HT_FEATURE_TASK_BTF] = { "task_btf", "BPF_FUNC_get_current_task_btf", "5.11", "the same by another helper; costs time" },
	[HT_FEATURE_TASK_PT_REGS] = { "task_pt_regs", "BPF_FUNC_task_pt_regs", "5.15", "the top of the kernel stack" },
	[HT_FEATURE_ATOMICS] = { "atomics", NULL, "5.12",
				 "plain memory; lost, and counted: a record whose program interrupts another's count" },
	[HT_FEATURE_LOOP] = { "loop", "BPF_FUNC_loop", "5.17",
			      "loops of a fixed length, and what is left then is copied whole; lost: heads in more than 64 buffers of one call, frames "
			      "behind the first 48 KiB of one call" },
	[HT_FEATURE_COOKIE] = { "cookie", "BPF_FUNC_get_attach_cookie", "5.15", "a program for each function; costs time" },
	[HT_FEATURE_PERF_LINK] = { "perf_link", NULL, "5.15", "probes without links; nothing is lost" },
	[HT_FEATURE_UPROBE] = { "uprobe", NULL, "4.3", "nothing; lost: lookups, TLS" },
	[HT_FEATURE_UPROBE_MULTI] = { "uprobe_multi", NULL, "6.6", "perf uprobes, one a site: they take longer to put on and off" },
	[HT_FEATURE_UPROBE_SESSION] = { "uprobe_session", NULL, "6.13", "entry and return apart: returns that are not needed cost a trap" },
	/* It has all that they use, and its verifier refuses them: found out when they are loaded. */
	[HT_FEATURE_PROGRAMS] = { "programs", NULL, "5.17", "programs made for older kernels" },
};

const char *ht_feature_name(enum ht_feature feature)
{
	return table[feature].name;
}

const char *ht_feature_since(enum ht_feature feature)
{
	return table[feature].since;
}

const char *ht_feature_instead(enum ht_feature feature)
{
	return table[feature].instead;
}

int ht_features_parse(const char *list, uint32_t *without, const char **unknown)
{
	*without = 0;
	while (list && *list) {
		size_t len = strcspn(list, ","), i;

		for (i = 0; i < HT_FEATURE_CNT && (strlen(table[i].name) != len || memcmp(table[i].name, list, len)); i++)
			;
		if (i == HT_FEATURE_CNT) {
			*unknown = list;
			return -EINVAL;
		}
		*without |= 1u << i;
		list += len + (list[len] == ',');
	}
	return 0;
}

void ht_features_read(struct ht_features *features, const char *btf_path, uint32_t without)
{
	struct ht_rights rights;
	struct utsname name;
	uint64_t caps, admin;

	memset(features, 0, sizeof(*features));
	caps = ht_rights_read(&rights) ? 0 : rights.effective;
	admin = caps >> CAP_SYS_ADMIN & 1;
	if (!uname(&name))
		snprintf(features->release, sizeof(features->release), "%.64s", name.release);
	features->has_cap_bpf = admin || caps >> CAP_BPF & 1;
	features->has_cap_perfmon = admin || caps >> CAP_PERFMON & 1;
	features->has_cap_net_admin = admin || caps >> CAP_NET_ADMIN & 1;
	features->has_cap_map_files = admin || caps >> CAP_CHECKPOINT_RESTORE & 1;
	features->has_cap_ptrace = caps >> CAP_SYS_PTRACE & 1;
	features->has_cap_dac_read = caps >> CAP_DAC_READ_SEARCH & 1 || caps >> CAP_DAC_OVERRIDE & 1;
	features->lockdown = read_lockdown();
	find_cgroup_root(features->cgroup_root, sizeof(features->cgroup_root));
	features->without = without;
	features->is_custom_btf = btf_path != NULL;
	if (btf_path || ht_features_has(features, HT_FEATURE_BTF))
		features->btf = read_btf(btf_path ? btf_path : BTF_PATH);
	features->has_btf = features->btf != NULL;
	for (unsigned int i = 0; features->btf && i < HT_FEATURE_CNT; i++) {
		if (table[i].symbol && !ht_kernel_btf_has_name(features->btf, table[i].symbol))
			features->without |= 1u << i;
	}
	/* They need what the kernel says of itself. */
	if (!ht_features_has(features, HT_FEATURE_BTF) || access(BTF_PATH, R_OK))
		features->without |= 1u << HT_FEATURE_TP_BTF | 1u << HT_FEATURE_FENTRY;
}

void ht_features_free(struct ht_features *features)
{
	free(features->btf);
	features->btf = NULL;
}

bool ht_features_are_old(const struct ht_features *features)
{
	const uint32_t used = 1u << HT_FEATURE_SK_STORAGE | 1u << HT_FEATURE_TASK_STORAGE | 1u << HT_FEATURE_TASK_BTF |
			      1u << HT_FEATURE_TASK_PT_REGS | 1u << HT_FEATURE_ATOMICS | 1u << HT_FEATURE_LOOP | 1u << HT_FEATURE_COOKIE |
			      1u << HT_FEATURE_PROGRAMS;

	return features->without & used;
}

/* Names stand between NULs. */
bool ht_kernel_btf_has_name(const struct ht_kernel_btf *btf, const char *name)
{
	char wanted[128];
	int len = snprintf(wanted, sizeof(wanted), "%c%s", 0, name);

	return len > 0 && len < (int)sizeof(wanted) && memmem(btf->data, btf->bytes, wanted, (size_t)len + 1);
}

bool ht_kernel_btf_has_tracepoint(const struct ht_kernel_btf *btf, const char *name)
{
	/* A tracepoint is the typedef btf_trace_NAME. */
	char wanted[128];
	int len = snprintf(wanted, sizeof(wanted), "btf_trace_%s", name);

	return len > 0 && len < (int)sizeof(wanted) && ht_kernel_btf_has_name(btf, wanted);
}
