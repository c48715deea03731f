/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * features.c - see features.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "attach/features.h"

#define BTF_PATH      "/sys/kernel/btf/vmlinux"
#define BTF_MAX_BYTES (64u << 20) /* Debian's is 5 to 8 MB */

/* Since Linux 5.8 and 5.9: missing in older headers. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

struct ht_kernel_btf {
	size_t bytes;
	char data[];
};

static uint64_t effective_caps(void)
{
	unsigned long long caps = 0;
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	}
	fclose(file);
	return caps;
}

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

void ht_features_read(struct ht_features *features)
{
	uint64_t caps = effective_caps(), admin = caps >> CAP_SYS_ADMIN & 1;
	struct utsname name;

	memset(features, 0, sizeof(*features));
	if (!uname(&name))
		snprintf(features->release, sizeof(features->release), "%.64s", name.release);
	features->has_btf = !access(BTF_PATH, R_OK);
	features->has_cap_bpf = admin || caps >> CAP_BPF & 1;
	features->has_cap_perfmon = admin || caps >> CAP_PERFMON & 1;
	features->has_cap_net_admin = admin || caps >> CAP_NET_ADMIN & 1;
	features->has_cap_map_files = admin || caps >> CAP_CHECKPOINT_RESTORE & 1;
	features->has_cap_ptrace = caps >> CAP_SYS_PTRACE & 1;
	find_cgroup_root(features->cgroup_root, sizeof(features->cgroup_root));
}

/* Of the whole, the section with all names is kept: a quarter. */
struct ht_kernel_btf *ht_kernel_btf_read(void)
{
	int fd = open(BTF_PATH, O_RDONLY | O_CLOEXEC), err = EBADMSG;
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

bool ht_kernel_btf_has_tracepoint(const struct ht_kernel_btf *btf, const char *name)
{
	/* A tracepoint is the typedef btf_trace_NAME; its name stands between NULs. */
	char wanted[128];
	int len = snprintf(wanted, sizeof(wanted), "%cbtf_trace_%s", 0, name);

	return len > 0 && len < (int)sizeof(wanted) && memmem(btf->data, btf->bytes, wanted, (size_t)len + 1);
}

void ht_kernel_btf_free(struct ht_kernel_btf *btf)
{
	free(btf);
}
