/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * uprobe.c - see uprobe.h. The raw bpf() call, as libbpf has uprobe_multi from 1.3 only and Debian 12 ships 1.1. Layouts: include/uapi/linux/bpf.h
 * of Linux 6.6 (link_create.uprobe_multi) and 6.8 (bpf_link_info.uprobe_multi).
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/uprobe.h"

#define UPROBE_MULTI_RETURN 1u /* BPF_F_UPROBE_MULTI_RETURN */

struct link_create_attr {
	__u32 prog_fd;
	__u32 target_fd;
	__u32 attach_type;
	__u32 flags;
	__u64 path;
	__u64 offsets;
	__u64 ref_ctr_offsets;
	__u64 cookies;
	__u32 cnt;
	__u32 multi_flags;
	__u32 pid;
	__u32 pad;
};

struct link_info {
	__u32 type;
	__u32 id;
	__u32 prog_id;
	__u32 pad;
	__u64 path;
	__u64 offsets;
	__u64 ref_ctr_offsets;
	__u64 cookies;
	__u32 path_size;
	__u32 cnt;
	__u32 flags;
	__u32 pid;
};

static int attach_multi(int prog_fd, const struct ht_uprobe_sites *sites)
{
	struct link_create_attr attr = {
		.prog_fd = (__u32)prog_fd,
		.attach_type = sites->side == HT_UPROBE_BOTH ? HT_ATTACH_UPROBE_SESSION : HT_ATTACH_UPROBE_MULTI,
		.path = (__u64)(unsigned long)sites->path,
		.offsets = (__u64)(unsigned long)sites->offs,
		.cookies = (__u64)(unsigned long)sites->cookies,
		.cnt = (__u32)sites->cnt,
		.multi_flags = sites->side == HT_UPROBE_RETURN ? UPROBE_MULTI_RETURN : 0,
		.pid = (__u32)sites->pid,
	};
	/* The kernel checks that what it does not read is zero: no more than the fields of this attach type, up to and with pid. */
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

/* A number out of a file in sysfs that reads "8" or "config:0". */
static int read_number(const char *path, const char *prefix, unsigned int *number)
{
	FILE *file = fopen(path, "re");
	char text[32] = "";
	int err = -EINVAL;

	if (!file)
		return -errno;
	if (fgets(text, sizeof(text), file) && !strncmp(text, prefix, strlen(prefix)) && sscanf(text + strlen(prefix), "%u", number) == 1)
		err = 0;
	fclose(file);
	return err;
}

#define UPROBE_PMU "/sys/bus/event_source/devices/uprobe/"

static int attach_perf_one(enum ht_uprobe_backend backend, int prog_fd, const struct ht_uprobe_sites *sites, size_t n)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .sample_period = 1, .wakeup_events = 1 };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = sites->prog_fds ? 0 : sites->cookies[n]);
	unsigned int type, return_bit;
	int err, fd, link_fd;

	err = read_number(UPROBE_PMU "type", "", &type);
	if (!err)
		err = read_number(UPROBE_PMU "format/retprobe", "config:", &return_bit);
	if (err)
		return err;
	attr.type = type;
	attr.config = sites->side == HT_UPROBE_RETURN ? 1ULL << (return_bit & 63) : 0;
	attr.config1 = (__u64)(unsigned long)sites->path;
	attr.config2 = sites->offs[n];
	/* pid -1 on one CPU: a uprobe fires on all, the event only carries it. */
	fd = (int)syscall(SYS_perf_event_open, &attr, sites->pid ? sites->pid : -1, sites->pid ? -1 : 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (sites->prog_fds)
		prog_fd = sites->prog_fds[n];
	if (backend == HT_UPROBE_EVENT) {
		if (!ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd))
			return fd;
		err = -errno;
		close(fd);
		return err;
	}
	link_fd = bpf_link_create(prog_fd, fd, BPF_PERF_EVENT, &opts);
	err = link_fd < 0 ? -errno : link_fd;
	/* The link holds the event. */
	close(fd);
	return err;
}

int ht_uprobe_attach(enum ht_uprobe_backend backend, int prog_fd, const struct ht_uprobe_sites *sites, int *fds)
{
	size_t done;
	int err = 0;

	if (backend >= HT_UPROBE_MULTI) {
		err = attach_multi(prog_fd, sites);
		if (err < 0)
			return err;
		fds[0] = err;
		return 1;
	}
	if (backend == HT_UPROBE_NONE || sites->side == HT_UPROBE_BOTH)
		return -EOPNOTSUPP;
	for (done = 0; done < sites->cnt; done++) {
		err = attach_perf_one(backend, prog_fd, sites, done);
		if (err < 0)
			break;
		fds[done] = err;
	}
	if (err >= 0)
		return (int)done;
	while (done)
		close(fds[--done]);
	return err;
}

pid_t ht_uprobe_link_pid(int link_fd)
{
	struct link_info info = { 0 };
	struct {
		__u32 fd;
		__u32 len;
		__u64 info;
	} attr = { (__u32)link_fd, sizeof(info), (__u64)(unsigned long)&info };

	return syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ? 0 : (pid_t)info.pid;
}

static int load_empty(int attach_type)
{
	/* r0 = 0; exit */
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = (enum bpf_attach_type)attach_type);
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "ht_probe", "Dual BSD/GPL", insns, sizeof(insns) / sizeof(insns[0]), &opts);

	return fd < 0 ? -errno : fd;
}

int ht_uprobe_load_empty(enum ht_uprobe_backend backend)
{
	return backend == HT_UPROBE_NONE ? -EOPNOTSUPP : load_empty(backend >= HT_UPROBE_MULTI ? HT_ATTACH_UPROBE_MULTI : 0);
}

/*
 * A kernel that knows the attach type gets as far as the path, and says that a directory is none to probe (EBADF: bpf_uprobe_multi_link_attach());
 * one that does not know it says EINVAL before. A real attach would say the same and cost 40 ms to take back.
 */
static int try_multi(enum ht_uprobe_side side)
{
	static const uint64_t off = 1, cookie = 1;
	struct ht_uprobe_sites sites = { .path = "/", .offs = &off, .cookies = &cookie, .cnt = 1, .side = side };
	int prog_fd = load_empty(side == HT_UPROBE_BOTH ? HT_ATTACH_UPROBE_SESSION : HT_ATTACH_UPROBE_MULTI), err;

	if (prog_fd < 0)
		return prog_fd;
	err = attach_multi(prog_fd, &sites);
	if (err >= 0)
		close(err);
	close(prog_fd);
	return err == -EBADF ? 0 : err;
}

/* As libbpf's probe_perf_link(): with no event behind the fd, a kernel that has the link type says EBADF (5.15, which has cookies, too). */
static int try_link(int prog_fd)
{
	int link_fd = bpf_link_create(prog_fd, -1, BPF_PERF_EVENT, NULL), err = link_fd < 0 ? -errno : 0;

	if (link_fd >= 0)
		close(link_fd);
	return err == -EBADF ? 0 : err;
}

/* What there is of PERF and EVENT. why: what was refused. */
static enum ht_uprobe_backend probe_perf(const struct ht_features *features, char *why, size_t why_size)
{
	unsigned int type;
	int prog_fd, err = ht_features_has(features, HT_FEATURE_UPROBE) ? read_number(UPROBE_PMU "type", "", &type) : -EOPNOTSUPP;

	prog_fd = err ? err : load_empty(0);
	if (prog_fd < 0) {
		snprintf(why, why_size, "; perf uprobes: %s", strerror(-prog_fd));
		return HT_UPROBE_NONE;
	}
	err = ht_features_has(features, HT_FEATURE_PERF_LINK) ? try_link(prog_fd) : -EOPNOTSUPP;
	close(prog_fd);
	if (err)
		snprintf(why, why_size, "; links of perf uprobes: %s", strerror(-err));
	return err ? HT_UPROBE_EVENT : HT_UPROBE_PERF;
}

enum ht_uprobe_backend ht_uprobe_probe(const struct ht_features *features, char *why, size_t why_size)
{
	/* The programs for older kernels are told of each function by a program of its own (cookies.h), which needs an event of its own. */
	bool has_multi = ht_features_has(features, HT_FEATURE_UPROBE_MULTI) && ht_features_has(features, HT_FEATURE_UPROBE) &&
			 !ht_features_are_old(features);
	int multi_err = has_multi ? try_multi(HT_UPROBE_ENTRY) : -EOPNOTSUPP;
	enum ht_uprobe_backend backend;
	char perf_why[64] = "";

	why[0] = '\0';
	if (!multi_err) {
		bool has_sessions = ht_features_has(features, HT_FEATURE_UPROBE_SESSION) && !try_multi(HT_UPROBE_BOTH);

		return has_sessions ? HT_UPROBE_SESSION : HT_UPROBE_MULTI;
	}
	backend = probe_perf(features, perf_why, sizeof(perf_why));
	snprintf(why, why_size, "uprobe_multi: %s%s", strerror(-multi_err), perf_why);
	return backend;
}

const char *ht_uprobe_backend_name(enum ht_uprobe_backend backend)
{
	return backend == HT_UPROBE_SESSION ? "uprobe_multi with sessions"
	       : backend == HT_UPROBE_MULTI ? "uprobe_multi"
	       : backend == HT_UPROBE_PERF  ? "perf uprobes"
	       : backend == HT_UPROBE_EVENT ? "perf uprobes without links"
					    : "none";
}
